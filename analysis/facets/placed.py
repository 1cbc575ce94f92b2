"""Places an annotator on a scale that others define: how severe it is, and how discriminating."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from analysis.arrays import FloatArray, IntArray
from analysis.facets.rating_scale import PART, Fitted, Scale

Estimate = tuple[float, float, float]
# A severity further out than this, in logits, is none; nor is a discrimination, in logarithms.
_FAR, _FAR_SLOPE = 10.0, 3.0
_STEP = 1e-4
Before = Callable[[Scale, FloatArray], FloatArray]


def placed(
    fitted: Fitted, category: IntArray, before: Before, *, free: bool, normal: float
) -> tuple[FloatArray, Estimate]:
    """Return where an annotator is on a scale.

    Parameters
    ----------
    fitted : Fitted
        The scale of people.
    category : array of int, shape (ratings,)
        The annotator's ratings.
    before : callable
        `before(scale, posterior)` returns, for each of these ratings, how likely its item is at
        each node, without the annotator's own rating.
    free : bool
        Whether its discrimination is estimated too; otherwise it is that of people, 1.
    normal : float
        Quantile of the normal distribution for the interval.

    Returns
    -------
    place : array of shape (2,)
        Severity and the logarithm of the discrimination; NaN where there is no estimate, as for a
        judge that rates the other way round from people.
    estimate : tuple of float
        Discrimination if it is free, otherwise severity, with its interval.

    Notes
    -----
    The annotator's score has the mean 0 given the others' ratings, so its error and that of the
    scale add: the variance is that of the likelihood plus the square of how far the estimate moves
    with the scale along each independent direction of the scale's error.
    """
    size = 2 if free else 1
    now = before(fitted.scale, fitted.posterior)

    def down(x: FloatArray) -> tuple[float, FloatArray]:
        value, slope = _likelihood(fitted.scale, category, now, x)
        return -value, -slope

    found = minimize(down, np.zeros(size), jac=True, method="BFGS")
    place = np.append(found.x, 0.0)[:2]
    nowhere = np.full(2, math.nan), (math.nan, math.nan, math.nan)
    if not (abs(place[0]) < _FAR and abs(place[1]) < _FAR_SLOPE):
        return nowhere
    curve = np.array(
        [
            (down(found.x + one)[1] - down(found.x - one)[1]) / (2 * _STEP)
            for one in np.eye(size) * _STEP
        ]
    )
    if not np.linalg.eigvalsh((curve + curve.T) / 2).min() > 0:
        return nowhere
    inverse = np.linalg.inv((curve + curve.T) / 2)
    moves = [
        inverse @ (_slope(up, category, before, found.x) - _slope(less, category, before, found.x))
        for up, less in fitted.moved
    ]
    variance = inverse + sum(np.outer(one, one) for one in moves) / (2 * PART) ** 2
    half = normal * math.sqrt(float(variance[-1, -1]))
    value = float(found.x[-1])
    if not free:
        return place, (value, value - half, value + half)
    if not half < _FAR:  # hardly bounded at all
        return place, (math.exp(value), math.nan, math.nan)
    return place, (math.exp(value), math.exp(value - half), math.exp(value + half))


def _slope(
    moved: tuple[Scale, FloatArray], category: IntArray, before: Before, x: FloatArray
) -> FloatArray:
    return _likelihood(moved[0], category, before(*moved), x)[1]


def _likelihood(
    scale: Scale, category: IntArray, before: FloatArray, x: FloatArray
) -> tuple[float, FloatArray]:
    """Return the log likelihood of an annotator's ratings, and its gradient."""
    slope = math.exp(float(np.clip(x[1], -_FAR, _FAR))) if x.size > 1 else 1.0
    logs = scale.log_probabilities(np.array([x[0]]), slope)[0]
    chance = np.exp(logs)
    likely = before * chance[:, category].T
    total = np.maximum(likely.sum(axis=1), 1e-300)
    after = likely / total[:, None]
    counted = np.stack([after[category == k].sum(axis=0) for k in range(chance.shape[1])], axis=1)
    apart = counted - counted.sum(axis=1, keepdims=True) * chance
    k = np.arange(chance.shape[1])
    pulled = apart @ k
    gradient = [-slope * pulled.sum()]
    if x.size > 1:
        steps = np.concatenate([[0.0], np.cumsum(scale.thresholds)])
        gradient.append(slope * ((scale.items - x[0]) @ pulled - apart.sum(axis=0) @ steps))
    return float(np.log(total).sum()), np.array(gradient)
