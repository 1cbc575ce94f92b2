"""Agreement of two raters: each coefficient a pure function of two equally long arrays.

Every function takes ratings `a` and `b` of the same items in the same order, shape (n,), complete
(the caller drops pairs with a missing rating), in points of the scale. Where a coefficient is not
defined it is NaN: too few items, or no variation to be agreed upon. Never an exception, never 1.0
for want of evidence. METHODS 5 says which of them a report prints.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.arrays import FloatArray

Weights = Literal["none", "linear", "quadratic"]

# Means such as 2.6666666666666665 and 2.666666666666667 are one value: compare at this precision.
DECIMALS = 9


class Correlation(NamedTuple):
    """A correlation with its interval and the two-sided p value of no correlation."""

    estimate: float
    low: float
    high: float
    p_value: float


def _values(x: ArrayLike) -> FloatArray:
    """Return ratings as floats in which values that differ by rounding error only are equal."""
    return np.asarray(np.round(np.asarray(x, dtype=np.float64), DECIMALS), dtype=np.float64)


def _constant(*arrays: FloatArray) -> bool:
    """Say whether one single value fills all arrays together."""
    both = np.concatenate(arrays)
    return bool(both.min() == both.max())


def cohen_kappa(a: ArrayLike, b: ArrayLike, *, weights: Weights = "none") -> float:
    """Return Cohen's kappa with disagreement weighed by the values themselves.

    kappa = 1 - observed / expected disagreement; the expected one pairs every rating of `a` with
    every rating of `b`. A disagreement costs 1 (none), the distance in points (linear), or its
    square (quadratic). Distances come from values on the scale, so a rating of 2.33 is 0.33
    above 2, and categories that nobody used still count as distance; dividing by the length
    of the scale cancels. With quadratic weights this is Lin's concordance with population moments.

    Parameters
    ----------
    a, b : array of shape (n,)
        Complete ratings of the same items.
    weights : {'none', 'linear', 'quadratic'}
        The cost of a disagreement.

    Returns
    -------
    float
        NaN under two items or where all ratings are one value; 0 where one rater is constant.

    Notes
    -----
    Cohen (1960, 1968); Lin (1989). Agrees with `sklearn.metrics.cohen_kappa_score` on whole
    ratings with `labels` naming the whole scale.
    """
    a, b = _values(a), _values(b)
    if a.size < 2 or _constant(a, b):
        return np.nan
    if weights == "quadratic":
        observed = float(np.mean((a - b) ** 2))
        expected = float(a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    elif weights == "linear":
        observed = float(np.mean(np.abs(a - b)))
        expected = _mean_distance(a, b)
    else:
        observed = float(np.mean(a != b))
        expected = 1.0 - _chance_match(a, b)
    return 1.0 - observed / expected


def _mean_distance(a: FloatArray, b: FloatArray) -> float:
    """Return the mean |a_i - b_j| over all i, j from the two distribution functions."""
    grid = np.unique(np.concatenate([a, b]))
    below_a = np.searchsorted(np.sort(a), grid[:-1], side="right") / a.size
    below_b = np.searchsorted(np.sort(b), grid[:-1], side="right") / b.size
    apart = below_a * (1 - below_b) + below_b * (1 - below_a)
    return float(np.sum(apart * np.diff(grid)))


def _chance_match(a: FloatArray, b: FloatArray) -> float:
    """Return the share of all pairs (a_i, b_j) that are equal."""
    grid, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    in_a = np.bincount(place[: a.size], minlength=grid.size) / a.size
    in_b = np.bincount(place[a.size :], minlength=grid.size) / b.size
    return float(in_a @ in_b)


def median_over_raters(values: FloatArray) -> FloatArray:
    """Return each item's median over those who rated it, NaN where nobody did.

    Parameters
    ----------
    values : array of shape (items, raters)
        Ratings, NaN where missing.
    """
    return pd.DataFrame(values).median(axis=1).to_numpy(dtype=np.float64)


def category_step(values: ArrayLike, scale: tuple[float, float]) -> float | None:
    """Return the step of the coarsest grid over the scale that holds all values.

    Parameters
    ----------
    values : array
        Ratings.
    scale : tuple of float
        Lowest and highest possible rating.

    Returns
    -------
    float or None
        1 where all values are whole steps from the lowest, 0.5 where some lie halfway
        (a median of an even number of raters), None otherwise: then there are no categories.
    """
    low, high = scale
    steps = np.append(_values(values), high) - low
    for step in (1.0, 0.5):
        if np.allclose(steps / step, np.round(steps / step), rtol=0.0, atol=1e-8):
            return step
    return None


def spearman(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> Correlation:
    """Return Spearman's rank correlation with its Fisher interval.

    Parameters
    ----------
    a, b : array of shape (n,)
        Complete ratings of the same items.
    level : float
        Coverage of the interval.

    Returns
    -------
    Correlation
        The interval is tanh(atanh(r) ± z / sqrt(n - 3)), as `pingouin.corr` gives it; NaN under
        four items and where |r| is 1, whose Fisher transform is infinite. The p value is
        scipy's (t distribution). All NaN under three items or where a rater is constant.
    """
    a, b = _values(a), _values(b)
    if a.size < 3 or _constant(a) or _constant(b):
        return Correlation(np.nan, np.nan, np.nan, np.nan)
    found = stats.spearmanr(a, b)
    r, p = float(found.statistic), float(found.pvalue)
    if a.size < 4 or abs(r) >= 1 - 1e-12:
        return Correlation(r, np.nan, np.nan, p)
    half = float(stats.norm.ppf(0.5 + level / 2)) / np.sqrt(a.size - 3)
    z = np.arctanh(r)
    return Correlation(r, float(np.tanh(z - half)), float(np.tanh(z + half)), p)
