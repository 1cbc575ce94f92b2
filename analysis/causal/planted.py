"""A known effect planted on a study's own covariates: an estimator must find it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import binom
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.causal.clustered import Estimate
from analysis.causal.units import Frame
from prereg.errors import RatifyError

# Estimates an effect from units, their arms (1 treated, 0 control) and their outcome.
Estimator = Callable[[Frame, FloatArray, FloatArray, np.random.Generator], Estimate]

DRAWS = 20
# How seldom an estimator that keeps its promise may fail one of the two checks.
FALSE_ALARM = 0.01


@dataclass(frozen=True)
class Planted:
    """What an estimator made of a known effect.

    Attributes
    ----------
    effect : float
        What was planted, in points of the outcome.
    value, low, high : array of shape (draws,)
        What was found; NaN where the estimator gave no estimate.
    level : float
        The coverage that its intervals promise.
    """

    effect: float
    value: FloatArray = field(repr=False)
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    level: float

    @property
    def draws(self) -> int:
        """The number of data sets."""
        return len(self.value)

    @property
    def covered(self) -> int:
        """How many intervals hold the planted effect."""
        return int(((self.low <= self.effect) & (self.effect <= self.high)).sum())

    @property
    def least(self) -> int:
        """The fewest that an estimator with the promised coverage holds, 99 times of 100."""
        return int(binom.ppf(FALSE_ALARM, self.draws, self.level))

    @property
    def error(self) -> float:
        """The mean distance from the planted effect; NaN without an estimate."""
        found = self.value[~np.isnan(self.value)]
        return float(found.mean()) - self.effect if len(found) else np.nan

    @property
    def most(self) -> float:
        """The largest mean distance of an estimator without bias, 99 times of 100."""
        found = self.value[~np.isnan(self.value)]
        if len(found) < 2:
            return np.nan
        quantile = float(student.ppf(1 - FALSE_ALARM / 2, len(found) - 1))
        return quantile * float(found.std(ddof=1)) / float(np.sqrt(len(found)))


def plant(
    frame: Frame,
    arms: FloatArray,
    outcome: FloatArray,
    estimator: Estimator,
    *,
    propensity: FloatArray,
    baseline: FloatArray,
    rng: np.random.Generator,
    effect: float | None = None,
    draws: int = DRAWS,
    most_units: int | None = None,
    told: Callable[[int, int], None] | None = None,
) -> Planted:
    """Let an estimator look for a known effect in data made from the study's own covariates.

    Parameters
    ----------
    frame : Frame
    arms : array of shape (n,)
        1 for treated, 0 for control, NaN for a unit in neither arm, which is left out.
    outcome : array of shape (n,)
    estimator : callable
        `estimator(frame, arms, outcome, rng)` returns an `Estimate`. It gets a frame of the units
        in either arm, and must not look at the frame's own scores.
    propensity : array of shape (n,)
        The fitted chance of being treated, for the units in either arm.
    baseline : array of shape (n,)
        The fitted outcome of each unit if it were a control.
    rng : numpy.random.Generator
    effect : float, optional
        In points; by default half a standard deviation of the outcome.
    draws : int
        Data sets, 2 or more.
    most_units : int, optional
        With more units in both arms than this, whole users are left out at random, each time
        others: an estimator that takes minutes on all of them can be tried on fewer.
    told : callable, optional
        Called with the number of data sets done and their number.

    Notes
    -----
    In each data set, a unit is treated with its fitted chance. Its outcome is the fitted outcome
    of a control, plus the effect if it is treated, plus its own residual (the outcome less the
    fitted one and less the mean of that in its arm), whose sign is flipped for all units of a user
    together: so residuals keep their size and their likeness within users, and depend on nothing
    else (the wild cluster bootstrap of Cameron, Gelbach and Miller 2008, Review of Economics and
    Statistics 90, 414-427). The effect is the same for every unit, so the ATT, the ATE and the
    overlap-weighted effect are all equal to it. What the fitted models do not see of the
    confounding is not in these data sets: they test the estimator, not the confounders.
    """
    if draws < 2:
        raise RatifyError("is too few", column="draws", value=draws, allowed="2 or more")
    kept = np.flatnonzero(~np.isnan(arms))
    chance, control = _finite(propensity[kept], "propensity"), _finite(baseline[kept], "baseline")
    arm, y = arms[kept], _finite(outcome[kept], "outcome")
    whole = frame.of(kept)
    residual = y - control
    for one in (0.0, 1.0):
        residual[arm == one] -= residual[arm == one].mean()
    effect = 0.5 * float(y.std()) if effect is None else effect
    found = np.full((draws, 3), np.nan)
    level = 0.95
    for draw in range(draws):
        some = _some_users(whole.user, most_units, rng)
        sign = rng.choice([-1.0, 1.0], whole.users)[whole.user]
        drawn = (rng.random(len(whole)) < chance).astype(np.float64)
        made = control + effect * drawn + sign * residual
        try:
            one_found = estimator(whole.of(some), drawn[some], made[some], rng)
        except RatifyError:  # no estimate: one that did not come back
            continue
        finally:
            if told is not None:
                told(draw + 1, draws)
        found[draw] = one_found.value, one_found.low, one_found.high
        level = one_found.level
    value, low, high = found.T
    return Planted(effect, value, low, high, level)


def _some_users(user: IntArray, most: int | None, rng: np.random.Generator) -> IntArray:
    """Return the rows of random users, until there are about as many rows as wanted."""
    if most is None or len(user) <= most:
        return np.arange(len(user))
    order = rng.permutation(int(user.max()) + 1)
    total = np.cumsum(np.bincount(user)[order])
    return np.flatnonzero(np.isin(user, order[: 1 + int(np.searchsorted(total, most))]))


def _finite(values: FloatArray, name: str) -> FloatArray:
    bad = ~np.isfinite(values)
    if bad.any():
        raise RatifyError(
            "a unit in either arm has no such value",
            column=name,
            value=float(values[bad][0]),
            allowed="a finite number for every treated and control unit",
        )
    return values
