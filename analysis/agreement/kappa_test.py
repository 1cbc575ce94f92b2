"""The two standard errors of Cohen's kappa, and the test that each of them belongs to.

Under independence kappa scatters otherwise than where the raters agree: the test of kappa = 0 takes
the null error, an interval around the estimate the non-null one. A z from the non-null error is
neither, and flips decisions near the level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from analysis.agreement.coefficients import DECIMALS, Weights, cohen_kappa


@dataclass(frozen=True, kw_only=True)
class KappaTest:
    """Cohen's kappa with both of its errors.

    Attributes
    ----------
    weights : {'none', 'linear', 'quadratic'}
    n : int
        Items that both rated.
    estimate : float
    se : float
        Non-null standard error, for an interval around the estimate.
    se_null : float
        Standard error where the raters are independent, for the test of kappa = 0.
    z, p_value : float
        estimate / se_null, and its two-sided p value. All are NaN where kappa is not defined or
        one rater is constant: nothing could then have come out otherwise.
    """

    weights: Weights
    n: int
    estimate: float
    se: float
    se_null: float
    z: float
    p_value: float


def kappa_test(a: ArrayLike, b: ArrayLike, *, weights: Weights = "none") -> KappaTest:
    """Return Cohen's kappa, its null and non-null standard errors and the test of kappa = 0.

    Parameters
    ----------
    a, b : array of shape (n,)
        Complete ratings of the same items, in points of the scale.
    weights : {'none', 'linear', 'quadratic'}
        The cost of a disagreement, from the values on the scale as in `coefficients.cohen_kappa`.

    Returns
    -------
    KappaTest

    Notes
    -----
    Fleiss, Cohen and Everitt (1969). Agrees with `statsmodels.stats.inter_rater.cohens_kappa`
    (`std_kappa`, `std_kappa0`) on whole ratings. With 50 items the test's size at 5% is .05 to
    .06 for all three weightings (docs/validation.md); an interval from `se` with z covers less
    than the jackknife's, which is what reports use.
    """
    estimate = cohen_kappa(a, b, weights=weights)
    x, y = (np.round(np.asarray(values, dtype=np.float64), DECIMALS) for values in (a, b))
    n = x.size
    if np.isnan(estimate):
        return KappaTest(
            weights=weights,
            n=n,
            estimate=np.nan,
            se=np.nan,
            se_null=np.nan,
            z=np.nan,
            p_value=np.nan,
        )
    grid, place = np.unique(np.concatenate([x, y]), return_inverse=True)
    k = len(grid)
    joint = np.bincount(place[:n] * k + place[n:], minlength=k * k).reshape(k, k) / n
    apart = np.abs(grid[:, None] - grid)
    cost = {"none": apart > 0, "linear": apart, "quadratic": apart**2}[weights]
    # agreement weights; their unit cancels
    agree = 1.0 - cost / cost.max()
    of_a, of_b = joint.sum(axis=1), joint.sum(axis=0)
    by_chance = np.outer(of_a, of_b)
    chance = float((agree * by_chance).sum())
    margins = (agree @ of_b)[:, None] + of_a @ agree
    unit = n * (1 - chance) ** 2
    pull = ((agree - margins * (1 - estimate)) ** 2 * joint).sum()
    free = ((agree - margins) ** 2 * by_chance).sum()
    variance = (pull - (estimate - chance * (1 - estimate)) ** 2) / unit
    null = (free - chance**2) / unit
    se_null = float(np.sqrt(null)) if null > 1e-14 else np.nan
    z = estimate / se_null
    return KappaTest(
        weights=weights,
        n=n,
        estimate=estimate,
        se=float(np.sqrt(max(variance, 0.0))),
        se_null=se_null,
        z=float(z),
        p_value=float(2 * norm.sf(abs(z))),
    )
