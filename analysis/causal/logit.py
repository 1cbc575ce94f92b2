"""The chance of being treated, by cross-fitted logits with a ridge penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from analysis.arrays import FloatArray
from analysis.causal.ridge import Basis, Ridge
from prereg.errors import RatifyError

# The largest slope of the scaled loss at a solution; a fit that stops above it is refused.
FLAT = 1e-4
OPTIONS: Any = {"maxiter": 500, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-8}


def chances(ridge: Ridge, arm: FloatArray) -> FloatArray:
    """Return the chance of each unit by a logit that did not see its fold.

    Parameters
    ----------
    ridge : Ridge
        A unit of weight 0 is left out of the fits.
    arm : array of shape (n,)
        1 for treated, 0 for control; of a unit of weight 0 any number.

    Raises
    ------
    RatifyError
        If an arm is empty outside a fold, or a fit does not converge.

    Notes
    -----
    The penalty comes from the first step of Newton's method from a model without covariates. That
    step is the ridge regression of `arm`, whose penalty is cross-validated in closed form; in
    units of the logit it is that penalty times the variance of `arm`. The logits of all folds are
    then fitted together, by L-BFGS in the coordinates in which that first step is exact.
    """
    problem = _Logits.of(ridge, arm)
    found: Any = minimize(
        problem.loss, problem.start(), jac=True, method="L-BFGS-B", options=OPTIONS
    )
    if not float(np.abs(found.jac).max()) < FLAT:
        raise RatifyError(
            "the chance of being treated cannot be estimated: its logit does not converge",
            column="treatment",
        )
    return np.asarray(expit(ridge.design.own(problem.linear(*problem.unfolded(found.x)))))


@dataclass(frozen=True)
class _Logits:
    """One logit per fold, of the units outside it.

    Attributes
    ----------
    z, arm : array of shape (n, p), (n,)
    weights : array of shape (n, folds)
        Of each unit in the loss of each fold.
    bases : list of Basis
    means : array of shape (p, folds)
        Of the covariates outside each fold.
    spread, penalties : array of shape (folds,)
        Variance of the arm outside each fold; penalty of half the sum of squared slopes.
    """

    z: FloatArray
    arm: FloatArray
    weights: FloatArray
    bases: list[Basis]
    means: FloatArray
    spread: FloatArray
    penalties: FloatArray

    @classmethod
    def of(cls, ridge: Ridge, arm: FloatArray) -> _Logits:
        design = ridge.design
        bases = [ridge.basis(fold) for fold in range(design.folds)]
        weights = design.outside * ridge.weights[:, None]
        weights /= weights.sum(axis=0)
        share = arm @ weights
        spread = share * (1 - share)
        if not (spread > 0).all():
            raise RatifyError(
                f"outside part {int(spread.argmin()) + 1} of {design.folds} of the users, one arm "
                "is empty, so nobody's chance of being treated can be told from other users",
                column="user",
                allowed="treated and control units of several users each",
            )
        return cls(
            z=design.z,
            arm=arm,
            weights=weights,
            bases=bases,
            means=np.column_stack([basis.mean for basis in bases]),
            spread=spread,
            penalties=ridge.fit(arm).penalties * spread,
        )

    def start(self) -> FloatArray:
        """Return the parameters of models without covariates."""
        share = self.arm @ self.weights
        first = np.log(share / (1 - share)) * np.sqrt(self.spread)
        return np.vstack([first, np.zeros_like(self.means)]).ravel()

    def unfolded(self, flat: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return intercepts at the covariates' means, and slopes of shape (p, folds)."""
        given = flat.reshape(len(self.means) + 1, len(self.bases))
        slopes = [
            basis.vectors @ (self._scale(at) * given[1:, at]) for at, basis in enumerate(self.bases)
        ]
        return given[0] / np.sqrt(self.spread), np.column_stack(slopes)

    def linear(self, intercepts: FloatArray, slopes: FloatArray) -> FloatArray:
        """Return the log-odds of each unit in each model, shape (n, folds)."""
        found = self.z @ slopes
        found += intercepts - (self.means * slopes).sum(axis=0)
        return found

    def loss(self, flat: FloatArray) -> tuple[float, FloatArray]:
        """Return the sum of the penalised losses, and its slope in the parameters."""
        intercepts, slopes = self.unfolded(flat)
        linear = self.linear(intercepts, slopes)
        arm = self.arm[:, None]
        value = float((self.weights * (np.logaddexp(0, linear) - arm * linear)).sum())
        value += 0.5 * float((self.penalties * slopes**2).sum())
        rest = self.weights * (expit(linear) - arm)
        total = rest.sum(axis=0)
        slope = self.z.T @ rest - self.means * total + self.penalties * slopes
        turned = [
            self._scale(at) * (basis.vectors.T @ slope[:, at])
            for at, basis in enumerate(self.bases)
        ]
        return value, np.vstack([total / np.sqrt(self.spread), np.column_stack(turned)]).ravel()

    def _scale(self, at: int) -> FloatArray:
        """Return the size of a step in each direction that the first step of Newton would take."""
        curvature = self.spread[at] * self.bases[at].values + self.penalties[at]
        return np.asarray(1 / np.sqrt(curvature))
