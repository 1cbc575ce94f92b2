"""The chance of being treated, by cross-fitted logits with a ridge penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from analysis.arrays import FloatArray
from analysis.causal.ridge import Basis, Ridge
from prereg.errors import RatifyError

# The largest slope of the scaled loss at a solution; a fit that stops above it is refused.
FLAT = 1e-4


def chances(ridge: Ridge, arm: FloatArray) -> FloatArray:
    """Return the chance of each unit by a logit that did not see its fold.

    Parameters
    ----------
    ridge : Ridge
        Of all units, each with weight 1.
    arm : array of shape (n,)
        1 for treated, 0 for control.

    Raises
    ------
    RatifyError
        If a fit does not converge.

    Notes
    -----
    The penalty comes from the first step of Newton's method from a model without covariates. That
    step is the ridge regression of `arm`, whose penalty is cross-validated in closed form; in
    units of the logit it is that penalty times the variance of `arm`. The logits of all folds are
    then fitted together, by L-BFGS in the coordinates in which that first step is exact.
    """
    design = ridge.design
    penalties = ridge.fit(arm).penalties
    bases = [ridge.basis(fold) for fold in range(design.folds)]
    share = design.outside.T @ arm / design.outside.sum(axis=0)
    spread = share * (1 - share)
    penalties = penalties * spread
    scales = [
        1 / np.sqrt(one * basis.values + penalty)
        for one, basis, penalty in zip(spread, bases, penalties, strict=True)
    ]
    means = np.column_stack([basis.mean for basis in bases])
    weights = design.outside / design.outside.sum(axis=0)
    start = np.zeros((len(means) + 1, design.folds))
    start[0] = np.log(share / (1 - share)) * np.sqrt(spread)

    def unfolded(flat: FloatArray) -> tuple[FloatArray, FloatArray]:
        given = flat.reshape(start.shape)
        return given[0] / np.sqrt(spread), _turned(bases, scales, given[1:])

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        intercepts, slopes = unfolded(flat)
        linear = design.z @ slopes + (intercepts - (means * slopes).sum(axis=0))
        value = (weights * (np.logaddexp(0, linear) - arm[:, None] * linear)).sum()
        value += 0.5 * (penalties * slopes**2).sum()
        rest = weights * (expit(linear) - arm[:, None])
        total = rest.sum(axis=0)
        slope = design.z.T @ rest - means * total + penalties * slopes
        back = [
            scale * (basis.vectors.T @ one)
            for basis, scale, one in zip(bases, scales, slope.T, strict=True)
        ]
        return float(value), np.vstack([total / np.sqrt(spread), np.column_stack(back)]).ravel()

    options: Any = {"maxiter": 500, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-8}
    found: Any = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    steepest = float(np.abs(found.jac).max())
    if not steepest < FLAT:
        raise RatifyError(
            "the chance of being treated cannot be estimated: its logit does not converge",
            column="treatment",
        )
    intercepts, slopes = unfolded(found.x)
    linear = design.z @ slopes + (intercepts - (means * slopes).sum(axis=0))
    return np.asarray(expit(design.own(linear)))


def _turned(bases: list[Basis], scales: list[FloatArray], given: FloatArray) -> FloatArray:
    """Return slopes of the covariates, one column per fold, from scaled coordinates."""
    columns = [
        basis.vectors @ (scale * one)
        for basis, scale, one in zip(bases, scales, given.T, strict=True)
    ]
    return np.column_stack(columns)
