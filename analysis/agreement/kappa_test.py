"""Cohen's kappa with its two standard errors, and the test of kappa = 0.

Kappa varies differently if the raters are independent than if they agree. So the test of kappa = 0
uses the null error, and an interval around the estimate uses the non-null error. A z from the
non-null error is not a valid test and can change decisions near the level.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from statsmodels.stats.inter_rater import cohens_kappa

from analysis.agreement.coefficients import DECIMALS, Weights

# A null variance below this is only rounding error: one rater is constant.
_NO_VARIANCE = 1e-14


class KappaTest(NamedTuple):
    """Cohen's kappa with both of its errors.

    Attributes
    ----------
    estimate : float
    se : float
        Non-null standard error, for an interval around the estimate.
    se_null : float
        Standard error where the raters are independent, for the test of kappa = 0.
    z, p_value : float
        estimate / se_null, and its two-sided p value. Both are NaN, like se_null, if one rater is
        constant: no other result was then possible. All are NaN if kappa is not defined.
    """

    estimate: float = np.nan
    se: float = np.nan
    se_null: float = np.nan
    z: float = np.nan
    p_value: float = np.nan


def kappa_test(a: ArrayLike, b: ArrayLike, *, weights: Weights = "none") -> KappaTest:
    """Return Cohen's kappa, its null and non-null standard errors and the test of kappa = 0.

    Parameters
    ----------
    a, b : array of shape (n,)
        Complete ratings of the same items, in points of the scale.
    weights : {'none', 'linear', 'quadratic'}
        The cost of a disagreement: 1, the distance in points, or its square. Distances come from
        the values on the scale, not from their order.

    Returns
    -------
    KappaTest

    Notes
    -----
    Fleiss, Cohen and Everitt (1969), as `statsmodels.stats.inter_rater.cohens_kappa` computes them.
    With 50 items the test's size at 5% is .05 to .06 for all three weightings
    (docs/validation.md). An interval from `se` with z covers less than the jackknife's, which is
    what reports use.
    """
    x, y = (np.round(np.asarray(values, dtype=np.float64), DECIMALS) for values in (a, b))
    n = x.size
    grid, place = np.unique(np.concatenate([x, y]), return_inverse=True)
    k = len(grid)
    if n < 2 or k < 2:
        return KappaTest()
    table = np.bincount(place[:n] * k + place[n:], minlength=k * k).reshape(k, k)
    apart = np.abs(grid[:, None] - grid)
    cost = {"none": (apart > 0).astype(float), "linear": apart, "quadratic": apart**2}[weights]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = cohens_kappa(table, weights=cost / cost.max())
    kappa, se = float(found.kappa), float(np.sqrt(max(found.var_kappa, 0.0)))
    if found.var_kappa0 < _NO_VARIANCE:
        return KappaTest(kappa, se)
    return KappaTest(
        kappa, se, float(found.std_kappa0), float(found.z_value), float(found.pvalue_two_sided)
    )
