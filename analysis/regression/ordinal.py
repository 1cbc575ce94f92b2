"""Cumulative logit regression of an ordinal outcome, with clustered errors."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.arrays import FloatArray, IntArray
from analysis.regression.formula import (
    check_ordered_separation,
    check_terms,
    columns_of,
    complete_places,
    complete_rows,
    model_of,
)
from analysis.regression.ordinal_result import ALONE, OrdinalRegression, bias_factor
from analysis.regression.result import FEW_CLUSTERS
from analysis.tables import columns
from prereg.errors import RatifyError

# An outcome with more different values is not a rating on a few categories.
MOST_CATEGORIES = 15


def clustered_ordinal(
    data: pd.DataFrame,
    formula: str,
    *,
    cluster: str,
    categories: Sequence[float] | None = None,
    distribution: str = "z",
    few_clusters: int = FEW_CLUSTERS,
) -> OrdinalRegression:
    """Fit a cumulative logit by maximum likelihood (statsmodels) with clustered errors.

    Parameters
    ----------
    data : DataFrame
        One row per rating; the outcome is a number, such as 1 to 7.
    formula : str
        As in `fit.clustered_logit`. The thresholds take the place of an intercept.
    cluster : str
        Column whose rows may depend on each other, usually `rater_id`.
    categories : sequence of float, optional
        The categories in order; by default those that occur.
    distribution : {'z', 't'}
        For tests and intervals: the normal, or Student's t with clusters - 1 degrees of freedom.
    few_clusters : int
        Below this effective number of clusters of an effect (Satterthwaite's degrees of freedom
        plus 1), its error is bias-reduced (CR2 on the score of each cluster), with t.

    Returns
    -------
    OrdinalRegression
        The clustered sandwich of the scores and the Hessian, times G / (G - 1) * (n - 1) / (n - k),
        where k counts terms and thresholds: R's `vcovCL(clm(...), type = "HC1")`.

    Raises
    ------
    RatifyError
        As `fit.clustered_logit`; with fewer than three or more than 15 categories, with a category
        that no row has or an outcome that is not one of them; and where terms predict the category
        so well that they have no finite estimate.

    Notes
    -----
    One odds ratio holds at every threshold (proportional odds); `proportional_odds` tests this.
    Random intercepts are not offered: statsmodels has none for this model.
    Items are not a cluster here: where items are a sample too, cluster by the items, or use OLS.

    References
    ----------
    McCullagh, P. (1980). JRSS B 42, 109-142. Bell, R. M., & McCaffrey, D. F. (2002). Survey
    Methodology 28, 169-181.
    """
    columns.one_of("distribution", distribution, ["z", "t"])
    columns.require_rows(data, "rows to fit")
    columns.require_columns(data, cluster)
    used = columns_of(data, formula)
    rows = complete_rows(data, [*used, cluster])
    if rows.empty:
        raise RatifyError("no row has all columns of the formula", allowed=", ".join(used))
    model = model_of(rows, formula, "ols")
    y, found = _categories(np.asarray(model.endog, dtype=float), categories, model.endog_names)
    groups, names = pd.factorize(rows[cluster])
    if len(names) < 2:
        raise RatifyError(
            "clustered errors need clusters", column=cluster, value=len(names), allowed="2 or more"
        )
    every = [str(name) for name in model.exog_names]
    X = np.asarray(model.exog, dtype=float)[:, [name != "Intercept" for name in every]]
    terms = [name for name in every if name != "Intercept"]
    if not terms:
        raise RatifyError("the formula has no term", value=formula, allowed="y ~ x")
    check_terms(np.column_stack([np.ones(len(X)), X]), ["Intercept", *terms])
    check_ordered_separation(y, X, terms)
    estimates = _fitted(y, X, len(found))
    rows_at = _Rows.at(estimates, y, X)
    covariance, reduced, root, spectra = _covariance(rows_at, groups)
    said = _cautions(len(names), alone=bool((spectra[0] > ALONE).any()))
    between = [f"{a:g}|{b:g}" for a, b in pairwise(found)]
    dropped = len(data) - len(complete_places(data, [*used, cluster]))
    if dropped:
        said.append(f"{dropped} rows left out because a column of the formula is missing")
    k, every = len(terms), [*terms, *between]
    return OrdinalRegression(
        params=pd.Series(estimates[:k], index=terms),
        thresholds=pd.Series(estimates[k:], index=between),
        cov_params=pd.DataFrame(covariance, index=every, columns=every),
        reduced=pd.DataFrame(reduced, index=every, columns=every),
        root=root,
        spectra=spectra,
        categories=found,
        n=len(y),
        n_clusters=len(names),
        n_dropped=dropped,
        counts=tuple(int(count) for count in np.bincount(y, minlength=len(found))),
        log_likelihood=float(np.log(rows_at.chance).sum()),
        formula=formula,
        cluster=cluster,
        few_clusters=few_clusters,
        distribution=distribution,
        warnings=tuple(said),
        X=X,
        y=y,
        groups=groups,
        design=SimpleNamespace(model=model),
    )


def _categories(
    outcome: FloatArray, given: Sequence[float] | None, name: str
) -> tuple[IntArray, tuple[float, ...]]:
    """Return each row's category by number, and the categories."""
    there = np.unique(outcome)
    wanted = there if given is None else np.unique(np.asarray(given, dtype=float))
    shown = ", ".join(f"{x:g}" for x in wanted[:MOST_CATEGORIES])
    if len(wanted) > MOST_CATEGORIES:
        raise RatifyError(
            "too many categories for an ordinal outcome",
            column=name,
            value=f"{len(wanted)} different values",
            allowed=f"{MOST_CATEGORIES} or fewer; with more, model: ols",
        )
    other = there[~np.isin(there, wanted)]
    if len(other):
        raise RatifyError("is not a category", column=name, value=float(other[0]), allowed=shown)
    if len(there) < 3:
        raise _too_few(outcome, there, name)
    empty = wanted[~np.isin(wanted, there)]
    if len(empty):
        raise RatifyError(
            "no row has this category, so its thresholds have no estimate",
            column=name,
            value=float(empty[0]),
            allowed="categories that occur: levels: ["
            + ", ".join(f"{x:g}" for x in there)
            + "] in the plan",
        )
    return np.searchsorted(wanted, outcome).astype(np.int64), tuple(float(x) for x in wanted)


def _too_few(outcome: FloatArray, there: FloatArray, name: str) -> RatifyError:
    """Return the error of an outcome with one or two categories in use, with their counts."""
    counts = {x: int((outcome == x).sum()) for x in there}
    used = (f"{x:g} in {n} row{'s' * (n != 1)}" for x, n in counts.items())
    two = len(there) == 2
    return RatifyError(
        f"too few categories: {'only two are' if two else 'only one is'} in use",
        column=name,
        value=" and ".join(used),
        allowed="3 or more in use" + ("; with two, model: logit" if two else ""),
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Each row's probability of its category, with first and second derivatives.

    `up` and `down` are the gradients of threshold minus x'b at the upper and lower end of the
    category; `first` and `second` are the derivatives of the log probability along them.
    """

    chance: FloatArray
    up: FloatArray
    down: FloatArray
    first: tuple[FloatArray, FloatArray]
    second: tuple[FloatArray, FloatArray, FloatArray]

    @classmethod
    def at(cls, estimates: FloatArray, y: IntArray, X: FloatArray) -> _Rows:
        k = X.shape[1]
        cuts = np.concatenate([[-np.inf], estimates[k:], [np.inf]])
        linear = X @ estimates[:k]
        high, low = cuts[y + 1] - linear, cuts[y] - linear
        # in the upper tail the difference of two numbers near 1 loses its digits
        flip = low > 0
        chance = np.where(flip, expit(-low) - expit(-high), expit(high) - expit(low))
        chance = np.maximum(chance, 1e-300)
        f_high, f_low = (expit(x) * expit(-x) for x in (high, low))
        a, b = f_high / chance, f_low / chance
        marks = np.eye(len(cuts))[:, 1:-1]
        return cls(
            chance=chance,
            up=np.hstack([-X, marks[y + 1]]),
            down=np.hstack([-X, marks[y]]),
            first=(a, -b),
            second=(a * (1 - 2 * expit(high)) - a**2, -b * (1 - 2 * expit(low)) - b**2, a * b),
        )

    def scores(self) -> FloatArray:
        return self.first[0][:, None] * self.up + self.first[1][:, None] * self.down

    def information(self, groups: IntArray) -> FloatArray:
        """Return minus the Hessian of each group of rows."""
        count, q = int(groups.max()) + 1, self.up.shape[1]
        uu, dd, ud = self.second
        found = np.empty((count, q, q))
        for i in range(q):
            for j in range(i, q):
                each = uu * self.up[:, i] * self.up[:, j] + dd * self.down[:, i] * self.down[:, j]
                each += ud * (self.up[:, i] * self.down[:, j] + self.down[:, i] * self.up[:, j])
                found[:, i, j] = found[:, j, i] = -np.bincount(groups, each, count)
        return found


def _fitted(y: IntArray, X: FloatArray, categories: int) -> FloatArray:
    """Return the estimates: statsmodels' search, and then Newton steps to the last digits."""
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    size = X.std(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = OrderedModel(y, (X - X.mean(axis=0)) / size, distr="logit")
        found = model.fit(method="bfgs", gtol=1e-3, maxiter=500, disp=0, skip_hessian=True)
        k = X.shape[1]
        slopes = np.asarray(found.params, dtype=float)[:k] / size
        cuts = np.asarray(model.transform_threshold_params(found.params), dtype=float)[1:-1]
    estimates = np.concatenate([slopes, cuts + X.mean(axis=0) @ slopes])
    for _ in range(25):
        rows = _Rows.at(estimates, y, X)
        information = rows.information(np.zeros_like(y))[0]
        step = np.linalg.solve(information, rows.scores().sum(axis=0))
        estimates = estimates + step
        if np.abs(step).max() < 1e-10 * (1 + np.abs(estimates).max()):
            break
    else:
        raise RatifyError(
            "the ordinal regression did not converge", allowed="fewer or less correlated terms"
        )
    return np.asarray(estimates, dtype=np.float64)


def _covariance(
    rows: _Rows, groups: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, tuple[FloatArray, FloatArray]]:
    """Return the sandwich, its bias-reduced form, and the information that they rest on.

    Bias-reduced: in coordinates where the information is the identity, each cluster's score is
    multiplied by (1 - its own information)^(-1/2).
    """
    scores = rows.scores()
    n, q = scores.shape
    count = int(groups.max()) + 1
    sums = np.column_stack([np.bincount(groups, each, count) for each in scores.T])
    information = rows.information(groups)
    root = np.linalg.inv(np.linalg.cholesky(information.sum(axis=0)))
    moved = sums @ root.T
    values, vectors = np.linalg.eigh(root @ information @ root.T)
    turned = (np.swapaxes(vectors, 1, 2) @ moved[:, :, None])[:, :, 0]
    reduced = (vectors @ (bias_factor(values) * turned)[:, :, None])[:, :, 0] @ root
    plain = moved @ root
    size = count / (count - 1) * (n - 1) / (n - q)
    return size * plain.T @ plain, reduced.T @ reduced, root, (values, vectors)


def _cautions(clusters: int, *, alone: bool) -> list[str]:
    said = [f"only {clusters} clusters"] if clusters < FEW_CLUSTERS else []
    if alone:
        said.append("one cluster alone holds a category or a term, so its error is too small")
    return said
