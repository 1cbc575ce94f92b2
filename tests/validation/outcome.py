"""What came out of a check, and whether that is what was promised."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.arrays import FloatArray, IntArray
from tests.validation.check import Check, tries

# Errors of the simulation, if the promise is true, by which a share may miss it.
ALLOWED_ERRORS = 3.0
# What we aim at, by kind: how far the share of intervals that miss, or of tests that reject, may be
# from the promised one, as a part of it. So .93 to .97 for 95% intervals, .04 to .06 for 5% tests.
GOALS = {"coverage": 0.4, "size": 0.2}
# Rows whose promise is itself simulated, and how far what was found may be from it.
PAIRED = frozenset({"power"})
PAIRED_GOAL = 0.1
# Errors by which a share beyond the goal leaves open on which side of it the truth is.
UNCLEAR_ERRORS = 2.0
# The fewest data sets of a row.
FEWEST = {"coverage": 500, "size": 1000, "power": 400}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a check.

    Attributes
    ----------
    share : float
        Mean over data sets of the share of their intervals or tests.
    error : float
        Standard error that `share` would have if the promise were true; see `outcome_of`.
    tried : int
        Data sets with a result.
    without : int
        Data sets without any, for instance because there is no interval.
    simulated : float or None
        What is promised, if that is simulated too.
    """

    check: Check
    share: float
    error: float
    tried: int
    without: int = 0
    simulated: float | None = None

    @property
    def promised(self) -> float:
        """What is promised."""
        return self.check.promised if self.simulated is None else self.simulated

    @property
    def verdict(self) -> str:
        """Return `holds`, within the error of the simulation; `cautious`; or `misses`.

        Intervals are cautious if they hold the truth more often than promised, and tests if they
        reject a true null hypothesis less often. A row without any result misses.
        """
        if self.tried == 0:
            return "misses"
        beyond = self.share - self.promised
        if abs(beyond) <= ALLOWED_ERRORS * self.error:
            return "holds"
        if self.check.kind in PAIRED:
            return "misses"
        return "cautious" if (beyond > 0) == (self.check.kind == "coverage") else "misses"

    @property
    def goal(self) -> str:
        """Return `within` our goal, `outside`, or `unclear`: outside, but less than two errors."""
        low, high = goal_of(self.check.kind, self.promised)
        beyond = max(low - self.share, self.share - high)
        if beyond <= 1e-12:
            return "within"
        return "unclear" if beyond <= UNCLEAR_ERRORS * self.error else "outside"


def goal_of(kind: str, promised: float) -> tuple[float, float]:
    """Return the ends of the share that we aim at.

    Parameters
    ----------
    kind : {'coverage', 'size', 'power'}
    promised : float
        Of `Outcome.promised`.
    """
    if kind in PAIRED:
        return promised - PAIRED_GOAL, promised + PAIRED_GOAL
    away = GOALS[kind] * (1 - promised if kind == "coverage" else promised)
    return promised - away, promised + away


def run(check: Check, *, seed: int) -> Outcome:
    """Try a promise on `check.runs` simulated data sets."""
    results, hits = np.array(list(tries(check, seed, range(check.runs)))).T
    return outcome_of(check, results, hits)


def outcome_of(check: Check, results: IntArray, hits: IntArray) -> Outcome:
    """Return the outcome from the number of results and of hits in each data set.

    Notes
    -----
    A verdict asks whether a share this far from the promise would come out by chance if the promise
    were true. So its error is the binomial error of the promised share, not of the share found: the
    latter grows with a miss, and so hides it. The results of one data set depend on each other: the
    variance of the mean of k of them is p (1 - p) / k times the design effect 1 + (k - 1) r. Their
    correlation r (of two results of one data set) is estimated from all pairs, around the share
    found, and taken as 0 where it is below, which makes the error too large rather than too small.
    """
    if check.kind in PAIRED:
        return _paired(check, hits)
    known = results > 0
    n, hit = results[known].astype(np.float64), hits[known].astype(np.float64)
    if not len(n):
        return Outcome(
            check=check, share=math.nan, error=math.nan, tried=0, without=int((~known).sum())
        )
    effect = 1 + (n - 1) * correlation(n, hit)
    variances = check.promised * (1 - check.promised) / n * effect
    return Outcome(
        check=check,
        share=float((hit / n).mean()),
        error=math.sqrt(float(variances.sum())) / len(n),
        tried=len(n),
        without=int((~known).sum()),
    )


def _paired(check: Check, hits: IntArray) -> Outcome:
    """Return the outcome of data sets that each hold a promise and what came of it.

    The first counts one hit, the second two. The error is that of the difference of two independent
    shares, if both are alike.
    """
    sets = max(1, len(hits))
    promised, found = float((hits % 2).mean()), float((hits // 2).mean())
    common = (promised + found) / 2
    return Outcome(
        check=check,
        share=found,
        error=math.sqrt(2 * common * (1 - common) / sets),
        tried=len(hits),
        simulated=promised,
    )


def correlation(n: FloatArray, hit: FloatArray) -> float:
    """Return the correlation of two results of one data set, at least 0.

    It is the mean product of two different results' deviations from the common share, over all
    pairs within data sets, divided by the variance of one result.
    """
    share = float(hit.sum() / n.sum())
    pairs = float((n * (n - 1)).sum())
    if share in {0.0, 1.0} or pairs == 0:
        return 0.0
    squares = hit * (1 - share) ** 2 + (n - hit) * share**2
    together = float(((hit - n * share) ** 2 - squares).sum()) / pairs
    return min(1.0, max(0.0, together / (share * (1 - share))))
