"""The plan of an analysis of reliable change: its groups, occasions and threshold."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from prereg.analyses.base import AnyAnalysis, Correction
from prereg.strict import Identifier, Strict, Text, added


def _as_text(value: Any) -> Any:
    """Return a whole number as text: occasions are often called 1, 2 and 3."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Label = Annotated[Text, BeforeValidator(_as_text, json_schema_input_type=str | int)]


class Norm(Strict):
    """A standard deviation and a reliability from elsewhere."""

    sd: float = Field(gt=0)
    reliability: float = Field(ge=0, lt=1)


class Change(AnyAnalysis):
    """Who changed by more than measurements in the control group vary by themselves.

    Attributes
    ----------
    table : str
        Name of a tidy table of the study, with one row per person and occasion.
    value, person, occasion, condition : str
        Columns of the table.
    control : str
        The condition in which nothing should have changed.
    treatments : tuple of str
        The other conditions, in the order of the report.
    baseline_rounds, post_rounds : tuple of str
        Occasions before and after.
    cut : float
        The smallest change that counts, in standard errors of a change.
    student : bool
        Whether the cut is a t quantile, because the error is itself estimated.
    occasion_means : bool
        Whether each occasion has its own mean, from which change is then measured.
    pairs : {'control', 'all'}
        Which conditions are compared with each other.
    correction : str
        Correction over the pairs, within one outcome (improved, declined).
    norm : Norm, optional
        Adds a row with Jacobson and Truax's index.
    better : {'higher', 'lower'}, optional
        Which values are better; without it higher is, and the report says that the plan is silent.
    threshold_interval : {'normal', 'bootstrap'}
        The chi-square interval of the threshold, or the bootstrap over people.
    resamples : int
        Of the bootstrap.
    level : float
        Coverage of the intervals.
    """

    kind: Literal["change"]
    table: Identifier
    value: Text
    person: Text = "person_id"
    occasion: Text = "round"
    condition: Text = "condition"
    control: Label
    treatments: tuple[Label, ...] = Field(min_length=1)
    baseline_rounds: tuple[Label, ...] = Field(min_length=1)
    post_rounds: tuple[Label, ...] = Field(min_length=1)
    cut: float = Field(default=1.96, gt=0)
    student: bool = False
    occasion_means: bool = False
    pairs: Literal["control", "all"] = "control"
    correction: Correction = "none"
    norm: Norm | None = None
    better: Literal["higher", "lower"] | None = added(None)
    threshold_interval: Literal["normal", "bootstrap"] = added("normal")
    resamples: int = added(1999, ge=199, le=100_000)
    level: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        rounds = (*self.baseline_rounds, *self.post_rounds)
        for names, what in ((self.conditions, "condition"), (rounds, "round")):
            if len(set(names)) < len(names):
                raise ValueError(f"names a {what} more than once")
        columns = (self.value, self.person, self.occasion, self.condition)
        if len(set(columns)) < len(columns):
            raise ValueError("value, person, occasion and condition must be four different columns")
        return self

    @model_validator(mode="after")
    def _resamples_used(self) -> Self:
        if "resamples" in self.model_fields_set and self.threshold_interval != "bootstrap":
            raise ValueError("resamples need threshold_interval: bootstrap")
        return self

    @property
    def conditions(self) -> tuple[str, ...]:
        """All conditions, the control first."""
        return (self.control, *self.treatments)

    @property
    def compared(self) -> list[tuple[str, str]]:
        """Pairs of conditions, the reference first."""
        names = self.conditions
        pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
        return [pair for pair in pairs if self.pairs == "all" or pair[0] == self.control]

    def tables(self) -> tuple[str, ...]:
        """Return the names of the researcher's own tables that it reads."""
        return (self.table,)

    def answer_columns(self, table: str) -> tuple[str, ...]:
        """Return the column of values."""
        return (self.value,)

    def quantity_names(self, plan: object) -> list[str]:
        """Return the names of what this analysis reports."""
        k = len(self.post_rounds)
        names = ["threshold", "variance between people", "variance within people", "reliability"]
        if k > 1:
            names.append(f"reliability of the mean of {k}")
        for outcome in ("improved", "declined"):
            names += [f"{name}: {outcome}" for name in self.conditions]
            names += [f"{b} - {a}: {outcome}" for a, b in self.compared]
        return names
