"""Simulated worlds with a known effect: units of users, their scores, and what others say of them.

Each unit has two scores that people would agree on. The outcome follows the treatment. A judge, and
a single person, makes an error about each score, and the two errors of a unit may go together. With
errors, everybody still gives each score of treatment as often as it occurs: a judge that calls a
fifth of the units treated where people call 8% would be noticed at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from analysis.arrays import FloatArray, IntArray
from analysis.causal.units import Cuts, Frame, Labels

SCALE = (1.0, 7.0)
# The shares of the seven scores of treatment: 8% are treated, 30% are in the middle.
_SHARES = (0.15, 0.22, 0.25, 0.30, 0.055, 0.02, 0.005)
# The spread of people's score of the effect in each of `strata_of`, as a pilot would tell it: from
# 30,000 units of a world with effect .3, reliability .6 and error correlation .5.
_PILOT = np.array([0.136, 0.109, 0.208, 0.313, 0.197, 0.335, 0.571, 0.432, 0.495])


@dataclass(frozen=True)
class World:
    """Units, and what people would agree on about all of them.

    Attributes
    ----------
    frame : Frame
        With the judge's scores.
    treatment, outcome : array of shape (n,)
        Whole scores that people would agree on.
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
        Of its two errors about one unit, before it rounds. The scores themselves show about .4
        where this is .5.
    leniency: float = 0.0
        Points that it gives too many on both scores. Then it also calls too many units treated.
    """

    reliability: float = 0.6
    error_correlation: float = 0.5
    leniency: float = 0.0


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
    """Return a judge's two scores of each unit: people's, with errors that may go together."""
    errors = _errors(rng, judge.reliability, judge.error_correlation, treatment.shape)
    given = _as_often(treatment, errors[0]), _rounded(outcome, errors[1])
    if judge.leniency == 0:
        return given
    # whole points to some units, so that the mean moves by as much
    more = [np.floor(judge.leniency + rng.random(len(treatment))) for _ in given]
    first, second = (np.clip(one + add, *SCALE) for one, add in zip(given, more, strict=True))
    return first, second


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
    shape = (len(world.frame), raters)
    errors = _errors(rng, reliability, 0.0 if apart else halo, shape)
    found = [_as_often(world.treatment, error) for error in errors[0].T]
    return np.column_stack(found), _rounded(world.outcome[:, None], errors[1])


def strata_of(frame: Frame, cuts: Cuts) -> IntArray:
    """Return nine strata: three by the judge's treatment, times three by its outcome.

    Of the judge's controls come 0 to 2, of the middle 3 to 5, of its treated 6 to 8.
    """
    arm = cuts.arms(frame.treatment)
    by_treatment = np.where(np.isnan(arm), 1, np.where(arm > 0, 2, 0))
    return np.asarray(3 * by_treatment + np.digitize(frame.outcome, [2.5, 3.5]), dtype=np.int64)


def draw_labels(
    rng: np.random.Generator,
    world: World,
    count: int,
    *,
    stratified: bool = True,
    said: tuple[FloatArray, FloatArray] | None = None,
) -> Labels:
    """Return what people say of a probability sample.

    Parameters
    ----------
    rng : numpy.random.Generator
    world : World
    count : int
        Labelled units.
    stratified : bool
        On `strata_of`. Half of the labels go to units that the judge puts in the middle. Within
        both halves they are allocated as Neyman (1934) does, by what a pilot would tell. Else one
        simple random sample of all units.
    said : tuple of arrays of shape (n,), optional
        What people say of both scores; by default what they would agree on.
    """
    n = len(world.frame)
    treatment, outcome = said or (world.treatment, world.outcome)
    stratum = strata_of(world.frame, world.cuts) if stratified else np.zeros(n, dtype=np.int64)
    sizes = np.bincount(stratum, minlength=9 if stratified else 1)
    drawn = _allocation(sizes, count) if stratified else np.array([count])
    # the first of each stratum in random order
    order = np.lexsort((rng.random(n), stratum))
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    asked = place < drawn[stratum]
    return Labels(
        np.where(asked, treatment, np.nan),
        np.where(asked, outcome, np.nan),
        (drawn / np.maximum(sizes, 1))[stratum],
        stratum,
    )


def _allocation(sizes: IntArray, count: int) -> IntArray:
    """Return the labels of each of the nine strata, two at least."""
    parts = sizes * _PILOT
    middle = np.arange(9) // 3 == 1
    halves = np.where(middle, parts[middle].sum(), parts[~middle].sum())
    wanted = count / 2 * parts / halves
    given = np.minimum(np.maximum(np.floor(wanted).astype(np.int64), 2), sizes)
    for one in np.argsort(given - wanted)[: max(count - int(given.sum()), 0)]:
        given[one] = min(given[one] + 1, sizes[one])
    return np.asarray(given, dtype=np.int64)


def _errors(
    rng: np.random.Generator, reliability: float, correlation: float, shape: tuple[int, ...]
) -> FloatArray:
    """Return errors about both scores, in standard deviations of the score."""
    size = np.sqrt((1 - reliability) / reliability)
    both = [[1, correlation], [correlation, 1]]
    drawn = np.moveaxis(rng.multivariate_normal([0, 0], both, size=shape), -1, 0)
    return np.asarray(size * drawn)


def _as_often(score: FloatArray, error: FloatArray) -> FloatArray:
    """Return scores in the order that the errors leave, each as often as it occurs."""
    seen = score + score.std() * error
    found = np.empty_like(score)
    found[np.argsort(seen)] = np.sort(score)
    return found


def _rounded(score: FloatArray, error: FloatArray) -> FloatArray:
    """Return scores with errors, as points of the scale."""
    return np.asarray(np.clip(np.round(score + score.std() * error), *SCALE))


def _users(rng: np.random.Generator, units: int, users: int) -> IntArray:
    """Return the user of each unit; every user has at least one."""
    sizes = rng.lognormal(0.0, 0.9, size=users)
    more = rng.choice(users, size=units - users, p=sizes / sizes.sum())
    found = rng.permutation(np.concatenate([np.arange(users), more]))
    return np.asarray(found, dtype=np.int64)


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
