"""The figures of a pairwise study: each takes data and an optional Axes and returns the Axes.

Figures carry no title: the page that shows them does, and a caption beside them says what the
marks mean. `svg` and `stamp` live in `figure_style` and are offered here too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from analysis.agreement.bland_altman_figure import plot_bland_altman
from analysis.agreement.figures import plot_agreement_heatmap, plot_bias
from analysis.evidence.figures import plot_flow
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    MUTED,
    axes_or_new,
    fit_width,
    label,
    stamp,
    styled,
    svg,
    tidy,
)

__all__ = [
    "fit_width",
    "plot_agreement_heatmap",
    "plot_bias",
    "plot_bland_altman",
    "plot_elo_by_decile",
    "plot_flow",
    "plot_rank_against_rank",
    "plot_ranking",
    "plot_selection_by_gap",
    "score_decile",
    "stamp",
    "svg",
]


def score_decile(frame: pd.DataFrame, *, score: str, scenario: str) -> pd.Series[int]:
    """Return the decile (1 lowest, 10 highest) of each item's score within its scenario.

    Items with one score share a decile, so deciles of a coarse score are unequal in size.
    """
    ranks = frame.groupby(scenario)[score].rank(method="average")
    sizes = frame.groupby(scenario)[score].transform("count")
    return (10 * (ranks - 0.5) / sizes).apply(np.ceil).clip(1, 10).astype(int)


@styled
def plot_elo_by_decile(
    ranking: pd.DataFrame,
    *,
    score: str = "overall",
    elo: str = "elo",
    scenario: str = "scenario",
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw every item's Elo over the decile of its score within its scenario.

    Parameters
    ----------
    ranking : DataFrame
        One row per item with columns `elo`, `score` and `scenario`; incomplete rows drop out.
    score, elo, scenario : str
        Names of those columns.
    level : float
        Coverage of the t interval of each decile's mean.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    data = ranking.dropna(subset=[score, elo, scenario])
    ax = axes_or_new(ax, 5.5, 3.1)
    deciles = score_decile(data, score=score, scenario=scenario)
    means: list[tuple[int, float]] = []
    for decile, values in data[elo].astype(float).groupby(deciles):
        at = int(str(decile))
        points = np.sort(values.to_numpy())
        ax.scatter(at + _jitter(len(points)), points, s=13, color=BLUE, alpha=0.45, linewidth=0)
        means.append((at, float(points.mean())))
        half = _t_half_width(points, level)
        if half is not None:
            ax.plot([at, at], [means[-1][1] - half, means[-1][1] + half], color=INK, lw=1.6)
    ax.plot(*zip(*means, strict=True), color=INK, lw=0.8, marker="D", ms=4.5, gid="means")
    if means:
        _note(ax, f"mean and\n{level:.0%} interval", (means[-1][0] + 0.32, means[-1][1]), (2, 0))
    ax.set_xticks(range(1, 11))
    ax.set_xlim(0.5, 10.5)
    ax.set_xlabel(f"Decile of {label(score)} score within scenario (1 = lowest)")
    ax.set_ylabel("Elo rating")
    tidy(ax)
    return ax


@styled
def plot_selection_by_gap(
    rates: pd.DataFrame, curve: pd.DataFrame | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw how often people chose the higher-scored side, by the size of the score gap.

    Parameters
    ----------
    rates : DataFrame
        One row per bin: `bin, gap_low, gap_high, n, chosen, rate, low, high`; an open last bin has
        a missing or infinite `gap_high`.
    curve : DataFrame, optional
        The fitted logit: `gap, probability, low, high`.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax, 5.4, 3.3)
    rates = rates.dropna(subset=["rate"])
    right = _right_end(rates, curve)
    if curve is not None and len(curve):
        line = curve.sort_values("gap")
        ax.fill_between(line["gap"], line["low"], line["high"], color=BLUE, alpha=0.16, lw=0)
        ax.plot(line["gap"], line["probability"], color=BLUE, gid="curve")
        _note(
            ax,
            "fitted logit",
            (float(line["gap"].iloc[-1]), float(line["probability"].iloc[-1])),
            (5, 0),
            colour=BLUE,
        )
    ends = rates["gap_high"].astype(float).where(lambda s: np.isfinite(s), right)
    centres = (rates["gap_low"].astype(float) + ends) / 2
    ax.axhline(0.5, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=0.5)
    _note(ax, "chance", (right, 0.5), (5, 0), colour=MUTED)
    ax.vlines(centres, rates["low"], rates["high"], color=INK, lw=1.5)
    ax.plot(centres, rates["rate"], ls="", marker="o", ms=6, color=INK, mec="white", gid="rates")
    bottom = min(0.4, math.floor(10 * float(rates["low"].min()) - 1) / 10) if len(rates) else 0.0
    ax.set_ylim(max(-0.1, bottom), 1.02)
    names = [f"{label(b)}\n({int(n):,})" for b, n in zip(rates["bin"], rates["n"], strict=True)]
    ax.set_xticks(centres, names)
    ax.set_xlim(0, right)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}" if 0 <= value <= 1 else "")
    ax.set_xlabel("Gap between the two scores in points (number of trials)")
    ax.set_ylabel("Chose the higher-scored side")
    tidy(ax)
    return ax


@styled
def plot_rank_against_rank(
    frame: pd.DataFrame,
    *,
    x: str = "human_score",
    y: str = "judge_score",
    scenario: str = "scenario",
    x_label: str = "Rank by people",
    y_label: str = "Rank by the judge",
    ax: Axes | None = None,
) -> Axes:
    """Draw the rank people gave against the rank the judge gave, a panel for each scenario.

    Ranks are taken inside a scenario; 1 is the highest score.

    Parameters
    ----------
    frame : DataFrame
        One row per item with the columns `x`, `y` and `scenario`.
    x, y, scenario : str
        Names of those columns.
    x_label, y_label : str
        What the ranks are.
    ax : Axes, optional
        With several scenarios the panels are placed inside it, as its `child_axes`.

    Returns
    -------
    Axes
    """
    data = frame.dropna(subset=[x, y, scenario])
    names = sorted(data[scenario].astype(str).unique())
    columns = min(3, max(1, len(names)))
    rows = max(1, math.ceil(len(names) / columns))
    ax = axes_or_new(ax, *((2.2 * columns, 2.4 * rows) if columns > 1 else (3.3, 3.3)))
    panels = [ax] if len(names) <= 1 else _panels(ax, rows, columns, len(names))
    for index, (panel, name) in enumerate(zip(panels, names, strict=False)):
        part = data[data[scenario].astype(str) == name]
        _rank_panel(panel, part[x].rank(ascending=False), part[y].rank(ascending=False))
        if len(names) > 1:
            panel.set_title(label(name.replace("_", " "), 30), fontsize=8.5, loc="left", pad=12)
        if index % columns == 0:
            panel.set_ylabel(y_label)
        if index + columns >= len(names):
            panel.set_xlabel(x_label)
    return ax


@styled
def plot_ranking(
    ranking_frame: pd.DataFrame,
    *,
    item: str = "item_id",
    score: str = "score",
    unit: str = "Score",
    ax: Axes | None = None,
) -> Axes:
    """Draw a ranking from best to worst with its intervals.

    Up to 60 items each is named; beyond that names would be dust, so only the ends are.

    Parameters
    ----------
    ranking_frame : DataFrame
        Columns `item_id, score, low, high`; a missing interval draws a hollow point alone.
    item, score : str
        Names of the columns that name and order the items.
    unit : str
        What the scores are, for the axis.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    data = ranking_frame.dropna(subset=[score]).sort_values(
        [score, item], ascending=[False, True], kind="stable"
    )
    places = np.arange(1, len(data) + 1)
    ax = axes_or_new(
        ax, 4.8, min(0.165 * max(len(data), 4), 0.165 * 60 if len(data) <= 60 else 5.5)
    )
    names = [label(value) for value in data[item]]
    few = len(data) <= 60
    if few:
        for place in places[4::5]:
            ax.axhline(place + 0.5, color=HAIR, lw=0.5, zorder=0.4)
    bounded = {"low", "high"} <= set(data.columns)
    if bounded:
        ax.hlines(places, data["low"], data["high"], color=BLUE, lw=1.5 if few else 0.8, alpha=0.6)
    size = 4.5 if few else 2.5
    ax.plot(data[score], places, ls="", marker="o", ms=size, color=INK, gid="scores")
    if bounded and few:
        bare = data["low"].isna().to_numpy() & data["high"].isna().to_numpy()
        ax.plot(
            data[score].to_numpy()[bare],
            places[bare],
            ls="",
            marker="o",
            ms=size,
            color=INK,
            mfc="white",
            gid="without_interval",
        )
    if few:
        ax.set_yticks(places, names)
        ax.tick_params(axis="y", length=0)
    else:
        ax.set_yticks([1, *range(25, len(data) + 1, 25)])
        ax.set_ylabel("Place")
        ax.margins(x=0.2)
        best, worst = (
            data.iloc[place][["low", "high"] if bounded else [score]] for place in (0, -1)
        )
        _note(ax, names[0], (float(best.max()), 1), (4, 0))
        _note(ax, names[-1], (float(worst.max()), len(data)), (4, 0))
    ax.set_ylim(len(data) + 0.7, 0.3)
    ax.set_xlabel(unit)
    tidy(ax, keep=("bottom",) if few else ("left", "bottom"))
    return ax


def _rank_panel(panel: Axes, across: pd.Series[float], up: pd.Series[float]) -> None:
    """Draw one scenario: ranks, the line of agreement, and the correlation in words."""
    n = len(across)
    panel.plot([1, n], [1, n], color=HAIR, lw=0.9, zorder=0.5)
    panel.scatter(across, up, s=15, color=BLUE, alpha=0.75, linewidth=0)
    text = f"n = {n}"
    if n > 2 and across.std() > 0 and up.std() > 0:
        text = f"Spearman {stats.spearmanr(across, up).statistic:.2f}, " + text
    panel.text(0, 1.03, label(text), transform=panel.transAxes, fontsize=7.5, color=MUTED)
    pad = max(1.0, 0.05 * n)
    ticks = sorted({1, *range(10, n + 1, 10)}) if n >= 10 else list(range(1, n + 1))
    panel.set(xlim=(1 - pad, n + pad), ylim=(1 - pad, n + pad), xticks=ticks, yticks=ticks)
    panel.set_aspect("equal", adjustable="box")
    tidy(panel)


def _panels(ax: Axes, rows: int, columns: int, count: int) -> list[Axes]:
    """Return a grid of Axes inside one Axes, which itself shows nothing."""
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


def _right_end(rates: pd.DataFrame, curve: pd.DataFrame | None) -> float:
    """Return where an open last bin ends: the largest gap known, and never an empty bin."""
    known = [float(value) for value in rates["gap_high"] if np.isfinite(float(value))]
    if curve is not None and len(curve):
        known.append(float(curve["gap"].max()))
    starts = [float(value) for value in rates["gap_low"]]
    return max([*known, max(starts, default=0.0) + 1.0])


def _jitter(n: int, width: float = 0.5) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return sideways offsets that spread neighbours apart and are the same every time."""
    golden = (math.sqrt(5) - 1) / 2
    return np.asarray((np.arange(1, n + 1) * golden % 1 - 0.5) * width, dtype=np.float64)


def _t_half_width(values: np.ndarray[Any, Any], level: float) -> float | None:
    """Return half the width of the t interval of a mean; None for a single value."""
    if len(values) < 2:
        return None
    spread = float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * spread


def _note(
    ax: Axes,
    text: str,
    at: Iterable[float],
    offset: tuple[float, float],
    *,
    ha: str = "left",
    va: str = "center",
    colour: str = INK,
) -> None:
    """Write a direct label beside a point."""
    where = tuple(at)
    ax.annotate(
        text,
        xy=(where[0], where[1]),
        xytext=offset,
        textcoords="offset points",
        ha=ha,
        va=va,
        fontsize=7.5,
        color=colour,
        annotation_clip=False,
    )
