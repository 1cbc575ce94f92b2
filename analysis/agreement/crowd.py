"""Agreement with a crowd: how far one person agrees with the other people, and how far a judge.

If many people rate a few items each, no two of them share enough items for a kappa, but every item
has several ratings. Each rating is compared with the mean of the other ratings of its item, and so
is the judge's. Both have the same noisy reference, so the comparison is fair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from analysis.agreement.crowd_alpha import counts_of, with_each_left_out
from analysis.agreement.crowd_draws import CrowdDraws, draws_by_dimension, reliability_draws
from analysis.agreement.panel import Panel, require_others
from analysis.agreement.rating_table import ALL, HUMANS
from analysis.agreement.sample import Sample, difference, mean_of, nothing, readings
from analysis.arrays import FloatArray

# The order in every table: agreement of one person, then reliability of all people.
PEOPLE = ("person", "alpha_ordinal", "alpha_interval", "icc1")
RELIABILITIES: dict[str, Literal["ordinal", "interval", "icc1"]] = {
    "alpha_ordinal": "ordinal",
    "alpha_interval": "interval",
    "icc1": "icc1",
}
JUDGE = ("judge", "person", "difference", "with_mean")
COMPARED = ("judge", "person", "difference")


@dataclass(frozen=True)
class CrowdRow:
    """Agreement of the people or of a judge on one dimension, or the mean over all dimensions.

    Attributes
    ----------
    annotator : str
        `humans`, or a judge.
    dimension : str
    raters, ratings : int
        People and ratings on items that at least two people (and in its row the judge) rated.
    fewest, most : int
        Fewest and most ratings of one such item.
    samples : dict of str to Sample
        For people `PEOPLE`: quadratic kappa of one person with the mean of the others, alpha twice,
        ICC(1). For a judge `JUDGE`: its kappa with the same means, the person's on its items, the
        difference of both, and its kappa with the mean of all people.
    """

    annotator: str
    dimension: str
    raters: int
    ratings: int
    fewest: int
    most: int
    samples: dict[str, Sample] = field(repr=False)

    def __getitem__(self, name: str) -> Sample:
        """Return one of the samples."""
        return self.samples[name]


@dataclass(frozen=True)
class Crowd:
    """Agreement of the people as a crowd, and of every judge with them.

    Attributes
    ----------
    people, judges : tuple of CrowdRow
        `all` before the dimensions; judge by judge.
    """

    people: tuple[CrowdRow, ...]
    judges: tuple[CrowdRow, ...]

    def overall(self) -> list[CrowdRow]:
        """Return each judge's row over all dimensions."""
        return [row for row in self.judges if row.dimension == ALL]

    def readings(self, judge: str) -> dict[str, str]:
        """Return what a judge's difference shows on each dimension, after Holm over them."""
        rows = [r for r in self.judges if r.annotator == judge and r.dimension != ALL]
        found = readings([row["difference"] for row in rows])
        return {row.dimension: said for row, (_, said) in zip(rows, found, strict=True)}

    def to_frame(self, *, answered: frozenset[tuple[str, str]] = frozenset()) -> pd.DataFrame:
        """Return one row per annotator and dimension, every value with its interval.

        Parameters
        ----------
        answered : set of (annotator, dimension)
            Where pairs of annotators say how a judge compares with people. The same question is
            not answered twice, so `person`, `judge` and `difference` are empty there; and so is
            `with_mean` of two people, whose mean is their median.
        """
        names = list(dict.fromkeys((*PEOPLE, *JUDGE)))
        rows = []
        for row in (*self.people, *self.judges):
            cells: dict[str, object] = {
                "annotator": row.annotator,
                "dimension": row.dimension,
                "n": _n(row),
                "raters": row.raters,
                "ratings": row.ratings,
                "fewest": row.fewest,
                "most": row.most,
            }
            for name in names:
                sample = row.samples.get(name, nothing())
                again = name in COMPARED or (name == "with_mean" and row.most <= 2)
                if again and (row.annotator, row.dimension) in answered:
                    sample = nothing()
                low, high = sample.interval
                cells |= {name: sample.value, f"{name}_low": low, f"{name}_high": high}
            rows.append(cells)
        return pd.DataFrame(rows)


def crowd(table: Panel, *, level: float = 0.95) -> Crowd:
    """Return how far one person agrees with the others, and how far a judge does.

    Parameters
    ----------
    table : Panel
        Items need not be rated by everybody, nor by equally many; those that only one person rated
        are not used.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Crowd

    Raises
    ------
    RatifyError
        If there is only one person.

    Notes
    -----
    Quadratic kappa is Lin's concordance with population moments; every item counts once, however
    many people rated it. The mean of the others is noisier if they are few, for both sides of the
    difference alike. Krippendorff (2011) for alpha with missing ratings, Donner (1986) for ICC(1)
    of unequal groups. Intervals are those of `item_draws`. By simulation with 50 items and 2 to 11
    ratings of each they cover .94 to .95, that of the difference .93 (docs/validation.md).
    """
    require_others(table)
    draws = draws_by_dimension(table)
    people = [_people(table, name, level, draws[name]) for name in table.dimensions]
    rows: list[CrowdRow] = []
    for judge in table.judges:
        mine = [_judge(table, judge, name, level, draws[name]) for name in table.dimensions]
        rows += [_mean_row(judge, mine, level), *mine]
    return Crowd((_mean_row(HUMANS, people, level), *people), tuple(rows))


def _people(table: Panel, dimension: str, level: float, draws: CrowdDraws | None) -> CrowdRow:
    values = table.people[dimension]
    counts, grid = counts_of(values)
    entered = counts.sum(axis=1) > 0
    moments = _moments(table, dimension, None)
    unseen = None if draws is None else _rows(draws.ratings, None)
    found = {"person": _kappa_sample(moments, 0, 1, level, draws, unseen)}
    for name, what in RELIABILITIES.items():
        drawn = None if draws is None else reliability_draws(values, draws, what)
        found[name] = _sample(with_each_left_out(counts, grid, what), entered, level, drawn)
    return CrowdRow(HUMANS, dimension, *_sizes(values[entered]), found)


def _judge(
    table: Panel, judge: str, dimension: str, level: float, draws: CrowdDraws | None
) -> CrowdRow:
    rated = table.judge(judge, dimension)
    values = table.people[dimension]
    both = ~np.isnan(rated) & ((~np.isnan(values)).sum(axis=1) >= 2)
    moments = _moments(table, dimension, rated)
    unseen = of_mean = None
    if draws is not None:
        judged = draws.judge(judge)
        unseen, of_mean = _rows(draws.ratings, judged), _mean_rows(draws.ratings, judged)
    mine = _kappa_sample(moments, 2, 1, level, draws, unseen)
    person = _kappa_sample(moments, 0, 1, level, draws, unseen)
    middle = sum(table.scale) / 2
    found = {
        "judge": mine,
        "person": person,
        "difference": difference(mine, person),
        "with_mean": _kappa_sample(
            _mean_moments(values - middle, rated - middle, both), 0, 1, level, draws, of_mean
        ),
    }
    return CrowdRow(judge, dimension, *_sizes(values[both]), found)


def _sizes(values: FloatArray) -> tuple[int, int, int, int]:
    """Return the numbers of people and ratings, and the fewest and most ratings of an item."""
    if values.size == 0:
        return 0, 0, 0, 0
    known = ~np.isnan(values)
    per_item = known.sum(axis=1)
    return (
        int(known.any(axis=0).sum()),
        int(known.sum()),
        int(per_item.min()),
        int(per_item.max()),
    )


def _moments(table: Panel, dimension: str, rated: FloatArray | None) -> FloatArray:
    """Return each item's means over its ratings of 1, x and x x', shape (items, 1 + 3 + 9).

    x is the person's rating, the mean of the item's other ratings, and the judge's rating (zero
    without a judge). An item that does not count has a row of zeros.
    """
    sums = np.zeros((len(table.items), 13))
    middle = sum(table.scale) / 2
    for stack in table.stacks(dimension, least=2):
        judged = None if rated is None else rated[stack.items] - middle
        kept = slice(None) if judged is None else ~np.isnan(judged)
        rows = _rows(stack.ratings - middle, judged)
        sums[stack.items[kept]] = rows[kept]
    return sums


def _rows(values: FloatArray, judged: FloatArray | None) -> FloatArray:
    """Return `_moments` of items that the same number of people rated, shape (items, 13)."""
    count = values.shape[1]
    rest = (values.sum(axis=1, keepdims=True) - values) / (count - 1)
    judge = np.zeros(len(values)) if judged is None else judged
    x = np.stack([values, rest, np.broadcast_to(judge[:, None], values.shape)], axis=2)
    products = np.einsum("ira,irb->iab", x, x) / count
    return np.column_stack([np.ones(len(values)), x.mean(axis=1), products.reshape(len(values), 9)])


def _mean_moments(values: FloatArray, rated: FloatArray, both: np.ndarray) -> FloatArray:
    """Return moments as in `_moments` for the judge's rating and the mean of all people."""
    sums = np.zeros((len(values), 13))
    sums[both] = _mean_rows(values[both], rated[both])
    return sums


def _mean_rows(values: FloatArray, rated: FloatArray) -> FloatArray:
    """Return `_mean_moments` of items that are all used."""
    x = np.zeros((len(values), 3))
    if len(x):
        x[:, 0], x[:, 1] = rated, np.nanmean(values, axis=1)
    products = x[:, :, None] * x[:, None, :]
    return np.column_stack([np.ones(len(x)), x, products.reshape(len(x), 9)])


def _kappa_sample(
    moments: FloatArray,
    a: int,
    b: int,
    level: float,
    draws: CrowdDraws | None = None,
    unseen: FloatArray | None = None,
) -> Sample:
    """Return the quadratic kappa of two of the three ratings, with what its interval is made of."""
    total = moments.sum(axis=0)
    kappa = _kappas(np.vstack([total, total - moments]), a, b)
    drawn = None
    if draws is not None and unseen is not None:
        drawn = _kappas(draws.weights @ moments + draws.imagined @ unseen, a, b)
    return _sample(kappa, moments[:, 0] > 0, level, drawn)


def _kappas(sums: FloatArray, a: int, b: int) -> FloatArray:
    """Return the quadratic kappa of two of the three ratings in every copy of the items."""
    with np.errstate(divide="ignore", invalid="ignore"):
        means = sums / sums[:, :1]
        mean_a, mean_b = means[:, 1 + a], means[:, 1 + b]
        product = means[:, 4:].reshape(-1, 3, 3)
        expected = product[:, a, a] + product[:, b, b] - 2 * mean_a * mean_b
        covariance = product[:, a, b] - mean_a * mean_b
        defined = (expected > 1e-9) & (sums[:, 0] > 1.5)
        return np.where(defined, 2 * covariance / np.where(defined, expected, 1), np.nan)


def _sample(
    of_copies: FloatArray, entered: np.ndarray, level: float, draws: FloatArray | None
) -> Sample:
    """Return an estimate, given its value on all items followed by those without each item."""
    if not entered.any():
        return nothing(level)
    value = float(of_copies[0])
    return Sample(value, of_copies[1:], entered, level, bound=1.0, fisher=True, draws=draws)


def _mean_row(annotator: str, rows: Sequence[CrowdRow], level: float) -> CrowdRow:
    """Return the mean over dimensions."""
    used = [row for row in rows if row.ratings]
    sizes = (
        max((row.raters for row in used), default=0),
        sum(row.ratings for row in used),
        min((row.fewest for row in used), default=0),
        max((row.most for row in used), default=0),
    )
    means = {name: mean_of([row[name] for row in rows], level) for name in rows[0].samples}
    return CrowdRow(annotator, ALL, *sizes, means)


def _n(row: CrowdRow) -> int:
    """Return the number of items that the first value is based on."""
    return next(iter(row.samples.values())).n
