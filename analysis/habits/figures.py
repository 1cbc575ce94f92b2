"""The figure of habits: every tested number of every judge compared with the honest value."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from analysis.habits.measure import ALONE, FOUND, Measure
from analysis.habits.sentences import value_text, with_interval
from analysis.results.factors import MOST
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    MUTED,
    VERMILLION,
    axes_or_new,
    label,
    note,
    stamp,
    styled,
    svg,
    tidy,
)
from analysis.results.quantities import ResultFigure

TITLES = {
    "first": "Share of choices of the first text, asked both ways round",
    "letter": "Share of A in answers to people's trials",
    "length": "Factor on the odds for twice the length, beyond people",
    "own": "Factor on the odds for its own text, beyond people",
    "halo": "Correlation of errors between dimensions, beyond people's",
    "rewrite": "Clearest shift of a score by a rewrite, points",
    "swap": "Same answer with sides exchanged, minus when repeated",
    "wording": "Same answer in other words, minus when repeated",
}
GAP = 1.5  # rows left free above a habit, for its name and its scale
ROW = 0.21  # inches


def habits_figures(measures: list[Measure], *, simulated: bool = False) -> list[ResultFigure]:
    """Return the figure of all habits; none if nothing could be tested."""
    if not drawn(measures):
        return []
    axes = plot_habits(measures)
    if simulated:
        stamp(axes)
    found = [m for m in measures if m.reading == FOUND]
    names = [f"{m.label} ({with_interval(m)})" for m in found[:6]]
    return [
        ResultFigure(
            name="habits",
            title="Each habit of each judge",
            caption="Marks are estimates with 95% intervals. The line in the middle of each habit "
            "is the value for a judge without it. Every habit has its own scale, which is "
            "logarithmic for odds and ends at 1,000 times. A diamond is a habit found after "
            "correction over everything tested about that judge. Of several rewrites or wordings "
            "the one with the smallest p value is drawn, so the others look less bad; all are in "
            "the tables." + (" Simulated raters." if simulated else ""),
            alt=f"Found: {'; '.join(names)}." if names else "No tested habit was found.",
            svg=svg(axes),
        )
    ]


@styled
def plot_habits(measures: Sequence[Measure], *, ax: Axes | None = None) -> Axes:
    """Draw each habit of each judge with its interval, compared with the honest value.

    Every habit has its own scale with the honest value in the middle (odds are drawn on a
    logarithmic scale). The numbers are printed next to the marks.

    Parameters
    ----------
    measures : sequence of Measure
        Of all judges; those without an honest value are not drawn. Of several rewrites or wordings
        only the one with the smallest p value is drawn.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    groups = drawn(measures)
    rows = sum(len(group) for group in groups.values()) + GAP * max(len(groups), 1)
    ax = axes_or_new(ax, 3.0, ROW * rows)
    top = 0.0
    ticks: list[tuple[float, str]] = []
    for title, group in groups.items():
        top += GAP
        _scale(ax, title, group, top)
        for m in group:
            _row(ax, m, top, _reach(group))
            if not math.isfinite(m.estimate):
                _endless(ax, m, measures, top)
            ticks.append((top, label(m.judge, 24)))
            top += 1
    ax.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    ax.set_ylim(max(top - 0.4, 1.0), -0.1)
    ax.set_xlim(-1.08, 1.08)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    tidy(ax, keep=())
    _legend(ax)
    return ax


def drawn(measures: Sequence[Measure]) -> dict[str, list[Measure]]:
    """Return the numbers to draw, by title, one per judge."""
    groups: dict[str, list[Measure]] = {}
    for habit, title in TITLES.items():
        for judge in dict.fromkeys(m.judge for m in measures):
            mine = [m for m in measures if m.judge == judge and _group(m) == habit]
            mine = [m for m in mine if not math.isnan(m.p_value)]
            if mine:
                groups.setdefault(title, []).append(min(mine, key=lambda m: m.p_value))
    return groups


def _group(m: Measure) -> str:
    if m.beyond_repeats:
        return m.asking
    return m.habit if m.accuses else ""


def _position(value: float, m: Measure) -> float:
    """Return the distance of a value from the honest one, on the log scale for odds."""
    if not m.is_odds:
        return value - m.honest
    return math.log(value / m.honest) if value > 0 else -math.inf


def _reach(group: Sequence[Measure]) -> float:
    """Return how far a habit's scale extends to either side."""
    known = [
        abs(_position(v, m)) for m in group for v in (m.estimate, m.low, m.high) if math.isfinite(v)
    ]
    farthest = math.log(MOST) if group[0].is_odds else math.inf
    return max([min(value, farthest) for value in known if value > 0], default=1.0)


def _scale(ax: Axes, title: str, group: Sequence[Measure], top: float) -> None:
    """Draw a habit's name, its honest value with a line there, and a line for each judge."""
    first, bottom = group[0], top + len(group) - 1
    name = ax.annotate(
        title,
        xy=(-1.08, top - 0.85),
        fontsize=8,
        color=INK,
        ha="left",
        va="center",
        annotation_clip=False,
    )
    word = "honest" if first.accuses else "no difference"
    ax.annotate(
        f"{word}: {value_text(first, first.honest, 0)}",
        xy=(1, 0.5),
        xycoords=name,
        xytext=(7, 0),
        textcoords="offset points",
        fontsize=7,
        color=MUTED,
        ha="left",
        va="center",
        annotation_clip=False,
    )
    ax.plot([0, 0], [top - 0.42, bottom + 0.42], color=MUTED, lw=0.9, zorder=0.5)
    for place in range(len(group)):
        ax.plot([-1, 1], [top + place] * 2, color=HAIR, lw=0.5, zorder=0.4)


def _row(ax: Axes, m: Measure, at: float, reach: float) -> None:
    """Draw one judge's number with its interval, and print it."""
    colour = VERMILLION if m.reading in {FOUND, ALONE} else BLUE if m.accuses else MUTED
    if math.isfinite(m.low) and math.isfinite(m.high):
        ends = [max(-1.0, min(1.0, _position(end, m) / reach)) for end in (m.low, m.high)]
        ax.plot(ends, [at, at], color=colour, lw=1.6, solid_capstyle="butt")
    if math.isfinite(m.estimate):
        ax.plot(
            [max(-1.0, min(1.0, _position(m.estimate, m) / reach))],
            [at],
            ls="",
            marker="D" if m.reading == FOUND else "o",
            ms=5,
            color=colour,
            mfc=colour if m.accuses and m.reading != ALONE else "white",
        )
    aside = (m.what if m.habit == "rewrite" else m.variant).replace("_", " ")
    said = label(f"{with_interval(m)}  {aside}", 64)
    note(ax, said, (1, at), (8, 0), colour=colour if m.reading == FOUND else INK)


def _endless(ax: Axes, m: Measure, measures: Sequence[Measure], at: float) -> None:
    """Draw an arrow in the direction of infinite odds."""
    share = next(s for s in measures if s.judge == m.judge and s.habit == m.habit and s is not m)
    side = m.endless or (1 if share.estimate > 0.5 else -1)
    colour = VERMILLION if m.reading in {FOUND, ALONE} else BLUE
    ax.plot([side], [at], ls="", marker=">" if side > 0 else "<", ms=5, color=colour)


def _legend(ax: Axes) -> None:
    for text, marker, colour, fill in (
        ("found", "D", VERMILLION, VERMILLION),
        ("only if tested alone", "o", VERMILLION, "white"),
        ("not found", "o", BLUE, BLUE),
        ("only describes", "o", MUTED, "white"),
    ):
        ax.plot([], [], ls="", marker=marker, ms=5, color=colour, mfc=fill, label=text)
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=4,
        frameon=False,
        borderaxespad=0.2,
        handletextpad=0.1,
        columnspacing=1.2,
    )
