"""Wald contrasts: sums and differences of named coefficients, written as text."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from patsy import DesignInfo

from analysis.arrays import FloatArray
from analysis.regression.result import Distribution, Regression
from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """One linear combination of coefficients, tested against 0.

    Attributes
    ----------
    name, text : str
        Its name, and its definition in names of coefficients.
    estimate, se, low, high : float
        In the units of the coefficients (log-odds for a logit).
    statistic, p_value : float
        estimate / se; two-sided. NaN where the error is 0.
    distribution : {'z', 't', 'satterthwaite'}
    df : float
        Infinite for z.
    level : float
    n : int
    clusters : int or None
    method, unit : str
    """

    name: str
    text: str
    estimate: float
    se: float
    low: float
    high: float
    statistic: float
    p_value: float
    distribution: Distribution
    df: float
    level: float
    n: int
    clusters: int | None
    method: str
    unit: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row with every field."""
        return pd.DataFrame([asdict(self)])


def contrast_weights(regression: Regression, text: str) -> FloatArray:
    """Return the weight of each coefficient in a contrast.

    Parameters
    ----------
    regression : Regression
    text : str
        Names of coefficients as the regression prints them, joined by +, -, and numbers by * and /,
        for instance 'condition[T.coach]:post - condition[T.video]:post' or '(a + b) / 2 - c'.

    Returns
    -------
    array of shape (n_terms,)

    Raises
    ------
    RatifyError
        On a name that is not a coefficient, on '=' and a constant (contrasts are tested against
        0), and on a text in which everything cancels.

    Notes
    -----
    Patsy reads the text, as it does for statsmodels' `t_test`. formulaic's `LinearConstraints`
    cannot read an interaction: it takes the ':' in its name for an operator.
    """
    return weights_among([str(term) for term in regression.params.index], text)


def weights_among(terms: list[str], text: str) -> FloatArray:
    """Return the weight of each of these coefficients in a contrast, as `contrast_weights`."""
    if text in terms:  # this includes names that look like a sum
        return np.asarray([float(term == text) for term in terms])
    wrong = RatifyError(
        "is not a contrast of the regression's coefficients", value=text, allowed=", ".join(terms)
    )
    try:
        found = DesignInfo(terms).linear_constraint(text)
    except Exception as error:  # for an incomplete text, patsy raises other errors than PatsyError
        raise wrong from error
    if "=" in _without_terms(text, terms) or len(found.coefs) != 1 or found.constants.any():
        raise RatifyError(
            "a contrast is one difference, tested against 0", value=text, allowed="a - b"
        )
    return np.asarray(found.coefs[0], dtype=np.float64)


def wald_contrast(
    regression: Regression, text: str, *, name: str = "", level: float = 0.95
) -> Contrast:
    """Test a contrast between named coefficients.

    Parameters
    ----------
    regression : Regression
    text : str
        As in `contrast_weights`; a single name tests that coefficient.
    name : str
        Name of the contrast, by default its text.
    level : float
        Coverage of the interval.

    Returns
    -------
    Contrast
        z or t as the regression was fitted, from its robust covariance.

    Raises
    ------
    RatifyError
        As `contrast_weights`.
    """
    weights = contrast_weights(regression, text)
    found = regression.combination(weights, level=level)
    return Contrast(
        name=name or text,
        text=text,
        estimate=found.estimate,
        se=found.se,
        low=found.low,
        high=found.high,
        statistic=found.estimate / found.se if found.se > 0 else math.nan,
        p_value=found.p_value,
        distribution=regression.distribution,
        df=found.df,
        level=level,
        n=regression.n,
        clusters=regression.n_clusters,
        method=f"{regression.method}; Wald {regression.test}",
        unit="log-odds" if regression.is_logit else "outcome units",
    )


def _without_terms(text: str, terms: list[str]) -> str:
    """Return the text without the coefficients' names, which may contain '='."""
    for term in sorted(terms, key=len, reverse=True):
        text = text.replace(term, " ")
    return text
