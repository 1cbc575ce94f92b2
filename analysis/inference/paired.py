"""Intervals and exact tests for repeated answers: paired, clustered, or like tosses of a coin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.inference.proportions import wilson_interval

LEVEL = 0.95
# Mean ratings are multiples of a fraction of a point; finer differences are not steps of a scale.
_PARTS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
_CLOSE = 1e-6
# Above this the distribution of a sum is practically normal.
_MOST_STEPS = 20_000


@dataclass(frozen=True)
class Share:
    """A share with its interval and the numbers behind it."""

    estimate: float
    low: float
    high: float
    units: int


def clustered_share(values: FloatArray, *, level: float = LEVEL) -> Share:
    """Return the mean of shares, one per unit, with a Wilson interval.

    Parameters
    ----------
    values : array
        Each between 0 and 1: the share of a unit's repetitions that agree.

    Notes
    -----
    Wilson's interval for the number of independent answers that would vary as much as these means
    (Korn and Graubard 1998, Survey Methodology 24, 193-201), but at least the number of units. With
    one repetition per unit it is Wilson's interval itself.
    """
    n = len(values)
    if n == 0:
        return Share(math.nan, math.nan, math.nan, 0)
    mean = float(values.mean())
    effective = float(n)
    if n > 1 and 0 < mean < 1:
        spread = float(values.var(ddof=1)) / n
        effective = max(n, mean * (1 - mean) / spread) if spread > 0 else n
    return Share(mean, *wilson_interval(mean * effective, effective, level=level), n)


def paired_difference(more: int, fewer: int, n: int, *, level: float = LEVEL) -> Share:
    """Return the difference of two proportions of the same n units, with Tango's interval.

    Parameters
    ----------
    more, fewer : int
        Units with a success in the first only, and in the second only.

    Notes
    -----
    Score interval of Tango (1998), Statistics in Medicine 17, 891-908: it exists even if no unit
    differs. At zero its test is McNemar's.
    """
    if n == 0:
        return Share(math.nan, math.nan, math.nan, 0)
    z = float(norm.ppf((1 + level) / 2))
    estimate = (more - fewer) / n

    def score(delta: float) -> float:
        linear = -more - fewer + (2 * n - more + fewer) * delta
        root = math.sqrt(max(0.0, linear**2 + 8 * n * fewer * delta * (1 - delta)))
        variance = n * (2 * (root - linear) / (4 * n) + delta * (1 - delta))
        return (more - fewer - n * delta) / math.sqrt(max(variance, 1e-300))

    low = -1.0 if estimate <= -1 else brentq(lambda d: score(d) - z, -1 + 1e-12, estimate)
    high = 1.0 if estimate >= 1 else brentq(lambda d: score(d) + z, estimate, 1 - 1e-12)
    return Share(estimate, float(low), float(high), n)


def coin_p(heads: int, tosses: int) -> float:
    """Return the exact two-sided p value of a fair coin; 1 without a toss.

    It is McNemar's exact test of the units that changed one way among all that changed.
    """
    return float(mcnemar([[0, heads], [tosses - heads, 0]]).pvalue)


def coin_interval(heads: int, tosses: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact interval of the probability of heads (Clopper and Pearson 1934)."""
    low, high = proportion_confint(heads, tosses, alpha=1 - level, method="beta")
    return float(low), float(high)


def exchange_p(agreed: BoolArray, others: IntArray, repeats: IntArray) -> float:
    """Test exactly whether a changed request agrees as often as plain repetitions do.

    Parameters
    ----------
    agreed : array of bool
        Whether the answer to the changed request equals the original one, by unit.
    others, repeats : array of int
        How many of the unit's plain repetitions equal the original, and how many there are.

    Returns
    -------
    float
        Two-sided p value (twice the smaller tail). With one repetition it is McNemar's exact test.

    Notes
    -----
    If the change does not matter, the changed request is equally likely to be any of the unit's
    repeats + 1 requests. Given how many of these agree, the number of units that agree is a sum of
    independent Bernoulli variables with known probabilities.
    """
    chance = (others + agreed) / (repeats + 1)
    open_ = (chance > 0) & (chance < 1)
    law = np.ones(1)
    for p in chance[open_]:
        law = np.convolve(law, [1 - p, p])
    at = int(agreed[open_].sum())
    return float(min(1.0, 2 * min(law[: at + 1].sum(), law[at:].sum())))


def mean_difference(
    differences: FloatArray, *, level: float = LEVEL
) -> tuple[float, float, float, float]:
    """Return the mean of differences, its t interval, and a p value by flipping signs.

    Returns
    -------
    mean, low, high, p_value : float
        No interval with fewer than two units or if all differences are the same.

    Notes
    -----
    If a change does not matter, every difference is equally likely with the opposite sign: the p
    value is Fisher's exact sign-flip test. A t test rejects too often if few differences are not 0.
    """
    n = len(differences)
    if n == 0:
        return math.nan, math.nan, math.nan, math.nan
    mean = float(differences.mean())
    p_value = _sign_flip_p(differences)
    spread = float(differences.std(ddof=1)) if n > 1 else 0.0
    if spread < 1e-12:
        return mean, math.nan, math.nan, p_value
    half = float(student.ppf((1 + level) / 2, n - 1)) * spread / math.sqrt(n)
    return mean, mean - half, mean + half, p_value


def _sign_flip_p(differences: FloatArray) -> float:
    """Return the probability that the sum is as far from zero when every sign is random."""
    sizes = np.abs(differences)
    for parts in _PARTS:
        steps = np.round(sizes * parts)
        if np.abs(steps - sizes * parts).max() < _CLOSE:
            break
    else:
        return _t_p(differences)  # not steps of a scale, so hardly any two are equal
    if steps.sum() > _MOST_STEPS:
        return _t_p(differences)
    law = np.ones(1)  # distribution of the number of steps up
    for step in steps[steps > 0].astype(int):
        longer = np.zeros(len(law) + step)
        longer[: len(law)] += law / 2
        longer[step:] += law / 2
        law = longer
    whole = round(float(steps.sum()))
    reached = abs(round(float((differences * parts).sum())))
    far = np.abs(2 * np.arange(len(law)) - whole) >= reached
    return float(min(1.0, law[far].sum()))


def _t_p(differences: FloatArray) -> float:
    n = len(differences)
    spread = float(differences.std(ddof=1)) if n > 1 else 0.0
    if spread == 0:
        return math.nan
    ratio = float(differences.mean()) / (spread / math.sqrt(n))
    return float(2 * student.sf(abs(ratio), n - 1))
