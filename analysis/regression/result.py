"""A fitted regression: its numbers under statsmodels' names, with method and warnings."""

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

# With fewer clusters than this the clustered error is known to be too small.
FEW_CLUSTERS = 40


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
    distribution : {'z', 't'}
        Distribution for p values and intervals.
    df : float
        Degrees of freedom of t: clusters - 1, or rows - terms with HC3; infinite for z.
    warnings : tuple of str
        Sentences to report with the numbers.
    kept : int array of shape (n,)
        Index of each fitted row in the given table.
    groups : int array of shape (n,) or None
        Code of the cluster of each fitted row.
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
        errors = f"clustered by {self.cluster}" if self.cluster else "HC3"
        t = f", t with {self.df:.0f} df" if self.distribution == "t" else ""
        return f"{self.name}, errors {errors}{t}"

    @property
    def few_clusters(self) -> bool:
        """Whether there are too few clusters to trust the clustered error."""
        return self.n_clusters is not None and self.n_clusters < FEW_CLUSTERS

    @property
    def test(self) -> str:
        """The test of one coefficient, in words."""
        return "z test" if self.distribution == "z" else f"t test, {self.df:.0f} df"

    def critical(self, level: float = 0.95) -> float:
        """Return the half-width of an interval of this coverage, in standard errors."""
        columns.proportion("level", level)
        return float(self._law.ppf((1 + level) / 2))

    def p_value(self, statistic: float) -> float:
        """Return the two-sided p value of an estimate divided by its error."""
        return 2 * float(self._law.sf(abs(statistic)))

    @property
    def _law(self) -> Any:
        return norm() if self.distribution == "z" else student(self.df)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return Wald intervals of coverage 1 - alpha: `low`, `high`, one row per term."""
        columns.proportion("alpha", alpha)
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
                self.distribution: self.zvalues,
                "p": self.pvalues,
            }
        ).join(self.conf_int(1 - level))
        return table.rename_axis("term").reset_index()
