"""Spearman's correlation of two raters, and helpers that all coefficients of agreement share.

Ratings `a` and `b` are of the same items in the same order, shape (n,), complete (the caller drops
pairs with a missing rating), in points of the scale. A coefficient that is not defined is NaN, for
instance with too few items or without variation. It is never an exception, and never 1.0 for lack
of evidence. docs/analyses.md says which coefficients a report prints.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from analysis.arrays import FloatArray

Weights = Literal["none", "linear", "quadratic"]

# Ratings are compared at this precision, where 2.6666666666666665 and 2.666666666666667 are equal.
DECIMALS = 9


class Correlation(NamedTuple):
    """A correlation with its interval and a two-sided p value for no correlation."""

    estimate: float
    low: float
    high: float
    p_value: float


def _values(x: ArrayLike) -> FloatArray:
    """Return ratings as floats; values that differ only by rounding error become equal."""
    return np.asarray(np.round(np.asarray(x, dtype=np.float64), DECIMALS), dtype=np.float64)


def _constant(*arrays: FloatArray) -> bool:
    """Say whether all values of all arrays are the same."""
    both = np.concatenate(arrays)
    return bool(both.min() == both.max())


def median_over_raters(values: FloatArray) -> FloatArray:
    """Return each item's median over the raters who rated it, NaN where nobody did.

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
        (a median of an even number of raters). None otherwise: then there are no categories.
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
        The interval is tanh(atanh(r) ± z / sqrt(n - 3)), as in `pingouin.corr`; NaN with fewer
        than four items or if |r| is 1, whose Fisher transform is infinite. The p value is scipy's
        (t distribution). All are NaN with fewer than three items or if a rater is constant.
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
