"""What an amendment changes, key by key, and what it may not change once there are answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prereg.amendments.amendment import Change, Version
from prereg.errors import RatifyError

# Entries of these lists are known by a key of theirs, not by their place.
_NAMES = ("id", "rule")
# Parts of the plan on which answers that are there depend.
FIXED = frozenset(
    {"schema", "id", "kind", "seed", "language", "display", "attention_checks", "materials"}
)
_FIXED_DESIGN = frozenset(
    {"trials", "options", "sample", "pairs_within", "side", "ties", "tie_answer", "apart"}
)
# On which units are labelled, and with which probability, depends every weighted estimate.
_FIXED_CAUSAL = ("frame", "treatment", "outcome")
_FIXED_LABELS = frozenset({"stratified", "random", "allocation", "shares", "floor", "pilot"})
# What an answer means on a scale; the words of its question may be mended.
_FIXED_SCALE = frozenset({"id", "min", "max", "labels"})
_WHOLE = ("consent", "instructions")
# Parts that stay as they are once there are answers, and why.
_ANSWERED = {
    "items": "have changed, and people have answered about them",
    "frame": "has changed, and people have answered about a sample of it",
}
_MAY = (
    "more raters, texts, leases, recruitment, judges, exclusions, analyses and thresholds may be "
    "amended; for this, make a new study"
)


def changes_between(
    before: Version, parts: Mapping[str, str], locked: Mapping[str, Any], rows: int
) -> list[Change]:
    """Return every change from a version to the study as it is now.

    Parameters
    ----------
    before : Version
        The newest version.
    parts, locked : mapping
        The parts now: their SHA-256, and what those parts hold that a lock keeps.
    rows : int
        Rows of the sequences table now.
    """
    changed = [
        name
        for name in dict.fromkeys([*before.parts, *parts])
        if before.parts.get(name) != parts.get(name)
    ]
    found: list[Change] = []
    for name in changed:
        old, new = before.locked.get(name), locked.get(name)
        if name == "sequences":
            found.append(Change(name, "rows", before.rows, rows))
        elif name in _WHOLE:
            found.append(Change(name, "", old, new))
        elif isinstance(old or new, Mapping | list):
            found += [Change(name, *one) for one in _differences(old, new, "")]
        else:
            found.append(Change(name, "", before.parts.get(name), parts.get(name)))
    return found


def _differences(before: Any, after: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the deepest keys that differ, with both values; None where a key is absent."""
    one, other = _named(before), _named(after)
    if one is None or other is None:
        if before != after:
            yield key, before, after
        return
    for name in dict.fromkeys([*one, *other]):
        inner = f"{key}.{name}" if key else name
        yield from _differences(one.get(name), other.get(name), inner)
    if list(one) != list(other) and sorted(one) == sorted(other) and isinstance(before, list):
        yield f"{key} (order)" if key else "order", list(one), list(other)


def _named(value: Any) -> Mapping[str, Any] | None:
    """Return a mapping, or a list of entries by their names; None for anything else."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        return None
    names = [next((str(one[n]) for n in _NAMES if n in one), "") for one in value]
    if "" in names or len(set(names)) != len(names):
        return None
    return dict(zip(names, value, strict=True))


def needs_new_sequences(changes: Sequence[Change], *, apart: bool) -> bool:
    """Say whether sequences that are there do not fit the changed plan or items.

    Parameters
    ----------
    changes : sequence of Change
    apart : bool
        Whether each sequence asks for one scale, and so has to be one of the plan's.
    """
    for change in changes:
        top, *below = change.key.split(".")
        if change.part == "items":
            return True
        if change.part != "plan":
            continue
        if top in {"seed", "kind", "attention_checks"}:
            return True
        if top == "design" and below and below[0] in _FIXED_DESIGN - {"ties", "tie_answer"}:
            return True
        if top == "scales" and apart and (change.before is None or change.after is None):
            return True
        if _fewer(change):
            return True
    return False


def _fixes_sample(below: Sequence[str]) -> bool:
    """Say whether a key of the causal section decides who is in the sample."""
    if not below or below[0] in _FIXED_CAUSAL:
        return True
    return below[0] == "labels" and (len(below) < 2 or below[1] in _FIXED_LABELS)


def _fewer(change: Change) -> bool:
    """Say whether a plan has fewer raters, or fewer for each sequence."""
    names = {"design.raters", "design.raters_per_sequence"}
    counts = change.before, change.after
    return change.key in names and all(isinstance(n, int) for n in counts) and counts[1] < counts[0]


def refused_changes(changes: Sequence[Change], file: Any) -> list[RatifyError]:
    """Return why an amendment cannot be made once there are answers; empty if it can.

    Parameters
    ----------
    changes : sequence of Change
    file : path
        The plan, which the errors name.
    """
    return [
        RatifyError(
            why,
            file=file,
            column=change.key or change.part,
            value=change.after if isinstance(change.after, str | int | float) else None,
            allowed=allowed,
        )
        for change in changes
        for why, allowed in _refusals(change)
    ]


def _refusals(change: Change) -> Iterator[tuple[str, str]]:
    """Yield why one change is refused, and what is allowed instead."""
    top, *below = change.key.split(".")
    if change.part in _ANSWERED:
        yield f"the {change.part} {_ANSWERED[change.part]}", _MAY
    if change.part != "plan":
        return  # the texts of every version are compared with the images that they show
    if top in FIXED or (top == "design" and below and below[0] in _FIXED_DESIGN):
        yield "cannot be amended: answers that are there depend on it", _MAY
    elif top == "causal" and _fixes_sample(below):
        yield "cannot be amended: the sample that people answered about was drawn by it", _MAY
    elif _fewer(change):
        yield (
            "cannot become fewer: places have been given",
            f"at least {change.before}; to stop early, pause recruitment on the dashboard",
        )
    elif top == "survey" and below and change.after is None:
        yield "cannot be removed: people have answered it", "the question as it was"
    elif top in {"scales", "measures"}:
        whole = change.before is None or change.after is None
        if (top == "scales" and whole) or (_FIXED_SCALE | {"scale"}) & {*below}:
            yield "cannot be amended: it says what the answers on a scale mean", _MAY
