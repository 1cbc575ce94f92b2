"""Draws the power of a plan, and its curves over raters, trials and items."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from analysis.planning.points import Curve
from analysis.planning.power import AtPoint, Power, Share
from analysis.results.figure_style import (
    COLOURS,
    HAIR,
    INK,
    MARKERS,
    MUTED,
    axes_or_new,
    label,
    legend,
    note,
    stamp,
    styled,
    tidy,
)

GATE, GATE_BAD = "gate, judges as assumed", "gate, bad judges"
USUAL = 0.8  # the power that studies usually aim at (Cohen 1988)


def shares_of(one: AtPoint) -> dict[str, Share]:
    """Return what is drawn of a size: power by hypothesis, and the chances of the gate."""
    found = {f"power for {name}": share for name, share in one.power.items()}
    found |= {GATE: one.gate} if one.gate is not None else {}
    return found | ({GATE_BAD: one.gate_bad} if one.gate_bad is not None else {})


@styled
def plot_power(found: Power, *, ax: Axes | None = None) -> Axes:
    """Draw the power for each hypothesis and the chances of the gate, with simulation intervals.

    Parameters
    ----------
    found : Power
    ax : Axes, optional
    """
    shares = shares_of(found.own)
    ax = axes_or_new(ax, 4.4, 0.34 * max(2, len(shares)))
    ax.axvline(USUAL, color=HAIR, lw=0.8, ls=(0, (4, 3)), zorder=0)
    for at, (name, share) in enumerate(shares.items()):
        colour = MUTED if name == GATE_BAD else INK if name == GATE else COLOURS[0]
        ax.plot([share.low, share.high], [at, at], color=colour, lw=1.6, solid_capstyle="butt")
        ax.plot([share.value], [at], marker="o", ms=5.5, color=colour, ls="")
        note(ax, f"{share.value:.2f}", (1.0, at), (10, 0))
    ax.set_yticks(range(len(shares)), [label(name) for name in shares])
    ax.set_ylim(len(shares) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    ax.set_xlabel(f"Share of {found.own.studies:,} simulated studies")
    tidy(ax, keep=("bottom",))
    ax.tick_params(axis="y", length=0)
    return stamp(ax, "Simulated studies")


@styled
def plot_curve(found: Power, curve: Curve, *, ax: Axes | None = None) -> Axes:
    """Draw power and the chances of the gate over raters, trials or items.

    Parameters
    ----------
    found : Power
    curve : {'raters', 'trials', 'items'}
    ax : Axes, optional
    """
    ax = axes_or_new(ax, 4.4, 2.7)
    points = found.curve(curve)
    own = int(getattr(found.own.point, curve))
    ax.axvline(own, color=HAIR, lw=0.8, zorder=0)
    ax.axhline(USUAL, color=HAIR, lw=0.8, ls=(0, (4, 3)), zorder=0)
    names: dict[str, tuple[Any, str]] = {}
    lines = list(shares_of(found.own))
    sizes = [int(getattr(one.point, curve)) for one in points]
    apart = (max(sizes) - min(sizes)) * 0.008
    for at, name in enumerate(lines):
        colour, marker = _look(name, at)
        shares = [shares_of(one)[name] for one in points]
        places = [size + apart * (at - (len(lines) - 1) / 2) for size in sizes]
        values = [share.value for share in shares]
        ax.vlines(places, [s.low for s in shares], [s.high for s in shares], color=colour, lw=1)
        ax.plot(places, values, color=colour, marker=marker, ms=5, lw=1.2)
        names[name] = (colour, marker)
    ax.set_ylim(-0.02, 1.02)
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.set_xlabel({"trials": "Trials of each rater"}.get(curve, curve.capitalize()))
    ax.set_ylabel("Share of simulated studies")
    tidy(ax)
    legend(ax, names)
    return stamp(ax, "Simulated studies")


def _look(name: str, at: int) -> tuple[str, str]:
    if name == GATE:
        return INK, "D"
    if name == GATE_BAD:
        return MUTED, "v"
    return COLOURS[at % (len(COLOURS) - 1)], MARKERS[at % len(MARKERS)]
