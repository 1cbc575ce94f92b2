"""The yardstick is how far people agree with each other; each judge is compared with it.

All means are of quadratic kappas: over pairs within a dimension, then over dimensions. Intervals
leave the same items out for judges and people, so a difference allows for shared items. It is
compared on the items that the judge rated. A pair that shares only a few of many items has a
meaningless kappa and does not enter the means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.agreement.left_out import LeftOut
from analysis.agreement.pairs import Agreement, AgreementTable
from analysis.agreement.rating_table import MEDIAN
from analysis.arrays import BoolArray, FloatArray
from analysis.inference.resampling import jackknife_interval, row_means, within

# The name of the dimension in rows that are means over all dimensions.
ALL = "all"
# A pair enters a mean if it shares this many items, or half of all items if there are few.
FEWEST = 10
SHORT, ABOVE, OPEN = "falls short", "above", "no clear difference"


@dataclass(frozen=True)
class Sample:
    """An estimate with its values as each item is left out.

    Attributes
    ----------
    value : float
        NaN where nothing is defined.
    left_out : array of shape (items,)
        The estimate without each item.
    entered : array of bool, shape (items,)
        Which items the estimate is based on.
    level : float
        Coverage of the interval.
    bound : float
        Largest possible size of the value; the interval ends there.
    fisher : bool
        Whether the interval goes through Fisher's z; that of a mean over dimensions does not.
    """

    value: float
    left_out: FloatArray = field(repr=False)
    entered: BoolArray = field(repr=False)
    level: float = 0.95
    bound: float = np.inf
    fisher: bool = False

    @property
    def n(self) -> int:
        """Return the number of items that the estimate is based on."""
        return int(self.entered.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Return the bias-corrected jackknife interval, NaN where it would miss the estimate."""
        ends = jackknife_interval(
            self.value,
            self.left_out[self.entered],
            level=self.level,
            corrected=True,
            fisher=self.fisher,
        )
        return within(self.value, ends, self.bound)

    def minus(self, other: Sample) -> Sample:
        """Return the difference, with each item left out of both at once."""
        return Sample(
            self.value - other.value,
            self.left_out - other.left_out,
            self.entered | other.entered,
            self.level,
            bound=self.bound + other.bound,
        )


@dataclass(frozen=True)
class Standing:
    """One judge's agreement compared with the people's, on one dimension or over all.

    Attributes
    ----------
    judge, dimension : str
        The dimension is `all` for the mean over dimensions.
    single, median, humans : Sample
        Quadratic kappa of the judge with single people (mean over them), with their median, and
        of the people with each other on the items that the judge rated.
    difference : Sample
        single - humans, on the dimensions where both are defined.
    bias : Sample
        mean(judge - median of people); NaN over all dimensions, because directions would cancel.
    """

    judge: str
    dimension: str
    single: Sample
    median: Sample
    humans: Sample
    difference: Sample
    bias: Sample

    @property
    def reading(self) -> str:
        """Return what the interval of the difference shows; empty without a yardstick."""
        low, high = self.difference.interval
        if np.isnan(low):
            return ""
        return SHORT if high < 0 else ABOVE if low > 0 else OPEN


@dataclass(frozen=True)
class Yardstick:
    """The people's own agreement, and every judge compared with it.

    Attributes
    ----------
    humans : dict of str to Sample
        Quadratic kappa of people with each other on all their items, by dimension and for `all`,
        which comes first.
    standings : tuple of Standing
        Judge by judge, `all` before the dimensions.
    """

    humans: dict[str, Sample]
    standings: tuple[Standing, ...]

    def overall(self) -> list[Standing]:
        """Return each judge's standing over all dimensions."""
        return [s for s in self.standings if s.dimension == ALL]

    def of(self, judge: str) -> list[Standing]:
        """Return a judge's standing on each dimension."""
        return [s for s in self.standings if s.judge == judge and s.dimension != ALL]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per dimension for the people, then for each judge."""
        rows = [
            {"annotator": "humans", "dimension": name, **_cells("humans", sample)}
            for name, sample in self.humans.items()
        ]
        rows += [
            {"annotator": s.judge, "dimension": s.dimension}
            | _cells("humans", s.humans)
            | _cells("single", s.single)
            | _cells("median", s.median)
            | _cells("difference", s.difference)
            | {"reading": s.reading}
            for s in self.standings
        ]
        names = ["humans", "single", "median", "difference"]
        cells = [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
        frame = pd.DataFrame(rows, columns=["annotator", "dimension", *cells, "reading"])
        frame["reading"] = frame["reading"].fillna("")
        return frame


def yardstick(table: AgreementTable, *, level: float = 0.95) -> Yardstick:
    """Return every judge's mean quadratic kappa compared with the people's own.

    Parameters
    ----------
    table : AgreementTable
        All pairs, with each item left out in turn.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Yardstick
        A pair whose kappa is not defined, or that shares too few items, is left out of the mean;
        a mean of no pairs is NaN.
    """
    by_dimension = {d: _people(table, d, table.left_out, level) for d in table.dimensions}
    humans = {ALL: mean_of(list(by_dimension.values()), level), **by_dimension}
    standings: list[Standing] = []
    for judge in table.judges:
        parts = [_standing(table, judge, d, level) for d in table.dimensions]
        standings += [_mean_standing(parts, level), *parts]
    return Yardstick(humans, tuple(standings))


def enough(n: int, items: int) -> bool:
    """Say whether a pair shares enough of the items, n of them, to enter a mean."""
    return n >= min(FEWEST, items / 2)


def mean_of(samples: Sequence[Sample], level: float = 0.95, *, fisher: bool = False) -> Sample:
    """Return the mean of the samples that have an estimate, NaN where none has.

    `fisher` says whether its interval goes through z, as over pairs of raters on one dimension.
    """
    defined = [s for s in samples if not np.isnan(s.value)]
    if not defined:
        return nothing(level)
    return Sample(
        float(np.mean([s.value for s in defined])),
        row_means(np.column_stack([s.left_out for s in defined])),
        np.logical_or.reduce([s.entered for s in defined]),
        level,
        max(s.bound for s in defined),
        fisher,
    )


def nothing(level: float = 0.95) -> Sample:
    """Return the sample of an estimate that is not defined."""
    return Sample(np.nan, np.empty(0), np.empty(0, dtype=bool), level)


def _mean_kappa(
    table: AgreementTable, left: LeftOut, wanted: Callable[[Agreement], bool], level: float
) -> Sample:
    """Return the mean quadratic kappa of the wanted rows that share enough items."""
    count = left.common.sum(axis=0)
    return mean_of(
        [
            Sample(float(left.estimate[i]), left.kappa[:, i], left.common[:, i], level, bound=1.0)
            for i, row in enumerate(table.rows[: len(count)])
            if wanted(row) and enough(int(count[i]), table.items)
        ],
        level,
        fisher=True,
    )


def _people(table: AgreementTable, dimension: str, left: LeftOut, level: float) -> Sample:
    """Return the people's own agreement on one dimension, on the items of `left`."""
    people = set(table.humans)
    return _mean_kappa(
        table, left, lambda row: row.dimension == dimension and row.annotator_a in people, level
    )


def _standing(table: AgreementTable, judge: str, dimension: str, level: float) -> Standing:
    """Return a judge's standing on one dimension."""

    def mine(row: Agreement) -> bool:
        return row.annotator_a == judge and row.dimension == dimension

    left = table.left_out
    humans = _people(table, dimension, table.beside[judge], level)
    single = _mean_kappa(table, left, lambda row: mine(row) and row.annotator_b != MEDIAN, level)
    median = _mean_kappa(table, left, lambda row: mine(row) and row.annotator_b == MEDIAN, level)
    bias = mean_of(
        [
            Sample(row.bias, left.bias[:, i], left.common[:, i], level, bound=table.width)
            for i, row in enumerate(table.rows)
            if mine(row) and row.annotator_b == MEDIAN
        ],
        level,
    )
    return Standing(judge, dimension, single, median, humans, difference(single, humans), bias)


def difference(single: Sample, humans: Sample) -> Sample:
    """Return single - humans; not defined if either is not defined."""
    if np.isnan(single.value) or np.isnan(humans.value):
        return nothing(single.level)
    return single.minus(humans)


def _mean_standing(parts: Sequence[Standing], level: float) -> Standing:
    """Return a judge's standing over all dimensions."""
    return Standing(
        parts[0].judge,
        ALL,
        mean_of([p.single for p in parts], level),
        mean_of([p.median for p in parts], level),
        mean_of([p.humans for p in parts], level),
        mean_of([p.difference for p in parts], level),
        nothing(level),
    )


def _cells(name: str, sample: Sample) -> dict[str, object]:
    """Return an estimate and its interval as three cells of a table."""
    low, high = sample.interval
    return {name: sample.value, f"{name}_low": low, f"{name}_high": high}
