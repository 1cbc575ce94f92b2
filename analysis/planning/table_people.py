"""The people and rows of a simulated table of the researcher's own, before its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import IntArray
from prereg.analyses.change import Change
from prereg.plan.assumptions import Effects
from prereg.plan.model import Plan


@dataclass
class OwnTable:
    """A table in the making.

    Attributes
    ----------
    person : int array of shape (n_rows,)
        Whose row it is, from 0.
    turn : int array of shape (n_rows,)
        Which of this person's rows it is, from 0.
    columns : dict of str to array or Series
        By name.
    """

    person: IntArray
    turn: IntArray
    columns: dict[str, pd.Series] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.person)

    @property
    def people(self) -> int:
        """How many people it has."""
        return int(self.person.max()) + 1

    def add(self, name: str, values: object) -> None:
        """Add a column, unless an analysis before has made it."""
        self.columns.setdefault(name, pd.Series(values))

    def per_person(self, values: object) -> np.ndarray:
        """Return one value for each row from one for each person."""
        return np.asarray(values)[self.person]

    def ids(self, prefix: str = "p") -> np.ndarray:
        """Return the id of the person of each row."""
        width = max(3, len(str(self.people)))
        names = np.array([f"{prefix}{n:0{width}d}" for n in range(1, self.people + 1)])
        return names[self.person]

    def where(self, kept: np.ndarray) -> OwnTable:
        """Return the table with some of its rows."""
        columns = {k: v[kept].reset_index(drop=True) for k, v in self.columns.items()}
        return OwnTable(self.person[kept], self.turn[kept], columns)

    def as_text(self) -> pd.DataFrame:
        """Return the table as a file has it: all cells as text."""
        return pd.DataFrame({name: _text(values) for name, values in self.columns.items()})


def people_of(plan: Plan, assumed: Effects) -> int:
    """Return how many people a table has."""
    return assumed.people or plan.design.raters


def people_and_turns(people: int, turns: int) -> OwnTable:
    """Return an empty table with so many rows for each person."""
    return OwnTable(np.repeat(np.arange(people), turns), np.tile(np.arange(turns), people))


def of_change(table: OwnTable, analysis: Change) -> None:
    """Add the columns of person, occasion and condition that an analysis of change reads."""
    occasions = np.array([*analysis.baseline_rounds, *analysis.post_rounds])
    conditions = np.array(analysis.conditions)
    table.add(analysis.person, table.ids())
    table.add(analysis.occasion, occasions[table.turn % len(occasions)])
    table.add(analysis.condition, conditions[table.person % len(conditions)])


def _text(values: pd.Series) -> pd.Series:
    """Return cells as text, with six digits of a number and nothing for a missing one."""
    if pd.api.types.is_float_dtype(values.dtype):
        return values.map(lambda x: "" if np.isnan(x) else f"{x:.6g}").astype(str)
    return values.astype(str)
