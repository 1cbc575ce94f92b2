"""The numbers behind Bradley-Terry: damped Newton on pair counts, one block a connected group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import LinearOperator, cg, splu
from scipy.special import expit

from analysis.paircounts import Cells, FloatArray, IntArray, sum_by
from prereg.errors import RatifyError

GRADIENT_TOLERANCE = 1e-8
MAX_STEPS = 200
MAX_HALVINGS = 40
# Odds of a million to one: only a side that always wins goes there, and then never stops.
MAX_SIDE = 14.0
# Up to this size a group is solved by Cholesky; above, by conjugate gradients on its pairs.
DENSE_ITEMS = 1000


@dataclass(frozen=True)
class Fit:
    """Where Newton stopped.

    Attributes
    ----------
    score : float array of shape (n_items,)
    side : float
        Log-odds of the left side, 0 where the cells ignore it.
    curvature : Curvature
        Second derivative there, ready to be solved with.
    """

    score: FloatArray
    side: float
    curvature: Curvature


def log_odds(cells: Cells, score: FloatArray, side: float) -> FloatArray:
    """Return the log-odds that the first item of each cell wins."""
    return score[cells.first] - score[cells.second] + cells.side * side


def newton(
    cells: Cells,
    blocks: list[IntArray],
    *,
    ridge: float,
    start: FloatArray,
    side: float = 0.0,
) -> Fit:
    """Minimise -log likelihood + ridge / 2 * sum(score^2).

    Parameters
    ----------
    cells : Cells
        Counts; cells may be empty in a resample.
    blocks : list of int array
        Items of each connected group; items in no block stay at 0.
    ridge : float
    start : float array of shape (n_items,)
        Scores to begin with, mean 0 in each block.
    side : float
        Side advantage to begin with.

    Raises
    ------
    RatifyError
        When the largest gradient is still above 1e-8 after 200 steps, or the side advantage
        grows without end.
    """
    score = start
    value = _objective(cells, score, side, ridge)
    # A sum over many judgments cannot be told from 0 more finely than its rounding.
    size = max(1.0, float(np.max(cells.first_wins + cells.second_wins, initial=0.0)))
    tolerance = max(GRADIENT_TOLERANCE, 1e-14 * size)
    for _ in range(MAX_STEPS):
        gradient, side_gradient = _gradient(cells, score, side, ridge)
        curvature = Curvature(cells, blocks, score, side, ridge)
        if max(float(np.abs(gradient).max()), abs(side_gradient)) <= tolerance:
            if abs(side) > MAX_SIDE:
                break
            return Fit(score, side, curvature)
        step, side_step = curvature.solve(gradient[:, None], np.array([side_gradient]))
        score, side, value = _damped(
            cells, ridge, (score, side, value), (step[:, 0], float(side_step[0]))
        )
    raise RatifyError(
        "Bradley-Terry found no finite estimate: scores or side advantage grow without end",
        allowed="a ridge above 0, and both sides chosen at least once",
    )


def _damped(
    cells: Cells,
    ridge: float,
    here: tuple[FloatArray, float, float],
    step: tuple[FloatArray, float],
) -> tuple[FloatArray, float, float]:
    """Return score, side and objective after the longest halved step that does not go uphill."""
    score, side, value = here
    # Close to the optimum a good step changes the objective by less than its rounding.
    slack = 1e-12 * (1.0 + abs(value))
    for halving in range(MAX_HALVINGS):
        length = 0.5**halving
        tried, tried_side = score - length * step[0], side - length * step[1]
        reached = _objective(cells, tried, tried_side, ridge)
        if reached <= value + slack:
            return tried, tried_side, reached
    return here


def _objective(cells: Cells, score: FloatArray, side: float, ridge: float) -> float:
    odds = log_odds(cells, score, side)
    loss = cells.first_wins @ np.logaddexp(0, -odds) + cells.second_wins @ np.logaddexp(0, odds)
    return float(loss + ridge / 2 * (score @ score))


def _gradient(
    cells: Cells, score: FloatArray, side: float, ridge: float
) -> tuple[FloatArray, float]:
    odds = log_odds(cells, score, side)
    # Wins beyond expectation, written so that no two near-equal numbers are subtracted.
    excess = cells.first_wins * expit(-odds) - cells.second_wins * expit(odds)
    n = len(score)
    pull = sum_by(cells.first, excess, n) - sum_by(cells.second, excess, n)
    return ridge * score - pull, -cells.side * float(excess.sum())


class Curvature:
    """The second derivative at one point, solved block by block with the side as a border.

    Parameters
    ----------
    cells : Cells
    blocks : list of int array
        Items of each connected group.
    score : float array of shape (n_items,)
    side : float
    ridge : float

    Notes
    -----
    Within a block right-hand sides sum to 0 (every judgment adds as much to its winner as it takes
    from its loser), and so do solutions: adding a constant matrix changes neither, and makes
    the block invertible without a ridge.
    """

    def __init__(
        self, cells: Cells, blocks: list[IntArray], score: FloatArray, side: float, ridge: float
    ) -> None:
        odds = log_odds(cells, score, side)
        weight = (cells.first_wins + cells.second_wins) * expit(odds) * expit(-odds)
        n = len(score)
        self._blocks = [
            _block(cells, weight, items, ridge, single=len(blocks) == 1, n_items=n)
            for items in blocks
        ]
        self._border: FloatArray | None = None
        if cells.side:
            border = sum_by(cells.first, weight, n) - sum_by(cells.second, weight, n)
            self._border = border[:, None]
            self._behind = self._solve_blocks(border[:, None])
            self._corner = float(weight.sum() - border @ self._behind[:, 0])

    def _solve_blocks(self, right: FloatArray) -> FloatArray:
        solved = np.zeros_like(right)
        for block in self._blocks:
            part = right[block.items]
            if part.any():
                solved[block.items] = block.solve(part - part.mean(axis=0))
        return solved

    def solve(self, right: FloatArray, side: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return items' and side's parts of the solution.

        Parameters
        ----------
        right : float array of shape (n_items, k)
        side : float array of shape (k,)
            Ignored where there is no side advantage.
        """
        solved = self._solve_blocks(right)
        if self._border is None:
            return solved, np.zeros(right.shape[1])
        side_solved = (side - (self._border * solved).sum(axis=0)) / self._corner
        return solved - self._behind * side_solved, side_solved


class _Dense:
    """A group small enough for Cholesky."""

    def __init__(self, items: IntArray, pairs: FloatArray, ridge: float) -> None:
        self.items = items
        m = len(items)
        matrix = -(pairs + pairs.T)
        degree = -matrix.sum(axis=1)
        matrix += max(float(degree.mean()), 1e-300) / m
        matrix[np.diag_indices(m)] += degree + ridge
        self._factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)

    def solve(self, right: FloatArray) -> FloatArray:
        solved: FloatArray = cho_solve(self._factor, right, check_finite=False)
        return solved


class _Sparse:
    """A large group: conjugate gradients, and a sparse factorisation where they stall (chains)."""

    def __init__(self, items: IntArray, pairs: csr_array, ridge: float) -> None:
        self.items = items
        weights = pairs + pairs.T
        degree = np.asarray(weights.sum(axis=1)).ravel()
        self._matrix = (diags_array(degree + ridge) - weights).tocsr()
        self._inverse_diagonal = 1 / (degree + ridge)

    def solve(self, right: FloatArray) -> FloatArray:
        return np.column_stack([self._solve_one(column) for column in right.T])

    def _solve_one(self, right: FloatArray) -> FloatArray:
        precondition = LinearOperator(
            self._matrix.shape, matvec=lambda x: self._inverse_diagonal * x, dtype=np.float64
        )
        solved, stalled = cg(self._matrix, right, rtol=1e-10, maxiter=500, M=precondition)
        if stalled:
            solved = np.zeros(len(right))
            # Solutions are defined up to a constant: hold the last item at 0.
            solved[:-1] = splu(self._matrix[:-1, :-1].tocsc()).solve(right[:-1])
        centred: FloatArray = solved - solved.mean()
        return centred


def _block(
    cells: Cells, weight: FloatArray, items: IntArray, ridge: float, *, single: bool, n_items: int
) -> _Dense | _Sparse:
    """Return one group's part of the curvature."""
    first, second = cells.first, cells.second
    m = len(items)
    if not (single and m == n_items):
        place = np.full(n_items, -1, dtype=np.int64)
        place[items] = np.arange(m)
        first, second = place[first], place[second]
        inside = (first >= 0) & (second >= 0)
        first, second, weight = first[inside], second[inside], weight[inside]
    if m <= DENSE_ITEMS:
        pairs = sum_by(first * m + second, weight, m * m).reshape(m, m)
        return _Dense(items, pairs, ridge)
    return _Sparse(items, coo_array((weight, (first, second)), shape=(m, m)).tocsr(), ridge)
