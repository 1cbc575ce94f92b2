"""The plan of trajectories: the mean of each condition on each occasion."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from prereg.analyses.base import AnyAnalysis
from prereg.analyses.change import Label
from prereg.strict import Identifier, Text


class Trajectory(AnyAnalysis):
    """How the means of conditions run from occasion to occasion.

    Attributes
    ----------
    table : str
        Name of a tidy table of the study, with one row per person and occasion.
    outcomes : tuple of str
        Columns of numbers.
    person, occasion, condition : str
        Columns of the table.
    conditions, occasions : tuple of str
        Which are shown, in this order.
    level : float
        Coverage of the intervals.
    """

    kind: Literal["trajectory"]
    table: Identifier
    outcomes: tuple[Text, ...] = Field(min_length=1)
    person: Text = "rater_id"
    occasion: Text = "round"
    condition: Text = "condition"
    conditions: tuple[Label, ...] = Field(min_length=1)
    occasions: tuple[Label, ...] = Field(min_length=1)
    level: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        columns = (*self.outcomes, self.person, self.occasion, self.condition)
        for names, what in (
            (columns, "a column"),
            (self.conditions, "a condition"),
            (self.occasions, "an occasion"),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"names {what} more than once")
        return self

    def tables(self) -> tuple[str, ...]:
        """Return the names of the researcher's own tables that it reads."""
        return (self.table,)

    def answer_columns(self, table: str) -> tuple[str, ...]:
        """Return the outcomes."""
        return self.outcomes

    def quantity_name(self, outcome: str, condition: str, occasion: str) -> str:
        """Return the name of a mean, which begins with its outcome if there are several."""
        name = f"{condition}, {occasion}"
        return name if len(self.outcomes) == 1 else f"{outcome}: {name}"

    def quantity_names(self, plan: object) -> list[str]:
        """Return the names of what this analysis reports."""
        return [
            self.quantity_name(outcome, condition, occasion)
            for outcome in self.outcomes
            for condition in self.conditions
            for occasion in self.occasions
        ]
