"""What is assumed about supporters in a simulation of a chat; nothing of it changes an analysis."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from prereg.chat.design import COACH, VIDEO
from prereg.strict import Identifier, Strict

# What an ingredient adds to a supporter's skill, where the plan names no effect of a condition.
USUAL = {VIDEO: 0.3, COACH: 0.9}


class Supporters(Strict):
    """How simulated supporters write, answer and leave.

    Skill is measured in units of its own: one unit shifts the log-odds of each behaviour by about
    one. `effects` is what a condition adds to it once its first feedback has been seen.

    Attributes
    ----------
    skill_sd : float
        Standard deviation of skill between supporters.
    within_sd : float
        Standard deviation of skill between the conversations of one supporter.
    effects : dict
        By condition; one that is not named has the sum of what is usual for its ingredients.
    trait : float
        Correlation of a trait's score with skill; a low one is called silent empathy.
    self_rating : float
        Correlation of self-ratings after a conversation with the skill shown in it.
    seconds : float
        Median time to write a message.
    leave : float
        Share who leave without a word, each at a random step.
    paste : float
        Share who paste most of what they send.
    admit_ai : float
        Share of those who paste who say so at the end, where a question asks it.
    """

    skill_sd: float = Field(default=0.6, ge=0, le=5)
    within_sd: float = Field(default=0.4, ge=0, le=5)
    effects: dict[Identifier, float] = Field(default_factory=dict)
    trait: float = Field(default=0.1, ge=-1, le=1)
    self_rating: float = Field(default=0.15, ge=-1, le=1)
    seconds: float = Field(default=48, gt=0, le=3_600)
    leave: float = Field(default=0.04, ge=0, lt=1)
    paste: float = Field(default=0.04, ge=0, lt=1)
    admit_ai: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _within_reason(self) -> Self:
        if any(abs(effect) > 10 for effect in self.effects.values()):
            raise ValueError("effects must be between -10 and 10")
        return self

    def effect(self, condition: str, parts: tuple[str, ...]) -> float:
        """Return what a condition with these ingredients adds to skill."""
        usual = sum(USUAL.get(part, 0.0) for part in parts)
        return self.effects.get(condition, usual)
