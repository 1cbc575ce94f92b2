"""The figures of doubly robust effects: predicted effects, and chances of treatment by arm."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from analysis.arrays import FloatArray
from analysis.causal.doubly_robust import DoublyRobust
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
from analysis.results.numbers import number, percent

BINS = 40


@styled
def plot_effects(found: DoublyRobust, *, learner: int = 0, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the effects that a learner predicts.

    The line with a band is the headline with its interval, which weighs units otherwise than the
    mean of the predictions (the triangle); the dots are their quartiles. The outermost .2% on
    either side are drawn in the first and the last bar.

    Parameters
    ----------
    found : DoublyRobust
    learner : int
        Which of `found.effects`; the first is the DR-learner.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    one = found.effects[learner]
    ax = axes_or_new(ax, 3.5, 2.4)
    ends = np.quantile(one.effect, [0.002, 0.998])
    edges = np.linspace(*_apart(ends), BINS + 1)
    counts = np.histogram(np.clip(one.effect, edges[0], edges[-1]), edges)[0]
    top = float(counts.max())
    ax.stairs(counts, edges, fill=True, color=BLUE, alpha=0.55, lw=0, gid="effects")
    estimate = found.headline.estimate
    assert estimate is not None  # the headline is always given
    ax.axvspan(estimate.low, estimate.high, color=VERMILLION, alpha=0.16, lw=0, zorder=0.2)
    ax.axvline(estimate.value, color=VERMILLION, lw=1.4, gid="headline")
    quartiles = np.quantile(one.effect, [0.25, 0.5, 0.75])
    ax.plot(quartiles[[0, 2]], [-0.05 * top] * 2, color=INK, lw=1.4, clip_on=False)
    ax.plot(quartiles, [-0.05 * top] * 3, ls="", marker="o", ms=4, color=INK, gid="quartiles")
    if edges[0] < 0 < edges[-1] or estimate.low < 0 < estimate.high:
        ax.axvline(0, color=MUTED, lw=0.8, ls=(0, (4, 3)), zorder=0.3)
    mean = float(one.effect.mean())
    ax.plot([mean], [1.02 * top], ls="", marker="v", ms=5, color=BLUE, clip_on=False, gid="mean")
    said = (
        f"bars: predictions; triangle: their mean {number(mean, 2)}"
        f" (sd {number(float(one.effect.std(ddof=1)), 2)})\n"
        f"line: overlap-weighted effect {number(estimate.value, 2)}"
        f" [{number(estimate.low, 2)}, {number(estimate.high, 2)}],\n"
        "in which units that could be in either arm count more"
    )
    _heading(ax, said)
    ax.set_ylim(-0.1 * top, 1.06 * top)
    ax.set_yticks([])
    ax.set_xlabel(f"Predicted effect on a unit, by the {label(one.learner)} (points)")
    tidy(ax, keep=("bottom",))
    return ax


@styled
def plot_overlap(found: DoublyRobust, *, ax: Axes | None = None) -> Axes:
    """Draw the chance of treatment of treated units upwards and of controls downwards.

    The tallest bars of both arms have the same height, because there are far more controls than
    treated units. The grey zones are trimmed from the effect on all units.

    Parameters
    ----------
    found : DoublyRobust
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax, 3.5, 2.4)
    edges = np.linspace(0, 1, BINS + 1)
    arm, chance = found.arms.arm, found.expected.chance
    up, down = _heights(chance[arm == 1], edges), _heights(chance[arm == 0], edges)
    for low, high in ((0, found.trim), (1 - found.trim, 1)):
        ax.axvspan(low, high, color=WASH, lw=0, zorder=0)
    ax.stairs(up, edges, fill=True, color=VERMILLION, alpha=0.7, lw=0, gid="treated")
    ax.stairs(-down, edges, fill=True, color=BLUE, alpha=0.7, lw=0, gid="controls")
    ax.axhline(0, color=HAIR, lw=0.8)
    ax.set_ylim(-1.1, 1.1)
    ax.set_xlim(0, 1)
    for which, word, place, colour in (
        (arm == 1, "treated", 0.92, VERMILLION),
        (arm == 0, "controls", 0.08, BLUE),
    ):
        ax.text(
            0.97,
            place,
            f"{int(which.sum()):,} {word}",
            transform=ax.transAxes,
            ha="right",
            va="center",
            color=colour,
            fontsize=8,
        )
    outside = float(((chance < found.trim) | (chance > 1 - found.trim)).mean())
    _heading(ax, f"{percent(outside, 1)} of the units in the grey zones")
    ax.set_yticks([])
    ax.set_xlabel("Chance of being treated, given the confounders")
    tidy(ax, keep=("bottom",))
    return ax


def _heading(ax: Axes, text: str) -> None:
    """Write a line above the drawing, where it hides nothing."""
    ax.annotate(
        text,
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 3),
        textcoords="offset points",
        ha="left",
        va="bottom",
        fontsize=7.5,
        color=MUTED,
        annotation_clip=False,
    )


def _apart(ends: FloatArray) -> tuple[float, float]:
    """Return two ends that differ, for predictions that are all alike."""
    low, high = float(ends[0]), float(ends[1])
    return (low, high) if high - low > 1e-9 else (low - 0.5, high + 0.5)


def _heights(values: FloatArray, edges: FloatArray) -> FloatArray:
    counts = np.histogram(values, edges)[0]
    return np.asarray(counts / counts.max(), dtype=np.float64)
