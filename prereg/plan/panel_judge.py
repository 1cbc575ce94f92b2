"""A judge that is made of other judges: the mean, the median or the majority of their answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from prereg.strict import Identifier, Strict

PanelRule = Literal["mean", "median", "majority"]


class PanelJudge(Strict):
    """A panel of judges of the plan. It is made in the analysis; no server is asked.

    `rule` says how the ratings of the judges in `of` become one. Choices are always decided by
    majority; in a pairwise plan, `rule: majority` takes the mean of scores. Labels need
    `rule: majority`. A majority that several answers share is undecided, and counts as unanswered.
    So does what half of the judges or fewer answered.
    """

    id: Identifier
    kind: Literal["panel"]
    of: tuple[Identifier, ...] = Field(min_length=2, max_length=100)
    rule: PanelRule

    # its judges compare different pairs, so it has no ranking of its own
    pairs: ClassVar[None] = None

    @field_validator("of")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError("must name each judge only once")
        return names
