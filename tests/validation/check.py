"""Checks one promise by simulation: the coverage of an interval, or the size of a test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

# Standard errors of the simulation by which a share may miss what was promised.
ALLOWED_ERRORS = 3.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """A promise, and how to try it once.

    Attributes
    ----------
    area : str
        Part of the methods: 'ranking', 'agreement', 'change', 'regression', 'rating studies'.
    function : str
        Dotted name of the public function.
    what : str
        Which of its numbers, in a few words.
    design : str
        What is simulated: sizes, truth, dependence.
    kind : {'coverage', 'size'}
        'coverage': the share of intervals that hold the truth. 'size': the share of tests that
        reject a true null hypothesis.
    promised : float
        The share that is promised: .95 for a 95% interval, .05 for a test at 5%.
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


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a check.

    Attributes
    ----------
    share : float
        Share of all intervals or tests.
    error : float
        Standard error of `share`, over data sets: results of one data set are not independent.
    """

    check: Check
    share: float
    error: float

    @property
    def verdict(self) -> str:
        """Return `holds`, within the error of the simulation; `cautious`; or `misses`.

        Intervals are cautious if they hold the truth more often than promised, and tests if they
        reject a true null hypothesis less often.
        """
        beyond = self.share - self.check.promised
        if abs(beyond) <= ALLOWED_ERRORS * self.error:
            return "holds"
        return "cautious" if (beyond > 0) == (self.check.kind == "coverage") else "misses"


def run(check: Check, *, seed: int) -> Outcome:
    """Try a promise on `check.runs` simulated data sets, each with its own stream.

    The error is the larger of two: from the spread over data sets, and the binomial error if the
    promise is true. If every data set gives the same result, the spread says nothing.
    """
    streams = np.random.SeedSequence(seed).spawn(check.runs)
    results = [list(check.once(np.random.default_rng(stream))) for stream in streams]
    shares = np.array([np.mean(one) for one in results if one])
    spread = float(shares.std(ddof=1)) / math.sqrt(len(shares))
    per_set = float(np.mean([len(one) for one in results if one]))
    least = math.sqrt(check.promised * (1 - check.promised) / (len(shares) * per_set))
    return Outcome(check=check, share=float(shares.mean()), error=max(spread, least))
