"""Uncertainty of Bradley-Terry scores, by the clustered sandwich or a bootstrap over clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from analysis.arrays import FloatArray, IntArray, runs, sum_by
from analysis.ranking.codes import dense_codes
from analysis.ranking.curvature import Layout
from analysis.ranking.groups import connected_groups
from analysis.ranking.newton import Fit, log_odds, newton
from analysis.ranking.pair_counts import Cells, win_edges
from prereg.errors import RatifyError

# Numbers kept in memory at once while resamples are processed.
_CHUNK_CELLS = 4_000_000
# Judgments, and columns of the inverse, processed at once.
_CHUNK = 1 << 15
_COLUMNS = 256
# With more clusters than this, a resample is drawn one cluster at a time.
_MANY_CLUSTERS = 10_000
# BLAS multiplies about this many times more numbers in the same time than a sparse product.
_DENSER = 8


@dataclass(frozen=True)
class Problem:
    """The data to fit: counts of the judgments with information, and their groups.

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
        NaN for items without a score and for groups that fewer than 2 clusters judged.
    clusters : int array of shape (n_items,)
        Number of clusters that judged the item's group.
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
    if not len(problem.cluster):
        return Errors(se, clusters, np.nan, 0)
    votes = ClusterScores(problem, fit)
    total = votes.n_clusters(None)
    for number, items in enumerate(problem.blocks):
        count = clusters[items] = votes.n_clusters(number)
        if count > 1:
            variance = _variances(votes, fit, number)
            se[items] = np.sqrt(count / (count - 1) * variance)
    side_se = np.nan
    if cells.side and total > 1:
        influence = np.append(*fit.curvature.solve(np.zeros((n, 1)), np.ones(1)))
        squares = sum(float(((rows @ influence) ** 2).sum()) for rows in votes.rows(None))
        side_se = float(np.sqrt(total / (total - 1) * squares))
    return Errors(se, clusters, side_se, total)


def _variances(votes: ClusterScores, fit: Fit, number: int) -> FloatArray:
    """Return the diagonal of A^-1 (sum u u') A^-1 at the items of one group."""
    cells, items = votes.problem.cells, votes.problem.blocks[number]
    if not cells.side:
        inverse = fit.curvature.inverse(number)
        if inverse is not None:
            return _dense_variances(votes.rows(number), inverse)
    # With a shared side advantage the clusters of every group contribute.
    n = len(fit.score)
    parts = []
    for begin in range(0, len(items), _COLUMNS):
        some = items[begin : begin + _COLUMNS]
        unit = np.zeros((n, len(some)))
        unit[some, np.arange(len(some))] = 1.0
        influence = np.vstack(fit.curvature.solve(unit, np.zeros(len(some))))
        parts.append(
            sum((_square_sums(rows @ influence) for rows in votes.rows(None)), np.zeros(len(some)))
        )
    return np.concatenate(parts)


def _dense_variances(chunks: Iterator[csr_array], inverse: FloatArray) -> FloatArray:
    """Return the same from the whole inverse, multiplying each chunk in the cheaper order."""
    m = len(inverse)
    variance, meat = np.zeros(m), np.zeros((m, m))
    for rows in chunks:
        if rows.shape[0] * m < _DENSER * rows.nnz:
            dense = rows.toarray()
            meat += dense.T @ dense
        else:
            variance += _square_sums(rows @ inverse)
    if meat.any():
        variance += np.einsum("ij,ij->i", inverse @ meat, inverse)
    return variance


def _square_sums(influence: FloatArray) -> FloatArray:
    sums: FloatArray = np.einsum("ij,ij->j", influence, influence)
    return sums


class ClusterScores:
    """Each cluster's gradient of the log likelihood, a few clusters at a time.

    Parameters
    ----------
    problem : Problem
    fit : Fit
    """

    def __init__(self, problem: Problem, fit: Fit) -> None:
        self.problem = problem
        cells, self._n = problem.cells, len(fit.score)
        odds = log_odds(cells, fit.score, fit.side)
        # One entry per cell and outcome: 2 x cell if the second item won, 1 more if the first won.
        self._excess = cells.weight * np.column_stack([-expit(odds), expit(-odds)]).ravel()
        self._block_of_cell = fit.curvature.layout.block_of[cells.first]
        self._place = fit.curvature.layout.place
        self._span = int(problem.cluster.max()) + 1
        self._alone = np.bincount(problem.cluster).max(initial=0) < 2
        if not self._alone:
            self._packed = self._pack()

    def _pack(self) -> IntArray:
        """Return group, cluster, cell and outcome of every judgment as one number, sorted."""
        cells = self.problem.cells
        packed = self.problem.cluster.copy()
        # With a shared side advantage, a cluster's judgments in several groups belong together.
        if len(self.problem.blocks) > 1 and not cells.side:
            packed += self._block_of_cell[cells.of_judgment] * self._span
        packed *= len(self._excess)
        packed += 2 * cells.of_judgment
        packed += cells.first_won
        packed.sort()
        return packed

    def n_clusters(self, number: int | None) -> int:
        """Return how many clusters judged a group, or any group if `number` is None."""
        if self._alone:
            inside = slice(None) if number is None else self._block_of_cell == number
            cells = self.problem.cells
            return int((cells.first_wins[inside] + cells.second_wins[inside]).sum())
        if number is None:
            return int(np.count_nonzero(np.bincount(self.problem.cluster)))
        if self.problem.cells.side:
            inside = self._block_of_cell[self.problem.cells.of_judgment] == number
            return int(np.count_nonzero(np.bincount(self.problem.cluster[inside])))
        begin, end = self._bounds(number)
        return len(runs(self._packed[begin:end] // len(self._excess)))

    def _bounds(self, number: int | None) -> tuple[int, int]:
        if number is None:
            return 0, len(self._packed)
        edges = np.array([number, number + 1]) * (self._span * len(self._excess))
        begin, end = np.searchsorted(self._packed, edges).tolist()
        return begin, end

    def rows(self, number: int | None) -> Iterator[csr_array]:
        """Yield the rows of the clusters of one group, with one column per item of the group.

        None yields the clusters of every group, with one column per item and the side last;
        without a side, a cluster has one row per group that it judged.
        """
        cells = self.problem.cells
        if self._alone:
            inside = np.arange(len(cells.first))
            if number is not None:
                inside = inside[self._block_of_cell == number]
            # Judgments of one cell and outcome have the same gradient, so they share one row.
            wins = np.column_stack([cells.second_wins, cells.first_wins]).ravel()
            code = np.repeat(2 * inside, 2)
            code[1::2] += 1
            values = self._excess[code] * np.sqrt(wins[code])
            for begin in range(0, len(code), _CHUNK):
                some = slice(begin, begin + _CHUNK)
                yield self._matrix(code[some], values[some], None, number)
            return
        begin, last = self._bounds(number)
        span = len(self._excess)
        while begin < last:
            end = self._cluster_edge(begin, min(begin + _CHUNK, last), last)
            group = self._packed[begin:end] // span
            code = self._packed[begin:end] - group * span
            yield self._matrix(code, self._excess[code], group, number)
            begin = end

    def _cluster_edge(self, begin: int, end: int, last: int) -> int:
        """Return the end of a chunk, moved so that no cluster is split."""
        if end == last:
            return last
        span = len(self._excess)
        group = int(self._packed[end]) // span
        edge = int(np.searchsorted(self._packed, group * span))
        return edge if edge > begin else int(np.searchsorted(self._packed, (group + 1) * span))

    def _matrix(
        self, code: IntArray, values: FloatArray, group: IntArray | None, number: int | None
    ) -> csr_array:
        cells, width = self.problem.cells, 3 if number is None else 2
        first, second = cells.first[code >> 1], cells.second[code >> 1]
        columns = np.full((len(code), width), self._n, dtype=np.int32)
        entries = np.empty((len(code), width))
        if number is None:
            columns[:, 0], columns[:, 1] = first, second
            entries[:, 2] = cells.side * values
        else:
            columns[:, 0], columns[:, 1] = self._place[first], self._place[second]
        entries[:, 0], entries[:, 1] = values, -values
        begins = np.arange(len(code)) if group is None else runs(group)
        starts = np.append(begins, len(code)) * width
        n_columns = self._n + 1 if number is None else len(self.problem.blocks[number])
        shape = (len(begins), n_columns)
        return csr_array((entries.ravel(), columns.ravel(), starts), shape=shape)


@dataclass(frozen=True)
class Draws:
    """Scores of every resample.

    Attributes
    ----------
    score : float array of shape (resamples, n_items)
        NaN if an item has no finite estimate in a resample.
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
    """Refit on resamples of whole clusters, starting from the scores of the full fit.

    Notes
    -----
    Clusters are drawn over all groups at once. An item that is not in a resample has no score in
    it; without a ridge, neither has a group in which Ford's condition fails.
    """
    cells = problem.cells
    cluster, names = dense_codes(problem.cluster)
    n_clusters, n_cells = len(names), len(cells.first)
    counts = _cluster_counts(cells, cluster, n_clusters)
    layout = fit.curvature.layout
    score = np.full((resamples, len(fit.score)), np.nan)
    side = np.full(resamples, np.nan)
    lost = 0
    width = max(1, _CHUNK_CELLS // max(n_clusters, 2 * n_cells))
    for begin in range(0, resamples, width):
        drawn = _drawn_clusters(n_clusters, min(width, resamples - begin), rng)
        wins = (counts @ drawn.T.astype(np.int32)).T * cells.weight
        for row, both in enumerate(wins, start=begin):
            again = replace(cells, first_wins=both[n_cells:], second_wins=both[:n_cells])
            score[row], side[row], whole = _refit(replace(problem, cells=again), fit, layout)
            lost += not whole
    return Draws(score, side, lost)


def _drawn_clusters(n_clusters: int, resamples: int, rng: np.random.Generator) -> IntArray:
    """Return how often each cluster is in each resample, one row per resample."""
    if n_clusters <= _MANY_CLUSTERS:
        even = np.full(n_clusters, 1 / n_clusters)
        return rng.multinomial(n_clusters, even, size=resamples)
    # Drawing one by one has the same distribution, and is faster for many clusters.
    return np.array(
        [
            np.bincount(rng.integers(n_clusters, size=n_clusters), None, n_clusters)
            for _ in range(resamples)
        ]
    )


def _cluster_counts(cells: Cells, cluster: IntArray, n_clusters: int) -> csr_array:
    """Return counts of shape (2 x cells, clusters): wins of second items, then of first items."""
    n_cells = len(cells.first)
    packed = np.where(cells.first_won, n_cells, 0)
    packed += cells.of_judgment
    packed *= n_clusters
    packed += cluster
    packed.sort()
    packed %= n_clusters
    rows = np.append(cells.second_wins, cells.first_wins) / cells.weight
    starts = np.concatenate([[0], np.cumsum(rows)])
    ones = np.ones(len(packed), dtype=np.int32)
    entries = (ones, packed.astype(np.int32), starts.astype(np.int32))
    return csr_array(entries, shape=(2 * n_cells, n_clusters))


def _refit(problem: Problem, fit: Fit, layout: Layout) -> tuple[FloatArray, float, bool]:
    """Return scores, side, and whether every group has a finite estimate in this resample."""
    cells, n = problem.cells, len(fit.score)
    blocks, some = problem.blocks, cells
    if problem.ridge == 0:
        winner, loser = win_edges(cells)
        _, strong = connected_groups(winner, loser, n, strong=True)
        blocks = [items for items in blocks if (strong[items] == strong[items[0]]).all()]
        if len(blocks) < len(problem.blocks):
            kept = np.zeros(n, dtype=bool)
            kept[np.concatenate([*blocks, np.empty(0, dtype=np.int64)])] = True
            usable = kept[cells.first]
            some = replace(
                cells,
                first=cells.first[usable],
                second=cells.second[usable],
                first_wins=cells.first_wins[usable],
                second_wins=cells.second_wins[usable],
            )
            layout = Layout(some, blocks, n)
    try:
        again = newton(
            some, blocks, ridge=problem.ridge, start=fit.score, side=fit.side, layout=layout
        )
    except RatifyError:
        return np.full(n, np.nan), np.nan, False
    played = some.first_wins + some.second_wins
    degree = sum_by(some.first, played, n) + sum_by(some.second, played, n)
    score = np.where(degree > 0, again.score, np.nan)
    return score, again.side, len(blocks) == len(problem.blocks)
