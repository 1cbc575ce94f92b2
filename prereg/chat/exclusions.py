"""Which participants of a chat are left out, rule by rule, in the plan's order."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from prereg.plan.survey import Option, QuestionId
from prereg.strict import Strict

_OWNERS = {"share": "pasted_most", "question": "admitted_ai", "values": "admitted_ai"}


class ChatExclusion(Strict):
    """A rule by which participants are left out.

    Attributes
    ----------
    rule : str
        `incomplete_session` (not all conversations were had), `partner_failure` (no reply came),
        `stopped_for_safety`, `pasted_most` (more than `share` of the characters were pasted),
        `admitted_ai` (the answer to `question` is one of `values`).
    """

    rule: Literal[
        "incomplete_session", "partner_failure", "stopped_for_safety", "pasted_most", "admitted_ai"
    ]
    share: float | None = Field(default=None, gt=0, lt=1)
    question: QuestionId | None = None
    values: tuple[Option, ...] = ()

    @model_validator(mode="after")
    def _own_settings_only(self) -> Self:
        for setting, rule in _OWNERS.items():
            given = bool(getattr(self, setting))
            if given != (self.rule == rule):
                verb = "takes no" if given else "needs"
                raise ValueError(f"rule {self.rule} {verb} {setting}")
        return self
