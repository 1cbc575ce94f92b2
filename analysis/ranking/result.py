"""The result of a ranking: the same table for every method, so that a report treats them alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.ranking.groups import connected_groups, soon_one_group
from analysis.ranking.pair_counts import Cells, Comparisons, win_edges

COLUMNS = (
    "item_id",
    "scenario",
    "score",
    "se",
    "low",
    "high",
    "rank",
    "n",
    "wins",
    "losses",
    "component",
    "mean_reordered",
    "sd_reordered",
    "note",
)

# Scores equal to this many decimals share a rank: symmetric items differ only by rounding.
_RANK_DECIMALS = 9

# With up to this many items, a table of who beat whom is small.
_TABLE_ITEMS = 700
# Number of steps from pair to pair to try before building a graph.
_FEW_STEPS = 8
# Number of edges per item to try before using all.
_FEW_EDGES = 2


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Scores of items from forced choices.

    Attributes
    ----------
    frame : DataFrame
        One row per item, sorted by scenario, component and rank:
        `item_id`, `scenario` (empty if pooled); `score`, `se`, `low`, `high` in `unit`;
        `rank` (1 is best, within its component; ties share the smaller rank; missing without a
        score); `n`, `wins`, `losses` (comparisons; a tie is half a win and half a loss);
        `component` (number of the connected group:
        items of different groups were never compared, not even indirectly);
        `mean_reordered`, `sd_reordered` (Elo over reorderings, otherwise missing); `note` (a
        caution about this score, or empty).
    method : str
        Name of the method with its settings.
    unit : str
        Unit of score, se, low and high.
    n_judgments, n_items, n_clusters : int
    reliability : float
        1 - mean(se^2) / var(score); NaN without standard errors. It is valid for pairs drawn
        independently of earlier answers; for pairs chosen adaptively it is too high (.962 where
        the truth was .867).
    strongly_connected : bool
        Whether within every scenario each item beats each other item through some chain of wins
        (Ford 1957): the condition for finite Bradley-Terry scores without a ridge.
    n_by_ridge : int
        Number of items whose score is finite only because of the ridge.
    level : float
        Coverage of `low` to `high`.
    side_advantage : float or None
        Log-odds added for the left side; None if not estimated.
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
    n_by_ridge: int = 0
    side_advantage: float | None = None
    side_advantage_se: float | None = None
    side_advantage_low: float | None = None
    side_advantage_high: float | None = None

    @property
    def n_apart(self) -> int:
        """Number of items in scenarios with groups that were never compared with each other."""
        groups = self.frame.groupby("scenario")["component"].transform("nunique")
        return int((groups > 1).sum())

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()


def variance_share(score: FloatArray, se: FloatArray, component: IntArray) -> float:
    """Return 1 - mean(se^2) / var(score), with the variance pooled within connected groups."""
    known = np.isfinite(score) & np.isfinite(se)
    freedom = int(known.sum()) - len(np.unique(component[known]))
    if freedom < 1:
        return math.nan
    means = np.bincount(component[known], score[known]) / np.maximum(
        np.bincount(component[known]), 1
    )
    variance = float(((score[known] - means[component[known]]) ** 2).sum()) / freedom
    return 1 - float((se[known] ** 2).mean()) / variance if variance > 0 else math.nan


@dataclass(frozen=True)
class Structure:
    """Which items were compared with each other.

    Attributes
    ----------
    component : int array of shape (n_items,)
        Connected group of every item, from 0.
    strong : int array of shape (n_items,)
        Group of items that each beat the other through some chain of wins, from 0.
    wins, losses : int or float array of shape (n_items,)
        With halves if there are ties.
    """

    component: IntArray
    strong: IntArray
    wins: IntArray | FloatArray
    losses: IntArray | FloatArray

    @property
    def strongly_connected(self) -> bool:
        """Whether every connected group is strongly connected."""
        return int(self.strong.max()) == int(self.component.max())


def structure(data: Comparisons) -> Structure:
    """Return the groups and counts of every item, from judgments."""
    data = data.in_halves()
    winner, loser, n = data.winner, data.loser, data.n_items
    component, strong = _groups(winner, loser, n)
    wins, losses = np.bincount(winner, None, n), np.bincount(loser, None, n)
    if data.weight == 1:
        return Structure(component, strong, wins, losses)
    halves = np.float64(data.weight)
    return Structure(component, strong, wins * halves, losses * halves)


def structure_of(cells: Cells, n: int) -> Structure:
    """Return the groups and counts of each of `n` items, from counts of pairs."""
    if n <= _TABLE_ITEMS and soon_one_group(
        cells.first, cells.second, cells.first_wins, cells.second_wins, n
    ):
        component = strong = np.zeros(n, dtype=np.int64)
    else:
        component, strong = _groups(*win_edges(cells), n)
    wins = cells.by_first(cells.first_wins, n) + cells.by_second(cells.second_wins, n)
    losses = cells.by_first(cells.second_wins, n) + cells.by_second(cells.first_wins, n)
    if cells.weight == 1:
        return Structure(component, strong, wins.astype(np.int64), losses.astype(np.int64))
    return Structure(component, strong, wins, losses)


def _groups(winner: IntArray, loser: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Return the connected and the strongly connected group of each of `n` items."""
    if _soon_reaches_all(winner, loser, n) and _soon_reaches_all(loser, winner, n):
        return np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    _, component = connected_groups(winner, loser, n, strong=False)
    _, strong = connected_groups(winner, loser, n, strong=True)
    return component, strong


def _soon_reaches_all(start: IntArray, end: IntArray, n: int) -> bool:
    """Return whether edges lead from item 0 to all others within a few steps, as is usual.

    If they do in both directions, all items are one strongly connected group.
    """
    reached = np.zeros(n, dtype=bool)
    reached[0] = True
    count = 1
    # Some evenly spaced edges reach most items; all edges reach the others.
    stride = max(1, len(start) // (_FEW_EDGES * n))
    for some, others in ((start[::stride], end[::stride]), (start, end)):
        for _ in range(_FEW_STEPS):
            before = count
            reached[others[reached[some]]] = True
            count = int(np.count_nonzero(reached))
            if count in (before, n):
                break
        if count == n:
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
    """Return the table of a ranking; values that a method does not have are missing."""
    absent = np.full(data.n_items, np.nan)

    def given(values: FloatArray | None) -> FloatArray:
        return absent if values is None else values

    scenario = _scenario_codes(data)
    rank = _ranks(score, groups.component)
    name = np.empty(data.n_items, dtype=np.int64)
    name[data.items["item_id"].to_numpy(dtype=object).argsort(kind="stable")] = np.arange(len(name))
    # Items without a score are last.
    order = np.lexsort((name, rank, rank == 0, groups.component, scenario))
    columns = {
        "item_id": data.items["item_id"].array,
        "scenario": data.items["scenario"].array,
        "score": score,
        "se": given(se),
        "low": given(low),
        "high": given(high),
        "rank": pd.arrays.IntegerArray(rank, rank == 0),
        "n": (groups.wins + groups.losses).astype(np.int64),
        "wins": groups.wins,
        "losses": groups.losses,
        "component": groups.component + 1,
        "mean_reordered": given(mean_reordered),
        "sd_reordered": given(sd_reordered),
        "note": pd.array(_with_split(data, scenario, groups, notes), dtype="str"),
    }
    return pd.DataFrame({column: columns[column][order] for column in COLUMNS})


def _scenario_codes(data: Comparisons) -> IntArray:
    """Return the number of every item's scenario, in the order of their names."""
    names = data.items["scenario"].to_numpy(dtype=object)
    # Items are sorted by scenario.
    return np.cumsum(np.append([False], names[1:] != names[:-1]))


def _ranks(score: FloatArray, component: IntArray) -> IntArray:
    """Return ranks within components: 1 is best, ties share the smaller rank, 0 is missing."""
    rounded = np.round(score, _RANK_DECIMALS)
    order = np.lexsort((-rounded, component))
    rounded, group = rounded[order], component[order]
    place = np.arange(len(order))
    opens = np.append([True], group[1:] != group[:-1])
    differs = opens | np.append([True], rounded[1:] != rounded[:-1])
    first = np.maximum.accumulate(np.where(differs, place, 0))
    begin = np.maximum.accumulate(np.where(opens, place, 0))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.where(np.isnan(rounded), 0, first - begin + 1)
    return rank


def _with_split(
    data: Comparisons, scenario: IntArray, groups: Structure, notes: list[str] | None
) -> list[str]:
    """Return the notes, with a sentence added if the scenario has several separate groups."""
    notes = [""] * len(scenario) if notes is None else notes
    _, one_item_each = np.unique(groups.component, return_index=True)
    parts = np.bincount(scenario[one_item_each])[scenario]
    if (parts == 1).all():
        return notes
    place = "the items fall" if data.items["scenario"].eq("").all() else "the scenario falls"
    return [
        note
        if count == 1
        else "; ".join(
            filter(
                None,
                [
                    note,
                    f"{place} into {count} groups never compared with each other: "
                    "score and rank are valid only within this group",
                ],
            )
        )
        for note, count in zip(notes, parts.tolist(), strict=True)
    ]
