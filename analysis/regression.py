"""Clustered logit and OLS from a formula, and the probability curve that a logit implies."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.linalg import qr
from scipy.optimize import linprog
from scipy.special import expit, logit
from scipy.stats import norm

from analysis import columns
from analysis.paircounts import FloatArray
from prereg.errors import RatifyError

# Below this many clusters the clustered error is known to come out too small.
FEW_CLUSTERS = 40
# Names a formula may use beside the table's columns: patsy's own, and numpy as np.
_FORMULA_NAMES = frozenset(
    "np C I Q Treatment Sum Diff Helmert Poly center standardize scale bs cr cc te".split()
)


@dataclass(frozen=True, kw_only=True)
class Regression:
    """A fitted regression with clustered errors; names as in statsmodels.

    Attributes
    ----------
    params, bse, zvalues, pvalues : Series
        One value a term. Logit: log-odds per unit of the term; OLS: outcome units.
    cov_params : DataFrame
        Clustered covariance of the estimates.
    n : int
        Rows that entered.
    n_clusters : int
    n_dropped : int
        Rows left out because a column of the formula, or the cluster, is missing there.
    formula, cluster, method : str
    warnings : tuple of str
        Sentences that must travel with the numbers.
    result : object
        The statsmodels results, for what is not named here.
    """

    params: pd.Series[float]
    bse: pd.Series[float]
    zvalues: pd.Series[float]
    pvalues: pd.Series[float]
    cov_params: pd.DataFrame = field(repr=False)
    n: int
    n_clusters: int
    n_dropped: int
    formula: str
    cluster: str
    method: str
    warnings: tuple[str, ...]
    result: Any = field(repr=False, compare=False)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return the Wald interval of coverage 1 - alpha: columns `low`, `high`, a row a term."""
        columns.proportion("alpha", alpha)
        half = float(norm.ppf(1 - alpha / 2)) * self.bse
        return pd.DataFrame({"low": self.params - half, "high": self.params + half})

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return a row a term: `term`, `estimate`, `se`, `z`, `p`, `low`, `high`."""
        table = pd.DataFrame(
            {"estimate": self.params, "se": self.bse, "z": self.zvalues, "p": self.pvalues}
        ).join(self.conf_int(1 - level))
        return table.rename_axis("term").reset_index()


def clustered_logit(data: pd.DataFrame, formula: str, *, cluster: str) -> Regression:
    """Fit a logit by maximum likelihood, errors clustered.

    Parameters
    ----------
    data : DataFrame
        One row a trial; the outcome is 0/1 or boolean.
    formula : str
        In statsmodels' syntax over the columns of `data`, for instance
        'select_higher ~ gap + C(scenario)'. Beside columns it knows patsy's functions and np.
    cluster : str
        Column whose rows may depend on each other, usually `rater_id`.

    Returns
    -------
    Regression
        Sandwich covariance with statsmodels' small-sample factor
        G / (G - 1) * (n - 1) / (n - k), z tests.

    Raises
    ------
    RatifyError
        On an unknown column, an unreadable formula, an outcome other than 0/1 or without both,
        terms that are linear combinations of others, fewer than 2 clusters, and separation: terms
        that predict the outcome perfectly have no finite estimate (found by linear programming,
        Konis 2007).
    """
    return _fit(data, formula, cluster, "logit")


def clustered_ols(data: pd.DataFrame, formula: str, *, cluster: str) -> Regression:
    """Fit ordinary least squares, errors clustered.

    Parameters
    ----------
    data : DataFrame
        One row an observation; the outcome is a number.
    formula : str
        As in `clustered_logit`.
    cluster : str
        Column whose rows may depend on each other.

    Returns
    -------
    Regression
        Sandwich covariance with statsmodels' small-sample factor
        G / (G - 1) * (n - 1) / (n - k), z tests.

    Raises
    ------
    RatifyError
        As `clustered_logit`, separation apart.
    """
    return _fit(data, formula, cluster, "ols")


def predicted_probability(
    regression: Regression,
    data: pd.DataFrame,
    term: str,
    grid: Sequence[float] | FloatArray,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the average predicted probability of a logit along one column.

    At each value of the grid every observed row gets this value and keeps its other columns; the
    mean of the predictions is reported (average marginal prediction).

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
        `term` (named as it is), `probability`, `low`, `high`; delta-method interval, taken on
        the log-odds of the mean so that it stays between 0 and 1.

    Raises
    ------
    RatifyError
        When the regression is not a logit, or the formula does not hold the column.
    """
    columns.proportion("level", level)
    if not regression.method.startswith("logit"):
        raise RatifyError("needs a logit", value=regression.method, allowed="clustered_logit")
    used = _columns_of(data, regression.formula)
    predictors = _columns_of(data, regression.formula.partition("~")[2])
    if term not in predictors:
        raise RatifyError(
            "is not in the formula", column=term, allowed=", ".join(predictors) or "no column"
        )
    rows = _prepared(data, [*used, regression.cluster])
    others = [name for name in predictors if name != term]
    observed = rows.groupby(others, sort=False).size() if others else None
    # Rows that differ in nothing but `term` predict alike: one of each, weighted by how many.
    profiles = rows[[]].iloc[:1] if observed is None else observed.index.to_frame(index=False)
    count = np.ones(1) if observed is None else observed.to_numpy(dtype=np.float64)
    # statsmodels averages weight x prediction: the weights must have mean 1.
    weight = np.asarray(count / count.mean())
    points = []
    for value in np.asarray(grid, dtype=float):
        mean, se = _mean_prediction(regression.result, profiles.assign(**{term: value}), weight)
        half = float(norm.ppf((1 + level) / 2)) * se / (mean * (1 - mean))
        centre = logit(mean)
        points.append((value, mean, float(expit(centre - half)), float(expit(centre + half))))
    return pd.DataFrame(points, columns=[term, "probability", "low", "high"])


def _mean_prediction(result: Any, rows: pd.DataFrame, weight: FloatArray) -> tuple[float, float]:
    """Return the weighted mean probability over rows, and its delta-method error."""
    found = result.get_prediction(rows, which="mean", average=True, agg_weights=weight)
    return float(np.squeeze(found.predicted)), float(np.squeeze(found.se))


def _fit(
    data: pd.DataFrame, formula: str, cluster: str, kind: Literal["logit", "ols"]
) -> Regression:
    columns.require_rows(data, "rows to fit")
    columns.require_columns(data, cluster)
    used = _columns_of(data, formula)
    rows = _prepared(data, [*used, cluster])
    if rows.empty:
        raise RatifyError("no row has all columns of the formula", allowed=", ".join(used))
    groups, names = pd.factorize(rows[cluster])
    if len(names) < 2:
        raise RatifyError(
            "clustered errors need clusters", column=cluster, value=len(names), allowed="2 or more"
        )
    outcome = formula.partition("~")[0].strip()
    if outcome in rows.columns:
        _check_outcome(columns.numbers(rows, outcome), outcome, kind)
    model = _model(rows, formula, kind)
    y, X = np.asarray(model.endog, dtype=float), np.asarray(model.exog, dtype=float)
    terms = [str(name) for name in model.exog_names]
    _check_outcome(y, str(model.endog_names), kind)
    _check_terms(X, terms)
    if kind == "logit":
        _check_separation(y, X, terms)
    said = _cautions(len(data) - len(rows), len(names), len(terms), cluster)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        settings = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
        # Newton stops on the step it makes; this is far below any printed digit.
        search = {"method": "newton", "maxiter": 100, "tol": 1e-12, "disp": 0}
        result = model.fit(**settings, **(search if kind == "logit" else {}))
    if kind == "logit" and not result.mle_retvals["converged"]:
        raise RatifyError("the logit did not converge", allowed="fewer or less related terms")
    said += [" ".join(str(w.message).split()) for w in caught]
    covariance = pd.DataFrame(np.asarray(result.cov_params()), index=terms, columns=terms)
    params = pd.Series(np.asarray(result.params), index=terms)
    bse = pd.Series(np.sqrt(np.diag(covariance)), index=terms)
    z = params / bse
    return Regression(
        params=params, bse=bse, zvalues=z,
        pvalues=pd.Series(2 * norm.sf(z.abs()), index=terms),
        cov_params=covariance, n=len(rows), n_clusters=len(names),
        n_dropped=len(data) - len(rows), formula=formula, cluster=cluster,
        method=f"{kind if kind == 'logit' else 'OLS'}, errors clustered by {cluster}",
        warnings=tuple(said), result=result,
    )  # fmt: skip


def _columns_of(data: pd.DataFrame, formula: str) -> list[str]:
    """Return the columns a formula names, and refuse names that are neither column nor function."""
    try:
        tokens = [
            t for t in tokenize.generate_tokens(io.StringIO(formula).readline) if t.string.strip()
        ]
    except (tokenize.TokenError, SyntaxError) as error:
        raise RatifyError("the formula cannot be read", value=formula, allowed="y ~ x") from error
    found: list[str] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1].string if at else ""
        after = tokens[at + 1].string if at + 1 < len(tokens) else ""
        quoted = token.type == tokenize.STRING and before == "(" and tokens[at - 2].string == "Q"
        name = token.string.strip("'\"") if quoted else token.string
        plain = token.type == tokenize.NAME and not keyword.iskeyword(name)
        # `x.y` reads an attribute and `f(key=` names an argument: neither is a column.
        if not quoted and (not plain or before == "." or after == "="):
            continue
        if name in data.columns and after != "(":
            found.append(name)
        elif quoted or name not in _FORMULA_NAMES:
            # A formula is text from a plan, not a program: other functions stay out of reach.
            kind = "function" if after == "(" else "column"
            raise RatifyError(
                f"the formula names '{name}', and there is no such {kind}", value=formula,
                allowed=", ".join(
                    sorted(_FORMULA_NAMES) if kind == "function" else map(str, data.columns)
                ),
            )  # fmt: skip
    return list(dict.fromkeys(found))


def _prepared(data: pd.DataFrame, used: list[str]) -> pd.DataFrame:
    """Return the rows without a missing cell, in types that patsy knows."""
    part = data[list(dict.fromkeys(used))]
    absent = [columns.missing(part[name]) for name in part.columns]
    rows = part.iloc[np.flatnonzero(~np.any(absent, axis=0))].reset_index(drop=True)
    for name in rows.columns:
        values = rows[name].infer_objects()
        if pd.api.types.is_bool_dtype(values.dtype) or (
            pd.api.types.is_numeric_dtype(values.dtype) and not isinstance(values.dtype, np.dtype)
        ):
            rows[name] = values.astype(float)
        elif isinstance(values.dtype, pd.StringDtype):
            rows[name] = values.astype(object)
        else:
            rows[name] = values
    return rows


def _model(rows: pd.DataFrame, formula: str, kind: str) -> Any:
    """Return the statsmodels model; nothing of patsy's tracebacks leaks."""
    import statsmodels.formula.api as smf

    build = smf.logit if kind == "logit" else smf.ols
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return build(formula, rows, missing="raise", eval_env={"np": np})
    except Exception as error:
        reason = re.split(r"\n", str(error))[0]
        raise RatifyError(
            f"the formula cannot be computed: {reason}", value=formula,
            allowed="terms that give a finite number in every row",
        ) from error  # fmt: skip


def _check_outcome(y: FloatArray, name: str, kind: str) -> None:
    if kind == "logit" and not np.isin(y, (0.0, 1.0)).all():
        bad = y[~np.isin(y, (0.0, 1.0))][0]
        raise RatifyError("is not an outcome of a logit", column=name, value=bad, allowed="0, 1")
    if np.ptp(y) == 0:
        raise RatifyError(
            "the outcome is the same in every row", column=name, value=float(y[0]),
            allowed="an outcome that varies",
        )  # fmt: skip


def _check_terms(X: FloatArray, terms: list[str]) -> None:
    """Refuse terms that are linear combinations of others, by pivoted QR."""
    if len(X) <= len(terms):
        raise RatifyError("too few rows", value=len(X), allowed=f"more than {len(terms)} (terms)")
    size = np.sqrt((X**2).sum(axis=0))
    upper, order = qr(X / np.where(size > 0, size, 1.0), mode="r", pivoting=True)
    diagonal = np.zeros(len(terms))
    diagonal[: min(upper.shape)] = np.abs(np.diag(upper))
    tied = [terms[i] for i in order[diagonal < 1e-10]]
    if tied:
        raise RatifyError(
            "terms are linear combinations of others", value=", ".join(tied),
            allowed="terms that vary independently",
        )  # fmt: skip


def _check_separation(y: FloatArray, X: FloatArray, terms: list[str]) -> None:
    """Refuse terms that split the outcome: some direction never points the wrong way."""
    signed = np.unique((X / np.abs(X).max(axis=0)) * (2 * y - 1)[:, None], axis=0)
    direction = _separating(signed)
    if direction is None:
        return
    constant = [i for i, term in enumerate(terms) if term == "Intercept"]
    others = [i for i in range(len(terms)) if i not in constant]
    # One term that suffices explains more than a corner of the cone that names many.
    alone = [i for i in others if _separating(signed[:, [*constant, i]]) is not None]
    guilty = alone or [i for i in others if abs(direction[i]) > 1e-6] or constant
    raise RatifyError(
        "the outcome is separated, predicted perfectly by terms that so have no finite estimate: "
        + ", ".join(terms[i] for i in guilty),
        allowed="terms whose groups hold both outcomes",
    )


def _separating(signed: FloatArray) -> FloatArray | None:
    """Return a direction along which no row falls and some rise, None if there is none."""
    found = linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1),
        method="highs",
    )  # fmt: skip
    if found.x is None or float((signed @ found.x).sum()) <= 1e-7 * len(signed):
        return None
    return np.asarray(found.x, dtype=np.float64)


def _cautions(dropped: int, clusters: int, terms: int, cluster: str) -> list[str]:
    said = []
    if dropped:
        said.append(f"{dropped} rows left out: a column of the formula is missing there")
    if clusters < FEW_CLUSTERS:
        said.append(
            f"only {clusters} clusters ({cluster}): below {FEW_CLUSTERS} clustered errors come out "
            "too small and intervals too narrow"
        )
    if clusters <= terms:
        said.append(f"{terms} terms on {clusters} clusters: the covariance is not of full rank")
    return said
