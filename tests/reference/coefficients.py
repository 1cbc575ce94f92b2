"""Coefficients of one pair of raters, written out plainly: what the weighted copies must give.

Every function takes ratings `a` and `b` of the same items in the same order, shape (n,), complete,
in points of the scale. Where a coefficient is not defined it is NaN.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.agreement.coefficients import _constant, _values, category_step


def exact_agreement(a: ArrayLike, b: ArrayLike) -> float:
    """Return the share of items with the same rating; NaN without items."""
    a, b = _values(a), _values(b)
    return float(np.mean(a == b)) if a.size else np.nan


def within_one(a: ArrayLike, b: ArrayLike) -> float:
    """Return the share of items whose ratings are at most one point apart; NaN without items."""
    a, b = _values(a), _values(b)
    return float(np.mean(_values(np.abs(a - b)) <= 1)) if a.size else np.nan


def bias(a: ArrayLike, b: ArrayLike) -> float:
    """Return mean(a - b) in points of the scale: positive where `a` rates higher."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.mean(a - b)) if a.size else np.nan


def krippendorff_alpha(
    a: ArrayLike, b: ArrayLike, *, level: Literal["ordinal", "interval"] = "ordinal"
) -> float:
    """Return Krippendorff's alpha of two raters.

    Parameters
    ----------
    a, b : array of shape (n,)
        Complete ratings of the same items.
    level : {'ordinal', 'interval'}
        Interval: squared distances of values. Ordinal: squared distances of the mid-ranks that
        the values have among all 2n ratings, which is Krippendorff's ordinal metric.

    Returns
    -------
    float
        NaN under two items or where all ratings are one value.

    Notes
    -----
    Krippendorff (2011), "Computing Krippendorff's alpha-reliability". Agrees with the package
    `krippendorff`.
    """
    a, b = _values(a), _values(b)
    if a.size < 2 or _constant(a, b):
        return np.nan
    pooled = np.concatenate([a, b])
    if level == "ordinal":
        pooled = stats.rankdata(pooled)
    observed = float(np.mean((pooled[: a.size] - pooled[a.size :]) ** 2))
    expected = 2.0 * float(pooled.var(ddof=1))
    return 1.0 - observed / expected


def gwet_ac2(a: ArrayLike, b: ArrayLike, *, scale: tuple[float, float]) -> float:
    """Return Gwet's AC2 with quadratic weights over all categories of the scale.

    AC2 = (observed - chance) / (1 - chance), where chance agreement is the sum of all weights
    times sum p(1 - p) / (q(q - 1)), p the share of each of the q categories among both raters.

    Parameters
    ----------
    a, b : array of shape (n,)
        Complete ratings of the same items.
    scale : tuple of float
        Lowest and highest possible rating; categories are one point apart, half a point
        where ratings lie on halves. Half points double the categories, so such a value is not
        strictly comparable with one from whole points.

    Returns
    -------
    float
        NaN under two items, or where ratings lie on neither grid (averages such as 2.33 have no
        categories). Where both raters give one same value throughout it is 1 by its definition:
        AC2 asks how much agreement guessing would give, not whether the items differ.

    Notes
    -----
    Gwet (2014), *Handbook of Inter-Rater Reliability*, 4th ed., chapters 3 and 4. Agrees with
    `irrCAC`; see tests/reference/ac2.json.
    """
    a, b = _values(a), _values(b)
    if a.size < 2:
        return np.nan
    pooled = np.concatenate([a, b])
    step = category_step(pooled, scale)
    if step is None:
        return np.nan
    length = scale[1] - scale[0]
    q = round(length / step) + 1
    observed = 1.0 - float(np.mean((a - b) ** 2)) / length**2
    share = np.unique(pooled, return_counts=True)[1] / pooled.size
    # Sum over all k, l of 1 - ((k - l) / (q - 1))^2, in closed form: no q x q matrix.
    all_weights = q**2 - q**2 * (q + 1) / (6 * (q - 1))
    chance = all_weights / (q * (q - 1)) * float(np.sum(share * (1 - share)))
    return (observed - chance) / (1 - chance)


def icc2(a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    """Return ICC(2,1) and ICC(2,k) of two raters: two-way random effects, absolute agreement.

    Parameters
    ----------
    a, b : array of shape (n,)
        Complete ratings of the same items.

    Returns
    -------
    single, average : float
        Reliability of one rater and of the mean of both. NaN under two items, where all ratings
        are one value, and where the estimated total variance is not positive.

    Notes
    -----
    Shrout and Fleiss (1979), cases 2,1 and 2,k. Agrees with `pingouin.intraclass_corr`.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    n = a.size
    if n < 2 or _constant(a, b):
        return np.nan, np.nan
    rows = 2.0 * float(((a + b) / 2).var(ddof=1))
    columns = n * float(a.mean() - b.mean()) ** 2 / 2.0
    error = float((a - b).var(ddof=1)) / 2.0
    single = _ratio(rows - error, rows + error + 2.0 * (columns - error) / n)
    average = _ratio(rows - error, rows + (columns - error) / n)
    return single, average


def _ratio(part: float, whole: float) -> float:
    """Return part / whole, NaN unless the whole is positive beyond rounding error."""
    return part / whole if whole > 1e-12 * max(1.0, abs(part)) else np.nan


def pearson(a: ArrayLike, b: ArrayLike) -> float:
    """Return Pearson's correlation; NaN under three items or where a rater is constant."""
    a, b = _values(a), _values(b)
    if a.size < 3 or _constant(a) or _constant(b):
        return np.nan
    x, y = a - a.mean(), b - b.mean()
    r = float(x @ y / np.sqrt((x @ x) * (y @ y)))
    return min(1.0, max(-1.0, r))
