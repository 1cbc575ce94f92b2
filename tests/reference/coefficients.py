"""Coefficients of one pair of raters, written out plainly: what the weighted copies must give.

Every function takes ratings `a` and `b` of the same items in the same order, shape (n,), complete,
in points of the scale. Where a coefficient is not defined it is NaN.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.agreement.coefficients import Weights, _constant, _values, category_step
from analysis.arrays import FloatArray


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


def kappa_errors(a: ArrayLike, b: ArrayLike, *, weights: Weights = "none") -> tuple[float, float]:
    """Return the non-null and the null standard error of Cohen's kappa.

    Notes
    -----
    Fleiss, Cohen and Everitt (1969), written out in agreement weights.
    """
    x, y = _values(a), _values(b)
    n, grid = x.size, np.unique(np.concatenate([x, y]))
    joint = np.array([[np.mean((x == i) & (y == j)) for j in grid] for i in grid])
    apart = np.abs(grid[:, None] - grid)
    cost = {"none": apart > 0, "linear": apart, "quadratic": apart**2}[weights]
    agree = 1.0 - cost / cost.max()
    kappa = cohen_kappa(a, b, weights=weights)
    of_a, of_b = joint.sum(axis=1), joint.sum(axis=0)
    by_chance = np.outer(of_a, of_b)
    chance = (agree * by_chance).sum()
    margins = (agree @ of_b)[:, None] + of_a @ agree
    pull = ((agree - margins * (1 - kappa)) ** 2 * joint).sum()
    free = ((agree - margins) ** 2 * by_chance).sum()
    unit = n * (1 - chance) ** 2
    se = np.sqrt((pull - (kappa - chance * (1 - kappa)) ** 2) / unit)
    return float(se), float(np.sqrt((free - chance**2) / unit))


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
