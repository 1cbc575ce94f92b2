"""The effect among the matched treated units, with its interval by a bootstrap over users."""

from __future__ import annotations

import numpy as np

from analysis.arrays import FloatArray, IntArray, sum_by
from analysis.causal.clustered import Estimate
from analysis.causal.matching.result import Matching
from analysis.inference.resampling import drawn_interval
from prereg.errors import RatifyError

DRAWS = 2_000
# Weights that are drawn at a time.
_CELLS = 2**22


def matched_effect(
    matching: Matching,
    outcome: FloatArray,
    user: IntArray,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
) -> Estimate:
    """Return the mean difference of the outcome within pairs.

    Parameters
    ----------
    matching : Matching
    outcome : array of shape (n,)
        Of every unit of the frame.
    user : int array of shape (n,)
        The user of each.
    rng : numpy.random.Generator
    level : float
        Coverage of the interval.
    draws : int
        Of the bootstrap.

    Returns
    -------
    Estimate
        Of the ATT of the matched treated units. `n` counts units, `clusters` the users of treated
        units, and `df` is one less. Its ends are NaN with fewer than five of these users.

    Raises
    ------
    RatifyError
        If there is no pair, or a matched unit has no outcome.

    Notes
    -----
    A bootstrap over users on fixed pairs (Austin and Small 2014, Statistics in Medicine 33,
    4306-4319): the users of treated units get exponential weights, and all pairs of a user share
    its weight, because a treated user's outcomes resemble each other. Resampling single pairs
    would miss that. Pairs whose control units are of one user resemble each other too. So the
    draws are stretched by the ratio of two standard errors: one counts every two pairs that share
    any user, in either arm (the errors of dyads: Aronow, Samii and Assenova 2015, Political
    Analysis 23, 564-577), the other only those that share the treated user. They are never
    shrunk. The interval is that of the estimate among such pairs: if the pairs differ in a
    confounder, it is about a biased number.
    """
    if not len(matching):
        raise RatifyError(
            "no treated unit has a control unit within the caliper",
            column="causal.matching.caliper",
            value=matching.caliper,
            allowed="a lower similarity",
        )
    difference = outcome[matching.treated] - outcome[matching.control]
    if np.isnan(difference).any():
        raise RatifyError(
            "a matched unit has no outcome",
            column="causal.outcome",
            value=int(np.isnan(difference).sum()),
            allowed="an outcome of every unit in an arm",
        )
    value = float(difference.mean())
    of_treated = user[matching.treated]
    known, code = np.unique(of_treated, return_inverse=True)
    drawn = _drawn(difference, code, len(known), draws, rng)
    stretch = _stretch(difference - value, of_treated, user[matching.control])
    drawn = value + stretch * (drawn - value)
    low, _, high = drawn_interval(drawn, len(known), level=level)
    se = float(drawn.std()) if len(known) >= 5 else np.nan
    influence = np.zeros(len(outcome))
    scale = len(outcome) / len(matching)
    influence[matching.treated] = scale * (difference - value)
    n, clusters = 2 * len(matching), len(known)
    return Estimate(value, se, low, high, clusters - 1, n, clusters, level, influence)


def _drawn(
    difference: FloatArray, code: IntArray, users: int, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Return the mean difference under random weights of the users of treated units."""
    sums = np.column_stack([sum_by(code, difference, users), np.bincount(code, minlength=users)])
    found = []
    for start in range(0, draws, height := max(1, _CELLS // users)):
        weights = rng.exponential(size=(min(height, draws - start), users))
        total, count = (weights @ sums).T
        found.append(total / count)
    return np.concatenate(found)


def _stretch(error: FloatArray, treated: IntArray, control: IntArray) -> float:
    """Return by how much pairs that share a user in any arm widen the error; at least 1."""
    size = int(max(treated.max(), control.max())) + 1
    own = float((sum_by(treated, error, size) ** 2).sum())
    apart = treated != control
    either = sum_by(treated, error, size) + sum_by(control[apart], error[apart], size)
    # pairs that share both users were counted twice
    lower, upper = np.minimum(treated, control)[apart], np.maximum(treated, control)[apart]
    _, both = np.unique(lower * size + upper, return_inverse=True)
    twice = np.bincount(both, error[apart])
    every = float((either**2).sum() - (twice**2).sum())
    return float(np.sqrt(max(1.0, every / own))) if own > 0 else 1.0
