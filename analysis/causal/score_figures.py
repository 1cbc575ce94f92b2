"""The figures of scores: their histograms, by the judge and by people, and paired differences."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes

from analysis.arrays import FloatArray
from analysis.causal.units import Cuts
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    MUTED,
    VERMILLION,
    WASH,
    axes_or_new,
    label,
    legend,
    styled,
    tidy,
)
from analysis.results.numbers import percent, signed

_BAR = 0.38


@dataclass(frozen=True)
class ScoreShares:
    """How often each point of a scale was given.

    Attributes
    ----------
    points : array of shape (points,)
    judge, people : array of shape (points,)
        Shares, which add to 1; people's are weighted by the inverse inclusion probability.
    """

    points: FloatArray = field(repr=False)
    judge: FloatArray = field(repr=False)
    people: FloatArray = field(repr=False)


def score_shares(
    judge: FloatArray, people: FloatArray, weights: FloatArray, scale: tuple[float, float]
) -> ScoreShares:
    """Return the shares of the points of a scale; a mean of several people counts as the nearest.

    Parameters
    ----------
    judge : array of shape (n,)
        Scores of all units.
    people : array of shape (n,)
        NaN for units without labels.
    weights : array of shape (n,)
        The inverse inclusion probability of labelled units.
    scale : tuple of float
    """
    points = np.arange(scale[0], scale[1] + 1)
    edges = np.append(points - 0.5, points[-1] + 0.5)
    known = ~np.isnan(people)

    def shares(values: FloatArray, of: FloatArray) -> FloatArray:
        counted, _ = np.histogram(values, edges, weights=of)
        return np.asarray(counted / max(counted.sum(), 1e-12))

    return ScoreShares(
        points, shares(judge, np.ones(len(judge))), shares(people[known], weights[known])
    )


@styled
def plot_scores(
    found: ScoreShares, *, name: str, cuts: Cuts | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how often the judge and people gave each score; the cuts are drawn where there are any.

    Parameters
    ----------
    found : ScoreShares
    name : str
        What was scored.
    cuts : Cuts, optional
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax, 3.0, 1.7)
    if cuts is not None:
        ax.axvspan(cuts.control + 0.5, cuts.treated - 0.5, color=WASH, lw=0, zorder=0)
    for at, (shares, colour, who) in enumerate(
        ((found.judge, VERMILLION, "judge"), (found.people, BLUE, "people"))
    ):
        aside = (at - 0.5) * _BAR
        ax.bar(found.points + aside, shares, _BAR, color=colour, lw=0, gid=f"{who}-{name}")
    top = max(float(np.nanmax(found.judge)), float(np.nanmax(found.people))) * 1.12
    ax.set_ylim(0, top)
    if cuts is not None:
        for x, word, side in (
            (cuts.control + 0.5, "control", "right"),
            (cuts.treated - 0.5, "treated", "left"),
        ):
            ax.axvline(x, color=MUTED, lw=0.8, ls=(0, (4, 3)))
            nudge = -0.08 if side == "right" else 0.08
            ax.text(x + nudge, top, word, ha=side, va="top", fontsize=7.5, color=MUTED)
    legend(ax, {"judge": (VERMILLION, "s"), "people (weighted)": (BLUE, "s")})
    ax.set_xticks(found.points, [f"{point:g}" for point in found.points])
    ax.set_yticks(ax.get_yticks(), [percent(float(tick)) for tick in ax.get_yticks()])
    ax.set_ylim(0, top)
    ax.set_xlabel(f"Score of {label(name.replace('_', ' '))}")
    ax.set_ylabel("Share of units")
    tidy(ax)
    return ax


@styled
def plot_paired_differences(
    differences: FloatArray, *, outcome: str, ax: Axes | None = None
) -> Axes:
    """Draw how the outcome differs within matched pairs, treated minus control, with its mean.

    Parameters
    ----------
    differences : array of shape (pairs,)
    outcome : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax, 3.0, 1.6)
    values, counts = np.unique(np.round(differences, 6), return_counts=True)
    width = min(0.85 * float(np.diff(values).min()), 0.85) if len(values) > 1 else 0.85
    ax.bar(values, counts / counts.sum(), width, color=BLUE, lw=0, gid="differences")
    mean = float(differences.mean())
    ax.axvline(0, color=HAIR, lw=0.9, zorder=0)
    ax.axvline(mean, color=INK, lw=1.0)
    ax.annotate(
        f"mean {signed(mean, 2)}",
        xy=(mean, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(3, 0),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=7.5,
        color=INK,
    )
    ax.set_yticks(ax.get_yticks(), [percent(float(tick)) for tick in ax.get_yticks()])
    ax.set_ylim(0, float(counts.max() / counts.sum()) * 1.15)
    ax.set_xlabel(f"Treated minus control ({label(outcome.replace('_', ' '))}, points)")
    ax.set_ylabel("Share of pairs")
    tidy(ax)
    return ax
