"""Average effects by targeted maximum likelihood, which moves predictions until they fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from analysis.arrays import FloatArray
from analysis.causal.arms import Arms
from analysis.causal.average import ate, att
from analysis.causal.nuisances import CLIP, Predictions
from analysis.causal.rows import Row

METHOD = "TMLE"
# Predicted outcomes stay this share of the observed range away from its ends.
EDGE = 0.005


def tmle_att(arms: Arms, expected: Predictions, *, trim: float, level: float = 0.95) -> Row:
    """Return the effect on the treated by TMLE (van der Laan and Rose 2011).

    Parameters
    ----------
    arms : Arms
    expected : Predictions
    trim, level : float
        As in `average.att`.

    Notes
    -----
    What is expected of controls is moved by one constant on the log-odds scale of the observed
    range, until the controls, weighted to be like the treated, have the mean that is expected of
    them. Then the correction that AIPW adds is 0, and no prediction leaves the range.
    """
    kept = expected.chance <= 1 - trim
    odds = 1 / (1 - np.minimum(expected.chance, 1 - CLIP)) - 1
    control, outside = _moved(arms.outcome, expected.control, kept * (1 - arms.arm) * odds)
    moved = replace(expected, control=control)
    return _said(att(arms, moved, trim=trim, level=level, method=METHOD), outside)


def tmle_ate(arms: Arms, expected: Predictions, *, trim: float, level: float = 0.95) -> Row:
    """Return the effect on all units by TMLE, or why it is not given; see `tmle_att`."""
    kept = (expected.chance >= trim) & (expected.chance <= 1 - trim)
    chance = expected.clipped_chance
    weights = (kept * arms.arm / chance, kept * (1 - arms.arm) / (1 - chance))
    treated, above = _moved(arms.outcome, expected.treated, weights[0])
    control, below = _moved(arms.outcome, expected.control, weights[1])
    moved = replace(expected, treated=treated, control=control)
    return _said(ate(arms, moved, trim=trim, level=level, method=METHOD), above + below)


def _moved(
    outcome: FloatArray, predicted: FloatArray, weights: FloatArray
) -> tuple[FloatArray, int]:
    """Return predictions that fit on weighted average, and how many were outside the range."""
    if not weights.any():
        return predicted, 0
    low, high = float(outcome.min()), float(outcome.max())
    share = (predicted - low) / (high - low)
    start = logit(np.clip(share, EDGE, 1 - EDGE))
    wanted = float(weights @ np.clip((outcome - low) / (high - low), 1e-9, 1 - 1e-9))

    def missed(by: float) -> float:
        return wanted - float(weights @ expit(start + by))

    by = float(brentq(missed, -50.0, 50.0, xtol=1e-13))
    outside = int(((share < EDGE) | (share > 1 - EDGE)).sum())
    return low + (high - low) * expit(start + by), outside


def _said(row: Row, outside: int) -> Row:
    """Add to the note how many predictions were moved into the range of the outcome."""
    if not outside or row.estimate is None:
        return row
    said = f"{outside:,} predicted outcomes moved into the observed range"
    return replace(row, note="; ".join(filter(None, [row.note, said])))
