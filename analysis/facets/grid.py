"""Ratings of one dimension as a grid of items by raters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.tables.columns import numbers, require_columns, require_rows, text_ids
from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class Grid:
    """One dimension's ratings: a cell of an item and a rater holds one rating or none.

    Attributes
    ----------
    items, raters : tuple of str
        With at least one rating.
    item, rater : array of int, shape (ratings,)
        Places in `items` and `raters`.
    value : array of shape (ratings,)
    """

    items: tuple[str, ...]
    raters: tuple[str, ...]
    item: IntArray = field(repr=False)
    rater: IntArray = field(repr=False)
    value: FloatArray = field(repr=False)

    @property
    def per_item(self) -> IntArray:
        """How many raters each item has."""
        return np.bincount(self.item, minlength=len(self.items))

    @property
    def per_rater(self) -> IntArray:
        """How many items each rater has."""
        return np.bincount(self.rater, minlength=len(self.raters))

    @property
    def complete(self) -> bool:
        """Whether everybody rated every item."""
        return len(self.value) == len(self.items) * len(self.raters)

    @property
    def nested(self) -> bool:
        """Whether every rater rated one item only."""
        return bool((self.per_rater <= 1).all())

    def only(self, rows: BoolArray) -> Grid:
        """Return the grid of some of the ratings."""
        items, item = np.unique(self.item[rows], return_inverse=True)
        raters, rater = np.unique(self.rater[rows], return_inverse=True)
        return Grid(
            items=tuple(self.items[n] for n in items),
            raters=tuple(self.raters[n] for n in raters),
            item=item,
            rater=rater,
            value=self.value[rows],
        )


def grid_of(
    ratings: pd.DataFrame,
    *,
    raters: Sequence[str] | None = None,
    dimension: str | None = None,
    item: str = "item_id",
    rater: str = "rater_id",
    value: str = "value",
) -> Grid:
    """Return a tidy table of ratings as a grid.

    Parameters
    ----------
    ratings : DataFrame
        One row per rating; a missing value is not a rating.
    raters : sequence of str, optional
        Whose ratings to take, in this order; by default everybody's, sorted.
    dimension : str, optional
        The word in the column `dimension` to take; by default all rows are of one dimension.
    item, rater, value : str
        Names of columns.

    Raises
    ------
    RatifyError
        If a column is missing, a value is not a number, there is no rating, or a rater rated an
        item twice.
    """
    require_columns(ratings, item, rater, value, *(["dimension"] if dimension is not None else []))
    if dimension is not None:
        ratings = ratings[ratings["dimension"] == dimension]
    require_rows(ratings, "ratings")
    data = pd.DataFrame({"item": text_ids(ratings, item), "rater": text_ids(ratings, rater)})
    data["value"] = np.asarray(numbers(ratings, value), dtype=float)
    data = data.dropna(subset=["value"])
    names = sorted(data["rater"].unique()) if raters is None else list(raters)
    data = data[data["rater"].isin(names)]
    if data.empty:
        raise RatifyError("there are no ratings", column=value, allowed="one rating or more")
    twice = data.duplicated(["item", "rater"])
    if twice.any():
        raise RatifyError(
            "is rated twice by one rater on one dimension",
            column=item,
            value=str(data.loc[twice, "item"].iloc[0]),
            allowed="one rating of an item by a rater on a dimension",
        )
    there = set(data["rater"])
    names = [name for name in names if name in there]
    items = sorted(data["item"].unique())
    return Grid(
        items=tuple(items),
        raters=tuple(names),
        item=pd.Index(items).get_indexer(pd.Index(data["item"])),
        rater=pd.Index(names).get_indexer(pd.Index(data["rater"])),
        value=data["value"].to_numpy(dtype=float),
    )
