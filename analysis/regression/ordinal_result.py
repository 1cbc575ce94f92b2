"""A fitted cumulative logit: terms, thresholds and their clustered errors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.regression.contrasts import weights_among
from analysis.tables import columns

# With an eigenvalue of its information above this, one cluster alone decides a combination.
ALONE = 1 - 1e-9


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One combination of coefficients: log-odds with error, interval and two-sided p value.

    `df` are the degrees of freedom of t, infinite for z; `clusters` is the effective number of
    clusters that the estimate rests on.
    """

    estimate: float
    se: float
    low: float
    high: float
    statistic: float
    p_value: float
    df: float
    clusters: float
    method: str


def bias_factor(values: FloatArray) -> FloatArray:
    """Return (1 - leverage)^(-1/2), and 0 where one cluster alone decides (leverage 1)."""
    alone = values > ALONE
    return np.where(alone, 0.0, 1 / np.sqrt(1 - np.where(alone, 0.0, values)))


@dataclass(frozen=True, kw_only=True)
class OrdinalRegression:
    """A fitted cumulative logit: logit P(y <= j) = threshold_j - x'b.

    Attributes
    ----------
    params : Series
        Log-odds of a higher category, per unit of each term.
    thresholds : Series
        One between each two neighbouring categories, named '1|2'.
    cov_params, reduced : DataFrame
        Clustered covariance of the terms and thresholds: the sandwich, and its bias-reduced form
        (CR2), which counts where there are few clusters.
    root : array of shape (n_estimates, n_estimates)
        Turns estimates to where the information of all rows is the identity.
    spectra : tuple of arrays
        Eigenvalues and eigenvectors of each cluster's information there.
    categories : tuple of float
        In order.
    n, n_clusters, n_dropped : int
        Rows fitted, their clusters, and rows left out because a column was missing.
    counts : tuple of int
        Rows of each category.
    log_likelihood : float
    formula, cluster : str
    few_clusters : int
        Below this effective number of clusters, errors are bias-reduced.
    distribution : {'z', 't'}
    warnings : tuple of str
        Sentences to report with the numbers.
    X : array of shape (n, n_terms)
    y : int array of shape (n,)
        Number of each row's category, from 0.
    groups : int array of shape (n,)
    design : object
        What `formula.design_matrix` needs to code other rows.
    """

    params: pd.Series[float]
    thresholds: pd.Series[float]
    cov_params: pd.DataFrame = field(repr=False)
    reduced: pd.DataFrame = field(repr=False)
    root: FloatArray = field(repr=False, compare=False)
    spectra: tuple[FloatArray, FloatArray] = field(repr=False, compare=False)
    categories: tuple[float, ...]
    n: int
    n_clusters: int
    n_dropped: int
    counts: tuple[int, ...]
    log_likelihood: float
    formula: str
    cluster: str
    few_clusters: int
    distribution: str
    warnings: tuple[str, ...]
    X: FloatArray = field(repr=False, compare=False)
    y: IntArray = field(repr=False, compare=False)
    groups: IntArray = field(repr=False, compare=False)
    design: Any = field(repr=False, compare=False)

    @property
    def estimates(self) -> FloatArray:
        """The terms and then the thresholds, as the covariance has them."""
        return np.concatenate([self.params.to_numpy(), self.thresholds.to_numpy()])

    @property
    def method(self) -> str:
        """The model and its clusters, in words."""
        return f"cumulative logit (proportional odds), errors clustered by {self.cluster}"

    def error_of(self, weights: FloatArray) -> tuple[float, float, float]:
        """Return the error of a combination of terms and thresholds, its df and its clusters.

        Parameters
        ----------
        weights : array of shape (n_estimates,)

        Returns
        -------
        se, df, clusters : float
            Effective clusters are Satterthwaite's degrees of freedom of the bias-reduced error,
            plus 1. Below `few_clusters` this error counts, with t of these degrees of freedom.
        """
        clusters = self._satterthwaite(weights) + 1
        few = clusters < self.few_clusters
        covariance = (self.reduced if few else self.cov_params).to_numpy()
        se = math.sqrt(max(float(weights @ covariance @ weights), 0.0))
        if few:
            return se, clusters - 1, clusters
        return se, float(self.n_clusters - 1) if self.distribution == "t" else math.inf, clusters

    def _satterthwaite(self, weights: FloatArray) -> float:
        """Return the degrees of freedom if scores have the variance that the model gives them.

        The clusters' parts of the estimate then have the covariance diag(own) - cross cross'.
        """
        along = self.root @ weights
        values, vectors = self.spectra
        turned = np.swapaxes(vectors, 1, 2) @ along
        factor = bias_factor(values)
        own = (values * factor**2 * turned**2).sum(axis=1)
        cross = (vectors @ (values * factor * turned)[:, :, None])[:, :, 0]
        trace = float(own.sum() - np.square(cross).sum())
        whole = float(np.square(own).sum() - 2 * (own * np.square(cross).sum(axis=1)).sum())
        whole += float(np.square(cross.T @ cross).sum())
        return max(trace**2 / whole, 1.0) if whole > 0 else 1.0

    def combination(self, weights: FloatArray, *, level: float = 0.95) -> Effect:
        """Return a combination of terms with its Wald interval and test of 0.

        Parameters
        ----------
        weights : array of shape (n_terms,)
        level : float
        """
        columns.proportion("level", level)
        estimate = float(weights @ self.params.to_numpy())
        se, df, clusters = self.error_of(np.append(weights, np.zeros(len(self.thresholds))))
        half = float(student.ppf((1 + level) / 2, df)) * se
        statistic = estimate / se if se > 0 else math.nan
        how = ""
        if clusters < self.few_clusters:
            how = f", bias-reduced (CR2), effectively {clusters:.1f} clusters, t with {df:.1f} df"
        elif math.isfinite(df):
            how = f", t with {df:.0f} df"
        return Effect(
            estimate=estimate,
            se=se,
            low=estimate - half,
            high=estimate + half,
            statistic=statistic,
            p_value=2 * float(student.sf(abs(statistic), df)),
            df=df,
            clusters=clusters,
            method=self.method + how,
        )

    def contrast(self, text: str, *, level: float = 0.95) -> Effect:
        """Return a term, or sums and differences of terms, as `contrasts.contrast_weights`."""
        terms = [str(term) for term in self.params.index]
        return self.combination(weights_among(terms, text), level=level)

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row per term: `term`, `estimate`, `se`, `statistic`, `p`, `low`, `high`."""
        rows = [
            (term, one.estimate, one.se, one.statistic, one.p_value, one.low, one.high)
            for term, unit in zip(self.params.index, np.eye(len(self.params)), strict=True)
            for one in [self.combination(unit, level=level)]
        ]
        names = ["term", "estimate", "se", "statistic", "p", "low", "high"]
        return pd.DataFrame(rows, columns=names)

    def thresholds_frame(self) -> pd.DataFrame:
        """Return one row per threshold: `between`, `estimate`, `se`, `below`, `above` (rows)."""
        k, counts = len(self.params), np.cumsum(self.counts)
        return pd.DataFrame(
            {
                "between": self.thresholds.index,
                "estimate": self.thresholds.to_numpy(),
                "se": np.sqrt(np.diag(self.cov_params.to_numpy())[k:]),
                "below": counts[:-1],
                "above": self.n - counts[:-1],
            }
        )
