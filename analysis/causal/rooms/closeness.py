"""How close the judge is to people, beside a single person: who is closer, by how much, and bias.

Each rating of a unit is left out in turn. The person who gave it, and the judge, are compared with
the other people who rated the unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.arrays import FloatArray
from analysis.causal.rooms.quantity import Quantity, nothing
from analysis.causal.rooms.sampled import Sampled

# Distances that differ by less than this are equal: they are sums of decimals.
_SAME = 1e-9


class Distances(NamedTuple):
    """Squared distances from the other people, arrays of shape (n, raters).

    `judge` and `person` are mean squared distances from each of the others, and `judge_mean` and
    `person_mean` are squared distances from the others' mean. NaN where there is no rating.
    """

    judge: FloatArray
    person: FloatArray
    judge_mean: FloatArray
    person_mean: FloatArray


def distances(ratings: FloatArray, judge: FloatArray) -> Distances:
    """Return how far the judge and each person are from the other people.

    Parameters
    ----------
    ratings : array of shape (n, raters)
        Two or more of each unit, NaN where missing.
    judge : array of shape (n,)
    """
    known = ~np.isnan(ratings)
    others = np.where(known, known.sum(axis=1, keepdims=True) - 1.0, np.nan)
    filled = np.where(known, ratings, 0.0)
    total, squares = (x.sum(axis=1, keepdims=True) for x in (filled, filled**2))
    rest, rest_squares = (total - filled) / others, (squares - filled**2) / others
    judged = judge[:, None]

    def from_each(scores: FloatArray) -> FloatArray:
        return np.asarray(scores**2 - 2 * scores * rest + rest_squares)

    return Distances(
        from_each(judged), from_each(ratings), (judged - rest) ** 2, (ratings - rest) ** 2
    )


def person_leads(found: Distances, sample: Sampled, *, same_people: bool) -> list[Quantity]:
    """Return, per person, how much oftener this person is closer to the others than the judge.

    Parameters
    ----------
    found : Distances
    sample : Sampled
    same_people : bool
        If a column is one person throughout, each with a rating is a person of their own. If not,
        there is one: any single rater of a unit, drawn at random.

    Returns
    -------
    list of Quantity
        The share of units where the person is at least as close as the judge, minus the share
        where the judge is at least as close as the person.

    Notes
    -----
    Calderon, Reichart and Dror (2025), with the root mean squared distance; see
    `analysis.agreement.alternative_annotator` for people who count every unit once.
    """
    nearer = found.judge - found.person
    lead = (nearer > _SAME).astype(np.float64) - (nearer < -_SAME)
    lead[np.isnan(nearer)] = np.nan
    if not same_people:
        return [_mean_of(np.nanmean(lead, axis=1), sample)]
    return [_mean_of(one, sample) for one in lead.T if not np.isnan(one).all()]


def excess_error(found: Distances, ratings: FloatArray, sample: Sampled) -> Quantity:
    """Return how much larger the judge's squared error is than a single person's.

    Both errors are distances from the mean of the other people, whose noise cancels from the
    difference. It is a share of the variance of people's single ratings, so it has no unit.
    """
    more = np.nanmean(found.judge_mean - found.person_mean, axis=1)
    middle = sample.mean(np.nanmean(ratings, axis=1))
    spread = np.nanmean((ratings - middle) ** 2, axis=1)
    variance = sample.mean(spread)
    if variance <= 0:
        return nothing()
    value = sample.mean(more) / variance
    return Quantity(value, sample.lift((more - value * spread) / variance))


def bias(people: FloatArray, judge: FloatArray, sample: Sampled) -> Quantity:
    """Return the judge's mean minus people's; both arrays have shape (n,)."""
    return _mean_of(judge - people, sample)


def _mean_of(values: FloatArray, sample: Sampled) -> Quantity:
    """Return the mean of values of shape (n,) over the units where they are known."""
    known = ~np.isnan(values)
    share = sample.mean(known.astype(np.float64))
    if not known.any():
        return nothing()
    filled = np.where(known, values, 0.0)
    value = sample.mean(filled) / share
    return Quantity(value, sample.lift(np.where(known, filled - value, 0.0) / share))
