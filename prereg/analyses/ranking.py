"""The plan of a registered ranking of the items."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from prereg.analyses.base import AnyAnalysis, Correction, Penalty
from prereg.strict import Identifier, added


class RankingAnalysis(AnyAnalysis):
    """The ranks of items, how certain they are, and the raters who disagree with everyone.

    `of` says whose choices are used: those of `people`, or of a judge of the plan on people's
    trials. The ridge is the one in the plan's `ranking`; with `penalty: firth`, scores are
    bias-reduced instead, with an interval of every item. `tie_model` says what a tie is: half a win
    for each side, or an answer with a parameter of its own, as Davidson or Rao and Kupper have it.
    """

    answers = "choices"

    kind: Literal["ranking"]
    of: Identifier = "people"
    cluster: Literal["rater_id", "session_id", "sequence_id"] = "rater_id"
    level: float = Field(default=0.95, gt=0.5, lt=1)
    rank_coverage: Literal["average", "each", "all"] = "average"
    resamples: int = Field(default=500, ge=100, le=10_000)
    pairs: Literal["adjacent", "all"] = "adjacent"
    misfit_correction: Correction = "holm"
    misfit_alpha: float = Field(default=0.05, gt=0, lt=0.5)
    tie_model: Literal["half", "davidson", "rao_kupper"] = added("half")
    penalty: Penalty = added("ridge")

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if self.penalty == "firth" and self.tie_model != "half":
            raise ValueError(f"tie_model: {self.tie_model} is fitted with penalty: ridge")
        return self

    def clustered_by(self, column: str) -> Self:
        """Return a copy with errors clustered by this column of the visits."""
        return self.model_copy(update={"cluster": column})

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the quantities a gate may name; misfit is tested only for people's choices."""
        names = ["reliability", "misfit"] if self.of == "people" else ["reliability"]
        return names + ["ties"] * (self.tie_model != "half")

    def about(self, plan: Any) -> str | None:
        """Return the judge whose choices are ranked; None if people's are."""
        return None if self.of == "people" else self.of
