"""From judgments to integer codes, and from codes to counts of pairs and connected groups.

Everything that ranks starts here. A node is an item within its scenario (or just an item where
scenarios are pooled); a choice of 'left' means that `left_id` won.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis import columns
from prereg.errors import RatifyError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# A table of n^2 cells is faster than hashing as long as it stays in the cache or near it.
_TABLE_CELLS = 4_000_000


@dataclass(frozen=True)
class Comparisons:
    """Judgments as integer codes, in row order.

    Attributes
    ----------
    items : DataFrame
        `scenario`, `item_id` of every node, sorted; the scenario is empty where pooled.
    left, right : int array of shape (n_judgments,)
        Node shown on each side.
    left_won : bool array of shape (n_judgments,)
    cluster : int array of shape (n_judgments,)
        Code of the cluster (rater) of each judgment; every judgment its own where none is named.
    n_clusters : int
    pooled : bool
        True where scenarios were not kept apart.
    """

    items: pd.DataFrame
    left: IntArray
    right: IntArray
    left_won: BoolArray
    cluster: IntArray
    n_clusters: int
    pooled: bool

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


@dataclass(frozen=True)
class Cells:
    """Judgments counted by pair; log-odds that `first` wins are s_first - s_second + side * d.

    Attributes
    ----------
    first, second : int array of shape (n_cells,)
    first_wins, second_wins : float array of shape (n_cells,)
    side : {0, 1}
        1 where pairs are ordered as shown (`first` was on the left), 0 where the side is ignored.
    of_judgment : int array of shape (n_judgments,)
        Cell of every judgment.
    first_won : bool array of shape (n_judgments,)
        Whether the judgment went to the first item of its cell.
    """

    first: IntArray
    second: IntArray
    first_wins: FloatArray
    second_wins: FloatArray
    side: int
    of_judgment: IntArray
    first_won: BoolArray


def read_comparisons(
    judgments: pd.DataFrame, *, by: str | None, cluster: str | None
) -> Comparisons:
    """Check judgments and code them.

    Parameters
    ----------
    judgments : DataFrame
        `left_id`, `right_id`, `choice`, and the columns named by `by` and `cluster`.
    by : str or None
        Column that keeps items apart, usually `scenario`. A table without a `scenario` column, or
        with an empty one, is one scenario.
    cluster : str or None
        Column of the cluster, usually `rater_id`; None makes every judgment its own cluster.

    Raises
    ------
    RatifyError
        On no rows, a missing column, an empty id, a choice other than left or right, and an item
        compared with itself.
    """
    columns.require_columns(judgments, "left_id", "right_id", "choice")
    columns.require_rows(judgments, "judgments")
    left_ids = columns.text_ids(judgments, "left_id")
    right_ids = columns.text_ids(judgments, "right_id")
    left_won = columns.left_chosen(judgments)
    codes, names = _sorted_codes(pd.concat([left_ids, right_ids], ignore_index=True))
    n = len(judgments)
    columns.refuse(
        judgments, "right_id", codes[:n] == codes[n:], "is compared with itself",
        allowed="two different items",
    )  # fmt: skip
    scenario, scenarios = _scenario_codes(judgments, by)
    key = np.concatenate([scenario, scenario]) * len(names) + codes
    node, nodes = _sorted_codes(pd.Series(key))
    keys = nodes.to_numpy(dtype=np.int64)
    items = pd.DataFrame(
        {"scenario": scenarios[keys // len(names)], "item_id": names[keys % len(names)]}
    )
    clusters, n_clusters = _cluster_codes(judgments, cluster)
    return Comparisons(
        items, node[:n], node[n:], left_won, clusters, n_clusters, by is None
    )  # fmt: skip


def _sorted_codes(values: pd.Series) -> tuple[IntArray, pd.Index]:
    """Return integer codes into the sorted distinct values, and these values."""
    codes, distinct = pd.factorize(values)
    names = pd.Index(distinct)
    order = names.argsort()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[codes], names[order]


def _scenario_codes(judgments: pd.DataFrame, by: str | None) -> tuple[IntArray, pd.Index]:
    one = np.zeros(len(judgments), dtype=np.int64), pd.Index([""])
    if by is None or (by == "scenario" and by not in judgments.columns):
        return one
    columns.require_columns(judgments, by)
    absent = columns.missing(judgments[by])
    if absent.all():
        return one
    columns.refuse(judgments, by, absent, "is empty", allowed="a name in every row, or in none")
    return _sorted_codes(judgments[by].astype(str))


def _cluster_codes(judgments: pd.DataFrame, cluster: str | None) -> tuple[IntArray, int]:
    if cluster is None:
        return np.arange(len(judgments), dtype=np.int64), len(judgments)
    columns.require_columns(judgments, cluster)
    columns.require_filled(judgments, cluster)
    codes, names = pd.factorize(judgments[cluster])
    return codes.astype(np.int64), len(names)


def count_pairs(data: Comparisons, *, ordered: bool, keep: BoolArray | None = None) -> Cells:
    """Count judgments by pair of items.

    Parameters
    ----------
    data : Comparisons
    ordered : bool
        True keeps (left, right) apart from (right, left), which a side advantage needs.
    keep : bool array of shape (n_judgments,), optional
        Judgments to count; all by default.
    """
    keep = np.ones(len(data.left), dtype=bool) if keep is None else keep
    left, right, left_won = data.left[keep], data.right[keep], data.left_won[keep]
    swap = np.zeros(len(left), dtype=bool) if ordered else left > right
    first, second = np.where(swap, right, left), np.where(swap, left, right)
    first_won = left_won != swap
    cell, keys = _count_codes(first * data.n_items + second, data.n_items**2)
    wins = sum_by(cell, first_won.astype(float), len(keys))
    total = sum_by(cell, np.ones(len(cell)), len(keys))
    return Cells(
        keys // data.n_items, keys % data.n_items, wins, total - wins, int(ordered), cell, first_won
    )  # fmt: skip


def _count_codes(keys: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Return codes into the sorted distinct keys, and these keys."""
    if size > _TABLE_CELLS:
        distinct, codes = np.unique(keys, return_inverse=True)
        return codes.astype(np.int64), distinct
    present = np.zeros(size, dtype=bool)
    present[keys] = True
    return (np.cumsum(present) - 1)[keys], np.flatnonzero(present)


def sum_by(codes: IntArray, values: FloatArray, size: int) -> FloatArray:
    """Return the sum of the values of each code, 0 to size - 1."""
    return np.bincount(codes, values, size).astype(np.float64, copy=False)


def connected_groups(
    winner: IntArray, loser: IntArray, n_items: int, *, strong: bool
) -> tuple[int, IntArray]:
    """Return the number of connected groups and the group of every item, numbered by first item.

    Parameters
    ----------
    winner, loser : int array
        One entry for each pair with at least one win that way.
    n_items : int
    strong : bool
        False: items linked by any chain of comparisons. True: items that each beat the other
        through some chain of wins (Ford 1957's condition holds within such a group).
    """
    graph = coo_array((np.ones(len(winner)), (winner, loser)), shape=(n_items, n_items)).tocsr()
    count, labels = connected_components(
        graph, directed=True, connection="strong" if strong else "weak"
    )
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    place = np.empty(count, dtype=np.int64)
    place[np.argsort(first)] = np.arange(count)
    return int(count), place[codes]


def win_edges(cells: Cells) -> tuple[IntArray, IntArray]:
    """Return (winner, loser) of every pair with at least one win that way."""
    ahead, behind = cells.first_wins > 0, cells.second_wins > 0
    return (
        np.concatenate([cells.first[ahead], cells.second[behind]]),
        np.concatenate([cells.second[ahead], cells.first[behind]]),
    )


def require_rng(rng: np.random.Generator | None, what: str) -> np.random.Generator:
    """Return the generator, or say that `what` needs one."""
    if rng is None:
        raise RatifyError(f"{what} needs a seeded generator", allowed="rng=np.random.default_rng")
    return rng
