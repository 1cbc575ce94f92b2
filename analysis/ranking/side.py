"""Says whether judgments can show an advantage of the left side."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from analysis.arrays import FloatArray, IntArray
from analysis.ranking.pair_counts import Cells
from prereg.errors import RatifyError

# Heights are whole numbers, so any miss is at least 1.
_MISS = 0.5


def require_side(cells: Cells, n_items: int) -> None:
    """Raise `RatifyError` if scores alone explain any advantage of the left side.

    Parameters
    ----------
    cells : Cells
        Pairs ordered as shown: `first` was on the left.
    n_items : int

    Raises
    ------
    RatifyError
        If the column of the side is a sum of the items' columns.

    Notes
    -----
    The log-odds of a judgment are s_left - s_right + d. If items can be given heights so that the
    left item of every judgment stands one above the right one, any d can be added to the scores
    instead: the design has not full rank. That is so if each opponent stands on one side only, and
    in every connected group whose comparisons close no loop of unequal sides. Heights are given
    along a spanning tree of each group, and the other judgments are held against them, in time
    proportional to their number. One group that shows the side is enough for all, since they share
    it. Without judgments there is nothing to refuse.
    """
    if not len(cells.first) or _shows_side(cells.first, cells.second, n_items):
        return
    raise RatifyError(
        "the judgments cannot show an advantage of the left side: the items' scores explain it as "
        "well, for no loop of comparisons has unequal sides (as where each item stands on one side "
        "only)",
        allowed="judgments of some pairs with the sides exchanged, or no side advantage",
    )


def _shows_side(left: IntArray, right: IntArray, n_items: int) -> bool:
    height = _heights(left, right, n_items)
    return bool((np.abs(height[left] - height[right] - 1) > _MISS).any())


def _heights(left: IntArray, right: IntArray, n_items: int) -> FloatArray:
    """Return heights such that left is one above right along a spanning tree of every group."""
    start, end = np.concatenate([left, right]), np.concatenate([right, left])
    # height of the end over the start; if a pair stands in both orders, either misses the other
    rise = np.repeat([-1.0, 1.0], len(left))
    graph: Any = coo_array((np.ones(len(start)), (start, end)), shape=(n_items, n_items)).tocsr()
    _, group = connected_components(graph, directed=False)
    _, roots = np.unique(group, return_index=True)
    # one more node joins all groups, so that one search finds every tree
    whole: Any = coo_array(
        (
            np.ones(len(start) + len(roots)),
            (np.append(start, np.full(len(roots), n_items)), np.append(end, roots)),
        ),
        shape=(n_items + 1, n_items + 1),
    ).tocsr()
    before = breadth_first_order(whole, n_items, directed=False)[1].astype(np.int64)
    before[n_items] = n_items
    key = start * (n_items + 1) + end
    order = np.argsort(key, kind="stable")
    inner = np.flatnonzero(before[:n_items] < n_items)
    found = np.searchsorted(key, before[inner] * (n_items + 1) + inner, sorter=order)
    height = np.zeros(n_items + 1)
    height[inner] = rise[order[found]]
    # each pass doubles how far towards the root the heights are summed
    while (before != n_items).any():
        height = height + height[before]
        before = before[before]
    return height[:n_items]
