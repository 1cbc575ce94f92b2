"""The yardstick is how far people agree with each other; each judge is compared with it.

All means are of quadratic kappas: over pairs within a dimension, each pair counting as often as the
items that it shares, then over dimensions. Draws of the items are the same for judges and people,
so a difference allows for shared items. It is compared on the items that the judge rated. A pair
that shares only a few of many items has a meaningless kappa and does not enter the means. What a
judge is said to be on each dimension is corrected after Holm over its dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.agreement.left_out import LeftOut
from analysis.agreement.pairs import Agreement, AgreementTable
from analysis.agreement.rating_table import ALL, HUMANS, MEDIAN
from analysis.agreement.sample import (
    ABOVE,
    OPEN,
    SHORT,
    Sample,
    difference,
    mean_of,
    nothing,
    readings,
)

__all__ = [
    "ABOVE",
    "ALL",
    "FEWEST",
    "OPEN",
    "SHORT",
    "Sample",
    "Standing",
    "Yardstick",
    "difference",
]
__all__ += ["enough", "mean_of", "nothing", "yardstick"]

# A pair enters a mean if it shares this many items, or half of all items if there are few.
FEWEST = 10


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
    p_adjusted : float
        p value of the difference, after Holm over the judge's dimensions; over all dimensions it is
        one test, not corrected.
    reading : str
        What the difference shows by this p value; empty without a yardstick.
    """

    judge: str
    dimension: str
    single: Sample
    median: Sample
    humans: Sample
    difference: Sample
    bias: Sample
    p_adjusted: float = np.nan
    reading: str = ""


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

    def answered(self) -> frozenset[tuple[str, str]]:
        """Return where pairs of people are the yardstick, as (annotator, dimension)."""
        people = [(HUMANS, name) for name, one in self.humans.items() if not np.isnan(one.value)]
        judges = [(s.judge, s.dimension) for s in self.standings if not np.isnan(s.humans.value)]
        return frozenset([*people, *judges])

    def to_frame(self) -> pd.DataFrame:
        """Return one row per dimension for the people, then for each judge."""
        rows = [
            {"annotator": HUMANS, "dimension": name, **_cells("humans", sample)}
            for name, sample in self.humans.items()
        ]
        rows += [
            {"annotator": s.judge, "dimension": s.dimension}
            | _cells("humans", s.humans)
            | _cells("single", s.single)
            | _cells("median", s.median)
            | _cells("difference", s.difference)
            | {"difference_p": s.difference.p_value, "difference_p_holm": s.p_adjusted}
            | {"reading": s.reading}
            for s in self.standings
        ]
        names = ["humans", "single", "median", "difference"]
        cells = [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
        cells += ["difference_p", "difference_p_holm"]
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
        standings += [*_read([_mean_standing(parts, level)]), *_read(parts)]
    return Yardstick(humans, tuple(standings))


def enough(n: int, items: int) -> bool:
    """Say whether a pair shares enough of the items, n of them, to enter a mean."""
    return n >= min(FEWEST, items / 2)


def _mean_kappa(
    table: AgreementTable, left: LeftOut, wanted: Callable[[Agreement], bool], level: float
) -> Sample:
    """Return the mean kappa of the wanted rows that share enough items, each as often as those."""
    count = left.common.sum(axis=0)
    used = [
        i
        for i, row in enumerate(table.rows[: len(count)])
        if wanted(row) and enough(int(count[i]), table.items)
    ]
    return mean_of([left.of_kappa(i, level) for i in used], level, weights=[count[i] for i in used])


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
            left.of_bias(i, row.bias, table.width, level)
            for i, row in enumerate(table.rows)
            if mine(row) and row.annotator_b == MEDIAN
        ],
        level,
    )
    return Standing(judge, dimension, single, median, humans, difference(single, humans), bias)


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


def _read(standings: Sequence[Standing]) -> list[Standing]:
    """Return standings with what their differences show, corrected over them."""
    found = readings([one.difference for one in standings])
    return [
        replace(one, p_adjusted=p, reading=said)
        for one, (p, said) in zip(standings, found, strict=True)
    ]


def _cells(name: str, sample: Sample) -> dict[str, object]:
    """Return an estimate and its interval as three cells of a table."""
    low, high = sample.interval
    return {name: sample.value, f"{name}_low": low, f"{name}_high": high}
