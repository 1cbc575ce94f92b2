"""The figures of facets: reliability by number of raters, and who is severe."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

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

# Labels at the end of the lines that are closer than this share of the axis are moved apart.
_APART = 0.058


@styled
def plot_decision(
    decision: pd.DataFrame,
    *,
    now: dict[str, float] | None = None,
    target: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the absolute reliability of an item's mean by the number of its raters.

    Parameters
    ----------
    decision : DataFrame
        `dimension, raters, absolute, absolute_low, absolute_high`, as `ByDimension.decision_frame`.
    now : dict of str to float, optional
        How many raters an item of each dimension has; a point with its interval marks the nearest
        whole number.
    target : float, optional
        A reliability to reach, drawn as a line.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if decision.empty:
        raise ValueError("plot_decision: there is no dimension to draw")
    ax = axes_or_new(ax, 4.2, 2.9)
    names = list(dict.fromkeys(decision["dimension"]))
    most = int(decision["raters"].max())
    if target is not None:
        ax.axhline(target, color=HAIR, lw=1.0, zorder=0)
        ax.annotate(
            f"{target:.2f}".lstrip("0"),
            (1, target),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            fontsize=7,
            color=MUTED,
        )
    ends: dict[str, float] = {}
    for number, name in enumerate(names):
        part = decision[decision["dimension"] == name]
        colour = COLOURS[number % len(COLOURS)]
        ax.plot(part["raters"], part["absolute"], color=colour, lw=1.3, gid=f"decision {name}")
        ends[name] = float(part["absolute"].iloc[-1])
        at = part[part["raters"] == round((now or {}).get(name, 0))]
        if len(at):
            x = at["raters"] + (number - (len(names) - 1) / 2) * 0.09
            ax.vlines(x, at["absolute_low"], at["absolute_high"], color=colour, lw=1.1)
            ax.plot(x, at["absolute"], ls="", marker=MARKERS[number % 6], color=colour, ms=4.5)
    _name_lines(ax, ends, most, names)
    ax.set_xlim(0.7, most + 0.15)
    ax.set_ylim(0, 1)
    ax.set_xticks(range(1, most + 1))
    ax.set_xlabel("Raters per item")
    ax.set_ylabel("Absolute reliability of an item's mean")
    tidy(ax)
    return ax


def _name_lines(ax: Axes, ends: dict[str, float], most: int, names: list[str]) -> None:
    """Write each dimension's name beside the end of its line, moved apart where they meet."""
    order = sorted(ends, key=lambda name: ends[name])
    places: list[float] = []
    for name in order:
        places.append(max(ends[name], places[-1] + _APART if places else 0.0))
    over = max(0.0, places[-1] - 1.0)
    for number in range(len(places) - 1, -1, -1):  # too high: push down from the top
        above = places[number + 1] - _APART if number + 1 < len(places) else 1.0
        places[number] = min(places[number], above) if over else places[number]
    for name, place in zip(order, places, strict=True):
        ax.annotate(
            label(name.replace("_", " ")),
            (most + 0.15, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=COLOURS[names.index(name) % len(COLOURS)],
            annotation_clip=False,
        )
