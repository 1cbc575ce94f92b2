"""Uncertainty of Bradley-Terry scores: the clustered sandwich, and the bootstrap over clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.special import expit

from analysis.newton import Fit, log_odds, newton
from analysis.paircounts import Cells, FloatArray, IntArray, connected_groups, sum_by, win_edges
from prereg.errors import RatifyError

# Numbers held at once while columns of the inverse, or resamples, are worked through.
_CHUNK_CELLS = 4_000_000


@dataclass(frozen=True)
class Problem:
    """What is fitted: counts of the judgments that carry information, and their groups.

    Attributes
    ----------
    cells : Cells
    blocks : list of int array
        Items of each group that gets scores.
    cluster : int array of shape (n_judgments,)
        Cluster of every counted judgment.
    ridge : float
    """

    cells: Cells
    blocks: list[IntArray]
    cluster: IntArray
    ridge: float


@dataclass(frozen=True)
class Errors:
    """Clustered standard errors.

    Attributes
    ----------
    se : float array of shape (n_items,)
        NaN for items without a score and where fewer than 2 clusters judged.
    clusters : int array of shape (n_items,)
        Clusters that judged the item's group.
    side_se : float
    side_clusters : int
    """

    se: FloatArray
    clusters: IntArray
    side_se: float
    side_clusters: int


def clustered_errors(problem: Problem, fit: Fit) -> Errors:
    """Return sandwich errors with the factor R / (R - 1)."""
    cells, n = problem.cells, len(fit.score)
    clusters = np.zeros(n, dtype=np.int64)
    se = np.full(n, np.nan)
    total = len(np.unique(problem.cluster))
    if not total:
        return Errors(se, clusters, np.nan, 0)
    scores = _cluster_scores(problem, fit)
    in_block = np.full(n, -1, dtype=np.int64)
    for number, items in enumerate(problem.blocks):
        in_block[items] = number
    block_of_judgment = in_block[cells.first[cells.of_judgment]]
    for number, items in enumerate(problem.blocks):
        members = np.unique(problem.cluster[block_of_judgment == number])
        clusters[items] = len(members)
        if len(members) > 1:
            factor = len(members) / (len(members) - 1)
            # Without a shared side advantage other groups' clusters have nothing to add.
            own = scores if cells.side else scores[members]
            se[items] = np.sqrt(factor * _variances(own, fit, items))
    side_se = np.nan
    if cells.side and total > 1:
        influence = scores @ np.append(*fit.curvature.solve(np.zeros((n, 1)), np.ones(1)))
        side_se = float(np.sqrt(total / (total - 1) * (influence @ influence)))
    return Errors(se, clusters, side_se, total)


def _cluster_scores(problem: Problem, fit: Fit) -> csr_array:
    """Return each cluster's gradient of the log likelihood, a row each, the side last."""
    cells, n = problem.cells, len(fit.score)
    odds = log_odds(cells, fit.score, fit.side)[cells.of_judgment]
    excess = np.where(cells.first_won, expit(-odds), -expit(odds))
    first, second = cells.first[cells.of_judgment], cells.second[cells.of_judgment]
    rows = [problem.cluster] * 3
    places = [first, second, np.full(len(first), n)]
    values = [excess, -excess, cells.side * excess]
    shape = (int(problem.cluster.max()) + 1, n + 1)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(places)))
    return coo_array(entries, shape=shape).tocsr()


def _variances(scores: csr_array, fit: Fit, items: IntArray) -> FloatArray:
    """Return the diagonal of A^-1 (sum u u') A^-1 at some items, a few columns at a time."""
    n = len(fit.score)
    width = max(1, _CHUNK_CELLS // max(scores.shape[0], n))
    parts = []
    for begin in range(0, len(items), width):
        some = items[begin : begin + width]
        unit = np.zeros((n, len(some)))
        unit[some, np.arange(len(some))] = 1.0
        solved, side = fit.curvature.solve(unit, np.zeros(len(some)))
        influence = scores @ np.vstack([solved, side])
        parts.append((influence**2).sum(axis=0))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Draws:
    """Scores of every resample.

    Attributes
    ----------
    score : float array of shape (resamples, n_items)
        NaN where a resample gives an item no finite estimate.
    side : float array of shape (resamples,)
    lost : int
        Resamples in which at least one group has no finite estimate.
    """

    score: FloatArray
    side: FloatArray
    lost: int


def bootstrap_scores(
    problem: Problem, fit: Fit, *, resamples: int, rng: np.random.Generator
) -> Draws:
    """Refit on resamples of whole clusters, each from the full fit's scores.

    Notes
    -----
    Clusters are drawn over all groups at once. An item that a resample does not hold has no score
    in it; without a ridge, neither has a group that Ford's condition fails in.
    """
    names, cluster = np.unique(problem.cluster, return_inverse=True)
    counts = _cluster_counts(problem.cells, cluster, len(names))
    score = np.full((resamples, len(fit.score)), np.nan)
    side = np.full(resamples, np.nan)
    lost = 0
    width = max(1, _CHUNK_CELLS // max(len(names), counts.shape[1]))
    for begin in range(0, resamples, width):
        drawn = rng.multinomial(
            len(names), np.full(len(names), 1 / len(names)), size=min(width, resamples - begin)
        )
        for row, (wins, losses) in enumerate(
            (np.split(both, 2) for both in (counts.T @ drawn.T).T), start=begin
        ):
            cells = replace(problem.cells, first_wins=wins, second_wins=losses)
            score[row], side[row], whole = _refit(replace(problem, cells=cells), fit)
            lost += not whole
    return Draws(score, side, lost)


def _cluster_counts(cells: Cells, cluster: IntArray, n_clusters: int) -> csr_array:
    """Return counts of shape (clusters, 2 x cells): wins of the first items, then of the second."""
    n_cells = len(cells.first)
    place = cells.of_judgment + np.where(cells.first_won, 0, n_cells)
    entries = (np.ones(len(place)), (cluster, place))
    return coo_array(entries, shape=(n_clusters, 2 * n_cells)).tocsr()


def _refit(problem: Problem, fit: Fit) -> tuple[FloatArray, float, bool]:
    """Return scores, side, and whether every group had a finite estimate in this resample."""
    cells, n = problem.cells, len(fit.score)
    blocks, usable = problem.blocks, np.ones(len(cells.first), dtype=bool)
    if problem.ridge == 0:
        winner, loser = win_edges(cells)
        _, strong = connected_groups(winner, loser, n, strong=True)
        blocks = [items for items in blocks if (strong[items] == strong[items[0]]).all()]
        kept = np.zeros(n, dtype=bool)
        kept[np.concatenate([*blocks, np.empty(0, dtype=np.int64)])] = True
        usable = kept[cells.first]
    some = replace(
        cells, first=cells.first[usable], second=cells.second[usable],
        first_wins=cells.first_wins[usable], second_wins=cells.second_wins[usable],
    )  # fmt: skip
    try:
        again = newton(some, blocks, ridge=problem.ridge, start=fit.score, side=fit.side)
    except RatifyError:
        return np.full(n, np.nan), np.nan, False
    played = some.first_wins + some.second_wins
    degree = sum_by(some.first, played, n) + sum_by(some.second, played, n)
    score = np.where(degree > 0, again.score, np.nan)
    return score, again.side, len(blocks) == len(problem.blocks)
