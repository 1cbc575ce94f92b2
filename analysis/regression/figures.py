"""The figures of regressions: effects with their intervals, and choices by the gap of scores."""

from __future__ import annotations

import itertools
import math
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.results.figure_style import (
    BLUE,
    COLOURS,
    HAIR,
    INK,
    MARKERS,
    MUTED,
    axes_or_new,
    label,
    note,
    styled,
    tidy,
)
from analysis.tables import columns
from prereg.errors import RatifyError

_X_LABEL = {"sd": "Effect (standard deviations of the outcome)", "raw": "Effect (raw units)"}
# Distance between two effects of one outcome, and between two outcomes, in rows.
_ROW, _GAP = 1.0, 0.8


@styled
def plot_effects(
    effects: pd.DataFrame,
    *,
    unit: Literal["sd", "raw"] = "sd",
    x_label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw every effect of every outcome as a mark with its interval (a forest plot).

    Parameters
    ----------
    effects : DataFrame
        One row per outcome and effect: `outcome`, `effect`, and `estimate_UNIT`, `low_UNIT`,
        `high_UNIT`, as from `effects.effects_table`. If an end is missing, only the mark is drawn.
    unit : {'sd', 'raw'}
        Which columns.
    x_label : str, optional
        By default the name of the unit.
    ax : Axes, optional

    Returns
    -------
    Axes
        Outcomes from top to bottom in the order of the table. Several effects differ by mark and
        colour, with a legend above; with one effect there is no legend.

    Raises
    ------
    RatifyError
        On missing columns, and if no effect has an estimate in this unit.
    """
    columns.one_of("unit", unit, list(_X_LABEL))
    names = [f"{part}_{unit}" for part in ("estimate", "low", "high")]
    columns.require_columns(effects, "outcome", "effect", *names)
    data = effects.dropna(subset=[names[0]])
    if data.empty:
        raise RatifyError("no effect has an estimate", column=names[0], allowed="one or more")
    kinds = list(dict.fromkeys(data["effect"].astype(str)))
    outcomes = list(dict.fromkeys(data["outcome"].astype(str)))
    places, heights = _places(data, outcomes)
    ax = axes_or_new(ax, 2.9, max(0.9, 0.21 * (heights[-1][1] + 1)))
    ax.axvline(0, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=0.5)
    for above, below in itertools.pairwise(heights) if len(kinds) > 1 else ():
        ax.axhline((above[1] + below[0]) / 2, color=HAIR, lw=0.5, zorder=0.4)
    for number, kind in enumerate(kinds):
        mine = (data["effect"].astype(str) == kind).to_numpy()
        _marks(
            ax,
            data.loc[mine, names].to_numpy(dtype=float),
            places[mine],
            number,
            kind if len(kinds) > 1 else "",
        )
    middles = [(first + last) / 2 for first, last in heights]
    ax.set_yticks(middles, [label(name.replace("_", " "), 30) for name in outcomes])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(heights[-1][1] + 0.7, heights[0][0] - 0.7)
    ax.margins(x=0.06)
    ax.locator_params(axis="x", nbins=6)
    ax.set_xlabel(x_label or _X_LABEL[unit])
    if len(kinds) > 1:
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.01),
            frameon=False,
            fontsize=7.5,
            handlelength=1.0,
            borderaxespad=0.0,
            alignment="left",
        )
    tidy(ax, keep=("bottom",))
    return ax


def _places(
    data: pd.DataFrame, outcomes: list[str]
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return the height of each row, and the first and last height of each outcome."""
    places = np.zeros(len(data))
    heights, at = [], 0.0
    for outcome in outcomes:
        mine = np.flatnonzero((data["outcome"].astype(str) == outcome).to_numpy())
        places[mine] = at + _ROW * np.arange(len(mine))
        heights.append((at, at + _ROW * (len(mine) - 1)))
        at = heights[-1][1] + _ROW + _GAP
    return places, heights


def _marks(ax: Axes, values: np.ndarray, places: np.ndarray, number: int, name: str) -> None:
    """Draw one effect in every outcome: solid where its interval excludes 0."""
    colour = COLOURS[number % len(COLOURS)] if name else INK
    marker = MARKERS[number % len(MARKERS)]
    estimate, low, high = values.T
    bounded = np.isfinite(low) & np.isfinite(high)
    ax.hlines(places[bounded], low[bounded], high[bounded], color=colour, lw=1.5)
    clear = (low > 0) | (high < 0)  # an interval without one of its ends too
    shown: dict[str, Any] = {"ls": "", "marker": marker, "ms": 5.5, "color": colour}
    ax.plot(estimate[clear], places[clear], gid="clear", **shown)
    ax.plot(estimate[~clear], places[~clear], mfc="white", gid="unclear", **shown)
    if name:
        ax.plot([], [], label=label(name, 44), **shown)


@styled
def plot_selection_by_gap(
    rates: pd.DataFrame, curve: pd.DataFrame | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw how often people chose the higher-scored side, by the size of the score gap.

    Parameters
    ----------
    rates : DataFrame
        One row per bin: `bin, gap_low, gap_high, n, chosen, rate, low, high`; a last bin without
        an upper end has a missing or infinite `gap_high`.
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
        note(
            ax,
            "fitted logit",
            (float(line["gap"].iloc[-1]), float(line["probability"].iloc[-1])),
            (5, 0),
            colour=BLUE,
        )
    ends = rates["gap_high"].astype(float).where(lambda s: np.isfinite(s), right)
    centres = (rates["gap_low"].astype(float) + ends) / 2
    ax.axhline(0.5, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=0.5)
    note(ax, "chance", (right, 0.5), (5, 0), colour=MUTED)
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


def _right_end(rates: pd.DataFrame, curve: pd.DataFrame | None) -> float:
    """Return where to end a last bin without an upper end: the largest gap known."""
    known = [float(value) for value in rates["gap_high"] if np.isfinite(float(value))]
    if curve is not None and len(curve):
        known.append(float(curve["gap"].max()))
    starts = [float(value) for value in rates["gap_low"]]
    return max([*known, max(starts, default=0.0) + 1.0])
