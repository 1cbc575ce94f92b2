"""Solves linear systems with the second derivative of Bradley-Terry, for steps and for errors.

Small groups are solved by Cholesky, large ones by conjugate gradients on their pairs; a group on
which these do not converge (a long chain) is factorised as a sparse matrix.
"""

from __future__ import annotations

from copy import copy
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import splu

from analysis.arrays import FloatArray, IntArray, sum_by
from analysis.ranking.pair_counts import Cells

# A group with up to this many items is factorised: for one step of Newton, and for standard
# errors, which need the whole inverse. For a step more items are not worth it: threads of linear
# algebra that wait for each other take longer than conjugate gradients.
STEP_ITEMS = 100
DENSE_ITEMS = 2000
# Small groups with up to this many items in all are factorised together.
_TOGETHER_ITEMS = 250
# With a smaller ridge, separate groups cannot be solved together with full precision.
_SOLID_RIDGE = 1e-3
_MOST_ROUNDS = 500
# With up to this many cells the matrix of pairs is stored in full.
_SYMMETRIC_CELLS = 200_000
# Right-hand sides that conjugate gradients solve at once.
_COLUMNS = 64


class Layout:
    """Which group each cell and item is in: the same for every step and every resample.

    Parameters
    ----------
    cells : Cells
    blocks : list of int array
        Items of each connected group.
    n_items : int
    """

    def __init__(self, cells: Cells, blocks: list[IntArray], n_items: int) -> None:
        self.n_items = n_items
        self.blocks = blocks
        self.side = cells.side
        self.cells, self.first, self.second = cells, cells.first, cells.second
        self.block_of = np.full(n_items, -1, dtype=np.int64)
        self.place = np.zeros(n_items, dtype=np.int64)
        for number, items in enumerate(blocks):
            self.block_of[items] = number
            self.place[items] = np.arange(len(items))
        self.stalls = [False] * len(blocks)
        self.largest = max((len(items) for items in blocks), default=0)
        self._cells_of: list[IntArray] | None = None
        self._triangles: tuple[IntArray | None, csr_array, Any] | None = None
        self._symmetric: tuple[IntArray, csr_array] | None = None

    def cells_of(self, number: int) -> IntArray:
        """Return the cells of one group."""
        if self._cells_of is None:
            block = self.block_of[self.first]
            order = np.argsort(block, kind="stable")
            bounds = np.searchsorted(block[order], np.arange(len(self.blocks) + 1))
            self._cells_of = [order[begin:end] for begin, end in pairwise(bounds.tolist())]
        return self._cells_of[number]

    def both_ways(self, weight: FloatArray) -> csr_array:
        """Return the pairs' weights as a symmetric sparse matrix; fast after the first call."""
        n = self.n_items
        if self._symmetric is None:
            cells = np.arange(len(self.first))
            ends = [self.first.astype(np.int32), self.second.astype(np.int32)]
            where = np.concatenate(ends), np.concatenate(ends[::-1])
            pairs = coo_array((np.concatenate([cells, cells]), where), shape=(n, n))
            # every entry is the number of its cell, so none may be sorted or added to another
            pairs.has_canonical_format = True
            rows = pairs.tocsr()
            self._symmetric = rows.data, rows
        cell, template = self._symmetric
        matrix = copy(template)
        matrix.data = weight[cell]
        return matrix

    def triangles(self, weight: FloatArray) -> list[Any]:
        """Return the pairs' weights as two sparse matrices: row `first`, column `second`; turned.

        These need half the memory of the symmetric matrix.
        """
        if self._triangles is None:
            n = self.n_items
            ordered = bool((np.diff(self.first) >= 0).all())
            order = None if ordered else np.argsort(self.first, kind="stable")
            first = self.first if order is None else self.first[order]
            second = self.second if order is None else self.second[order]
            starts = np.searchsorted(first, np.arange(n + 1))
            entries = weight, second.astype(np.int32), starts.astype(np.int32)
            upper = csr_array(entries, shape=(n, n))
            self._triangles = order, upper, upper.T
        order, *templates = self._triangles
        found = [copy(template) for template in templates]
        for matrix in found:
            matrix.data = weight if order is None else weight[order]
        return found


class Curvature:
    """The second derivative at one point, solved by group; the side is a border row and column.

    Parameters
    ----------
    layout : Layout
    weight : float array of shape (n_cells,)
        Judgments of each cell times the variance of one of them.
    ridge : float

    Attributes
    ----------
    layout : Layout

    Notes
    -----
    Within a group right-hand sides sum to 0 (every judgment adds to its winner what it takes from
    its loser), and so do solutions: adding a constant matrix changes neither, and makes the
    group's matrix invertible without a ridge.
    """

    def __init__(self, layout: Layout, weight: FloatArray, ridge: float) -> None:
        self.layout, self._weight, self._ridge = layout, weight, ridge
        self._factors: dict[int, tuple[FloatArray, bool]] = {}
        self._whole: tuple[FloatArray, bool] | None = None
        self._pairs: _Pairs | None = None
        self._border: FloatArray | None = None
        if layout.side:
            n = layout.n_items
            self._border = layout.cells.by_first(weight, n) - layout.cells.by_second(weight, n)
        self._behind: tuple[FloatArray, float] | None = None

    def step(
        self, gradient: FloatArray, side_gradient: float, rough: float
    ) -> tuple[FloatArray, float]:
        """Return one step of Newton; for large groups, to a relative residual of `rough`."""
        right = gradient[:, None]
        solved = self._solve_groups(right, STEP_ITEMS, rough)[:, 0]
        if self._border is None:
            return solved, 0.0
        behind = self._solve_groups(self._border[:, None], STEP_ITEMS, rough)[:, 0]
        corner = float(self._weight.sum() - self._border @ behind)
        side = (side_gradient - float(self._border @ solved)) / corner
        return solved - behind * side, side

    def solve(self, right: FloatArray, side: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the items' and the side's parts of the solution.

        Parameters
        ----------
        right : float array of shape (n_items, k)
        side : float array of shape (k,)
            Ignored if there is no side advantage.
        """
        solved = self._solve_groups(right, DENSE_ITEMS, 1e-10)
        if self._border is None:
            return solved, np.zeros(right.shape[1])
        if self._behind is None:
            behind = self._solve_groups(self._border[:, None], DENSE_ITEMS, 1e-10)
            corner = float(self._weight.sum() - self._border @ behind[:, 0])
            self._behind = behind, corner
        behind, corner = self._behind
        side_solved = (side - self._border @ solved) / corner
        return solved - behind * side_solved, side_solved

    def inverse(self, number: int) -> FloatArray | None:
        """Return one group's inverse on contrasts; None if the group is too large for it."""
        m = len(self.layout.blocks[number])
        if m > DENSE_ITEMS:
            return None
        return self._solve_factored(number, np.eye(m) - 1 / m)

    def _solve_groups(self, right: FloatArray, most_items: int, rough: float) -> FloatArray:
        layout = self.layout
        together = layout.n_items <= _TOGETHER_ITEMS and layout.largest <= most_items
        if most_items == STEP_ITEMS and together and self._ridge >= _SOLID_RIDGE:
            return self._solve_at_once(right)
        solved = np.zeros_like(right)
        large = []
        for number, items in enumerate(layout.blocks):
            if len(items) > most_items:
                large.append(number)
                continue
            part = right[items]
            if part.any():
                solved[items] = self._solve_factored(number, part - part.mean(axis=0))
        if large:
            if self._pairs is None:
                self._pairs = _Pairs(layout, self._weight, self._ridge)
            self._pairs.solve_into(solved, right, large, rough)
        return solved

    def _solve_at_once(self, right: FloatArray) -> FloatArray:
        """Return the solution of every group by one factorisation, which needs a ridge."""
        layout, n = self.layout, self.layout.n_items
        if self._whole is None:
            pairs = sum_by(layout.first * n + layout.second, self._weight, n * n).reshape(n, n)
            matrix = -(pairs + pairs.T)
            matrix[np.diag_indices(n)] = self._ridge - matrix.sum(axis=1)
            self._whole = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        solved: FloatArray = cho_solve(self._whole, right, check_finite=False)
        return solved

    def _solve_factored(self, number: int, right: FloatArray) -> FloatArray:
        if number not in self._factors:
            self._factors[number] = cho_factor(
                self._matrix(number), lower=True, overwrite_a=True, check_finite=False
            )
        solved: FloatArray = cho_solve(self._factors[number], right, check_finite=False)
        return solved

    def _matrix(self, number: int) -> FloatArray:
        layout = self.layout
        m = len(layout.blocks[number])
        cells: IntArray | slice = slice(None)
        if len(layout.blocks) > 1 or m < layout.n_items:
            cells = layout.cells_of(number)
        first, second = layout.place[layout.first[cells]], layout.place[layout.second[cells]]
        pairs = sum_by(first * m + second, self._weight[cells], m * m).reshape(m, m)
        matrix = -(pairs + pairs.T)
        degree = -matrix.sum(axis=1)
        matrix += max(float(degree.mean()), 1e-300) / m
        matrix[np.diag_indices(m)] += degree + self._ridge
        return matrix


class _Pairs:
    """Groups too large to factorise: solves all of them together by conjugate gradients."""

    def __init__(self, layout: Layout, weight: FloatArray, ridge: float) -> None:
        self._layout, self._ridge = layout, ridge
        # One matrix is faster; two triangles need half the memory.
        n = layout.n_items
        if len(weight) <= _SYMMETRIC_CELLS:
            self._parts: list[Any] = [layout.both_ways(weight)]
        else:
            self._parts = layout.triangles(weight)
        degree = layout.cells.by_first(weight, n) + layout.cells.by_second(weight, n)
        self._diagonal = degree + ridge
        # Items that are not in a resample have neither weight nor right-hand side.
        self._precondition = 1 / np.where(self._diagonal > 0, self._diagonal, 1.0)

    def solve_into(
        self, solved: FloatArray, right: FloatArray, groups: list[int], rough: float
    ) -> None:
        """Write the solution of these groups into their rows."""
        layout = self._layout
        iterated = [number for number in groups if not layout.stalls[number]]
        part = right
        if len(iterated) < len(layout.blocks) or (layout.block_of < 0).any():
            part = np.zeros_like(right)
            for number in iterated:
                part[layout.blocks[number]] = right[layout.blocks[number]]
        for begin in range(0, part.shape[1] if iterated else 0, _COLUMNS):
            some = slice(begin, begin + _COLUMNS)
            found, arrived = self._conjugate_gradients(
                self._centred(part[:, some], iterated), rough
            )
            found = self._centred(found, iterated)
            for number in iterated:
                items = layout.blocks[number]
                # If one of several groups did not converge, all of them are factorised.
                layout.stalls[number] |= not arrived
                solved[items, some] = found[items]
        for number in (number for number in groups if layout.stalls[number]):
            self._factorise(solved, right, layout.blocks[number])

    def _centred(self, values: FloatArray, groups: list[int]) -> FloatArray:
        centred = values.copy()
        if len(self._layout.blocks) == 1 and len(self._layout.blocks[0]) == len(values):
            centred -= values.mean(axis=0)
            return centred
        for number in groups:
            items = self._layout.blocks[number]
            part = values[items]
            centred[items] = part - part.mean(axis=0)
        return centred

    def _conjugate_gradients(self, right: FloatArray, rough: float) -> tuple[FloatArray, bool]:
        """Return the solutions of all columns, and whether they converged."""
        if right.shape[1] == 1:
            one, arrived = self._one_column(right[:, 0], rough)
            return one[:, None], arrived
        found, residual = np.zeros_like(right), right.copy()
        diagonal, precondition = self._diagonal[:, None], self._precondition[:, None]
        towards = precondition * residual
        direction = towards.copy()
        slope = _column_sums(residual, towards)
        goal = rough**2 * slope
        for _ in range(_MOST_ROUNDS):
            if (slope <= goal).all():
                return found, True
            turned = diagonal * direction
            for part in self._parts:
                turned -= part @ direction
            bend = _column_sums(direction, turned)
            # In a column that has converged, slope and bend are zero.
            length = np.divide(slope, bend, out=np.zeros_like(slope), where=bend > 0)
            found += length * direction
            turned *= length
            residual -= turned
            towards = precondition * residual
            before, slope = slope, _column_sums(residual, towards)
            direction *= np.divide(slope, before, out=np.zeros_like(slope), where=before > 0)
            direction += towards
        return found, False

    def _one_column(self, right: FloatArray, rough: float) -> tuple[FloatArray, bool]:
        """Return the same for a single right-hand side, at half the cost per round."""
        found, residual = np.zeros_like(right), right.copy()
        towards = self._precondition * residual
        direction = towards.copy()
        slope = float(residual @ towards)
        goal = rough**2 * slope
        for _ in range(_MOST_ROUNDS):
            if slope <= goal:
                return found, True
            turned = self._diagonal * direction
            for part in self._parts:
                turned -= part @ direction
            bend = float(direction @ turned)
            if not bend > 0:
                return found, True
            length = slope / bend
            found += length * direction
            turned *= length
            residual -= turned
            np.multiply(self._precondition, residual, out=towards)
            before, slope = slope, float(residual @ towards)
            direction *= slope / before
            direction += towards
        return found, False

    def _factorise(self, solved: FloatArray, right: FloatArray, items: IntArray) -> None:
        pairs: Any = sum(part[items][:, items] for part in self._parts)
        diagonal: Any = diags_array(self._diagonal[items])
        # Without a ridge solutions are defined up to a constant: fix the last item at 0.
        free = len(items) - (0 if self._ridge else 1)
        matrix = (diagonal - pairs).tocsc()[:free, :free]
        part = right[items] - right[items].mean(axis=0)
        found = np.zeros_like(part)
        found[:free] = splu(matrix).solve(part[:free])
        solved[items] = found - found.mean(axis=0)


def _column_sums(one: FloatArray, two: FloatArray) -> FloatArray:
    sums: FloatArray = np.einsum("i...,i...->...", one, two)
    return sums
