"""Groups of items that comparisons connect."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.arrays import IntArray


def connected_groups(
    winner: IntArray, loser: IntArray, n_items: int, *, strong: bool
) -> tuple[int, IntArray]:
    """Return the number of connected groups and the group of every item, numbered by first item.

    Parameters
    ----------
    winner, loser : int array
        One entry for each ordered pair with at least one win.
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
