"""What a plan says of a registered ranking of the items."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field

from prereg.analyses.base import AnyAnalysis, Correction
from prereg.strict import Identifier


class RankingAnalysis(AnyAnalysis):
    """Who ranks where, how surely, and which raters disagree with everyone.

    `of` is whose choices are ranked: `people`, or a judge of the plan on the trials people had.
    The ridge is that of the plan's `ranking`.
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

    def clustered_by(self, column: str) -> Self:
        """Return it with its errors clustered by a column of the visits."""
        return self.model_copy(update={"cluster": column})

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the quantities a gate may name; raters are tested only where people are ranked."""
        return ["reliability", "misfit"] if self.of == "people" else ["reliability"]
