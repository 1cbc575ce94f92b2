"""Bradley-Terry scores from counts of pairs: checks Ford's condition, then fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.ranking.codes import coded_judgments
from analysis.ranking.newton import newton
from analysis.ranking.pair_counts import Cells, count_votes
from analysis.ranking.result import Structure, structure_of
from analysis.ranking.side import require_side
from analysis.ranking.standard_errors import Problem
from prereg.errors import RatifyError

# 1.7 squared: a logistic curve is nearly a normal one with this variance.
_LOGISTIC_VARIANCE = 2.89


@dataclass(frozen=True)
class Scores:
    """Scores without their errors.

    Attributes
    ----------
    score : float array of shape (n_items,)
        Log-odds, mean 0 within each connected group; NaN if there is no finite estimate: for an
        item without judgments and, without a ridge, for an item outside its main group.
    component : int array of shape (n_items,)
        Connected group, from 0; -1 for an item without judgments. Scores of different groups
        have no common scale.
    only_ridge : bool array of shape (n_items,)
        Whether a score is finite only because of the ridge (never lost or never won, directly or
        indirectly).
    side : float
        Log-odds of the left side; 0 if it was not asked for.
    """

    score: FloatArray
    component: IntArray
    only_ridge: BoolArray
    side: float


def fit_codes(
    left: IntArray,
    right: IntArray,
    left_won: BoolArray,
    n_items: int,
    *,
    ridge: float = 0.02,
    side_advantage: bool = False,
) -> Scores:
    """Score items from integer codes, arrays in and arrays out: the fit inside `bradley_terry`.

    Parameters
    ----------
    left, right : int array of shape (n_judgments,)
        Item on each side, from 0 to `n_items` - 1.
    left_won : bool array of shape (n_judgments,)
    n_items : int
    ridge, side_advantage
        As in `bradley_terry`; the model, source and gradient (at most 1e-8) are the same.

    Raises
    ------
    RatifyError
        On no judgments, arrays of unequal length or wrong type, codes out of range, an item
        compared with itself, a ridge below 0, and if there is no finite estimate.
    """
    if not (np.isfinite(ridge) and ridge >= 0):
        raise RatifyError("ridge is out of range", value=ridge, allowed="a number from 0")
    left, right, left_won = coded_judgments(left, right, left_won, n_items)
    cells = count_votes(left, right, left_won, n_items, ordered=side_advantage)
    itself = np.flatnonzero(cells.first == cells.second)
    if len(itself):
        bad = int(cells.first[itself[0]])
        raise RatifyError(
            "an item is compared with itself", value=bad, allowed="two different items"
        )
    groups = structure_of(cells, n_items)
    main = main_groups(groups)
    problem = restrict(cells, groups, main, np.empty(0, dtype=np.int64), ridge)
    if side_advantage:
        require_side(problem.cells, n_items)
    fit = newton(problem.cells, problem.blocks, ridge=ridge, start=first_guess(problem, groups))
    played = groups.wins + groups.losses > 0
    outside = groups.strong != main[groups.component]
    unscored = ~played | (outside if ridge == 0 else False)
    return Scores(
        np.where(unscored, np.nan, fit.score),
        np.where(played, groups.component, -1),
        outside & ~unscored,
        fit.side,
    )


def restrict(
    cells: Cells, groups: Structure, main: IntArray, cluster: IntArray, ridge: float
) -> Problem:
    """Return the counts to fit: without a ridge, only judgments within a main group.

    Parameters
    ----------
    cells : Cells
    groups : Structure
    main : int array
        From `main_groups`.
    cluster : int array of shape (n_judgments,)
        Empty if the cells do not have the cell of each judgment.
    ridge : float
    """
    inside = groups.strong == main[groups.component]
    if ridge > 0:
        inside = np.ones(len(inside), dtype=bool)
    elif not inside.all():
        usable = inside[cells.first] & inside[cells.second]
        keep = usable[cells.of_judgment]
        place = np.cumsum(usable) - 1
        cells = replace(
            cells,
            first=cells.first[usable],
            second=cells.second[usable],
            first_wins=cells.first_wins[usable],
            second_wins=cells.second_wins[usable],
            of_judgment=place[cells.of_judgment[keep]],
            first_won=cells.first_won[keep],
        )
        cluster = cluster[keep] if len(cluster) else cluster
    if inside.all() and not groups.component.any():
        return Problem(cells, [np.arange(len(inside))], cluster, ridge)
    label = np.where(inside, groups.component, -1)
    order = np.argsort(label, kind="stable")
    edges = np.flatnonzero(np.diff(label[order])) + 1
    blocks = [items for items in np.split(order, edges) if label[items[0]] >= 0]
    return Problem(cells, blocks, cluster, ridge)


def first_guess(problem: Problem, groups: Structure) -> FloatArray:
    """Return initial scores, mean 0 in each group, which save a step or two of Newton.

    An item's log-odds of winning are stretched by the spread of its opponents, and moved by their
    mean: the normal approximation of Cohen (1979), British Journal of Mathematical and Statistical
    Psychology 32, 113-120.
    """
    cells, n = problem.cells, len(groups.wins)
    odds = np.log(groups.wins + 0.5) - np.log(groups.losses + 0.5)
    guess = _centred(odds, problem.blocks)
    count = cells.first_wins + cells.second_wins
    met = cells.by_first(count * guess.take(cells.second), n)
    met += cells.by_second(count * guess.take(cells.first), n)
    met /= np.maximum(groups.wins + groups.losses, 1)
    for items in problem.blocks:
        odds[items] *= np.sqrt(1 + guess[items].var() / _LOGISTIC_VARIANCE)
    return _centred(met + odds, problem.blocks)


def _centred(values: FloatArray, blocks: list[IntArray]) -> FloatArray:
    """Return the values minus their mean in each group, 0 outside all groups."""
    centred = np.zeros(len(values))
    for items in blocks:
        centred[items] = values[items] - values[items].mean()
    return centred


def main_groups(groups: Structure) -> IntArray:
    """Return for every component the strong group that has scores without a ridge, or -1.

    This is the group with most items, then with most comparisons, then with the first item.
    """
    strong, played = groups.strong, groups.wins + groups.losses
    if not strong.any() and len(strong) > 1:  # all items are one group
        return np.zeros(1, dtype=np.int64)
    items = np.bincount(strong)
    comparisons = np.bincount(strong, played)
    component = np.zeros(len(items), dtype=np.int64)
    component[strong] = groups.component
    best = np.lexsort((-np.arange(len(items)), comparisons, items))
    best = best[items[best] > 1]
    main = np.full(int(groups.component.max()) + 1, -1, dtype=np.int64)
    # The last value written remains, which is the best of its component.
    main[component[best]] = best
    return main
