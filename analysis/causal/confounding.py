"""Confounding that nobody measured: how strong it would have to be to explain an estimate away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.arrays import FloatArray
from analysis.causal.clustered import Estimate
from prereg.errors import RatifyError

# A standardised mean difference as the logarithm of a risk ratio.
_PER_SD = 0.91


@dataclass(frozen=True)
class EValue:
    """The E-values of an estimate and of the end of its interval that is nearer to no effect.

    Attributes
    ----------
    value, near : float
        Risk ratios, at least 1. An unmeasured confounder that is associated with both the
        treatment and the outcome by less than `value` cannot make the estimate from nothing, and
        by less than `near` cannot make the interval include no effect. `near` is 1 if it includes
        it anyway. NaN where there is no estimate or no interval.
    difference : float
        The estimate in standard deviations of the outcome.
    """

    value: float
    near: float
    difference: float


def e_value(difference: float, low: float, high: float, *, truth: float = 0.0) -> EValue:
    """Return the E-values of a standardised mean difference and of its interval.

    Parameters
    ----------
    difference, low, high : float
        The estimate and its interval, in standard deviations of the outcome.
    truth : float
        The difference that the confounder would have to bring the estimate to.

    Raises
    ------
    RatifyError
        If the estimate is not within its interval.

    Notes
    -----
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274. The difference d stands
    for the risk ratio exp(0.91 d), an approximation which holds best where the outcome is about
    normal and not rare. The end of the interval is treated like the estimate; they take 1.78
    standard errors there, which is 0.91 x 1.96.
    """
    ends = (low, high)
    if not any(map(math.isnan, (difference, *ends))) and not low <= difference <= high:
        raise RatifyError(
            "the estimate is not within its interval",
            column="difference",
            value=difference,
            allowed=f"{low:g} to {high:g}",
        )
    near = low if difference >= truth else high
    crossed = low <= truth <= high
    return EValue(
        _needed(difference - truth), 1.0 if crossed else _needed(near - truth), difference
    )


def e_value_of(estimate: Estimate, sd: float) -> EValue:
    """Return the E-values of an estimate in points of an outcome with this standard deviation.

    Parameters
    ----------
    estimate : Estimate
    sd : float
        Of the outcome, above 0.
    """
    if not sd > 0:
        raise RatifyError(
            "the outcome does not vary", column="causal.outcome", value=sd, allowed="above 0"
        )
    return e_value(estimate.value / sd, estimate.low / sd, estimate.high / sd)


def _needed(difference: float) -> float:
    ratio = math.exp(_PER_SD * abs(difference))
    return ratio + math.sqrt(ratio * (ratio - 1))


@dataclass(frozen=True)
class Robustness:
    """How much an unmeasured confounder would have to explain.

    Attributes
    ----------
    value : float
        The robustness value, 0 to 1: a confounder that explains this share of the variance that
        the covariates leave, of the treatment and of the outcome, brings the estimate to 0. One
        that explains less of both cannot.
    near : float
        The same for the end of the interval that is nearer to 0; 0 if the interval includes 0.
    partial_r2 : float
        The share of the outcome's remaining variance that the treatment explains. A confounder
        that explains all of the remaining outcome would need this share of the treatment.
    """

    value: float
    near: float
    partial_r2: float


def robustness(
    estimate: Estimate,
    treatment_left: FloatArray,
    outcome_left: FloatArray,
    weights: FloatArray | None = None,
) -> Robustness:
    """Return the robustness value of a partially linear estimate (residual on residual).

    Parameters
    ----------
    estimate : Estimate
        Its interval may be clustered.
    treatment_left, outcome_left : array of shape (n,)
        Treatment and outcome minus what the covariates say of them. Both have a mean near 0; a
        unit for which both have the other sign counts the same.
    weights : array of shape (n,), optional
        Inverse inclusion probabilities, if the units are a sample.

    Notes
    -----
    Cinelli and Hazlett (2020), Journal of the Royal Statistical Society B 82, 39-67. A confounder's
    bias depends on the shares of variance alone, not on the standard error: so f = |estimate| x
    sd(treatment left) / sd(outcome left beyond the estimate), whatever the errors are clustered by.
    For the near end, the bias need only reach as far as that end is from 0. The width of the
    interval is taken as it is; their own version for ordinary least squares also counts how the
    confounder would change the standard error.
    """
    weight = np.ones(len(treatment_left)) if weights is None else weights
    rest = outcome_left - estimate.value * treatment_left
    below = float(weight @ rest**2)
    size = math.sqrt(float(weight @ treatment_left**2) / below) if below > 0 else math.inf
    strength = abs(estimate.value) * size
    near = min(abs(estimate.low), abs(estimate.high)) * size
    if estimate.low <= 0 <= estimate.high:
        near = 0.0
    return Robustness(_share(strength), _share(near), strength**2 / (1 + strength**2))


def _share(strength: float) -> float:
    """Return the share r of both variances with r / sqrt(1 - r) = strength."""
    if math.isinf(strength):
        return 1.0
    squared = strength**2
    return (math.sqrt(squared**2 + 4 * squared) - squared) / 2
