"""Finds annotators who are named twice, and ids that only look the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from pathlib import Path

from analysis.audit.files import Annotator
from prereg.errors import RatifyError

# A person and a judge who agree on at least this many ratings are the same annotator; so are two
# people, or two judges, who agree on all ratings of at least this many items,
_TOO_MANY_ALIKE = {"ratings": 10, "items": 5}
# unless one value makes up more than this share of the ratings.
_ONE_VALUE = 0.8


def the_same_twice(annotators: Sequence[Annotator], *, named: bool) -> list[str]:
    """Refuse an annotator whose ratings all equal another's, and return notes on equal ratings.

    With few ratings, or if nearly all are one value, this can be chance: it
    is noted. So it is if somebody has named the dimensions, and so says that these are ratings.
    """
    first: dict[frozenset[tuple[tuple[str, str], float | None]], Annotator] = {}
    notes = []
    for one in annotators:
        rated = frozenset((key, value) for key, value in one.ratings.items() if value is not None)
        other = first.setdefault(rated, one)
        if other is one or not rated:
            continue
        values = [value for _, value in rated]
        most = max(map(values.count, set(values)))
        if other.kind == one.kind:
            many = len(one.items) >= _TOO_MANY_ALIKE["items"]
        else:
            many = len(rated) >= _TOO_MANY_ALIKE["ratings"]
        many = many and most <= _ONE_VALUE * len(rated)
        if many and not named:
            raise _same(one, other)
        if many or other.kind != one.kind:
            notes.append(
                f"{other.name} and {one.name} gave exactly the same ratings. If they are one "
                f"annotator, name them only once, because their agreement means nothing."
            )
    return notes


def _same(one: Annotator, other: Annotator) -> RatifyError:
    if one.kind != other.kind:
        who = "people and judges"
    else:
        who = "two people" if one.kind == "human" else "two judges"
    return RatifyError(
        f"has the same ratings as '{other.name}': an annotator cannot be compared with themselves",
        file=one.path,
        value=one.name,
        allowed=f"ratings that {who} gave independently; if they did, name what was rated with "
        "--dimension",
    )


def never_varying(annotators: Sequence[Annotator], dimensions: Sequence[str]) -> list[str]:
    """Return a warning for each judge with one and the same rating of all items of a dimension."""
    warnings = []
    for one in annotators:
        if one.kind != "judge":
            continue
        for name in dimensions:
            given = [v for (_, of), v in one.ratings.items() if of == name and v is not None]
            if len(given) > 1 and len(set(given)) == 1:
                warnings.append(
                    f"{one.name} gave every item the same rating of {name} ({given[0]:g}), "
                    f"{constant_says(set(given), _peoples(annotators, name))}."
                )
    return warnings


def constant_says(given: Set[float], people: Set[float]) -> str:
    """Return what one answer of a judge means for kappa, by what people gave.

    Parameters
    ----------
    given, people : set of float
        The different ratings, or codes of labels, of the judge and of all people.
    """
    if given == people:
        return "and so did people: kappa with them is not defined there"
    return "so its kappa with people is 0 by construction there"


def _peoples(annotators: Sequence[Annotator], dimension: str) -> set[float]:
    return {
        value
        for one in annotators
        if one.kind == "human"
        for (_, of), value in one.ratings.items()
        if of == dimension and value is not None
    }


def _zeros(name: str) -> str:
    return name.lstrip("0") or "0" if name.isdecimal() else name


def _spaces(name: str) -> str:
    return "".join(name.split())


_WAYS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("leading zeros", _zeros),
    ("letter case", str.casefold),
    ("spaces inside", _spaces),
    ("letter case, spaces and zeros", lambda name: _spaces(_zeros(name)).casefold()),
)


def nearly_the_same(annotators: Sequence[Annotator]) -> list[str]:
    """Return a warning for each file with ids that nearly match those of the files before it."""
    by_file: dict[Path, set[str]] = {}
    for one in annotators:
        by_file.setdefault(one.path, set()).update(item for item, _ in one.ratings)
    warnings = []
    before: set[str] = set()
    for path, ids in by_file.items():
        lone = ids - before
        for way, simple in _WAYS:
            simply = {simple(name): name for name in sorted(before)}
            pairs = {name: simply[key] for name in sorted(lone) if (key := simple(name)) in simply}
            lone -= set(pairs)
            if pairs:
                warnings.append(_near(path.name, way, pairs))
        before |= ids
    return warnings


def _near(file: str, way: str, pairs: dict[str, str]) -> str:
    many = len(pairs) > 1
    shown = "; ".join([f"{name!r}, {other!r}" for name, other in list(pairs.items())[:2]])
    return (
        f"{len(pairs):,} {'ids' if many else 'id'} of {file} {'differ' if many else 'differs'} "
        f"from other files' ids only in {way} ({shown}{'; ...' if len(pairs) > 2 else ''}): they "
        "are different items here; spell them alike if they are the same."
    )


def row_numbers_as_ids(annotators: Sequence[Annotator]) -> list[str]:
    """Return a warning if people's and judges' ids are all only the numbers of their rows.

    Then items are matched by the order of rows, and a table that was sorted is compared with
    another one's items.
    """
    by_file: dict[Path, dict[str, None]] = {}
    for one in annotators:
        by_file.setdefault(one.path, {}).update(dict.fromkeys(item for item, _ in one.ratings))
    numbered = [path.name for path, ids in by_file.items() if _counts_up(list(ids))]
    if len(numbered) < len(by_file) or len(by_file) < 2:
        return []
    return [
        f"The ids of {' and '.join(dict.fromkeys(numbered))} are only row numbers, so items are "
        "matched by the order of rows: if one table was sorted or lost a row, other items are "
        "compared. Give every item an id of its own."
    ]


def _counts_up(ids: list[str]) -> bool:
    """Say whether ids count the rows, from 0 or from 1."""
    return len(ids) > 2 and any(
        ids == [str(first + at) for at in range(len(ids))] for first in (0, 1)
    )
