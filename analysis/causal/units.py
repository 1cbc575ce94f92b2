"""Units of a causal estimate: their judge's scores, their users, and what people said of some."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import BoolArray, FloatArray, IntArray
from prereg.errors import RatifyError

StrArray = NDArray[np.str_]
TREATED, CONTROL = 1.0, 0.0


@dataclass(frozen=True)
class Cuts:
    """The scores that make a unit treated, and those that make it a control.

    Attributes
    ----------
    treated : float
        A score of at least this is treated.
    control : float
        A score of at most this is a control. A score between the two is in neither arm.
    """

    treated: float = 5.0
    control: float = 3.0

    def __post_init__(self) -> None:
        """Refuse cuts that would put a score into both arms."""
        if not self.control < self.treated:
            raise RatifyError(
                "a score could be in both arms",
                column="causal.treatment",
                value=f"treated {self.treated:g}, control {self.control:g}",
                allowed="control below treated",
            )

    def arms(self, scores: FloatArray) -> FloatArray:
        """Return 1 for treated, 0 for control, NaN between the cuts and where no score is known."""
        arms = np.full(scores.shape, np.nan)
        arms[scores >= self.treated] = TREATED
        arms[scores <= self.control] = CONTROL
        return arms


@dataclass(frozen=True)
class Frame:
    """All units, with what is known of each without asking people.

    Attributes
    ----------
    unit : str array of shape (n,)
        Ids, each once.
    user : int array of shape (n,)
        The user of each unit, 0 to users - 1: units of one user are one cluster.
    covariates : array of shape (n, p)
        Confounders, without missing values.
    names : tuple of str
        One per covariate.
    treatment, outcome : array of shape (n,)
        The judge's scores.
    """

    unit: StrArray = field(repr=False)
    user: IntArray = field(repr=False)
    covariates: FloatArray = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    treatment: FloatArray = field(repr=False)
    outcome: FloatArray = field(repr=False)

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.unit)

    @property
    def users(self) -> int:
        """The number of users."""
        return len(np.unique(self.user))

    def of(self, rows: BoolArray | IntArray) -> Self:
        """Return the frame of some rows, with the users numbered anew."""
        _, user = np.unique(self.user[rows], return_inverse=True)
        return replace(
            self,
            unit=self.unit[rows],
            user=user.astype(np.int64),
            covariates=self.covariates[rows],
            treatment=self.treatment[rows],
            outcome=self.outcome[rows],
        )


@dataclass(frozen=True)
class Labels:
    """What people said of the units of a frame, and how likely each unit was to be asked about.

    Attributes
    ----------
    treatment, outcome : array of shape (n,)
        The aggregate of people's ratings; NaN for a unit that was not labelled on both scores.
    inclusion : array of shape (n,)
        The probability of being labelled, above 0, known for every unit of the frame.
    stratum : int array of shape (n,)
        The stratum that the sample was drawn from, 0 to strata - 1.
    """

    treatment: FloatArray = field(repr=False)
    outcome: FloatArray = field(repr=False)
    inclusion: FloatArray = field(repr=False)
    stratum: IntArray = field(repr=False)

    @property
    def labelled(self) -> BoolArray:
        """Which units have both scores by people."""
        return np.asarray(~np.isnan(self.treatment + self.outcome))

    @property
    def weights(self) -> FloatArray:
        """R / pi: the inverse probability of a labelled unit, 0 for every other unit."""
        return np.where(self.labelled, 1.0 / self.inclusion, 0.0)
