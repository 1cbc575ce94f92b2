"""What the conversations of a plan will probably cost, before anybody has had one."""

from __future__ import annotations

from dataclasses import dataclass

from prereg.chat.calls import most_messages
from study.chat.chat_models import model_for
from study.chat.limits import CHARACTERS_PER_TOKEN
from study.chat.spending import worst_case_of
from study.chat.study import ChatStudy
from study.llm.prices import MESSAGE_TOKENS, price

# Of a conversation as people have them: messages of a participant in a minute, and tokens of a
# message and of a reply. With four minutes a conversation, that is about eleven turns.
MESSAGES_A_MINUTE, TOKENS = 2.7, 45
ANSWER_TOKENS = 220


@dataclass(frozen=True)
class Foreseen:
    """What one participant and all of them may cost, in the plan's currency.

    Attributes
    ----------
    typical, most : float
        Of one participant: as people talk, and at the limits of the plan.
    calls : int
        Of one participant, as people talk.
    all : float
        Of all participants, as people talk.
    currency : str
    """

    typical: float
    most: float
    calls: int
    all: float
    currency: str


def foreseen(study: ChatStudy) -> Foreseen | None:
    """Return what the conversations of a study will cost; None if no model with prices is asked.

    Parameters
    ----------
    study : ChatStudy
    """
    priced = [one.prices for one in study.plan.used_servers().values() if one.prices is not None]
    if not priced:
        return None
    each = [_of_arm(study, name) for name in study.plan.design.conditions]
    weights = list(study.plan.design.weights.values())
    typical = sum(w * cost for w, (cost, _) in zip(weights, each, strict=True)) / sum(weights)
    return Foreseen(
        typical=typical,
        most=worst_case_of(study).money,
        calls=max(calls for _, calls in each),
        all=study.plan.design.supporters * typical,
        currency=priced[0].currency,
    )


def _of_arm(study: ChatStudy, condition: str) -> tuple[float, int]:
    """Return the typical cost of one participant of a condition, and their calls."""
    plan = study.plan
    limits = plan.conversation
    turns = max(1, min(most_messages(plan), round(MESSAGES_A_MINUTE * limits.seconds / 60)))
    said = 2 * turns * (TOKENS + MESSAGE_TOKENS)
    cost, calls = 0.0, 0
    partner = model_for(plan, "partner")
    if partner is not None:
        fixed = _tokens(study.prompts.get("partner", ""), *study.backgrounds.values()) / len(
            study.backgrounds
        )
        # half of what is said in a conversation goes with a reply on average
        one = price(partner, fixed + said / 2, TOKENS) or 0.0
        cost += plan.design.conversations * turns * one
        calls += plan.design.conversations * turns
    coach = model_for(plan, "feedback")
    if coach is not None and plan.feedback.coach is not None and plan.has_coach(condition):
        asked = 1 + max(1, plan.feedback.coach.questions.min)
        rounds = len(plan.feedback.after_rounds)
        fixed = _tokens(study.prompts.get("coach", ""))
        cost += rounds * asked * (price(coach, fixed + said, ANSWER_TOKENS) or 0.0)
        calls += rounds * asked
    return cost, calls


def _tokens(*texts: str) -> float:
    return sum(len(text) for text in texts) / CHARACTERS_PER_TOKEN
