"""Maximises the Bradley-Terry likelihood with Firth's penalty, and profiles it, in one group.

The penalty is half the log determinant of the information, which is Jeffreys' prior. It takes away
the first-order bias of the scores, and makes every score finite, also of an item that never lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from analysis.arrays import FloatArray, IntArray
from prereg.errors import RatifyError

_TOLERANCE = 1e-9
_MOST_STEPS = 100
# No step changes a score by more than this, in log-odds.
_LONGEST = 4.0
# A profile is followed until the root of the likelihood ratio is this close to its quantile.
_CLOSE = 2e-4
_MOST_ENDS = 25
_MOST_INNER = 24
# Numbers of all information matrices that are held at once.
_CELLS = 4_000_000


@dataclass(frozen=True)
class GroupCounts:
    """The counts of one connected group; items are numbered from 0.

    Attributes
    ----------
    first, second : int array of shape (n_cells,)
        Each pair once.
    first_wins, second_wins : float array of shape (n_cells,)
    n_items : int
    """

    first: IntArray
    second: IntArray
    first_wins: FloatArray
    second_wins: FloatArray
    n_items: int

    @property
    def played(self) -> FloatArray:
        """Judgments of each pair."""
        return self.first_wins + self.second_wins

    def pulls(self) -> csr_array:
        """Return the items' columns of the design, shape (n_cells, n_items)."""
        cell = np.arange(len(self.first))
        ones = np.ones(len(cell))
        return csr_array(
            (
                np.concatenate([ones, -ones]),
                (np.tile(cell, 2), np.concatenate([self.first, self.second])),
            ),
            shape=(len(cell), self.n_items),
        )


@dataclass(frozen=True)
class FirthFit:
    """Scores of one group.

    Attributes
    ----------
    score : float array of shape (n_items,)
        Mean 0.
    inverse : float array of shape (n_items, n_items)
        Inverse of the information on scores of mean 0: the covariance under the model.
    """

    score: FloatArray
    inverse: FloatArray


class _Penalised:
    """The penalised log likelihood at several points at once, one row each."""

    def __init__(self, counts: GroupCounts, score: FloatArray) -> None:
        m = counts.n_items
        odds = score[:, counts.first] - score[:, counts.second]
        log_first, log_second = -np.logaddexp(0, -odds), -np.logaddexp(0, odds)
        chance = np.exp(log_first)
        weight = counts.played * chance * np.exp(log_second)
        matrix, level = _information(counts, weight)
        _, log_size = np.linalg.slogdet(matrix)
        self.inverse = np.linalg.inv(matrix) - (1 / (level * m * m))[:, None, None]
        spread = np.diagonal(self.inverse, axis1=1, axis2=2)
        between = (
            spread[:, counts.first]
            + spread[:, counts.second]
            - 2 * self.inverse[:, counts.first, counts.second]
        )
        hat = weight * between
        self._share = hat / counts.played
        self._counts, self._weight = counts, weight
        pull = counts.first_wins - counts.played * chance + hat * (0.5 - chance)
        self.gradient = np.asarray((counts.pulls().T @ pull.T).T)
        self.value = (
            log_first @ counts.first_wins
            + log_second @ counts.second_wins
            + (log_size - np.log(level * m)) / 2
        )

    def steps(self, right: FloatArray) -> FloatArray:
        """Return the steps of Newton's method for right-hand sides of shape (points, items, k).

        The penalty is half a win more for each side of a pair, in proportion to its share in the
        fit. Steps count these judgments too: the information alone makes them too long, and with
        few judgments they would never arrive.
        """
        matrix, _ = _information(self._counts, self._weight * (1 + self._share))
        return np.asarray(np.linalg.solve(matrix, right))


def _information(counts: GroupCounts, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the information matrix at every point, made invertible, and what was added."""
    m, b = counts.n_items, len(weight)
    flat = np.zeros((b, m * m))
    flat[:, counts.first * m + counts.second] = -weight
    matrix = flat.reshape(b, m, m)
    matrix += matrix.transpose(0, 2, 1).copy()
    degree = -matrix.sum(axis=2)
    # The information ignores a common shift; a constant matrix makes it invertible.
    level = np.maximum(degree.mean(axis=1), 1e-300) / m
    matrix[:, np.arange(m), np.arange(m)] += degree
    matrix += level[:, None, None]
    return matrix, level


def firth_fit(counts: GroupCounts) -> FirthFit:
    """Return the scores that maximise the penalised likelihood, by Fisher scoring.

    Parameters
    ----------
    counts : GroupCounts
        Of one connected group.

    Returns
    -------
    FirthFit

    Raises
    ------
    RatifyError
        If the maximum is not found in 100 steps.

    References
    ----------
    Firth, D. (1993). Biometrika 80, 27-38. Kosmidis, I. and Firth, D. (2021). Biometrika 108,
    71-82.
    """
    score = np.zeros((1, counts.n_items))
    here = _Penalised(counts, score)
    for _ in range(_MOST_STEPS):
        if np.abs(here.gradient).max() <= _TOLERANCE * max(1.0, float(counts.played.max())):
            return FirthFit(score[0], here.inverse[0])
        step = _shortened(here.steps(here.gradient[:, :, None])[:, :, 0])
        for _ in range(30):
            there = _Penalised(counts, score + step)
            if there.value[0] >= here.value[0] - 1e-12 * abs(here.value[0]):
                break
            step = step / 2
        score, here = score + step, there
        score -= score.mean(axis=1, keepdims=True)
    raise RatifyError(
        "the penalised scores were not found", allowed="fewer items, or the penalty 'ridge'"
    )


def profile_ends(counts: GroupCounts, fit: FirthFit, quantile: FloatArray) -> FloatArray:
    """Return the ends of the profile penalised likelihood interval of every score.

    Parameters
    ----------
    counts : GroupCounts
    fit : FirthFit
    quantile : float array of shape (n_items,)
        Of the root of the likelihood ratio: 1.96 for 95% if judgments are independent.

    Returns
    -------
    float array of shape (n_items, 2)
        NaN where an end was not found.

    Notes
    -----
    For a value of one score all others are refitted; an end is where the root of twice the loss of
    penalised log likelihood is the quantile (Heinze and Schemper 2002). The score is the item's
    difference from the mean of its group.

    References
    ----------
    Heinze, G. and Schemper, M. (2002). Statistics in Medicine 21, 2409-2419.
    """
    m = counts.n_items
    item, side = np.repeat(np.arange(m), 2), np.tile([-1.0, 1.0], m)
    width = max(1, _CELLS // (m * m))
    ends = [
        _ends(counts, fit, item[k : k + width], side[k : k + width], quantile)
        for k in range(0, 2 * m, width)
    ]
    return np.concatenate(ends).reshape(m, 2)


def _ends(
    counts: GroupCounts, fit: FirthFit, item: IntArray, side: FloatArray, quantile: FloatArray
) -> FloatArray:
    best = _Penalised(counts, fit.score[None]).value[0]
    wanted, rows = quantile[item], np.arange(len(item))
    error = np.sqrt(np.diagonal(fit.inverse)[item])
    value = fit.score[item] + side * wanted * error
    score = np.tile(fit.score, (len(item), 1))
    before, root_before = fit.score[item].copy(), np.zeros(len(item))
    found = np.full(len(item), np.nan)
    open_ends = rows
    for _ in range(_MOST_ENDS):
        some = open_ends
        score[some], level = _constrained(counts, score[some], item[some], value[some])
        root = np.sqrt(np.maximum(2 * (best - level), 0))
        done = np.abs(root - wanted[some]) <= _CLOSE
        found[some[done]] = value[some[done]]
        # The root is nearly a line in the value, so the secant finds its quantile.
        slope = (root - root_before[some]) / (value[some] - before[some])
        slope = np.where(slope * side[some] > 1e-6, slope, side[some] / error[some])
        step = np.clip((wanted[some] - root) / slope, -_LONGEST, _LONGEST)
        before[some], root_before[some] = value[some], root
        value[some] += step
        open_ends = some[~done]
        if not len(open_ends):
            break
    return found


def _constrained(
    counts: GroupCounts, score: FloatArray, item: IntArray, value: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return scores refitted with one item's score at a value, and their likelihood."""
    rows = np.arange(len(item))
    direction = np.full(score.shape, -1 / counts.n_items)
    direction[rows, item] += 1
    here = _Penalised(counts, score)
    for step_number in range(_MOST_INNER):
        towards, own = np.moveaxis(here.steps(np.stack([here.gradient, direction], 2)), 2, 0)
        pull = (value - score[rows, item] - towards[rows, item]) / own[rows, item]
        step = _shortened(towards + pull[:, None] * own)
        score = score + step
        here = _Penalised(counts, score)
        if step_number >= 1 and np.abs(step).max() < _CLOSE:
            break
    return score, here.value


def _shortened(step: FloatArray) -> FloatArray:
    """Return the steps, each shortened so that no score changes by more than the longest."""
    longest = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1, _LONGEST / np.maximum(longest, 1e-300)))
