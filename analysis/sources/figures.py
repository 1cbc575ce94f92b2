"""The figures of sources: means with intervals, and shares of picks as best and as worst."""

from __future__ import annotations

from collections.abc import Sequence

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
    VERMILLION,
    axes_or_new,
    label,
    legend,
    note,
    styled,
    tidy,
)
from analysis.sources.rows import ALL

# With more domains than this the marks of a row overlap: only the mean of all is drawn.
MOST_DOMAINS = 4
ROW = 0.3  # inches


@styled
def plot_source_means(
    means: pd.DataFrame, *, sources: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the mean rating of every source by dimension, with intervals.

    Parameters
    ----------
    means : DataFrame
        `dimension, domain, source, estimate, low, high`, as `SourceRatings.means`. Up to four
        domains are drawn with the mean of all ratings; with more, only that mean is drawn.
    sources : sequence of str, optional
        Their order from the top; by default by their mean over dimensions, best first.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    whole = means[means["domain"] == ALL]
    order = list(sources) if sources is not None else _best_first(whole)
    dimensions = list(dict.fromkeys(whole["dimension"]))
    domains = [name for name in dict.fromkeys(means["domain"]) if name != ALL]
    drawn = domains if len(domains) <= MOST_DOMAINS else []
    rows, heads, labels = _grouped(dimensions, order)
    high = ROW * (1 + 0.25 * len(drawn))
    ax = axes_or_new(ax, 3.3, high * (len(rows) + len(heads)) + 0.3)
    offsets = [0.0] if not drawn else list(np.linspace(-0.3, 0.3, len(drawn) + 1))
    for place, domain in zip(offsets, [ALL, *drawn], strict=True):
        part = means[means["domain"] == domain]
        at = [rows[d, s] + place for d, s in zip(part["dimension"], part["source"], strict=True)]
        number = 0 if domain == ALL else 1 + drawn.index(domain)
        colour = INK if domain == ALL else COLOURS[(number - 1) % len(COLOURS)]
        ax.hlines(at, part["low"], part["high"], color=colour, lw=1.8 if domain == ALL else 1.1)
        ax.plot(
            part["estimate"],
            at,
            ls="",
            marker=MARKERS[number],
            color=colour,
            ms=5.5 if domain == ALL else 4.5,
            gid=f"means {domain}",
        )
    _group_axis(ax, rows, heads, labels)
    ax.set_xlabel("Mean rating (points)")
    if drawn:
        names = {"all": (INK, MARKERS[0])} | {
            name: (COLOURS[at % len(COLOURS)], MARKERS[1 + at]) for at, name in enumerate(drawn)
        }
        legend(ax, names)
    return ax


@styled
def plot_best_worst_shares(
    shares: pd.DataFrame, *, sources: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how often each source's responses were picked as best and as worst, and chance.

    Parameters
    ----------
    shares : DataFrame
        `source, picked, estimate, low, high, chance`, as `BestWorstShares.shares`.
    sources : sequence of str, optional
        Their order from the top; by default by most minus least.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    net = shares[shares["picked"] == "net"].sort_values("estimate", ascending=False, kind="stable")
    order = list(sources) if sources is not None else list(net["source"])
    ax = axes_or_new(ax, 3.3, 0.46 * len(order) + 0.3)
    place = {name: at for at, name in enumerate(order)}
    looks = {"most": (BLUE, "o", -0.14), "least": (VERMILLION, "s", 0.14)}
    for picked, (colour, marker, shift) in looks.items():
        part = shares[(shares["picked"] == picked) & shares["source"].isin(order)]
        at = part["source"].map(place).to_numpy(float) + shift
        ax.hlines(at, part["low"], part["high"], color=colour, lw=1.6)
        ax.plot(part["estimate"], at, ls="", marker=marker, ms=5.5, color=colour, gid=picked)
    most = shares[(shares["picked"] == "most") & shares["source"].isin(order)]
    at = most["source"].map(place).to_numpy(float)
    ax.vlines(most["chance"], at - 0.5, at + 0.5, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=0.5)
    corner = (float(most["chance"].iloc[0]), len(order) - 0.5)
    note(ax, "chance", corner, (3, 3), va="baseline", colour=MUTED)
    ax.set_yticks(range(len(order)), [label(name, 26) for name in order])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("Share of the times it was shown")
    legend(ax, {"picked as best": (BLUE, "o"), "picked as worst": (VERMILLION, "s")})
    tidy(ax, keep=("bottom",))
    return ax


def _best_first(whole: pd.DataFrame) -> list[str]:
    """Return the sources ordered by their mean over dimensions, best first."""
    mean = whole.groupby("source")["estimate"].mean().sort_values(ascending=False, kind="stable")
    return [str(name) for name in mean.index]


def _grouped(
    dimensions: Sequence[str], order: Sequence[str]
) -> tuple[dict[tuple[str, str], float], dict[float, str], list[str]]:
    """Return the place of each dimension's sources, and of its name."""
    rows: dict[tuple[str, str], float] = {}
    heads: dict[float, str] = {}
    at = 0.0
    for dimension in dimensions:
        if len(dimensions) > 1:
            heads[at] = dimension
            at += 1
        for source in order:
            rows[dimension, source] = at
            at += 1
    return rows, heads, [label(source, 26) for _, source in rows]


def _group_axis(
    ax: Axes, rows: dict[tuple[str, str], float], heads: dict[float, str], labels: list[str]
) -> None:
    """Name the rows, and put each dimension's name above its rows."""
    ax.set_yticks([*rows.values(), *heads], [*labels, *(_words(name) for name in heads.values())])
    for tick, text in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True):
        if tick in heads:
            text.set_fontweight("bold")
            if tick > 0:
                ax.axhline(tick - 0.5, color=HAIR, lw=0.6, zorder=0.4)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(max(rows.values()) + 0.6, -0.6)
    tidy(ax, keep=("bottom",))


def _words(name: str) -> str:
    return label(name.replace("_", " "), 30)
