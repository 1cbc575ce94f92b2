"""The treated and control units of a frame, dealt into folds, and refusals of what cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.folds import user_folds
from analysis.causal.ridge import Design, Ridge
from analysis.causal.units import CONTROL, TREATED, Cuts, Frame
from prereg.errors import RatifyError

# Fewer units than this in an arm are refused.
FEWEST = 20


@dataclass(frozen=True)
class Arms:
    """Units that are treated or controls and have an outcome.

    Attributes
    ----------
    rows : int array of shape (n,)
        Their places in the frame.
    frame_size : int
        Units of the frame, those in neither arm included.
    arm : array of shape (n,)
        1 for treated, 0 for control.
    outcome : array of shape (n,)
    user : int array of shape (n,)
        0 to users - 1.
    design : Design
    """

    rows: IntArray = field(repr=False)
    frame_size: int
    arm: FloatArray = field(repr=False)
    outcome: FloatArray = field(repr=False)
    user: IntArray = field(repr=False)
    design: Design = field(repr=False)

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.rows)

    @cached_property
    def everyone(self) -> Ridge:
        """Regressions on the units of both arms."""
        return Ridge(self.design, np.ones(len(self)))

    @cached_property
    def treated(self) -> Ridge:
        """Regressions on the treated units."""
        return Ridge(self.design, self.arm)

    @cached_property
    def controls(self) -> Ridge:
        """Regressions on the control units."""
        return Ridge(self.design, 1 - self.arm)

    def in_frame(self, values: FloatArray, *, elsewhere: float = np.nan) -> FloatArray:
        """Return values of these units, shape (n,), at their places in the frame."""
        whole = np.full(self.frame_size, elsewhere)
        whole[self.rows] = values
        return whole

    def estimate(
        self, value: float, influence: FloatArray, kept: IntArray, *, level: float
    ) -> Estimate:
        """Return an estimate from the influence values of some of these units.

        Parameters
        ----------
        value : float
        influence : array of shape (k,)
        kept : int array of shape (k,)
            Their places among these units.
        level : float

        Returns
        -------
        Estimate
            Its influence values have the shape of the frame and the same mean.
        """
        _, user = np.unique(self.user[kept], return_inverse=True)
        found = from_influence(value, influence, user.astype(np.int64), level=level)
        whole = np.zeros(self.frame_size)
        whole[self.rows[kept]] = influence * (self.frame_size / len(kept))
        return replace(found, influence=whole)


def arms_of(
    frame: Frame,
    cuts: Cuts,
    *,
    treatment: FloatArray,
    outcome: FloatArray,
    folds: int,
    rng: np.random.Generator,
) -> Arms:
    """Return the units of both arms in folds that keep users whole.

    Parameters
    ----------
    frame : Frame
    cuts : Cuts
    treatment, outcome : array of shape (n,)
        Scores of the units of the frame by one source; NaN where there is none.
    folds : int
        Three or more.
    rng : numpy.random.Generator

    Raises
    ------
    RatifyError
        On fewer than three folds, an arm with no or fewer than 20 units, an outcome that never
        varies, a covariate that is missing or infinite, too few users, and an arm whose users are
        too few to be in every part.
    """
    arm = cuts.arms(treatment)
    rows = np.flatnonzero(~np.isnan(arm + outcome))
    arm = arm[rows]
    _refuse_arms(arm, cuts)
    of_arms = frame.of(rows)
    _refuse_values(of_arms, outcome[rows])
    # treated and controls count alike, so that both are spread
    balance = np.where(arm == TREATED, (1 - arm).sum() / arm.sum(), 1.0)
    fold = user_folds(of_arms.user, folds, rng, weights=balance)
    for word, of_arm in (("treated", arm), ("control", 1 - arm)):
        inside = np.bincount(fold, of_arm, folds)
        if inside.sum() - np.sort(inside)[-2:].sum() < 2:
            raise RatifyError(
                f"the {word} units belong to too few users to be split into {folds} folds",
                column="user",
                value=len(np.unique(of_arms.user[of_arm == 1])),
                allowed=f"{word} units of {folds} users or more",
            )
    design = Design.of(of_arms.covariates, fold)
    return Arms(rows, len(frame), arm, outcome[rows], of_arms.user, design)


def _refuse_arms(arm: FloatArray, cuts: Cuts) -> None:
    words = {
        TREATED: f"treated (a score of {cuts.treated:g} or more)",
        CONTROL: f"controls (a score of {cuts.control:g} or less)",
    }
    for which, word in words.items():
        count = int((arm == which).sum())
        if count < FEWEST:
            raise RatifyError(
                f"{'no' if count == 0 else 'too few'} units are {word}",
                column="treatment",
                value=count,
                allowed=f"{FEWEST} units or more in each arm",
            )


def _refuse_values(frame: Frame, outcome: FloatArray) -> None:
    whole = np.isfinite(frame.covariates).all(axis=0)
    if not whole.all():
        at = int(whole.argmin())
        row = int(np.isfinite(frame.covariates[:, at]).argmin())
        raise RatifyError(
            "the covariate is not a number",
            row=f"unit {frame.unit[row]}",
            column=frame.names[at],
            value=float(frame.covariates[row, at]),
            allowed="finite numbers",
        )
    if np.ptp(outcome) == 0:
        raise RatifyError(
            "every unit has the same outcome",
            column="outcome",
            value=float(outcome[0]),
            allowed="scores that vary",
        )
