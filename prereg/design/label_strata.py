"""The strata of a frame: the judge's treatment score by its outcome score, sparse cells joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from prereg.design.allocation import IntArray
from prereg.plan.causal import Treatment

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Strata:
    """The stratum of every unit.

    Attributes
    ----------
    names : tuple of str
        Such as `S4 Y1-3`: the judge's scores of treatment and outcome that belong to it.
    arms : tuple of str
        What the judge's treatment score means there: control, middle or treated.
    of_unit : array of int, shape (units,)
        The place of each unit's stratum in `names`.
    """

    names: tuple[str, ...]
    arms: tuple[str, ...]
    of_unit: IntArray

    @cached_property
    def sizes(self) -> IntArray:
        """The number of units of each stratum, shape (strata,)."""
        return np.bincount(self.of_unit, minlength=len(self.names)).astype(np.int64)


def strata_of(
    treatment: FloatArray, outcome: FloatArray, cuts: Treatment, *, labels: int, floor: int
) -> Strata:
    """Put every unit into a stratum by the judge's two scores.

    Parameters
    ----------
    treatment, outcome : array, shape (units,)
        The judge's scores, none missing.
    cuts : Treatment
        What counts as treated and as control.
    labels : int
        How many units will be drawn by strata.
    floor : int
        The fewest labels of a stratum.

    Returns
    -------
    Strata
        In the order of treatment, then of outcome. They do not depend on the order of the units.

    Notes
    -----
    A cell is one treatment score by one outcome score. A cell is sparse if a sample in proportion
    to size would give it fewer labels than the floor, or if it has fewer units than the floor.
    Sparse cells are joined with neighbours in two steps, both from low scores to high ones. First
    treatment scores of one arm are joined until they are not sparse together, never across a cut;
    then, within them, outcome scores. What is left over at the end joins the group before it. An
    arm that is sparse as a whole stays one stratum.
    """
    least = max(float(floor), floor * len(treatment) / labels)
    of_unit = np.empty(len(treatment), dtype=np.int64)
    names: list[str] = []
    arms: list[str] = []
    for arm in ("control", "middle", "treated"):
        scores = [score for score in np.unique(treatment) if cuts.arm(score) == arm]
        for group in _joined(scores, treatment, least):
            there = np.isin(treatment, group)
            for inner in _joined(np.unique(outcome[there]), outcome[there], least):
                of_unit[there & np.isin(outcome, inner)] = len(names)
                names.append(f"S{_range(group)} Y{_range(inner)}")
                arms.append(arm)
    return Strata(tuple(names), tuple(arms), of_unit)


def _joined(scores: Iterable[float], of: FloatArray, least: float) -> list[list[float]]:
    """Return neighbouring scores in groups of at least `least` units, if there are so many."""
    groups: list[list[float]] = []
    open_, units = [], 0
    for score in scores:
        open_.append(float(score))
        units += int((of == score).sum())
        if units >= least:
            groups.append(open_)
            open_, units = [], 0
    if open_ and groups:
        groups[-1] += open_
    elif open_:
        groups.append(open_)
    return groups


def _range(scores: Sequence[float]) -> str:
    low, high = f"{scores[0]:.6g}", f"{scores[-1]:.6g}"
    return low if low == high else f"{low}-{high}"
