"""Habits that a judge's ratings show: correlated errors, and scores that change with rewrites."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.habits.answers import ORIGINAL, PERTURBATION, item_probes, of_judge
from analysis.habits.measure import Habit, Measure
from analysis.inference.paired import LEVEL, mean_difference
from analysis.inference.resampling import jackknife_interval, within
from analysis.tables import columns

# There is no correlation for fewer items than this.
FEWEST_ITEMS = 10
# A judge's errors count where its covariance with people exceeds this share of a person's.
FOLLOWS = 0.25
JUDGE_1, JUDGE_2, PERSON_1, PERSON_2, REST_1, REST_2 = range(6)
ERRORS = (
    "correlation of errors on two dimensions of an item, mean over pairs of dimensions; errors are "
    "from the mean of all other people, the judge's on people's scale; jackknife over items"
)


@dataclass(frozen=True)
class _Pair:
    """Correlations of the errors of judge and people, on all items and without each item."""

    judge: float
    people: float
    left_out: pd.DataFrame  # by item: judge, people
    follows: bool


def halo(
    ratings: pd.DataFrame,
    people: pd.DataFrame,
    *,
    judge: str,
    polarity: Mapping[str, int] | None = None,
) -> Habit:
    """Return whether a judge's errors on two dimensions are more correlated than a person's.

    Parameters
    ----------
    ratings : DataFrame
        Tidy ratings; only the judge's are used.
    people : DataFrame
        Tidy ratings of people, see `answers.people_of`.
    judge : str
    polarity : mapping, optional
        1 or -1 by dimension, so that a good impression raises every dimension alike; by default
        the signs of the first component of people's mean ratings.

    Returns
    -------
    Habit
        `halo`: correlation of the judge's errors minus that of people's, where only values above 0
        count as a habit; `halo of judge`, `halo of people`: the two correlations.

    Notes
    -----
    Each person in turn is compared with the judge. The errors of both are from the mean of all
    other people, so the noise and the halo of that mean affect both alike (Thorndike 1920 for the
    effect). The errors of a judge that uses less of the scale would depend on each item's true
    score, on all dimensions at once. So its ratings are first put on people's scale, by the ratio
    of its covariance with the others' mean to a person's.
    """
    grid = _grid(of_judge(ratings, judge), people)
    signs = _polarity(grid) if polarity is None else dict(polarity)
    pairs: list[_Pair] = []
    for a, b in itertools.combinations(range(len(grid.dimensions)), 2):
        first, second = grid.dimensions[a], grid.dimensions[b]
        pair = _errors(grid, a, b, signs.get(first, 1) * signs.get(second, 1))
        if pair is not None:
            pairs.append(pair)
    used = [pair for pair in pairs if pair.follows and not math.isnan(pair.judge + pair.people)]
    if not used:
        return Habit(judge, "halo", (_no_halo(judge, grid, bool(pairs)),))
    judges = _mean_over_pairs(used, "judge")
    others = _mean_over_pairs(used, "people")
    difference = judges[0] - others[0], judges[1] - others[1]
    note = (
        ""
        if len(used) == len(pairs)
        else (
            f"{len(pairs) - len(used)} of {len(pairs)} pairs of dimensions are left out: the judge "
            "does not follow people there, or makes no errors."
        )
    )
    common: dict[str, Any] = {
        "judge": judge,
        "habit": "halo",
        "n": len(difference[1]),
        "unit_of_n": "items",
        "method": ERRORS,
        "note": note,
    }
    low, high, p_value = _jackknife(*difference, bound=2.0)
    return Habit(
        judge,
        "halo",
        (
            Measure(
                what="halo",
                label=f"Correlation of {judge}'s errors, beyond people's",
                estimate=difference[0],
                low=low,
                high=high,
                honest=0.0,
                p_value=p_value,
                unit="difference of correlations",
                accuses=True,
                direction="higher",
                **common,
            ),
            _one_side(f"Correlation of {judge}'s errors", "halo of judge", judges, common),
            _one_side("Correlation of people's errors", "halo of people", others, common),
        ),
    )


def shift(probes: pd.DataFrame, *, judge: str) -> Habit:
    """Return how far each rewrite of a text changes each score.

    Parameters
    ----------
    probes : DataFrame
        Tidy probes; `original` and `perturbation` of items count.
    judge : str

    Returns
    -------
    Habit
        `REWRITE DIMENSION`: mean of rewritten minus original, each tested against 0.

    Notes
    -----
    The interval is Student's over items. The p value is exact: if a rewrite has no effect, the two
    ratings of an item can be exchanged (`mean_difference`).
    """
    rows = item_probes(probes, judge)
    cells = rows.groupby(["probe", "variant", "dimension", "unit"], sort=False)["value"].mean()
    probe = cells.index.get_level_values("probe")
    before = cells[probe == ORIGINAL].droplevel(["probe", "variant"])
    after = cells[probe == PERTURBATION].droplevel("probe")
    asked = pd.MultiIndex.from_arrays(
        [after.index.get_level_values(name) for name in ("dimension", "unit")]
    )
    moved = after - before.reindex(asked).to_numpy()
    moved = moved.dropna()
    measures = []
    for cell, values in moved.groupby(level=[0, 1], sort=False):
        name, dimension = cast("tuple[str, str]", cell)
        mean, low, high, p_value = mean_difference(values.to_numpy().astype(np.float64))
        still = "No rating changed." if not values.any() else "All ratings changed equally."
        note = still if math.isnan(low) and len(values) > 1 else ""
        measures.append(
            Measure(
                judge=judge,
                habit="rewrite",
                what=f"{name} {dimension}",
                variant=name,
                dimension=dimension,
                n=len(values),
                label=f"{judge}, {_words(dimension)}, {_words(name)} minus original",
                estimate=mean,
                low=low,
                high=high,
                honest=0.0,
                p_value=p_value,
                unit_of_n="items",
                method="mean difference over items, t interval, exact sign-flip test",
                unit="points of the scale",
                accuses=True,
                note="A single item gives no interval." if len(values) == 1 else note,
            )
        )
    if not measures:
        measures.append(
            Measure(
                judge=judge,
                habit="rewrite",
                what="rewrites",
                label=f"{judge} under rewrites",
                estimate=math.nan,
                n=0,
                unit_of_n="items",
                unit="points of the scale",
                method="mean difference over items",
                accuses=True,
                note="No rewritten text was rated.",
            )
        )
    return Habit(judge, "rewrite", tuple(measures))


def _words(name: object) -> str:
    return str(name).replace("_", " ")


def _one_side(
    label: str, what: str, found: tuple[float, pd.Series[float]], common: Mapping[str, Any]
) -> Measure:
    low, high, _ = _jackknife(*found, bound=1.0)
    return Measure(
        what=what, label=label, estimate=found[0], low=low, high=high, unit="correlation", **common
    )


def _no_halo(judge: str, grid: _Grid, some: bool) -> Measure:
    """Return a measure that says why there is no halo to compare."""
    why = f"Fewer than {FEWEST_ITEMS} items were rated by it and two people, on two dimensions."
    if len(grid.people) == 0:
        why = "People gave no ratings."
    elif len(grid.judge) == 0:
        why = "It gave no ratings."
    elif len(grid.dimensions) < 2:
        why = "It shares fewer than two dimensions with people."
    elif some:
        why = "It does not follow people on two dimensions, or makes no errors."
    elif (~np.isnan(grid.people)).sum(axis=1).max() < 2:
        why = (
            "Nobody rated an item on two dimensions: an agreement analysis shows the judge's halo."
        )
    return Measure(
        judge=judge,
        habit="halo",
        what="halo",
        label=f"Correlation of {judge}'s errors, beyond people's",
        estimate=math.nan,
        n=0,
        unit_of_n="items",
        method=ERRORS,
        unit="difference of correlations",
        note=why,
        accuses=True,
        direction="higher",
        honest=0.0,
    )


@dataclass(frozen=True)
class _Grid:
    """Ratings by people: one row per person and item, one column per dimension of the judge too.

    `judge` has the judge's ratings of the same items, `rest` the means of all other people.
    """

    dimensions: list[str]
    item: IntArray
    rater: IntArray
    people: FloatArray
    judge: FloatArray
    rest: FloatArray


def _grid(mine: pd.DataFrame, people: pd.DataFrame) -> _Grid:
    none = np.zeros(0, dtype=np.int64)
    if mine.empty or people.empty:
        sizes = np.zeros((len(people), 0)), np.zeros((len(mine), 0))
        return _Grid([], none, none, *sizes, rest=np.zeros((0, 0)))
    items = pd.Index(pd.unique(people["item_id"]))
    dimensions = sorted(set(people["dimension"]) & set(mine["dimension"]))
    raters, names = pd.factorize(people["rater_id"])
    item = items.get_indexer(pd.Index(people["item_id"]))
    rows, place = np.unique(item * len(names) + raters, return_inverse=True)
    values = _averaged(people, place, len(rows), dimensions)
    of_item = _averaged(mine, items.get_indexer(pd.Index(mine["item_id"])), len(items), dimensions)
    at = (rows // len(names)).astype(np.int64)
    known = np.where(np.isnan(values), 0.0, values)
    sums, counts = np.zeros((2, len(items), len(dimensions)))
    np.add.at(sums, at, known)
    np.add.at(counts, at, ~np.isnan(values))
    others = np.where(counts[at] > 1, counts[at] - 1, np.nan)
    rest = (sums[at] - known) / others
    return _Grid(dimensions, at, (rows % len(names)).astype(np.int64), values, of_item[at], rest)


def _averaged(rows: pd.DataFrame, place: IntArray, count: int, dimensions: list[str]) -> FloatArray:
    """Return the mean rating of each place on each dimension, NaN where there is none."""
    column = pd.Index(dimensions).get_indexer(pd.Index(rows["dimension"]))
    values = columns.numbers(rows, "value")
    kept = (column >= 0) & (place >= 0) & ~np.isnan(values)
    cell = place[kept] * len(dimensions) + column[kept]
    size = count * len(dimensions)
    n = np.bincount(cell, minlength=size)
    total = np.bincount(cell, values[kept], minlength=size)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan).reshape(count, len(dimensions))


def _polarity(grid: _Grid) -> dict[str, int]:
    """Return the signs of the dimensions in the first component of people's mean ratings."""
    complete = ~np.isnan(grid.people).any(axis=1)
    if not complete.any() or len(grid.dimensions) < 2:
        return {}
    place = np.unique(grid.item[complete], return_inverse=True)[1]
    means = np.column_stack(
        [np.bincount(place, values) / np.bincount(place) for values in grid.people[complete].T]
    )
    kept = np.flatnonzero(np.ptp(means, axis=0) > 0)
    if len(means) < 2 or len(kept) < 2:
        return {}
    together = np.corrcoef(means[:, kept], rowvar=False)
    first = np.linalg.eigh(together)[1][:, -1]
    return {
        grid.dimensions[n]: 1 if weight >= 0 else -1 for n, weight in zip(kept, first, strict=True)
    }


def _errors(grid: _Grid, a: int, b: int, sign: int) -> _Pair | None:
    """Return how errors on two dimensions are correlated, None if there are too few items."""
    # in the order of JUDGE_1 .. REST_2
    values = np.hstack([part[:, [a, b]] for part in (grid.judge, grid.people, grid.rest)])
    known = ~np.isnan(values).any(axis=1)
    values = values[known]
    raters = np.unique(grid.rater[known], return_inverse=True)[1]
    items, place = np.unique(grid.item[known], return_inverse=True)
    if len(items) < FEWEST_ITEMS:
        return None
    # general severity is not an error about an item
    size = np.bincount(raters)
    values = values - np.column_stack(
        [(np.bincount(raters, column) / size)[raters] for column in values.T]
    )
    products = values[:, :, None] * values[:, None, :]
    by = np.zeros((len(items), 6, 6))
    np.add.at(by, place, products)
    whole = by.sum(axis=0)
    left = whole - by
    follows = all(
        whole[j, r] > FOLLOWS * whole[p, r] > 0
        for j, p, r in ((JUDGE_1, PERSON_1, REST_1), (JUDGE_2, PERSON_2, REST_2))
    )
    return _Pair(
        sign * float(_judges_halo(whole[None])[0]),
        sign * float(_peoples_halo(whole[None])[0]),
        pd.DataFrame(
            {"judge": sign * _judges_halo(left), "people": sign * _peoples_halo(left)}, index=items
        ),
        follows,
    )


def _judges_halo(moments: FloatArray) -> FloatArray:
    """Return the correlation of judge / scale - rest on two dimensions, from second moments."""
    with np.errstate(divide="ignore", invalid="ignore"):
        u = moments[:, PERSON_1, REST_1] / moments[:, JUDGE_1, REST_1]
        v = moments[:, PERSON_2, REST_2] / moments[:, JUDGE_2, REST_2]
    return _correlation(moments, JUDGE_1, JUDGE_2, u, v)


def _peoples_halo(moments: FloatArray) -> FloatArray:
    """Return the correlation of person - rest on two dimensions."""
    one = np.ones(len(moments))
    return _correlation(moments, PERSON_1, PERSON_2, one, one)


def _correlation(
    moments: FloatArray, first: int, second: int, u: FloatArray, v: FloatArray
) -> FloatArray:
    """Return the correlation of u * first - REST_1 with v * second - REST_2, NaN without spread."""

    def product(i: int, j: int, x: FloatArray, y: FloatArray, r: int, s: int) -> FloatArray:
        m = moments
        return np.asarray(x * y * m[:, i, j] - x * m[:, i, s] - y * m[:, r, j] + m[:, r, s])

    with np.errstate(divide="ignore", invalid="ignore"):
        cross = product(first, second, u, v, REST_1, REST_2)
        size = product(first, first, u, u, REST_1, REST_1) * product(
            second, second, v, v, REST_2, REST_2
        )
        return np.asarray(np.where(size > 1e-18, cross / np.sqrt(np.abs(size)), np.nan))


def _mean_over_pairs(pairs: list[_Pair], side: str) -> tuple[float, pd.Series[float]]:
    """Return the mean over pairs of dimensions, on all items and without each."""
    whole = [getattr(pair, side) for pair in pairs]
    left = pd.concat({n: pair.left_out[side] for n, pair in enumerate(pairs)}, axis=1)
    # a pair does not change without an item that it does not have
    filled = left.fillna(dict(enumerate(whole)))
    return float(np.mean(whole)), filled.mean(axis=1)


def _jackknife(
    value: float, left_out: pd.Series[float], *, bound: float
) -> tuple[float, float, float]:
    """Return the jackknife interval over items, between -bound and bound, and its p for zero."""
    low, high = jackknife_interval(value, left_out.to_numpy(), level=LEVEL)
    df = len(left_out) - 1
    if math.isnan(low) or high <= low:
        return math.nan, math.nan, math.nan
    error = (high - low) / 2 / float(student.ppf((1 + LEVEL) / 2, df))
    return *within(value, (low, high), bound), float(2 * student.sf(abs(value) / error, df))
