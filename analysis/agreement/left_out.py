"""Kappa and bias with each item left out in turn, for many pairs of annotators at once.

An item is left out with all annotators' ratings of it. So the intervals of means over dimensions,
and of differences between a judge and people, allow for related ratings of one item.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.agreement.coefficients import Weights
from analysis.agreement.weighted import cells_of, weighted_kappas
from analysis.arrays import BoolArray, FloatArray


@dataclass(frozen=True)
class LeftOut:
    """Coefficients of every pair, on all items and with each item left out in turn.

    Attributes
    ----------
    estimate : array of shape (pairs,)
        Kappa on all items; NaN where it is not defined.
    kappa, bias : array of shape (items, pairs)
        Kappa and mean(a - b) without that item.
    common : array of bool, shape (items, pairs)
        Whether both rated the item.
    """

    estimate: FloatArray
    kappa: FloatArray
    bias: FloatArray
    common: BoolArray


def leave_one_out(a: FloatArray, b: FloatArray, *, weights: Weights = "quadratic") -> LeftOut:
    """Return kappa and bias of many pairs with each item left out in turn.

    Parameters
    ----------
    a, b : array of shape (items, pairs)
        Ratings, one column per pair; NaN where an item was not rated. Leaving out an item that a
        pair does not share leaves its coefficients unchanged.
    weights : {'none', 'linear', 'quadratic'}
        Weights of kappa.

    Returns
    -------
    LeftOut
    """
    items, pairs = a.shape
    common = ~(np.isnan(a) | np.isnan(b))
    if items == 0 or pairs == 0:
        empty = np.full((items, pairs), np.nan)
        return LeftOut(np.full(pairs, np.nan), empty, empty, common)
    columns, spread = _moment_columns(a, b)
    total = columns.sum(axis=0, keepdims=True)
    estimate, _ = _coefficients(total, pairs, spread)
    kappa, bias = _coefficients(total - columns, pairs, spread)
    whole = estimate[0]
    if weights != "quadratic":
        for pair in range(pairs):
            whole[pair], kappa[:, pair] = _one_left_out(a[:, pair], b[:, pair], weights)
    return LeftOut(whole, kappa, bias, common)


def _one_left_out(a: FloatArray, b: FloatArray, weights: Weights) -> tuple[float, FloatArray]:
    """Return a kappa that moments cannot give, of one pair on all items and without each."""
    common = ~(np.isnan(a) | np.isnan(b))
    without = np.full(len(a), np.nan)
    if common.sum() < 2:
        return np.nan, without
    cells = cells_of(a[common], b[common])
    copies = np.vstack([cells.counts, cells.left_out()])
    name = "kappa" if weights == "none" else "kappa_linear"
    found = weighted_kappas(cells, copies)[name]
    without[:] = found[0]
    without[common] = found[1:][cells.cell]
    return float(found[0]), without


def _moment_columns(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the columns to sum over items, shape (items, 6 * pairs), and each pair's spread.

    Ratings are centred within the pair first, so that sums of squares keep their precision.
    """
    both = ~(np.isnan(a) | np.isnan(b))
    count = np.maximum(both.sum(axis=0), 1)
    x, y = np.where(both, a, 0.0), np.where(both, b, 0.0)
    centre = (x.sum(axis=0) + y.sum(axis=0)) / (2 * count)
    x, y = np.where(both, x - centre, 0.0), np.where(both, y - centre, 0.0)
    spread = np.maximum((x**2).max(axis=0), (y**2).max(axis=0))
    return np.hstack([both.astype(float), x, y, x**2, y**2, x * y]), spread


def _coefficients(
    sums: FloatArray, pairs: int, spread: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return quadratic kappa and bias from sums of shape (copies, 6 * pairs)."""
    n, x, y, xx, yy, xy = (sums[:, i * pairs : (i + 1) * pairs] for i in range(6))
    safe = np.maximum(n, 1.0)
    mean_x, mean_y = x / safe, y / safe
    covariance = xy / safe - mean_x * mean_y
    expected = xx / safe + yy / safe - 2 * mean_x * mean_y
    # If all ratings are equal, this is rounding error instead of zero.
    defined = (n >= 2) & (expected > 1e-12 * spread)
    kappa = np.where(defined, 2 * covariance / np.where(defined, expected, 1.0), np.nan)
    return np.clip(kappa, -1.0, 1.0), np.where(n >= 1, mean_x - mean_y, np.nan)
