"""Figures of a ranking: which ranks each item may have, and which raters disagree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    MUTED,
    VERMILLION,
    axes_or_new,
    label,
    styled,
    tidy,
)

_NAMED = 60


@styled
def plot_rank_intervals(ranks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each item's rank with its interval, best above.

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
    places = np.arange(1, len(data) + 1)
    few = len(data) <= _NAMED
    ax = axes_or_new(ax, 4.2, 0.165 * max(len(data), 4) if few else 5.5)
    if few:
        for place in places[4::5]:
            ax.axhline(place + 0.5, color=HAIR, lw=0.5, zorder=0.4)
    # a rank is a whole number: a certain one is a mark as wide as itself
    ax.hlines(places, low - 0.4, high + 0.4, color=BLUE, lw=3.0 if few else 1.2, alpha=0.45)
    bare = np.isnan(low)
    size = 4.5 if few else 2.5
    ax.plot(rank[~bare], places[~bare], ls="", marker="o", ms=size, color=INK, gid="ranks")
    ax.plot(
        rank[bare],
        places[bare],
        ls="",
        marker="o",
        ms=size,
        color=INK,
        mfc="white",
        gid="without_interval",
    )
    if few:
        ax.set_yticks(places, [label(name, 24) for name in data["item_id"]])
        ax.tick_params(axis="y", length=0)
    else:
        ax.set_yticks([1, *range(25, len(data) + 1, 25)])
        ax.set_ylabel("Place")
    ax.set_ylim(len(data) + 0.7, 0.3)
    last = max(len(data), int(np.nanmax(high, initial=1)))
    ax.set_xlim(0.3, last + 0.7)
    step = 1 if last <= 10 else 5 if last <= 60 else 25
    ax.set_xticks([1, *range(step if step > 1 else 2, last + 1, step)])
    ax.set_xlabel("Rank (1 = best)")
    tidy(ax, keep=("bottom",) if few else ("left", "bottom"))
    return ax


@styled
def plot_rater_misfit(misfit: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw every rater's agreement with the others over what was to be expected.

    Parameters
    ----------
    misfit : DataFrame
        `rater_id`, `agreement`, `expected`, `flagged`, as in `rater_misfit(...).frame`; raters
        without either drop out. Flagged raters are named.
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
        ax.annotate(
            label(who, 16),
            xy=(at_x, at_y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=INK,
            annotation_clip=False,
        )
    left = min(0.5, float(x.min(initial=0.5))) - 0.03
    ax.set_xlim(left, min(1.0, float(x.max(initial=0.6)) + 0.06))
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel("Expected agreement with the others")
    ax.set_ylabel("Observed agreement")
    tidy(ax)
    return ax
