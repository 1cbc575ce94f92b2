"""Proof before numbers: what must hold on a study's own data before its headline is printed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.arrays import FloatArray
from analysis.causal.balance import Balance, balance, overlap_weights
from analysis.causal.clustered import Estimate
from analysis.causal.planted import Estimator, Planted, plant
from analysis.causal.units import CONTROL, TREATED, Frame
from analysis.results.words import counted, listed

# Overlap: the fewest effective units in an arm, and the least share of the treatment's variance
# that the covariates must leave.
FEWEST_EFFECTIVE = 50.0
LEAST_LEFT = 0.1
EXTREME = 0.05
# How many covariates are named where balance is broken.
_NAMED = 5


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes
    ----------
    name : str
    passed : bool
    found, allowed : float
        A number and the bound it must keep; NaN where it cannot be computed.
    sentence : str
        What was looked at, what was found and what that means, in plain English.
    """

    name: str
    passed: bool
    found: float
    allowed: float
    sentence: str


@dataclass(frozen=True)
class Proof:
    """All checks of one estimate.

    Attributes
    ----------
    checks : tuple of Check
    balance : Balance
        Before and after overlap weighting.
    planted : Planted
    """

    checks: tuple[Check, ...]
    balance: Balance = field(repr=False)
    planted: Planted = field(repr=False)

    @property
    def holds(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def broken(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def sentence(self) -> str:
        """Whether a headline may be printed, and if not, what broke."""
        if self.holds:
            return f"All {len(self.checks)} checks hold, so the estimate is printed."
        what = " ".join(check.sentence for check in self.broken)
        return f"No headline is printed, because the proof is broken. {what}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per check."""
        return pd.DataFrame([vars(check) for check in self.checks])


def prove(
    frame: Frame,
    arms: FloatArray,
    outcome: FloatArray,
    estimator: Estimator,
    *,
    propensity: FloatArray,
    baseline: FloatArray,
    rng: np.random.Generator,
    groups: Mapping[str, Sequence[int]] | None = None,
    placebo: Estimate | None = None,
    negative_control: Estimate | None = None,
    **planting: Any,
) -> Proof:
    """Check an estimator on the study's own covariates, before its estimate is looked at.

    Parameters
    ----------
    frame : Frame
    arms : array of shape (n,)
        1 for treated, 0 for control, NaN for a unit in neither arm.
    outcome : array of shape (n,)
    estimator : callable
        The one whose headline is to be printed; see `planted.Estimator`.
    propensity, baseline : array of shape (n,)
        The fitted chance of being treated, and the fitted outcome of a control, for the units in
        either arm; best from models that did not see the unit.
    rng : numpy.random.Generator
    groups : mapping of str to sequence of int, optional
        The covariates of each confounder.
    placebo : Estimate, optional
        Of a treatment that cannot matter.
    negative_control : Estimate, optional
        Of the effect on an outcome that cannot be moved.
    **planting
        `effect`, `draws`, `most_units` and `told` of `planted.plant`.

    Returns
    -------
    Proof

    Notes
    -----
    Thresholds: at least 50 effective units in each arm after overlap weighting, because influence
    function intervals rest on a normal mean; and a tenth of the treatment's variance left by the
    covariates, because otherwise the comparison rests on few units that the models cannot place.
    The share of units with an extreme propensity is said, and decides nothing: where few units are
    treated, most propensities are low, and overlap weights do not divide by them. A check of a
    placebo or of a negative control with a 95% interval fails 1 in 20 sound studies.
    """
    weights = overlap_weights(arms, propensity)
    found = balance(frame.covariates, frame.names, arms, weights, groups=groups)
    planted = plant(
        frame,
        arms,
        outcome,
        estimator,
        propensity=propensity,
        baseline=baseline,
        rng=rng,
        **planting,
    )
    nulls = (
        ("placebo treatment", "a treatment that cannot matter", placebo),
        ("negative-control outcome", "an outcome that cannot be moved", negative_control),
    )
    checks = (
        *planted_checks(planted),
        balance_check(found),
        *overlap_checks(arms, propensity, found.effective),
        *(null_check(name, what, one) for name, what, one in nulls if one is not None),
    )
    return Proof(checks, found, planted)


def planted_checks(found: Planted) -> tuple[Check, Check]:
    """Return the checks that a planted effect came back: within intervals, and on average."""
    enough = found.covered >= found.least
    within = (
        f"An effect of {found.effect:.2f} points was planted in {found.draws} data sets made from "
        f"the study's own covariates: {counted(found.covered, 'interval')} held it, and at least "
        f"{found.least} must."
    )
    missing = int(np.isnan(found.value).sum())
    if missing:
        within += f" {counted(missing, 'data set')} gave no estimate."
    right = abs(found.error) <= found.most
    drift = (
        f"The estimates of the planted effect were off by {found.error:+.3f} points on average; "
        f"without bias it would be at most {found.most:.3f}."
        if not math.isnan(found.most)
        else "Fewer than two data sets with the planted effect gave an estimate."
    )
    return (
        Check("planted effect in its interval", enough, found.covered, found.least, within),
        Check("planted effect on average", right, abs(found.error), found.most, drift),
    )


def balance_check(found: Balance) -> Check:
    """Return the check that treated and control units are alike in every covariate."""
    error = math.sqrt(sum(1 / size for size in found.effective))
    size = found.table["after"].abs()
    beyond = int((size >= found.limit).sum())
    expected = 2 * len(size) * float(norm.sf(found.limit / error))
    if not beyond:
        said = (
            f"After weighting, treated and control units differ by less than {found.limit:g} "
            f"standard deviations in every covariate, at most by {found.largest:.3f}."
        )
    else:
        said = (
            f"After weighting, treated and control units differ by {found.limit:g} standard "
            f"deviations or more in {beyond} of {counted(len(size), 'covariate')}: "
            f"{_worst(found, beyond)}. By chance alone, about {expected:.1f} of this many "
            f"covariates would in samples of this size."
        )
    return Check("balance", found.holds, found.largest, found.limit, said)


def _worst(found: Balance, beyond: int) -> str:
    """Return the covariates that differ most, with their differences."""
    worst = found.worst(min(beyond, _NAMED))
    pairs = zip(worst["covariate"], worst["after"].abs(), strict=True)
    names = [f"{name} ({size:.2f})" for name, size in pairs]
    return f"{', '.join(names)} and {beyond - _NAMED} more" if beyond > _NAMED else listed(names)


def overlap_checks(
    arms: FloatArray, propensity: FloatArray, effective: tuple[float, float]
) -> tuple[Check, Check]:
    """Return the checks that enough units could have been in either arm.

    Parameters
    ----------
    arms, propensity : array of shape (n,)
    effective : tuple of float
        Treated and control units of equal weight that the weighted ones are worth.
    """
    known = (arms == TREATED) | (arms == CONTROL)
    chance, share = propensity[known], float((arms[known] == TREATED).mean())
    left = float((chance * (1 - chance)).mean()) / (share * (1 - share))
    extreme = float(((chance < EXTREME) | (chance > 1 - EXTREME)).mean())
    size = (
        f"The overlap-weighted units are worth {effective[0]:,.0f} treated and {effective[1]:,.0f} "
        f"control units of equal weight; at least {FEWEST_EFFECTIVE:g} of each are needed. "
        f"{extreme:.0%} of the units have a propensity below {EXTREME:g} or above {1 - EXTREME:g}."
    )
    variance = (
        f"The covariates leave {left:.0%} of the treatment's variance; at least {LEAST_LEFT:.0%} "
        f"is needed, or treated and control units hardly overlap."
    )
    return (
        _at_least("overlap: effective units", min(effective), FEWEST_EFFECTIVE, size),
        _at_least("overlap: treatment left", left, LEAST_LEFT, variance),
    )


def _at_least(name: str, found: float, allowed: float, sentence: str) -> Check:
    return Check(name, found >= allowed, found, allowed, sentence)


def null_check(name: str, what: str, found: Estimate) -> Check:
    """Return the check that an estimate which must be nothing includes 0.

    Parameters
    ----------
    name : str
        What is estimated.
    what : str
        The same in words: 'a treatment that cannot matter'.
    found : Estimate
    """
    holds = bool(found.low <= 0 <= found.high)
    allowed = found.value - found.low if found.value > 0 else found.high - found.value
    ends = f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
    said = f"The estimate for {what} is {ends}, which " + (
        "includes 0, as it must." if holds else "does not include 0: something else is at work."
    )
    return Check(name, holds, abs(found.value), allowed, said)
