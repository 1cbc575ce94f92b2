"""The probability sample of units that people label: by strata, and purely at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prereg.design.allocation import IntArray, neyman
from prereg.design.label_strata import FloatArray, Strata
from prereg.errors import RatifyError
from prereg.plan.causal import ARMS, LabelPlan
from prereg.streams import Stream, stream

# The words of the column `sampled_for`.
ESTIMATE, GATE, BOTH = "estimate", "gate", "both"
SAMPLED_FOR = (ESTIMATE, GATE, BOTH)


@dataclass(frozen=True)
class LabelSample:
    """Which units people label, and with which probability each unit of the frame is labelled.

    Attributes
    ----------
    strata : Strata
    labels : array of int, shape (strata,)
        Units that are drawn from each stratum for the estimate.
    random : int
        Units that are drawn from all for the gate.
    estimate, gate : array of bool, shape (units,)
        The two draws, which are independent: a unit may be in both.
    """

    strata: Strata
    labels: IntArray
    random: int
    estimate: NDArray[np.bool_]
    gate: NDArray[np.bool_]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether a unit is labelled at all, shape (units,)."""
        return self.estimate | self.gate

    @property
    def stratum_probability(self) -> FloatArray:
        """The inclusion probability of a unit of each stratum, shape (strata,)."""
        return inclusion_probability(self.strata.sizes, self.labels, self.random)

    @property
    def probability(self) -> FloatArray:
        """The inclusion probability of every unit, drawn or not, shape (units,)."""
        return self.stratum_probability[self.strata.of_unit]

    def sampled_for(self, unit: int) -> str:
        """Return which draw a labelled unit is in: estimate, gate or both."""
        if self.estimate[unit] and self.gate[unit]:
            return BOTH
        return ESTIMATE if self.estimate[unit] else GATE


def inclusion_probability(sizes: IntArray, labels: IntArray, random: int) -> FloatArray:
    """Return the probability that a unit of each stratum is labelled by either draw.

    Parameters
    ----------
    sizes, labels : array of int, shape (strata,)
        Units of each stratum, and how many of them are drawn.
    random : int
        How many of all units are drawn besides, independently.

    Returns
    -------
    array of float, shape (strata,)
        1 - (1 - labels / size) (1 - random / units), which is exact.
    """
    share: FloatArray = 1 - (1 - labels / sizes) * (1 - random / sizes.sum())
    return share


def allocation(
    strata: Strata, plan: LabelPlan, *, spreads: Sequence[float] | None = None
) -> IntArray:
    """Return how many labels each stratum gets.

    Parameters
    ----------
    strata : Strata
    plan : LabelPlan
    spreads : sequence of float, optional
        A pilot's standard deviation of each stratum. Without them `neyman` gives each arm its share
        of the plan, and each stratum of an arm its part by size; the share of an arm without units
        goes to the other arms.

    Raises
    ------
    RatifyError
        When the labels are too few for the floor of every stratum, or no arm with a share has
        units.
    """
    try:
        return neyman(
            strata.sizes.tolist(),
            _spreads(strata, plan, spreads),
            plan.stratified,
            floor=plan.floor,
        )
    except RatifyError as error:
        raise RatifyError(
            error.problem,
            column="causal.labels.stratified",
            value=error.value,
            allowed=error.allowed,
        ) from error


def _spreads(strata: Strata, plan: LabelPlan, spreads: Sequence[float] | None) -> Sequence[float]:
    if plan.allocation == "proportional":
        return [1.0] * len(strata.names)
    if spreads is not None:
        return spreads
    units = units_of_arms(strata)
    # size times such a spread adds up to the share of the arm
    return [plan.shares.of(arm) / units[arm] for arm in strata.arms]


def units_of_arms(strata: Strata) -> Mapping[str, int]:
    """Return how many units the judge put into each arm; 0 of an arm without any."""
    found = dict.fromkeys(ARMS, 0)
    for arm, size in zip(strata.arms, strata.sizes.tolist(), strict=True):
        found[arm] += size
    return found


def draw_labels(
    ids: Sequence[str], strata: Strata, labels: IntArray, *, random: int, seed: int
) -> LabelSample:
    """Draw the sample: by strata for the estimate, and independently from all for the gate.

    Parameters
    ----------
    ids : sequence of str, length units
        All different. The units are drawn in the order of their ids, so the order of rows does not
        matter.
    strata : Strata
    labels : array of int, shape (strata,)
        At most as many as a stratum has units.
    random : int
        Drawn from all units; all of them if there are no more.
    seed : int
        The plan's seed. Each stratum has random numbers of its own.
    """
    in_order = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    estimate, gate = np.zeros((2, len(ids)), dtype=bool)
    for at, name in enumerate(strata.names):
        members = in_order[strata.of_unit[in_order] == at]
        rng = stream(seed, Stream.LABELS, ESTIMATE, name)
        estimate[rng.choice(members, size=int(labels[at]), replace=False)] = True
    random = min(random, len(ids))
    gate[stream(seed, Stream.LABELS, GATE).choice(in_order, size=random, replace=False)] = True
    return LabelSample(strata, labels, random, estimate, gate)
