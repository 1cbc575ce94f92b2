"""Regressions from a formula: OLS and logit with clustered errors, OLS with HC3."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.inference.trial_errors import cluster_columns, clusters_of
from analysis.regression.formula import (
    check_outcome,
    check_separation,
    check_terms,
    columns_of,
    complete_places,
    complete_rows,
    model_of,
)
from analysis.regression.predictions import (
    average_marginal_effects,
    average_predictions,
    predicted_probability,
)
from analysis.regression.result import FEW_CLUSTERS, Distribution, Kind, Regression
from analysis.tables import columns
from prereg.errors import RatifyError

__all__ = [
    "FEW_CLUSTERS",
    "Regression",
    "average_marginal_effects",
    "average_predictions",
    "clustered_logit",
    "clustered_ols",
    "predicted_probability",
    "robust_ols",
]


def clustered_logit(
    data: pd.DataFrame, formula: str, *, cluster: str, distribution: Distribution = "z"
) -> Regression:
    """Fit a logit by maximum likelihood with clustered errors.

    Parameters
    ----------
    data : DataFrame
        One row per trial; the outcome is 0/1 or boolean.
    formula : str
        In statsmodels' syntax over the columns of `data`, for instance
        'select_higher ~ gap + C(scenario)'. It may also use patsy's functions and np.
    cluster : str
        Column whose rows may depend on each other, usually `rater_id`; or 'rater_and_items': trials
        of one rater, and trials that hold a common item (`left_id`, `right_id`).
    distribution : {'z', 't', 'satterthwaite'}
        Distribution for tests and intervals: the normal, as in published tables; Student's t
        with clusters - 1 degrees of freedom, which is a little wider; or t with the degrees of
        freedom of each coefficient and bias-reduced errors, which holds with few clusters too. With
        items it is always the last.

    Returns
    -------
    Regression
        Sandwich covariance with statsmodels' small-sample factor
        G / (G - 1) * (n - 1) / (n - k); with 'satterthwaite' as `crossed_errors.crossed_logit`.

    Raises
    ------
    RatifyError
        On an unknown column, an unreadable formula, an outcome other than 0/1 or with only one of
        them, terms that are linear combinations of others, fewer than 2 clusters, and separation:
        terms that predict the outcome perfectly have no finite estimate (found by linear
        programming, Konis 2007).

    Notes
    -----
    With fewer than 40 clusters the error is too small and the result says so; use p value and
    interval from `wild_bootstrap.wild_cluster_bootstrap` instead.
    """
    return _fit(data, formula, cluster, "logit", distribution)


def clustered_ols(
    data: pd.DataFrame, formula: str, *, cluster: str, distribution: Distribution = "z"
) -> Regression:
    """Fit ordinary least squares with clustered errors.

    Parameters
    ----------
    data : DataFrame
        One row per observation; the outcome is a number.
    formula : str
        As in `clustered_logit`.
    cluster : str
        Column whose rows may depend on each other.
    distribution : {'z', 't'}
        As in `clustered_logit`.

    Returns
    -------
    Regression
        Sandwich covariance with statsmodels' small-sample factor
        G / (G - 1) * (n - 1) / (n - k).

    Raises
    ------
    RatifyError
        As `clustered_logit`, except for separation.

    Notes
    -----
    As in `clustered_logit` for few clusters.
    """
    return _fit(data, formula, cluster, "ols", distribution)


def robust_ols(data: pd.DataFrame, formula: str, *, distribution: Distribution = "z") -> Regression:
    """Fit ordinary least squares to independent rows, with HC3 errors.

    Parameters
    ----------
    data : DataFrame
        One row per unit, for instance a person whose demographics predict an outcome.
    formula : str
        As in `clustered_logit`.
    distribution : {'z', 't'}
        The normal, as in statsmodels, or Student's t with rows - terms degrees of freedom.

    Returns
    -------
    Regression
        `n_clusters` is None.

    Raises
    ------
    RatifyError
        As `clustered_ols`, and if a term depends on a single row, which then has no residual.

    References
    ----------
    MacKinnon, J. G. and White, H. (1985). Journal of Econometrics 29, 305-325.
    """
    return _fit(data, formula, "", "ols", distribution)


def _fit(
    data: pd.DataFrame, formula: str, cluster: str, kind: Kind, distribution: Distribution
) -> Regression:
    columns.one_of("distribution", distribution, ["z", "t", "satterthwaite"])
    columns.require_rows(data, "rows to fit")
    clusters = cluster_columns(cluster) if cluster else []
    columns.require_columns(data, *clusters)
    used = columns_of(data, formula)
    used_here = [*used, *clusters]
    rows = complete_rows(data, used_here)
    if rows.empty:
        raise RatifyError("no row has all columns of the formula", allowed=", ".join(used))
    codes, n_clusters = _clusters(rows, cluster)
    own_df = cluster != "" and (distribution == "satterthwaite" or len(codes) > 1)
    model = _checked_model(rows, formula, kind)
    terms = [str(name) for name in model.exog_names]
    said = _cautions(len(data) - len(rows), None if own_df else n_clusters, len(terms), cluster)
    groups = next(iter(codes.values())) if len(codes) == 1 else None
    result, more = _statsmodels_fit(model, kind, groups, distribution, plain=own_df)
    said += more
    covariance = pd.DataFrame(np.asarray(result.cov_params()), index=terms, columns=terms)
    df = math.nan if own_df else math.inf
    if distribution == "t" and not own_df:
        df = float(len(rows) - len(terms) if n_clusters is None else n_clusters - 1)
    with np.errstate(invalid="ignore"):  # by rounding, a variance of zero may be below it
        errors = pd.Series(result.bse, index=terms)
    plain = Regression(
        params=pd.Series(result.params, index=terms),
        bse=errors,
        zvalues=pd.Series(result.tvalues, index=terms),
        pvalues=pd.Series(result.pvalues, index=terms),
        cov_params=covariance,
        n=len(rows),
        n_clusters=n_clusters,
        n_dropped=len(data) - len(rows),
        kind=kind,
        formula=formula,
        cluster=cluster,
        warnings=tuple(said),
        distribution="satterthwaite" if own_df else distribution,
        df=df,
        kept=complete_places(data, used_here),
        groups=groups,
        codes=codes,
        result=result,
    )
    return _with_own_df(plain) if own_df else plain


def _with_own_df(fit: Regression) -> Regression:
    """Return a regression with the errors and tests of its bias-reduced fit."""
    terms, every = fit.params.index, np.eye(len(fit.params))
    found = fit.small_sample.estimates(every)
    errors = pd.Series([one.se for one in found], index=terms)
    covariance = fit.small_sample.uncertainty(every).covariance()
    notes = {one.note for one in found if one.note}
    return replace(
        fit,
        bse=errors,
        zvalues=fit.params / errors,
        pvalues=pd.Series([one.p_value for one in found], index=terms),
        cov_params=pd.DataFrame(covariance, index=terms, columns=terms),
        warnings=(*fit.warnings, *sorted(notes)),
    )


def _clusters(rows: pd.DataFrame, cluster: str) -> tuple[dict[str, IntArray], int | None]:
    """Return the clusters of each row and how many there are of the first kind; None without."""
    if not cluster:
        return {}, None
    codes = clusters_of(rows, cluster)
    count = int(next(iter(codes.values())).max()) + 1
    if count < 2:
        raise RatifyError(
            "clustered errors need clusters",
            column=cluster_columns(cluster)[0],
            value=count,
            allowed="2 or more",
        )
    return codes, count


def _checked_model(rows: pd.DataFrame, formula: str, kind: Kind) -> Any:
    """Return the statsmodels model, after checking that the outcome and the terms vary."""
    outcome = formula.partition("~")[0].strip()
    if outcome in rows.columns:
        check_outcome(columns.numbers(rows, outcome), outcome, kind)
    model = model_of(rows, formula, kind)
    y, X = np.asarray(model.endog, dtype=float), np.asarray(model.exog, dtype=float)
    terms = [str(name) for name in model.exog_names]
    check_outcome(y, str(model.endog_names), kind)
    check_terms(X, terms)
    if kind == "logit":
        check_separation(y, X, terms)
    return model


def _statsmodels_fit(
    model: Any, kind: Kind, groups: Any, distribution: Distribution, *, plain: bool
) -> tuple[Any, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if plain:  # errors come later
            settings: dict[str, Any] = {}
        elif groups is None:
            _check_leverage(np.asarray(model.exog, dtype=float), list(model.exog_names))
            settings = {"cov_type": "HC3"}
        else:
            settings = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
        # Newton's method stops at a step this small, far below any printed digit.
        search = {"method": "newton", "maxiter": 100, "tol": 1e-12, "disp": 0}
        settings |= search if kind == "logit" else {}
        # with use_t statsmodels takes clusters - 1 degrees of freedom, or rows - terms
        result = model.fit(use_t=distribution == "t", **settings)
    if kind == "logit" and not result.mle_retvals["converged"]:
        raise RatifyError("the logit did not converge", allowed="fewer or less correlated terms")
    return result, [" ".join(str(w.message).split()) for w in caught]


def _check_leverage(X: FloatArray, terms: list[str]) -> None:
    """Refuse a row that its own terms fit exactly: HC3 divides by 1 - leverage."""
    basis = np.linalg.qr(X)[0]
    alone = (basis**2).sum(axis=1) > 1 - 1e-9
    if alone.any():
        row = X[int(alone.argmax())]
        shared = np.abs(X[~alone]).max(axis=0) if (~alone).any() else np.zeros(len(terms))
        guilty = [
            t
            for t, value, other in zip(terms, row, shared, strict=True)
            if value != 0 and other == 0
        ] or terms
        raise RatifyError(
            "HC3 has no error where a term depends on a single row",
            value=", ".join(guilty),
            allowed="two rows or more for every category",
        )


def _cautions(dropped: int, clusters: int | None, terms: int, cluster: str) -> list[str]:
    said = []
    if dropped:
        said.append(f"{dropped} rows left out because a column of the formula is missing")
    if clusters is None:
        return said
    if clusters < FEW_CLUSTERS:
        said.append(
            f"only {clusters} clusters ({cluster}): with fewer than {FEW_CLUSTERS}, clustered "
            "errors are too small and intervals too narrow"
        )
    if clusters <= terms:
        said.append(f"{terms} terms and {clusters} clusters: the covariance is not of full rank")
    return said
