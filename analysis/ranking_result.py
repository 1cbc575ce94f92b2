"""What a ranking is: one table for every method, so that a report treats them alike."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.paircounts import (
    Cells,
    Comparisons,
    FloatArray,
    IntArray,
    connected_groups,
    count_pairs,
    sum_by,
    win_edges,
)

COLUMNS = (
    "item_id", "scenario", "score", "se", "low", "high", "rank", "n", "wins", "losses",
    "component", "mean_reordered", "sd_reordered", "note",
)  # fmt: skip

# Scores equal to this many decimals share a rank: symmetric items differ only by rounding.
_RANK_DECIMALS = 9

# Steps from pair to pair that are tried before a graph is built.
_FEW_STEPS = 8


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Scores of items from forced choices.

    Attributes
    ----------
    frame : DataFrame
        One row an item, sorted by scenario, component and rank:
        `item_id`, `scenario` (empty where pooled); `score`, `se`, `low`, `high` in `unit`;
        `rank` (1 is best, within its component; ties share the smaller rank; missing without a
        score); `n`, `wins`, `losses` (comparisons); `component` (number of the connected group:
        items of different groups were never compared, not even through others);
        `mean_reordered`, `sd_reordered` (Elo over reorderings, missing otherwise); `note` (empty,
        or what must be known about this score).
    method : str
        Name with settings.
    unit : str
        Unit of score, se, low and high.
    n_judgments, n_items, n_clusters : int
    reliability : float
        1 - mean(se^2) / var(score), NaN where there is no standard error. It holds for pairs
        drawn independently of earlier answers; where pairs were chosen adaptively it claims too
        much (.962 was said where .867 was true).
    strongly_connected : bool
        Whether within every scenario each item beats each other through some chain of wins
        (Ford 1957): the condition for finite Bradley-Terry scores without a ridge.
    level : float
        Coverage of `low` to `high`.
    side_advantage : float or None
        Log-odds given to the left side, None where not estimated.
    side_advantage_se, side_advantage_low, side_advantage_high : float or None
    """

    frame: pd.DataFrame = field(repr=False)
    method: str
    unit: str
    n_judgments: int
    n_items: int
    n_clusters: int
    reliability: float
    strongly_connected: bool
    level: float
    side_advantage: float | None = None
    side_advantage_se: float | None = None
    side_advantage_low: float | None = None
    side_advantage_high: float | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()


@dataclass(frozen=True)
class Structure:
    """Who was compared with whom.

    Attributes
    ----------
    component : int array of shape (n_items,)
        Connected group of every item, from 0.
    strong : int array of shape (n_items,)
        Group of items that each beat the other through some chain of wins, from 0.
    wins, losses : int array of shape (n_items,)
    """

    component: IntArray
    strong: IntArray
    wins: IntArray
    losses: IntArray

    @property
    def strongly_connected(self) -> bool:
        """Whether every connected group is strongly connected."""
        return int(self.strong.max()) == int(self.component.max())


def structure(data: Comparisons, cells: Cells | None = None) -> Structure:
    """Return groups and counts of every item, from all judgments counted by pair."""
    if cells is None:
        cells = count_pairs(data, ordered=False, of_judgments=False)
    return structure_of(cells, data.n_items)


def structure_of(cells: Cells, n: int) -> Structure:
    """Return groups and counts of each of `n` items."""
    component = strong = np.zeros(n, dtype=np.int64)
    winner, loser = win_edges(cells)
    if not (_soon_reaches_all(winner, loser, n) and _soon_reaches_all(loser, winner, n)):
        _, component = connected_groups(winner, loser, n, strong=False)
        _, strong = connected_groups(winner, loser, n, strong=True)
    wins = sum_by(cells.first, cells.first_wins, n) + sum_by(cells.second, cells.second_wins, n)
    losses = sum_by(cells.first, cells.second_wins, n) + sum_by(cells.second, cells.first_wins, n)
    return Structure(component, strong, wins.astype(np.int64), losses.astype(np.int64))


def _soon_reaches_all(start: IntArray, end: IntArray, n: int) -> bool:
    """Return whether edges lead from item 0 to every other within a few steps: the usual case.

    Where they do in both directions, all items are one strongly connected group.
    """
    reached = np.zeros(n, dtype=bool)
    reached[0] = True
    count = 1
    for _ in range(_FEW_STEPS):
        reached[end[reached[start]]] = True
        before, count = count, int(np.count_nonzero(reached))
        if count in (before, n):
            break
    return count == n


def ranking_frame(
    data: Comparisons,
    groups: Structure,
    *,
    score: FloatArray,
    se: FloatArray | None = None,
    low: FloatArray | None = None,
    high: FloatArray | None = None,
    mean_reordered: FloatArray | None = None,
    sd_reordered: FloatArray | None = None,
    notes: list[str] | None = None,
) -> pd.DataFrame:
    """Return the table of a ranking; what a method does not have stays missing."""
    absent = np.full(data.n_items, np.nan)

    def given(values: FloatArray | None) -> FloatArray:
        return absent if values is None else values

    frame = data.items.assign(
        score=score, se=given(se), low=given(low), high=given(high),
        n=groups.wins + groups.losses, wins=groups.wins, losses=groups.losses,
        component=groups.component + 1,
        mean_reordered=given(mean_reordered), sd_reordered=given(sd_reordered),
        note=_with_split(data, groups, notes),
    )  # fmt: skip
    rounded = frame["score"].round(_RANK_DECIMALS)
    ranks = rounded.groupby(frame["component"]).rank(method="min", ascending=False)
    frame["rank"] = ranks.astype("Int64")
    order = ["scenario", "component", "rank", "item_id"]
    return frame[list(COLUMNS)].sort_values(order, ignore_index=True)


def _with_split(data: Comparisons, groups: Structure, notes: list[str] | None) -> list[str]:
    """Return the notes, each with a sentence where its scenario falls into separate groups."""
    notes = [""] * data.n_items if notes is None else notes
    parts = pd.Series(groups.component).groupby(data.items["scenario"]).transform("nunique")
    place = "the items fall" if data.items["scenario"].eq("").all() else "the scenario falls"
    return [
        note if count == 1 else "; ".join(
            filter(None, [note, f"{place} into {count} groups never compared with each other: "
                                "score and rank hold within this group"])
        )
        for note, count in zip(notes, parts, strict=True)
    ]  # fmt: skip
