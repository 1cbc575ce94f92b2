"""One judge on one dimension: the numbers that the rules of a verdict look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.agreement.alternative_annotator import Verdict as Tested
from analysis.agreement.pairs import Agreement, AgreementTable
from analysis.agreement.rating_table import MEDIAN
from analysis.agreement.sample import SHORT as FALLS_SHORT
from analysis.agreement.sample import Sample
from analysis.agreement.summary import Beyond
from analysis.agreement.yardstick import Yardstick
from prereg.plan.reporting import Large

# The alpha of all people together that an audit reports everywhere.
ALPHA = "alpha_ordinal"


@dataclass(frozen=True)
class Part:
    """One judge on one dimension: the numbers that the rules look at.

    Attributes
    ----------
    judge, dimension : str
    n : int
        Items that the judge and people rated.
    coefficient : str
        What `people` is: 'kappa' of pairs of people, or, in a crowd, the 'alpha' of all of them.
    people : tuple of float
        People's own agreement.
    difference : tuple of float
        How far the judge's kappa is from people's own: from that of two people, or, in a crowd, of
        one person with the mean of the others.
    shared : int
        Items behind people's own agreement.
    short : bool
        Whether the judge's agreement is clearly below people's own.
    bias, rank : tuple of float
        The judge's mean difference from, and rank correlation with, the median of people.
    tested : Verdict or None
        The alternative-annotator test, if anybody could be tested.
    always : str
        What the judge always says; empty if its ratings vary.
    idle : str
        A rating that would pass the test if every item got it; empty if none would.
    """

    judge: str
    dimension: str
    n: int
    coefficient: str
    people: tuple[float, float, float]
    shared: int
    difference: tuple[float, float, float]
    short: bool
    bias: tuple[float, float, float]
    rank: tuple[float, float, float]
    tested: Tested | None
    always: str = ""
    idle: str = ""


def part_of(
    judge: str, dimension: str, table: AgreementTable, bar: Yardstick, beyond: Beyond
) -> Part:
    """Return the numbers of a judge on a dimension; of a crowd where people share too few items."""
    standing = next(s for s in bar.of(judge) if s.dimension == dimension)
    row = _with_median(judge, dimension, table)
    people, difference = standing.humans, standing.difference
    short = standing.reading == FALLS_SHORT
    if np.isnan(difference.value) and beyond.crowd is not None:
        crowd = next(
            (r for r in beyond.crowd.judges if r.annotator == judge and r.dimension == dimension),
            None,
        )
        if crowd is not None:
            difference = crowd["difference"]
            people = next(r for r in beyond.crowd.people if r.dimension == dimension)[ALPHA]
            short = beyond.crowd.readings(judge)[dimension] == FALLS_SHORT
    tested = None
    if beyond.alternative is not None:
        tested = next(
            (
                v
                for v in beyond.alternative.verdicts
                if v.judge == judge and v.dimension == dimension and v.passes is not None
            ),
            None,
        )
    return Part(
        judge=judge,
        dimension=dimension,
        n=0 if row is None else row.n,
        coefficient="kappa" if people is standing.humans else "alpha",
        people=triple(people),
        shared=people.n,
        difference=triple(difference),
        short=short,
        bias=triple(standing.bias),
        rank=(np.nan, np.nan, np.nan)
        if row is None
        else (row.spearman, row.spearman_low, row.spearman_high),
        tested=tested,
        always=beyond.constants.get(judge, {}).get(dimension, ""),
        idle=beyond.idle(dimension),
    )


def triple(sample: Sample) -> tuple[float, float, float]:
    """Return a value and the two ends of its interval."""
    return (sample.value, *sample.interval)


def _with_median(judge: str, dimension: str, table: AgreementTable) -> Agreement | None:
    for row in table.rows:
        if {row.annotator_a, row.annotator_b} == {judge, MEDIAN} and row.dimension == dimension:
            return row
    return None


def is_reversed(part: Part, large: Large) -> bool:
    """Say whether a judge is high where people are low."""
    value, _, high = part.rank
    return bool(value <= -large.reversed and high < 0)


def is_biased(part: Part, scale: tuple[float, float], large: Large) -> bool:
    """Say whether a judge's mean difference from people is large, and not by chance."""
    value, low, high = part.bias
    excludes = low > 0 or high < 0 or (low == high == value)
    return bool(abs(value) >= large.bias * (scale[1] - scale[0]) and excludes)


def spoken(dimension: str) -> str:
    """Return a dimension as a sentence names it."""
    return dimension.replace("_", " ")
