"""Array types, sums and runs by code, and a check that random work has a generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prereg.errors import RatifyError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def runs(ordered: IntArray) -> IntArray:
    """Return where each run of equal values begins."""
    if not len(ordered):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def sum_by(codes: IntArray, values: FloatArray, size: int) -> FloatArray:
    """Return the sum of the values of each code, 0 to size - 1."""
    return np.bincount(codes, values, size).astype(np.float64, copy=False)


def require_rng(rng: np.random.Generator | None, what: str) -> np.random.Generator:
    """Return the generator, or raise `RatifyError` because `what` needs one."""
    if rng is None:
        raise RatifyError(f"{what} needs a seeded generator", allowed="rng=np.random.default_rng")
    return rng
