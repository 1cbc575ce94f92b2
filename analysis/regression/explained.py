"""How much of a number's variance another number explains in a line, with a clustered interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray, IntArray
from analysis.regression.result import critical
from prereg.errors import RatifyError

METHOD = "squared correlation; jackknife over clusters of atanh(r), t quantiles"
# With fewer clusters a jackknife says nothing.
FEWEST_CLUSTERS = 3


@dataclass(frozen=True)
class ExplainedVariance:
    """The share of variance that a line explains.

    Attributes
    ----------
    r2, low, high : float
        With its interval, which contains 0 where that of the correlation does.
    r, r_low, r_high : float
        Pearson's correlation.
    slope : float
        Units of the outcome for one unit of the predictor.
    n, clusters : int
        Rows in which nothing is missing, and clusters among them.
    """

    r2: float
    low: float
    high: float
    r: float
    r_low: float
    r_high: float
    slope: float
    n: int
    clusters: int


def explained_variance(
    x: ArrayLike, y: ArrayLike, cluster: ArrayLike, *, level: float = 0.95
) -> ExplainedVariance:
    """Return R squared of y on x, with an interval for rows that depend on each other in clusters.

    Parameters
    ----------
    x, y : array of float
        NaN where missing.
    cluster : array
        Which rows belong together.
    level : float

    Raises
    ------
    RatifyError
        With fewer than three clusters, or where a column does not vary.

    Notes
    -----
    The interval is that of atanh(r), squared. R squared is never below 0, so resampling its own
    values gives an interval that never contains 0, whatever the truth.
    """
    one, two = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    known = np.isfinite(one) & np.isfinite(two)
    one, two = one[known], two[known]
    names, at = np.unique(np.asarray(cluster)[known], return_inverse=True)
    if len(names) < FEWEST_CLUSTERS:
        raise RatifyError(
            f"there are {len(names)} clusters with both numbers",
            allowed=f"{FEWEST_CLUSTERS} or more",
        )
    for values, what in ((one, "the predictor"), (two, "the outcome")):
        if np.ptp(values) == 0:
            raise RatifyError(f"{what} does not vary", allowed="two different values or more")
    # centred first, so that sums of squares lose no digits
    places = np.asarray(at, dtype=np.int64)
    sums = _sums(one - one.mean(), two - two.mean(), places, len(names))
    whole = sums.sum(axis=0)
    r = float(_correlation(whole))
    with np.errstate(divide="ignore", invalid="ignore"):
        left_out = np.arctanh(_correlation(whole - sums))
    centre = math.atanh(r) if abs(r) < 1 else math.copysign(math.inf, r)
    count = len(names)
    spread = left_out - left_out.mean()
    half = critical(level, count - 1) * math.sqrt((count - 1) / count * float(spread @ spread))
    low, high = math.tanh(centre - half), math.tanh(centre + half)
    if math.isnan(half) or math.isinf(centre):  # a line through all points, with or without one
        low = high = math.nan
    ends = sorted((low**2, high**2))
    _, sx, _, sxx, sxy, _ = whole
    return ExplainedVariance(
        r2=r**2,
        low=0.0 if low <= 0 <= high else ends[0],
        high=ends[1],
        r=r,
        r_low=low,
        r_high=high,
        slope=float((sxy - sx * whole[2] / len(one)) / (sxx - sx**2 / len(one))),
        n=len(one),
        clusters=count,
    )


def _sums(x: FloatArray, y: FloatArray, at: IntArray, count: int) -> FloatArray:
    """Return for each cluster n and the sums of x, y, x squared, x times y, y squared."""
    found = np.zeros((count, 6))
    np.add.at(found, at, np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y]))
    return found


def _correlation(sums: FloatArray) -> FloatArray:
    n, x, y, xx, xy, yy = np.moveaxis(sums, -1, 0)
    spread = (xx - x * x / n) * (yy - y * y / n)
    found: FloatArray = (xy - x * y / n) / np.sqrt(spread)
    return np.clip(found, -1.0, 1.0)
