"""The plans of analyses that compare people's choices with a judge's scores or choices."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from prereg.analyses.base import AnyAnalysis
from prereg.analyses.clusters import RATER_AND_ITEMS, TrialCluster, with_column
from prereg.strict import Identifier, Text, added

Bin = tuple[float, float | None]


class OfTrials(AnyAnalysis):
    """An analysis of people's trials, with errors by rater and by both items of a trial.

    Attributes
    ----------
    cluster : TrialCluster
        `rater_id` alone, as published, takes the items as the only ones of interest.
    """

    cluster: TrialCluster = added(RATER_AND_ITEMS)

    def clustered_by(self, column: str) -> Self:
        """Return a copy with errors by this column of the visits, and by items as here."""
        return self.model_copy(update={"cluster": with_column(self.cluster, column)})


class Logit(OfTrials):
    """A registered logit over people's trials, with clustered errors."""

    answers = "judgments"

    kind: Literal["logit"]
    judge: Identifier
    formula: Text
    term: Text
    level: float = added(0.95, gt=0.5, lt=1)

    @field_validator("formula")
    @classmethod
    def _known_outcome(cls, formula: str) -> str:
        outcome = formula.partition("~")[0].strip()
        if outcome not in {"select_higher", "select_match"} or "~" not in formula:
            raise ValueError("must read 'select_higher ~ ...' or 'select_match ~ ...'")
        return formula

    @property
    def outcome(self) -> str:
        """What the formula explains: `select_higher` or `select_match`."""
        return self.formula.partition("~")[0].strip()

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the name of the number it will report."""
        return [self.term]


class SelectionByGap(AnyAnalysis):
    """How often people choose the higher-scored side, by the size of the judge's gap."""

    answers = "judgments"

    kind: Literal["selection_by_gap"]
    judge: Identifier
    bins: tuple[Bin, ...] = Field(min_length=1)
    # none: trials taken as independent, as in the published figure
    cluster: TrialCluster | Literal["none"] = added(RATER_AND_ITEMS)
    level: float = added(0.95, gt=0.5, lt=1)

    @field_validator("bins")
    @classmethod
    def _rising(cls, bins: tuple[Bin, ...]) -> tuple[Bin, ...]:
        above = 0.0
        for number, (low, high) in enumerate(bins):
            if low <= above:
                raise ValueError("bins must be [low, high] pairs above 0 that do not overlap")
            if high is None and number < len(bins) - 1:
                raise ValueError("only the last of the bins may be open: [low, null]")
            if high is not None and high < low:
                raise ValueError("bins must be [low, high] pairs with low <= high")
            above = math.inf if high is None else high
        return bins

    @property
    def limits(self) -> list[tuple[float, float]]:
        """The bins, with infinity for an open end."""
        return [(low, math.inf if high is None else high) for low, high in self.bins]

    def clustered_by(self, column: str) -> Self:
        """Return a copy with errors by this column of the visits; itself if it has no clusters."""
        if self.cluster == "none":
            return self
        return self.model_copy(update={"cluster": with_column(self.cluster, column)})

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the names of the numbers it will report."""
        return [f"gap {bin_name(*limits)}" for limits in self.limits]


def bin_name(low: float, high: float) -> str:
    """Return the name of a bin of gaps in every table and threshold."""
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"


class ChoiceAgreement(OfTrials):
    """How often a judge chooses what people choose on the same trials."""

    answers = "choices"

    kind: Literal["choice_agreement"]
    judges: tuple[Identifier, ...] = Field(min_length=1)
    level: float = added(0.95, gt=0.5, lt=1)

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the names of the numbers it will report."""
        what = ["agreement", "kappa"]
        if plan is not None and plan.design.offers_ties:
            what += ["agreement without ties", "kappa without ties"]
        return [f"{judge}: {one}" for judge in self.judges for one in what]

    def coverage_of(self, quantity: str, plan: Any) -> str | None:
        """Return the name of the coverage of the judge that a number is about."""
        return f"{quantity.partition(': ')[0]}: coverage"

    def coverage_names(self, plan: Any) -> list[str]:
        """Return the coverage of each judge."""
        return [f"{judge}: coverage" for judge in self.judges]
