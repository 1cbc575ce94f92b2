"""Makes one judge of several: the mean, the median or the majority of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.tables.columns import TIE, numbers, one_of, require_columns

RULES = ("mean", "median", "majority")
CHOICES = ("left", "right", TIE)
_PAIR = ["left_id", "right_id"]


@dataclass(frozen=True, kw_only=True)
class Combined:
    """The answers of a panel.

    Attributes
    ----------
    frame : DataFrame
        Its ratings (`item_id, dimension, value`) or choices (`left_id, right_id, choice`).
    asked : int
        How many ratings or pairs at least one of its judges answered.
    undecided : int
        Ties of a majority among them; they are not in the frame.
    lacking : int
        Those that half of the judges or fewer answered; they are not in the frame either.
    """

    frame: pd.DataFrame = field(repr=False)
    asked: int
    undecided: int
    lacking: int


def combined_ratings(ratings: pd.DataFrame, *, of: Sequence[str], rule: str) -> Combined:
    """Return one rating for each item and dimension that more than half of some judges rated.

    Parameters
    ----------
    ratings : DataFrame
        Tidy: `rater_id, item_id, dimension, value`; rows of other raters are ignored.
    of : sequence of str
        The judges of the panel.
    rule : {'mean', 'median', 'majority'}
        Majority is the most frequent rating; if several are, the rating is undecided.

    Raises
    ------
    RatifyError
        If a column is missing or the rule is not known.
    """
    require_columns(ratings, "rater_id", "item_id", "dimension", "value")
    one_of("rule", rule, RULES)
    mine = ratings[ratings["rater_id"].isin(list(of))]
    mine = mine.assign(value=np.asarray(numbers(mine, "value"), dtype=float)).dropna(
        subset=["value"]
    )
    wide = mine.pivot_table(
        index=["item_id", "dimension"], columns="rater_id", values="value", aggfunc="mean"
    )
    values = wide.reindex(columns=list(of)).to_numpy(dtype=float)
    enough = 2 * (~np.isnan(values)).sum(axis=1) > len(of)
    made = np.full(len(values), np.nan)
    if enough.any():
        some = values[enough]
        made[enough] = (
            np.nanmean(some, axis=1)
            if rule == "mean"
            else np.nanmedian(some, axis=1)
            if rule == "median"
            else np.array([_most_frequent(row) for row in some])
        )
    frame = wide.index.to_frame(index=False).assign(value=made)
    return Combined(
        frame=frame[~np.isnan(made)].reset_index(drop=True),
        asked=len(values),
        undecided=int((enough & np.isnan(made)).sum()),
        lacking=int((~enough).sum()),
    )


def _most_frequent(row: FloatArray) -> float:
    """Return the most frequent value; NaN if several are equally frequent."""
    values, counts = np.unique(row[~np.isnan(row)], return_counts=True)
    most = counts == counts.max()
    return float(values[most][0]) if most.sum() == 1 else float("nan")


def combined_choices(judgments: pd.DataFrame, *, of: Sequence[str]) -> Combined:
    """Return the majority's choice for each pair that more than half of some judges answered.

    A judge has one vote for a pair as its sides lie: what it said most of the time, or, if it was
    only asked with the sides exchanged, its answer to that. A tie is an answer of its own; a judge
    that said several things equally often has no vote.

    Parameters
    ----------
    judgments : DataFrame
        Tidy: `rater_id, left_id, right_id, choice`, and `scenario` if there is one; rows of other
        raters are ignored.
    of : sequence of str
        The judges of the panel.

    Raises
    ------
    RatifyError
        If a column is missing.
    """
    require_columns(judgments, "rater_id", *_PAIR, "choice")
    mine = judgments[judgments["rater_id"].isin(list(of))]
    keys = ["scenario"] * ("scenario" in mine) + _PAIR
    said = [mine.assign(said=(mine["choice"] == word).astype(float)) for word in CHOICES]
    tables = [
        each.pivot_table(index=keys, columns="rater_id", values="said", aggfunc="sum").reindex(
            columns=list(of)
        )
        for each in said
    ]
    pairs = tables[0].index
    turned = pairs.to_frame(index=False)
    turned[_PAIR] = turned[_PAIR[::-1]].to_numpy()
    back = [tables[1], tables[0], tables[2]]  # left is right with the sides exchanged
    own = np.stack([each.to_numpy(dtype=float) for each in tables])
    other = np.stack([t.reindex(pd.MultiIndex.from_frame(turned)).to_numpy(float) for t in back])
    votes = _most_said(np.where(np.isnan(own), other, own))
    counts = votes.sum(axis=2)
    enough = 2 * counts.sum(axis=0) > len(of)
    decided = enough & ((counts == counts.max(axis=0)).sum(axis=0) == 1)
    frame = pairs.to_frame(index=False)
    frame["choice"] = np.array(CHOICES, dtype=object)[counts.argmax(axis=0)]
    return Combined(
        frame=frame[decided].reset_index(drop=True),
        asked=len(frame),
        undecided=int((enough & ~decided).sum()),
        lacking=int((~enough).sum()),
    )


def _most_said(times: FloatArray) -> BoolArray:
    """Return what each judge said most often, none if several: shape (answers, pairs, judges)."""
    times = np.nan_to_num(times)
    most = times.max(axis=0)
    first = (times == most) & (most > 0)
    return np.asarray(first & (first.sum(axis=0) == 1))
