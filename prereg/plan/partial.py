"""Reads as much of a faulty plan as can be read, so that one fault does not hide the others."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prereg.errors import RatifyError
from prereg.plan.file import content_of, fault_of_kind, faults_between_parts
from prereg.plan.model import Plan
from prereg.plan.part_faults import is_unquoted, without_tags
from prereg.plan.rounds import read_in_rounds
from prereg.yaml_lines import YamlLines

# Lists of the plan from which a wrong entry is left out, and the others stay.
_LISTS = (
    "hypotheses",
    "scales",
    "practice",
    "attention_checks",
    "survey",
    "exclusions",
    "judges",
    "analyses",
    "gate",
)
# What stands in for a wrong part that a plan cannot be without.
_STAND_INS: Mapping[str, Any] = {
    "schema": 1,
    "id": "plan",
    "title": "plan",
    "seed": 1,
    "design": {"question": "?", "raters": 1, "trials": 1},
    "recruitment": {"codes": {"completed": "X"}},
    "measures": {"scale": {"min": 1, "max": 5}, "adds": ["stand_in"]},
}
# A fault of a part is not believed where a part that it follows from could not be read.
_FOLLOWS_FROM: Mapping[str, frozenset[str]] = {
    "exclusions": frozenset({"attention_checks"}),
    "recruitment": frozenset({"exclusions", "comprehension"}),
    "attention_checks": frozenset({"scales", "design"}),
    "practice": frozenset({"design"}),
    "display": frozenset({"design"}),
    "judges": frozenset({"judges", "measures", "scales"}),
    "gate": frozenset({"measures", "scales"}),
    "causal": frozenset({"scales"}),
}


@dataclass(frozen=True)
class PartialPlan:
    """What could be read of a plan.

    Attributes
    ----------
    plan : Plan or None
        The plan without its wrong parts; None if even its kind cannot be told.
    faults : list of RatifyError
        Of each part by itself, and of how the readable parts fit each other. Keys are named as in
        the user's file.
    unread : frozenset of str
        Keys of the plan's first level of which something was left out or replaced.
    mentioned : frozenset of str
        Every text in what was left out: what has such a name is not known to be missing.
    kept : mapping of str to tuple of int
        For each list with a wrong entry, the places in the user's file of those that remain.
    lines : YamlLines
    """

    plan: Plan | None
    faults: list[RatifyError]
    unread: frozenset[str]
    mentioned: frozenset[str]
    kept: Mapping[str, tuple[int, ...]]
    lines: YamlLines

    def in_file(self, key: str) -> str:
        """Return a key of `plan` as the user's file has it: wrong entries count there."""
        top, _, rest = key.partition(".")
        place, dot, more = rest.partition(".")
        if top not in self.kept or not place.isdecimal() or int(place) >= len(self.kept[top]):
            return key
        return f"{top}.{self.kept[top][int(place)]}{dot}{more}"

    def believes(self, error: RatifyError) -> bool:
        """Say whether a fault is one of the user's, and does not follow from what was left out."""
        top = (error.column or "").partition(".")[0]
        if not self.unread.isdisjoint(_FOLLOWS_FROM.get(top, ())):
            return False
        if top == "analyses" and "measures" in self.unread and error.value is not None:
            return not str(error.value).startswith("diff_")
        return str(error.value) not in self.mentioned and (
            top not in self.unread or top in self.kept
        )


def read_partial(path: Path | str) -> PartialPlan:
    """Read what can be read of a plan.

    Parameters
    ----------
    path : path
        A `plan.yaml`, or the study folder that holds one.

    Raises
    ------
    RatifyError
        When the file is missing or is not YAML.
    """
    path, content, lines = content_of(path)
    return partial_of(content, path, lines)


def partial_of(content: dict[str, Any], path: Path, lines: YamlLines) -> PartialPlan:
    """Return what can be read of a plan, from what its YAML holds."""
    fault = fault_of_kind(content, path)
    if fault is not None:
        return PartialPlan(None, [fault], frozenset(), frozenset(), {}, lines)
    left = _Left(content)
    plan, faults = left.read(path)
    unread, mentioned = frozenset(left.unread), frozenset(left.mentioned)
    found = PartialPlan(plan, faults, unread, mentioned, left.places(), lines)
    if plan is None:
        return found
    try:
        between = faults_between_parts(plan, left.rest, path)
    except RatifyError as error:  # no such kind of task
        return replace(found, plan=None, faults=[*faults, _of_file(error, path)])
    faults += [_renamed(one, found) for one in between if found.believes(one)]
    return found


def _of_file(error: RatifyError, path: Path) -> RatifyError:
    return RatifyError(
        error.problem, file=path, column=error.column, value=error.value, allowed=error.allowed
    )


def _renamed(error: RatifyError, found: PartialPlan) -> RatifyError:
    """Return a fault whose key is that of the user's file."""
    return RatifyError(
        error.problem,
        file=error.file,
        column=found.in_file(error.column or ""),
        value=error.value,
        allowed=error.allowed,
        part=error.part,
    )


class _Left:
    """What is left of a plan while wrong parts are taken out of it."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.rest = copy.deepcopy(content)
        self.unread: set[str] = set()
        self.mentioned: set[str] = set()
        self._kept = {
            name: list(range(len(content[name])))
            for name in _LISTS
            if isinstance(content.get(name), list)
        }

    def places(self) -> dict[str, tuple[int, ...]]:
        """Return the places of what remains of each list that has lost an entry."""
        return {
            name: tuple(kept)
            for name, kept in self._kept.items()
            if len(kept) < len(self.content[name])
        }

    def read(self, path: Path) -> tuple[Plan | None, list[RatifyError]]:
        """Return the plan without its wrong parts, and the faults of each part."""
        return read_in_rounds(Plan, self.rest, self._leave_out, content=self.content, file=path)

    def _leave_out(self, error: ValidationError) -> bool:
        """Take out the wrong parts of one round; say whether there is a plan without them."""
        wrong = [(without_tags(f["loc"]), str(f["type"])) for f in error.errors(include_url=False)]
        entries: dict[str, set[int]] = {}
        for where, kind in wrong:
            top = str(where[0]) if where else ""
            if top == "kind":
                return False
            if kind == "extra_forbidden" and is_unquoted(where[-1]):
                self._take(where)
            elif top in self._kept and len(where) > 1 and isinstance(where[1], int):
                entries.setdefault(top, set()).add(where[1])
            else:
                self._replace(where)
        for name, places in entries.items():
            for place in sorted(places, reverse=True):
                self._mention(self.rest[name].pop(place))
                self._kept[name].pop(place)
            self.unread.add(name)
            if not self.rest[name]:
                self._replace((name,))
        return True

    def _replace(self, where: tuple[int | str, ...]) -> None:
        """Take out a wrong part, or put something in its place that a plan can be read with."""
        top = str(where[0])
        self.unread.add(top)
        self._mention(self.rest.get(top))
        if top not in Plan.model_fields and top != "schema":
            self._take(where[:1])
        elif top == "design" and isinstance(self.rest.get(top), dict):
            self.rest[top] = self._design(where)
        elif top in _STAND_INS:
            self.rest[top] = copy.deepcopy(_STAND_INS[top])
        elif top == "scales":
            ends = {"min": 1, "max": 5, "labels": {1: "low", 5: "high"}}
            self.rest[top] = [{"id": "stand_in", "question": "?", **ends}]
        else:
            self.rest.pop(top, None)

    def _design(self, where: tuple[int | str, ...]) -> dict[str, Any]:
        """Return the design with something else for its wrong key."""
        stand_in = copy.deepcopy(_STAND_INS["design"])
        design = dict(self.rest["design"])
        if self.rest.get("kind") == "best_worst":
            stand_in["options"] = 4
        if len(where) < 2:  # its keys do not fit each other
            return {**stand_in, **{key: design[key] for key in ("options",) if key in design}}
        design.pop(where[1], None)
        if where[1] in stand_in:
            design[where[1]] = stand_in[where[1]]
        return design

    def _take(self, where: tuple[int | str, ...]) -> None:
        """Take out a key, wherever it is."""
        part: Any = self.rest
        for key in where[:-1]:
            part = part[key]
        if isinstance(part, dict):
            self._mention(part.pop(where[-1], None))

    def _mention(self, part: Any) -> None:
        self.mentioned.update(_texts(part))


def _texts(part: Any) -> Iterator[str]:
    """Yield every text in a part of a plan."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for key, inner in part.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _texts(inner)
