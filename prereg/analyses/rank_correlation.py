"""The plan of a rank correlation of people's scores with another score of the same items."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from prereg.analyses.base import AnyAnalysis, Penalty
from prereg.strict import Identifier, Text, added

Score = Literal["elo", "bradley_terry", "overall"]


class RankCorrelation(AnyAnalysis):
    """Spearman correlation of people's Bradley-Terry scores and another score of the items.

    `resamples` is the number of bootstrap resamples of items, `draws` the number of draws of
    people's scores from their clustered covariance. With `penalty: firth`, people's scores are
    bias-reduced instead of held by the ridge in the plan's `ranking`.
    """

    answers = "choices"

    kind: Literal["rank_correlation"]
    judge: Identifier | None = None
    score: Score | None = None
    column: Text | None = None
    resamples: int = added(2000, ge=200, le=100_000)
    draws: int = added(500, ge=100, le=10_000)
    level: float = added(0.95, gt=0.5, lt=1)
    penalty: Penalty = added("ridge")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.judge is None) == (self.column is None):
            raise ValueError("give either judge and score, or column (of the items table)")
        if (self.judge is None) != (self.score is None):
            raise ValueError("judge and score go together (score: elo, bradley_terry or overall)")
        return self

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the names of the numbers it will report."""
        return ["spearman", "spearman_within", "spearman_disattenuated"]
