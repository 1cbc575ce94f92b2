"""Intervals from influence values: units of one user are one cluster, and heavy users count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray, sum_by


@dataclass(frozen=True)
class Estimate:
    """An estimate with its clustered error.

    Attributes
    ----------
    value, se, low, high : float
        NaN where they cannot be estimated.
    df : float
        Degrees of freedom of the t quantile.
    n, clusters : int
        Units, and users.
    level : float
    influence : array of shape (units of the frame,)
        The estimate is the value plus the mean of these; of use for contrasts of estimates.
    """

    value: float
    se: float
    low: float
    high: float
    df: float
    n: int
    clusters: int
    level: float
    influence: FloatArray

    @property
    def width(self) -> float:
        """The distance between the ends of the interval."""
        return self.high - self.low


def from_influence(
    value: float, influence: FloatArray, user: IntArray, *, level: float = 0.95
) -> Estimate:
    """Return an estimate with the interval that its influence values give.

    Parameters
    ----------
    value : float
    influence : array of shape (n,)
        Of each unit; the error of the estimate is about their mean. They are centred here.
    user : int array of shape (n,)
        A code of each unit's user; codes without a unit do no harm.
    level : float

    Notes
    -----
    The variance is that of the jackknife which leaves out one user at a time; where all users have
    equally many units, it is that of a mean of clustered values with the factor G / (G - 1). So a
    user with a large share of the units counts with what the mean would be without them. The
    degrees of freedom follow from the kurtosis k of the users' sums (Satterthwaite 1946): the
    variance of an estimated variance is about (k - 1) / G of its square, which is that of
    2 G / (k - 1) degrees of freedom; at most G - 1. Where a few users carry the estimate they are
    few.
    """
    n = len(influence)
    sums = user_sums(influence, user)
    clusters = len(sums)
    second = float((sums**2).mean()) if clusters else 0.0
    if clusters < 2 or not np.isfinite(second) or second <= 0:
        return Estimate(value, np.nan, np.nan, np.nan, np.nan, n, clusters, level, influence)
    variance = (clusters - 1) / clusters * float((sums**2).sum()) / n**2
    df = degrees_of_freedom(sums)
    reach = float(student.ppf((1 + level) / 2, df)) * float(np.sqrt(variance))
    se = float(np.sqrt(variance))
    return Estimate(value, se, value - reach, value + reach, df, n, clusters, level, influence)


def user_sums(influence: FloatArray, user: IntArray) -> FloatArray:
    """Return how far the mean moves without each user, times minus n; shape (users,).

    Parameters
    ----------
    influence : array of shape (n,)
    user : int array of shape (n,)
        A user without units has no sum. One user alone has none either.
    """
    if not len(influence):
        return np.zeros(0)
    sizes = np.bincount(user).astype(np.float64)
    sums = sum_by(user, influence - influence.mean(), len(sizes))
    there = (sizes > 0) & (sizes < len(influence))
    return np.asarray(sums[there] / (1 - sizes[there] / len(influence)))


def degrees_of_freedom(sums: FloatArray) -> float:
    """Return the degrees of freedom of a variance of these cluster sums; at least 1."""
    second = float((sums**2).mean())
    kurtosis = float((sums**4).mean()) / second**2
    clusters = len(sums)
    return float(np.clip(2 * clusters / max(kurtosis - 1, 1e-9), 1, max(clusters - 1, 1)))
