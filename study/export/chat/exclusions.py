"""Say which of the plan's rules leaves a participant of a chat out: the first that applies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from prereg.chat.exclusions import ChatExclusion
from prereg.chat.model import ChatPlan


@dataclass(frozen=True)
class Stands:
    """What the rules ask about one visit.

    Attributes
    ----------
    status, ended_because : str
        As in the participants table.
    rounds_done : int
        How many conversations were had.
    pasted_share : float or None
        None if it is not known.
    answers : mapping
        What was answered to each question, once or after each conversation.
    """

    status: str
    ended_because: str
    rounds_done: int
    pasted_share: float | None = None
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)


_Applies = Callable[[ChatPlan, ChatExclusion, Stands], bool]


def _pasted(_: ChatPlan, rule: ChatExclusion, visit: Stands) -> bool:
    share = visit.pasted_share
    return share is not None and rule.share is not None and share > rule.share


def _admitted(_: ChatPlan, rule: ChatExclusion, visit: Stands) -> bool:
    return any(said in rule.values for said in visit.answers.get(rule.question or "", ()))


_RULES: Mapping[str, _Applies] = {
    "incomplete_session": lambda plan, _, visit: visit.rounds_done < plan.design.conversations,
    "partner_failure": lambda _, __, visit: (
        "partner_failure" in (visit.status, visit.ended_because)
    ),
    "stopped_for_safety": lambda _, __, visit: (
        visit.status == "stopped" or visit.ended_because == "safety"
    ),
    "pasted_most": _pasted,
    "admitted_ai": _admitted,
}


def excluded_by(plan: ChatPlan, visit: Stands) -> str | None:
    """Return the first of the plan's exclusions, in its order, that applies; None if none does.

    Parameters
    ----------
    plan : ChatPlan
    visit : Stands
    """
    return next((r.rule for r in plan.exclusions if _RULES[r.rule](plan, r, visit)), None)
