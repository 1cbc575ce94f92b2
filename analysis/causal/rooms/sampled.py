"""Units that people rated, weighted to stand for the whole frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from analysis.arrays import FloatArray, IntArray, sum_by
from analysis.causal.units import Frame, Labels
from prereg.errors import RatifyError

Aggregate = Literal["mean", "median"]


@dataclass(frozen=True)
class Ratings:
    """The single ratings behind people's aggregate scores.

    Attributes
    ----------
    treatment, outcome : array of shape (n, raters)
        Of the units of a frame, NaN where missing. The two have different raters.
    aggregate : {'mean', 'median'}
        How the labels were made of them.
    same_people : bool
        Whether a column is one person throughout, as with three experts who rate every unit. If
        not, the columns are places that any of a crowd may have filled.
    """

    treatment: FloatArray = field(repr=False)
    outcome: FloatArray = field(repr=False)
    aggregate: Aggregate = "mean"
    same_people: bool = False


@dataclass(frozen=True)
class Sampled:
    """The units that the gate uses: those with two ratings or more of each score.

    Attributes
    ----------
    rows : int array of shape (n,)
        Their places in the frame.
    weight : array of shape (n,)
        How many units of the frame each stands for: the inverse inclusion probability, scaled so
        that every stratum has as many as the frame.
    stratum : int array of shape (n,)
    user : int array of shape (units of the frame,)
    strata : int array of shape (units of the frame,)
    uncovered : int
        Units of the frame in strata where no unit can be used.
    """

    rows: IntArray = field(repr=False)
    weight: FloatArray = field(repr=False)
    stratum: IntArray = field(repr=False)
    user: IntArray = field(repr=False)
    strata: IntArray = field(repr=False)
    uncovered: int = 0

    def __len__(self) -> int:
        """Return the number of units used."""
        return len(self.rows)

    @property
    def users(self) -> int:
        """The number of users of the units used."""
        return len(np.unique(self.user[self.rows]))

    def mean(self, values: FloatArray) -> float:
        """Return the mean over the frame that values of the units used, shape (n,), stand for."""
        return float(self.weight @ values / self.weight.sum())

    def lift(self, influence: FloatArray) -> FloatArray:
        """Return influence values of all units of the frame, from those of the units used.

        A unit has the mean of its stratum. One that people rated has its distance from that mean
        too, times its weight. The strata's own differences are known from the frame, so they add
        little to the error of an estimate. A stratum's only unit has no distance from a mean, so
        its whole value counts.

        Parameters
        ----------
        influence : array of shape (n,)
            With weighted mean 0.

        Returns
        -------
        array of shape (units of the frame,)

        Notes
        -----
        Linearised poststratified means: Särndal, Swensson and Wretman (1992), *Model Assisted
        Survey Sampling*, chapter 7.
        """
        size = int(self.strata.max()) + 1
        count = np.bincount(self.stratum, minlength=size)
        total = sum_by(self.stratum, self.weight, size)
        means = sum_by(self.stratum, self.weight * influence, size) / np.where(total > 0, total, 1)
        means[count < 2] = 0.0
        found = means[self.strata]
        small = np.sqrt(count / np.maximum(count - 1, 1))[self.stratum]
        found[self.rows] += self.weight * small * (influence - means[self.stratum])
        return found


def sampled(frame: Frame, labels: Labels, ratings: Ratings) -> Sampled:
    """Return the units that the gate uses, with their weights.

    Raises
    ------
    RatifyError
        On arrays of unequal length, inclusion probabilities outside 0 to 1 among labelled units,
        and aggregate scores that are missing where there are ratings.
    """
    n = len(frame)
    for name, values in (
        ("treatment ratings", ratings.treatment),
        ("outcome ratings", ratings.outcome),
        ("inclusion_probability", labels.inclusion),
        ("stratum", labels.stratum),
        ("treatment labels", labels.treatment),
        ("outcome labels", labels.outcome),
    ):
        if len(values) != n:
            raise RatifyError(
                "has another length than the frame", column=name, value=len(values), allowed=f"{n}"
            )
    enough = [(~np.isnan(x)).sum(axis=1) >= 2 for x in (ratings.treatment, ratings.outcome)]
    rows = np.flatnonzero(enough[0] & enough[1])
    _refuse(labels, frame, rows)
    size = int(labels.stratum.max()) + 1 if n else 0
    stratum = labels.stratum[rows]
    units = np.bincount(labels.stratum, minlength=size)
    inverse = 1.0 / labels.inclusion[rows]
    total = sum_by(stratum, inverse, size)
    return Sampled(
        rows,
        inverse * (units / np.where(total > 0, total, 1.0))[stratum],
        stratum,
        frame.user,
        labels.stratum,
        int(units[np.bincount(stratum, minlength=size) == 0].sum()),
    )


def _refuse(labels: Labels, frame: Frame, rows: IntArray) -> None:
    """Refuse labelled units without a probability, an aggregate or a judge's score."""
    inclusion = labels.inclusion[rows]
    wrong = ~((inclusion > 0) & (inclusion <= 1))
    if wrong.any():
        at = rows[wrong][0]
        raise RatifyError(
            "is not the probability that this unit is labelled",
            column="inclusion_probability",
            row=f"unit {frame.unit[at]}",
            value=float(labels.inclusion[at]),
            allowed="above 0, at most 1",
        )
    for name, values, what in (
        ("treatment", labels.treatment, "has ratings but no aggregate of people's scores"),
        ("outcome", labels.outcome, "has ratings but no aggregate of people's scores"),
        ("treatment", frame.treatment, "has no score by the judge"),
        ("outcome", frame.outcome, "has no score by the judge"),
    ):
        missing = np.isnan(values[rows])
        if missing.any():
            raise RatifyError(what, column=name, row=f"unit {frame.unit[rows[missing][0]]}")
