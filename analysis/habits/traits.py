"""Length and authorship: whether a judge favours longer texts, or its own, more than people do."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.habits.beyond_people import Beyond, beyond_people
from analysis.habits.measure import ODDS, ODDS_PER_DOUBLING, Habit, Measure
from analysis.habits.votes import Votes
from analysis.inference.trial_errors import PAIRS_AND_ITEMS, share_of
from analysis.results.factors import from_log

_WORD = re.compile(r"\w+")
# Han, kana, Thai, Lao, Burmese, Khmer: scripts without spaces between words.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
AT_ODDS = (
    "logit of the judge's answer beside that of a person's vote, both on the score by all other "
    "raters; dyadic clusters of items, and raters; Fieller's interval, t"
)


def sizes_of(texts: pd.Series[str]) -> pd.Series[float]:
    """Return the length of each text in words, or in letters for a script without spaces."""
    whole = [str(text) for text in texts]
    letters = [sum(map(len, _WORD.findall(text))) for text in whole]
    unspaced = sum(len(_UNSPACED.findall(text)) for text in whole)
    if unspaced <= sum(letters) / 2:
        letters = [len(_WORD.findall(text)) for text in whole]
    return pd.Series(np.maximum(letters, 1), index=texts.index, dtype=float)


def doublings_of(votes: Votes, items: pd.DataFrame) -> FloatArray:
    """Return the log2 of the ratio of lengths, left over right, of every vote's pair.

    Parameters
    ----------
    votes : Votes
    items : DataFrame
        `item_id`, `text`; the whole text counts, as the judge saw it. NaN where an item is absent.
    """
    if items.empty:
        return np.full(len(votes.left), np.nan)
    sizes = sizes_of(items["text"]).to_numpy()
    return _differences(votes, pd.Series(np.log2(sizes), index=items["item_id"].astype(str)))


def length(votes: Votes, answer: FloatArray, doublings: FloatArray, *, judge: str) -> Habit:
    """Return whether a judge favours the longer text more than people do.

    Parameters
    ----------
    votes : Votes
        Of people; see `votes_of`.
    answer : array
        The judge's answers to their pairs; see `answers_to`.
    doublings : array
        How much longer left is than right; see `doublings_of`.
    judge : str

    Returns
    -------
    Habit
        `length`: the factor on the odds of being chosen for twice the length, in a pair with equal
        scores by people (tested against 1, see `beyond_people`); `longer` and `longer by people`:
        how often the longer text is chosen on the same trials. These two only describe: a judge
        that follows people's taste more closely than one person does chooses longer texts more
        often, and rightly so if people like them better.
    """
    return _trait(
        votes,
        answer,
        doublings,
        judge=judge,
        habit="length",
        labels=(
            f"Twice the length multiplies the odds of {judge}'s choice, beyond people, by",
            f"{judge} chooses the longer text",
            "People choose the longer text on the same trials",
        ),
        unit=ODDS_PER_DOUBLING,
    )


def own(
    votes: Votes,
    answer: FloatArray,
    items: pd.DataFrame,
    *,
    judge: str,
    column: str,
    values: Collection[str],
) -> Habit:
    """Return whether a judge favours the texts that its own model wrote, more than people do.

    Parameters
    ----------
    votes, answer, judge
        As in `length`.
    items : DataFrame
        `item_id` and the column of authors.
    column : str
        The items' column of authors.
    values : collection of str
        The values in it that mean the judge's own model.

    Returns
    -------
    Habit
        `own`: the factor on the odds of being chosen for its own text, in a pair with equal scores
        by people (tested against 1); `owned` and `owned by people`: how often the own text is
        chosen on the same trials.
    """
    mine = pd.Series(
        items[column].isin(list(values)).to_numpy(float), index=items["item_id"].astype(str)
    )
    return _trait(
        votes,
        answer,
        _differences(votes, mine),
        judge=judge,
        habit="own",
        labels=(
            f"Being its own text multiplies the odds of {judge}'s choice, beyond people, by",
            f"{judge} chooses its own text",
            f"People choose {judge}'s own text on these trials",
        ),
        unit=ODDS,
    )


def _differences(votes: Votes, by_item: pd.Series[float]) -> FloatArray:
    """Return a trait's difference, left minus right, of every vote's pair."""
    sides = [
        by_item.reindex(votes.pairs.get_level_values(name)) for name in ("left_id", "right_id")
    ]
    return np.asarray(sides[0].to_numpy() - sides[1].to_numpy(), dtype=np.float64)


def _trait(
    votes: Votes,
    answer: FloatArray,
    trait: FloatArray,
    *,
    judge: str,
    habit: str,
    labels: tuple[str, str, str],
    unit: str,
) -> Habit:
    """Return the three numbers of a trait."""
    found = beyond_people(votes, answer, trait)
    return Habit(
        judge,
        habit,
        (
            Measure(
                judge=judge,
                habit=habit,
                what=habit,
                label=labels[0],
                honest=1.0,
                estimate=from_log(found.estimate),
                low=from_log(found.low),
                high=from_log(found.high),
                p_value=found.p_value,
                n=found.n,
                clusters=found.items,
                unit_of_n="votes by people",
                method=AT_ODDS,
                unit=unit,
                accuses=True,
                endless=found.endless,
                note=found.note,
            ),
            *_shares(votes, answer, trait, found, judge=judge, habit=habit, labels=labels[1:]),
        ),
    )


def _shares(
    votes: Votes,
    answer: FloatArray,
    trait: FloatArray,
    found: Beyond,
    *,
    judge: str,
    habit: str,
    labels: tuple[str, str],
) -> list[Measure]:
    """Return how often judge and people choose the side with more of a trait."""
    open_ = ~np.isnan(answer) & ~np.isnan(trait)
    open_[open_] = trait[open_] != 0
    more = trait[open_] > 0
    judges = np.where(more, answer[open_], 1 - answer[open_])
    people = np.where(more, votes.chose_left[open_], 1 - votes.chose_left[open_])
    common: dict[str, Any] = {
        "judge": judge,
        "habit": habit,
        "unit": "proportion",
        "note": "" if open_.any() else found.note or "No pair differs in this trait.",
    }
    ends = np.sort(np.column_stack([votes.left[open_], votes.right[open_]]), axis=1)
    pair = ends[:, 0] * (int(ends.max(initial=0)) + 1) + ends[:, 1]
    what = {"length": "longer", "own": "owned"}[habit]
    once = np.unique(pair, return_index=True)[1]
    of_judge = share_of(_means(judges, pair), {"item": ends[once]})
    of_people = share_of(people, {"rater": votes.rater[open_], "item": ends})
    return [
        Measure(
            what=what,
            label=labels[0],
            estimate=of_judge.estimate,
            low=of_judge.low,
            high=of_judge.high,
            n=of_judge.units,
            unit_of_n="pairs",
            method=f"share of pairs; {PAIRS_AND_ITEMS}",
            **common,
        ),
        Measure(
            what=f"{what} by people",
            label=labels[1],
            estimate=of_people.estimate,
            low=of_people.low,
            high=of_people.high,
            n=of_people.units,
            unit_of_n="votes by people",
            method="share of votes; errors by rater and by both items, Wilson's interval of the "
            "effective number",
            **common,
        ),
    ]


def _means(values: FloatArray, keys: IntArray) -> FloatArray:
    """Return the mean of the values of every key."""
    if len(values) == 0:
        return values
    place = np.unique(keys, return_inverse=True)[1]
    return np.bincount(place, values) / np.bincount(place)
