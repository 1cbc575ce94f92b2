"""Random numbers: every purpose has its own stream, all from the plan's one seed."""

from __future__ import annotations

import enum
import hashlib

import numpy as np

# What an analysis draws for, beside its own id.
EXCLUSIONS = "exclusions"
ELO = "elo:"  # and the judge whose judgments are reordered


class Stream(enum.IntEnum):
    """The numbers behind the plan's seed. A number is never given to another purpose."""

    SEQUENCES = 1
    BASELINE = 2
    BOT = 3
    ANALYSIS = 4
    JUDGE = 5
    REHEARSAL = 5  # nothing is named behind it, so it shares no numbers with a judge's
    PROBED_ITEMS = 6
    PERTURBATIONS = 7
    SHOWN_REWRITES = 8


def stream(seed: int, purpose: Stream, *of: str | int) -> np.random.Generator:
    """Return the stream of random numbers of one purpose.

    Parameters
    ----------
    seed : int
        The plan's.
    purpose : Stream
        Another purpose, another stream; the same again gives the same numbers.
    *of : str or int
        Whose stream it is, where a purpose has several: a judge's, an analysis's, a bot's.
    """
    keys = (one if isinstance(one, int) else _number(one) for one in of)
    return np.random.default_rng([seed, int(purpose), *keys])


def _number(name: str) -> int:
    """Return a whole number that stands for a name, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
