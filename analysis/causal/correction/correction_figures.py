"""One figure: what the judge's effect is made of, beside the three estimates."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.causal.clustered import Estimate
from analysis.causal.correction.decomposition import Decomposition
from analysis.causal.correction.estimates import ThreeEstimates
from analysis.results import numbers
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    MUTED,
    VERMILLION,
    axes_or_new,
    styled,
    tidy,
)

# From the top: what the judge says, what it is made of, and what people say instead.
_SAID, _MADE, _RULE, _PEOPLE, _CORRECTED = 0.0, 1.0, 1.85, 2.65, 3.6
_HALF = 0.17
# Words stand on a white ground, because the line at 0 may pass behind them.
_GROUND = {"boxstyle": "square,pad=0.05", "fc": "white", "ec": "none"}


@styled
def plot_three_estimates(
    three: ThreeEstimates, parts: Decomposition, *, unit: str = "points", ax: Axes | None = None
) -> Axes:
    """Draw the judge's effect, its two parts, and what people and the correction say instead.

    Parameters
    ----------
    three : ThreeEstimates
    parts : Decomposition
        Of the same frame and labels.
    unit : str
        What the effect is measured in.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax, 2.65, 2.6)
    low, high = _range(three, parts)
    room = 0.06 * (high - low)
    ax.set_xlim(low - room, high + room)
    ax.set_ylim(_CORRECTED + 0.45, -0.6)
    ax.axvline(0, color=MUTED, lw=0.9, zorder=0.5)
    ax.axhline(_RULE, color=HAIR, lw=0.7, zorder=0.4)
    _point(ax, three.naive, _SAID, VERMILLION, "D")
    _waterfall(ax, parts)
    _point(ax, three.people, _PEOPLE, MUTED, "s")
    _point(ax, three.corrected, _CORRECTED, BLUE, "o")
    ax.set_yticks(
        [_SAID, _MADE, _PEOPLE, _CORRECTED],
        ["The judge says", "which is made of", "People alone say", "Corrected"],
    )
    ax.get_yticklabels()[-1].set_fontweight("bold")
    ax.set_xlabel(f"Effect of the treatment ({unit})")
    ax.tick_params(axis="y", length=0)
    tidy(ax, keep=("bottom",))
    return ax


def _range(three: ThreeEstimates, parts: Decomposition) -> tuple[float, float]:
    """Return the smallest and the largest number drawn, with 0 among them."""
    ends = [0.0]
    for one in (three.naive, parts.people_part, three.people, three.corrected):
        ends += [end for end in (one.low, one.value, one.high) if np.isfinite(end)]
    low, high = min(ends), max(ends)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _point(ax: Axes, one: Estimate, place: float, colour: str, marker: str) -> None:
    """Draw an estimate and its interval, and write both above."""
    if np.isfinite(one.low):
        ax.hlines(place, one.low, one.high, color=colour, lw=1.8)
    ax.plot([one.value], [place], ls="", marker=marker, color=colour, ms=6)
    _above(ax, _said(one), one.value, place, colour)


def _said(one: Estimate) -> str:
    return numbers.with_interval(one.value, one.low, one.high, decimals=2)


def _waterfall(ax: Axes, parts: Decomposition) -> None:
    """Draw both parts end to end, from 0 to what the judge says."""
    people, naive = parts.people_part.value, parts.naive.value
    against = people * parts.error_part.value < 0
    bars = (
        (0.0, people, BLUE, "people", _MADE - against * _HALF / 2),
        (people, naive, VERMILLION, "errors", _MADE + against * _HALF / 2),
    )
    for start, end, colour, name, centre in bars:
        half = _HALF / 2 if against else _HALF
        box = Rectangle((start, centre - half), end - start, 2 * half, fc=colour, ec="none")
        box.set_gid(f"part-{name}")
        ax.add_patch(box)
    ax.vlines(naive, _SAID, _MADE + _HALF, color=VERMILLION, lw=0.7, ls=(0, (2, 2)), zorder=0.6)
    _meeting(ax, parts.people_part)
    _names(ax, parts)


def _meeting(ax: Axes, people: Estimate) -> None:
    """Draw the interval of the place where both parts meet: a dark line with ends, on white."""
    if not np.isfinite(people.low):
        return
    for colour, width, name in (("white", 2.6, None), (INK, 1.2, "meeting")):
        ax.hlines(_MADE, people.low, people.high, color=colour, lw=width, gid=name)
        ax.vlines([people.low, people.high], _MADE - 0.08, _MADE + 0.08, color=colour, lw=width)


def _names(ax: Axes, parts: Decomposition) -> None:
    """Write both parts below the bar, the people's first, apart from each other."""
    people, error = parts.people_part, parts.error_part
    words = (
        (f"{_said(people)} seen by people too", BLUE),
        (f"{'+' * (error.value > 0)}{_said(error)} from its own errors", VERMILLION),
    )
    low, high = ax.get_xlim()
    left = min(0.0, people.value, parts.naive.value)
    at = min(left, high - 0.78 * (high - low))
    for number, (text, colour) in enumerate(words):
        ax.annotate(
            text,
            xy=(at, _MADE + _HALF),
            xytext=(1, -10 - 10 * number),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=7.5,
            color=colour,
            bbox=_GROUND,
            annotation_clip=False,
        )


def _above(ax: Axes, words: str, at: float, place: float, colour: str) -> None:
    low, high = ax.get_xlim()
    share = (at - low) / (high - low)
    ax.annotate(
        words,
        xy=(at, place),
        xytext=(0, 10),
        textcoords="offset points",
        # the words are about 1.2 of the 2.9 inches wide
        ha="left" if share < 0.22 else "right" if share > 0.78 else "center",
        va="center",
        fontsize=7.5,
        color=colour,
        bbox=_GROUND,
        annotation_clip=False,
    )
