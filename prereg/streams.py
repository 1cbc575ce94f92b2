"""Random numbers: every purpose has its own stream, all from the plan's one seed."""

from __future__ import annotations

import enum
import hashlib

import numpy as np

# Names of streams that analyses use, in addition to their own ids.
EXCLUSIONS = "exclusions"
ELO = "elo:"  # followed by the judge whose judgments are reordered


class Stream(enum.IntEnum):
    """The number of each purpose. A number is never given to another purpose."""

    SEQUENCES = 1
    BASELINE = 2
    BOT = 3
    ANALYSIS = 4
    JUDGE = 5
    REHEARSAL = 5  # used without a name, so it differs from every judge's stream
    PROBED_ITEMS = 6
    PERTURBATIONS = 7
    SHOWN_REWRITES = 8
    BLIND = 11  # the shuffling of answers
    POWER = 12  # of which size of the study, and the number of the simulated study
    TURNS = 14  # of which stratum of turn-pairs
    LABELS = 16  # the sample for people: of which part, and of which stratum
    SIMULATION = 20  # of what: the items' quality, a bot's conduct, a judge's scores, tables
    ALLOCATION = 30  # of which block of places
    SCENARIOS = 31  # of which condition and square, or of which place
    SCRIPT = 34  # what a scripted partner or coach says: of which conversation, turn and attempt


def stream(seed: int, purpose: Stream, *of: str | int) -> np.random.Generator:
    """Return the stream of random numbers of one purpose.

    Parameters
    ----------
    seed : int
        The plan's seed.
    purpose : Stream
        Each purpose has its own stream; the same purpose gives the same numbers again.
    *of : str or int
        Whose stream it is, if a purpose has several: a judge's, an analysis's, a bot's.
    """
    keys = (one if isinstance(one, int) else _number(one) for one in of)
    return np.random.default_rng([seed, int(purpose), *keys])


def _number(name: str) -> int:
    """Return a whole number that stands for a name, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
