"""Selects a judge's answers for the tests of its habits; each question counts once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.inference.resampling import row_means
from analysis.tables import columns

# The columns of a pair as it was asked.
PAIR = ["scenario", "left_id", "right_id"]
TRIALS, REVERSED = "trial", "reversed"
# A tie, where 1 is a choice of the left and 0 of the right.
HALF = 0.5
ORIGINAL, SWAP, REPEAT, WORDING, PERTURBATION = (
    "original",
    "swap",
    "repeat",
    "wording",
    "perturbation",
)


def judges_of(*frames: pd.DataFrame) -> dict[str, str]:
    """Return every rater that is not a person, with its kind: LLMs first, then by name."""
    found: dict[str, str] = {}
    for frame in frames:
        if not frame.empty:
            rows = frame.loc[frame["rater_kind"] != "human", ["rater_id", "rater_kind"]]
            for rater, kind in rows.drop_duplicates().itertuples(index=False):
                found.setdefault(str(rater), str(kind))
    return dict(sorted(found.items(), key=lambda each: (each[1] != "llm", each[0])))


def of_judge(frame: pd.DataFrame, judge: str) -> pd.DataFrame:
    """Return the rows of one judge; a person may have the same id."""
    if frame.empty:
        return frame
    return frame[(frame["rater_id"] == judge) & (frame["rater_kind"] != "human")]


def people_of(frame: pd.DataFrame, mode: str | None) -> pd.DataFrame:
    """Return the rows of people in one mode, without attention checks."""
    if frame.empty:
        return frame
    kept = frame["rater_kind"] == "human"
    if mode is not None and "mode" in frame:
        kept &= frame["mode"] == mode
    if "is_attention_check" in frame:
        kept &= ~columns.flags(frame, "is_attention_check")
    return frame[kept]


def pair_probes(probes: pd.DataFrame, judge: str) -> pd.DataFrame:
    """Return a judge's probes of pairs: `unit`, `probe`, `variant`, and the pair with its answer.

    `chosen` is the item chosen, empty at a tie; it does not change with the sides.
    """
    mine = of_judge(probes, judge)
    if mine.empty:
        return pd.DataFrame(columns=["unit", "probe", "variant", *PAIR, "choice", "left", "chosen"])
    mine = mine[~columns.missing(mine["left_id"])]
    asked = _asked(mine, np.zeros(len(mine), dtype=bool))
    names = {name: _plain(mine[name]) for name in ("unit", "probe", "variant", "choice")}
    chosen = asked["left_id"].where(asked["left"] == 1, asked["right_id"])
    chosen = chosen.mask(asked["left"] == HALF, "")
    return asked.drop(columns="turned").assign(**names, chosen=chosen)


def item_probes(probes: pd.DataFrame, judge: str) -> pd.DataFrame:
    """Return a judge's probes of items: `unit`, `probe`, `variant`, `dimension`, `value`."""
    mine = of_judge(probes, judge)
    if mine.empty:
        return pd.DataFrame(columns=["unit", "probe", "variant", "item_id", "dimension", "value"])
    mine = mine[~columns.missing(mine["item_id"])]
    return mine.assign(value=columns.numbers(mine, "value")).dropna(subset=["value"])


def questions(judgments: pd.DataFrame, probes: pd.DataFrame, judge: str) -> pd.DataFrame:
    """Return each question that a judge was asked in the original wording, each way round, once.

    Parameters
    ----------
    judgments : DataFrame
        Tidy judgments; those with purpose `trial` or `reversed` count, or all without purposes.
    probes : DataFrame
        Tidy probes; `original` and `swap` of pairs count.
    judge : str
        Its `rater_id`.

    Returns
    -------
    DataFrame
        The pair as asked (`scenario`, `left_id`, `right_id`), `left` (1 if left was chosen, 0 if
        right was, 1/2 for a tie), and `turned` where it was asked with the sides of people's trial
        exchanged. Trials that show the same pair on the same sides are one question, which the
        judge is asked once; if a table has several answers to it, the first counts.
    """
    mine = of_judge(judgments, judge)
    parts = []
    if not mine.empty:
        kept = np.ones(len(mine), dtype=bool)
        turned = np.zeros(len(mine), dtype=bool)
        if "purpose" in mine:
            purpose = mine["purpose"].where(~columns.missing(mine["purpose"]), TRIALS)
            kept = purpose.isin([TRIALS, REVERSED]).to_numpy(bool)
            turned = purpose.eq(REVERSED).to_numpy(bool)
        if "is_attention_check" in mine:
            kept = kept & ~columns.flags(mine, "is_attention_check")
        parts.append(_asked(mine, turned)[kept])
    asked = pair_probes(probes, judge)
    if not asked.empty:
        kept = asked["probe"].isin([ORIGINAL, SWAP]).to_numpy(bool)
        parts.append(_asked(asked, asked["probe"].eq(SWAP).to_numpy(bool))[kept])
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=[*PAIR, "left", "turned"])
    every = pd.concat(parts, ignore_index=True)
    # if both ways round are trials, neither is the exchange of the other
    return every.sort_values("turned", kind="stable").drop_duplicates(PAIR)


def _asked(frame: pd.DataFrame, turned: BoolArray) -> pd.DataFrame:
    """Return pairs with their answers, in types that are quick to compare."""
    ids = {name: _plain(frame[name]) for name in ("left_id", "right_id")}
    scenario = _plain(_scenario(frame))
    return pd.DataFrame(
        {"scenario": scenario, **ids, "left": columns.left_share(frame), "turned": turned}
    )


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return text as plain objects, which are quick to compare in small tables."""
    return pd.Series(values.to_numpy(dtype=object), dtype=object)


@dataclass(frozen=True)
class Turned:
    """Pairs that were asked both ways round; `first` and `second` are 1 where left was chosen.

    They are 0 where right was chosen, and 1/2 at a tie.
    """

    pairs: pd.DataFrame
    first: FloatArray
    second: FloatArray

    @property
    def same_item(self) -> BoolArray:
        """Where both answers say the same: one item, or a tie both times."""
        return np.asarray(self.first + self.second == 1)

    @property
    def decided(self) -> BoolArray:
        """Where neither answer is a tie."""
        return np.asarray((self.first != HALF) & (self.second != HALF))


def asked_both_ways(asked: pd.DataFrame) -> Turned:
    """Return the pairs among the questions that were asked both ways round, each once."""
    if asked.empty:
        return Turned(asked, np.zeros(0), np.zeros(0))
    pairs = pd.MultiIndex.from_frame(asked[PAIR])
    left = pd.Series(asked["left"].to_numpy(np.float64), index=pairs)
    turned = left.reindex(pairs.reorder_levels([0, 2, 1])).to_numpy()
    known = ~np.isnan(turned)
    ids = asked[["left_id", "right_id"]].to_numpy(dtype=str)
    one_way = known & (ids[:, 0] < ids[:, 1])
    return Turned(asked[one_way], left.to_numpy()[one_way], turned[one_way])


def answers_to(pairs: pd.MultiIndex, asked: pd.DataFrame) -> FloatArray:
    """Return how often a judge chose the left item of each pair, whichever way it was asked.

    A tie is half a choice of each item.

    If a pair was asked both ways round, this is the mean of the two, so that a preference for a
    side cancels; NaN if it was never asked.
    """
    if asked.empty or len(pairs) == 0:
        return np.full(len(pairs), np.nan)
    left = asked["left"].to_numpy(dtype=np.float64)
    straight = pd.MultiIndex.from_frame(asked[PAIR])
    both = [
        np.where(place < 0, np.nan, chosen[place])
        for place, chosen in (
            (straight.get_indexer(pairs), left),
            (straight.reorder_levels([0, 2, 1]).get_indexer(pairs), 1 - left),
        )
    ]
    return row_means(np.column_stack(both))


def _scenario(frame: pd.DataFrame) -> pd.Series[Any]:
    if "scenario" not in frame:
        return pd.Series("", index=frame.index, dtype=object)
    return frame["scenario"].astype(object).where(frame["scenario"].notna(), "")
