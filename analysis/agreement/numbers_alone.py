"""Only those results on agreement of pairs that become numbers of an analysis.

Thousands of simulated studies need the means over pairs with their intervals, but no table of the
coefficients of each pair, which takes most of the time. What is computed here is computed by the
same functions as in `agreement_table`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.agreement.coefficients import Weights
from analysis.agreement.drawn_pairs import draws_of, rated_items, resamples
from analysis.agreement.intervals import Method, drawn_coefficients
from analysis.agreement.left_out import leave_one_out
from analysis.agreement.pairs import (
    Agreement,
    AgreementTable,
    Row,
    _beside,
    _chosen,
    _columns,
    _complete,
    _grids,
    _rows,
)
from analysis.agreement.rating_table import MEDIAN, checked_ratings, known
from analysis.agreement.weighted import COEFFICIENTS
from analysis.arrays import FloatArray


def table_of_means(
    ratings: pd.DataFrame,
    *,
    scale: tuple[float, float],
    rng: np.random.Generator,
    humans: Sequence[str],
    judges: Sequence[str],
    dimensions: Sequence[str],
    interval: Method,
    draws: int,
    weights: Weights,
    fewest: int,
    about: Sequence[str] | None = None,
) -> AgreementTable:
    """Return the table of `agreement_table` for the means over pairs, which `yardstick` makes.

    Parameters
    ----------
    ratings, scale, rng, humans, judges, dimensions, interval, draws, weights, fewest
        As in `agreement_table`. Nothing here depends on the level of the intervals.
    about : sequence of str, optional
        The judges whose pairs are wanted, by default all. The others count for which items there
        are, and for the draws of the items, as always.

    Returns
    -------
    AgreementTable
        Its rows have no coefficients but the bias of a judge against the median of people. All else
        is the same.

    Raises
    ------
    RatifyError
        As `agreement_table`.
    """
    data = checked_ratings(ratings, scale)
    for name in [*humans, *judges]:
        known("rater", name, data["rater_id"])
    for name in dimensions:
        known("dimension", name, data["dimension"])
    grids = _grids(data, [*humans, *judges], humans, dimensions)
    asked = judges if about is None else about
    rows, apart = _rows(grids, humans, asked, dimensions, fewest)
    a, b = _columns(grids, rows)
    drawn = draws_of(data, rows, humans, scale, resamples=resamples(interval, rng, draws))
    left = leave_one_out(a, b, weights=weights, draws=drawn)
    return AgreementTable(
        humans=tuple(humans),
        judges=tuple(asked),
        dimensions=tuple(dimensions),
        rows=tuple(_row(row, a[:, n], b[:, n], scale) for n, row in enumerate(rows)),
        coefficients=((),) * len(rows),
        left_out=left,
        beside={
            judge: _beside(grids, rows, humans, judge, weights, drawn, left) for judge in asked
        },
        items=len(rated_items(_chosen(data, [*humans, *judges], dimensions))),
        apart=apart,
        width=scale[1] - scale[0],
    )


def _row(row: Row, a: FloatArray, b: FloatArray, scale: tuple[float, float]) -> Agreement:
    x, y = _complete(a, b)
    values = dict.fromkeys((*COEFFICIENTS, *_ENDS), np.nan)
    if row[2] == MEDIAN:
        found = drawn_coefficients(x, y, None, scale=scale)
        values |= {one.coefficient: one.estimate for one in found if one.coefficient == "bias"}
    return Agreement(
        dimension=row[0], annotator_a=row[1], annotator_b=row[2], n=int(x.size), **values
    )


_ENDS = (
    "spearman_low",
    "spearman_high",
    "spearman_p",
    "kappa_quadratic_low",
    "kappa_quadratic_high",
)
