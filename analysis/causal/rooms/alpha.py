"""Krippendorff's alpha of units that count unequally, with its influence values.

`analysis.agreement.crowd_alpha` counts every item once. Here a unit counts as many times as units
of the frame that it stands for.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from analysis.arrays import FloatArray
from analysis.causal.rooms.quantity import Quantity, nothing, reliability
from analysis.causal.rooms.sampled import Sampled

Metric = Literal["ordinal", "interval"]


class _Tables(NamedTuple):
    """Ratings of all units: how often each value was given, weights, and disagreement within."""

    counts: FloatArray
    grid: FloatArray
    weight: FloatArray
    within: FloatArray
    metric: Metric


def weighted_alpha(ratings: FloatArray, sample: Sampled, metric: Metric = "ordinal") -> Quantity:
    """Return people's alpha, with influence values from leaving each unit out.

    Parameters
    ----------
    ratings : array of shape (n, raters)
        Of the units of the sample, two or more of each, NaN where missing.
    sample : Sampled
    metric : {'ordinal', 'interval'}

    Returns
    -------
    Quantity
        Not defined where all ratings are one value.

    Notes
    -----
    Krippendorff (2011), with every unit's coincidences times its weight; weights are scaled to
    mean 1. With equal weights it agrees with the package `krippendorff`.
    """
    tables = _tables(ratings, sample.weight, metric)
    pooled = tables.weight @ tables.counts
    everybody = float(_alpha(tables, pooled[None, :])[0])
    left = tables.weight[:, None] * tables.counts
    without = _alpha(tables, pooled - left, each_left_out=True)
    if np.isnan(everybody) or everybody >= 1 or not (without < 1).all():
        return nothing() if np.isnan(everybody) else Quantity(everybody, np.zeros(len(sample.user)))
    share = tables.weight / tables.weight.sum()
    change = np.log1p(-without) - np.log1p(-everybody)
    return reliability(everybody, sample.lift(change * (1 - share) / share))


def _tables(ratings: FloatArray, weight: FloatArray, metric: Metric) -> _Tables:
    known = ~np.isnan(ratings)
    grid, place = np.unique(ratings[known], return_inverse=True)
    rows = np.nonzero(known)[0]
    size = len(grid)
    flat = np.bincount(rows * size + place.ravel(), minlength=len(ratings) * size)
    counts = flat.reshape(len(ratings), size).astype(np.float64)
    scaled = weight / weight.mean()
    m = counts.sum(axis=1)
    # the squared distances within units are a quadratic form of the values' scores
    each = scaled / (m - 1)
    within = np.diag((each * m) @ counts) - (counts * each[:, None]).T @ counts
    return _Tables(counts, grid, scaled, 2 * within, metric)


def _alpha(tables: _Tables, pooled: FloatArray, *, each_left_out: bool = False) -> FloatArray:
    """Return alpha of each row of pooled counts, which may be those without each unit in turn."""
    score = pooled.cumsum(axis=1) - pooled / 2
    if tables.metric == "interval":
        score = np.broadcast_to(tables.grid, pooled.shape)
    total = pooled.sum(axis=1)
    score = score - ((pooled * score).sum(axis=1) / total)[:, None]
    m = tables.counts.sum(axis=1)
    observed = np.einsum("iv,vw,iw->i", score, tables.within, score)
    if each_left_out:
        gone = m * (tables.counts * score**2).sum(axis=1) - (tables.counts * score).sum(axis=1) ** 2
        observed -= 2 * tables.weight * gone / (m - 1)
    expected = 2 * (pooled * score**2).sum(axis=1) / (total - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - observed / total / np.where(expected > 1e-12, expected, np.nan))
