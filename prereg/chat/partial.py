"""Reads as much of a faulty plan of kind chat as can be read, so that no fault hides the others."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prereg.chat.file import between_parts
from prereg.chat.model import ChatPlan
from prereg.errors import RatifyError
from prereg.plan.file import content_of
from prereg.plan.part_faults import without_tags
from prereg.plan.rounds import read_in_rounds
from prereg.yaml_lines import YamlLines

# Where a part could not be read, a fault of these parts may only follow from that.
_STAGES = frozenset(
    {"judges", "measures", "compare", "analyses", "gate", "hypotheses", "assumptions", "surveys"}
)
_FOLLOWS_FROM = {
    **dict.fromkeys(("judges", "measures", "compare", "analyses", "gate", "assumptions"), _STAGES),
    "exclusions": frozenset({"surveys"}),
    "partner": frozenset({"servers"}),
    "safety": frozenset({"servers"}),
    "budget": frozenset({"servers"}),
    "feedback": frozenset({"servers"}),
    "recruitment": frozenset({"partner", "feedback"}),
    "design": frozenset({"feedback", "scenarios"}),
}
# What stands in for a wrong part that a plan cannot be without.
_STAND_INS: dict[str, Any] = {
    "schema": 1,
    "id": "plan",
    "title": "plan",
    "seed": 1,
    "partner": {"kind": "scripted"},
    "recruitment": {"codes": {"completed": "X"}},
}


@dataclass(frozen=True)
class PartialChat:
    """What could be read of a plan of kind chat.

    Attributes
    ----------
    plan : ChatPlan or None
        Without its wrong parts; None where the design or the scenarios are wrong.
    faults : list of RatifyError
        Of each part by itself, and of how the readable parts fit each other.
    unread : frozenset of str
        Keys of the first level that were left out or replaced.
    lines : YamlLines
    """

    plan: ChatPlan | None
    faults: list[RatifyError]
    unread: frozenset[str]
    lines: YamlLines


def read_partial_chat(path: Path | str) -> PartialChat:
    """Read what can be read of a plan of kind chat.

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
    rest = copy.deepcopy(content)
    unread: set[str] = set()

    def leave_out(error: ValidationError) -> bool:
        wrong = {str(without_tags(one["loc"])[0]) for one in error.errors() if one["loc"]}
        possible = bool(wrong) and _replaced(rest, wrong)
        unread.update(wrong if possible else ())
        return possible

    plan, faults = read_in_rounds(ChatPlan, rest, leave_out, content=content, file=path)
    if plan is not None:
        faults += [one for one in between_parts(plan, content, path) if _believed(one, unread)]
    return PartialChat(plan, faults, frozenset(unread), lines)


def _replaced(rest: dict[str, Any], wrong: set[str]) -> bool:
    """Take out wrong parts, or put something in their place; say whether that is possible."""
    for name in wrong:
        if name in {"design", "scenarios", "kind"}:
            return False
        if name in _STAND_INS:
            rest[name] = copy.deepcopy(_STAND_INS[name])
        else:
            rest.pop(name, None)
    return True


def _believed(fault: RatifyError, unread: set[str]) -> bool:
    """Say whether a fault is one of the user's, and does not follow from what was left out."""
    top = (fault.column or "").partition(".")[0]
    return top not in unread and unread.isdisjoint(_FOLLOWS_FROM.get(top, ()))
