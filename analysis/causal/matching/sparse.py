"""Optimal matching on the nearest control units alone, proven to be optimal among all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from analysis.arrays import FloatArray, IntArray
from analysis.causal.matching.similarity import STEP, Block, Edges, blocks, rounded, unmatched_cost
from analysis.causal.matching.vectors import Vectors

# A price beyond this is that of a unit that competes for too few others.
_CROWDED = 8.0


@dataclass(frozen=True)
class Solution:
    """An optimal matching.

    Attributes
    ----------
    match : int array of shape (rows,)
        The control unit of each treated unit, -1 where it has none.
    rounds : int
        How often it was solved: 1 if the nearest control units were enough.
    widened : int
        How many treated units got more control units than their nearest ones.
    """

    match: IntArray = field(repr=False)
    rounds: int
    widened: int


def sparse(
    treated: Vectors, control: Vectors, edges: Edges, *, caliper: float, count: int
) -> Solution:
    """Return the matching that `dense.dense` finds, without its table.

    Parameters
    ----------
    treated, control : float32 arrays of shape (rows, d) and (columns, d)
        Of length one.
    edges : Edges
        The nearest control units of each treated unit, from `similarity.nearest`.
    caliper : float
        The lowest similarity of a pair.
    count : int
        How many control units a treated unit gets at a time where its nearest ones were too few;
        twice as many with every round.

    Notes
    -----
    The solver is `scipy.sparse.csgraph.min_weight_full_bipartite_matching` (Jonker and Volgenant
    1987, Computing 38, 325-340). Each treated unit has a slack column of its own, at the cost of
    being unmatched, so a full matching always exists.

    The solution's prices of rows u and of columns v (at most 0) prove that it is optimal if no pair
    that was left out costs less than u + v (linear programming duality). The pairs left out of a
    row cost at least as much as its last neighbour, which settles most rows. The others are
    compared with every control unit; pairs that cost less than u + v are added, and the matching
    is solved again. It ends when there are none.
    """
    widened: set[int] = set()
    rounds = 0
    while True:
        rounds += 1
        match, cost_of_row, system = solve(edges, len(treated), len(control))
        u, v = _prices(system, match, cost_of_row)
        doubtful = np.flatnonzero(np.isfinite(edges.beyond) & (u > 2.0 - edges.beyond))
        more = _cheaper(treated, control, doubtful, u, v, caliper, count * 2 ** (rounds - 1))
        if not len(more[0]):
            match = np.where(match < len(control), match, -1)
            return Solution(match, rounds, len(widened))
        widened.update(more[0].tolist())
        edges = edges.and_more(*more)


def solve(edges: Edges, rows: int, columns: int) -> tuple[IntArray, FloatArray, csr_array]:
    """Return the cheapest full matching on some edges with a slack column for each row.

    Parameters
    ----------
    edges : Edges
    rows, columns : int
        The numbers of treated and of control units.

    Returns
    -------
    match : int array of shape (rows,)
        The column of each row; from `columns` on they are slack columns, of unmatched rows.
    cost : array of shape (rows,)
    system : sparse array of shape (rows, columns + rows)
        The costs.
    """
    own = np.arange(rows)
    cost = np.concatenate([2.0 - edges.similarity, np.full(rows, unmatched_cost(rows))])
    place = (np.concatenate([edges.row, own]), np.concatenate([edges.column, columns + own]))
    system = csr_array((cost, place), shape=(rows, columns + rows))
    system.sort_indices()
    row, column = min_weight_full_bipartite_matching(system)
    match = np.empty(rows, dtype=np.int64)
    match[row] = column
    return match, np.asarray(system[own, match]).ravel(), system


def _prices(
    system: csr_array, match: IntArray, cost_of_row: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the prices of rows and of columns that prove a matching optimal on its edges.

    Bellman and Ford's method on the columns: the price of a column is the lowest cost of an edge
    into it minus the price of that row. Costs are multiples of `STEP`, so it ends exactly.
    """
    by_column = system.tocsc()
    row, cost = by_column.indices, by_column.data
    used = np.flatnonzero(np.diff(by_column.indptr))
    start = by_column.indptr[used]
    v = np.zeros(system.shape[1])
    while True:
        u = cost_of_row - v[match]
        better = np.minimum(0.0, np.minimum.reduceat(cost - u[row], start))
        if np.array_equal(better, v[used]):
            return u, v
        v[used] = better


def _cheaper(
    treated: Vectors,
    control: Vectors,
    doubtful: IntArray,
    u: FloatArray,
    v: FloatArray,
    caliper: float,
    count: int,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the pairs of some rows that cost less than their prices; at most `count` a row.

    Prices near 0 are compared in float32, which is fast. Where units compete for too few control
    units, prices are about the cost of being unmatched, which would use up float32's digits: the
    few pairs between such rows and such columns are compared in float64.
    """
    v = v[: len(control)]
    crowded = np.flatnonzero(v < -_CROWDED)
    price = np.where(v < -_CROWDED, -np.inf, v).astype(np.float32)
    nothing = np.empty(0, dtype=np.int64)
    found = [(nothing, nothing, np.empty(0))]
    for rows, similar in blocks(treated, control, doubtful):
        saved = similar + price
        least = (2.0 + 2 * STEP - u[rows]).astype(np.float32)
        saved[similar < caliper] = -np.inf
        at, column = np.nonzero(saved > least[:, None])
        found.append(_best(rows, at, column, similar, saved[at, column], count))
        within = np.flatnonzero(u[rows] > _CROWDED)
        inner = similar[np.ix_(within, crowded)]
        exact = rounded(inner) - 2.0 + u[rows[within], None] + v[crowded]
        at, column = np.nonzero((exact > 2 * STEP) & (inner >= caliper))
        found.append(_best(rows, within[at], crowded[column], similar, exact[at, column], count))
    row, columns, similarities = zip(*found, strict=True)
    return np.concatenate(row), np.concatenate(columns), np.concatenate(similarities)


def _best(
    rows: IntArray,
    at: IntArray,
    column: IntArray,
    similar: Block,
    saved: NDArray[np.floating[Any]],
    count: int,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the pairs that save most, at most `count` of each row of a block."""
    order = np.lexsort((-saved, at))
    at, column = at[order], column[order]
    first = np.searchsorted(at, at)
    kept = np.arange(len(at)) - first < count
    at, column = at[kept], column[kept]
    return rows[at], column, rounded(similar[at, column])
