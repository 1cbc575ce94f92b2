"""The plans of analyses of facets: how much of a rating is due to items and to raters."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from prereg.analyses.agreement import ALL
from prereg.analyses.base import AnyAnalysis
from prereg.strict import Identifier

OF_COEFFICIENTS = ("relative_one", "absolute_one", "relative", "absolute")
OF_VARIANCES = ("variance_items", "variance_raters", "variance_residual")
RATERS_NEEDED = "raters_needed"
OF_PEOPLE = ("severity_sd", "fair_reliability")
OF_JUDGES = (
    "severity",
    "infit",
    "outfit",
    "discrimination",
    "fair_correlation",
    "fair_correlation_corrected",
)


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


class ManyFacet(AnyAnalysis):
    """How severe and how consistent people and judges are, and items' fair scores.

    `dimensions` are by default all scales of the plan; each has a model of its own.
    """

    answers = "ratings"

    kind: Literal["many_facet"]
    judges: tuple[Identifier, ...] = Field(min_length=1)
    dimensions: tuple[Identifier, ...] | None = Field(default=None, min_length=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)

    @field_validator("judges", "dimensions")
    @classmethod
    def _each_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return each_once(names)

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the names of the numbers it will report."""
        names = self.dimensions or tuple(scale.id for scale in plan.scales)
        return [
            *(f"humans: {what} {name}" for name in names for what in OF_PEOPLE),
            *(
                f"{judge}: {what} {name}"
                for judge in self.judges
                for name in names
                for what in OF_JUDGES
            ),
        ]

    def coverage_of(self, quantity: str, plan: Any) -> str | None:
        """Return the name of the judge's coverage of the number's dimension."""
        judge, _, rest = quantity.partition(": ")
        if judge not in self.judges:
            return None
        return f"{judge}: coverage {rest.partition(' ')[2]}"

    def coverage_names(self, plan: Any) -> list[str]:
        """Return the coverage of each judge, over all dimensions and by dimension."""
        places = [ALL, *(self.dimensions or tuple(scale.id for scale in plan.scales))]
        return [f"{judge}: coverage {name}" for judge in self.judges for name in places]


def each_once(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the names; raise `ValueError` if one occurs twice."""
    if names is not None and len(set(names)) != len(names):
        raise ValueError("must name each only once")
    return names
