"""Intervals that hold at every look: a lab may look after every batch of labels, and stop.

They are asymptotic confidence sequences: from the normal mixture of Robbins (1970), for estimates
that are asymptotically normal, as in Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024),
"Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 52.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.special import lambertw
from scipy.stats import norm
from scipy.stats import t as student

from analysis.causal.clustered import Estimate
from prereg.errors import RatifyError


def reach(share: float, level: float = 0.95) -> float:
    """Return how many standard errors an interval reaches that holds at every look.

    Parameters
    ----------
    share : float
        Labels so far over the labels at which the interval is to be narrowest, above 0.
    level : float
        The chance that it holds the truth at all looks.

    Notes
    -----
    With t labels and a = 1 - level, sqrt((1 + 1 / (t r)) log((t r + 1) / a^2)) standard errors
    (Waudby-Smith et al., their theorem 2.2, in units of the standard error). The tuning parameter r
    that makes it narrowest at the planned number of labels T is (-W(-a^2 / e) - 1) / T, with W the
    lower branch of Lambert's function. It must be fixed before the labels come.
    """
    alpha = 1 - level
    intrinsic = share * (-float(lambertw(-(alpha**2) / math.e, -1).real) - 1)
    return float(np.sqrt((1 + 1 / intrinsic) * np.log((intrinsic + 1) / alpha**2)))


def cost(share: float, level: float = 0.95) -> float:
    """Return how many times as wide as an interval for one look at a number fixed beforehand."""
    return reach(share, level) / float(norm.ppf((1 + level) / 2))


def at_every_look(estimate: Estimate, *, labels: int, planned: int) -> Estimate:
    """Return an estimate with an interval that holds at this and every other look.

    Parameters
    ----------
    estimate : Estimate
        From the labels so far: an effect, or any other mean of influence values.
    labels : int
        Labels so far.
    planned : int
        The number of labels at which the interval is to be narrowest, such as the plan's. Fixed
        before the labels come. More labels may follow.

    Returns
    -------
    Estimate
        With the same value, standard error, level and influence.

    Raises
    ------
    RatifyError
        If there is no label or none is planned.

    Notes
    -----
    As many standard errors as the t distribution with the estimate's degrees of freedom needs for
    the tail that `reach` leaves of the normal one.
    The labels must come in random order, each batch from all strata, so that each look has a
    probability sample. The estimate's error is that of its labels; the part that the units of the
    frame cause does not shrink with them, which makes the interval a little too wide.
    """
    if labels < 1 or planned < 1:
        raise RatifyError(
            "intervals for every look need labels",
            column="causal.labels",
            value=min(labels, planned),
            allowed="1 or more",
        )
    far = reach(labels / planned, estimate.level)
    if np.isfinite(estimate.df):
        far = -float(student.ppf(norm.cdf(-far), estimate.df))
    half = far * estimate.se
    return replace(estimate, low=estimate.value - half, high=estimate.value + half)
