"""Optimal matching on the whole table of similarities, by the Hungarian method."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from analysis.arrays import FloatArray, IntArray
from analysis.causal.matching.similarity import blocks, rounded, unmatched_cost
from analysis.causal.matching.vectors import Vectors


def dense(treated: Vectors, control: Vectors, *, caliper: float) -> IntArray:
    """Return the control unit of each treated unit, -1 where it has none.

    The matching has as many pairs within the caliper as there can be, and among such matchings the
    highest total similarity.

    Parameters
    ----------
    treated, control : float32 arrays of shape (rows, d) and (columns, d)
        Of length one. The table takes 8 bytes per pair.
    caliper : float
        The lowest similarity of a pair.

    Notes
    -----
    `scipy.optimize.linear_sum_assignment` (Crouse 2016, IEEE Transactions on Aerospace and
    Electronic Systems 52, 1679-1696). A pair beyond the caliper costs as much as no pair, and is
    taken out afterwards.
    """
    nothing = unmatched_cost(len(treated))
    cost = np.empty((len(treated), len(control)))
    for rows, similar in blocks(treated, control):
        cost[rows] = np.where(similar >= caliper, 2.0 - rounded(similar), nothing)
    row, column = linear_sum_assignment(cost)
    match = np.full(len(treated), -1, dtype=np.int64)
    real: FloatArray = cost[row, column]
    match[row[real < nothing]] = column[real < nothing]
    return match
