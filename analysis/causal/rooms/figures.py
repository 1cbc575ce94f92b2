"""The figure of the three rooms: how far every number is on the right side of its threshold."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from analysis.causal.rooms.condition import FAIL, OPEN, PASS, Condition, Word, asked
from analysis.causal.rooms.gate import Gate
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    MUTED,
    VERMILLION,
    WASH,
    axes_or_new,
    label,
    styled,
    tidy,
)
from analysis.results.numbers import number

# Colour, mark and filling of each verdict: they differ in grey too.
MARKS: dict[Word, tuple[str, str, str]] = {
    PASS: (BLUE, "o", BLUE),
    FAIL: (VERMILLION, "s", VERMILLION),
    OPEN: (INK, "D", "white"),
}
# Heights in rows: a condition has its name above its interval.
_ROW, _HEAD = 1.0, 1.15
# Half the height of the lane of an interval.
_LANE = 0.2
# Nothing is drawn farther from the threshold than this, in half-widths of the interval.
_FARTHEST = 6.0


@styled
def plot_rooms(gate: Gate, *, ax: Axes | None = None) -> Axes:
    """Draw every condition's interval as its distance from the threshold.

    Right of the line is where a condition passes. Conditions have different units (points, shares,
    correlations), so each distance is in half-widths of the condition's own interval, which is one
    unit for all: one that reaches over the threshold does not decide. A mark is filled where the
    interval decides, and hollow where it does not or where there are too few labels.

    Parameters
    ----------
    gate : Gate
    ax : Axes, optional

    Returns
    -------
    Axes
        It is as wide as a phone, and may be resized by `figure_style.fit_width`.
    """
    height = sum(_HEAD + _ROW * len(room.conditions) for room in gate.rooms)
    ax = axes_or_new(ax, 3.1, 0.3 * height)
    reach = _reach(gate)
    at = 0.0
    for room in gate.rooms:
        _words(ax, at + 0.75, f"{room.name.capitalize()}: {room.verdict}", "", bold=True)
        at += _HEAD
        for one in room.conditions:
            _condition(ax, one, at, reach)
            at += _ROW
    _legend(ax, gate)
    ax.set_ylim(height, 0)
    ax.set_xlim(-reach, reach)
    ax.set_yticks([])
    ax.locator_params(axis="x", nbins=5)
    ax.set_xlabel(
        "Distance from the threshold, in half-widths of\neach condition's own interval:\n"
        "fails on the left, passes on the right"
    )
    tidy(ax, keep=("bottom",))
    return ax


def room_left(one: Condition) -> tuple[float, float, float]:
    """Return how far estimate and ends are inside what is asked; negative beyond the threshold.

    Of two thresholds it is the nearer one, for each value; the smallest value inside an interval is
    that of the end that is farther out.
    """

    def inside(value: float) -> float:
        return min(value - one.least, one.most - value)

    ends = (inside(one.low), inside(one.high))
    middle = (one.least + one.most) / 2
    # an interval around the middle of two thresholds is at most as far inside as the middle is
    best = inside(middle) if one.low < middle < one.high else max(ends)
    return inside(one.estimate), min(ends), best


def in_half_widths(one: Condition) -> tuple[float, float, float]:
    """Return `room_left` in half-widths of the condition's interval: one unit for all of them."""
    half = (one.high - one.low) / 2
    estimate, low, high = (
        value / half if half > 0 else math.copysign(_FARTHEST, value) for value in room_left(one)
    )
    return estimate, low, high


def _condition(ax: Axes, one: Condition, at: float, reach: float) -> None:
    """Draw one condition below its name."""
    numbers = "no interval" if math.isnan(one.low) else f"{number(one.estimate, 2)}"
    _words(ax, at + 0.3, _name(one), f"{numbers} ({asked(one.least, one.most)})")
    line = at + 0.7
    # the threshold is drawn beside each interval only, so that it crosses no words
    ax.add_patch(Rectangle((0, line - _LANE), reach, 2 * _LANE, fc=WASH, ec="none", zorder=0))
    ax.plot([-reach, reach], [line, line], color=HAIR, lw=0.5, zorder=1)
    ax.vlines(0, line - _LANE, line + _LANE, color=MUTED, lw=0.9, zorder=1, gid="threshold")
    if math.isnan(one.low):
        return
    estimate, low, high = (max(-reach, min(reach, value)) for value in in_half_widths(one))
    colour, marker, filling = MARKS[one.verdict]
    ax.plot([low, high], [line, line], color=colour, lw=1.8, solid_capstyle="butt", zorder=2)
    ax.plot([estimate], [line], ls="", marker=marker, ms=5.5, color=colour, mfc=filling, zorder=3)


def _legend(ax: Axes, gate: Gate) -> None:
    """Name the marks that are drawn, above the drawing."""
    seen = {one.verdict for one in gate.conditions}
    marks = {
        word.capitalize(): Line2D([], [], ls="", marker=marker, ms=5.5, color=colour, mfc=filling)
        for word, (colour, marker, filling) in MARKS.items()
        if word in seen
    }
    ax.legend(
        list(marks.values()),
        list(marks),
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=len(marks),
        frameon=False,
        fontsize=7.5,
        handletextpad=0.2,
        columnspacing=1.0,
        borderaxespad=0.2,
    )


def _name(one: Condition) -> str:
    """Return what is asked about which score, as one short line."""
    return label(f"{one.name}, {one.about}", 36)


def _words(ax: Axes, at: float, left: str, right: str, *, bold: bool = False) -> None:
    """Write words at both ends of a row."""
    for x, words, side in ((0.0, left, "left"), (1.0, right, "right")):
        ax.text(
            x,
            at,
            words,
            transform=ax.get_yaxis_transform(),
            ha=side,
            va="center",
            fontsize=8.5 if bold else 7,
            fontweight="bold" if bold else "normal",
            color=INK if bold or side == "left" else MUTED,
        )


def _reach(gate: Gate) -> float:
    """Return how far the axis goes to either side."""
    drawn = [one for one in gate.conditions if not math.isnan(one.low)]
    farthest = max((abs(x) for one in drawn for x in in_half_widths(one)), default=_FARTHEST)
    return 1.05 * min(_FARTHEST, farthest)
