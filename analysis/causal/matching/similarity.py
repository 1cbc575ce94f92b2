"""Cosine similarities of treated and control units: the nearest controls, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import FloatArray, IntArray
from analysis.causal.matching.vectors import Vectors

Block = NDArray[np.float32]

# Cells of a block of similarities: 64 MB in float32.
BLOCK = 2**24
# Similarities are rounded to multiples of this, so that sums of costs are exact in float64 and two
# solvers that add them in another order agree. float32 products are off by up to about half of it.
STEP = 2.0**-20
# A row is searched by way of a sample of its cells if it has this many cells per cell wanted.
_WIDE, _STRIDE = 100, 32


@dataclass(frozen=True)
class Edges:
    """Pairs of a treated unit and a control unit that may be matched.

    Attributes
    ----------
    row, column : int array of shape (edges,)
        The treated and the control unit of each.
    similarity : array of shape (edges,)
        At least the caliper.
    beyond : array of shape (rows,)
        No control unit that is missing among the edges of a row is more similar than this;
        minus infinity for a row that has every control unit within the caliper.
    """

    row: IntArray = field(repr=False)
    column: IntArray = field(repr=False)
    similarity: FloatArray = field(repr=False)
    beyond: FloatArray = field(repr=False)

    def and_more(self, row: IntArray, column: IntArray, similarity: FloatArray) -> Edges:
        """Return these edges and more."""
        return Edges(
            np.concatenate([self.row, row]),
            np.concatenate([self.column, column]),
            np.concatenate([self.similarity, similarity]),
            self.beyond,
        )


def blocks(
    treated: Vectors, control: Vectors, rows: IntArray | None = None
) -> Iterator[tuple[IntArray, Block]]:
    """Yield rows of the treated units and their similarities to all control units.

    Parameters
    ----------
    treated, control : float32 arrays of shape (rows, d) and (columns, d)
        Of length one.
    rows : int array, optional
        Which treated units; by default all.
    """
    rows = np.arange(len(treated)) if rows is None else rows
    height = max(1, BLOCK // max(1, len(control)))
    for start in range(0, len(rows), height):
        some = rows[start : start + height]
        yield some, treated[some] @ control.T


def nearest(treated: Vectors, control: Vectors, count: int, caliper: float) -> Edges:
    """Return the edges from each treated unit to its nearest control units within the caliper.

    Parameters
    ----------
    treated, control : float32 arrays of shape (rows, d) and (columns, d)
        Of length one.
    count : int
        How many control units for each.
    caliper : float
        The lowest similarity of a pair.

    Returns
    -------
    Edges
        Sorted by row, in a row from the most to the least similar.
    """
    count = min(count, len(control))
    found: list[tuple[IntArray, IntArray, FloatArray]] = []
    beyond = np.full(len(treated), -np.inf)
    for rows, similar in blocks(treated, control):
        at, values = highest(similar, count)
        kept = values >= caliper
        if count < len(control):
            beyond[rows] = np.where(kept[:, -1], values[:, -1], -np.inf)
        found.append((np.repeat(rows, kept.sum(axis=1)), at[kept], rounded(values[kept])))
    row, column, similarity = zip(*found, strict=True)
    return Edges(np.concatenate(row), np.concatenate(column), np.concatenate(similarity), beyond)


def highest(similar: Block, count: int) -> tuple[IntArray, Block]:
    """Return the columns and values of the highest cells of each row, highest first.

    Equal values come in the order of their columns.
    """
    width = similar.shape[1]
    count = min(count, width)
    if width < _WIDE * count:
        at = np.argsort(-similar, axis=1, kind="stable")[:, :count]
        return at, np.take_along_axis(similar, at, axis=1)
    # most cells are below what a sample of the columns shows to be high
    sample = similar[:, ::_STRIDE]
    rank = 2 * count // _STRIDE + 4
    bar = np.partition(sample, sample.shape[1] - rank, axis=1)[:, -rank]
    row, column = np.divmod(np.flatnonzero(similar >= bar[:, None]), width)
    value = similar[row, column]
    start = np.searchsorted(row, np.arange(len(similar) + 1))
    order = np.lexsort((-value, row))
    at = np.empty((len(similar), count), dtype=np.int64)
    enough = np.diff(start) >= count
    at[enough] = column[order][start[:-1][enough, None] + np.arange(count)]
    few = np.flatnonzero(~enough)
    at[few] = np.argsort(-similar[few], axis=1, kind="stable")[:, :count]
    return at, np.take_along_axis(similar, at, axis=1)


def rounded(similarity: Block) -> FloatArray:
    """Return similarities as multiples of `STEP`."""
    return np.round(similarity.astype(np.float64) / STEP) * STEP


def unmatched_cost(rows: int) -> float:
    """Return the cost of leaving a treated unit unmatched; a pair costs 2 minus its similarity.

    One more pair is worth more than whatever its rearrangement of all other pairs can lose, so the
    cheapest matching has as many pairs as possible, and among those the most similar.
    """
    return float(2 ** int(np.ceil(np.log2(2 * rows + 4))))
