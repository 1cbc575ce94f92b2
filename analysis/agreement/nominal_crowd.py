"""Labels of all people together, and each judge compared with one person, whoever rated what.

A crowd of whom a few label each item has no pairs with many items in common. So agreement is
pooled over everybody who shares an item; experts who label every item are treated in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.agreement.nominal import POOLED, among_people, label_counts, with_people
from analysis.agreement.nominal_pairs import Classes
from analysis.agreement.panel import Panel
from analysis.agreement.yardstick import ALL, Sample, difference, mean_of


@dataclass(frozen=True, kw_only=True)
class LabelRow:
    """One annotator on one dimension, or over all of them.

    Attributes
    ----------
    annotator, dimension : str
        `people` for the people with each other; `all` for the mean over dimensions.
    n : int
        Items used; for a mean, of the dimension with the most.
    own : dict of str to Sample
        By the names of `POOLED`: people with each other, or the judge with one person.
    people, differences : dict of str to Sample
        For a judge: people with each other on the items that it labelled, and own - people.
    """

    annotator: str
    dimension: str
    n: int
    own: dict[str, Sample] = field(repr=False)
    people: dict[str, Sample] = field(default_factory=dict, repr=False)
    differences: dict[str, Sample] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class LabelCrowd:
    """All people together, and each judge compared with one of them; `all` comes first.

    Attributes
    ----------
    people, judges : tuple of LabelRow
    """

    people: tuple[LabelRow, ...]
    judges: tuple[LabelRow, ...]

    def overall(self) -> list[LabelRow]:
        """Return each judge's mean over dimensions."""
        return [row for row in self.judges if row.dimension == ALL]

    def of(self, judge: str, dimension: str) -> LabelRow:
        """Return a judge's row."""
        return next(
            row for row in self.judges if (row.annotator, row.dimension) == (judge, dimension)
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per annotator and dimension: each coefficient, then its difference."""
        rows = []
        for row in (*self.people, *self.judges):
            cells: dict[str, object] = {
                "annotator": row.annotator,
                "dimension": row.dimension,
                "n": row.n,
            }
            for name in POOLED:
                cells |= _cells(name, row.own[name])
            for name in POOLED:
                cells |= _cells(f"{name}_difference", row.differences.get(name))
            rows.append(cells)
        return pd.DataFrame(rows)


def label_crowd(table: Panel, classes: Classes, *, level: float = 0.95) -> LabelCrowd:
    """Return how far people give the same labels, and how far each judge agrees with one of them.

    Parameters
    ----------
    table : Panel
        Ratings are codes of labels, from 0.
    classes : mapping of str to tuple of str
        The labels of each dimension, in the order of their codes.
    level : float
        Coverage of the intervals.

    Returns
    -------
    LabelCrowd
        With one person, people's own rows are NaN.

    Notes
    -----
    By simulation (docs/validation.md) the intervals of coefficients cover .95 to .97, those of
    differences .94 to .96 with 100 or 200 items, and .92 to .94 with 50 items: there a sample in
    which the judge agrees often also varies little, so that 5% of the intervals lie too high.
    """
    counts = {
        name: label_counts(table.people[name], len(classes[name])) for name in table.dimensions
    }
    people = [
        LabelRow(
            annotator="people",
            dimension=name,
            n=int((counts[name].sum(axis=1) >= 2).sum()),
            own=among_people(counts[name], level=level),
        )
        for name in table.dimensions
    ]
    judges: list[LabelRow] = []
    for judge in table.judges:
        rows = [_judge(table, judge, name, len(classes[name]), level) for name in table.dimensions]
        judges += [_mean(rows, level), *rows]
    return LabelCrowd(people=(_mean(people, level), *people), judges=tuple(judges))


def _judge(table: Panel, judge: str, dimension: str, classes: int, level: float) -> LabelRow:
    codes = table.judge(judge, dimension)
    counts = label_counts(table.people[dimension], classes)
    labelled = ~np.isnan(codes)
    own = with_people(codes, counts, level=level)
    people = among_people(np.where(labelled[:, None], counts, 0.0), level=level)
    return LabelRow(
        annotator=judge,
        dimension=dimension,
        n=int((labelled & (counts.sum(axis=1) > 0)).sum()),
        own=own,
        people=people,
        differences={name: difference(own[name], people[name]) for name in POOLED},
    )


def _mean(rows: Sequence[LabelRow], level: float) -> LabelRow:
    def over(part: str) -> dict[str, Sample]:
        names = getattr(rows[0], part)
        return {name: mean_of([getattr(row, part)[name] for row in rows], level) for name in names}

    return LabelRow(
        annotator=rows[0].annotator,
        dimension=ALL,
        n=max(row.n for row in rows),
        own=over("own"),
        people=over("people"),
        differences=over("differences"),
    )


def _cells(name: str, sample: Sample | None) -> dict[str, float]:
    low, high = (np.nan, np.nan) if sample is None else sample.interval
    value = np.nan if sample is None else sample.value
    return {name: value, f"{name}_low": low, f"{name}_high": high}
