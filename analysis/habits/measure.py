"""Numbers about a judge's habits, and the rule for when a habit counts as found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from analysis.inference.paired import LEVEL
from analysis.results.factors import is_factor
from analysis.results.numbers import p_value
from analysis.results.quantities import Quantity

ALPHA = 0.05
# Units that several numbers share; the others are written where they are used.
ODDS, ODDS_PER_DOUBLING = "odds ratio", "odds ratio per doubling of length"
# Readings of a tested number.
FOUND, ALONE, CLEAR, UNTESTED = "found", "only alone", "not found", "not tested"
ANALYSIS = "habits"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number about one judge.

    Attributes
    ----------
    judge : str
    habit : str
        Which habit it is about: `first`, `letter`, `length`, `own`, `halo`, `rewrite` are tested;
        `steady` and `requests` only describe.
    what : str
        Which number of the habit, unique within it.
    label : str
        The number in words.
    estimate, low, high : float
        NaN where there is none; `note` then says why.
    honest : float
        The value for a judge without the habit, NaN if there is no such value.
    p_value : float
        Two-sided, for the honest value.
    n, unit_of_n, clusters, method, unit, note
        As in `Quantity`.
    asking, variant : str
        For a question asked again: `wording` or `swap`, and which wording; or which rewrite.
    dimension : str
        For a rewrite: what was rated.
    beyond_repeats : bool
        Whether the agreement of plain repetitions was subtracted.
    accuses : bool
        Whether the number decides about a habit. The others only describe.
    endless : {-1, 0, 1}
        For a factor without a finite estimate: 1 if it is infinite, -1 if it is zero.
    direction : {'both', 'higher'}
        Which deviation from the honest value counts as the habit.
    p_holm : float
        The p value corrected over everything tested about the judge; set by `judged`.
    reading : str
        `found`, `only alone`, `not found`, `not tested`; empty if the number only describes.
    """

    judge: str
    habit: str
    what: str
    label: str
    estimate: float
    n: int
    unit_of_n: str
    method: str
    unit: str
    low: float = math.nan
    high: float = math.nan
    honest: float = math.nan
    p_value: float = math.nan
    clusters: int | None = None
    note: str = ""
    asking: str = ""
    variant: str = ""
    dimension: str = ""
    beyond_repeats: bool = False
    accuses: bool = False
    endless: int = 0
    direction: Literal["both", "higher"] = "both"
    p_holm: float = math.nan
    reading: str = ""

    @property
    def is_odds(self) -> bool:
        """Whether it is a factor on odds: 1 means no difference, and its scale is logarithmic."""
        return is_factor(self.unit)

    @property
    def tested(self) -> bool:
        """Whether it decides about a habit and could be computed."""
        return self.accuses and not math.isnan(self.p_value)

    @property
    def astray(self) -> bool:
        """Whether its interval excludes the honest value, on the side that counts as the habit.

        Without an interval (a judge that always chooses the longer text has infinite odds) only
        the p value decides.
        """
        if math.isnan(self.low) and math.isnan(self.high):
            return self.tested
        if self.low > self.honest:
            return True
        return self.direction == "both" and self.high < self.honest

    def to_quantity(self) -> Quantity:
        """Return it as a report states it."""
        said = self.note
        if self.reading in {FOUND, ALONE}:
            p = p_value(self.p_holm)
            p = f"p {p}" if p[0] in "<>" else f"p = {p}"
            word = {FOUND: "Found", ALONE: "Only if tested alone"}[self.reading]
            said = f"{word} ({p} corrected over all tests of this judge). {said}".strip()
        return Quantity(
            analysis=ANALYSIS,
            name=f"{self.judge}:{self.habit}:{self.what}",
            label=self.label,
            estimate=self.estimate,
            low=self.low,
            high=self.high,
            p_value=self.p_value,
            n=self.n,
            unit_of_n=self.unit_of_n,
            clusters=self.clusters,
            method=self.method,
            unit=self.unit,
            note=said,
            level=LEVEL,
        )


@dataclass(frozen=True)
class Habit:
    """What was measured about one habit of one judge.

    Attributes
    ----------
    judge, name : str
    measures : tuple of Measure
    """

    judge: str
    name: str
    measures: tuple[Measure, ...]

    def __getitem__(self, what: str) -> Measure:
        """Return the number of this name."""
        return next(m for m in self.measures if m.what == what)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per number."""
        return measures_frame(self.measures)


COLUMNS = (
    "judge",
    "habit",
    "what",
    "label",
    "estimate",
    "low",
    "high",
    "honest",
    "p_value",
    "p_holm",
    "reading",
    "n",
    "unit_of_n",
    "unit",
    "note",
)


def measures_frame(measures: Sequence[Measure]) -> pd.DataFrame:
    """Return one row per number, with its interval, honest value and reading."""
    rows = [[getattr(m, column) for column in COLUMNS] for m in measures]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    new = {"low": "estimate_low", "high": "estimate_high", "p_holm": "corrected_p"}
    return frame.rename(columns=new)


def judged(measures: Sequence[Measure]) -> list[Measure]:
    """Return the numbers of one judge with their corrected p values and their readings.

    A habit is found if the p value, corrected by Holm over everything tested about this judge, is
    at most .05 and the 95% interval excludes the honest value. Every habit has the same weight,
    shared evenly by its tests, so that 42 rewrites do not drown the one test of order.

    Notes
    -----
    Weighted Holm: Holm (1979), Scandinavian Journal of Statistics 6, 65-70, section 4. It keeps the
    chance of any false accusation of an honest judge at .05, however the tests are related.
    """
    tested = [m for m in measures if m.tested]
    sizes = {habit: sum(m.habit == habit for m in tested) for habit in {m.habit for m in tested}}
    weights = np.array([1 / sizes[m.habit] for m in tested])
    corrected = iter(weighted_holm(np.array([m.p_value for m in tested]), weights))
    found = []
    for m in measures:
        p = float(next(corrected)) if m.tested else math.nan
        found.append(replace(m, p_holm=p, reading=_reading(m, p)))
    return found


def weighted_holm(p_values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return p values corrected by Holm's weighted procedure; the usual one has equal weights."""
    order = np.argsort(p_values / weights, kind="stable")
    left = np.cumsum(weights[order][::-1])[::-1]
    steps = p_values[order] / weights[order] * left
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return corrected


def _reading(m: Measure, p_holm: float) -> str:
    if not m.accuses:
        return ""
    if not m.tested:
        return UNTESTED
    if not m.astray:
        return CLEAR
    return FOUND if p_holm <= ALPHA else ALONE if m.p_value <= ALPHA else CLEAR
