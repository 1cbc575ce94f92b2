"""Whether the judge finds the units that people call treated: sensitivity and predictive value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.arrays import BoolArray, FloatArray
from analysis.causal.rooms.quantity import Quantity, nothing, share
from analysis.causal.rooms.sampled import Aggregate, Sampled


class AtCut(NamedTuple):
    """Shares of treated units that an annotator and a reference agree on.

    `sensitivity` is of the reference's treated units, `predictive_value` of the annotator's.
    """

    sensitivity: Quantity
    predictive_value: Quantity


class Beside(NamedTuple):
    """The judge and a single person against the same reference: the others who rated the unit."""

    judge: AtCut
    person: AtCut


def against_people(people: FloatArray, judge: FloatArray, treated: float, sample: Sampled) -> AtCut:
    """Return how the judge does against people's aggregate score; arrays of shape (n,)."""
    return _at_cut((people >= treated)[:, None], (judge >= treated)[:, None], sample)


def beside_a_person(
    ratings: FloatArray, judge: FloatArray, treated: float, aggregate: Aggregate, sample: Sampled
) -> Beside:
    """Return how the judge and a single person do against the others, each left out in turn.

    Parameters
    ----------
    ratings : array of shape (n, raters)
        Two or more of each unit, NaN where missing.
    judge : array of shape (n,)
    treated : float
        A score of at least this is treated.
    aggregate : {'mean', 'median'}
        Of the others.
    sample : Sampled
    """
    known = ~np.isnan(ratings)
    over = np.nanmean if aggregate == "mean" else np.nanmedian
    others = np.full(ratings.shape, np.nan)
    for at in range(ratings.shape[1]):
        rest = np.delete(ratings, at, axis=1)
        rows = known[:, at]
        others[rows, at] = over(rest[rows], axis=1)
    reference = others >= treated
    judged = known & (judge >= treated)[:, None]
    return Beside(
        _at_cut(reference, judged, sample), _at_cut(reference, known & (ratings >= treated), sample)
    )


def _at_cut(reference: BoolArray, found: BoolArray, sample: Sampled) -> AtCut:
    both = reference & found
    hits = both.sum(axis=1)
    return AtCut(*(_share(hits, cases.sum(axis=1), sample) for cases in (reference, found)))


def _share(hits: FloatArray, cases: FloatArray, sample: Sampled) -> Quantity:
    """Return a ratio of sums over units: hits among cases, arrays of shape (n,)."""
    every = sample.mean(cases)
    if every == 0:
        return nothing()
    value = sample.mean(hits) / every
    weight = sample.weight * cases
    effective = float(weight.sum() ** 2 / (sample.weight**2 @ cases))
    if not 0 < value < 1:
        return share(round(value), np.zeros(len(sample.user)), effective)
    slope = every * value * (1 - value)
    return share(value, sample.lift((hits - value * cases) / slope), effective)
