"""How often people choose what other people choose, beside how often a judge does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.evidence.evidence import Evidence
from analysis.inference.crossed_errors import SINGLE, Estimate, crossed_mean
from analysis.inference.trial_errors import clusters_of, share_of
from analysis.ranking import bradley_terry
from analysis.tables.columns import without_ties
from prereg.analyses.clusters import RATER_AND_ITEMS
from prereg.errors import RatifyError

# With fewer comparisons by two people, or fewer people, there is no yardstick of that kind.
FEWEST_COMPARISONS, FEWEST_PEOPLE, FOLDS = 30, 20, 5
PAIRS = "people with each other"
OTHERS = "the ranking by the other people"


@dataclass(frozen=True)
class Beside:
    """A judge's and people's agreement on the same answers, as shares.

    Attributes
    ----------
    judge, people, difference : tuple of float
        Estimate and interval.
    what : str
        What people's number is: `PAIRS`, or `OTHERS` where no comparison was made twice.
    n : int
        Answers of people that were used.
    people_tied, judge_tied : int
        Answers that were left out: ties of people, and those of the rest where the judge's answers
        to the comparison were ties, or undecided.
    se : float
        Standard error of the difference; NaN without an interval.
    clusters, items : int
        Raters (or visits, or sequences) and items of these answers.
    note : str
        Why the difference has no interval; empty if it has one.
    """

    judge: tuple[float, float, float]
    people: tuple[float, float, float]
    difference: tuple[float, float, float]
    what: str
    n: int
    people_tied: int = 0
    judge_tied: int = 0
    se: float = math.nan
    clusters: int = 0
    items: int = 0
    note: str = ""

    @property
    def ties(self) -> bool:
        """Whether people's ties were left out."""
        return self.people_tied > 0


def yardstick_of(evidence: Evidence) -> tuple[pd.Series, str]:
    """Return, for each decided answer of people, how far other people agree with it, and by what.

    Where enough comparisons were made by two people, it is the share of the others who chose the
    same; otherwise whether the side is ahead in the Bradley-Terry ranking by four fifths of the
    people, without this person. NaN where nothing is known.
    """
    people = without_ties(evidence.people)
    key = _pair(people)
    won = people["left_id"].where(people["choice"] == "left", people["right_id"])
    n = key.groupby(key).transform("size")
    same = won.groupby([key, won]).transform("size")
    if key[n > 1].nunique() >= FEWEST_COMPARISONS:
        return ((same - 1) / (n - 1)).where(n > 1), PAIRS
    return _by_others(people, won, evidence.plan.ranking.ridge), OTHERS


def _pair(people: pd.DataFrame) -> pd.Series:
    low = people["left_id"].where(people["left_id"] < people["right_id"], people["right_id"])
    high = people["right_id"].where(people["left_id"] < people["right_id"], people["left_id"])
    return people["scenario"].astype(str) + "\x1f" + low + "\x1f" + high


def _by_others(people: pd.DataFrame, won: pd.Series, ridge: float) -> pd.Series:
    raters = sorted(people["rater_id"].unique())
    found = pd.Series(np.nan, index=people.index)
    if len(raters) < FEWEST_PEOPLE:
        return found
    fold = people["rater_id"].map({rater: n % FOLDS for n, rater in enumerate(raters)})
    for part in range(FOLDS):
        try:
            frame = bradley_terry(people[fold != part], ridge=ridge).frame
        except RatifyError:
            continue
        score = frame.set_index("item_id")["score"]
        mine = people[fold == part]
        gap = mine["left_id"].map(score) - mine["right_id"].map(score)
        left = won[mine.index] == mine["left_id"]
        found[mine.index] = np.where(gap == 0, 0.5, (gap > 0) == left)
        found[mine.index] = found[mine.index].where(gap.notna())
    return found


def beside_people(
    evidence: Evidence,
    trials: pd.DataFrame,
    known: pd.Series,
    what: str,
    *,
    cluster: str = RATER_AND_ITEMS,
    level: float = 0.95,
) -> Beside | None:
    """Return a judge's agreement with people beside people's own; None if too little is shared.

    Parameters
    ----------
    evidence : Evidence
    trials : DataFrame
        The judge's answers.
    known, what
        From `yardstick_of`.
    cluster : str
        As in `trial_errors.clusters_of`.
    level : float

    Notes
    -----
    Ties of people, and comparisons in which the judge's answers are ties or undecided, are left
    out of all three numbers. Two answers to one comparison hold the same items, so that errors by
    items count what they have in common.
    """
    people = without_ties(evidence.people)
    pairs = _pair(people)
    chosen = _majority_winner(trials).reindex(pairs).to_numpy(dtype=object)
    won = people["left_id"].where(people["choice"] == "left", people["right_id"]).to_numpy()
    usable = known.notna().to_numpy() & pd.notna(chosen)
    if usable.sum() < FEWEST_COMPARISONS:
        return None
    own = (chosen[usable] == won[usable]).astype(float)
    theirs = known.to_numpy(dtype=float)[usable]
    used = people[usable]
    clusters = clusters_of(used, cluster)
    apart = own - theirs
    error = crossed_mean(apart - apart.mean(), clusters)
    alone = any(SINGLE.format(name) in error.note for name in clusters)
    judge, others = (_share(values, clusters, level, alone=alone) for values in (own, theirs))
    return Beside(
        judge,
        others,
        _interval(float(apart.mean()), error, level),
        what,
        len(used),
        people_tied=len(evidence.people) - len(people),
        judge_tied=int((pairs.isin(_pair(trials)).to_numpy() & pd.isna(chosen)).sum()),
        se=error.se,
        clusters=int(next(iter(clusters.values())).max()) + 1,
        items=int(pd.concat([used["left_id"], used["right_id"]]).nunique()),
        note=error.note,
    )


def _share(
    values: FloatArray, clusters: Mapping[str, IntArray], level: float, *, alone: bool
) -> tuple[float, float, float]:
    """Return a share; without an interval if one rater or item alone is in every answer."""
    found = share_of(values, clusters, level=level)
    return (
        (found.estimate, math.nan, math.nan) if alone else (found.estimate, found.low, found.high)
    )


def _interval(estimate: float, error: Estimate, level: float) -> tuple[float, float, float]:
    if math.isnan(error.se):
        return estimate, math.nan, math.nan
    half = float(student.ppf((1 + level) / 2, error.df)) * error.se
    return estimate, estimate - half, estimate + half


def _majority_winner(trials: pd.DataFrame) -> pd.Series:
    """Return which item a judge prefers in each comparison; ties are left out."""
    trials = without_ties(trials)
    won = trials["left_id"].where(trials["choice"] == "left", trials["right_id"])
    counts = pd.DataFrame({"pair": _pair(trials), "won": won}).value_counts().reset_index()
    top = counts.sort_values("count", ascending=False, kind="stable")
    most = top.groupby("pair")["count"].transform("max") == top["count"]
    top = top[most]
    return top[~top["pair"].duplicated(keep=False)].set_index("pair")["won"]
