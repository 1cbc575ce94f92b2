"""One condition of a room: an interval against what is asked, and what follows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from analysis.causal.rooms.quantity import Interval
from analysis.results.numbers import MINUS, number
from analysis.results.words import counted

Word = Literal["PASS", "FAIL", "NOT ENOUGH DATA"]
PASS: Word = "PASS"  # noqa: S105  (a verdict)
FAIL: Word = "FAIL"
OPEN: Word = "NOT ENOUGH DATA"
# More labels than this are not worth a number.
MANY = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition.

    Attributes
    ----------
    room, name, about : str
        `about` names the score, or both.
    estimate, low, high : float
        NaN where they cannot be estimated.
    level : float
        Coverage of the interval.
    least, most : float
        What is asked: a value between these. An infinite end asks nothing.
    unit, method : str
    n, clusters : int
        Units that people rated, and their users.
    verdict : {'PASS', 'FAIL', 'NOT ENOUGH DATA'}
    says : str
        A sentence.
    beside : str
        A sentence on what the number may be compared with; empty if there is nothing.
    why : str
        Why the data are not enough, whatever the interval says; empty if it may speak.
    more : int or None
        How many more labels would decide, a first estimate; None where nothing is open, and where
        no number can be foreseen.
    """

    room: str
    name: str
    about: str
    estimate: float
    low: float
    high: float
    level: float
    least: float
    most: float
    unit: str
    method: str
    n: int
    clusters: int
    verdict: Word
    says: str
    beside: str = ""
    why: str = ""
    more: int | None = None

    def line(self) -> str:
        """Return verdict and sentence."""
        return f"{self.verdict}: {self.says}"

    def further(self) -> list[str]:
        """Return what belongs below: a comparison, and why the condition is open."""
        hope = self.labels_needed() if self.verdict == OPEN else ""
        return [words for words in (self.beside, " ".join([self.why, hope]).strip()) if words]

    def labels_needed(self) -> str:
        """Return how many more labels would decide, as a sentence."""
        if self.more is None:
            return "How many labels would decide cannot be foreseen."
        return f"About {counted(rough(self.more), 'more label')} would decide (a first estimate)."


def rough(count: int) -> int:
    """Return a first estimate of a number of labels with the two digits that it may have."""
    return round(count, min(0, 2 - len(str(count))))


def decided(interval: Interval, least: float, most: float) -> Word:
    """Return what an interval says of a value that is to lie from `least` to `most`."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return OPEN
    if interval.low >= least and interval.high <= most:
        return PASS
    if interval.high < least or interval.low > most:
        return FAIL
    return OPEN


def more_labels(interval: Interval, least: float, most: float, n: int) -> int | None:
    """Return how many more labels would take an open interval off the threshold it is on.

    The interval must shrink until its end reaches the threshold: n (reach / distance)^2 labels, if
    the estimate stays and the error falls with the root of n. Both are guesses. None if the
    estimate is so close to the threshold that more than a million would be needed.
    """
    ratio = 0.0
    for bound in (least, most):
        if not interval.low < bound < interval.high:
            continue
        distance = abs(interval.estimate - bound)
        reach = interval.high - interval.estimate
        if bound < interval.estimate:
            reach = interval.estimate - interval.low
        ratio = max(ratio, reach / distance if distance > 0 else math.inf)
    needed = n * ratio**2 - n
    return math.ceil(needed) if 0 < needed <= MANY else None


def asked(least: float, most: float) -> str:
    """Return what is asked in words: 'at least 0.5'."""
    if math.isinf(most):
        return f"at least {_plain(least)}"
    if math.isinf(least):
        return f"at most {_plain(most)}"
    return f"from {_plain(least)} to {_plain(most)}"


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", MINUS)


def shown(interval: Interval) -> str:
    """Return an estimate with its interval for a sentence."""
    if math.isnan(interval.estimate):
        return "not defined"
    if math.isnan(interval.low):
        return f"{number(interval.estimate, 2)} [no interval]"
    ends = f"[{number(interval.low, 2)}, {number(interval.high, 2)}]"
    return f"{number(interval.estimate, 2)} {ends}"
