"""Says what judgments show of an advantage of the left side, and refuses what they cannot show.

An advantage may exist by the ridge alone, or rest on the scores of items that were never shown the
other way round. Neither can be seen in the number itself.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.ranking.result import Ranking
from analysis.ranking.table_errors import NO_WIDTH
from analysis.results.words import counted
from analysis.tables import columns
from prereg.errors import RatifyError
from prereg.tables.contract import SIDES

LEFT, RIGHT = SIDES
OPTION = "--side-advantage"
# What the advantage is where no pair was shown both ways round.
ALONE = (
    "the advantage of the left side rests on transitivity alone (if A beats B and B beats C, A "
    "beats C by the sum of both leads), which these judgments cannot check"
)
# So few judgments may all go to one side by chance.
FEW_JUDGMENTS = 10
UNBOUNDED = "these judgments set no limit to an advantage of the left side"


def require_both_sides(judgments: pd.DataFrame) -> None:
    """Raise `RatifyError` where one side won every judgment, so that its advantage is infinite."""
    chosen = set(judgments["choice"])
    for won, lost in ((LEFT, RIGHT), (RIGHT, LEFT)):
        if chosen == {won}:
            raise RatifyError(
                f"the {won} side won every judgment, so its advantage has no finite estimate",
                allowed=f"judgments that the {lost} side won too, or no {OPTION}",
            )


def one_side(judgments: pd.DataFrame) -> list[str]:
    """Return a caution where one side won every judgment, so that scores may be places."""
    won = set(judgments["choice"])
    if len(won) > 1 or not won <= set(SIDES) or len(judgments) < FEW_JUDGMENTS:
        return []
    return [
        f"caution: the {won.pop()} side won every judgment, so these scores may show where items "
        "stood and not what raters thought of them"
    ]


def require_bounded_side(judgments: pd.DataFrame, *, by: str | None) -> None:
    """Raise `RatifyError` where only the ridge keeps an advantage of the left side finite."""
    if not is_bounded(judgments, by=by):
        raise RatifyError(
            f"{UNBOUNDED}: only the ridge would keep it finite",
            allowed=f"more judgments of the same pairs with the sides exchanged, or no {OPTION}",
        )


def is_bounded(judgments: pd.DataFrame, *, by: str | None) -> bool:
    """Return whether the likelihood falls as an advantage of the left side grows either way.

    Parameters
    ----------
    judgments : DataFrame
        `choice` is left, right or tie; a tie counts as a win of each side.
    by : str, optional
        The column within which an id is one item.

    Notes
    -----
    The log-odds that left wins are s_left - s_right + d. Without a ridge, d can grow without limit
    if scores can grow beside it so that no judgment becomes less likely: s_loser <= s_winner + d
    wherever the left side won and s_loser <= s_winner - d wherever the right side did. Along a
    chain of wins that ends where it began, the scores cancel, so that one with more wins of the
    right side than of the left one stops d from growing, and one with more wins of the left side
    stops it from falling. There is no such chain if and only if all the inequalities can hold
    (Bellman and Ford).
    """
    winner, loser, left_won = _wins(judgments, by)
    return all(_stopped(winner, loser, np.where(left_won, d, -d)) for d in (1.0, -1.0))


def _wins(judgments: pd.DataFrame, by: str | None) -> tuple[IntArray, IntArray, BoolArray]:
    """Return winner, loser and whether the winner stood left; a tie is a win of each side."""
    left, right = _nodes(judgments, by)
    tied = columns.is_tie(judgments)
    left_won = judgments["choice"].eq(LEFT).to_numpy(dtype=bool) | tied
    right_won = judgments["choice"].eq(RIGHT).to_numpy(dtype=bool) | tied
    return (
        np.concatenate([left[left_won], right[right_won]]),
        np.concatenate([right[left_won], left[right_won]]),
        np.repeat([True, False], [left_won.sum(), right_won.sum()]),
    )


def _nodes(judgments: pd.DataFrame, by: str | None) -> tuple[IntArray, IntArray]:
    """Return the number of the item on each side; one id in two scenarios is two items."""
    n = len(judgments)
    ids = pd.concat([judgments["left_id"], judgments["right_id"]], ignore_index=True)
    if by is None:
        codes = pd.factorize(ids)[0]
    else:
        scenario = pd.concat([judgments[by]] * 2, ignore_index=True)
        codes = pd.MultiIndex.from_arrays([scenario, ids]).factorize()[0]
    found = np.asarray(codes, dtype=np.int64)
    return found[:n], found[n:]


def _stopped(winner: IntArray, loser: IntArray, room: FloatArray) -> bool:
    """Return whether a chain of wins that ends where it began has negative room in all.

    Heights start at 0, and each win lowers the loser to the winner's height plus the room of the
    win. Each item remembers who lowered it last: where that goes round in a circle, the circle is
    such a chain. Without one, heights come to rest in as many rounds as there are items.
    """
    order = np.lexsort((room, winner, loser))
    winner, loser, room = winner[order], loser[order], room[order]
    # only the least room of each pair matters, which comes first
    first = np.append([True], (np.diff(winner) != 0) | (np.diff(loser) != 0))
    winner, loser, room = winner[first], loser[first], room[first]
    starts = np.flatnonzero(np.append([True], np.diff(loser) != 0))
    lost, sizes = loser[starts], np.diff(np.append(starts, len(loser)))
    n = int(max(winner.max(), loser.max())) + 1
    height, by = np.zeros(n), np.arange(n)
    for _ in range(n + 1):
        offered = height[winner] + room
        least = np.minimum.reduceat(offered, starts)
        lower = least < height[lost]
        if not lower.any():
            return False
        place = np.where(offered == np.repeat(least, sizes), np.arange(len(offered)), len(offered))
        best = np.minimum.reduceat(place, starts)
        by[lost[lower]] = winner[best[lower]]
        height[lost[lower]] = least[lower]
        if _goes_round(by):
            return True
    return True


def _goes_round(by: IntArray) -> bool:
    """Return whether following `by` from some item comes back to it; an item of itself is none."""
    n = len(by)
    graph: Any = coo_array((np.ones(n), (by, np.arange(n))), shape=(n, n)).tocsr()
    parts, _ = connected_components(graph, connection="strong")
    return int(parts) < n


def side_notes(
    people: Ranking, judgments: pd.DataFrame, *, by: str | None, few: bool, alike: bool
) -> list[str]:
    """Return the advantage of the left side, and what it rests on.

    Parameters
    ----------
    people : Ranking
        With a side advantage.
    judgments : DataFrame
        Those that were ranked.
    by : str, optional
        As in `require_bounded_side`.
    few : bool
        Whether raters are too few for an error.
    alike : bool
        Whether all raters gave the same answers.
    """
    if people.side_advantage is None:
        return ["advantage of the left side: not estimable from these judgments"]
    said = f"advantage of the left side: {people.side_advantage:z.3f}{_ends(people, few, alike)}"
    shown, alone = both_ways(judgments, by=by)
    return [said, f"caution: {shown}"] if alone else [f"{said}; {shown}"]


def both_ways(judgments: pd.DataFrame, *, by: str | None) -> tuple[str, bool]:
    """Return how many pairs were shown with either item on the left, and whether none was.

    Parameters
    ----------
    judgments, by
        As in `is_bounded`.
    """
    shown = np.unique(np.column_stack(_nodes(judgments, by)), axis=0)
    pairs = len(np.unique(np.sort(shown, axis=1), axis=0))
    both = len(shown) - pairs
    verb = "was" if pairs == 1 else "were"
    said = f"{both:,} of {counted(pairs, 'pair')} {verb} shown both ways round"
    return f"{said}{'' if both else f': {ALONE}'}", not both


def _ends(people: Ranking, few: bool, alike: bool) -> str:
    """Return the interval of the advantage with its unit, or why there is none."""
    low, high = people.side_advantage_low, people.side_advantage_high
    if few or low is None or high is None or not math.isfinite(high - low):
        return " log-odds, without an interval: raters are too few"
    if alike:
        return " log-odds, without an interval: all raters gave the same answers"
    if high - low < NO_WIDTH:
        return " log-odds, without an interval: the judgments do not differ"
    return f" [{low:z.3f}, {high:z.3f}] log-odds"
