"""How many labels each stratum gets: Neyman's allocation in whole numbers, within limits."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prereg.errors import RatifyError

IntArray = NDArray[np.int64]


def neyman(
    sizes: Sequence[int], spreads: Sequence[float], labels: int, *, floor: int = 2
) -> IntArray:
    """Return the numbers of labels with the smallest variance of a stratified total.

    Parameters
    ----------
    sizes : sequence of int
        Units of each stratum, at least 1.
    spreads : sequence of float
        Standard deviation within each stratum, in any unit; equal spreads give an allocation in
        proportion to size.
    labels : int
        Labels in all. If there are fewer units, every unit gets one.
    floor : int
        The fewest labels of a stratum, at least 1; a smaller stratum gets as many as it has units.

    Returns
    -------
    array of int, shape (strata,)
        They add up to `labels`, or to the number of units if that is less.

    Raises
    ------
    RatifyError
        When the labels do not reach for the floor of every stratum.

    Notes
    -----
    Neyman (1934): labels in proportion to size times spread minimise sum(size^2 spread^2 / labels).
    Those are no whole numbers. The exact minimum in whole numbers, between a floor and the size of
    each stratum, gives one label after the other to the stratum whose size times spread, divided by
    sqrt(n (n + 1)), is the largest (Wright 2012, "The equivalence of Neyman optimum allocation for
    sampling and equal proportions for apportioning the U.S. House of Representatives"). Strata
    without any spread share what is left by size.
    """
    if floor < 1:
        raise RatifyError("floor is out of range", value=floor, allowed="1 or more")
    given = [min(floor, size) for size in sizes]
    left = labels - sum(given)
    if left < 0:
        raise RatifyError(
            f"{len(sizes)} strata need {sum(given)} labels for a floor of {floor} each",
            value=labels,
            allowed=f"{sum(given)} or more",
        )
    # the largest first; among equals the larger stratum, then the earlier one
    waiting = [
        _turn(size, spread, n, at)
        for at, (size, spread, n) in enumerate(zip(sizes, spreads, given, strict=True))
        if n < size
    ]
    heapq.heapify(waiting)
    while left and waiting:
        at = heapq.heappop(waiting)[2]
        given[at] += 1
        left -= 1
        if given[at] < sizes[at]:
            heapq.heappush(waiting, _turn(sizes[at], spreads[at], given[at], at))
    return np.array(given, dtype=np.int64)


def _turn(size: int, spread: float, n: int, at: int) -> tuple[float, float, int]:
    """Return what a stratum with n labels is ranked by for the next one; the smallest is first."""
    share = size / math.sqrt(n * (n + 1))
    return -share * spread, -share, at
