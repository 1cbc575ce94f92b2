"""Fits Bradley-Terry by damped Newton on counts of pairs, for all connected groups at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.ranking.curvature import Curvature, Layout
from analysis.ranking.pair_counts import Cells
from prereg.errors import RatifyError

GRADIENT_TOLERANCE = 1e-8
MAX_STEPS = 200
MAX_HALVINGS = 40
# Cells evaluated at once, few enough to stay in the cache.
_CHUNK = 1 << 15
# Up to these log-odds 1 - p gives the less likely outcome's probability to ten digits.
_NEAR = 12.0
# Relative residual of the first step, which is far from the optimum; and the largest residual of
# a last step, as a share of the tolerance.
_ROUGHEST = 1e-2
_ARRIVAL = 0.1
# After a step with so small a residual the second derivative has hardly changed.
_SHORT = 1e-6
# Odds of a million to one: only a side that always wins gets there, and it has no finite estimate.
MAX_SIDE = 14.0


@dataclass(frozen=True)
class Fit:
    """The point where Newton's method stopped.

    Attributes
    ----------
    score : float array of shape (n_items,)
    side : float
        Log-odds of the left side; 0 if the cells ignore the side.
    curvature : Curvature
        Second derivative at this point, ready for solving.
    """

    score: FloatArray
    side: float
    curvature: Curvature


def log_odds(cells: Cells, score: FloatArray, side: float) -> FloatArray:
    """Return the log-odds that the first item of each cell wins."""
    odds = score[cells.first]
    odds -= score[cells.second]
    if cells.side:
        odds += side
    return odds


def newton(
    cells: Cells,
    blocks: list[IntArray],
    *,
    ridge: float,
    start: FloatArray,
    side: float = 0.0,
    layout: Layout | None = None,
) -> Fit:
    """Minimise -log likelihood + ridge / 2 * sum(score^2).

    Parameters
    ----------
    cells : Cells
        Counts of judgments; cells may be empty in a resample.
    blocks : list of int array
        Items of each connected group; items outside all blocks stay at 0.
    ridge : float
    start : float array of shape (n_items,)
        Initial scores, mean 0 in each block.
    side : float
        Initial side advantage.
    layout : Layout, optional
        `Layout(cells, blocks, n_items)`, if several fits share it.

    Raises
    ------
    RatifyError
        If the largest gradient is still above 1e-8 after 200 steps, or the side advantage
        grows without limit.
    """
    layout = Layout(cells, blocks, len(start)) if layout is None else layout
    here = _Point.at(cells, start, side, ridge)
    # A sum over many judgments cannot be closer to 0 than its rounding error.
    size = max(1.0, float(np.max(cells.first_wins + cells.second_wins, initial=0.0)))
    tolerance = max(GRADIENT_TOLERANCE, 1e-14 * size)
    rough, curvature = _ROUGHEST, None
    for _ in range(MAX_STEPS):
        if here.steepest <= tolerance:
            if abs(here.side) > MAX_SIDE:
                break
            curvature = Curvature(layout, here.weight, ridge)
            return Fit(here.score, here.side, curvature)
        # A step only has to be exact enough to converge; a last short one can reuse the curvature.
        enough = max(rough, _ARRIVAL * tolerance / here.steepest)
        if curvature is None or enough < _ROUGHEST or rough > _SHORT:
            curvature = Curvature(layout, here.weight, ridge)
        step = curvature.step(here.gradient, here.side_gradient, min(enough, _ROUGHEST))
        before, here = here, _damped(cells, ridge, here, *step)
        # As exact as the quadratic convergence of Newton's method (Eisenstat and Walker 1996).
        rough = max(0.3 * (here.steepest / before.steepest) ** 2, 1e-10)
    raise RatifyError(
        "Bradley-Terry found no finite estimate: scores or side advantage grow without limit",
        allowed="a ridge above 0, and both sides chosen at least once",
    )


@dataclass(frozen=True)
class _Point:
    """The gradient of the objective at one point, and the weight of every cell in its curvature."""

    score: FloatArray
    side: float
    gradient: FloatArray
    side_gradient: float
    weight: FloatArray

    @property
    def steepest(self) -> float:
        return max(float(np.abs(self.gradient).max(initial=0.0)), abs(self.side_gradient))

    @property
    def steepness(self) -> float:
        """Return the length of the gradient, which a short enough Newton step always reduces."""
        return math.hypot(float(np.linalg.norm(self.gradient)), self.side_gradient)

    @classmethod
    def at(cls, cells: Cells, score: FloatArray, side: float, ridge: float) -> _Point:
        """Evaluate with one exponential per cell, which cannot overflow."""
        n, n_cells = len(score), len(cells.first)
        excess, weight = np.empty(n_cells), np.empty(n_cells)
        near = float(np.ptp(score)) + abs(side) < _NEAR if n else True
        evaluate = _evaluate_near if near else _evaluate
        for begin in range(0, n_cells, _CHUNK):
            some = slice(begin, begin + _CHUNK)
            evaluate(cells, some, score, side, excess[some], weight[some])
        pull = cells.by_first(excess, n) - cells.by_second(excess, n)
        side_gradient = -cells.side * float(excess.sum())
        return cls(score, side, ridge * score - pull, side_gradient, weight)


def _evaluate_near(
    cells: Cells,
    some: slice,
    score: FloatArray,
    side: float,
    excess: FloatArray,
    weight: FloatArray,
) -> None:
    """Write the same as `_evaluate`, faster, for odds that are not extreme."""
    odds = score.take(cells.first[some])
    odds -= score.take(cells.second[some])
    if cells.side:
        odds += side
    first_chance = np.exp(odds, out=odds)
    first_chance += 1
    second_chance = 1 / first_chance
    np.subtract(1, second_chance, out=first_chance)
    second_wins = cells.second_wins[some]
    np.add(cells.first_wins[some], second_wins, out=excess)
    excess *= second_chance
    np.multiply(excess, first_chance, out=weight)
    excess -= second_wins


def _evaluate(
    cells: Cells,
    some: slice,
    score: FloatArray,
    side: float,
    excess: FloatArray,
    weight: FloatArray,
) -> None:
    """Write wins beyond expectation and curvature weights of some cells."""
    odds = score[cells.first[some]]
    odds -= score[cells.second[some]]
    if cells.side:
        odds += side
    ahead = odds > 0
    np.abs(odds, out=odds)
    np.negative(odds, out=odds)
    upset = np.exp(odds, out=odds)
    likelier = 1 / (1 + upset)
    # The less likely outcome's probability, without subtracting nearly equal numbers.
    upset *= likelier
    first_wins, second_wins = cells.first_wins[some], cells.second_wins[some]
    expected = np.where(ahead, first_wins, second_wins)
    upsets = first_wins + second_wins
    np.multiply(upsets, upset, out=weight)
    weight *= likelier
    upsets -= expected
    expected *= upset
    upsets *= likelier
    expected -= upsets
    np.negative(expected, out=excess, where=~ahead)
    np.copyto(excess, expected, where=ahead)


def _damped(cells: Cells, ridge: float, here: _Point, step: FloatArray, side_step: float) -> _Point:
    """Return the point after the longest halved step that makes the gradient shorter."""
    for halving in range(MAX_HALVINGS):
        length = 0.5**halving
        there = _Point.at(cells, here.score - length * step, here.side - length * side_step, ridge)
        if there.steepness <= (1 - 1e-4 * length) * here.steepness:
            return there
    # Only rounding errors are left, so no step reduces the gradient.
    return _Point.at(cells, here.score - step, here.side - side_step, ridge)
