"""The chance of treatment whose overlap weights make treated and control units alike."""

from __future__ import annotations

import numpy as np

from analysis.arrays import FloatArray

# The inverse of the penalty: so light that the weighted means of the arms agree, and strong enough
# that covariates which separate the arms give no infinite coefficient.
_C = 1.0


def balancing_chances(covariates: FloatArray, arms: FloatArray) -> FloatArray:
    """Return the fitted chance of being treated, from a logit on all covariates.

    Parameters
    ----------
    covariates : array of shape (n, p)
    arms : array of shape (n,)
        1 for treated, 0 for control, NaN for a unit in neither arm.

    Returns
    -------
    array of shape (n,)
        NaN in neither arm.

    Notes
    -----
    At the maximum of a logit's likelihood, the overlap weights of its chances give both arms the
    same mean of every covariate in it, exactly (Li, Morgan and Zaslavsky 2018, Journal of the
    American Statistical Association 113, 390-400). Cross-fitted chances, or chances shrunk by a
    strong penalty, do not. Estimates need the former, a look at balance the latter.
    """
    from sklearn.linear_model import LogisticRegression

    known = ~np.isnan(arms)
    x = covariates[known]
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=_C, max_iter=2_000).fit(z, arms[known])
    found = np.full(len(arms), np.nan)
    found[known] = model.predict_proba(z)[:, 1]
    return found
