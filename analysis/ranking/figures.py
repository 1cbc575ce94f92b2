"""The figures of a ranking: items from best to worst, ranks with intervals, raters who disagree.

Each takes data and an optional Axes and returns the Axes. Figures have no title: the page that
shows them has one, with a caption that explains the marks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from analysis.arrays import BoolArray, FloatArray
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    MUTED,
    VERMILLION,
    axes_or_new,
    label,
    mean_half_width,
    note,
    styled,
    tidy,
)
from analysis.results.numbers import number

# Up to this many items, each is named; with more, names would be too small to read.
NAMED = 60
LEVEL = 0.95


def score_decile(frame: pd.DataFrame, *, score: str, scenario: str) -> pd.Series[int]:
    """Return the decile (1 lowest, 10 highest) of each item's score within its scenario.

    Items with equal scores share a decile, so deciles of a coarse score are unequal in size.
    """
    ranks = frame.groupby(scenario)[score].rank(method="average")
    sizes = frame.groupby(scenario)[score].transform("count")
    return (10 * (ranks - 0.5) / sizes).apply(np.ceil).clip(1, 10).astype(int)


@styled
def plot_elo_by_decile(ranking: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw every item's Elo over the decile of its score within its scenario.

    Parameters
    ----------
    ranking : DataFrame
        One row per item: `elo`, `overall` and `scenario`; incomplete rows are left out.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    data = ranking.dropna(subset=["overall", "elo", "scenario"])
    ax = axes_or_new(ax, 5.5, 3.1)
    deciles = score_decile(data, score="overall", scenario="scenario")
    means: list[tuple[int, float]] = []
    for decile, values in data["elo"].astype(float).groupby(deciles):
        at = int(str(decile))
        points = np.sort(values.to_numpy())
        ax.scatter(at + _jitter(len(points)), points, s=13, color=BLUE, alpha=0.45, linewidth=0)
        means.append((at, float(points.mean())))
        half = mean_half_width(points, LEVEL)
        if not math.isnan(half):
            ax.plot([at, at], [means[-1][1] - half, means[-1][1] + half], color=INK, lw=1.6)
    ax.plot(*zip(*means, strict=True), color=INK, lw=0.8, marker="D", ms=4.5, gid="means")
    if means:
        note(ax, f"mean and\n{LEVEL:.0%} interval", (means[-1][0] + 0.32, means[-1][1]), (2, 0))
    ax.set_xticks(range(1, 11))
    ax.set_xlim(0.5, 10.5)
    ax.set_xlabel("Decile of overall score within scenario (1 = lowest)")
    ax.set_ylabel("Elo rating")
    tidy(ax)
    return ax


@styled
def plot_rank_against_rank(
    frame: pd.DataFrame,
    *,
    x_label: str = "Rank by people",
    y_label: str = "Rank by the judge",
    ax: Axes | None = None,
) -> Axes:
    """Draw the rank by people against the rank by the judge, one panel per scenario.

    Ranks are taken within a scenario; 1 is the highest score.

    Parameters
    ----------
    frame : DataFrame
        One row per item: `human_score`, `judge_score` and `scenario`.
    x_label, y_label : str
        What the ranks are.
    ax : Axes, optional
        With several scenarios the panels are placed inside it, as its `child_axes`.

    Returns
    -------
    Axes
    """
    data = frame.dropna(subset=["human_score", "judge_score", "scenario"])
    scenarios = data["scenario"].astype(str)
    names = sorted(scenarios.unique())
    columns = min(3, max(1, len(names)))
    rows = max(1, math.ceil(len(names) / columns))
    ax = axes_or_new(ax, *((2.2 * columns, 2.4 * rows) if columns > 1 else (3.3, 3.3)))
    panels = [ax] if len(names) <= 1 else _panels(ax, rows, columns, len(names))
    for index, (panel, name) in enumerate(zip(panels, names, strict=False)):
        part = data.loc[scenarios == name, ["human_score", "judge_score"]].rank(ascending=False)
        _rank_panel(panel, part["human_score"], part["judge_score"])
        if len(names) > 1:
            panel.set_title(label(name.replace("_", " "), 30), fontsize=8.5, loc="left", pad=12)
        if index % columns == 0:
            panel.set_ylabel(y_label)
        if index + columns >= len(names):
            panel.set_xlabel(x_label)
    return ax


@styled
def plot_ranking(
    ranking_frame: pd.DataFrame, *, unit: str = "Score", ax: Axes | None = None
) -> Axes:
    """Draw a ranking from best to worst with its intervals.

    Up to 60 items are named. With more, only the first and the last are, because names would be
    too small to read.

    Parameters
    ----------
    ranking_frame : DataFrame
        Columns `item_id, score, low, high`; an item without an interval is a hollow point.
    unit : str
        What the scores are, for the axis.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    data = ranking_frame.dropna(subset=["score"]).sort_values(
        ["score", "item_id"], ascending=[False, True], kind="stable"
    )
    ax, few = _places(ax, data, 4.8, 34)
    places = np.arange(1, len(data) + 1)
    bounded = {"low", "high"} <= set(data.columns)
    bare = np.zeros(len(data), dtype=bool)
    if bounded:
        ax.hlines(places, data["low"], data["high"], color=BLUE, lw=1.5 if few else 0.8, alpha=0.6)
        if few:
            bare = data["low"].isna().to_numpy() & data["high"].isna().to_numpy()
    _points(ax, data["score"].to_numpy(), bare, few, gid="scores")
    if not few:
        ax.margins(x=0.2)
        for place in (0, -1):
            row = data.iloc[place]
            right = float(row[["low", "high"] if bounded else ["score"]].max())
            note(ax, label(row["item_id"]), (right, place % len(data) + 1), (4, 0))
    ax.set_xlabel(unit)
    return ax


def _places(ax: Axes | None, data: pd.DataFrame, width: float, letters: int) -> tuple[Axes, bool]:
    """Return Axes with one place per item, best above, and whether the items are named."""
    few = len(data) <= NAMED
    ax = axes_or_new(ax, width, 0.165 * max(len(data), 4) if few else 5.5)
    if few:
        for place in range(5, len(data) + 1, 5):
            ax.axhline(place + 0.5, color=HAIR, lw=0.5, zorder=0.4)
        ax.set_yticks(range(1, len(data) + 1), [label(name, letters) for name in data["item_id"]])
        ax.tick_params(axis="y", length=0)
    else:
        ax.set_yticks([1, *range(25, len(data) + 1, 25)])
        ax.set_ylabel("Place")
    ax.set_ylim(len(data) + 0.7, 0.3)
    tidy(ax, keep=("bottom",) if few else ("left", "bottom"))
    return ax, few


def _points(ax: Axes, values: FloatArray, bare: BoolArray, few: bool, *, gid: str) -> None:
    """Draw one point per place, hollow if it has no interval."""
    places = np.arange(1, len(values) + 1)
    style: dict[str, Any] = {"ls": "", "marker": "o", "ms": 4.5 if few else 2.5, "color": INK}
    ax.plot(values[~bare], places[~bare], **style, gid=gid)
    ax.plot(values[bare], places[bare], **style, mfc="white", gid="without_interval")


def _rank_panel(panel: Axes, across: pd.Series[float], up: pd.Series[float]) -> None:
    """Draw one scenario: ranks, the line of agreement, and the correlation in words."""
    n = len(across)
    panel.plot([1, n], [1, n], color=HAIR, lw=0.9, zorder=0.5)
    panel.scatter(across, up, s=15, color=BLUE, alpha=0.75, linewidth=0)
    text = f"n = {n}"
    if n > 2 and across.std() > 0 and up.std() > 0:
        text = f"Spearman {number(float(stats.spearmanr(across, up).statistic), 2)}, " + text
    panel.text(0, 1.03, label(text), transform=panel.transAxes, fontsize=7.5, color=MUTED)
    pad = max(1.0, 0.05 * n)
    ticks = sorted({1, *range(10, n + 1, 10)}) if n >= 10 else list(range(1, n + 1))
    panel.set(xlim=(1 - pad, n + pad), ylim=(1 - pad, n + pad), xticks=ticks, yticks=ticks)
    panel.set_aspect("equal", adjustable="box")
    tidy(panel)


def _panels(ax: Axes, rows: int, columns: int, count: int) -> list[Axes]:
    """Return a grid of Axes inside one Axes, which is itself hidden."""
    ax.set_axis_off()
    wide, high = 1 / columns, 1 / rows
    return [
        ax.inset_axes(
            (
                (place % columns) * wide + 0.12 * wide,
                1 - (place // columns + 1) * high + 0.17 * high,
                0.82 * wide,
                0.65 * high,
            )
        )
        for place in range(count)
    ]


def _jitter(n: int) -> FloatArray:
    """Return sideways offsets that separate neighbours and are the same every time."""
    golden = (math.sqrt(5) - 1) / 2
    return np.asarray((np.arange(1, n + 1) * golden % 1 - 0.5) / 2, dtype=np.float64)


@styled
def plot_rank_intervals(ranks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each item's rank with its interval, best at the top.

    Parameters
    ----------
    ranks : DataFrame
        `item_id`, `rank`, `rank_low`, `rank_high` of one connected group, as in
        `rank_intervals(...).frame`; an item without an interval is a hollow point. Up to 60 items
        are named.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    data = ranks.dropna(subset=["rank"]).sort_values(["rank", "item_id"], kind="stable")
    low, high, rank = (
        data[name].to_numpy(dtype=float, na_value=np.nan)
        for name in ("rank_low", "rank_high", "rank")
    )
    ax, few = _places(ax, data, 4.2, 24)
    places = np.arange(1, len(data) + 1)
    # a rank is a whole number: a certain one is a mark as wide as itself
    ax.hlines(places, low - 0.4, high + 0.4, color=BLUE, lw=3.0 if few else 1.2, alpha=0.45)
    _points(ax, rank, np.isnan(low), few, gid="ranks")
    last = max(len(data), int(np.nanmax(high, initial=1)))
    ax.set_xlim(0.3, last + 0.7)
    step = 1 if last <= 10 else 5 if last <= 60 else 25
    ax.set_xticks([1, *range(step if step > 1 else 2, last + 1, step)])
    ax.set_xlabel("Rank (1 = best)")
    return ax


@styled
def plot_rater_misfit(misfit: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw every rater's agreement with the others against the expected agreement.

    Parameters
    ----------
    misfit : DataFrame
        `rater_id`, `agreement`, `expected`, `flagged`, as in `rater_misfit(...).frame`; raters
        without agreement or expectation are left out. Flagged raters are named.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    data = misfit.dropna(subset=["agreement", "expected"])
    ax = axes_or_new(ax, 3.6, 3.4)
    flagged = data["flagged"].to_numpy(dtype=bool)
    x, y = data["expected"].to_numpy(dtype=float), data["agreement"].to_numpy(dtype=float)
    ax.plot([0, 1], [0, 1], color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=0.5)
    ax.scatter(x[~flagged], y[~flagged], s=14, color=BLUE, alpha=0.55, linewidth=0, gid="raters")
    ax.scatter(
        x[flagged], y[flagged], s=30, marker="D", color=VERMILLION, linewidth=0, gid="flagged"
    )
    for who, at_x, at_y in zip(data["rater_id"][flagged], x[flagged], y[flagged], strict=True):
        note(ax, label(who, 16), (at_x, at_y), (6, 0))
    left = min(0.5, float(x.min(initial=0.5))) - 0.03
    ax.set_xlim(left, min(1.0, float(x.max(initial=0.6)) + 0.06))
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel("Expected agreement with the others")
    ax.set_ylabel("Observed agreement")
    tidy(ax)
    return ax
