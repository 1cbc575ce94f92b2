"""Doubly robust effects of being treated on one set of scores, the judge's or people's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.causal import nuisances as models
from analysis.causal.arms import Arms, arms_of
from analysis.causal.average import ate, att
from analysis.causal.cate import (
    Effects,
    Heterogeneity,
    Projection,
    dr_learner,
    heterogeneity,
    projection,
)
from analysis.causal.learners import averaged, r_learner, x_learner
from analysis.causal.nuisances import Predictions
from analysis.causal.overlap import overlap_effect
from analysis.causal.rows import Row
from analysis.causal.targeted import tmle_ate, tmle_att
from analysis.causal.units import Cuts, Frame
from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class DoublyRobust:
    """Effects on one set of scores; the first row is the headline.

    Attributes
    ----------
    rows : tuple of Row
        The overlap-weighted effect, the effect on the treated (ATT) and on all units (ATE) by
        AIPW, the same by TMLE, and the ATT with the R-learner's and the X-learner's predictions.
    effects : tuple of Effects
        What the DR-, R- and X-learner predict for each unit of both arms.
    heterogeneity : Heterogeneity
        Of the DR-learner's predictions.
    projection : Projection or None
        None if no covariates are named.
    arms : Arms
        The units that were used.
    expected : Predictions
        Of the nuisance models.
    left_out : int
        Units of the frame in neither arm, or without a score.
    nuisances : str
    folds : int
    trim, level : float
    notes : tuple of str
    """

    rows: tuple[Row, ...]
    effects: tuple[Effects, ...]
    heterogeneity: Heterogeneity
    projection: Projection | None
    arms: Arms = field(repr=False)
    expected: Predictions = field(repr=False)
    left_out: int
    nuisances: str
    folds: int
    trim: float
    level: float
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> Row:
        """The overlap-weighted effect."""
        return self.rows[0]

    @property
    def influence(self) -> FloatArray:
        """Influence values of the headline, shape (units of the frame,); 0 outside the arms."""
        found = self.headline.estimate
        assert found is not None  # it is always given
        return found.influence

    @property
    def chance(self) -> FloatArray:
        """The chance of treatment, shape (units of the frame,); NaN outside the arms."""
        return self.arms.in_frame(self.expected.chance)

    @property
    def chance_range(self) -> tuple[float, float]:
        """The smallest and the largest chance of treatment."""
        return float(self.expected.chance.min()), float(self.expected.chance.max())

    def to_frame(self) -> pd.DataFrame:
        """Return the table of effects, one row per estimand and method, in points."""
        return pd.DataFrame([row.line() for row in self.rows])

    def distributions(self) -> pd.DataFrame:
        """Return the distribution of predicted effects, one row per learner, in points."""
        return pd.DataFrame([one.line() for one in self.effects])


def doubly_robust(
    frame: Frame,
    cuts: Cuts,
    *,
    treatment: FloatArray,
    outcome: FloatArray,
    folds: int = 5,
    nuisances: str = "ridge",
    trim: float = 0.05,
    named: Sequence[str] = (),
    rng: np.random.Generator,
    level: float = 0.95,
) -> DoublyRobust:
    """Estimate the effect of being treated on one set of scores.

    Parameters
    ----------
    frame : Frame
    cuts : Cuts
    treatment, outcome : array of shape (n,)
        Scores of the units of the frame by one source, in points; NaN where there is none. A unit
        with a treatment between the cuts, or without a score, is left out.
    folds : int
        Three or more; all units of a user are in one fold.
    nuisances : {'ridge', 'forest'}
    trim : float
        A chance of treatment this close to 1 (ATT), or to 0 or 1 (ATE), trims a unit; from 0 to
        below .5.
    named : sequence of str
        Covariates of the frame onto which effects are projected.
    rng : numpy.random.Generator
        Deals users into folds, and grows forests.
    level : float

    Returns
    -------
    DoublyRobust

    Raises
    ------
    RatifyError
        On a setting that is not allowed, an unknown covariate, and units that give no effect: see
        `arms.arms_of`.

    Notes
    -----
    Intervals come from influence values summed by user, with t quantiles: see `clustered`. In
    simulated worlds where covariates move both scores (`docs/validation.md`), the interval of the
    overlap-weighted effect keeps its promise.
    """
    _refuse_settings(trim, level)
    columns = _places(frame, named)
    arms = arms_of(frame, cuts, treatment=treatment, outcome=outcome, folds=folds, rng=rng)
    expected = models.predictions(arms, nuisances, rng)
    effects = (dr_learner(arms, expected), r_learner(arms, expected), x_learner(arms, expected))
    values = frame.covariates[:, columns][arms.rows] if columns else None
    return DoublyRobust(
        rows=_rows(arms, expected, effects, trim=trim, level=level),
        effects=effects,
        heterogeneity=heterogeneity(arms, expected, effects[0], level=level),
        projection=None
        if values is None
        else projection(arms, expected, values, named, level=level),
        arms=arms,
        expected=expected,
        left_out=len(frame) - len(arms),
        nuisances=nuisances,
        folds=folds,
        trim=trim,
        level=level,
        notes=_notes(arms),
    )


def _rows(
    arms: Arms, expected: Predictions, effects: Sequence[Effects], *, trim: float, level: float
) -> tuple[Row, ...]:
    return (
        overlap_effect(arms, expected, level=level),
        att(arms, expected, trim=trim, level=level),
        ate(arms, expected, trim=trim, level=level),
        tmle_att(arms, expected, trim=trim, level=level),
        tmle_ate(arms, expected, trim=trim, level=level),
        *(averaged(arms, expected, one, trim=trim, level=level) for one in effects[1:]),
    )


def _notes(arms: Arms) -> tuple[str, ...]:
    users = int(arms.user.max()) + 1
    if users == len(arms):
        return ("every user has one unit, so nothing is clustered",)
    return ()


def _refuse_settings(trim: float, level: float) -> None:
    if not 0 <= trim < 0.5:
        raise RatifyError(
            "the trim is not allowed",
            column="causal.estimators.trim",
            value=trim,
            allowed="0 to below 0.5",
        )
    if not 0 < level < 1:
        raise RatifyError("the level is not allowed", value=level, allowed="between 0 and 1")


def _places(frame: Frame, named: Sequence[str]) -> list[int]:
    """Return the columns of named covariates."""
    for name in named:
        if name not in frame.names:
            raise RatifyError(
                "there is no such covariate",
                column="covariates",
                value=name,
                allowed=", ".join(frame.names[:12]),
            )
    return [frame.names.index(name) for name in named]
