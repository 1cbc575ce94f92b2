"""Only those results on agreement that become numbers of an analysis.

Thousands of simulated studies need the means over pairs with their intervals, but no table of the
coefficients of each pair, no halo and no rates at cuts, which take most of the time. What is
computed here is computed by the same functions as in `agreement_table` and `beyond_pairs`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import (
    AlternativeAnnotator,
    Metric,
    alternative_annotator,
)
from analysis.agreement.by_construction import zero_crowd
from analysis.agreement.coefficients import Weights
from analysis.agreement.constant import always_answering, constants_of, most_frequent
from analysis.agreement.crowd import crowd
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
from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import MEDIAN, checked_ratings, known
from analysis.agreement.summary import Beyond, CutAt, _require_both_sides
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


def crowd_and_test(
    table: Panel,
    *,
    epsilon: float,
    metric: Metric,
    fewest_others: int,
    fewest_items: int,
    false_discovery: float,
    cuts: Sequence[CutAt] = (),
    level: float = 0.95,
    with_crowd: bool = True,
    with_test: bool = True,
) -> Beyond:
    """Return what `beyond_pairs` returns, without the halo and the rates at cuts.

    Parameters
    ----------
    table : Panel
    epsilon, metric, fewest_others, fewest_items, false_discovery
        As in `alternative_annotator`.
    cuts : sequence of CutAt
        Refused as by `beyond_pairs`.
    level : float
        Coverage of every interval.
    with_crowd, with_test : bool
        Whether agreement with a crowd, and the alternative-annotator test, are wanted.

    Returns
    -------
    Beyond
        The test of a made-up judge that always gives one answer is left out where no judge passes,
        because it only says what a pass means.

    Raises
    ------
    RatifyError
        As `beyond_pairs`.
    """
    constants = {
        judge: {name: f"{value:g}" for name, value in of.items()}
        for judge, of in constants_of(table).items()
    }
    if len(table.humans) < 2:
        return Beyond(None, None, None, (), constants=constants)
    for one in cuts:
        _require_both_sides(one, table.scale)

    def tested(of: Panel) -> AlternativeAnnotator:
        return alternative_annotator(
            of,
            epsilon=epsilon,
            metric=metric,
            fewest_others=fewest_others,
            fewest_items=fewest_items,
            false_discovery=false_discovery,
            level=level,
        )

    found = tested(table) if with_test else None
    passed = found is not None and any(one.passes or one.passes_all for one in found.verdicts)
    return Beyond(
        crowd=zero_crowd(crowd(table, level=level), table) if with_crowd else None,
        alternative=found,
        halo=None,
        cuts=(),
        always=tested(always_answering(table)) if passed else None,
        frequent={name: f"{most_frequent(table, name):g}" for name in table.dimensions},
        constants=constants,
    )
