"""Turns judgments into integer codes, and codes into counts of pairs and connected groups.

Every ranking starts here. A node is an item within its scenario (or just an item if scenarios are
pooled); a choice of 'left' means that `left_id` won.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import BoolArray, FloatArray, IntArray, runs, sum_by
from analysis.ranking.codes import (
    cluster_codes,
    code_array,
    coded_judgments,
    dense_codes,
    item_codes,
    scenario_codes,
)
from analysis.tables import columns
from analysis.tables.columns import SIDES
from prereg.errors import RatifyError

# Codes are counted in a table of at most this many cells; with more, sorting packed numbers is
# faster and uses less memory.
_TABLE_CELLS = 4_000_000
# Judgments processed at once, few enough to stay in the cache.
_CHUNK = 1 << 17


@dataclass(frozen=True)
class Comparisons:
    """Judgments as integer codes, in row order.

    Attributes
    ----------
    items : DataFrame
        `scenario`, `item_id` of every node, sorted; the scenario is empty if pooled.
    left, right : int array of shape (n_judgments,)
        Node shown on each side.
    left_won : bool array of shape (n_judgments,)
    cluster : int array of shape (n_judgments,)
        Code of the cluster (rater) of each judgment; by default each is its own cluster.
    n_clusters : int
    pooled : bool
        True if scenarios were not separated.
    tied : bool array of shape (n_judgments,), optional
        Judgments in which neither side won; `left_won` says nothing about them. None: no ties.
    weight : float
        What one row counts: 1, or 1/2 after `in_halves`.
    """

    items: pd.DataFrame
    left: IntArray
    right: IntArray
    left_won: BoolArray
    cluster: IntArray
    n_clusters: int
    pooled: bool
    tied: BoolArray | None = None
    weight: float = 1.0

    @staticmethod
    def from_codes(
        left: IntArray,
        right: IntArray,
        left_won: BoolArray,
        *,
        names: Sequence[str],
        cluster: IntArray | None = None,
    ) -> Comparisons:
        """Make comparisons from integer codes, the fastest kind of input.

        Parameters
        ----------
        left, right : int array of shape (n_judgments,)
            Item shown on each side, an index into `names`.
        left_won : bool array of shape (n_judgments,)
        names : sequence of str
            Id of every item, each once. Items without judgments are left out.
        cluster : int array of shape (n_judgments,), optional
            Code of the rater of each judgment, from 0; by default each is its own cluster.

        Raises
        ------
        RatifyError
            On no judgments, arrays of unequal length or wrong type, codes out of range, a name
            that occurs more than once, and an item compared with itself.
        """
        return _from_codes(left, right, left_won, names, cluster)

    @property
    def n_items(self) -> int:
        """Number of nodes."""
        return len(self.items)

    @property
    def winner(self) -> IntArray:
        """Node that won each judgment."""
        return np.where(self.left_won, self.left, self.right)

    @property
    def loser(self) -> IntArray:
        """Node that lost each judgment."""
        return np.where(self.left_won, self.right, self.left)

    @property
    def is_clustered(self) -> bool:
        """Whether any two judgments share a cluster."""
        return self.n_clusters < len(self.left)

    def in_halves(self) -> Comparisons:
        """Return every judgment as two half judgments, so that a tie is half a win for each side.

        Both halves stay in the judgment's cluster. Without ties, nothing changes.
        """
        if self.tied is None:
            return self
        return replace(
            self,
            left=np.tile(self.left, 2),
            right=np.tile(self.right, 2),
            left_won=np.concatenate([self.left_won | self.tied, self.left_won & ~self.tied]),
            cluster=np.tile(self.cluster, 2),
            tied=None,
            weight=self.weight / 2,
        )


@dataclass(frozen=True)
class Cells:
    """Judgments counted by pair; log-odds that `first` wins are s_first - s_second + side * d.

    Attributes
    ----------
    first, second : int array of shape (n_cells,)
        Sorted by first, then second.
    first_wins, second_wins : float array of shape (n_cells,)
    side : {0, 1}
        1 if pairs are ordered as shown (`first` was on the left), 0 if the side is ignored.
    of_judgment : int array of shape (n_judgments,)
        Cell of every judgment; empty if only counts were asked for.
    first_won : bool array of shape (n_judgments,)
        Whether the first item of the cell won; empty if only counts were asked for.
    weight : float
        What one judgment counts: 1, or 1/2 for half judgments.
    """

    first: IntArray
    second: IntArray
    first_wins: FloatArray
    second_wins: FloatArray
    side: int
    of_judgment: IntArray
    first_won: BoolArray
    weight: float = 1.0

    @cached_property
    def _runs(self) -> tuple[IntArray, IntArray]:
        begins = runs(self.first)
        return begins, self.first[begins]

    def by_first(self, values: FloatArray, n: int) -> FloatArray:
        """Return for each of `n` items the sum of the values of cells where it is first."""
        begins, items = self._runs
        sums = np.zeros(n)
        if len(begins):
            sums[items] = np.add.reduceat(values, begins)
        return sums

    def by_second(self, values: FloatArray, n: int) -> FloatArray:
        """Return for each of `n` items the sum of the values of cells where it is second."""
        return sum_by(self.second, values, n)


def read_comparisons(
    judgments: pd.DataFrame, *, by: str | None, cluster: str | None, tie: str | None = None
) -> Comparisons:
    """Check judgments and code them.

    Parameters
    ----------
    judgments : DataFrame
        `left_id`, `right_id`, `choice`, and the columns named by `by` and `cluster`. Columns of
        ids may be text, categories (the same for both sides) or whole numbers; the last two are
        much faster.
    by : str or None
        Column that separates items, usually `scenario`. A table without a `scenario` column, or
        with an empty one, is one scenario.
    cluster : str or None
        Column of the cluster, usually `rater_id`; None makes every judgment its own cluster.
    tie : str, optional
        The choice that is half a win for each side; by default a tie is not a choice.

    Raises
    ------
    RatifyError
        On no rows, a missing column, an empty id, a choice other than left or right, and an item
        compared with itself.
    """
    columns.require_columns(judgments, "left_id", "right_id", "choice")
    columns.require_rows(judgments, "judgments")
    left, right, ids = item_codes(judgments)
    left_won, tied = _outcomes(judgments, tie)
    columns.refuse(
        judgments,
        "right_id",
        left == right,
        "is compared with itself",
        allowed="two different items",
    )
    scenario, scenarios = scenario_codes(judgments, by)
    keys = np.arange(len(ids))
    if scenario is not None:
        base = scenario * len(ids)
        node, keys = dense_codes(np.concatenate([base + left, base + right]))
        left, right = node[: len(left)], node[len(left) :]
    items = pd.DataFrame({"scenario": scenarios[keys // len(ids)], "item_id": ids[keys % len(ids)]})
    clusters, n_clusters = cluster_codes(judgments, cluster)
    return Comparisons(items, left, right, left_won, clusters, n_clusters, by is None, tied)


def _outcomes(judgments: pd.DataFrame, tie: str | None) -> tuple[BoolArray, BoolArray | None]:
    """Return where the left side won, and where neither side did; None if there are no ties."""
    tied = None if tie is None else judgments["choice"].eq(tie).fillna(False).to_numpy(dtype=bool)
    if tied is None or not tied.any():
        return columns.left_chosen(judgments), None
    decided = judgments.assign(choice=judgments["choice"].astype(object).mask(tied, SIDES[0]))
    return columns.left_chosen(decided) & ~tied, tied


def _from_codes(
    left: IntArray,
    right: IntArray,
    left_won: BoolArray,
    names: Sequence[str],
    cluster: IntArray | None,
) -> Comparisons:
    left, right, won = coded_judgments(left, right, left_won, len(names))
    itself = left == right
    if itself.any():
        at = int(itself.argmax())
        raise RatifyError(
            "an item is compared with itself",
            row=at,
            value=str(names[int(left[at])]),
            allowed="two different items; rows of codes count from 0",
        )
    ids = pd.Index(names).astype(str)
    if not ids.is_unique:
        raise RatifyError("a name occurs more than once", value=ids[ids.duplicated()][0])
    seen = np.zeros(len(ids), dtype=bool)
    seen[left] = seen[right] = True
    if not seen.all():
        place = np.cumsum(seen) - 1
        left, right, ids = place[left], place[right], ids[seen]
    items = pd.DataFrame({"scenario": "", "item_id": ids})
    if cluster is None:
        return Comparisons(items, left, right, won, np.arange(len(left)), len(left), True)
    codes, raters = dense_codes(code_array(cluster, "cluster", len(left), None))
    return Comparisons(items, left, right, won, codes, len(raters), True)


def count_pairs(data: Comparisons, *, ordered: bool, of_judgments: bool = True) -> Cells:
    """Count judgments by pair of items; cells are sorted by first, then second item.

    Parameters
    ----------
    data : Comparisons
    ordered : bool
        True counts (left, right) and (right, left) separately, which a side advantage needs.
    of_judgments : bool
        False leaves out the cell of each judgment, which saves time and memory.
    """
    left, right, left_won = data.left, data.right, data.left_won
    cells = count_votes(left, right, left_won, data.n_items, ordered=ordered)
    if data.weight != 1:
        first_wins, second_wins = cells.first_wins * data.weight, cells.second_wins * data.weight
        cells = replace(cells, first_wins=first_wins, second_wins=second_wins, weight=data.weight)
    if not of_judgments:
        return cells
    n, keys = data.n_items, cells.first * data.n_items + cells.second
    swap = np.zeros(len(left), dtype=bool) if ordered else left > right
    cell = np.where(swap, right * n + left, left * n + right)
    if n * n <= _TABLE_CELLS:
        place = np.zeros(n * n, dtype=np.int64)
        place[keys] = np.arange(len(keys))
        cell = place[cell]
    else:
        cell = np.searchsorted(keys, cell).astype(np.int64, copy=False)
    return replace(cells, of_judgment=cell, first_won=left_won != swap)


def count_votes(
    left: IntArray, right: IntArray, left_won: BoolArray, n_items: int, *, ordered: bool
) -> Cells:
    """Count codes of judgments by pair, without keeping the cell of each judgment.

    A self-comparison, which the caller must refuse, is a cell whose two items are the same.
    """
    by_table = 2 * n_items**2 <= min(_TABLE_CELLS, max(100_000, 16 * len(left)))
    counts = _count_in_table if by_table else _count_by_sorting
    keys, first_wins, second_wins = counts(left, right, left_won, n_items, ordered)
    first = keys // n_items
    second = keys - first * n_items
    return Cells(
        first.astype(np.int64),
        second.astype(np.int64),
        first_wins,
        second_wins,
        int(ordered),
        np.empty(0, dtype=np.int64),
        np.empty(0, dtype=bool),
    )


def _count_in_table(
    left: IntArray, right: IntArray, left_won: BoolArray, n: int, ordered: bool
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the pairs that occur as first * n + second, and the wins of each side."""
    counts = np.zeros(2 * n * n, dtype=np.int64)
    # A chunk shorter than the table would spend most time adding tables.
    size = max(_CHUNK, len(counts))
    room = np.empty(min(size, len(left)), dtype=np.int64)
    for begin in range(0, len(left), size):
        some = slice(begin, begin + size)
        key = room[: len(left[some])]
        np.multiply(left[some], n, out=key)
        key += right[some]
        key *= 2
        key += left_won[some].view(np.int8)
        counts += np.bincount(key, minlength=len(counts))
    second_wins, first_wins = counts.reshape(n, n, 2).transpose(2, 0, 1)
    if not ordered:
        first_wins, second_wins = (
            np.triu(first_wins + second_wins.T),
            np.triu(second_wins + first_wins.T),
        )
    keys = np.flatnonzero((first_wins + second_wins).ravel())
    return keys, first_wins.ravel()[keys].astype(float), second_wins.ravel()[keys].astype(float)


def _count_by_sorting(
    left: IntArray, right: IntArray, left_won: BoolArray, n: int, ordered: bool
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the same as `_count_in_table`, for when the table would be too large."""
    # Sorting shorter numbers takes half the time.
    short: Any = np.int32 if 2 * n * n < 1 << 31 else np.int64
    packed: NDArray[Any] = np.empty(len(left), dtype=short)
    for begin in range(0, len(left), _CHUNK):
        some = slice(begin, begin + _CHUNK)
        first, second, won = left[some], right[some], left_won[some]
        if not ordered:
            first, second = np.minimum(first, second), np.maximum(first, second)
            won = won != (left[some] > right[some])
        key = np.multiply(first, n, out=packed[some], casting="same_kind")
        key += second
        key *= 2
        key += won.view(np.int8)
    packed.sort()
    begins = runs(packed >> 1)
    keys = packed[begins] >> 1
    total = np.diff(begins, append=len(packed))
    wins = np.add.reduceat(packed & 1, begins, dtype=np.int64) if len(begins) else total
    return keys, wins.astype(float), (total - wins).astype(float)


def win_edges(cells: Cells) -> tuple[IntArray, IntArray]:
    """Return (winner, loser) of every ordered pair with at least one win."""
    ahead, behind = np.flatnonzero(cells.first_wins > 0), np.flatnonzero(cells.second_wins > 0)
    first, second = cells.first, cells.second
    return (
        np.concatenate([first.take(ahead), second.take(behind)]),
        np.concatenate([second.take(ahead), first.take(behind)]),
    )
