"""Simulated worlds with a known effect: units of users, people's scores and a judge's scores.

The treatment is what people's consensus says of a reply, and the outcome follows it. The judge
makes an error about each score, and the two errors of a unit may go together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from analysis.arrays import FloatArray, IntArray
from analysis.causal.units import Cuts, Frame

SCALE = (1.0, 7.0)
# The shares of people's seven scores of treatment: 8% are treated, 30% are in the middle.
_SHARES = (0.15, 0.22, 0.25, 0.30, 0.055, 0.02, 0.005)


@dataclass(frozen=True)
class World:
    """Units, and what people would say of all of them.

    Attributes
    ----------
    frame : Frame
        With the judge's scores.
    treatment, outcome : array of shape (n,)
        People's consensus: what the mean of very many raters would say of each unit.
    effect : float
        Of being treated instead of control on the expected outcome of every unit, in points.
    cuts : Cuts
    """

    frame: Frame
    treatment: FloatArray = field(repr=False)
    outcome: FloatArray = field(repr=False)
    effect: float
    cuts: Cuts


@dataclass(frozen=True)
class Judge:
    """How wrong a judge is.

    Attributes
    ----------
    reliability : float
        Variance of people's scores over variance of the judge's, before it rounds.
    error_correlation : float
        Of its two errors about one unit.
    """

    reliability: float = 0.6
    error_correlation: float = 0.5


def make_world(
    rng: np.random.Generator,
    *,
    effect: float,
    judge: Judge | None = None,
    units: int = 6_000,
    users: int = 1_960,
    components: int = 10,
    confounding: float = 0.5,
    cuts: Cuts | None = None,
) -> World:
    """Return a world.

    Parameters
    ----------
    rng : numpy.random.Generator
    effect : float
        Points of the outcome between treated and control. A unit in the middle has half of it.
    judge : Judge, optional
    units, users : int
        Few users have many units: the sizes are log-normal.
    components : int
        Covariates. What drives the treatment and what drives the outcome share a direction.
    confounding : float
        How much of the outcome's covariate part is what also drives the treatment, 0 to 1.
    cuts : Cuts, optional

    Notes
    -----
    The outcome is 1 + Binomial(6, (m - 1) / 6), so its mean is exactly m, which is linear in the
    covariates, a user's own level and the treatment: the effect is the same for every unit.
    """
    cuts = cuts or Cuts()
    user = _users(rng, units, users)
    x = np.sqrt(0.3) * rng.normal(size=(users, components))[user]
    x += np.sqrt(0.7) * rng.normal(size=(units, components))
    drives, moves = _directions(components, confounding)
    latent = 0.6 * x @ drives + 0.8 * rng.normal(size=units)
    treatment = 1.0 + np.searchsorted(norm.ppf(np.cumsum(_SHARES)[:-1]), latent)
    level = 2.7 + 0.45 * x @ moves + 0.25 * rng.normal(size=users)[user]
    arm = cuts.arms(treatment)
    mean = level + effect * np.where(np.isnan(arm), 0.5, arm)
    share = np.clip((mean - 1) / 6, 0.005, 0.995)
    outcome = 1.0 + rng.binomial(6, share).astype(np.float64)
    scores = judge_scores(rng, treatment, outcome, judge or Judge())
    frame = Frame(
        np.array([f"u{number}" for number in range(units)]),
        user,
        x,
        tuple(f"x{number}" for number in range(components)),
        *scores,
    )
    return World(frame, treatment, outcome, effect, cuts)


def judge_scores(
    rng: np.random.Generator, treatment: FloatArray, outcome: FloatArray, judge: Judge
) -> tuple[FloatArray, FloatArray]:
    """Return a judge's two scores of each unit: people's, plus errors that may go together."""
    size = np.sqrt((1 - judge.reliability) / judge.reliability)
    r = judge.error_correlation
    errors = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], size=len(treatment))
    found = [
        np.clip(np.round(score + size * score.std() * error), *SCALE)
        for score, error in zip((treatment, outcome), errors.T, strict=True)
    ]
    return found[0], found[1]


def person_ratings(
    rng: np.random.Generator,
    world: World,
    raters: int,
    *,
    reliability: float = 0.65,
    halo: float = 0.35,
    apart: bool = True,
) -> tuple[FloatArray, FloatArray]:
    """Return ratings by single people, arrays of shape (n, raters) for each score.

    Parameters
    ----------
    rng : numpy.random.Generator
    world : World
    raters : int
        For each score.
    reliability : float
        Of one rating, before it is rounded.
    halo : float
        The correlation of one person's errors about both scores of a unit.
    apart : bool
        Whether different people give the two scores, whose errors are then independent.
    """
    r = 0.0 if apart else halo
    size = np.sqrt((1 - reliability) / reliability)
    shape = (len(world.frame), raters)
    errors = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], size=shape)
    found = [
        np.clip(np.round(score[:, None] + size * score.std() * errors[..., at]), *SCALE)
        for at, score in enumerate((world.treatment, world.outcome))
    ]
    return found[0], found[1]


def _users(rng: np.random.Generator, units: int, users: int) -> IntArray:
    """Return the user of each unit; every user has at least one."""
    sizes = rng.lognormal(0.0, 0.9, size=users)
    more = rng.choice(users, size=units - users, p=sizes / sizes.sum())
    return rng.permutation(np.concatenate([np.arange(users), more])).astype(np.int64)


def _directions(components: int, confounding: float) -> tuple[FloatArray, FloatArray]:
    """Return unit vectors: what drives the treatment, and what moves the outcome."""
    first = np.ones(components)
    other = np.where(np.arange(components) % 2 == 0, 1.0, -1.0)
    first /= np.linalg.norm(first)
    other -= (other @ first) * first
    size = np.linalg.norm(other)
    other = other / size if size > 0 else other
    moves = confounding * first + np.sqrt(1 - confounding**2) * other
    return first, moves / np.linalg.norm(moves)
