"""The figure of themes: how often each theme comes up before and after."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    VERMILLION,
    axes_or_new,
    label,
    legend,
    styled,
    tidy,
)


@styled
def plot_themes(
    incidence: pd.DataFrame,
    *,
    before: str = "before",
    after: str = "after",
    changed: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw how often each theme comes up before and after, joined by a line.

    Parameters
    ----------
    incidence : DataFrame
        `theme, time, estimate, low, high`, as `ThemeChange.incidence`.
    before, after : str
        The two values of `time`.
    changed : sequence of str
        Themes with a dark line: those that changed by the registered test.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    wide = incidence.pivot_table(index="theme", columns="time", values="estimate", sort=False)
    order = list((wide[after] - wide[before]).sort_values(ascending=False, kind="stable").index)
    ax = axes_or_new(ax, 3.3, 0.4 * len(order) + 0.3)
    place = {name: at for at, name in enumerate(order)}
    for name in order:
        clear = name in changed
        ax.plot(
            [wide.loc[name, before], wide.loc[name, after]],
            [place[name]] * 2,
            color=INK if clear else HAIR,
            lw=2.4,
            zorder=0.8,
            solid_capstyle="butt",
        )
    looks = {before: (VERMILLION, "s", -0.13), after: (BLUE, "o", 0.13)}
    for time, (colour, marker, shift) in looks.items():
        part = incidence[incidence["time"] == time]
        at = part["theme"].map(place).to_numpy(float)
        ax.hlines(at + shift, part["low"], part["high"], color=colour, lw=0.9, alpha=0.7)
        ax.plot(part["estimate"], at, ls="", marker=marker, ms=6, color=colour, gid=time)
    ax.set_yticks(range(len(order)), [label(name, 30) for name in order])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}" if 0 <= value <= 1 else "")
    ax.set_xlabel("Share of texts with the theme")
    legend(ax, {label(time, 20): look[:2] for time, look in looks.items()})
    tidy(ax, keep=("bottom",))
    return ax
