"""Ratings as tables of items by people and of items by judges, for crowds and experts alike.

Raters need not rate every item: a cell is NaN where a rater did not rate an item. So experts who
rate every item and a crowd of whom a few rate each item are treated in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.agreement.coefficients import DECIMALS
from analysis.agreement.rating_table import MEDIAN, checked_ratings, known, raters_of
from analysis.arrays import FloatArray, IntArray
from prereg.errors import RatifyError


@dataclass(frozen=True)
class Stack:
    """The items that the same number of people rated, without empty cells.

    Attributes
    ----------
    items : array of int, shape (items,)
    raters : array of int, shape (items, count)
        Who rated each of them.
    ratings : array of shape (items, count)
        Their ratings.
    """

    items: IntArray
    raters: IntArray
    ratings: FloatArray

    @property
    def count(self) -> int:
        """How many people rated each item."""
        return int(self.ratings.shape[1])


@dataclass(frozen=True)
class Panel:
    """Ratings of the same items by people and judges.

    Attributes
    ----------
    dimensions, items, humans, judges : tuple of str
    people : dict of str to array of shape (items, humans)
        By dimension; NaN where a person did not rate an item.
    judged : dict of str to array of shape (items, judges)
        By dimension; NaN where a judge did not rate an item.
    scale : tuple of float
    """

    dimensions: tuple[str, ...]
    items: tuple[str, ...]
    humans: tuple[str, ...]
    judges: tuple[str, ...]
    people: dict[str, FloatArray] = field(repr=False)
    judged: dict[str, FloatArray] = field(repr=False)
    scale: tuple[float, float]

    def judge(self, name: str, dimension: str) -> FloatArray:
        """Return one judge's ratings of the items, NaN where it gave none."""
        return np.asarray(self.judged[dimension][:, self.judges.index(name)])

    def stacks(self, dimension: str, *, least: int = 1) -> Iterator[Stack]:
        """Yield the items in groups by how many people rated them, `least` or more."""
        values = self.people[dimension]
        order, count = self._order[dimension]
        for size in np.unique(count[count >= least]):
            rows = np.flatnonzero(count == size)
            raters = order[rows, :size]
            yield Stack(rows, raters, np.take_along_axis(values[rows], raters, axis=1))

    @cached_property
    def _order(self) -> dict[str, tuple[IntArray, IntArray]]:
        """By dimension and item: the people, with those who rated it first, and how many rated."""
        return {
            name: (
                np.argsort(np.isnan(values), axis=1, kind="stable"),
                (~np.isnan(values)).sum(axis=1),
            )
            for name, values in self.people.items()
        }


def panel(
    ratings: pd.DataFrame,
    *,
    scale: tuple[float, float],
    humans: Sequence[str] | None = None,
    judges: Sequence[str] | None = None,
    dimensions: Sequence[str] | None = None,
) -> Panel:
    """Return a tidy table of ratings as a panel.

    Parameters
    ----------
    ratings : DataFrame
        One row per rating: `rater_id`, `rater_kind`, `item_id`, `dimension`, `value`. A rater that
        is not `human` is a judge. A missing value does not count as a rating.
    scale : tuple of float
        Lowest and highest possible rating.
    humans, judges, dimensions : sequence of str, optional
        What to take; by default all in the table, sorted.

    Raises
    ------
    RatifyError
        If the table is invalid (see `pairs.agreement_table`), a rater or dimension is unknown, or
        there is no human.
    """
    data = checked_ratings(ratings, scale)
    people = list(humans) if humans is not None else raters_of(data, human=True)
    candidates = list(judges) if judges is not None else raters_of(data, human=False)
    rated = list(dimensions) if dimensions is not None else sorted(data["dimension"].unique())
    for name in [*people, *candidates]:
        known("rater", name, data["rater_id"])
    for name in rated:
        known("dimension", name, data["dimension"])
    if not people:
        raise RatifyError("there are no ratings by people", allowed="rater_kind human")
    everybody = [*people, *candidates]
    data = data[data["rater_id"].isin(everybody) & data["dimension"].isin(rated)]
    data = data.dropna(subset=["value"])
    items = sorted(data["item_id"].unique())
    grid = np.full((len(rated), len(items), len(everybody)), np.nan)
    at = [
        pd.Index(names).get_indexer(pd.Index(data[column]))
        for names, column in ((rated, "dimension"), (items, "item_id"), (everybody, "rater_id"))
    ]
    grid[at[0], at[1], at[2]] = np.round(data["value"].to_numpy(dtype=float), DECIMALS)
    split = len(people)
    return Panel(
        dimensions=tuple(rated),
        items=tuple(items),
        humans=tuple(people),
        judges=tuple(candidates),
        people={name: grid[n, :, :split] for n, name in enumerate(rated)},
        judged={name: grid[n, :, split:] for n, name in enumerate(rated)},
        scale=(float(scale[0]), float(scale[1])),
    )


def require_others(panel: Panel) -> None:
    """Raise `RatifyError` if there is only one person, who cannot be compared with others."""
    if len(panel.humans) < 2:
        raise RatifyError(
            "there is only one person, with nobody to be compared with",
            value=panel.humans[0],
            allowed=f"ratings by at least two people ({MEDIAN} of one is that person)",
        )
