"""How many calls to models a participant may cause, and how many messages that leaves them.

So that a limit of calls ends no visit in the middle, it limits the messages of a conversation: what
the coach may need is set aside, and the rest is shared by the conversations. It is the same in
every condition, with a coach or without, because a longer conversation is a better one.
"""

from __future__ import annotations

from prereg.chat.model import ChatPlan


def _calls(plan: ChatPlan, kind: str, *, texts: int) -> int:
    """Return how many calls a text costs: itself, and moderation of so many texts."""
    moderated = texts if "moderation" in plan.safety.screen else 0
    return (kind == "llm") + moderated


def calls_a_message(plan: ChatPlan) -> int:
    """Return how many calls a participant's message causes: the reply, and moderation of both."""
    return _calls(plan, plan.partner.kind, texts=2)


def calls_of_coach(plan: ChatPlan, *, questions: int | None = None) -> int:
    """Return how many calls a coach causes for one participant.

    Parameters
    ----------
    plan : ChatPlan
    questions : int, optional
        After each round; by default as many as may be asked.
    """
    coach = plan.feedback.coach
    if coach is None:
        return 0
    asked = coach.questions.max if questions is None else questions
    each = _calls(plan, coach.kind, texts=1) + asked * _calls(plan, coach.kind, texts=2)
    return len(plan.feedback.after_rounds) * each


def most_calls(plan: ChatPlan) -> int:
    """Return how many calls a participant causes who writes and asks as much as the plan allows."""
    messages = plan.design.conversations * plan.conversation.messages.max
    return messages * calls_a_message(plan) + calls_of_coach(plan)


def least_calls(plan: ChatPlan) -> int:
    """Return how many calls a participant causes who writes and asks as little as they may."""
    coach = plan.feedback.coach
    questions = coach.questions.min if coach is not None else 0
    messages = plan.design.conversations * max(1, plan.conversation.messages.min)
    return messages * calls_a_message(plan) + calls_of_coach(plan, questions=questions)


def most_messages(plan: ChatPlan) -> int:
    """Return how many messages a participant may write in a conversation.

    Returns
    -------
    int
        `conversation.messages.max`, or fewer where `budget.per_participant.calls` allows fewer.
    """
    limits, each = plan.conversation.messages, calls_a_message(plan)
    if not each:
        return limits.max
    left = plan.budget.per_participant.calls - calls_of_coach(plan)
    shared = left // (plan.design.conversations * each)
    return min(limits.max, max(shared, limits.min, 1))
