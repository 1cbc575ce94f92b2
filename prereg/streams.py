"""Random numbers of an analysis: every purpose has its own stream, all from the plan's one seed."""

from __future__ import annotations

import hashlib

import numpy as np

from prereg.plan.model import Plan


def stream(plan: Plan, purpose: str) -> np.random.Generator:
    """Return the stream of random numbers of one purpose.

    Parameters
    ----------
    plan : Plan
        Its seed.
    purpose : str
        Another purpose, another stream; the same again gives the same numbers.
    """
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big")
    return np.random.default_rng([plan.seed, 4, key])
