"""Simulated studies for the gate of a causal estimate: a frame, a stratified sample, ratings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from analysis.arrays import FloatArray
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.rooms.gate import Gate, three_rooms
from analysis.causal.rooms.sampled import Ratings, Sampled, sampled
from analysis.causal.units import Cuts, Frame, Labels
from analysis.causal.worlds import Judge, World, make_world, person_ratings

# The share of the stratified labels that each of the judge's arms gets: control, middle, treated.
SHARES = (0.25, 0.5, 0.25)
EXCELLENT = Judge(reliability=0.9, error_correlation=0.0)
AS_A_PERSON = Judge(reliability=0.65, error_correlation=0.0)
MEDIOCRE = Judge(reliability=0.6, error_correlation=0.5)
POOR = Judge(reliability=0.5, error_correlation=0.5)


@dataclass(frozen=True)
class Study:
    """What the gate is given, and the world that it comes from."""

    world: World
    frame: Frame
    labels: Labels
    ratings: Ratings

    def gate(self, **settings: object) -> Gate:
        """Return the gate's verdict."""
        found = contrast(self.frame, self.labels, self.ratings)
        return three_rooms(self.frame, self.labels, self.ratings, found, **settings)  # type: ignore[arg-type]


def simulated(
    rng: np.random.Generator,
    judge: Judge,
    *,
    effect: float = 0.3,
    stratified: int = 300,
    random: int = 100,
    shares: tuple[float, float, float] = SHARES,
    bump: float = 0.0,
    units: int = 6_000,
    users: int = 1_960,
) -> Study:
    """Return a study where three people rated each score of a unit, apart from the other score.

    Parameters
    ----------
    rng : numpy.random.Generator
    judge : Judge
    effect : float
    stratified, random : int
        Units drawn by strata of the judge's scores, and units drawn from all; some are in both.
    shares : tuple of float
        Of the stratified labels, by the judge's arm.
    bump : float
        Points that the judge adds to the outcome of what it calls treated, on average.
    units, users : int
    """
    world = make_world(rng, effect=effect, judge=judge, units=units, users=users)
    frame = world.frame
    if bump:
        called = frame.treatment >= world.cuts.treated
        more = called * (rng.random(len(frame)) < bump)
        frame = replace(frame, outcome=np.minimum(frame.outcome + more, 7.0))
    stratum = 3 * np.digitize(frame.treatment, [3.5, 4.5]) + np.digitize(frame.outcome, [2.5, 3.5])
    stratum = np.unique(stratum, return_inverse=True)[1]
    labelled, inclusion = _drawn(rng, frame, stratum, stratified * np.array(shares), random)
    given = [
        np.where(labelled[:, None], one, np.nan)
        for one in person_ratings(rng, world, 3, reliability=0.65)
    ]
    labels = Labels(mean_of(given[0]), mean_of(given[1]), inclusion, stratum)
    return Study(world, frame, labels, Ratings(given[0], given[1]))


def looks(
    rng: np.random.Generator, study: Study, *, first: int = 100, step: int = 50
) -> Iterator[tuple[int, Study]]:
    """Return a study after the first labels, and after every further batch, in random order.

    Parameters
    ----------
    rng : numpy.random.Generator
    study : Study
    first, step : int
        Labels at the first look, and labels between two looks. The last look is at all of them.

    Returns
    -------
    iterator of (int, Study)
        With the number of labels.
    """
    labelled = rng.permutation(np.flatnonzero(study.labels.labelled))
    whole = len(labelled)
    for count in [*range(first, whole, step), whole]:
        later = np.zeros(len(study.frame), dtype=bool)
        later[labelled[count:]] = True
        labels = replace(
            study.labels,
            treatment=np.where(later, np.nan, study.labels.treatment),
            outcome=np.where(later, np.nan, study.labels.outcome),
            inclusion=study.labels.inclusion * count / whole,
        )
        ratings = replace(
            study.ratings,
            treatment=np.where(later[:, None], np.nan, study.ratings.treatment),
            outcome=np.where(later[:, None], np.nan, study.ratings.outcome),
        )
        yield count, Study(study.world, study.frame, labels, ratings)


def mean_of(ratings: FloatArray) -> FloatArray:
    """Return the mean of each row; NaN where nobody rated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(ratings, axis=1))


def contrast(frame: Frame, labels: Labels, ratings: Ratings) -> Estimate:
    """Return the judge's outcome error among what it calls treated, minus among its controls."""
    sample = sampled(frame, labels, ratings)
    error = frame.outcome[sample.rows] - labels.outcome[sample.rows]
    value, influence = difference_of_arms(error, Cuts().arms(frame.treatment[sample.rows]), sample)
    return from_influence(value, sample.lift(influence), frame.user)


def difference_of_arms(
    error: FloatArray, arm: FloatArray, sample: Sampled
) -> tuple[float, FloatArray]:
    """Return a mean among the treated minus that among controls, with influence values."""
    value, influence = 0.0, np.zeros(len(sample))
    for which, sign in ((1.0, 1), (0.0, -1)):
        here = (arm == which).astype(float)
        share = sample.mean(here)
        mean = sample.mean(here * error) / share
        value += sign * mean
        influence += sign * here * (error - mean) / share
    return value, influence


def _drawn(
    rng: np.random.Generator, frame: Frame, stratum: np.ndarray, per_arm: FloatArray, random: int
) -> tuple[np.ndarray, FloatArray]:
    """Return which units are labelled, and the probability of each."""
    n, sizes = len(frame), np.bincount(stratum)
    arm = np.digitize(frame.treatment, [3.5, 4.5])
    arm_of = np.array([arm[stratum == one][0] for one in range(len(sizes))])
    wanted = per_arm[arm_of] * sizes / np.bincount(arm, minlength=3)[arm_of]
    wanted = np.minimum(np.maximum(np.round(wanted), 3), sizes).astype(int)
    labelled = np.zeros(n, dtype=bool)
    for one, count in enumerate(wanted):
        labelled[rng.choice(np.flatnonzero(stratum == one), count, replace=False)] = True
    labelled[rng.choice(n, random, replace=False)] = True
    return labelled, 1 - (1 - (wanted / sizes)[stratum]) * (1 - random / n)
