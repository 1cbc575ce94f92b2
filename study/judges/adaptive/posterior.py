"""Estimate the items' scores from a judge's replies so far: a Bradley-Terry posterior.

The prior of the scores is normal around 0, and its spread is learned from the replies. The
posterior is Laplace's approximation: normal around the mode, with the inverse curvature there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# The prior variance of scores before any reply, in squared log-odds, and the range of its search.
FIRST_SPREAD = 2.0
_SPREADS = (2.0**-5, 2.0**7)
# One step of that search, and how far it may move from its start (sd of its logarithm).
_STEP = 1.25
_LOOSENESS = 1.0

_NEWTON_STEPS = 25
_LONGEST_STEP = 2.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Replies:
    """Pairs as integer codes; if `answered`, `left_won` is 1, 0 or, for a tie, 1/2."""

    count: int
    left: IntArray
    right: IntArray
    left_won: FloatArray
    answered: NDArray[np.bool_]

    def known(self) -> Replies:
        """Return only the answered pairs."""
        kept = self.answered
        return Replies(
            self.count, self.left[kept], self.right[kept], self.left_won[kept], kept[kept]
        )


@dataclass(frozen=True)
class Posterior:
    """The distribution of the scores after the replies.

    Attributes
    ----------
    score : float array of shape (count,)
        The mode, in log-odds.
    side : float
        The left side's advantage, in log-odds.
    covariance : float array of shape (count, count)
    log_volume : float
        Half the logarithm of the covariance's determinant.
    spread : float
        Prior variance of the scores.
    """

    score: FloatArray
    side: float
    covariance: FloatArray
    log_volume: float
    spread: float

    @property
    def reliability(self) -> float:
        """1 - mean(se^2) / var(scores), with an estimate of the variance of the true scores.

        The estimate is the variance of the modes plus mean(se^2). The se are around the mean of
        all scores, about which no comparison says anything.
        """
        among = self.covariance.mean(axis=1)
        left_open = float((self.covariance.diagonal() - 2 * among + among.mean()).mean())
        variance = float(self.score.var()) + left_open
        return 1 - left_open / variance if variance > 0 else 0.0


def prior(count: int) -> Posterior:
    """Return the distribution of the scores before the first reply."""
    return Posterior(
        score=np.zeros(count),
        side=0.0,
        covariance=FIRST_SPREAD * np.eye(count),
        log_volume=count / 2 * math.log(FIRST_SPREAD),
        spread=FIRST_SPREAD,
    )


def fit(replies: Replies, start: Posterior, *, tolerance: float = 0.1) -> Posterior:
    """Return the posterior, by Newton's method from `start`, with the spread of `start`.

    A pair that is out counts in the covariance, as it will when its reply comes, but not in the
    scores. The covariance is taken at the beginning of the last step, which is less than about
    `tolerance` (log-odds) from the mode.
    """
    score, side = start.score, start.side
    covariance, log_volume = start.covariance, start.log_volume
    for _ in range(_NEWTON_STEPS):
        chance = _logistic(score[replies.left] - score[replies.right] + side)
        surprise = np.where(replies.answered, replies.left_won - chance, 0.0)
        weight = chance * (1 - chance)
        covariance, log_volume = _inverse(_curvature(replies, weight, start.spread))
        step = covariance @ _slope(replies, surprise, score, start.spread)
        longest = float(np.abs(step).max())
        score = score + step * min(1.0, _LONGEST_STEP / max(longest, 1e-9))
        # the prior is normal around 0 with variance 1; as sides are balanced, it has its own step
        side_step = (float(surprise.sum()) - side) / (float(weight.sum()) + 1.0)
        side += float(np.clip(side_step, -1.0, 1.0))
        if max(longest, abs(side_step)) < tolerance:
            break
    return Posterior(score, side, covariance, log_volume, start.spread)


def with_likelier_spread(replies: Replies, start: Posterior) -> Posterior:
    """Return the posterior at the spread that makes the answers likeliest, climbing from `start`.

    This is empirical Bayes. Pairs that are out do not count at all.
    """
    known = replies.known()
    here, best = _evidence_at(known, start, start.spread)
    for factor in (_STEP, 1 / _STEP):
        climbed = False
        while _SPREADS[0] < here.spread * factor < _SPREADS[1]:
            there, evidence = _evidence_at(known, here, here.spread * factor)
            if evidence <= best:
                break
            here, best, climbed = there, evidence, True
        if climbed:
            break
    return here


def _evidence_at(known: Replies, start: Posterior, spread: float) -> tuple[Posterior, float]:
    found = fit(known, replace(start, spread=spread), tolerance=0.02)
    return found, _log_evidence(known, found)


def _log_evidence(known: Replies, found: Posterior) -> float:
    """Return the log evidence of a spread, up to a constant.

    Laplace's evidence alone is far too low for a wide spread while items have few comparisons. So
    it is multiplied by a factor for each reply: its likelihood divided by its parabola, averaged
    over the posterior of its own difference, as if these were independent. This is the first order
    of Opper, Paquet and Winther (2013), around Laplace's approximation instead of EP's.
    """
    left, right, cov = known.left, known.right, found.covariance
    ahead = np.where(known.left_won > 0, 1.0, -1.0) * (
        found.score[left] - found.score[right] + found.side
    )
    # a tie is half a reply for each side: a logit with the outcome 1/2
    short = np.where(known.left_won == 0.5, 0.5, 0.0)
    likelihood = -np.logaddexp(0.0, -ahead) - short * ahead
    var = cov.diagonal()
    off = np.sqrt(var[left] + var[right] - 2 * cov[left, right])[:, None] * _NODES
    chance, there, short = _logistic(ahead)[:, None], ahead[:, None] + off, short[:, None]
    slope = 1 - chance - short
    parabola = likelihood[:, None] + slope * off - chance * (1 - chance) / 2 * off**2
    beyond = np.exp(-np.logaddexp(0.0, -there) - short * there - parabola) @ _WEIGHTS
    n, spread = known.count, found.spread
    laplace = (
        float(likelihood.sum())
        - float(found.score @ found.score) / (2 * spread)
        - n / 2 * math.log(spread)
        + found.log_volume
    )
    held = (math.log(spread / FIRST_SPREAD) / _LOOSENESS) ** 2 / 2
    return laplace + float(np.log(beyond).sum()) - held


def _slope(replies: Replies, surprise: FloatArray, score: FloatArray, spread: float) -> FloatArray:
    n = replies.count
    won = np.bincount(replies.left, surprise, n) - np.bincount(replies.right, surprise, n)
    return np.asarray(won - score / spread, dtype=np.float64)


def _inverse(curvature: FloatArray) -> tuple[FloatArray, float]:
    """Return the inverse of a positive definite matrix and half the logarithm of its determinant.

    By Cholesky, in about half the time of `numpy.linalg.inv`.
    """
    from scipy.linalg.lapack import dpotrf, dpotri  # slow to import, and only needed here

    root, failed = dpotrf(curvature, lower=1)
    inverse, failed_too = dpotri(root, lower=1)
    if failed or failed_too:
        raise np.linalg.LinAlgError("the curvature is not positive definite")
    inverse = inverse + inverse.T  # only the lower triangle was filled
    inverse[np.diag_indices(len(root))] /= 2
    return inverse, -float(np.log(root.diagonal()).sum())


def _curvature(replies: Replies, weight: FloatArray, spread: float) -> FloatArray:
    n = replies.count
    cells = np.bincount(replies.left * n + replies.right, weight, n * n)
    between = cells.astype(np.float64).reshape(n, n)
    between = between + between.T
    curvature = -between
    curvature[np.diag_indices(n)] = between.sum(axis=1) + 1 / spread
    return curvature


def _logistic(x: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)), dtype=np.float64)
