"""Draws of the items: what an estimate could have been with other items, and with imagined ones.

A draw gives every item a random weight (Rubin's Bayesian bootstrap) and adds a few imagined items.
On half of these everybody gives the same rating, on the other half nobody looks at the item. They
stand for what a small sample has not shown: if 45 of 50 items have one rating, everything that is
known of agreement is in the other five, and their spread alone says too little of what a sixth
could bring. docs/decisions/013 says how often these intervals hold, and what else was weighed.

The draws are the same in every run and for every number. So a number has one interval wherever it
stands, and a difference of two numbers counts what they share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.coefficients import DECIMALS
from analysis.arrays import FloatArray

DRAWS = 2000
# The weight of all imagined items together; a real item has the weight 1.
IMAGINED = 1.25
# From so many items on the jackknife is as good, if so many of them are outside the usual answer.
MANY, TELLING = 1000, 200
# Draws of more items than this would need too much memory.
MOST = 10_000
# No more imagined values than this; a scale with more steps has some of its values.
_LEVELS = 11
_SEED = 11
# Imagined items on which nobody looks, for each value that they may have.
_EACH = 24

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Imagined:
    """Imagined items of one dimension.

    Attributes
    ----------
    levels : array of shape (levels,)
        The values that they may have, in points of the scale.
    """

    levels: FloatArray

    @property
    def size(self) -> int:
        """How many there are."""
        return (1 + _EACH) * len(self.levels)

    @cached_property
    def weights(self) -> Weights:
        """Their weights, shape (draws, size); the first `levels` are those of agreement."""
        return _imagined_weights(len(self.levels))

    def ratings(self, rater: str) -> FloatArray:
        """Return what a rater would give, shape (size,).

        Every rater gives every value equally often, and has an order of their own.
        """
        rng = np.random.default_rng([_SEED, 2, _number(rater)])
        own = rng.permutation(np.repeat(np.arange(len(self.levels)), _EACH))
        return np.concatenate([self.levels, self.levels[own]])


def imagined(values: FloatArray, scale: tuple[float, float]) -> Imagined:
    """Return the imagined items of ratings.

    Parameters
    ----------
    values : array
        Ratings of one dimension, NaN where missing.
    scale : tuple of float
        Lowest and highest possible rating.

    Returns
    -------
    Imagined
        With the steps of the scale from one below the lowest rating to one above the highest. If
        these are more than eleven: eleven of the values that occur, by their ranks.
    """
    known = np.unique(np.round(values[~np.isnan(values)], DECIMALS))
    if known.size == 0:
        return Imagined(np.empty(0))
    low, high = max(scale[0], known[0] - 1), min(scale[1], known[-1] + 1)
    steps = np.arange(np.ceil(low - 1e-9), high + 1e-9)
    if 2 <= len(steps) <= _LEVELS:
        return Imagined(steps)
    at = np.unique(np.round(np.linspace(0, known.size - 1, _LEVELS)).astype(int))
    return Imagined(known[at])


def item_weights(ratings: Sequence[str]) -> Weights:
    """Return every item's weight in every draw, shape (draws, items); the mean weight is 1.

    Parameters
    ----------
    ratings : sequence of str
        All ratings of each item, written in one way. They choose its weights, so that neither the
        items' names nor their order matter, nor which other items there are.
    """
    seen: dict[str, int] = {}
    keys = []
    for one in ratings:
        seen[one] = seen.get(one, 0) + 1
        keys.append(f"{seen[one]} {one}")
    return _item_weights(tuple(keys))


def telling(items: int, usual: int, *, perfect: bool = False) -> bool:
    """Say whether a number needs draws of its items.

    Parameters
    ----------
    items : int
        How many items it is based on.
    usual : int
        How many of them have the most frequent answer.
    perfect : bool
        Whether all agree, so that leaving an item out shows nothing.
    """
    return items < MANY or items - usual < TELLING or perfect


@lru_cache(maxsize=2)
def _item_weights(items: tuple[str, ...]) -> Weights:
    drawn = np.empty((len(items), DRAWS), dtype=np.float32)
    for row, item in zip(drawn, items, strict=True):
        rng = np.random.default_rng([_SEED, 0, _number(item)])
        rng.standard_exponential(out=row, dtype=np.float32)
    drawn = drawn.T
    drawn.setflags(write=False)
    return drawn


def _number(name: str) -> int:
    """Return a whole number that stands for a name, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


@lru_cache(maxsize=16)
def _imagined_weights(levels: int) -> Weights:
    rng = np.random.default_rng([_SEED, 1, levels])
    own = _EACH * levels
    shape = np.concatenate(
        [np.full(levels, IMAGINED / 2 / levels), np.full(own, IMAGINED / 2 / own)]
    )
    drawn = rng.gamma(shape, size=(DRAWS, levels + own)).astype(np.float32)
    drawn.setflags(write=False)
    return drawn
