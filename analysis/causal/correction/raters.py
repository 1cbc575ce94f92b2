"""The corrected effect with one rater for each score, with two, and so on.

Who counts as treated depends on how many raters are averaged: a mean of three is rarely extreme. So
the number of raters and the aggregate belong to the estimand, and the estimates may differ although
each is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.correction.checks import check_labels
from analysis.causal.correction.estimates import JudgeSide, corrected_estimate
from analysis.causal.units import TREATED, Labels
from prereg.errors import RatifyError

Aggregate = Literal["mean", "median"]


@dataclass(frozen=True)
class AtRaters:
    """The corrected effect at a number of raters.

    Attributes
    ----------
    raters : int
        For each score.
    corrected : Estimate
        The mean over all choices of so many raters.
    treated : float
        The share of units that so many raters put into the treated arm, weighted by inverse
        inclusion probability.
    choices : int
        Ways to choose so many raters from those there are.
    """

    raters: int
    corrected: Estimate
    treated: float
    choices: int


def by_raters(
    side: JudgeSide,
    treatment: FloatArray,
    outcome: FloatArray,
    inclusion: FloatArray,
    stratum: IntArray,
    *,
    aggregate: Aggregate = "mean",
    level: float = 0.95,
) -> list[AtRaters]:
    """Return the corrected effect at 1, 2, ... raters for each score.

    Parameters
    ----------
    side : JudgeSide
        Of `estimates.judge_side`.
    treatment, outcome : array of shape (n, k)
        Ratings of single people; NaN where nobody rated. A unit's first rating may be anyone's.
    inclusion, stratum : array of shape (n,)
        As in `Labels`.
    aggregate : {'mean', 'median'}
    level : float

    Returns
    -------
    list of AtRaters
        Up to the fewest ratings that a score of a labelled unit has.

    Raises
    ------
    RatifyError
        What `checks.check_labels` refuses, for any choice of raters; or if no unit has a rating on
        both scores.
    """
    first, second = _to_the_left(treatment), _to_the_left(outcome)
    counts = np.minimum((~np.isnan(first)).sum(axis=1), (~np.isnan(second)).sum(axis=1))
    labelled = counts > 0
    if not labelled.any():
        raise RatifyError(
            "no unit has a rating of both scores by people",
            column="ratings",
            allowed="units rated on both scores",
        )
    most = int(counts[labelled].min())
    found = []
    for raters in range(1, most + 1):
        effects, influences, shares = [], [], []
        for chosen in combinations(range(most), raters):
            labels = Labels(
                _aggregated(first, chosen, labelled, aggregate),
                _aggregated(second, chosen, labelled, aggregate),
                inclusion,
                stratum,
            )
            check_labels(side.frame, labels, side.cuts)
            one, _ = corrected_estimate(side, labels, level=level)
            effects.append(one.value)
            influences.append(one.influence)
            treated = side.cuts.arms(labels.treatment) == TREATED
            shares.append(float(labels.weights @ treated / labels.weights.sum()))
        influence = np.mean(influences, axis=0)
        estimate = from_influence(float(np.mean(effects)), influence, side.frame.user, level=level)
        found.append(AtRaters(raters, estimate, float(np.mean(shares)), len(effects)))
    return found


def raters_frame(found: list[AtRaters]) -> pd.DataFrame:
    """Return one row per number of raters."""
    return pd.DataFrame(
        [
            {
                "raters": one.raters,
                "value": one.corrected.value,
                "se": one.corrected.se,
                "low": one.corrected.low,
                "high": one.corrected.high,
                "df": one.corrected.df,
                "level": one.corrected.level,
                "n": one.corrected.n,
                "clusters": one.corrected.clusters,
                "treated_share": one.treated,
                "choices": one.choices,
            }
            for one in found
        ]
    )


def _to_the_left(ratings: FloatArray) -> FloatArray:
    """Return ratings with each unit's missing ones last; the order of the others stays."""
    order = np.argsort(np.isnan(ratings), axis=1, kind="stable")
    return np.take_along_axis(ratings, order, axis=1)


def _aggregated(
    ratings: FloatArray, chosen: tuple[int, ...], labelled: BoolArray, aggregate: Aggregate
) -> FloatArray:
    """Return the aggregate of some columns; NaN for units that are not labelled on both scores."""
    values = np.full(len(ratings), np.nan)
    used = ratings[labelled][:, list(chosen)]
    values[labelled] = used.mean(axis=1) if aggregate == "mean" else np.median(used, axis=1)
    return values
