"""Agreement of pairs of annotators in a tidy table of ratings, by dimension.

Rows are aligned by item id, never by their order. An LLM judge, a baseline and a person are all
raters; `rater_kind` tells them apart, and a rater that is not `human` is a judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.agreement.coefficients import Weights, median_over_raters, spearman
from analysis.agreement.drawn_pairs import PairDraws, draws_of, rated_items, resamples
from analysis.agreement.intervals import Coefficient, Method, drawn_coefficients, wide
from analysis.agreement.left_out import LeftOut, leave_one_out
from analysis.agreement.rating_table import MEDIAN, checked_ratings, known, raters_of
from analysis.agreement.weighted import COEFFICIENTS
from analysis.arrays import FloatArray
from prereg.errors import RatifyError

Row = tuple[str, str, str]
Grids = dict[str, dict[str, FloatArray]]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two annotators agree on one dimension; a row of `agreement.csv`.

    Attributes
    ----------
    dimension, annotator_a, annotator_b : str
        For a judge's row `annotator_a` is the judge, `annotator_b` a human or `median(humans)`.
    n : int
        Items that both rated.
    exact, within_one : float
        Share of items with the same rating, and at most one point apart.
    spearman, spearman_low, spearman_high, spearman_p : float
        Rank correlation, the interval of `coefficient_intervals`, two-sided p value.
    kappa, kappa_linear, kappa_quadratic, kappa_quadratic_low, kappa_quadratic_high : float
        Cohen's kappa by weights, with the interval of `coefficient_intervals`.
    alpha_ordinal, alpha_interval : float
        Krippendorff's alpha.
    ac2 : float
        Gwet's AC2 with quadratic weights.
    icc2_1, icc2_k : float
        ICC(2,1) and ICC(2,k).
    pearson : float
        Pearson's correlation.
    bias : float
        mean(a - b) in points of the scale. It is NaN if not defined, like all coefficients; see
        `analysis.agreement.coefficients`.
    """

    dimension: str
    annotator_a: str
    annotator_b: str
    n: int
    exact: float
    within_one: float
    spearman: float
    spearman_low: float
    spearman_high: float
    spearman_p: float
    kappa: float
    kappa_linear: float
    kappa_quadratic: float
    kappa_quadratic_low: float
    kappa_quadratic_high: float
    alpha_ordinal: float
    alpha_interval: float
    ac2: float
    icc2_1: float
    icc2_k: float
    pearson: float
    bias: float

    def to_frame(self) -> pd.DataFrame:
        """Return the row as a table of one row."""
        return pd.DataFrame([asdict(self)])


COLUMNS = tuple(f.name for f in fields(Agreement))


@dataclass(frozen=True, kw_only=True)
class AgreementTable:
    """Agreement of every human pair, and of every judge with every human and their median.

    Attributes
    ----------
    humans, judges, dimensions : tuple of str
    rows : tuple of Agreement
        Human pairs first, then judge by judge; within these, dimension by dimension.
    coefficients : tuple of tuple of Coefficient
        For every row, every coefficient with its interval.
    left_out : LeftOut
        Coefficients of every row with each item left out in turn, one column per row.
    beside : dict of str to LeftOut
        For each judge, the rows of human pairs again, on the items that this judge rated.
    items : int
        Items that anybody rated.
    apart : int
        Pairs left out because they rated no item in common, or fewer than asked for.
    width : float
        From the lowest to the highest possible rating.
    """

    humans: tuple[str, ...]
    judges: tuple[str, ...]
    dimensions: tuple[str, ...]
    rows: tuple[Agreement, ...]
    coefficients: tuple[tuple[Coefficient, ...], ...] = field(repr=False)
    left_out: LeftOut = field(repr=False)
    beside: dict[str, LeftOut] = field(repr=False)
    items: int
    apart: int
    width: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row per dimension and pair, with the columns of `Agreement`."""
        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(COLUMNS))

    def coefficients_frame(self) -> pd.DataFrame:
        """Return one row per dimension and pair, every coefficient with both ends of its interval.

        Kappas also have `_se`, `_se_null`, and `_p` for kappa = 0.
        """
        names = ("dimension", "annotator_a", "annotator_b", "n")
        return pd.DataFrame(
            [
                {name: getattr(row, name) for name in names} | wide(found)
                for row, found in zip(self.rows, self.coefficients, strict=True)
            ]
        )


def agreement(
    ratings: pd.DataFrame,
    *,
    candidate: str,
    reference: str,
    dimension: str,
    scale: tuple[float, float],
    rng: np.random.Generator,
    draws: int = 2000,
    level: float = 0.95,
    interval: Method = "jackknife",
) -> Agreement:
    """Return how far one rater agrees with another, or with the median of the humans.

    Parameters
    ----------
    ratings : DataFrame
        One row per rating: `rater_id`, `item_id`, `dimension`, `value`; and `rater_kind` where
        the reference is `median(humans)`. A missing value does not count as a rating.
    candidate : str
        The `rater_id` to compare.
    reference : str
        Another `rater_id`, or `median(humans)`: per item, the median of the humans who rated it,
        without the candidate. With an even number of humans it may lie between two ratings.
    dimension : str
        The dimension rated.
    scale : tuple of float
        Lowest and highest possible rating.
    rng, draws, level, interval
        As in `coefficient_intervals`; the jackknife does not use `rng` and `draws`.

    Returns
    -------
    Agreement

    Raises
    ------
    RatifyError
        If the table is invalid (see `agreement_table`), a rater or dimension is unknown, or the
        two rated no item in common.
    """
    data = checked_ratings(ratings, scale)
    known("rater", candidate, data["rater_id"])
    known("dimension", dimension, data["dimension"])
    humans = [] if reference != MEDIAN else raters_of(data, human=True)
    people = [name for name in humans if name != candidate]
    if reference != MEDIAN:
        known("rater", reference, data["rater_id"])
    elif not people:
        raise RatifyError("no human is left to take the median of", value=candidate)
    names = dict.fromkeys([candidate, *people, *([] if people else [reference])])
    grids = _grids(data, list(names), people, [dimension])
    row = (dimension, candidate, reference)
    a, b = _columns(grids, [row])
    drawn = draws_of(data, [row], people, scale, resamples=resamples(interval, rng, draws))
    both = ~np.isnan(a + b)[:, 0]
    if not both.any():
        raise RatifyError(
            f"'{candidate}' and '{reference}' rated no item in common on {dimension}",
            column="item_id",
            allowed="at least one item that both rated",
        )
    return _row(
        row,
        _coefficients(a[:, 0], b[:, 0], scale, level, drawn, 0),
        *_complete(a[:, 0], b[:, 0]),
        level,
    )


def agreement_table(
    ratings: pd.DataFrame,
    *,
    scale: tuple[float, float],
    rng: np.random.Generator,
    humans: Sequence[str] | None = None,
    judges: Sequence[str] | None = None,
    dimensions: Sequence[str] | None = None,
    draws: int = 2000,
    level: float = 0.95,
    interval: Method = "jackknife",
    weights: Weights = "quadratic",
    fewest: int = 1,
) -> AgreementTable:
    """Return the agreement of every human pair, and of every judge with every human and the median.

    Parameters
    ----------
    ratings : DataFrame
        One row per rating: `rater_id`, `rater_kind`, `item_id`, `dimension`, `value`.
    scale : tuple of float
        Lowest and highest possible rating.
    rng, draws, level, interval
        As in `agreement`.
    humans, judges, dimensions : sequence of str, optional
        What to compare, in this order; by default all in the table, sorted.
    weights : {'none', 'linear', 'quadratic'}
        Weights of the kappas in `left_out`, which the yardstick uses.
    fewest : int
        Pairs with fewer common items on every dimension are left out.

    Returns
    -------
    AgreementTable
        Pairs with fewer common items than `fewest` are left out and counted in `apart`.

    Raises
    ------
    RatifyError
        If a column is missing, an id is empty or was read as a float, a value is not a number or
        is outside the scale, a rater rated an item twice on a dimension, or the table does not
        contain a rater or dimension.
    """
    data = checked_ratings(ratings, scale)
    people = list(humans) if humans is not None else raters_of(data, human=True)
    candidates = list(judges) if judges is not None else raters_of(data, human=False)
    rated = list(dimensions) if dimensions is not None else sorted(data["dimension"].unique())
    for name in [*people, *candidates]:
        known("rater", name, data["rater_id"])
    for name in rated:
        known("dimension", name, data["dimension"])
    grids = _grids(data, [*people, *candidates], people, rated)
    rows, apart = _rows(grids, people, candidates, rated, fewest)
    a, b = _columns(grids, rows)
    drawn = draws_of(data, rows, people, scale, resamples=resamples(interval, rng, draws))
    found = tuple(_coefficients(a[:, i], b[:, i], scale, level, drawn, i) for i in range(len(rows)))
    left = leave_one_out(a, b, weights=weights, draws=drawn)
    return AgreementTable(
        humans=tuple(people),
        judges=tuple(candidates),
        dimensions=tuple(rated),
        rows=tuple(
            _row(row, found[i], *_complete(a[:, i], b[:, i]), level) for i, row in enumerate(rows)
        ),
        coefficients=found,
        left_out=left,
        beside={
            judge: _beside(grids, rows, people, judge, weights, drawn, left) for judge in candidates
        },
        items=len(rated_items(_chosen(data, [*people, *candidates], rated))),
        apart=apart,
        width=scale[1] - scale[0],
    )


def _grids(
    data: pd.DataFrame, raters: Sequence[str], humans: Sequence[str], dimensions: Sequence[str]
) -> Grids:
    """Return each dimension's ratings by annotator, every array over all items in their order."""
    chosen = _chosen(data, raters, dimensions)
    items = rated_items(data)
    grids: Grids = {}
    for dimension in dimensions:
        one = chosen[chosen["dimension"] == dimension]
        wide = one.set_index(["item_id", "rater_id"])["value"].unstack()  # noqa: PD010
        grid = wide.reindex(index=items, columns=list(raters))
        grids[dimension] = {name: grid[name].to_numpy(dtype=float) for name in raters}
        if humans:
            people = np.column_stack([grids[dimension][name] for name in humans])
            grids[dimension][MEDIAN] = median_over_raters(people)
    return grids


def _chosen(data: pd.DataFrame, raters: Sequence[str], dimensions: Sequence[str]) -> pd.DataFrame:
    """Return the ratings that are compared."""
    return data[data["rater_id"].isin(raters) & data["dimension"].isin(dimensions)]


def _rows(
    grids: Grids,
    humans: Sequence[str],
    judges: Sequence[str],
    dimensions: Sequence[str],
    fewest: int,
) -> tuple[list[Row], int]:
    """Return the rows of the table in order, and how many pairs share too few items."""
    names = [*humans, *judges, MEDIAN]
    place = {name: n for n, name in enumerate(names)}
    shared = np.zeros((len(names), len(names)))
    for grid in grids.values():
        known = np.column_stack([~np.isnan(grid[name]) for name in names if name in grid])
        if known.shape[1] == len(names):
            shared = np.maximum(shared, known.T.astype(float) @ known)
    blocks: list[list[tuple[str, str]]] = [list(combinations(humans, 2))]
    blocks += [[(judge, name) for name in (*humans, MEDIAN)] for judge in judges if humans]
    kept = [[p for p in block if shared[place[p[0]], place[p[1]]] >= fewest] for block in blocks]
    rows = [(dimension, *pair) for block in kept for dimension in dimensions for pair in block]
    return rows, sum(map(len, blocks)) - sum(map(len, kept))


def _columns(grids: Grids, rows: Sequence[Row]) -> tuple[FloatArray, FloatArray]:
    """Return both annotators' ratings of every row, shape (items, rows)."""
    a, b = ([grids[row[0]][row[at]] for row in rows] for at in (1, 2))
    return (np.column_stack(a), np.column_stack(b)) if rows else (np.empty((0, 0)),) * 2


def _beside(
    grids: Grids,
    rows: Sequence[Row],
    people: Sequence[str],
    judge: str,
    weights: Weights,
    draws: PairDraws | None,
    everything: LeftOut,
) -> LeftOut:
    """Return the human pairs' coefficients on the items that the judge rated."""
    pairs = [row for row in rows if row[1] in people]
    a, b = _columns(grids, pairs)
    rated, _ = _columns(grids, [(dimension, judge, judge) for dimension, *_ in pairs])
    less = np.where(np.isnan(rated), np.nan, a)
    if np.array_equal(np.isnan(less + b), np.isnan(a + b)):
        return everything.first(len(pairs))
    first = None if draws is None else draws.first(len(pairs))
    return leave_one_out(less, b, weights=weights, draws=first)


def _complete(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ratings of the items that both rated."""
    both = ~np.isnan(a + b)
    return a[both], b[both]


def _coefficients(
    a: FloatArray,
    b: FloatArray,
    scale: tuple[float, float],
    level: float,
    draws: PairDraws | None,
    pair: int,
) -> tuple[Coefficient, ...]:
    """Return every coefficient of one pair with its interval."""
    both = ~np.isnan(a + b)
    drawn = None if draws is None else draws.of_one(pair, both)
    return drawn_coefficients(a[both], b[both], drawn, scale=scale, level=level)


def _row(
    row: Row, found: tuple[Coefficient, ...], a: FloatArray, b: FloatArray, level: float
) -> Agreement:
    """Return all coefficients of one pair on one dimension."""
    values = {one.coefficient: one.estimate for one in found}
    ends = {one.coefficient: (one.low, one.high) for one in found}
    low, high = ends.get("kappa_quadratic", (np.nan, np.nan))
    rank_low, rank_high = ends.get("spearman", (np.nan, np.nan))
    rank = spearman(a, b, level=level)
    return Agreement(
        dimension=row[0],
        annotator_a=row[1],
        annotator_b=row[2],
        n=int(a.size),
        spearman=rank.estimate,
        spearman_low=rank_low,
        spearman_high=rank_high,
        spearman_p=rank.p_value,
        kappa_quadratic_low=low,
        kappa_quadratic_high=high,
        **{name: values.get(name, np.nan) for name in COEFFICIENTS if name != "spearman"},
    )
