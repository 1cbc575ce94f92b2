"""Variance components of items, raters and what is left, with each item left out in turn.

The estimators are those of the analysis of variance for two crossed random facets, and hold for
incomplete grids too: half the mean squared difference of two ratings of one item, of two ratings by
one rater, and of two ratings that share neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analysis.arrays import FloatArray, IntArray, sum_by
from analysis.facets.grid import Grid


@dataclass(frozen=True, kw_only=True)
class Components:
    """Variance components, in squared points of the scale; they may be estimated below zero.

    Attributes
    ----------
    item, rater, residual : array of shape (1 + items,)
        First over all items, then without each item in turn. NaN where a component cannot be
        estimated. If every rater rated one item only, `rater` is NaN and `residual` holds both.
    """

    item: FloatArray = field(repr=False)
    rater: FloatArray = field(repr=False)
    residual: FloatArray = field(repr=False)

    @property
    def nested(self) -> bool:
        """Whether raters cannot be told from what is left."""
        return bool(np.isnan(self.rater[0]))

    @property
    def within_item(self) -> FloatArray:
        """The variance of one rating of an item: of raters and of what is left."""
        return self.residual if self.nested else self.rater + self.residual


def components(grid: Grid) -> Components:
    """Return the variance components of a grid.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    Components

    Notes
    -----
    With A, B and C the half mean squared differences of pairs that share the item, the rater and
    neither, E(A) = rater + residual, E(B) = item + residual, E(C) = item + rater + residual. A and
    B weigh each item and each rater by their degrees of freedom. On a complete grid these are the
    mean-square estimators (Cornfield and Tukey 1956; Brennan 2001, ch. 3), equal to REML where that
    is not at a boundary. On an incomplete one they are unbiased, and less efficient than REML.
    """
    value = grid.value - grid.value.mean()
    items = _without_each(grid.item, len(grid.items), value, grid.item, len(grid.items))
    raters = _without_each(grid.rater, len(grid.raters), value, grid.item, len(grid.items))
    n, total = _all_pairs(grid, value)
    with np.errstate(invalid="ignore", divide="ignore"):
        same_item = items.within / items.freedom
        same_rater = raters.within / raters.freedom
        neither = (total - items.pairs - raters.pairs) / (n - items.n_pairs - raters.n_pairs)
    if grid.nested:
        missing = np.full_like(same_item, np.nan)
        return Components(item=neither - same_item, rater=missing, residual=same_item)
    return Components(
        item=neither - same_item,
        rater=neither - same_rater,
        residual=same_item + same_rater - neither,
    )


@dataclass(frozen=True, kw_only=True)
class _Sums:
    """Sums over pairs in the same group: over all items, then without each item in turn."""

    within: FloatArray
    freedom: FloatArray
    pairs: FloatArray
    n_pairs: FloatArray


def _without_each(
    group: IntArray, groups: int, value: FloatArray, item: IntArray, items: int
) -> _Sums:
    """Return the sums of squares within groups, with and without each item.

    A group is a rater or an item. A rater loses one rating with an item that they rated; an item
    is lost whole.
    """
    count = np.bincount(group, minlength=groups).astype(float)
    first, second = sum_by(group, value, groups), sum_by(group, value**2, groups)
    within = second - first**2 / np.maximum(count, 1)
    parts = np.stack(
        [within, count - 1, count * second - first**2, count * (count - 1) / 2]
    )  # of each group
    if group is item or (groups == items and np.array_equal(group, item)):
        lost = parts
    else:
        rest = count[group] - 1
        left = second[group] - value**2, first[group] - value
        after = np.stack(
            [
                left[0] - left[1] ** 2 / np.maximum(rest, 1),
                np.maximum(rest - 1, 0),
                rest * left[0] - left[1] ** 2,
                rest * (rest - 1) / 2,
            ]
        )
        change = parts[:, group] - after
        lost = np.stack([sum_by(item, row, items) for row in change])
    whole = parts.sum(axis=1, keepdims=True)
    found = np.hstack([whole, whole - lost])
    return _Sums(within=found[0], freedom=found[1], pairs=found[2] / 2, n_pairs=found[3])


def _all_pairs(grid: Grid, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the number of all pairs and the sum of their half squared differences."""
    size = len(grid.items)
    lost = np.stack(
        [
            grid.per_item.astype(float),
            sum_by(grid.item, value, size),
            sum_by(grid.item, value**2, size),
        ]
    )
    whole = lost.sum(axis=1, keepdims=True)
    n, first, second = np.hstack([whole, whole - lost])
    return n * (n - 1) / 2, (n * second - first**2) / 2
