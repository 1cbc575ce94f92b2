"""A promise that can be checked by simulation: the coverage of an interval, or a test's size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Check:
    """A promise, and how to try it once.

    Attributes
    ----------
    area : str
        Part of the methods: 'ranking', 'agreement', 'change', 'regression', 'rating studies',
        'doubly robust effects', 'power'.
    function : str
        Dotted name of the public function.
    what : str
        Which of its numbers, in a few words.
    design : str
        What is simulated: sizes, truth, dependence.
    kind : {'coverage', 'size'}
        'coverage': the share of intervals that hold the truth. 'size': the share of tests that
        reject a true null hypothesis. 'power': a share that is itself simulated, and the share of
        whole studies beside it; see `outcome.PAIRED`.
    promised : float
        The share that is promised: .95 for a 95% interval, .05 for a test at 5%. Not a number for
        power, whose promise is simulated.
    once : callable
        `once(rng)` simulates one data set and returns, for every interval or test on it, whether
        the interval held the truth, or the test rejected.
    runs : int
        How many data sets.
    note : str
        What is known about a miss, and why it happens; empty if nothing is known. The docstring
        and the report say it too.
    """

    area: str
    function: str
    what: str
    design: str
    kind: Literal["coverage", "size"]
    promised: float
    once: Callable[[np.random.Generator], Iterable[bool]]
    runs: int
    note: str = ""


def tries(check: Check, seed: int, which: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Try a promise on the data sets with these numbers; return results and hits of each.

    Every data set has a stream of its own, which only depends on the seed and its number. So the
    digits are the same in whatever order and in how many processes the data sets are made.
    """
    for n in which:
        stream = np.random.SeedSequence(seed, spawn_key=(n,))
        try:
            results = [bool(one) for one in check.once(np.random.default_rng(stream))]
        except Exception as error:
            error.add_note(f"data set {n} of {check.function}: {check.what}: {check.design}")
            raise
        yield len(results), sum(results)
