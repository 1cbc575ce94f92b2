"""Agreement at a cut, for ratings that lead to a treatment beyond it: who finds the cases.

A judge may agree well over the whole scale and still miss most of the few items that people put
beyond the cut. Each person is compared with the median of the other people, and so is the judge,
for each person left out. The judge is also compared with the median of all people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.agreement.coefficients import median_over_raters
from analysis.agreement.panel import Panel, require_others
from analysis.agreement.rating_table import MEDIAN, OTHERS, PERSON, scale_words
from analysis.arrays import BoolArray, FloatArray
from analysis.inference.proportions import wilson_interval
from analysis.tables.columns import one_of
from prereg.errors import RatifyError

Side = Literal["at_least", "at_most"]
SIGNS: dict[Side, str] = {"at_least": "≥", "at_most": "≤"}
# Each is a share: of the items that are `given`, how many are also `found`.
MEASURES = ("sensitivity", "specificity", "positive_predictive", "negative_predictive")
WILSON = "Wilson interval"
MEAN = "Wilson interval at the number of cases that the jackknife over items leaves"


@dataclass(frozen=True, kw_only=True)
class AtCut:
    """One share of one annotator at one cut; a row of the table `cut`.

    Attributes
    ----------
    cut : str
        Such as '≥ 5'.
    dimension, annotator, reference : str
        The reference decides which items are beyond the cut: `median(humans)`, or
        `median(other humans)`, the mean over the people left out in turn. The annotator
        `a single person` is the mean over the people.
    measure : str
        Sensitivity: share of the reference's cases that the annotator finds. Specificity: share of
        the other items that the annotator does not call cases. Positive (negative) predictive
        value: share of the annotator's cases (others) that are so for the reference too.
    estimate, low, high : float
        NaN where there is no such item.
    cases : int
        Denominator of the share; for a mean, summed over all people left out.
    n : int
        Items used.
    method : str
        How the interval was made.
    """

    cut: str
    dimension: str
    annotator: str
    reference: str
    measure: str
    estimate: float
    low: float
    high: float
    cases: int
    n: int
    method: str


def at_cut(
    table: Panel,
    *,
    cut: float,
    side: Side = "at_least",
    dimensions: Sequence[str] | None = None,
    level: float = 0.95,
) -> tuple[AtCut, ...]:
    """Return sensitivity, specificity and predictive values of judges and people at a cut.

    Parameters
    ----------
    table : Panel
    cut : float
        In points of the scale.
    side : {'at_least', 'at_most'}
        Whether ratings >= cut or <= cut are beyond it. A median between two points is compared
        with the cut without rounding.
    dimensions : sequence of str, optional
        By default all.
    level : float
        Coverage of the intervals.

    Returns
    -------
    tuple of AtCut
        Per dimension: `a single person`, then each judge against `median(other humans)` (these
        two may be compared), each judge against `median(humans)`, and each person against the
        others if there are at most twelve people.

    Raises
    ------
    RatifyError
        If there is only one person, or all ratings are on one side of the cut.

    Notes
    -----
    One annotator has Wilson's interval (1927), given the number of cases. The people left out in
    turn share items, so their mean has Wilson's interval at an effective number of cases (Korn and
    Graubard 1998): as many independent cases as would give the jackknife's error over items.
    """
    one_of("side", side, list(SIGNS))
    low, high = table.scale
    if not (low < cut <= high if side == "at_least" else low <= cut < high):
        raise RatifyError(
            f"every rating is on one side of the cut {SIGNS[side]} {cut:g}",
            column="cut",
            value=cut,
            allowed=f"a cut within {scale_words(table.scale)}",
        )
    require_others(table)
    word = f"{SIGNS[side]} {cut:g}"
    found: list[AtCut] = []
    for dimension in dimensions if dimensions is not None else table.dimensions:
        split = _Split(table, dimension, cut, side)
        found += split.rows(word, level)
    return tuple(found)


def to_frame(rows: Sequence[AtCut]) -> pd.DataFrame:
    """Return the rows as a table."""
    return pd.DataFrame([asdict(row) for row in rows], columns=list(AtCut.__annotations__))


class _Split:
    """One dimension split at the cut: which annotator puts which item beyond it."""

    def __init__(self, table: Panel, dimension: str, cut: float, side: Side) -> None:
        self.table, self.dimension = table, dimension
        self.cut, self.side = cut, side
        people = table.people[dimension]
        self.people = self._beyond(people)
        self.everybody = self._beyond(median_over_raters(people))
        self.others = self._beyond(_medians_without(people))

    def _beyond(self, values: FloatArray) -> FloatArray:
        """Return 1 beyond the cut, 0 otherwise, NaN where there is no rating."""
        beyond = values >= self.cut if self.side == "at_least" else values <= self.cut
        return np.where(np.isnan(values), np.nan, beyond.astype(float))

    def rows(self, word: str, level: float) -> list[AtCut]:
        judged = {
            name: self._beyond(self.table.judge(name, self.dimension)) for name in self.table.judges
        }
        found = self._mean_rows(word, PERSON, self.people, level)
        for name, values in judged.items():
            # one column per person left out; the judge has the same answers in each
            wide = np.where(np.isnan(self.people), np.nan, values[:, None])
            found += self._mean_rows(word, name, wide, level)
        for name, values in judged.items():
            found += self._single_rows(word, name, MEDIAN, values, self.everybody, level)
        if len(self.table.humans) <= 12:
            for at, name in enumerate(self.table.humans):
                found += self._single_rows(
                    word, name, OTHERS, self.people[:, at], self.others[:, at], level
                )
        return found

    def _mean_rows(
        self, word: str, annotator: str, answers: FloatArray, level: float
    ) -> list[AtCut]:
        """Return the shares over all people left out; each pair of ratings counts the same."""
        rows = []
        for measure in MEASURES:
            given, found = _events(measure, answers, self.others)
            by_item = np.column_stack([given.sum(axis=1), (given & found).sum(axis=1)])
            used = (~np.isnan(answers + self.others)).any(axis=1)
            value, low, high = pooled_share(by_item[used].astype(float), level)
            rows.append(
                AtCut(
                    cut=word,
                    dimension=self.dimension,
                    annotator=annotator,
                    reference=OTHERS,
                    measure=measure,
                    estimate=value,
                    low=low,
                    high=high,
                    cases=int(given.sum()),
                    n=int(used.sum()),
                    method=MEAN,
                )
            )
        return rows

    def _single_rows(
        self,
        word: str,
        annotator: str,
        reference: str,
        answers: FloatArray,
        truth: FloatArray,
        level: float,
    ) -> list[AtCut]:
        rows = []
        for measure in MEASURES:
            given, found = _events(measure, answers, truth)
            cases, hits = int(given.sum()), int((given & found).sum())
            low, high = wilson_interval(hits, cases, level=level)
            rows.append(
                AtCut(
                    cut=word,
                    dimension=self.dimension,
                    annotator=annotator,
                    reference=reference,
                    measure=measure,
                    estimate=hits / cases if cases else np.nan,
                    low=low,
                    high=high,
                    cases=cases,
                    n=int((~np.isnan(answers + truth)).sum()),
                    method=WILSON,
                )
            )
        return rows


def _events(measure: str, answers: FloatArray, truth: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return where a measure has a case, and where the other side says the same."""
    known = ~np.isnan(answers + truth)
    one, other = (truth, answers) if measure in MEASURES[:2] else (answers, truth)
    beyond = 1.0 if measure in ("sensitivity", "positive_predictive") else 0.0
    return known & (one == beyond), other == beyond


def pooled_share(by_item: FloatArray, level: float) -> tuple[float, float, float]:
    """Return a ratio of sums over items with Wilson's interval at its effective number of cases.

    That is how many independent cases would give the jackknife's error. If every case went the
    same way, this error is zero, and the number of items with a case is used instead.

    Parameters
    ----------
    by_item : array of shape (items, 2)
        Cases and hits of each item.
    level : float
    """
    cases, hits = by_item.sum(axis=0) if len(by_item) else (0.0, 0.0)
    if cases == 0:
        return np.nan, np.nan, np.nan
    left = by_item.sum(axis=0) - by_item
    items = int((by_item[:, 0] > 0).sum())
    value = float(hits / cases)
    effective = float(items)
    if (left[:, 0] > 0).all() and 0 < value < 1:
        variance = (len(left) - 1) * float((left[:, 1] / left[:, 0]).var())
        effective = min(value * (1 - value) / variance, float(cases)) if variance > 0 else effective
    return value, *wilson_interval(value * effective, effective, level=level)


def _medians_without(people: FloatArray) -> FloatArray:
    """Return each item's median over the others who rated it, for every person."""
    found = np.full(people.shape, np.nan)
    known = ~np.isnan(people)
    order = np.argsort(~known, axis=1, kind="stable")
    count = known.sum(axis=1)
    for size in np.unique(count[count >= 2]):
        rows = np.flatnonzero(count == size)
        raters = order[rows, :size]
        values = np.take_along_axis(people[rows], raters, axis=1)
        for at in range(size):
            rest = np.delete(values, at, axis=1)
            found[rows, raters[:, at]] = np.median(rest, axis=1)
    return found
