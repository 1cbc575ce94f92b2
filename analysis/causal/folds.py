"""Folds for cross-fitting that keep all units of one user together."""

from __future__ import annotations

import numpy as np

from analysis.arrays import FloatArray, IntArray
from prereg.errors import RatifyError


def user_folds(
    user: IntArray, folds: int, rng: np.random.Generator, *, weights: FloatArray | None = None
) -> IntArray:
    """Return the fold of each unit, so that no user is in two folds.

    Users are dealt from the one with most units to the one with least, each to the fold that has
    fewest units so far; users with equally many come in random order.

    Parameters
    ----------
    user : int array of shape (n,)
    folds : int
    rng : numpy.random.Generator
    weights : array of shape (n,), optional
        What is to be balanced instead of the number of units, such as being labelled.

    Returns
    -------
    int array of shape (n,)
        0 to folds - 1.

    Raises
    ------
    RatifyError
        If there are fewer users than folds.
    """
    known, code = np.unique(user, return_inverse=True)
    if len(known) < folds:
        raise RatifyError(
            f"{len(known)} user{'s' * (len(known) != 1)} cannot be split into {folds} folds",
            column="user",
            value=len(known),
            allowed=f"{folds} users or more",
        )
    size = np.bincount(code, weights)
    shuffled = rng.permutation(len(known))
    order = shuffled[np.argsort(-size[shuffled], kind="stable")]
    filled, members = np.zeros(folds), np.zeros(folds)
    fold_of = np.empty(len(known), dtype=np.int64)
    for one in order:
        # users of weight 0 are spread by their number
        fold = int(np.lexsort((members, filled))[0])
        fold_of[one] = fold
        filled[fold] += size[one]
        members[fold] += 1
    return fold_of[code]
