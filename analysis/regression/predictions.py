"""Average predictions and average marginal effects of a regression.

Predictions are made for the observed rows, with one column set to a value and the others unchanged,
and then averaged; they do not describe an "average person".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from analysis.arrays import FloatArray
from analysis.inference.trial_errors import cluster_columns
from analysis.regression.formula import columns_of, complete_rows, design_matrix
from analysis.regression.result import Regression, critical, two_sided
from analysis.tables import columns
from prereg.errors import RatifyError

# Half the step of a numerical slope, in standard deviations of the column.
_STEP = 1e-4


def average_predictions(
    regression: Regression,
    data: pd.DataFrame,
    at: Mapping[str, Sequence[Any] | FloatArray],
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the average prediction at every combination of some columns' values.

    At each combination every observed row gets these values and keeps its other columns; the mean
    of the predictions is reported (average adjusted prediction).

    Parameters
    ----------
    regression : Regression
    data : DataFrame
        The table it was fitted on; rows with a missing column are left out again.
    at : mapping of column to values
        Columns of the formula. If empty, the average prediction for the unchanged rows.
    level : float

    Returns
    -------
    DataFrame
        The columns of `at`, `estimate`, `se`, `low`, `high`, `unit`. Delta method with the
        regression's own (clustered) covariance; for a logit the interval is computed on the
        log-odds of the mean, so that it stays between 0 and 1.

    Raises
    ------
    RatifyError
        If a column is not in the formula, or a category is not in the fitted rows.
    """
    columns.proportion("level", level)
    _require_predictors(regression, data, list(at))
    rows, weight = _profiles(regression, data, list(at))
    found = []
    for values in product(*at.values()):
        there = rows.assign(**dict(zip(at, values, strict=True)))
        mean, gradient = _mean_and_gradient(regression, there, weight)
        se, df = regression.error_of(gradient)
        low, high = _interval(regression, mean, critical(level, df) * se)
        found.append((*values, mean, se, low, high))
    table = pd.DataFrame(found, columns=[*at, "estimate", "se", "low", "high"])
    return table.assign(unit="probability" if regression.is_logit else "outcome units")


def predicted_probability(
    regression: Regression,
    data: pd.DataFrame,
    term: str,
    grid: Sequence[float] | FloatArray,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the average predicted probability of a logit along one column.

    Parameters
    ----------
    regression : Regression
        From `clustered_logit`.
    data : DataFrame
        The table it was fitted on; rows with a missing column are left out again.
    term : str
        A column of the formula.
    grid : sequence of float
        Values of the column.
    level : float

    Returns
    -------
    DataFrame
        The column `term` under its own name, `probability`, `low`, `high`: see
        `average_predictions`.

    Raises
    ------
    RatifyError
        If the regression is not a logit, or the column is not in the formula.
    """
    columns.proportion("level", level)
    if not regression.is_logit:
        raise RatifyError("is not a logit", value=regression.method, allowed="clustered_logit")
    values = np.asarray(grid, dtype=float)
    table = average_predictions(regression, data, {term: values}, level=level)
    return table.rename(columns={"estimate": "probability"})[[term, "probability", "low", "high"]]


def average_marginal_effects(
    regression: Regression,
    data: pd.DataFrame,
    column: str,
    *,
    reference: Any = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return how the prediction changes with one column, on average over the observed rows.

    Parameters
    ----------
    regression : Regression
    data : DataFrame
        The table it was fitted on.
    column : str
        A column of the formula. For numbers other than 0 and 1 the effect is the average slope,
        otherwise the change from the reference to each other category.
    reference : optional
        Category to compare with; by default the first in order (0 of 0 and 1).
    level : float

    Returns
    -------
    DataFrame
        `column`, `change` ('per unit' or 'b - a'), `estimate`, `se`, `statistic`, `p`, `low`,
        `high`, `unit` ('probability' for a logit). Delta method with the regression's own
        (clustered) covariance; the interval is symmetric.

    Raises
    ------
    RatifyError
        If the column is not in the formula, or the reference is not one of its categories.
    """
    columns.proportion("level", level)
    _require_predictors(regression, data, [column])
    observed = complete_rows(data, [column])[column]
    number = pd.api.types.is_numeric_dtype(observed.dtype)
    if number and not observed.isin([0, 1]).all():
        if reference is not None:
            raise RatifyError(
                "is a number, so it has no reference", column=column, allowed="no reference"
            )
        changes = [("per unit", *_slope(regression, data, column))]
    else:
        changes = _steps(regression, data, column, sorted(observed.unique()), reference)
    found = []
    for name, effect, gradient in changes:
        se, df = regression.error_of(gradient)
        statistic = effect / se if se > 0 else math.nan
        reach = critical(level, df)
        found.append(
            (
                column,
                name,
                effect,
                se,
                statistic,
                two_sided(statistic, df),
                effect - reach * se,
                effect + reach * se,
            )
        )
    names = ["column", "change", "estimate", "se", "statistic", "p", "low", "high"]
    table = pd.DataFrame(found, columns=names)
    return table.assign(unit="probability" if regression.is_logit else "outcome units")


def _slope(regression: Regression, data: pd.DataFrame, column: str) -> tuple[float, FloatArray]:
    """Return the average slope along a column of numbers, and its gradient."""
    rows, weight = _profiles(regression, data, [])
    half = _STEP * float(rows[column].std(ddof=0))
    up, down = (
        _mean_and_gradient(regression, rows.assign(**{column: rows[column] + step}), weight)
        for step in (half, -half)
    )
    return (up[0] - down[0]) / (2 * half), (up[1] - down[1]) / (2 * half)


def _steps(
    regression: Regression, data: pd.DataFrame, column: str, levels: list[Any], reference: Any
) -> list[tuple[str, float, FloatArray]]:
    """Return the change from the reference to every other category, with its gradient."""
    first = levels[0] if reference is None else reference
    if first not in levels:
        raise RatifyError(
            "is not a category", column=column, value=first, allowed=", ".join(map(str, levels))
        )
    rows, weight = _profiles(regression, data, [column])
    at = {
        value: _mean_and_gradient(regression, rows.assign(**{column: value}), weight)
        for value in levels
    }
    base, base_gradient = at[first]
    return [
        (f"{_shown(value)} - {_shown(first)}", mean - base, gradient - base_gradient)
        for value, (mean, gradient) in at.items()
        if value != first
    ]


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _predictors(regression: Regression, data: pd.DataFrame) -> list[str]:
    return columns_of(data, regression.formula.partition("~")[2])


def _require_predictors(regression: Regression, data: pd.DataFrame, names: list[str]) -> None:
    predictors = _predictors(regression, data)
    for name in names:
        if name not in predictors:
            raise RatifyError(
                "is not in the formula", column=name, allowed=", ".join(predictors) or "no column"
            )


def _profiles(
    regression: Regression, data: pd.DataFrame, fixed: list[str]
) -> tuple[pd.DataFrame, FloatArray]:
    """Return the distinct fitted rows without the fixed columns, weighted by their shares.

    Rows that are equal in all other columns have the same prediction, so one of each is enough.
    """
    used = columns_of(data, regression.formula)
    cluster = cluster_columns(regression.cluster) if regression.cluster else []
    rows = complete_rows(data, [*used, *cluster])
    others = [name for name in _predictors(regression, data) if name not in fixed]
    if not others:
        return rows[[]].iloc[:1], np.ones(1)
    counted = rows.groupby(others, sort=False).size()
    count = counted.to_numpy(dtype=np.float64)
    return counted.index.to_frame(index=False), np.asarray(count / count.sum())


def _mean_and_gradient(
    regression: Regression, rows: pd.DataFrame, weight: FloatArray
) -> tuple[float, FloatArray]:
    """Return the weighted mean prediction, and its gradient in the coefficients."""
    X = design_matrix(regression.result, rows)
    linear = X @ regression.params.to_numpy()
    if not regression.is_logit:
        return float(weight @ linear), np.asarray(weight @ X)
    chance = expit(linear)
    return float(weight @ chance), np.asarray((weight * chance * (1 - chance)) @ X)


def _interval(regression: Regression, mean: float, reach: float) -> tuple[float, float]:
    if not regression.is_logit:
        return mean - reach, mean + reach
    centre, half = logit(mean), reach / (mean * (1 - mean))
    return float(expit(centre - half)), float(expit(centre + half))
