"""The plan of an analysis of agreement, which compares judges' ratings with people's."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from prereg.analyses.base import AnyAnalysis
from prereg.strict import Identifier, Strict, added

# Words of the results: the mean over dimensions, and people together.
ALL, HUMANS, PEOPLE = "all", "humans", "people"


class Cut(Strict):
    """A cut: ratings of at least, or at most, `at` points count as the treatment."""

    at: float
    side: Literal["at_least", "at_most"] = "at_least"
    dimensions: tuple[Identifier, ...] | None = Field(default=None, min_length=1)


class Agreement(AnyAnalysis):
    """How far judges agree with people, and how far people agree with each other.

    `dimensions` (by default all that people and the judges rated) share one scale, or all have
    labels (then `weights: none` and `metric: accuracy`). `weights` belong to kappa; `epsilon`,
    `metric`, `fewest_others`, `fewest_items` and `false_discovery` belong to the
    alternative-annotator test. `correction` says which of its tests Benjamini and Yekutieli's
    correction of the registered verdict covers. `resamples` is for the bootstrap. Pairs with fewer
    than `fewest_common` items in common are left out. `level` is the coverage of every interval.
    """

    answers = "ratings"

    kind: Literal["agreement"]
    judges: tuple[Identifier, ...] = Field(min_length=1)
    dimensions: tuple[Identifier, ...] | None = Field(default=None, min_length=1)
    weights: Literal["none", "linear", "quadratic"] = "quadratic"
    epsilon: float = Field(default=0.2, ge=0, lt=1)
    metric: Literal["rmse", "absolute", "accuracy"] = "rmse"
    fewest_others: int = Field(default=1, ge=1, le=1000)
    fewest_items: int = Field(default=10, ge=2, le=100_000)
    correction: Literal["people", "people_and_dimensions"] = "people"
    cuts: tuple[Cut, ...] = ()
    interval: Literal["jackknife", "bootstrap"] = "jackknife"
    resamples: int | None = Field(default=None, ge=200, le=100_000)
    fewest_common: int = added(10, ge=1, le=100_000)
    false_discovery: float = added(0.05, gt=0, lt=0.5)
    level: float = added(0.95, gt=0.5, lt=1)

    @field_validator("judges", "dimensions")
    @classmethod
    def _each_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and len(set(names)) != len(names):
            raise ValueError("must name each only once")
        return names

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.resamples is not None and self.interval != "bootstrap":
            raise ValueError("resamples need interval: bootstrap")
        for cut in self.cuts:
            if self.dimensions and cut.dimensions and not set(cut.dimensions) <= {*self.dimensions}:
                raise ValueError("a cut names a dimension that the analysis leaves out")
        return self

    @property
    def draws(self) -> int:
        """The number of bootstrap resamples, if `interval` asks for them."""
        return self.resamples or 2000

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the names a threshold of the gate may use.

        Parameters
        ----------
        plan : Plan
            A rating plan. Its scales are the dimensions if the analysis names none.
        """
        wanted = self.dimensions or tuple(scale.id for scale in plan.scales)
        places = [ALL, *wanted]
        if all(name in plan.labels for name in wanted):
            return self._names_of_labels(places)
        names = [f"humans: {what} {d}" for d in places for what in ("kappa", "alpha")]
        panels = [panel.id for panel in getattr(plan, "panels", ()) if panel.id in self.judges]
        names += [f"{judge}: effective_judges {d}" for judge in panels for d in places]
        for judge in self.judges:
            kinds = ("kappa_single", "kappa_median", "difference", "crowd_difference")
            names += [f"{judge}: {what} {d}" for d in places for what in kinds]
            names += [
                f"{judge}: {what} {d}"
                for d in wanted
                for what in ("bias", "winning_rate", "advantage")
            ]
        return names

    def _names_of_labels(self, places: list[str]) -> list[str]:
        """Return the names of the numbers on scales of labels, over all dimensions and on each."""
        pooled = ("exact", "alpha", "ac1")
        names = [f"humans: {what} {d}" for d in places for what in ("kappa", *pooled)]
        kinds = ["kappa_single", "kappa_majority", "difference"]
        kinds += [f"{what}{ending}" for what in pooled for ending in ("", "_difference")]
        for judge in self.judges:
            names += [f"{judge}: {what} {d}" for d in places for what in kinds]
            names += [
                f"{judge}: {what} {d}" for d in places[1:] for what in ("winning_rate", "advantage")
            ]
        return names

    def reserved_names(self, plan: Any) -> list[tuple[str, str]]:
        """Return dimensions called like a word of the results, with its meaning.

        Parameters
        ----------
        plan : Plan
        """
        wanted = self.dimensions or tuple(scale.id for scale in plan.scales)
        return [(ALL, "the mean over dimensions")] if ALL in wanted else []

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
