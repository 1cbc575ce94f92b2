"""The figures of change: each person's change by condition, and the means by occasion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.arrays import FloatArray
from analysis.change.reliable_change import ReliableChange
from analysis.results.figure_style import (
    BLUE,
    COLOURS,
    HAIR,
    INK,
    MARKERS,
    MUTED,
    VERMILLION,
    WASH,
    axes_or_new,
    label,
    mean_half_width,
    styled,
    tidy,
)
from analysis.results.numbers import percent, signed

# Columns of dots that a figure of this width holds, and how much of a row they may fill.
BINS = 72
FILL = 0.66
QUIET = "#9aa2ab"
MARKS = {"improved": ("o", BLUE), "declined": ("s", VERMILLION), "neither": ("o", QUIET)}


@styled
def plot_change(found: ReliableChange, *, ax: Axes | None = None) -> Axes:
    """Draw each person's change as a dot, one row per condition, with the threshold.

    Dots of similar change are stacked. The grey band runs between the thresholds; its edges are as
    wide as their intervals. A dot is marked by its own outcome; for people who lack a measurement
    the outcome uses a wider threshold than the one drawn.

    Parameters
    ----------
    found : ReliableChange
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    conditions = found.conditions
    ax = axes_or_new(ax, 4.7, 1.1 * len(conditions))
    _threshold_band(ax, found)
    people = found.people
    places = _columns(people["change"].to_numpy(dtype=float), people["condition"])
    tallest = _tallest(people["condition"], places)
    step = min(FILL / tallest, 0.055)
    size = _dot_size(ax, places, step, len(conditions))
    for row, condition in enumerate(conditions):
        mine = (people["condition"] == condition).to_numpy()
        heights = _stacked(places[mine]) * step
        outcome = people.loc[mine, "outcome"].to_numpy()
        for word, (marker, face) in MARKS.items():
            one = outcome == word
            ax.scatter(
                places[mine][one],
                row + 0.12 + heights[one],
                s=size,
                marker=marker,
                color=face,
                linewidth=0,
                gid=f"{word}-{row}",
            )
        ax.text(
            0.0,
            row - 0.36,
            _counted(found, condition),
            transform=ax.get_yaxis_transform(),
            fontsize=8,
            color=INK,
            ha="left",
            va="center",
        )
    ax.set_yticks([])
    ax.set_ylim(len(conditions) - 0.5, -0.55)
    reach = max(float(np.abs(places).max(initial=0.0)), found.threshold[2]) * 1.06
    ax.set_xlim(-reach, reach)
    ax.set_xlabel(f"Change (points; {found.better} is better)")
    tidy(ax, keep=("bottom",))
    return ax


@styled
def plot_trajectories(
    data: pd.DataFrame,
    *,
    value: str,
    occasion: str = "round",
    condition: str = "condition",
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean of every condition on each occasion, with its t interval.

    Parameters
    ----------
    data : DataFrame
        One row per person and occasion; rows without a value are not drawn.
    value, occasion, condition : str
        Names of its columns. Occasions are drawn in the order of the table.
    level : float
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    rows = data.dropna(subset=[value])
    occasions = list(dict.fromkeys(rows[occasion].astype(str)))
    conditions = list(dict.fromkeys(rows[condition].astype(str)))
    ax = axes_or_new(ax, 4.4, 3.0)
    aside = np.linspace(-0.07, 0.07, len(conditions)) if len(conditions) > 1 else np.zeros(1)
    for index, name in enumerate(conditions):
        mine = rows[rows[condition].astype(str) == name]
        values = [
            mine.loc[mine[occasion].astype(str) == at, value].to_numpy(dtype=float)
            for at in occasions
        ]
        x = np.arange(len(occasions)) + aside[index]
        means = np.array([v.mean() if len(v) else np.nan for v in values])
        half = np.array([mean_half_width(v, level) for v in values])
        colour = COLOURS[index % len(COLOURS)]
        ax.vlines(x, means - half, means + half, color=colour, lw=1.4)
        ax.plot(
            x,
            means,
            color=colour,
            marker=MARKERS[index % len(MARKERS)],
            ms=5.5,
            mec="white",
            label=label(name.replace("_", " "), 24),
            gid=f"condition-{index}",
        )
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2,
        frameon=False,
        borderaxespad=0.2,
        columnspacing=1.4,
    )
    ax.set_xticks(range(len(occasions)), [label(name, 16) for name in occasions])
    ax.set_xlim(-0.4, len(occasions) - 0.6)
    ax.set_xlabel(label(occasion.replace("_", " ").capitalize()))
    ax.set_ylabel(f"Mean {label(value.replace('_', ' '))}")
    tidy(ax)
    return ax


def _threshold_band(ax: Axes, found: ReliableChange) -> None:
    """Draw the band of change that measurement error explains, and the intervals of its edges."""
    at, low, high = found.threshold
    ax.axvspan(-at, at, color=WASH, lw=0, zorder=0)
    ax.axvline(0, color=HAIR, lw=0.8, zorder=0.2)
    for sign in (-1, 1):
        ax.axvspan(sign * low, sign * high, color=HAIR, alpha=0.55, lw=0, zorder=0.1)
        for row in range(len(found.conditions)):
            ends = [row - 0.22, row + 0.48]  # leaves room for the words above the dots
            ax.plot([sign * at] * 2, ends, color=MUTED, lw=0.8, ls=(0, (4, 3)), zorder=0.3)
        ax.annotate(
            signed(sign * at, 2),
            xy=(sign * at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=7.5,
            color=MUTED,
        )


def _counted(found: ReliableChange, condition: str) -> str:
    """Return a condition's name and how many of its people improved and declined."""
    rows = found.shares[found.shares["condition"] == condition].set_index("outcome")
    n = int(rows.loc["improved", "n"])  # type: ignore[arg-type]
    name = label(condition.replace("_", " "), 20)
    if n == 0:
        return f"{name}: nobody to compare"
    improved, declined = (
        percent(float(rows.loc[word, "share"]), 1)  # type: ignore[arg-type]
        for word in ("improved", "declined")
    )
    return f"{name}: {improved} improved, {declined} declined (n = {n:,})"


def _columns(change: FloatArray, condition: pd.Series[Any]) -> FloatArray:
    """Return the horizontal places of the dots: narrow columns, or lanes where values are few.

    Without lanes, many dots of one value would make a column too tall to see.
    """
    values = np.unique(np.round(change, 9))
    if len(values) < 2:
        return np.round(change, 9)
    width = float(np.ptp(change)) / BINS
    gap = float(np.diff(values).min())
    if gap < width:
        return np.asarray(np.round(change / width) * width, dtype=np.float64)
    lanes = max(1, min(3, round(gap / width)))
    places = pd.Series(np.round(change, 9))
    alike = places.groupby([condition.to_numpy(), places.to_numpy()])
    used = alike.transform("size").clip(upper=lanes)
    aside = (alike.cumcount() % lanes - (used - 1) / 2) * gap / (lanes + 0.2)
    return np.asarray(places + aside, dtype=np.float64)


def _stacked(places: FloatArray) -> FloatArray:
    """Return the height of each dot, in dots, from the middle of its column."""
    frame = pd.Series(np.round(places, 9))
    order = frame.groupby(frame).cumcount()
    return (order - (frame.groupby(frame).transform("size") - 1) / 2).to_numpy(dtype=float)


def _tallest(condition: pd.Series[Any], places: FloatArray) -> int:
    if len(places) == 0:
        return 1
    return int(pd.Series(places).groupby([condition.to_numpy(), places]).size().max())


def _dot_size(ax: Axes, places: FloatArray, step: float, rows: int) -> float:
    """Return the area of a dot that just touches its neighbours, in square points."""
    figure = ax.get_figure(root=True)
    dpi = 72.0 if figure is None else float(figure.dpi)
    high = step * ax.bbox.height / (rows + 0.05) * 72 / dpi
    apart = np.unique(places)
    reach = float(np.abs(places).max(initial=1.0)) * 2.12 or 1.0
    gap = float(np.diff(apart).min()) if len(apart) > 1 else reach
    wide = gap / reach * ax.bbox.width * 72 / dpi
    return float(np.clip(0.92 * min(high, wide), 1.2, 5.0)) ** 2
