"""Folds for cross-fitting that keep all units of one user together."""

from __future__ import annotations

import heapq

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
        Three or more.
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
        If there are fewer than three folds, or fewer users than folds.
    """
    if folds < 3:  # one is predicted, and at least two choose the penalties
        raise RatifyError(
            "too few folds", column="causal.estimators.folds", value=folds, allowed="3 or more"
        )
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
    fold_of = np.empty(len(known), dtype=np.int64)
    # what is filled, users, fold: users of weight 0 are spread by their number
    queue = [(0.0, 0, fold) for fold in range(folds)]
    for one in order:
        filled, members, fold = queue[0]
        fold_of[one] = fold
        heapq.heapreplace(queue, (filled + float(size[one]), members + 1, fold))
    return fold_of[code]
