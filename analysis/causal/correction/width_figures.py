"""Draws the width of the corrected interval against the number of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from analysis.results.figure_style import (
    COLOURS,
    HAIR,
    INK,
    MUTED,
    axes_or_new,
    note,
    stamp,
    styled,
    tidy,
)


@styled
def plot_widths(
    labels: Sequence[float],
    widths: Sequence[float],
    width_at: Callable[[float], float] | None,
    *,
    own: float,
    wanted: float,
    units: int,
    warning: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw widths by labels, and the curve through them.

    Parameters
    ----------
    labels, widths : sequence of float
        Points of the figure.
    width_at : callable, optional
        The width at any number of labels.
    own : float
        The number of labels that is filled in: the plan's, or those so far.
    wanted : float
        The width that is wanted, a dashed line.
    units : int
        Of the frame; the curve ends there.
    warning : str
        Printed on the figure, if it does not show real data.
    ax : Axes, optional
    """
    ax = axes_or_new(ax, 3.2, 2.7)
    most = min(units, 1.25 * max(labels))
    if width_at is not None:
        along = np.geomspace(min(labels), most, 80)
        ax.plot(along, [width_at(one) for one in along], color=MUTED, lw=1.2)
    for at, width in zip(labels, widths, strict=True):
        here = at == own
        colour = INK if here else COLOURS[0]
        ax.plot([at], [width], marker="D" if here else "o", ms=6, color=colour, ls="")
        note(ax, f"{width:.2f}", (at, width), (5, 7), colour=colour)
    ax.axhline(wanted, color=HAIR, lw=0.9, ls=(0, (4, 3)), zorder=0)
    note(ax, f"wanted {wanted:g}", (most, wanted), (4, 0), colour=MUTED)
    ax.set_xlim(0, most)
    ax.set_ylim(0, 1.15 * max([*widths, wanted]))
    ax.set_xticks(list(labels), [f"{round(one):,}" for one in labels])
    ax.set_xlabel("Labelled units")
    ax.set_ylabel("Width of the 95% interval, points")
    tidy(ax)
    return stamp(ax, warning) if warning else ax
