"""Krippendorff's alpha and ICC(1): reliability of any number of raters with missing ratings.

Both depend only on how often each value was given to each item. So missing ratings and unequal
numbers of raters need no special treatment, and leaving an item out is a product of matrices.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from analysis.arrays import FloatArray

Level = Literal["ordinal", "interval"]
# Cells in memory at a time: 32 MB of floats.
_CELLS = 4_000_000


def counts_of(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how often each value was given to each item, and the values in rising order.

    Parameters
    ----------
    values : array of shape (items, raters)
        NaN where a rater did not rate. Items with one rating are not used: their row is zero.

    Returns
    -------
    counts : array of shape (items, values)
    grid : array of shape (values,)
    """
    known = ~np.isnan(values)
    known &= (known.sum(axis=1) >= 2)[:, None]
    grid, place = np.unique(values[known], return_inverse=True)
    rows = np.nonzero(known)[0]
    flat = np.bincount(rows * max(len(grid), 1) + place, minlength=len(values) * len(grid))
    return flat.reshape(len(values), len(grid)).astype(float), grid


def alpha_copies(
    counts: FloatArray, grid: FloatArray, copies: FloatArray, level: Level = "ordinal"
) -> FloatArray:
    """Return Krippendorff's alpha in every weighted copy of the items.

    Parameters
    ----------
    counts, grid
        From `counts_of`.
    copies : array of shape (copies, items)
        How often each item counts.
    level : {'ordinal', 'interval'}

    Returns
    -------
    array of shape (copies,)
        NaN where all ratings are one value or no item has two.
    """
    found = np.full(len(copies), np.nan)
    if counts.size == 0:
        return found
    m = counts.sum(axis=1)
    size = max(1, _CELLS // max(1, 2 * len(counts)))
    for start in range(0, len(copies), size):
        weights = copies[start : start + size]
        pooled = weights @ counts
        n = pooled.sum(axis=1)
        score = pooled.cumsum(axis=1) - (pooled - 1) / 2
        if level == "interval":
            score = np.broadcast_to(grid - grid.mean(), pooled.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            centre = (pooled * score).sum(axis=1) / n
            score = score - centre[:, None]
            within = 2 * (m[:, None] * (counts @ (score**2).T) - (counts @ score.T) ** 2)
            within /= np.maximum(m - 1, 1)[:, None]
            observed = (weights * within.T).sum(axis=1) / n
            expected = 2 * (pooled * score**2).sum(axis=1) / (n - 1)
            alpha = 1 - observed / np.where(expected > 1e-12, expected, np.nan)
        found[start : start + size] = alpha
    return found


def with_each_left_out(
    counts: FloatArray, grid: FloatArray, what: Literal["ordinal", "interval", "icc1"]
) -> FloatArray:
    """Return alpha or ICC(1) on all items, then without each of them, shape (1 + items,).

    Parameters
    ----------
    counts, grid
        From `counts_of`.
    what : {'ordinal', 'interval', 'icc1'}
        Which alpha, or ICC(1).
    """
    if counts.size == 0:
        return np.full(len(counts) + 1, np.nan)
    # items with the same ratings are one item that counts several times
    distinct, place, times = np.unique(counts, axis=0, return_inverse=True, return_counts=True)
    rows = len(distinct)
    found = np.full(rows + 1, np.nan)
    size = max(1, _CELLS // max(1, rows))
    for start in range(0, rows + 1, size):
        these = np.arange(start, min(start + size, rows + 1))
        copies = np.tile(times.astype(float), (len(these), 1))
        without = these[these > 0]
        copies[without - start, without - 1] -= 1.0
        found[these] = (
            icc1_copies(distinct, grid, copies)
            if what == "icc1"
            else alpha_copies(distinct, grid, copies, what)
        )
    return np.concatenate([found[:1], found[1:][place.ravel()]])


def alpha_of(values: FloatArray, level: Level = "ordinal") -> float:
    """Return Krippendorff's alpha of any number of raters with missing ratings.

    Parameters
    ----------
    values : array of shape (items, raters)
        Ratings, NaN where missing; items with a single rating are not used.
    level : {'ordinal', 'interval'}

    Returns
    -------
    float
        NaN where all ratings are one value or no item has two.

    Notes
    -----
    Krippendorff (2011). Agrees with the package `krippendorff`.
    """
    counts, grid = counts_of(values)
    if grid.size == 0:
        return np.nan
    return float(alpha_copies(counts, grid, np.ones((1, len(counts))), level)[0])


def icc1_copies(counts: FloatArray, grid: FloatArray, copies: FloatArray) -> FloatArray:
    """Return ICC(1) in every weighted copy of the items, which may have unequal numbers of raters.

    Parameters
    ----------
    counts, grid
        From `counts_of`.
    copies : array of shape (copies, items)

    Returns
    -------
    array of shape (copies,)
        One-way random effects, from the analysis of variance: (MSB - MSW) / (MSB + (k - 1) MSW),
        k = (N - sum n_i^2 / N) / (items - 1); NaN where no rating differs from another.

    Notes
    -----
    Shrout and Fleiss (1979), case 1; k for unequal groups after Donner (1986). With equal numbers
    it agrees with `pingouin.intraclass_corr`, ICC(1,1).
    """
    score = grid - (counts.sum(axis=0) @ grid) / max(counts.sum(), 1.0)
    n = counts.sum(axis=1)
    total, squares = counts @ score, counts @ score**2
    between = np.where(n > 0, total**2 / np.maximum(n, 1), 0.0)
    used = (n > 0).astype(float)
    sums = copies @ np.column_stack([used, n, n**2, total, squares, between])
    items, size, size2, whole, square, group = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        msb = (group - whole**2 / size) / (items - 1)
        msw = (square - group) / (size - items)
        k = (size - size2 / size) / (items - 1)
        spread = msb + (k - 1) * msw
        return np.asarray((msb - msw) / np.where(spread > 1e-12, spread, np.nan))
