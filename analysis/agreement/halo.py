"""Halo: how far an annotator's errors on two dimensions of one item are correlated.

Each person is left out in turn. Their error, and the judge's, is the distance from the mean of the
remaining people. Both have the same reference, so its noise and halo affect both alike. If one
judge gives both a score and an outcome, the two share such errors.

Where nobody rated both dimensions of an item, people's halo is 0 by design. The judge's errors are
then its distances from the means of two different groups of people, as in the gate of a causal
estimate.
`analysis.habits.ratings.halo` summarises halo in one number; this module has every pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.agreement.panel import Panel, require_others
from analysis.agreement.rating_table import PERSON
from analysis.agreement.sample import Sample, difference, nothing
from analysis.arrays import FloatArray, IntArray
from prereg.errors import RatifyError

PEOPLE = PERSON
# No correlation is reported for fewer items than this.
FEWEST = 10
# Ratings of an item on each of two dimensions that different people rated; the gate asks for as
# many.
FEWEST_RATINGS = 2


@dataclass(frozen=True)
class HaloRow:
    """Errors of one annotator on two dimensions; a row of the table `halo`.

    Attributes
    ----------
    annotator : str
        A judge, `a single person` (all people left out in turn, together), or a person by name.
    dimension_a, dimension_b : str
    correlation : Sample
        Of the errors, minus each annotator's mean error: general severity is not an error about
        an item.
    difference : Sample
        A judge's correlation minus that of a single person, on the items that the judge rated.
    apart : bool
        Whether nobody rated both dimensions of an item. Then a person's correlation is 0 by design,
        and the difference is the correlation.
    """

    annotator: str
    dimension_a: str
    dimension_b: str
    correlation: Sample = field(repr=False)
    difference: Sample = field(repr=False)
    apart: bool = False


@dataclass(frozen=True)
class Halo:
    """The halo of judges and people for each pair of dimensions.

    Attributes
    ----------
    rows : tuple of HaloRow
        People together, people one by one (twelve or fewer of them), then judges. A pair of
        dimensions that different people rated has rows of judges only.
    """

    rows: tuple[HaloRow, ...]

    @property
    def apart(self) -> list[tuple[str, str]]:
        """The pairs of dimensions that different people rated, of which a judge has a row."""
        found = [(row.dimension_a, row.dimension_b) for row in self.rows if row.apart]
        return list(dict.fromkeys(found))

    def of(self, annotator: str) -> list[HaloRow]:
        """Return the rows of one annotator."""
        return [row for row in self.rows if row.annotator == annotator]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per annotator and pair of dimensions; n counts items."""
        rows = []
        for row in self.rows:
            low, high = row.correlation.interval
            more_low, more_high = row.difference.interval
            rows.append(
                {
                    "annotator": row.annotator,
                    "dimension_a": row.dimension_a,
                    "dimension_b": row.dimension_b,
                    "n": row.correlation.n,
                    "correlation": row.correlation.value,
                    "correlation_low": low,
                    "correlation_high": high,
                    "difference": row.difference.value,
                    "difference_low": more_low,
                    "difference_high": more_high,
                }
            )
        return pd.DataFrame(rows)


def halo(table: Panel, *, level: float = 0.95) -> Halo:
    """Return how far errors on two dimensions are correlated, for judges and for people.

    Parameters
    ----------
    table : Panel
    level : float
        Coverage of the intervals: jackknife over items, for a correlation through Fisher's z.

    Returns
    -------
    Halo
        A correlation is NaN with fewer than ten items, or if an annotator makes the same error on
        every item.

    Raises
    ------
    RatifyError
        If there is only one person or only one dimension.

    Notes
    -----
    Thorndike (1920) for the effect. Errors are in points of the scale. If a judge uses less of the
    scale than people, its errors depend on the items' true scores, which raises its halo if these
    are correlated over dimensions. This is an error too, but not one impression that affects all.
    The interval of the difference covers .93 to .96 with 50 items and three people.

    Where different people rated two dimensions, the noise of their means is independent, so it
    lowers the judge's correlation: more for a judge whose errors are small. Items with fewer than
    two ratings on either dimension are left out. The correlation is that of
    `analysis.causal.rooms.halo` if every item counts once.
    """
    require_others(table)
    if len(table.dimensions) < 2:
        raise RatifyError(
            "halo needs two dimensions of an item",
            column="dimension",
            value=table.dimensions[0],
            allowed="two dimensions or more",
        )
    rests = {name: _rest(table.people[name]) for name in table.dimensions}
    people: list[HaloRow] = []
    single: list[HaloRow] = []
    of_judges: dict[str, list[HaloRow]] = {name: [] for name in table.judges}
    for a, b in combinations(table.dimensions, 2):
        if _apart(table, a, b):
            for judge, rows in of_judges.items():
                found = _correlation(_from_means(table, judge, a, b), level)
                rows.append(HaloRow(judge, a, b, found, found, apart=True))
            continue
        errors = [table.people[name] - rests[name] for name in (a, b)]
        none = nothing(level)
        people.append(HaloRow(PEOPLE, a, b, _correlation(errors, level), none))
        if len(table.humans) <= 12:
            for at, human in enumerate(table.humans):
                own = [np.where(np.arange(len(table.humans)) == at, e, np.nan) for e in errors]
                single.append(HaloRow(human, a, b, _correlation(own, level), none))
        for judge, rows in of_judges.items():
            mine = [table.judge(judge, name)[:, None] - rests[name] for name in (a, b)]
            shared = ~np.isnan(mine[0] + mine[1] + errors[0] + errors[1])
            mine = [np.where(shared, e, np.nan) for e in mine]
            beside = [np.where(shared, e, np.nan) for e in errors]
            found = _correlation(mine, level)
            more = difference(found, _correlation(beside, level))
            rows.append(HaloRow(judge, a, b, found, more))
    order = {name: n for n, name in enumerate(table.humans)}
    single.sort(key=lambda row: order[row.annotator])
    return Halo((*people, *single, *(row for rows in of_judges.values() for row in rows)))


def _apart(table: Panel, a: str, b: str) -> bool:
    """Say whether nobody rated both dimensions of an item, though people rated both of some."""
    first, second = (~np.isnan(table.people[name]) for name in (a, b))
    shared = first.any(axis=1) & second.any(axis=1)
    return bool(shared.any() and not (first & second).any())


def _from_means(table: Panel, judge: str, a: str, b: str) -> list[FloatArray]:
    """Return a judge's distances from people's means, of shape (items, 1)."""
    found = []
    for name in (a, b):
        known = ~np.isnan(table.people[name])
        count = known.sum(axis=1)
        mean = np.nansum(table.people[name], axis=1) / np.maximum(count, 1)
        error = np.where(count >= FEWEST_RATINGS, table.judge(judge, name) - mean, np.nan)
        found.append(np.asarray(error)[:, None])
    return found


def _rest(people: FloatArray) -> FloatArray:
    """Return the mean of the others for every person and item they rated; NaN without others."""
    known = ~np.isnan(people)
    count = known.sum(axis=1, keepdims=True)
    others = np.where(known & (count > 1), count - 1, np.nan)
    return np.asarray((np.nansum(people, axis=1, keepdims=True) - people) / others)


def _correlation(errors: Sequence[FloatArray], level: float) -> Sample:
    """Return the correlation within people of two errors of shape (items, people)."""
    known = ~np.isnan(errors[0] + errors[1])
    entered = np.asarray(known.any(axis=1))
    if entered.sum() < FEWEST:
        return nothing(level)
    rows, raters = np.nonzero(known)
    x = np.column_stack([_centred(one[known], raters) for one in errors])
    sums = np.zeros((len(known), 3))
    np.add.at(sums, rows, np.column_stack([x[:, 0] * x[:, 1], x**2]))
    # every item counts once, however many people rated it
    sums[entered] /= known.sum(axis=1)[entered][:, None]
    whole = sums.sum(axis=0)
    copies = np.vstack([whole, whole - sums])
    size = np.clip(copies[:, 1], 0, None) * np.clip(copies[:, 2], 0, None)
    defined = size > 1e-18
    r = np.where(defined, copies[:, 0] / np.sqrt(np.where(defined, size, 1.0)), np.nan)
    return Sample(float(r[0]), r[1:], entered, level, bound=1.0, fisher=True)


def _centred(values: FloatArray, raters: IntArray) -> FloatArray:
    """Return values minus their rater's mean."""
    count = np.bincount(raters)
    means = np.bincount(raters, values) / np.maximum(count, 1)
    return np.asarray(values - means[raters])
