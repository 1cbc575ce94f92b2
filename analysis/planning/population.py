"""How simulated people answer, in numbers: the model of the bots that use the pages.

`study.bots` has the same model, one rater and one page at a time; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from analysis.arrays import BoolArray, FloatArray, IntArray
from prereg.plan.assumptions import RaterAssumptions


@dataclass(frozen=True)
class People:
    """Simulated raters of one study.

    Attributes
    ----------
    sensitivity : float array of shape (n_raters,)
        Log-odds per standard deviation of quality.
    side : float array of shape (n_raters,)
        Preference for what is shown first, in log-odds.
    careless : bool array of shape (n_raters,)
        Who answers at random.
    answered : int array of shape (n_raters,)
        How many trials each answers, attention checks among them.
    finished : bool array of shape (n_raters,)
    """

    sensitivity: FloatArray
    side: FloatArray
    careless: BoolArray
    answered: IntArray
    finished: BoolArray


def draw_people(assumed: RaterAssumptions, trials: IntArray, rng: np.random.Generator) -> People:
    """Draw raters.

    Parameters
    ----------
    assumed : RaterAssumptions
    trials : int array of shape (n_raters,)
        How many trials the sequence of each has, attention checks among them.
    rng : Generator
    """
    n = len(trials)
    sensitivity = assumed.sensitivity * np.exp(rng.normal(0.0, assumed.spread, n))
    side = rng.normal(0.0, assumed.side, n)
    careless = rng.random(n) < assumed.careless
    absent = rng.random(n) < assumed.no_shows
    leaves = rng.random(n) < assumed.drop_out
    until = np.floor(rng.random(n) * trials).astype(np.int64)  # 0 to all but the last
    answered = np.where(absent, 0, np.where(leaves, until, trials))
    return People(sensitivity, side, careless, answered, ~absent & ~leaves)


def choice_probabilities(
    advantage: FloatArray, *, tie: float | None
) -> tuple[FloatArray, FloatArray]:
    """Return the probability of the left side, and of the left side or a tie.

    Parameters
    ----------
    advantage : float array
        Log-odds of the left side against the right.
    tie : float or None
        Log-odds up to which no difference is seen (Rao and Kupper 1967); None if no tie is offered.
    """
    room = 0.0 if tie is None else tie
    return expit(advantage - room), expit(advantage + room)


def values_of(
    quality: FloatArray,
    sensitivity: FloatArray,
    assumed: RaterAssumptions,
    rng: np.random.Generator,
) -> FloatArray:
    """Return how much raters value items, in log-odds.

    Parameters
    ----------
    quality : float array of shape (n_trials, n_shown)
    sensitivity : float array of shape (n_trials,)
        Of the rater of each trial.
    assumed : RaterAssumptions
    rng : Generator
        Draws each rater's own liking for each item.
    """
    taste = rng.normal(0.0, assumed.taste, quality.shape)
    return np.asarray(sensitivity[:, None] * quality + taste)


def points_of(latent: FloatArray, low: float, high: float) -> FloatArray:
    """Return points of a scale: a standard deviation is a quarter of the scale."""
    middle, span = (low + high) / 2, high - low
    return np.asarray(np.clip(np.floor(middle + latent * span / 4 + 0.5), low, high))


def places_of(latent: FloatArray, count: int) -> FloatArray:
    """Return the place of one of `count` labels, from 0; all are equally frequent."""
    from scipy.stats import norm

    cuts = norm.ppf(np.arange(1, count) / count)
    return np.searchsorted(cuts, latent).astype(np.float64)
