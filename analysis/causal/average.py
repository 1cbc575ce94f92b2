"""Average effects by augmented inverse probability weighting: on the treated, and on all units."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.causal.arms import Arms
from analysis.causal.nuisances import CLIP, Predictions
from analysis.causal.rows import ATE, ATT, Row, effective

METHOD = "AIPW"
# The effect on all units is not given where a larger share of them is trimmed.
MOST_TRIMMED = 0.05


def att(
    arms: Arms, expected: Predictions, *, trim: float, level: float = 0.95, method: str = METHOD
) -> Row:
    """Return the effect on the treated.

    Parameters
    ----------
    arms : Arms
    expected : Predictions
    trim : float
        Units whose chance of treatment is above 1 - trim are left out: no control is like them.
    level : float
    method : str
        Its name in the table.

    Notes
    -----
    The score is that of Hahn (1998). A control counts with chance / (1 - chance).
    """
    kept = expected.chance <= 1 - trim
    rows = np.flatnonzero(kept)
    arm, odds, clipped = _odds(arms, expected, rows)
    left = arms.outcome[rows] - expected.control[rows]
    score = arm * left - (1 - arm) * odds * left
    if not 0 < arm.sum() < len(arm):
        return _refused(arms, kept, ATT, method, "no unit of one arm is left after trimming")
    share = float(arm.mean())
    value = float(score.mean()) / share
    influence = (score - arm * value) / share
    return Row(
        estimand=ATT,
        method=method,
        estimate=arms.estimate(value, influence, rows, level=level),
        treated=int(arm.sum()),
        controls=int((1 - arm).sum()),
        trimmed=int((~kept).sum()),
        clipped=clipped,
        effective=effective(np.where(arm == 1, 1.0, odds), arm),
        note=_note(arms, kept, f"a chance of treatment above {1 - trim:g}"),
    )


def ate(
    arms: Arms, expected: Predictions, *, trim: float, level: float = 0.95, method: str = METHOD
) -> Row:
    """Return the effect on all units of both arms, or why it is not given.

    Parameters
    ----------
    arms : Arms
    expected : Predictions
    trim : float
        Units whose chance of treatment is below trim or above 1 - trim are left out.
    level : float
    method : str

    Notes
    -----
    The score is that of Robins, Rotnitzky and Zhao (1994). With 5% or more of the units trimmed
    it would no longer be an effect on all units, and its interval would be too short: then there is
    no estimate.
    """
    kept, reason = within(expected, trim)
    if reason:
        return _refused(arms, kept, ATE, method, reason)
    rows = np.flatnonzero(kept)
    chance = expected.clipped_chance[rows]
    arm = arms.arm[rows]
    score = scores(arms, expected)[rows]
    value = float(score.mean())
    return Row(
        estimand=ATE,
        method=method,
        estimate=arms.estimate(value, score - value, rows, level=level),
        treated=int(arm.sum()),
        controls=int((1 - arm).sum()),
        trimmed=int((~kept).sum()),
        clipped=int(expected.clipped[rows].sum()),
        effective=effective(np.where(arm == 1, 1 / chance, 1 / (1 - chance)), arm),
        note=_note(arms, kept, f"a chance of treatment below {trim:g} or above {1 - trim:g}"),
    )


def within(expected: Predictions, trim: float) -> tuple[BoolArray, str]:
    """Return which units have a chance within the trim, and why there is no ATE, or nothing."""
    kept = np.asarray((expected.chance >= trim) & (expected.chance <= 1 - trim))
    share = float(1 - kept.mean())
    if share < MOST_TRIMMED:
        return kept, ""
    return kept, (
        f"not given: {share:.1%} of the units have a chance of treatment below {trim:g} or above "
        f"{1 - trim:g} (limit: {MOST_TRIMMED:.0%})"
    )


def scores(arms: Arms, expected: Predictions) -> FloatArray:
    """Return each unit's own score of its effect, which is right on average; shape (n,).

    Chances are clipped at .01 and .99.
    """
    chance = expected.clipped_chance
    above = arms.arm * (arms.outcome - expected.treated) / chance
    below = (1 - arms.arm) * (arms.outcome - expected.control) / (1 - chance)
    return expected.treated - expected.control + above - below


def _odds(arms: Arms, expected: Predictions, rows: IntArray) -> tuple[FloatArray, FloatArray, int]:
    """Return arms and odds of treatment of some units, and how many chances were clipped."""
    chance = np.minimum(expected.chance[rows], 1 - CLIP)
    clipped = int((expected.chance[rows] > 1 - CLIP).sum())
    return arms.arm[rows], chance / (1 - chance), clipped


def _refused(arms: Arms, kept: BoolArray, estimand: str, method: str, reason: str) -> Row:
    """Return a row without an estimate."""
    return Row(
        estimand=estimand,
        method=method,
        estimate=None,
        treated=int(arms.arm[kept].sum()),
        controls=int((1 - arms.arm[kept]).sum()),
        trimmed=int((~kept).sum()),
        effective=(0.0, 0.0),
        note=reason,
    )


def _note(arms: Arms, kept: BoolArray, why: str) -> str:
    """Say how many units of each arm were trimmed, if any."""
    treated = int(arms.arm[~kept].sum())
    controls = int((~kept).sum()) - treated
    if treated + controls == 0:
        return ""
    return f"{treated:,} treated and {controls:,} controls left out: {why}"
