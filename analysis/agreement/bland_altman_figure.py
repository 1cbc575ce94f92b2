"""The bias plot of Bland and Altman: the difference of two scores against their mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.agreement.bland_altman import limits_of_agreement
from analysis.arrays import FloatArray
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
from analysis.results.numbers import MINUS
from analysis.tables import columns

# Areas of a point for one item and of the largest point.
SMALL, LARGE = 12.0, 150.0


@styled
def plot_bland_altman(
    pairs: pd.DataFrame,
    *,
    score: str = "judge",
    reference: str = "reference",
    score_label: str = "judge",
    reference_label: str = "people",
    scale: tuple[float, float] | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the difference of two scores of each item against their mean, with the limits.

    The solid line is the bias and the dashed lines are the limits of agreement, each with a band
    for its interval. Items at the same place form one larger point. If the scale is known, grey
    lines show the largest possible differences: near its ends scores cannot differ much, so a
    slope there means nothing.

    Parameters
    ----------
    pairs : DataFrame
        One row per item, as for `limits_of_agreement`.
    score, reference : str
        Names of the columns; differences are score - reference.
    score_label, reference_label : str
        Who gave the scores, for the labels.
    scale : (float, float), optional
        Ends of the scale.
    level : float
        Coverage of the limits and of their intervals.
    ax : Axes, optional

    Returns
    -------
    Axes
        With `gid` `items` on the points, `bias`, `lower limit` and `upper limit` on the lines.
        There are no lines if fewer than three items have both scores.

    Raises
    ------
    RatifyError
        As `limits_of_agreement`.
    """
    columns.require_columns(pairs, score, reference)
    both = np.column_stack([columns.numbers(pairs, score), columns.numbers(pairs, reference)])
    known = both[~np.isnan(both).any(axis=1)]
    ax = axes_or_new(ax, 4.0, 2.9)
    middle, gap = known.mean(axis=1), known[:, 0] - known[:, 1]
    if scale is not None:
        _room(ax, *scale)
    reach = float(np.abs(gap).max(initial=0.5))
    ax.axhline(0, color=HAIR, lw=0.8, zorder=0.4)
    _points(ax, middle, gap)
    if len(known) >= 3:
        found = limits_of_agreement(pairs, score=score, reference=reference, level=level)
        _line(ax, "upper limit", (found.upper, found.upper_low, found.upper_high))
        _line(ax, "bias", (found.bias, found.bias_low, found.bias_high))
        _line(ax, "lower limit", (found.lower, found.lower_low, found.lower_high))
        reach = max(reach, abs(found.upper_high), abs(found.lower_low))
    ax.set_ylim(-1.08 * reach, 1.08 * reach)
    if scale is not None:
        ax.set_xlim(scale[0] - 0.04 * (scale[1] - scale[0]), scale[1])
    ax.yaxis.set_major_formatter(lambda value, _: _signed(value))
    one, other = label(score_label, 20), label(reference_label, 20)
    ax.set_xlabel(f"Mean of {one} and {other} (points)")
    ax.set_ylabel(f"{one} {MINUS} {other} (points)")
    tidy(ax)
    return ax


def _points(ax: Axes, middle: FloatArray, gap: FloatArray) -> None:
    """Draw the items; items at the same place form one point, larger for more items."""
    places = np.column_stack([middle.round(9), gap.round(9)])
    spots, counts = np.unique(places, axis=0, return_counts=True)
    most = max(int(counts.max(initial=1)), 2)
    areas = SMALL + (LARGE - SMALL) * (counts - 1) / (most - 1) * min(1.0, most / 12)
    ax.scatter(
        spots[:, 0],
        spots[:, 1],
        s=areas,
        color=BLUE,
        alpha=0.55,
        linewidth=0,
        gid="items",
        zorder=2,
    )


def _line(ax: Axes, name: str, numbers: tuple[float, float, float]) -> None:
    """Draw a number and the band of its interval, with its name and value at the right."""
    value, low, high = numbers
    colour = INK if name == "bias" else VERMILLION
    ax.axhspan(low, high, color=colour, alpha=0.1, lw=0, zorder=0.3)
    style = "-" if name == "bias" else (0, (5, 3))
    ax.axhline(value, color=colour, lw=1.3, ls=style, gid=name, zorder=1)
    ax.annotate(
        f"{name}\n{_signed(value, 2)}",
        xy=(1, value),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
        color=INK,
        annotation_clip=False,
    )


def _room(ax: Axes, low: float, high: float) -> None:
    """Draw the largest differences that two scores on the scale can have."""
    half = (high - low) / 2
    for side in (1, -1):
        ax.plot(
            [low, low + half, high],
            [0, side * 2 * half, 0],
            color=MUTED,
            lw=0.7,
            ls=(0, (1, 2)),
            zorder=0.5,
            gid="room",
        )


def _signed(value: float, decimals: int | None = None) -> str:
    """Return a difference with its sign."""
    text = f"{abs(value):g}" if decimals is None else f"{abs(value):.{decimals}f}"
    if not any(digit in "123456789" for digit in text):
        return text
    return (MINUS if value < 0 else "+") + text
