"""The headline: the overlap-weighted effect, residual on residual with a constant."""

from __future__ import annotations

import numpy as np

from analysis.causal.arms import Arms
from analysis.causal.nuisances import Predictions
from analysis.causal.rows import OVERLAP, Row, effective
from prereg.errors import RatifyError

METHOD = "residual on residual"


def overlap_effect(arms: Arms, expected: Predictions, *, level: float = 0.95) -> Row:
    """Return the effect among units weighted by how easily they could be in either arm.

    Parameters
    ----------
    arms : Arms
    expected : Predictions
    level : float

    Raises
    ------
    RatifyError
        If the covariates determine the arm of every unit.

    Notes
    -----
    The outcome less what is expected of it is regressed on the treatment less its chance, with a
    constant (Robinson 1988; cross-fitted as in Chernozhukov et al. 2018). Where effects differ, a
    unit counts with chance x (1 - chance), so units that are sure to be in one arm hardly count,
    nothing is divided by a small number, and nothing needs trimming (Li, Morgan and Zaslavsky
    2018). The constant takes up what nuisances that shrink leave in the mean.
    """
    taken = arms.arm - expected.chance
    left = arms.outcome - expected.outcome
    taken = taken - taken.mean()
    spread = float((taken**2).mean())
    if not spread > 1e-12:
        raise RatifyError(
            "the covariates determine the arm of every unit: treated and controls do not overlap",
            column="causal.confounders",
        )
    value = float((taken * left).mean()) / spread
    influence = taken * (left - left.mean() - value * taken) / spread
    weights = np.where(arms.arm == 1, 1 - expected.chance, expected.chance)
    return Row(
        estimand=OVERLAP,
        method=METHOD,
        estimate=arms.estimate(value, influence, np.arange(len(arms)), level=level),
        treated=int(arms.arm.sum()),
        controls=int((1 - arms.arm).sum()),
        effective=effective(weights, arms.arm),
    )
