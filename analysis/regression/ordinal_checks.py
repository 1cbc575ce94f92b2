"""What an ordinal regression predicts, and whether one odds ratio holds at every threshold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import f as f_distribution
from scipy.stats import t as student

from analysis.arrays import FloatArray
from analysis.regression.formula import check_separation, columns_of, complete_rows, design_matrix
from analysis.regression.ordinal_result import OrdinalRegression
from analysis.tables import columns
from prereg.errors import RatifyError


def category_predictions(
    regression: OrdinalRegression,
    data: pd.DataFrame,
    at: Mapping[str, Sequence[Any] | FloatArray],
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the average probability of each category at every combination of columns' values.

    Parameters
    ----------
    regression : OrdinalRegression
    data : DataFrame
        The table it was fitted on; rows with a missing column are left out again.
    at : mapping of column to values
        Columns of the formula. Every fitted row gets these values and keeps its other columns.
    level : float

    Returns
    -------
    DataFrame
        The columns of `at`, `category`, `estimate`, `se`, `low`, `high`, `unit`. Delta method with
        the clustered covariance, on the log-odds of the mean.

    Raises
    ------
    RatifyError
        If a column is not in the formula, or a category of a column is not in the fitted rows.
    """
    columns.proportion("level", level)
    used = columns_of(data, regression.formula)
    rows = complete_rows(data, [*used, regression.cluster])
    predictors = columns_of(data, regression.formula.partition("~")[2])
    for name in at:
        if name not in predictors:
            raise RatifyError("is not in the formula", column=name, allowed=", ".join(predictors))
    found = []
    for values in product(*at.values()):
        there = rows.assign(**dict(zip(at, values, strict=True)))
        for category, mean, gradient in _chances(regression, there):
            se, df, _ = regression.error_of(gradient)
            reach = float(student.ppf((1 + level) / 2, df))
            centre, half = logit(mean), reach * se / (mean * (1 - mean))
            ends = float(expit(centre - half)), float(expit(centre + half))
            found.append((*values, category, mean, se, *ends))
    names = [*at, "category", "estimate", "se", "low", "high"]
    return pd.DataFrame(found, columns=names).assign(unit="probability")


def _chances(
    regression: OrdinalRegression, rows: pd.DataFrame
) -> list[tuple[float, float, FloatArray]]:
    """Return each category's mean probability over rows, and its gradient in the estimates."""
    every = [str(name) for name in regression.design.model.exog_names]
    keep = [name != "Intercept" for name in every]
    X = design_matrix(regression.design, rows)[:, keep]
    k, cuts = len(regression.params), regression.thresholds.to_numpy()
    below = expit(cuts[None, :] - (X @ regression.params.to_numpy())[:, None])
    slope = below * (1 - below)
    lower = np.column_stack([np.zeros(len(X)), below, np.ones(len(X))]).mean(axis=0)
    # gradient of each mean P(y <= j): minus the slope times x, and the slope at its own threshold
    by_cut = np.zeros((len(cuts) + 2, k + len(cuts)))
    by_cut[1:-1, :k] = -(slope.T @ X) / len(X)
    by_cut[1:-1, k:] = np.diag(slope.mean(axis=0))
    return [
        (category, float(lower[j + 1] - lower[j]), by_cut[j + 1] - by_cut[j])
        for j, category in enumerate(regression.categories)
    ]


def proportional_odds(regression: OrdinalRegression) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test whether one odds ratio holds at every threshold, against a separate logit at each.

    Parameters
    ----------
    regression : OrdinalRegression

    Returns
    -------
    tests : DataFrame
        One row per term: `term`, `statistic` (F), `df`, `df_error`, `p`, `note`. NaN where fewer
        than two thresholds have a logit, or there are too few clusters.
    separate : DataFrame
        One row per term and threshold: `term`, `above` (the outcome is this category or a higher
        one), `estimate`, `se`.

    Notes
    -----
    Brant's (1990) Wald test of equal coefficients, with the covariance of all logits together from
    their clustered scores, so that the rows of one rater may depend on each other. The statistic is
    read as Hotelling's, with clusters - 1 degrees of freedom. A threshold whose logit is separated
    is left out, and the note says so.

    References
    ----------
    Brant, R. (1990). Biometrics 46, 1171-1178.
    """
    terms = [str(term) for term in regression.params.index]
    X = np.column_stack([np.ones(regression.n), regression.X])
    fits, above, note = [], [], ""
    for cut in range(1, len(regression.categories)):
        y = (regression.y >= cut).astype(float)
        try:
            check_separation(y, X, ["Intercept", *terms])
            fits.append(_logit(y, X))
        except (RatifyError, np.linalg.LinAlgError):
            note = f"The logit at {regression.categories[cut]:g} or more has no finite estimate."
            continue
        above.append(regression.categories[cut])
    k = len(terms) + 1
    if not fits:
        return _no_tests(terms, note), pd.DataFrame(columns=["term", "above", "estimate", "se"])
    covariance = _joint(regression, [fit[1] for fit in fits])
    estimates = np.array([fit[0] for fit in fits])
    errors = np.sqrt(np.diag(covariance)).reshape(len(fits), k)
    separate = pd.DataFrame(
        [
            (term, at, estimates[j, i + 1], errors[j, i + 1])
            for i, term in enumerate(terms)
            for j, at in enumerate(above)
        ],
        columns=["term", "above", "estimate", "se"],
    )
    tests = [
        (term, *_equal(estimates[:, i], covariance[i::k, i::k], regression.n_clusters), note)
        for i, term in enumerate(terms, start=1)
    ]
    names = ["term", "statistic", "df", "df_error", "p", "note"]
    return pd.DataFrame(tests, columns=names), separate


def _no_tests(terms: list[str], note: str) -> pd.DataFrame:
    empty = dict.fromkeys(["statistic", "df", "df_error", "p"], math.nan)
    return pd.DataFrame([{"term": term, **empty, "note": note} for term in terms])


def _logit(y: FloatArray, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the estimates of a logit, and each row's influence on them."""
    import statsmodels.api as sm

    found = sm.Logit(y, X).fit(method="newton", maxiter=100, tol=1e-10, disp=0)
    if not found.mle_retvals["converged"]:
        raise RatifyError("the logit did not converge")
    fitted = np.asarray(found.predict())
    information = X.T @ (X * (fitted * (1 - fitted))[:, None])
    return np.asarray(found.params), np.linalg.solve(information, (X * (y - fitted)[:, None]).T).T


def _joint(regression: OrdinalRegression, influence: list[FloatArray]) -> FloatArray:
    """Return the clustered covariance of all logits' estimates, first by logit, then by term."""
    count = regression.n_clusters
    sums = np.column_stack(
        [np.bincount(regression.groups, each, count) for one in influence for each in one.T]
    )
    return np.asarray(count / (count - 1) * sums.T @ sums)


def _equal(
    estimates: FloatArray, covariance: FloatArray, clusters: int
) -> tuple[float, float, float, float]:
    """Return F, its degrees of freedom and p of equal coefficients."""
    q = len(estimates) - 1
    free = clusters - q
    if q < 1 or free < 1:
        return math.nan, math.nan, math.nan, math.nan
    apart = np.column_stack([-np.ones(q), np.eye(q)])
    away = apart @ estimates
    between = apart @ covariance @ apart.T
    if np.linalg.cond(between) > 1e12:
        return math.nan, math.nan, math.nan, math.nan
    statistic = float(away @ np.linalg.solve(between, away)) * free / (q * (clusters - 1))
    return statistic, float(q), float(free), float(f_distribution.sf(statistic, q, free))
