"""What the judge's own effect is made of: what people see between its arms, and its own errors.

The judge's outcome is d times people's, plus an error: Y_J = c + d Y + u, with the line of least
squares over the frame. Its effect is a sum over units, linear in the outcome, so it has two parts:

    naive = d x (contrast of people's Y between the judge's arms)
              + (contrast of u between the judge's arms)

All contrasts have the same weights: the residuals of the judge's treatment given the confounders,
(D_J - e_J(X)) / mean((D_J - e_J(X))^2), of the units in the judge's arms. In each, what the
confounders say of the outcome is taken off first: m_J(X) of the judge's outcome, m(X) of people's,
and of the error the m_u(X) that makes m_J = c + d m + m_u. So the identity is exact, in the numbers
that are reported too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.correction.estimates import JudgeSide
from analysis.causal.correction.nuisances import fitted
from analysis.causal.correction.score import filled, own_weight
from analysis.causal.units import Labels


@dataclass(frozen=True)
class Tipping:
    """The judge-error E-value: the error correlation at which the naive effect is all error.

    Attributes
    ----------
    value : float
        Measured halo x naive / error part. Negative where errors that go together as the judge's
        do lower its effect; beyond 1 where no such correlation would make all of it; NaN where
        the error part is 0.
    low, high : float
        Ends of Fieller's interval; infinite where the error part may be 0.
    level : float
    """

    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True)
class Decomposition:
    """The naive effect in two parts, each with an interval from labels.

    Attributes
    ----------
    naive : Estimate
    slope : Estimate
        d, points of the judge's outcome for a point of people's.
    contrast : Estimate
        Of people's outcome between the judge's arms.
    people_part, error_part : Estimate
        slope x contrast, and what is left: the contrast of the judge's outcome error.
    halo : Estimate
        The correlation of the judge's two errors: of its treatment score and of its outcome score,
        each about its line on people's score, weighted by inverse inclusion probability. It is as
        the scores are, whole points and people's own noise included; nothing is disattenuated.
    tipping : Tipping
    labels : int
    """

    naive: Estimate
    slope: Estimate
    contrast: Estimate
    people_part: Estimate
    error_part: Estimate
    halo: Estimate
    tipping: Tipping
    labels: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row per number; the judge-error E-value has no standard error."""
        points, plain = "points of the outcome", "correlation"
        rows = [
            ("naive", self.naive, points),
            ("slope", self.slope, "points per point"),
            ("contrast of people's outcome", self.contrast, points),
            ("people's part", self.people_part, points),
            ("error part", self.error_part, points),
            ("measured halo", self.halo, plain),
        ]
        found: list[dict[str, object]] = [
            {
                "quantity": name,
                "value": one.value,
                "se": one.se,
                "low": one.low,
                "high": one.high,
                "df": one.df,
                "level": one.level,
                "n": one.n,
                "labels": self.labels,
                "clusters": one.clusters,
                "unit": unit,
            }
            for name, one, unit in rows
        ]
        last = {"quantity": "judge-error E-value", "value": self.tipping.value, "se": np.nan}
        ends = {"low": self.tipping.low, "high": self.tipping.high, "df": self.error_part.df}
        shared = {key: found[-1][key] for key in ("level", "n", "labels", "clusters", "unit")}
        return pd.DataFrame([*found, {**last, **ends, **shared}])


def decomposition(side: JudgeSide, labels: Labels, *, level: float = 0.95) -> Decomposition:
    """Return what the judge's own effect is made of.

    Parameters
    ----------
    side : JudgeSide
        Of `estimates.judge_side`.
    labels : Labels
        From a probability sample of the frame's units, on which `checks.check_labels` has nothing
        to say.
    level : float

    Notes
    -----
    Intervals are of influence values clustered by user. Those of the slope and of the halo follow
    from the moments that they are functions of (delta method), that of the judge-error E-value
    from Fieller (1954): all values r for which r x error part - halo x naive may be 0.
    """
    user = side.frame.user
    naive = side.naive(level)
    contrast, contrast_influence = _contrast(side, labels)
    moments, parts = _moments(side, labels)
    slope, slope_influence = _delta(_slope, moments, parts)
    halo, halo_influence = _delta(_correlation, moments, parts)
    people = slope * contrast
    people_influence = slope * contrast_influence + contrast * slope_influence
    naive_influence = naive.influence - naive.influence.mean()

    def estimate(value: float, influence: FloatArray) -> Estimate:
        return from_influence(value, influence, user, level=level)

    error = estimate(naive.value - people, naive_influence - people_influence)
    product = estimate(halo * naive.value, naive.value * halo_influence + halo * naive_influence)
    return Decomposition(
        naive=naive,
        slope=estimate(slope, slope_influence),
        contrast=estimate(contrast, contrast_influence),
        people_part=estimate(people, people_influence),
        error_part=error,
        halo=estimate(halo, halo_influence),
        tipping=fieller(product, error, user),
        labels=int(labels.labelled.sum()),
    )


def _contrast(side: JudgeSide, labels: Labels) -> tuple[float, FloatArray]:
    """Return the contrast of people's outcome between the judge's arms, and its influence."""
    nuisances = fitted(
        side.components,
        side.arm,
        labels.outcome,
        side.fold,
        weights=labels.weights,
        start=side.nuisances,
    )
    residual = np.where(np.isnan(side.arm), 0.0, side.arm - side.nuisances.treated)
    value = residual * np.where(labels.labelled, labels.outcome - nuisances.outcome, 0.0)
    below = side.score.denominator
    guess = side.score.numerator
    weight = own_weight(value, guess, labels, side.fold)
    found = filled(value, weight * guess, labels)
    contrast = float(found.each.mean() / below.mean())
    influence = (found.spread - contrast * below) / below.mean()
    return contrast, influence - influence.mean()


def _moments(side: JudgeSide, labels: Labels) -> tuple[FloatArray, FloatArray]:
    """Return the weighted means of people's and the judge's scores and of their products.

    Returns
    -------
    moments : array of shape (14,)
    influence : array of shape (n, 14)
    """
    scores = np.column_stack(
        [labels.treatment, labels.outcome, side.frame.treatment, side.frame.outcome]
    )
    # centred for precision only: slopes and correlations do not change
    centred = np.nan_to_num(scores - scores[labels.labelled].mean(axis=0))
    products = [centred[:, a] * centred[:, b] for a in range(4) for b in range(a, 4)]
    values = np.column_stack([centred, *products])
    nothing = np.zeros(len(values))
    weights = labels.weights / labels.weights.mean()
    moments = np.asarray(weights @ values / len(values))
    influence = [
        filled(each - mean, nothing, labels).spread
        for each, mean in zip(values.T, moments, strict=True)
    ]
    return moments, np.column_stack(influence)


def _covariance(moments: FloatArray) -> FloatArray:
    """Return the covariance of people's treatment, outcome, and the judge's, from the moments."""
    means, second = moments[:4], np.empty((4, 4))
    second[np.triu_indices(4)] = moments[4:]
    lower = np.tril_indices(4, -1)
    second[lower] = second.T[lower]
    return second - np.outer(means, means)


def _slope(moments: FloatArray) -> float:
    """Return the slope of the judge's outcome on people's; 0 where people's never varies."""
    c = _covariance(moments)
    return float(c[1, 3] / c[1, 1]) if c[1, 1] > 0 else 0.0


def _correlation(moments: FloatArray) -> float:
    """Return the correlation of the judge's errors about its two lines on people's scores."""
    c = _covariance(moments)
    if min(c[0, 0], c[1, 1]) <= 0:
        return float("nan")
    b, d = c[0, 2] / c[0, 0], c[1, 3] / c[1, 1]
    both = c[2, 3] - d * c[1, 2] - b * c[0, 3] + b * d * c[0, 1]
    sizes = (c[2, 2] - b * c[0, 2]) * (c[3, 3] - d * c[1, 3])
    return float(both / np.sqrt(sizes)) if sizes > 0 else float("nan")


def _delta(
    function: Callable[[FloatArray], float], moments: FloatArray, influence: FloatArray
) -> tuple[float, FloatArray]:
    """Return a function of moments, and its influence by the numerical gradient."""
    step = 1e-5
    gradient = np.array(
        [
            (function(moments + step * axis) - function(moments - step * axis)) / (2 * step)
            for axis in np.eye(len(moments))
        ]
    )
    return float(function(moments)), np.asarray(influence @ gradient)


def fieller(top: Estimate, below: Estimate, user: IntArray) -> Tipping:
    """Return the ratio of two estimates with Fieller's interval.

    Parameters
    ----------
    top, below : Estimate
        With centred influence values of the same units.
    user : int array of shape (n,)

    Returns
    -------
    Tipping
        Where `below` may be 0, all values of the ratio's sign from some value on, or all values.
    """
    level = below.level
    if below.value == 0:  # a judge without any error
        return Tipping(np.nan, np.nan, np.nan, level)
    value = top.value / below.value
    both = from_influence(0.0, top.influence + below.influence, user, level=level)
    df = from_influence(0.0, top.influence - value * below.influence, user).df
    between = (both.se**2 - top.se**2 - below.se**2) / 2
    square = float(student.ppf((1 + level) / 2, df)) ** 2
    a = below.value**2 - square * below.se**2
    b = top.value * below.value - square * between
    c = top.value**2 - square * top.se**2
    inside = b**2 - a * c
    if not np.isfinite(inside):
        return Tipping(value, np.nan, np.nan, level)
    if a > 0:
        reach = float(np.sqrt(max(inside, 0.0)))
        return Tipping(value, (b - reach) / a, (b + reach) / a, level)
    # the error part may be 0: the interval has no end on the side of the value
    if inside <= 0:
        return Tipping(value, -np.inf, np.inf, level)
    roots = sorted(((b - np.sqrt(inside)) / a, (b + np.sqrt(inside)) / a))
    return (
        Tipping(value, float(roots[1]), np.inf, level)
        if value >= roots[1]
        else Tipping(value, -np.inf, float(roots[0]), level)
    )
