"""A fitted regression: its numbers under statsmodels' names, with method and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.inference.crossed_errors import CrossedFit, Estimate, crossed_logit, crossed_ols
from analysis.inference.trial_errors import cluster_words
from analysis.tables import columns

Distribution = Literal["z", "t", "satterthwaite"]
Kind = Literal["logit", "ols"]

# With fewer clusters than this the clustered error is known to be too small.
FEW_CLUSTERS = 40
SMALL_SAMPLE = ", bias-reduced (CR2), t with Satterthwaite's degrees of freedom"


def critical(level: float, df: float) -> float:
    """Return the half-width of an interval of this coverage, in standard errors."""
    columns.proportion("level", level)
    return float(student.ppf((1 + level) / 2, df))


def two_sided(statistic: float, df: float) -> float:
    """Return the two-sided p value of an estimate divided by its error."""
    return 2 * float(student.sf(abs(statistic), df))


@dataclass(frozen=True, kw_only=True)
class Regression:
    """A fitted regression with robust errors; names as in statsmodels.

    Attributes
    ----------
    params, bse, zvalues, pvalues : Series
        One value per term. Logit: log-odds per unit of the term; OLS: outcome units. `zvalues` is
        estimate / error even if `distribution` is t.
    cov_params : DataFrame
        Robust covariance of the estimates.
    n : int
        Rows that were fitted.
    n_clusters : int or None
        None if errors are HC3.
    n_dropped : int
        Rows left out because a column of the formula, or the cluster, is missing.
    kind : {'logit', 'ols'}
    formula, cluster : str
        `cluster` is empty if errors are HC3.
    distribution : {'z', 't', 'satterthwaite'}
        Distribution for p values and intervals. 'satterthwaite': errors are bias-reduced (CR2), and
        every combination of coefficients has its own degrees of freedom of t.
    df : float
        Degrees of freedom of t: clusters - 1, or rows - terms with HC3; infinite for z; NaN for
        'satterthwaite', see `combination`.
    warnings : tuple of str
        Sentences to report with the numbers.
    kept : int array of shape (n,)
        Index of each fitted row in the given table.
    groups : int array of shape (n,) or None
        Code of the cluster of each fitted row; None if rows are clustered by items too.
    codes : mapping
        Of the clusters, as in `crossed_errors.crossed_ols`; empty if errors are HC3.
    result : object
        The statsmodels results, for everything else.
    """

    params: pd.Series[float]
    bse: pd.Series[float]
    zvalues: pd.Series[float]
    pvalues: pd.Series[float]
    cov_params: pd.DataFrame = field(repr=False)
    n: int
    n_clusters: int | None
    n_dropped: int
    kind: Kind
    formula: str
    cluster: str
    warnings: tuple[str, ...]
    distribution: Distribution = "z"
    df: float = math.inf
    kept: IntArray = field(repr=False, compare=False)
    groups: IntArray | None = field(default=None, repr=False, compare=False)
    codes: Mapping[str, IntArray] = field(default_factory=dict, repr=False, compare=False)
    result: Any = field(repr=False, compare=False)

    @property
    def is_logit(self) -> bool:
        """Whether estimates are log-odds."""
        return self.kind == "logit"

    @property
    def name(self) -> str:
        """The name of the model in words."""
        return "logit" if self.is_logit else "OLS"

    @property
    def method(self) -> str:
        """The model, its errors and their distribution, in words."""
        errors = cluster_words(self.cluster) if self.cluster else "errors HC3"
        t = f", t with {self.df:.0f} df" if self.distribution == "t" else ""
        return f"{self.name}, {errors}{SMALL_SAMPLE if self.own_df else t}"

    @property
    def own_df(self) -> bool:
        """Whether every combination of coefficients has degrees of freedom of its own."""
        return self.distribution == "satterthwaite"

    @property
    def few_clusters(self) -> bool:
        """Whether there are too few clusters to trust the clustered error."""
        return self.n_clusters is not None and self.n_clusters < FEW_CLUSTERS

    @property
    def test(self) -> str:
        """The test of one coefficient, in words."""
        of = {"z": "z test", "t": f"t test, {self.df:.0f} df", "satterthwaite": "t test"}
        return of[self.distribution]

    @cached_property
    def small_sample(self) -> CrossedFit:
        """The same coefficients with bias-reduced errors (CR2) of the same clusters."""
        model = self.result.model
        X, y = np.asarray(model.exog, dtype=float), np.asarray(model.endog, dtype=float)
        if not self.is_logit:
            return crossed_ols(y, X, self.codes)
        params: FloatArray = np.asarray(self.params, dtype=np.float64)
        return crossed_logit(y, X, params, self.codes)

    def error_of(self, weights: FloatArray) -> tuple[float, float]:
        """Return the error of a combination of coefficients, and its degrees of freedom.

        Parameters
        ----------
        weights : array of shape (n_terms,)

        Returns
        -------
        se, df : float
            `df` is infinite for z. Both are NaN if a single cluster decides the combination.
        """
        if self.own_df:
            found = self.small_sample.estimates(weights)[0]
            return found.se, found.df
        variance = float(weights @ self.cov_params.to_numpy() @ weights)
        return math.sqrt(max(variance, 0.0)), self.df

    def combination(self, weights: FloatArray, *, level: float = 0.95) -> Estimate:
        """Return a combination of coefficients with its error, interval and test of 0.

        Parameters
        ----------
        weights : array of shape (n_terms,)
        level : float
        """
        columns.proportion("level", level)
        if self.own_df:
            return self.small_sample.estimates(weights, level=level)[0]
        estimate, (se, df) = float(weights @ self.params.to_numpy()), self.error_of(weights)
        half = critical(level, df) * se
        return Estimate(
            estimate=estimate,
            se=se,
            df=df,
            low=estimate - half,
            high=estimate + half,
            p_value=two_sided(estimate / se, df) if se > 0 else math.nan,
        )

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return Wald intervals of coverage 1 - alpha: `low`, `high`, one row per term."""
        columns.proportion("alpha", alpha)
        if self.own_df:
            found = self.small_sample.estimates(np.eye(len(self.params)), level=1 - alpha)
            ends = np.array([(one.low, one.high) for one in found])
        else:
            ends = np.asarray(self.result.conf_int(alpha))
        return pd.DataFrame(ends, index=self.params.index, columns=["low", "high"])

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row per term: `term`, `estimate`, `se`, `z`, `p`, `low`, `high`.

        `z` is named `t` if the test is a t test.
        """
        table = pd.DataFrame(
            {
                "estimate": self.params,
                "se": self.bse,
                "z" if self.distribution == "z" else "t": self.zvalues,
                "p": self.pvalues,
            }
        ).join(self.conf_int(1 - level))
        return table.rename_axis("term").reset_index()
