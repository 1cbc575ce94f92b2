"""The plans of analyses of facets: how much of a rating is due to items and to raters."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from prereg.analyses.base import AnyAnalysis
from prereg.strict import Identifier

OF_COEFFICIENTS = ("relative_one", "absolute_one", "relative", "absolute")
OF_VARIANCES = ("variance_items", "variance_raters", "variance_residual")
RATERS_NEEDED = "raters_needed"


class Generalizability(AnyAnalysis):
    """How reliable people's mean ratings are, and what another rater or item buys.

    `dimensions` are by default all scales of the plan. `target` is the absolute reliability that a
    number of raters should reach. The decision study goes up to `most_raters`, and says the error
    of a mean over as many items as `items` lists; by default half, all, twice and four times the
    items that people rated.
    """

    answers = "ratings"

    kind: Literal["generalizability"]
    dimensions: tuple[Identifier, ...] | None = Field(default=None, min_length=1)
    target: float = Field(default=0.8, gt=0, lt=1)
    most_raters: int = Field(default=10, ge=1, le=100)
    items: tuple[int, ...] = ()
    level: float = Field(default=0.95, gt=0.5, lt=1)

    @field_validator("dimensions")
    @classmethod
    def _each_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return each_once(names)

    @field_validator("items")
    @classmethod
    def _some_items(cls, counts: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= count <= 1_000_000 for count in counts):
            raise ValueError("numbers of items are whole numbers from 1 to 1,000,000")
        return counts

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the names of the numbers it will report."""
        names = self.dimensions or tuple(scale.id for scale in plan.scales)
        every = (*OF_COEFFICIENTS, *OF_VARIANCES, RATERS_NEEDED)
        return [f"{what} {name}" for name in names for what in every]


def each_once(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the names; raise `ValueError` if one occurs twice."""
    if names is not None and len(set(names)) != len(names):
        raise ValueError("must name each only once")
    return names
