"""Proves the headline's estimator on the study's own covariates, before its number is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from analysis.arrays import FloatArray
from analysis.causal import nuisances
from analysis.causal.arms import arms_of
from analysis.causal.balancing import balancing_chances
from analysis.causal.clustered import Estimate
from analysis.causal.correction.estimates import judge_side
from analysis.causal.planted import Estimator
from analysis.causal.proof import Proof, prove
from analysis.causal.units import Cuts, Frame
from analysis.estimating.reading import Inputs

# The estimator takes seconds on more units than this, and is tried twenty times.
MOST_UNITS = 20_000
# A placebo with no more values than this is a treatment as it is.
_TWO = 2


def proof_of(inputs: Inputs, told: Callable[[int, int], None] | None = None) -> Proof:
    """Return whether the headline's estimator holds on the judge's arms.

    Parameters
    ----------
    inputs : Inputs
    told : callable, optional
        Called with the number of data sets with a planted effect that are done, and their number.

    Raises
    ------
    RatifyError
        If an arm is too small.

    Notes
    -----
    The planted effect is looked for with the headline's own nuisance models of the judge's scores,
    without labels. The data are made by models of the same covariates. The treatment's is a logit
    with hardly any penalty, which leaves the planted data at least as confounded as the study's;
    its overlap weights are those of the balance table.
    """
    causal, frame, cuts = inputs.causal, inputs.frame, inputs.cuts
    arms = arms_of(
        frame,
        cuts,
        treatment=frame.treatment,
        outcome=frame.outcome,
        folds=causal.estimators.folds,
        rng=inputs.evidence.rng("causal:proof"),
    )
    expected = nuisances.predictions(arms, "ridge", inputs.evidence.rng("causal:proof:models"))
    estimator = headline_estimator(cuts, causal.estimators.folds)
    return prove(
        frame,
        cuts.arms(frame.treatment),
        frame.outcome,
        estimator,
        propensity=balancing_chances(frame.covariates, cuts.arms(frame.treatment)),
        baseline=arms.in_frame(expected.control),
        rng=inputs.evidence.rng("causal:planted"),
        groups=inputs.confounders.groups,
        placebo=_null(inputs, causal.placebo, estimator, is_treatment=True),
        negative_control=_null(inputs, causal.negative_control, estimator, is_treatment=False),
        most_units=MOST_UNITS,
        told=told,
    )


def headline_estimator(cuts: Cuts, folds: int) -> Estimator:
    """Return the headline's estimator of an effect from arms and outcomes that are known of all."""

    def estimate(
        frame: Frame, arms: FloatArray, outcome: FloatArray, rng: np.random.Generator
    ) -> Estimate:
        middle = (cuts.treated + cuts.control) / 2
        scores = np.where(np.isnan(arms), middle, np.where(arms == 1, cuts.treated, cuts.control))
        given = replace(frame, treatment=scores, outcome=outcome)
        return judge_side(given, cuts, rng, folds=folds).naive()

    return estimate


def _null(
    inputs: Inputs, column: str | None, estimator: Estimator, *, is_treatment: bool
) -> Estimate | None:
    """Return the estimate of an effect that must be nothing; None if the plan names no column.

    The reader of the frame has checked that the column holds numbers that differ.
    """
    if column is None:
        return None
    read = inputs.sample.frame
    cells = [read.table.number(at + 2, column) for at in read.rows]
    values = np.array(cells, dtype=np.float64)
    frame = inputs.frame
    arms = _placebo_arms(values) if is_treatment else inputs.cuts.arms(frame.treatment)
    outcome = frame.outcome if is_treatment else values
    return estimator(frame, arms, outcome, inputs.evidence.rng(f"causal:null:{column}"))


def _placebo_arms(values: FloatArray) -> FloatArray:
    """Return the arms of a placebo: its two values, or above and below its median."""
    few = len(np.unique(values)) <= _TWO
    above = values > (values.min() if few else np.median(values))
    return np.where(above, 1.0, 0.0)
