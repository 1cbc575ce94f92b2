"""How often people choose what other people choose, beside how often a judge does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import FloatArray
from analysis.evidence.evidence import Evidence
from analysis.ranking import bradley_terry
from analysis.tables.columns import without_ties
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
    ties : bool
        Whether people's ties were left out.
    """

    judge: tuple[float, float, float]
    people: tuple[float, float, float]
    difference: tuple[float, float, float]
    what: str
    n: int
    ties: bool = False


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
    evidence: Evidence, trials: pd.DataFrame, known: pd.Series, what: str, *, level: float = 0.95
) -> Beside | None:
    """Return a judge's agreement with people beside people's own; None if nothing is shared.

    Ties of people, and comparisons in which most answers of the judge are ties, are left out.
    Errors are clustered by rater, and by comparison too where people are compared with each other;
    the larger of the two counts.
    """
    people = without_ties(evidence.people)
    chosen = _majority_winner(trials).reindex(_pair(people)).to_numpy(dtype=object)
    won = people["left_id"].where(people["choice"] == "left", people["right_id"]).to_numpy()
    usable = known.notna().to_numpy() & pd.notna(chosen)
    if usable.sum() < FEWEST_COMPARISONS:
        return None
    own = (chosen[usable] == won[usable]).astype(float)
    theirs = known.to_numpy(dtype=float)[usable]
    clusters = [people["rater_id"].to_numpy()[usable]]
    clusters += [_pair(people).to_numpy()[usable]] if what == PAIRS else []
    three = [_mean(values, clusters, level) for values in (own, theirs, own - theirs)]
    ties = len(people) < len(evidence.people)
    return Beside(three[0], three[1], three[2], what, int(usable.sum()), ties)


def _majority_winner(trials: pd.DataFrame) -> pd.Series:
    """Return which item a judge prefers in each comparison; ties are left out."""
    trials = without_ties(trials)
    won = trials["left_id"].where(trials["choice"] == "left", trials["right_id"])
    counts = pd.DataFrame({"pair": _pair(trials), "won": won}).value_counts().reset_index()
    top = counts.sort_values("count", ascending=False, kind="stable")
    most = top.groupby("pair")["count"].transform("max") == top["count"]
    top = top[most]
    return top[~top["pair"].duplicated(keep=False)].set_index("pair")["won"]


def _mean(
    values: FloatArray, clusters: list[np.ndarray], level: float
) -> tuple[float, float, float]:
    """Return a mean with a t interval, by the kind of cluster with the larger error."""
    mean = float(values.mean())
    half = 0.0
    for names in clusters:
        sums = pd.Series(values - mean).groupby(names).sum().to_numpy()
        g = len(sums)
        if g < 2:
            return mean, math.nan, math.nan
        error = math.sqrt(float((sums**2).sum()) * g / (g - 1)) / len(values)
        half = max(half, float(student.ppf((1 + level) / 2, g - 1)) * error)
    return mean, mean - half, mean + half
