"""Makes one judge of several: the mean, the median or the majority of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.tables.columns import numbers, one_of, require_columns

RULES = ("mean", "median", "majority")
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

    A judge has one vote for a pair as its sides lie: its own majority, or, if it was only asked
    with the sides exchanged, its answer to that.

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
    sides = mine["choice"].map({"left": 1.0, "right": 0.0}).astype(float)
    chosen = mine.assign(left=sides.fillna(0.5))  # a judge that says neither has no vote
    votes = chosen.pivot_table(index=keys, columns="rater_id", values="left", aggfunc="mean")
    votes = votes.reindex(columns=list(of))
    turned = votes.index.to_frame(index=False)
    turned[_PAIR] = turned[_PAIR[::-1]].to_numpy()
    other = votes.reindex(pd.MultiIndex.from_frame(turned)).to_numpy(dtype=float)
    own = votes.to_numpy(dtype=float)
    own = np.where(np.isnan(own), 1 - other, own)
    answered = ~np.isnan(own) & (own != 0.5)
    enough = 2 * answered.sum(axis=1) > len(of)
    lead = np.where(answered, np.sign(np.nan_to_num(own) - 0.5), 0.0).sum(axis=1)
    decided = enough & (lead != 0)
    frame = votes.index.to_frame(index=False)
    frame["choice"] = np.where(lead > 0, "left", "right")
    return Combined(
        frame=frame[decided].reset_index(drop=True),
        asked=len(frame),
        undecided=int((enough & (lead == 0)).sum()),
        lacking=int((~enough).sum()),
    )
