"""The figures of agreement: pairs of annotators, judges compared with people, and judges' bias."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, TwoSlopeNorm, to_rgb
from matplotlib.patches import Rectangle

from analysis.agreement.rating_table import MEDIAN
from analysis.results import numbers
from analysis.results.figure_style import (
    COLOURS,
    HAIR,
    MARKERS,
    MUTED,
    axes_or_new,
    label,
    styled,
    tidy,
)

GROUPS = ("Human with human", "Judge with each human", "Judge with median of humans")

# White to dark blue; for signed values purple to orange, which colour-blind people can tell apart.
SEQUENTIAL = LinearSegmentedColormap.from_list(
    "ratify", ["#f6f7f8", "#a9c9e4", "#3f83bd", "#08386b"]
)
_DIVERGING = LinearSegmentedColormap.from_list("ratify2", ["#5e3c99", "#f6f7f8", "#b35806"])

GAP = 0.95  # rows left free above a group, for its name

Pair = tuple[str, str]
Grid = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@styled
def plot_agreement_heatmap(
    table: pd.DataFrame, *, value: str = "kappa_quadratic", ax: Axes | None = None
) -> Axes:
    """Draw one coefficient for every pair of annotators and dimension, with the numbers.

    The humans' agreement with each other comes first, as the yardstick; then every judge with each
    human; then every judge with the median of the humans.

    Parameters
    ----------
    table : DataFrame
        One row per dimension and pair: `dimension, annotator_a, annotator_b` and the coefficient.
    value : str
        Column to draw. `bias` has a scale around zero. Everything else has a scale from 0 to 1, and
        values below 0 have the palest colour.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    groups = pair_groups(table)
    pairs = [pair for group in groups for pair in group]
    dimensions = list(dict.fromkeys(table["dimension"].astype(str)))
    grid = _grid(table, pairs, dimensions, value)
    named = sum(1 for group in groups if group) > 1
    height = 0.24 * (len(pairs) + GAP * len(GROUPS))
    ax = axes_or_new(ax, 0.8 * max(len(dimensions), 1), height)
    colours, scale = _colours(grid, value)
    tops = _tops(groups)
    for row, top in enumerate(tops):
        for column in range(len(dimensions)):
            _cell(ax, column, top, float(grid[row, column]), colours, scale)
    for group, name in zip(groups, GROUPS, strict=True):
        if group and named:
            above = tops[pairs.index(group[0])] - 0.58
            ax.text(-0.5, above, name, fontsize=7.5, color=MUTED, ha="left", va="bottom")
    ax.set_yticks(tops, [_pair_name(pair) for pair in pairs])
    ax.set_xticks(range(len(dimensions)), [_wrapped(d) for d in dimensions])
    ax.xaxis.tick_top()
    ax.set_xlim(-0.5, max(len(dimensions), 1) - 0.5)
    ax.set_ylim((tops[-1] if tops else 0) + 0.5, -0.5 - (GAP if named else 0))
    ax.tick_params(length=0)
    tidy(ax, keep=())
    return ax


@styled
def plot_bias(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how far each judge scores above or below the median of the humans, by dimension.

    Parameters
    ----------
    table : DataFrame
        `dimension, annotator_a, annotator_b, bias` (judge - people, in points of the scale), and
        `bias_low, bias_high` where there are intervals; rows without `median(humans)` are not
        drawn.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    sides = table[["annotator_a", "annotator_b"]].astype(str)
    rows = table[(sides == MEDIAN).any(axis=1)].dropna(subset=["bias"])
    judges = list(dict.fromkeys(_other(a, b) for a, b in _pairs(rows)))
    dimensions = list(dict.fromkeys(table["dimension"].astype(str)))
    ax = axes_or_new(ax, 4.8, 0.36 * max(len(dimensions), 1))
    ax.axvline(0, color=MUTED, lw=0.9, zorder=0.5)
    for place in range(len(dimensions)):
        ax.axhline(place, color=HAIR, lw=0.5, zorder=0.4)
    spread = np.linspace(-0.2, 0.2, len(judges)) if len(judges) > 1 else np.zeros(len(judges))
    owner = pd.Series([_other(a, b) for a, b in _pairs(rows)], index=rows.index, dtype=object)
    bounded = {"bias_low", "bias_high"} <= set(table.columns)
    for index, judge in enumerate(judges):
        mine = rows[owner == judge]
        places = np.array([dimensions.index(str(d)) for d in mine["dimension"]]) + spread[index]
        if bounded:
            ends = mine[["bias_low", "bias_high"]].astype(float)
            ax.hlines(
                places,
                ends["bias_low"],
                ends["bias_high"],
                color=COLOURS[index % len(COLOURS)],
                lw=1.3,
                alpha=0.7,
            )
        ax.plot(
            mine["bias"].astype(float),
            places,
            ls="",
            marker=MARKERS[index % len(MARKERS)],
            color=COLOURS[index % len(COLOURS)],
            ms=5.5,
            label=label(judge, 24),
            gid=f"judge-{index}",
        )
    if judges:
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=min(4, len(judges)),
            frameon=False,
            borderaxespad=0.2,
            handletextpad=0.1,
            columnspacing=1.4,
        )
    drawn = rows[["bias", "bias_low", "bias_high"] if bounded else ["bias"]].astype(float)
    _symmetric(ax, drawn.to_numpy()[np.isfinite(drawn.to_numpy())].tolist())
    ax.set_yticks(range(len(dimensions)), [label(d.replace("_", " ")) for d in dimensions])
    ax.set_ylim(max(len(dimensions), 1) - 0.5, -0.5)
    ax.set_xlabel("Judge minus people (points of the scale; right of 0 the judge scores higher)")
    ax.tick_params(axis="y", length=0)
    tidy(ax, keep=("bottom",))
    return ax


@styled
def plot_beside_people(table: pd.DataFrame, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw how far each judge agrees with people, and how far people agree with each other.

    Parameters
    ----------
    table : DataFrame
        One row per dimension and annotator: `dimension, annotator, estimate, low, high`. People
        come first, and are drawn as a band. Rows without an estimate are left out.
    level : float
        Coverage of the intervals, for the legend.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    dimensions = list(dict.fromkeys(table["dimension"].astype(str)))
    people, *judges = list(dict.fromkeys(table["annotator"].astype(str)))
    ax = axes_or_new(ax, 4.0, 0.3 * max(len(dimensions), 1) * max(1.2, len(judges) / 2))
    known = table.dropna(subset=["estimate"])
    for index, name in enumerate([people, *judges]):
        mine = known[known["annotator"] == name]
        places = np.array([dimensions.index(str(d)) for d in mine["dimension"]], dtype=float)
        values, low, high = (mine[c].to_numpy(dtype=float) for c in ("estimate", "low", "high"))
        if index == 0:
            ax.barh(
                places,
                high - low,
                left=low,
                height=0.84,
                color=HAIR,
                alpha=0.55,
                lw=0,
                label=f"{label(people, 24)} ({level:.0%} interval)",
                gid="people",
            )
            ax.vlines(values, places - 0.42, places + 0.42, color=MUTED, lw=1.4)
            continue
        spread = (index - (len(judges) + 1) / 2) * min(0.24, 0.7 / max(len(judges), 1))
        colour = COLOURS[(index - 1) % len(COLOURS)]
        ax.hlines(places + spread, low, high, color=colour, lw=1.4)
        ax.plot(
            values,
            places + spread,
            ls="",
            marker=MARKERS[(index - 1) % len(MARKERS)],
            color=colour,
            ms=5,
            label=label(name, 24),
            gid=f"judge-{index - 1}",
        )
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2,
        frameon=False,
        borderaxespad=0.2,
        handletextpad=0.5,
        columnspacing=1.4,
    )
    ax.axvline(0, color=MUTED, lw=0.7, zorder=0.5)
    low_end = min([0.0, *known["low"].dropna().astype(float), *known["estimate"].astype(float)])
    ax.set_xlim(low_end - 0.03 if low_end < 0 else 0.0, 1.0)
    named = ["mean over all" if d == "all" else label(d.replace("_", " ")) for d in dimensions]
    ax.set_yticks(range(len(dimensions)), named)
    ax.set_ylim(max(len(dimensions), 1) - 0.5, -0.5)
    ax.set_xlabel("Agreement with one person (kappa)")
    ax.tick_params(axis="y", length=0)
    tidy(ax, keep=("bottom",))
    return ax


def pair_groups(table: pd.DataFrame) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Return the pairs of a table as: human pairs, judge with human, judge with the median.

    An annotator that is compared with `median(humans)` is a judge. Each group keeps the order of
    the table, judge by judge.
    """
    pairs = list(dict.fromkeys(_pairs(table)))
    judges = list(dict.fromkeys(_other(a, b) for a, b in pairs if MEDIAN in (a, b)))

    def order(pair: Pair) -> int:
        return min(judges.index(name) for name in pair if name in judges)

    humans = [pair for pair in pairs if not set(pair) & {*judges, MEDIAN}]
    mixed = [pair for pair in pairs if set(pair) & set(judges) and MEDIAN not in pair]
    median = [pair for pair in pairs if MEDIAN in pair]
    return humans, sorted(mixed, key=order), sorted(median, key=order)


def _pairs(table: pd.DataFrame) -> list[Pair]:
    """Return the two annotators of every row."""
    return list(
        zip(table["annotator_a"].astype(str), table["annotator_b"].astype(str), strict=True)
    )


def _other(a: str, b: str) -> str:
    """Return the one of two annotators that is not the median."""
    return b if a == MEDIAN else a


def _wrapped(dimension: str) -> str:
    """Return a dimension's name over at most two short lines."""
    words = label(dimension.replace("_", " "))
    return "\n".join(textwrap.wrap(words, 13, max_lines=2, placeholder="…"))


def _pair_name(pair: Pair) -> str:
    """Return the label of a pair's row."""
    a, b = (name if name != MEDIAN else "median" for name in pair)
    return f"{label(a, 18)} – {label(b, 18)}"


def _grid(
    table: pd.DataFrame, pairs: Sequence[Pair], dimensions: Sequence[str], value: str
) -> Grid:
    """Return the coefficients as pairs by dimensions, NaN where the table has none."""
    grid = np.full((len(pairs), len(dimensions)), np.nan)
    values = table[value].astype(float)
    for pair, dimension, number in zip(
        _pairs(table), table["dimension"].astype(str), values, strict=True
    ):
        grid[pairs.index(pair), dimensions.index(dimension)] = number
    return grid


def _tops(groups: Sequence[Sequence[Pair]]) -> list[float]:
    """Return the height of every row: groups stand apart, with room for their names."""
    tops: list[float] = []
    for group in groups:
        start = 0.0 if not tops else tops[-1] + 1 + GAP
        tops.extend(start + place for place in range(len(group)))
    return tops


def _colours(grid: Grid, value: str) -> tuple[Colormap, Normalize]:
    """Return the colour scale of a coefficient."""
    if value != "bias":
        return SEQUENTIAL, Normalize(0.0, 1.0, clip=True)
    known = np.abs(grid[np.isfinite(grid)])
    reach = float(known.max()) if known.size and known.max() > 0 else 1.0
    return _DIVERGING, TwoSlopeNorm(0.0, -reach, reach)


def _cell(
    ax: Axes, column: int, top: float, number: float, colours: Colormap, scale: Normalize
) -> None:
    """Draw one cell and print its number in black or white, whichever is easier to read."""
    known = math.isfinite(number)
    fill = to_rgb(colours(float(scale(number)))) if known else (1.0, 1.0, 1.0)
    # Rectangles instead of an image, so that the figure stays sharp and has no bitmaps.
    ax.add_patch(
        Rectangle((column - 0.5, top - 0.5), 1, 1, facecolor=fill, edgecolor="white", lw=1.2)
    )
    text = numbers.number(number if known else None, 2)
    ax.text(column, top, text, ha="center", va="center", fontsize=8, color=ink_on(fill))


def ink_on(fill: tuple[float, float, float]) -> str:
    """Return white or black, whichever has more contrast; never under 4.5 to 1 (WCAG)."""
    behind = _luminance(fill)
    return "white" if 1.05 / (behind + 0.05) > (behind + 0.05) / 0.05 else "black"


def _luminance(colour: tuple[float, float, float]) -> float:
    """Return the relative luminance of an sRGB colour as WCAG defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _symmetric(ax: Axes, values: Sequence[float]) -> None:
    """Put zero in the middle, so that readers see the direction first."""
    reach = max([abs(value) for value in values], default=0.0)
    reach = reach * 1.15 if reach > 0 else 1.0
    ax.set_xlim(-reach, reach)
