"""The numbers behind Bradley-Terry: damped Newton on pair counts, all connected groups at once."""

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
# Cells evaluated at once: what they need stays in the cache.
_CHUNK = 1 << 15
# Up to these log-odds 1 - p holds the less likely outcome's probability p to ten digits.
_NEAR = 12.0
# Relative residual of the first step, which is far from the optimum; and the share of the
# tolerance that the residual of a last step may take up.
_ROUGHEST = 1e-2
_ARRIVAL = 0.1
# After a step so good the second derivative is as it was.
_SHORT = 1e-6
# Odds of a million to one: only a side that always wins goes there, and then never stops.
MAX_SIDE = 14.0


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
        Counts; cells may be empty in a resample.
    blocks : list of int array
        Items of each connected group; items in no block stay at 0.
    ridge : float
    start : float array of shape (n_items,)
        Scores to begin with, mean 0 in each block.
    side : float
        Side advantage to begin with.
    layout : Layout, optional
        `Layout(cells, blocks, n_items)`, where several fits share it.

    Raises
    ------
    RatifyError
        When the largest gradient is still above 1e-8 after 200 steps, or the side advantage
        grows without end.
    """
    layout = Layout(cells, blocks, len(start)) if layout is None else layout
    here = _Point.at(cells, start, side, ridge)
    # A sum over many judgments cannot be told from 0 more finely than its rounding.
    size = max(1.0, float(np.max(cells.first_wins + cells.second_wins, initial=0.0)))
    tolerance = max(GRADIENT_TOLERANCE, 1e-14 * size)
    rough, curvature = _ROUGHEST, None
    for _ in range(MAX_STEPS):
        if here.steepest <= tolerance:
            if abs(here.side) > MAX_SIDE:
                break
            curvature = Curvature(layout, here.weight, ridge)
            return Fit(here.score, here.side, curvature)
        # No step need be more exact than to arrive, and a last short one turns as the one before.
        enough = max(rough, _ARRIVAL * tolerance / here.steepest)
        if curvature is None or enough < _ROUGHEST or rough > _SHORT:
            curvature = Curvature(layout, here.weight, ridge)
        step = curvature.step(here.gradient, here.side_gradient, min(enough, _ROUGHEST))
        before, here = here, _damped(cells, ridge, here, *step)
        # As exact as Newton's own progress, which is quadratic (Eisenstat and Walker 1996).
        rough = max(0.3 * (here.steepest / before.steepest) ** 2, 1e-10)
    raise RatifyError(
        "Bradley-Terry found no finite estimate: scores or side advantage grow without end",
        allowed="a ridge above 0, and both sides chosen at least once",
    )


@dataclass(frozen=True)
class _Point:
    """The slope of the objective at one place, and the weight of every cell in its curvature."""

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
        """Return the length of the gradient, which every step of Newton shortens at first."""
        return math.hypot(float(np.linalg.norm(self.gradient)), self.side_gradient)

    @classmethod
    def at(cls, cells: Cells, score: FloatArray, side: float, ridge: float) -> _Point:
        """Evaluate with one exponential a cell, which cannot overflow."""
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
    """Write what `_evaluate` does, where no odds are so long that it takes its care."""
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
    # The less likely outcome's probability, from no difference of near-equal numbers.
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
    # Only rounding is left: no step is visibly better.
    return _Point.at(cells, here.score - step, here.side - side_step, ridge)
