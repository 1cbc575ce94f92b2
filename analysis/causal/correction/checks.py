"""What labels and a frame must have before an effect is estimated from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from analysis.arrays import FloatArray
from analysis.causal.units import CONTROL, TREATED, Cuts, Frame, Labels
from prereg.errors import RatifyError

INCLUSION = "inclusion_probability"
# A standardised difference beyond this is said, if it is also beyond chance.
NOTABLE = 0.1


def check_frame(frame: Frame, cuts: Cuts) -> None:
    """Refuse a frame from which the judge's own effect cannot be estimated.

    Raises
    ------
    RatifyError
        If a covariate or a score of the judge is missing, or the judge leaves an arm empty.
    """
    for name, values in zip(frame.names, frame.covariates.T, strict=True):
        _refuse_missing(frame, name, values)
    _refuse_missing(frame, "the judge's treatment", frame.treatment)
    _refuse_missing(frame, "the judge's outcome", frame.outcome)
    _refuse_empty(cuts.arms(frame.treatment), cuts, "the judge")


def check_labels(frame: Frame, labels: Labels, cuts: Cuts) -> None:
    """Refuse labels that are not a probability sample of the frame, or leave an arm empty.

    Raises
    ------
    RatifyError
        If there is not one inclusion probability above 0 and at most 1 for each unit, a stratum
        has no label, or people leave an arm empty.
    """
    if len(labels.inclusion) != len(frame):
        raise RatifyError(
            f"there are inclusion probabilities of {len(labels.inclusion)} units, but the frame "
            f"has {len(frame)}",
            column=INCLUSION,
            allowed="one for each unit of the frame, labelled or not",
        )
    wrong = ~((labels.inclusion > 0) & (labels.inclusion <= 1))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        value = float(labels.inclusion[first])
        missing = bool(np.isnan(value))
        raise RatifyError(
            f"unit {frame.unit[first]} has no inclusion probability"
            if missing
            else f"the inclusion probability of unit {frame.unit[first]} is not a probability of "
            "being labelled",
            column=INCLUSION,
            value=None if missing else value,
            allowed="above 0, at most 1",
        )
    units = np.bincount(labels.stratum)
    labelled = np.bincount(labels.stratum[labels.labelled], minlength=len(units))
    empty = np.flatnonzero((units > 0) & (labelled == 0))
    if len(empty):
        raise RatifyError(
            f"stratum {empty[0]} has {units[empty[0]]} units and no label, so nothing is known of "
            "what people would say there",
            column="stratum",
            value=int(empty[0]),
            allowed="a label on both scores in every stratum",
        )
    _refuse_empty(cuts.arms(labels.treatment[labels.labelled]), cuts, "people")


def _refuse_missing(frame: Frame, name: str, values: FloatArray) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        raise RatifyError(
            f"unit {frame.unit[int(np.flatnonzero(bad)[0])]} has no value",
            column=name,
            allowed="a number for every unit of the frame",
        )


def _refuse_empty(arm: FloatArray, cuts: Cuts, who: str) -> None:
    for value, words in (
        (TREATED, f"at least {cuts.treated:g}"),
        (CONTROL, f"at most {cuts.control:g}"),
    ):
        if not (arm == value).any():
            raise RatifyError(
                f"{who} gave no unit a score of {words}, so one arm is empty",
                column="causal.treatment",
                allowed="units in both arms",
            )


@dataclass(frozen=True)
class FrameDifference:
    """How far the labelled units' weighted mean of one covariate is from the frame's.

    Attributes
    ----------
    name : str
    difference : float
        In standard deviations of the frame.
    se : float
        What a sample with these probabilities would miss by chance, in the same unit.
    """

    name: str
    difference: float
    se: float


def frame_differences(frame: Frame, labels: Labels) -> list[FrameDifference]:
    """Return the weighted standardised difference of every covariate that varies.

    Its error is that of a sample with these probabilities from all units, whose values are known:
    where a sample has missed the few units of a level, its own values would say that none vary.
    """
    weights, n = labels.weights, len(frame)
    missing = (1 - labels.inclusion) / labels.inclusion
    found = []
    for name, values in zip(frame.names, frame.covariates.T, strict=True):
        spread = float(values.std())
        if spread < 1e-12:
            continue
        z = (values - values.mean()) / spread
        difference = float(weights @ z / weights.sum())
        error = float(np.sqrt((missing * z**2).sum())) / n
        found.append(FrameDifference(name, difference, error))
    return found


def difference_sentence(frame: Frame, labels: Labels, *, level: float = 0.95) -> str:
    """Return a sentence on labelled units that differ from their frame; empty if they do not.

    Parameters
    ----------
    frame : Frame
    labels : Labels
    level : float
        One minus the chance that a sample as promised is accused, over all covariates together
        (Bonferroni); the difference must also exceed a tenth of a standard deviation.
    """
    differences = frame_differences(frame, labels)
    beyond = float(norm.ppf(1 - (1 - level) / 2 / max(len(differences), 1)))
    far = [one for one in differences if abs(one.difference) > max(NOTABLE, beyond * one.se)]
    if not far:
        return ""
    worst = max(far, key=lambda one: abs(one.difference))
    count = "1 covariate" if len(far) == 1 else f"{len(far)} covariates"
    return (
        f"The labelled units differ from their frame in {count}, although their inclusion "
        f"probabilities are taken into account, most in {worst.name} (by {worst.difference:.2f} "
        "standard deviations): they may not be the sample that was drawn, so the corrected "
        "estimate may not hold for the frame."
    )
