"""A fitted regression: its numbers under statsmodels' names, and what must travel with them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from analysis.arrays import IntArray
from analysis.tables import columns

Distribution = Literal["z", "t"]
Kind = Literal["logit", "ols"]

# Below this many clusters the clustered error is known to come out too small.
FEW_CLUSTERS = 40


@dataclass(frozen=True, kw_only=True)
class Regression:
    """A fitted regression with robust errors; names as in statsmodels.

    Attributes
    ----------
    params, bse, zvalues, pvalues : Series
        One value a term. Logit: log-odds per unit of the term; OLS: outcome units. `zvalues` is
        estimate / error also where `distribution` is t.
    cov_params : DataFrame
        Robust covariance of the estimates.
    n : int
        Rows that entered.
    n_clusters : int or None
        None where errors are HC3.
    n_dropped : int
        Rows left out because a column of the formula, or the cluster, is missing there.
    kind : {'logit', 'ols'}
    formula, cluster : str
        `cluster` is empty where errors are HC3.
    distribution : {'z', 't'}
        What p values and intervals refer to.
    df : float
        Degrees of freedom of t: clusters - 1, with HC3 rows - terms; infinite for z.
    warnings : tuple of str
        Sentences that must travel with the numbers.
    kept : int array of shape (n,)
        Place of each row that entered, in the table that was given.
    groups : int array of shape (n,) or None
        Code of the cluster of each row that entered.
    result : object
        The statsmodels results, for what is not named here.
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
    result: Any = field(repr=False, compare=False)

    @property
    def is_logit(self) -> bool:
        """Whether estimates are log-odds."""
        return self.kind == "logit"

    @property
    def name(self) -> str:
        """What the model is called in words."""
        return "logit" if self.is_logit else "OLS"

    @property
    def method(self) -> str:
        """The model, its errors and their distribution, in words."""
        errors = f"clustered by {self.cluster}" if self.cluster else "HC3"
        t = f", t with {self.df:.0f} df" if self.distribution == "t" else ""
        return f"{self.name}, errors {errors}{t}"

    @property
    def few_clusters(self) -> bool:
        """Whether the clustered error is not to be trusted, for want of clusters."""
        return self.n_clusters is not None and self.n_clusters < FEW_CLUSTERS

    @property
    def test(self) -> str:
        """The test of one coefficient, in words."""
        return "z test" if self.distribution == "z" else f"t test, {self.df:.0f} df"

    def critical(self, level: float = 0.95) -> float:
        """Return how many errors an interval of this coverage reaches to each side."""
        columns.proportion("level", level)
        return float(self._law.ppf((1 + level) / 2))

    def p_value(self, statistic: float) -> float:
        """Return the two-sided p value of an estimate divided by its error."""
        return 2 * float(self._law.sf(abs(statistic)))

    @property
    def _law(self) -> Any:
        return norm() if self.distribution == "z" else student(self.df)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return the Wald interval of coverage 1 - alpha: columns `low`, `high`, a row a term."""
        columns.proportion("alpha", alpha)
        ends = np.asarray(self.result.conf_int(alpha))
        return pd.DataFrame(ends, index=self.params.index, columns=["low", "high"])

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return a row a term: `term`, `estimate`, `se`, `z`, `p`, `low`, `high`.

        `z` is named `t` where the test is one.
        """
        table = pd.DataFrame(
            {
                "estimate": self.params,
                "se": self.bse,
                self.distribution: self.zvalues,
                "p": self.pvalues,
            }
        ).join(self.conf_int(1 - level))
        return table.rename_axis("term").reset_index()
