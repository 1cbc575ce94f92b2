"""The plan of explained variance: how much of an outcome follows from one other number."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from prereg.analyses.base import AnyAnalysis
from prereg.analyses.regression import Value
from prereg.strict import Identifier, Text


class Explained(AnyAnalysis):
    """How much of the variance of an outcome each predictor explains by itself, in a line.

    Attributes
    ----------
    table : str
        Name of a tidy table of the study.
    outcome : str
        A column of numbers.
    predictors : mapping of name to str
        A column of numbers for each share that is reported.
    cluster : str
        The column that says which rows depend on each other: the person.
    only : mapping of column to values
        The rows that are used: those with one of these values in each column. By default all.
    level : float
        Coverage of the intervals.
    """

    kind: Literal["explained"]
    table: Identifier
    outcome: Text
    predictors: dict[Text, Text] = Field(min_length=1)
    cluster: Text = "rater_id"
    only: dict[Text, tuple[Value, ...]] = Field(default_factory=dict)
    level: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _other_columns(self) -> Self:
        if {self.outcome, self.cluster} & set(self.predictors.values()):
            raise ValueError("predictors must be other columns than outcome and cluster")
        return self

    def tables(self) -> tuple[str, ...]:
        """Return the names of the researcher's own tables that it reads."""
        return (self.table,)

    def answer_columns(self, table: str) -> tuple[str, ...]:
        """Return the outcome."""
        return (self.outcome,)

    def quantity_names(self, plan: object) -> list[str]:
        """Return the names of what this analysis reports."""
        return list(self.predictors)
