"""Examines the judge on the labels: three estimates, what the judge's is made of, and the gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.arrays import FloatArray
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.confounding import EValue, Robustness, e_value_of, robustness
from analysis.causal.correction.checks import difference_sentence
from analysis.causal.correction.decomposition import Decomposition, decomposition
from analysis.causal.correction.estimates import (
    JudgeSide,
    ThreeEstimates,
    judge_side,
    people_score,
    three_estimates,
)
from analysis.causal.correction.raters import AtRaters, by_raters
from analysis.causal.rooms.asking import Names
from analysis.causal.rooms.gate import Gate, three_rooms
from analysis.causal.rooms.quantity import at_looks
from analysis.causal.rooms.sampled import Ratings
from analysis.causal.rooms.thresholds import Thresholds
from analysis.causal.sequential import at_every_look
from analysis.estimating.reading import OUTCOME, TREATMENT, Inputs
from prereg.errors import RatifyError

# The names of streams of random numbers.
FOLDS = "causal:folds"


@dataclass(frozen=True)
class Examined:
    """What the labels say of the judge and of the effect.

    Attributes
    ----------
    side : JudgeSide
    three : ThreeEstimates
    parts : Decomposition
    raters : tuple of AtRaters
        The corrected effect with 1, 2, ... raters for each score.
    gate : Gate
    confounding : EValue
        Of the corrected effect.
    robustness : Robustness
    strange : str
        A sentence, if the labelled units differ from their frame.
    looks : str
        What intervals that hold at every look cost; empty without them.
    """

    side: JudgeSide = field(repr=False)
    three: ThreeEstimates
    parts: Decomposition
    raters: tuple[AtRaters, ...]
    gate: Gate
    confounding: EValue
    robustness: Robustness
    strange: str
    looks: str


def examine(inputs: Inputs) -> Examined:
    """Return what the labels say.

    Raises
    ------
    RatifyError
        If an arm is empty, a stratum has no labels, or the users cannot be split into folds.
    """
    causal, frame, labels, cuts = inputs.causal, inputs.frame, inputs.labels, inputs.cuts
    folds = causal.estimators.folds
    three = three_estimates(frame, labels, cuts, inputs.evidence.rng(FOLDS), folds=folds)
    # the same users in the same folds
    side = judge_side(frame, cuts, inputs.evidence.rng(FOLDS), folds=folds, labels=labels)
    parts, raters = decomposition(side, labels), _by_raters(inputs, side)
    contrast, planned = parts.error_part, causal.labels.stratified + causal.labels.random
    looks = ""
    if causal.sequential:
        plain = three.corrected

        def wider(one: Estimate) -> Estimate:
            return at_every_look(one, labels=three.labels, planned=planned)

        raters = [replace(one, corrected=wider(one.corrected)) for one in raters]
        parts = _parts_at_looks(parts, wider)
        three = replace(three, people=wider(three.people), corrected=wider(three.corrected))
        looks = (
            "The plan allows looks before the end, so all intervals that come from labels hold at "
            f"all looks together; that makes the corrected one "
            f"{three.corrected.width / plain.width:.2f} times as wide as at a single look. The "
            "error correlation at which the judge's own effect is all error has no such interval, "
            "so it is given without one."
        )
    return Examined(
        side=side,
        three=three,
        parts=parts,
        raters=tuple(raters),
        gate=_gate(inputs, contrast, planned),
        confounding=e_value_of(three.corrected, _spread(inputs)),
        robustness=_robustness(side, three.corrected, inputs),
        strange=difference_sentence(frame, labels),
        looks=looks,
    )


def _parts_at_looks(parts: Decomposition, wider: Callable[[Estimate], Estimate]) -> Decomposition:
    """Return the parts of the judge's effect with intervals that hold at every look."""
    return replace(
        parts,
        slope=wider(parts.slope),
        contrast=wider(parts.contrast),
        people_part=wider(parts.people_part),
        error_part=wider(parts.error_part),
        halo=wider(parts.halo),
        tipping=replace(parts.tipping, low=np.nan, high=np.nan),
    )


def _by_raters(inputs: Inputs, side: JudgeSide) -> list[AtRaters]:
    """Return the effect by the number of raters; none if some choice of them has an empty arm."""
    try:
        return by_raters(
            side,
            *_ratings(inputs),
            inputs.labels.inclusion,
            inputs.labels.stratum,
            aggregate=inputs.causal.labels.aggregate,
        )
    except RatifyError:
        return []


def _ratings(inputs: Inputs) -> tuple[FloatArray, FloatArray]:
    """Return the single ratings that the labels were made of, of each score."""
    labelled, kept = inputs.labels.labelled[:, None], inputs.causal.labels.raters
    treatment, outcome = (
        np.where(labelled, inputs.ratings[name][:, :kept], np.nan) for name in (TREATMENT, OUTCOME)
    )
    return treatment, outcome


def _gate(inputs: Inputs, contrast: Estimate, planned: int) -> Gate:
    causal = inputs.causal
    labels = int(inputs.labels.labelled.sum())
    return three_rooms(
        inputs.frame,
        inputs.labels,
        Ratings(*_ratings(inputs), aggregate=causal.labels.aggregate),
        contrast,
        cuts=inputs.cuts,
        thresholds=Thresholds(**causal.gate.model_dump()),
        names=Names(causal.treatment.scale, causal.outcome.scale),
        maker=at_looks(labels, planned) if causal.sequential else from_influence,
    )


def _spread(inputs: Inputs) -> float:
    """Return the standard deviation of people's outcome over the frame, from the labels."""
    weights, known = inputs.labels.weights, inputs.labels.labelled
    values, weight = inputs.labels.outcome[known], weights[known]
    mean = np.average(values, weights=weight)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))


def _robustness(side: JudgeSide, corrected: Estimate, inputs: Inputs) -> Robustness:
    """Return the robustness value of the corrected effect, from the residuals of people's labels.

    The score has their product and the square of the treatment's, which is all that is needed: the
    sign of a residual of the treatment is lost, and changes both alike.
    """
    score = people_score(side, inputs.labels, start=side.nuisances)
    known = inputs.labels.labelled & (score.denominator > 0)
    treatment = np.sqrt(score.denominator[known])
    outcome = score.numerator[known] / treatment
    return robustness(corrected, treatment, outcome, weights=inputs.labels.weights[known])
