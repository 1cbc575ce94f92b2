"""Two further learners of effects, the R-learner and the X-learner, and their averages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.causal.arms import Arms
from analysis.causal.average import att
from analysis.causal.cate import Effects
from analysis.causal.nuisances import Predictions
from analysis.causal.ridge import Ridge
from analysis.causal.rows import Row


def r_learner(arms: Arms, expected: Predictions) -> Effects:
    """Return the effects that an R-learner predicts (Nie and Wager 2021).

    The outcome less what is expected of it is regressed by cross-fitted ridge on the treatment
    less its chance, times the covariates.
    """
    taken = arms.arm - expected.clipped_chance
    ridge = Ridge(arms.design, taken**2)
    found = ridge.fit((arms.outcome - expected.outcome) / taken).predict(arms.design)
    return Effects("R-learner", found, int(expected.clipped.sum()))


def x_learner(arms: Arms, expected: Predictions) -> Effects:
    """Return the effects that an X-learner predicts (Kunzel et al. 2019).

    In each arm, the outcome is compared with what is expected in the other; both differences are
    regressed on the covariates by cross-fitted ridge and mixed by the chance of treatment.
    """
    of_treated = arms.treated.fit(arms.outcome - expected.control).predict(arms.design)
    of_controls = arms.controls.fit(expected.treated - arms.outcome).predict(arms.design)
    found = expected.chance * of_controls + (1 - expected.chance) * of_treated
    return Effects("X-learner", found)


def averaged(
    arms: Arms, expected: Predictions, effects: Effects, *, trim: float, level: float = 0.95
) -> Row:
    """Return the effect on the treated with outcome models that a learner implies.

    A mean of predicted effects has no honest interval, because ridge shrinks them. So the
    predictions take the place of the outcome models in the score of the effect on the treated: the
    outcome of a control is what is expected of the unit, less chance x effect.

    Parameters
    ----------
    arms : Arms
    expected : Predictions
    effects : Effects
    trim, level : float
        As in `average.att`.
    """
    control = expected.outcome - expected.chance * effects.effect
    implied = replace(expected, control=control, treated=control + effects.effect)
    row = att(arms, implied, trim=trim, level=level, method=effects.learner)
    plain = float(effects.effect[np.flatnonzero(arms.arm == 1)].mean())
    said = f"mean of the predicted effects of all treated, uncorrected: {plain:.3f}"
    return replace(row, note="; ".join(filter(None, [row.note, said])))
