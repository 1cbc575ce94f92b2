"""Agreement of annotators in a tidy table of ratings: who agrees with whom, on what, how far.

Rows are aligned by item id, never by their order. An LLM judge, a baseline and a person are all
raters; `rater_kind` says which, and whoever is not `human` is a judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import combinations

import numpy as np
import pandas as pd

from analysis import coefficients as c
from analysis.columns import numbers, refuse, require_columns, require_rows, text_ids
from analysis.item_bootstrap import LeftOut, leave_one_out, percentile_interval, resample_items
from prereg.errors import RatifyError

# The reference that is no single person: per item, the median of the humans who rated it.
MEDIAN = "median(humans)"

Row = tuple[str, str, str]
Grids = dict[str, dict[str, c.FloatArray]]


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
        Rank correlation, Fisher interval, two-sided p value.
    kappa, kappa_linear, kappa_quadratic, kappa_quadratic_low, kappa_quadratic_high : float
        Cohen's kappa by weights; the interval is a percentile bootstrap over items.
    alpha_ordinal, alpha_interval : float
        Krippendorff's alpha.
    ac2 : float
        Gwet's AC2 with quadratic weights.
    icc2_1, icc2_k : float
        ICC(2,1) and ICC(2,k).
    pearson : float
        Pearson's correlation.
    bias : float
        mean(a - b) in points of the scale.
        Like all coefficients NaN where it is not defined; see `analysis.coefficients`.
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
    """Agreement of all pairs: every human pair, every judge with every human and their median.

    Attributes
    ----------
    humans, judges, dimensions : tuple of str
    rows : tuple of Agreement
        Human pairs first, then judge by judge; inside, dimension by dimension.
    left_out : LeftOut
        Coefficients of every row with each item left out in turn, one column a row.
    beside : dict of str to LeftOut
        By judge, the human pairs' rows again, on the items that this judge rated.
    items : int
        Items that anybody rated.
    apart : int
        Pairs left out because they rated no item in common.
    """

    humans: tuple[str, ...]
    judges: tuple[str, ...]
    dimensions: tuple[str, ...]
    rows: tuple[Agreement, ...]
    left_out: LeftOut = field(repr=False)
    beside: dict[str, LeftOut] = field(repr=False)
    items: int
    apart: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row per dimension and pair, with the columns of `Agreement`."""
        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(COLUMNS))


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
) -> Agreement:
    """Return how far one rater agrees with another, or with the median of the humans.

    Parameters
    ----------
    ratings : DataFrame
        One row per rating: `rater_id`, `item_id`, `dimension`, `value`; and `rater_kind` where
        the reference is `median(humans)`. A missing value is no rating.
    candidate : str
        The `rater_id` judged.
    reference : str
        Another `rater_id`, or `median(humans)`: per item, the median of the humans who rated it,
        the candidate left out. With an even number of them it may fall between two ratings.
    dimension : str
        The dimension rated.
    scale : tuple of float
        Lowest and highest possible rating.
    rng, draws, level
        Source and number of resamples of the items, and coverage of the intervals.

    Returns
    -------
    Agreement

    Raises
    ------
    RatifyError
        At a bad table (see `agreement_table`), an unknown rater or dimension, and where the two
        rated no item in common.
    """
    data = _checked(ratings, scale)
    _known("rater", candidate, data["rater_id"])
    _known("dimension", dimension, data["dimension"])
    humans = [] if reference != MEDIAN else _raters(data, human=True)
    people = [name for name in humans if name != candidate]
    if reference != MEDIAN:
        _known("rater", reference, data["rater_id"])
    elif not people:
        raise RatifyError("no human is left to take the median of", value=candidate)
    names = dict.fromkeys([candidate, *people, *([] if people else [reference])])
    grids = _grids(data, list(names), people, [dimension])
    row = (dimension, candidate, reference)
    a, b = _columns(grids, [row])
    both = ~np.isnan(a + b)[:, 0]
    if not both.any():
        raise RatifyError(
            f"'{candidate}' and '{reference}' rated no item in common on {dimension}",
            column="item_id", allowed="at least one item that both rated",
        )  # fmt: skip
    resampled = resample_items(a[both], b[both], rng=rng, draws=draws)
    return _row(row, a[:, 0], b[:, 0], resampled.kappa[:, 0], scale, level)


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
) -> AgreementTable:
    """Return the agreement of every human pair, and of every judge with every human and the median.

    Parameters
    ----------
    ratings : DataFrame
        One row per rating: `rater_id`, `rater_kind`, `item_id`, `dimension`, `value`.
    scale : tuple of float
        Lowest and highest possible rating.
    rng, draws, level
        As in `agreement`; all rows share the same resamples.
    humans, judges, dimensions : sequence of str, optional
        What to compare, in this order; by default all that the table holds, sorted.

    Returns
    -------
    AgreementTable
        Pairs without a common item are left out and counted in `apart`.

    Raises
    ------
    RatifyError
        At a missing column, an id that is empty or was read as a float, a value that is no number
        or outside the scale, two ratings of one item by one rater on one dimension, or a rater or
        dimension that the table does not hold.
    """
    data = _checked(ratings, scale)
    people = list(humans) if humans is not None else _raters(data, human=True)
    candidates = list(judges) if judges is not None else _raters(data, human=False)
    rated = list(dimensions) if dimensions is not None else sorted(data["dimension"].unique())
    for name in [*people, *candidates]:
        _known("rater", name, data["rater_id"])
    for name in rated:
        _known("dimension", name, data["dimension"])
    grids = _grids(data, [*people, *candidates], people, rated)
    rows, apart = _rows(grids, people, candidates, rated)
    a, b = _columns(grids, rows)
    resampled = resample_items(a, b, rng=rng, draws=draws)
    return AgreementTable(
        humans=tuple(people),
        judges=tuple(candidates),
        dimensions=tuple(rated),
        rows=tuple(
            _row(row, a[:, i], b[:, i], resampled.kappa[:, i], scale, level)
            for i, row in enumerate(rows)
        ),
        left_out=leave_one_out(a, b),
        beside={judge: _beside(grids, rows, people, judge) for judge in candidates},
        items=len(a),
        apart=apart,
    )


def _checked(ratings: pd.DataFrame, scale: tuple[float, float]) -> pd.DataFrame:
    """Return the ratings with ids as text and values as floats, missing ones left out."""
    low, high = check_scale(scale)
    require_columns(ratings, "rater_id", "item_id", "dimension", "value")
    require_rows(ratings, "ratings")
    data = pd.DataFrame(
        {name: text_ids(ratings, name) for name in ("rater_id", "item_id", "dimension")}
    )
    refuse(
        data, "rater_id", data["rater_id"] == MEDIAN, "is the name of the humans' median",
        allowed="any other name",
    )  # fmt: skip
    data["value"] = numbers(ratings, "value")
    data["rater_kind"] = ratings.get("rater_kind", "human")
    outside = (data["value"] < low) | (data["value"] > high)
    refuse(data, "value", outside, "is outside the scale", allowed=scale_words(scale))
    twice = data.duplicated(["rater_id", "item_id", "dimension"])
    refuse(
        data, "item_id", twice, "is rated twice by one rater on one dimension",
        allowed="one rating of an item by a rater on a dimension",
    )  # fmt: skip
    return data


def check_scale(scale: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of the scale, or raise `RatifyError` unless the first is the lower one."""
    low, high = scale
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise RatifyError(
            "the scale has no length", column="scale", value=f"{low:g} {high:g}",
            allowed="the lowest possible rating, then a higher one",
        )  # fmt: skip
    return float(low), float(high)


def scale_words(scale: tuple[float, float]) -> str:
    """Return the scale as a message names it: '1 to 5'."""
    return f"{scale[0]:g} to {scale[1]:g}"


def _known(what: str, name: str, values: pd.Series[str]) -> None:
    """Raise `RatifyError` unless the name is among the values."""
    present = sorted(values.unique())
    if name not in present:
        raise RatifyError(f"there is no {what} '{name}'", allowed=", ".join(present))


def _raters(data: pd.DataFrame, *, human: bool) -> list[str]:
    """Return the raters that are human, or those that are not, sorted."""
    chosen = data.loc[(data["rater_kind"] == "human") == human, "rater_id"]
    return sorted(chosen.unique())


def _grids(
    data: pd.DataFrame, raters: Sequence[str], humans: Sequence[str], dimensions: Sequence[str]
) -> Grids:
    """Return each dimension's ratings by annotator, every array over the same sorted items."""
    chosen = data[data["rater_id"].isin(raters) & data["dimension"].isin(dimensions)]
    items = sorted(chosen.loc[chosen["value"].notna(), "item_id"].unique())
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


def median_over_raters(values: c.FloatArray) -> c.FloatArray:
    """Return each item's median over those who rated it, NaN where nobody did.

    Parameters
    ----------
    values : array of shape (items, raters)
        Ratings, NaN where missing.
    """
    return pd.DataFrame(values).median(axis=1).to_numpy(dtype=np.float64)


def _rows(
    grids: Grids, humans: Sequence[str], judges: Sequence[str], dimensions: Sequence[str]
) -> tuple[list[Row], int]:
    """Return the rows of the table in order, and how many pairs share no item at all."""
    blocks: list[list[tuple[str, str]]] = [list(combinations(humans, 2))]
    blocks += [[(judge, name) for name in (*humans, MEDIAN)] for judge in judges if humans]
    kept = [[pair for pair in block if _overlap(grids, pair)] for block in blocks]
    rows = [(dimension, *pair) for block in kept for dimension in dimensions for pair in block]
    return rows, sum(map(len, blocks)) - sum(map(len, kept))


def _overlap(grids: Grids, pair: tuple[str, str]) -> bool:
    """Say whether both rated some item on some dimension."""
    return any(not np.isnan(grid[pair[0]] + grid[pair[1]]).all() for grid in grids.values())


def _columns(grids: Grids, rows: Sequence[Row]) -> tuple[c.FloatArray, c.FloatArray]:
    """Return both annotators' ratings of every row, shape (items, rows)."""
    a, b = ([grids[row[0]][row[at]] for row in rows] for at in (1, 2))
    return (np.column_stack(a), np.column_stack(b)) if rows else (np.empty((0, 0)),) * 2


def _beside(grids: Grids, rows: Sequence[Row], people: Sequence[str], judge: str) -> LeftOut:
    """Return the human pairs' coefficients on the items that the judge rated."""
    pairs = [row for row in rows if row[1] in people]
    a, b = _columns(grids, pairs)
    rated, _ = _columns(grids, [(dimension, judge, judge) for dimension, *_ in pairs])
    return leave_one_out(np.where(np.isnan(rated), np.nan, a), b)


def _row(
    row: Row,
    a: c.FloatArray,
    b: c.FloatArray,
    kappa_draws: c.FloatArray,
    scale: tuple[float, float],
    level: float,
) -> Agreement:
    """Return all coefficients of one pair on one dimension."""
    both = ~(np.isnan(a) | np.isnan(b))
    a, b = a[both], b[both]
    kappa = c.cohen_kappa(a, b, weights="quadratic")
    low, high = percentile_interval(kappa_draws, level=level)
    rank = c.spearman(a, b, level=level)
    single, average = c.icc2(a, b)
    return Agreement(
        dimension=row[0],
        annotator_a=row[1],
        annotator_b=row[2],
        n=int(a.size),
        exact=c.exact_agreement(a, b),
        within_one=c.within_one(a, b),
        spearman=rank.estimate,
        spearman_low=rank.low,
        spearman_high=rank.high,
        spearman_p=rank.p_value,
        kappa=c.cohen_kappa(a, b, weights="none"),
        kappa_linear=c.cohen_kappa(a, b, weights="linear"),
        kappa_quadratic=kappa,
        kappa_quadratic_low=low if np.isfinite(kappa) else np.nan,
        kappa_quadratic_high=high if np.isfinite(kappa) else np.nan,
        alpha_ordinal=c.krippendorff_alpha(a, b, level="ordinal"),
        alpha_interval=c.krippendorff_alpha(a, b, level="interval"),
        ac2=c.gwet_ac2(a, b, scale=scale),
        icc2_1=single,
        icc2_k=average,
        pearson=c.pearson(a, b),
        bias=c.bias(a, b),
    )
