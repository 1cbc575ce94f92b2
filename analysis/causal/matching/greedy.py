"""Greedy matching: of all pairs that are left, the most similar one is made next."""

from __future__ import annotations

import heapq
from itertools import pairwise

import numpy as np

from analysis.arrays import BoolArray, IntArray
from analysis.causal.matching.similarity import Edges, highest, rounded
from analysis.causal.matching.vectors import Vectors

# Next neighbours that are looked up at a time for a treated unit whose first ones are all taken.
_MORE = 200
# Two cells of a list of neighbours: minus the similarity, and the control unit.
_Neighbour = tuple[float, int]


def greedy(treated: Vectors, control: Vectors, edges: Edges, *, caliper: float) -> IntArray:
    """Return the control unit of each treated unit, -1 where it has none.

    Parameters
    ----------
    treated, control : float32 arrays of shape (rows, d) and (columns, d)
        Of length one.
    edges : Edges
        The nearest control units of each treated unit, from `similarity.nearest`. Where all of a
        row are taken, its next ones are looked up among those that are left, so the result does
        not depend on how many there were.
    caliper : float
        The lowest similarity of a pair.
    """
    match = np.full(len(treated), -1, dtype=np.int64)
    free = np.ones(len(control), dtype=bool)
    lists = _lists(edges, len(treated))
    more = np.isfinite(edges.beyond)
    queue = [(*known[-1], row) for row, known in enumerate(lists) if known]
    heapq.heapify(queue)
    while queue:
        _, column, row = heapq.heappop(queue)
        if free[column]:
            match[row], free[column] = column, False
            continue
        known = lists[row]
        while known and not free[known[-1][1]]:
            known.pop()
        if not known and more[row]:
            known, more[row] = _next(treated, control, row, free, caliper)
            lists[row] = known
        if known:
            heapq.heappush(queue, (*known[-1], row))
    return match


def _lists(edges: Edges, rows: int) -> list[list[_Neighbour]]:
    """Return the neighbours of each row, the nearest last."""
    ends = np.searchsorted(edges.row, np.arange(rows + 1))
    pairs = list(zip((-edges.similarity).tolist(), edges.column.tolist(), strict=True))
    return [pairs[a:b][::-1] for a, b in pairwise(ends.tolist())]


def _next(
    treated: Vectors, control: Vectors, row: int, free: BoolArray, caliper: float
) -> tuple[list[_Neighbour], bool]:
    """Return the nearest of a row's control units that are free, and whether there are more."""
    similar = control @ treated[row]
    similar[~free] = -np.inf
    count = min(_MORE, len(control))
    at, values = highest(similar[None, :], count)
    kept = values[0] >= caliper
    pairs = zip((-rounded(values[0][kept])).tolist(), at[0][kept].tolist(), strict=True)
    return list(pairs)[::-1], bool(kept[-1]) and count < len(control)
