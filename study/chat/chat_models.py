"""The models that a chat asks: which one for what, as `study.llm` reaches a judge's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from prereg.chat.model import ChatPlan
from prereg.plan.judging import LLMJudge

Purpose = Literal["partner", "feedback", "answer", "moderation"]
PURPOSES: tuple[Purpose, ...] = ("partner", "feedback", "answer", "moderation")
# What messages about a server call the one that asks it.
CALLED: Mapping[Purpose, str] = {
    "partner": "the partner",
    "feedback": "the coach",
    "answer": "the coach",
    "moderation": "the moderation of messages",
}


class ChatModel(LLMJudge):
    """A model that is reached as a judge is, and called what it does."""

    @property
    def called(self) -> str:
        """What messages about its server call it."""
        return next(words for purpose, words in CALLED.items() if purpose == self.id)


@dataclass(frozen=True)
class Question:
    """What a model is sent, as `study.llm.server.ChatRequest` has it."""

    messages: Sequence[Mapping[str, str]]
    schema: Mapping[str, Any] = field(default_factory=dict)
    letters: Sequence[str] = ()


def server_for(plan: ChatPlan, purpose: Purpose) -> str | None:
    """Return the name of the server that is asked, or None if no model is."""
    if purpose == "partner":
        return plan.partner.server
    if purpose == "moderation":
        return plan.safety.server
    return plan.feedback.coach.server if plan.feedback.coach else None


def model_for(plan: ChatPlan, purpose: Purpose) -> LLMJudge | None:
    """Return the model that is asked, with the settings of its task; None if no model is."""
    name = server_for(plan, purpose)
    if name is None:
        return None
    speaker = plan.partner if purpose == "partner" else plan.feedback.coach
    tokens = 1 if purpose == "moderation" or speaker is None else speaker.max_tokens
    warmth = None if purpose == "moderation" or speaker is None else speaker.temperature
    model = plan.servers[name].as_model(purpose, temperature=warmth, max_tokens=tokens)
    form = "auto" if purpose == "feedback" else "text"
    return ChatModel.model_validate({**dict(model), "reply": form})
