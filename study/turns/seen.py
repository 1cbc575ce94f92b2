"""Remembers numbers that have been seen, in about eight bytes each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


class Seen:
    """A growing set of whole numbers, as a few sorted arrays.

    A set of Python's takes ten times as much. Arrays of similar length are merged, so that there
    are only as many as the logarithm of their numbers, and each number is copied that often.
    """

    def __init__(self) -> None:
        self._sorted: list[Numbers] = []

    def __len__(self) -> int:
        return sum(len(one) for one in self._sorted)

    def add(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Add numbers, and say which of them are seen for the first time.

        Parameters
        ----------
        numbers : ndarray of int64, shape (n,)

        Returns
        -------
        ndarray of bool, shape (n,)
            True at the first place of each number that was not in the set.
        """
        distinct, places = np.unique(numbers, return_index=True)
        new = np.ones(len(distinct), dtype=bool)
        for known in self._sorted:
            at = np.minimum(np.searchsorted(known, distinct), len(known) - 1)
            new &= known[at] != distinct
        first = np.zeros(len(numbers), dtype=bool)
        first[places[new]] = True
        if new.any():
            self._sorted.append(distinct[new])
        while len(self._sorted) > 1 and len(self._sorted[-2]) <= 2 * len(self._sorted[-1]):
            last = self._sorted.pop()
            both = np.concatenate([self._sorted.pop(), last])
            both.sort(kind="stable")  # merges two sorted runs
            self._sorted.append(both)
        return first
