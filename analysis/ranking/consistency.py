"""How consistent raters are, and how surprising one rater's choices are if all differ in that.

A rater of consistency b chooses the item that the others rank higher with log-odds b times theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from analysis.arrays import BoolArray, FloatArray, IntArray, sum_by

# Consistencies that are tried, as multiples of the slope common to all raters.
_LOGS = np.linspace(np.log(0.02), np.log(12.0), 81)
# Populations of raters that are weighed: log of the mean consistency over the common slope, and the
# standard deviation of consistency over its mean. All are equally likely before the data.
_MEANS = np.linspace(-0.6, 0.7, 27)
_SPREADS = np.arange(0.0, 1.25, 0.1)
# A population without spread is spread over neighbouring consistencies.
_NARROW = 0.6 * float(_LOGS[1] - _LOGS[0])
# Raters whose numbers are held at once.
_CHUNK = 5_000
_STEPS = 60
# Nearer to 0 the saddle point formula is 0/0, and the normal tail is accurate.
_NEAR = 1e-3


@dataclass(frozen=True)
class Choices:
    """The choices of all raters as the others' ranking sees them.

    Attributes
    ----------
    rater : int array of shape (n_judgments,)
    size : float array of shape (n_judgments,)
        Absolute log-odds by the others' scores, not 0.
    agrees : bool array of shape (n_judgments,)
        Whether the item that the others rank higher was chosen.
    n_raters : int
    """

    rater: IntArray
    size: FloatArray
    agrees: BoolArray
    n_raters: int

    def total(self, values: FloatArray) -> FloatArray:
        """Return each rater's sum of the values of its judgments."""
        return sum_by(self.rater, values, self.n_raters)

    def log_likelihood(self, slope: FloatArray | float) -> FloatArray:
        """Return each rater's log likelihood at one consistency per judgment, or one for all."""
        towards = np.where(self.agrees, self.size, -self.size)
        return self.total(-np.logaddexp(0, -slope * towards))


@dataclass(frozen=True)
class Surprise:
    """How surprising each rater's choices are, and how much raters differ.

    Attributes
    ----------
    p : float array of shape (n_raters,)
        Probability that an honest rater agrees with the others as little, or less.
    spread : float
        Standard deviation of raters' consistency divided by its mean.
    """

    p: FloatArray
    spread: float


def surprise(choices: Choices, slope: float) -> Surprise:
    """Return the probability of so little agreement for a rater of unknown consistency.

    Parameters
    ----------
    choices : Choices
    slope : float
        Common slope of all raters' choices on the others' log-odds, above 0.

    Returns
    -------
    Surprise

    Notes
    -----
    Raters' consistency has a gamma distribution. Its mean and its spread are weighed by the
    likelihood of the choices of all other raters (a flat prior on the grids above), so that a
    careless rater cannot widen the distribution it is compared with. The tail at one consistency is
    the saddle point approximation of Lugannani and Rice in the form r* = r + log(u / r) / r, where
    r is the signed root of the likelihood ratio; it is exact if a rater always or never agrees.
    """
    nodes = slope * np.exp(_LOGS)
    at = np.array([choices.log_likelihood(float(node)) for node in nodes]).T
    tail = _tails(choices, at, nodes)
    weights, spreads = _populations()

    def evidence(some: slice) -> FloatArray:
        likely = np.exp(at[some] - at[some].max(axis=1, keepdims=True))
        return np.asarray(np.log(weights @ likely.T + 1e-300))

    chunks = [slice(k, k + _CHUNK) for k in range(0, choices.n_raters, _CHUNK)]
    whole = np.sum([evidence(some).sum(axis=1) for some in chunks], axis=0)
    parts = []
    for some in chunks:
        others = whole[:, None] - evidence(some)
        share = np.exp(others - others.max(axis=0))
        parts.append((share * (weights @ tail[some].T)).sum(axis=0) / share.sum(axis=0))
    every = np.exp(whole - whole.max())
    return Surprise(np.concatenate(parts), float((every * spreads).sum() / every.sum()))


@cache
def _populations() -> tuple[FloatArray, FloatArray]:
    """Return the share of raters at each consistency in every population, and its spread."""
    means, spreads = (grid.ravel() for grid in np.meshgrid(_MEANS, _SPREADS, indexing="ij"))
    return np.array([_gamma(m, s) for m, s in zip(means, spreads, strict=True)]), spreads


def _gamma(mean: float, spread: float) -> FloatArray:
    """Return the share of raters at each consistency; a gamma distribution with log-mean `mean`."""
    shape = 1 / max(spread, _NARROW) ** 2
    log = shape * ((_LOGS - mean) - np.exp(_LOGS - mean))
    weight = np.exp(log - log.max())
    return np.asarray(weight / weight.sum())


def _tails(choices: Choices, at: FloatArray, nodes: FloatArray) -> FloatArray:
    """Return each rater's P(S <= observed), mid-p, at each consistency, shape (raters, nodes).

    S is the sum of the log-odds of the judgments that agree.
    """
    size, rater = choices.size, choices.rater
    observed, most = choices.total(size * choices.agrees), choices.total(size)
    own = _own_slope(choices, observed)
    chance = expit(own[rater] * size)
    best = choices.log_likelihood(own[rater])
    information = choices.total(size**2 * chance * (1 - chance))
    ahead = own[:, None] - nodes
    root = np.sign(ahead) * np.sqrt(np.maximum(2 * (best[:, None] - at), 0))
    ratio = ahead * np.sqrt(information)[:, None]
    good = (np.abs(root) > _NEAR) & (np.abs(ratio) > _NEAR)
    safe = np.where(good, root, 1.0)
    shift = np.log(np.where(good, ratio / safe, 1.0)) / safe
    tail = norm.cdf(root + shift)
    # At the ends the tail is an exact product: the likelihood of the choices themselves.
    never, always = observed <= 1e-9 * most, observed >= (1 - 1e-9) * most
    tail[never] = np.exp(at[never])
    tail[always] = 1 - np.exp(at[always]) / 2
    return np.asarray(tail)


def _own_slope(choices: Choices, observed: FloatArray) -> FloatArray:
    """Return the consistency that fits each rater's choices best; far out if there is no best."""
    size, rater, n = choices.size, choices.rater, choices.n_raters
    counts = np.maximum(np.bincount(rater, minlength=n), 1)
    scale = np.sqrt(choices.total(size**2) / counts)
    high = 60 / np.maximum(scale, 1e-300)
    low = -high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        below = choices.total(size * expit(middle[rater] * size)) < observed
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)
