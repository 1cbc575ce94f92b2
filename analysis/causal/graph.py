"""The causal graph that an estimate assumes: named confounders, and the judge's shared errors."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from analysis.results.figure_style import BLUE, INK, MUTED, VERMILLION, axes_or_new, label, styled

# Places of the nodes, from 0 to 1.
_S, _Y = (0.18, 0.46), (0.82, 0.46)
_JUDGE_S, _JUDGE_Y = (0.18, 0.12), (0.82, 0.12)
_TOP, _HIDDEN = 0.97, 0.74
# The size of a letter and of a line, as shares of the drawing.
_LETTER, _LINE = 0.0147, 0.05
_DASHES = (0, (4, 3))


@styled
def plot_graph(
    *,
    treatment: str,
    outcome: str,
    confounders: Sequence[str],
    unmeasured: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw the graph: confounders move both scores, and the judge's errors go together.

    Parameters
    ----------
    treatment, outcome : str
        Names of the two scores.
    confounders : sequence of str
        What is adjusted for.
    unmeasured : sequence of str
        Confounders that the plan names but nobody measured; they are dashed.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax, 3.75, 3.2)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.axis("off")
    _boxed(ax, _S, [label(treatment, 20), "as people score it"], INK)
    _boxed(ax, _Y, [label(outcome, 20), "as people score it"], INK)
    _arrow(ax, _S, _Y, INK, width=1.6, gap=46)
    ax.text(0.5, 0.48, "the effect", ha="center", va="bottom", fontsize=8, color=INK)
    _above(ax, (0.5, _TOP), _listed("Adjusted for: ", confounders, 54), BLUE, dashed=False)
    if unmeasured:
        hidden = _listed("Not measured: ", unmeasured, 42)
        _above(ax, (0.5, _HIDDEN), hidden, MUTED, dashed=True)
    _boxed(ax, _JUDGE_S, ["judge's score of", label(treatment, 20)], VERMILLION)
    _boxed(ax, _JUDGE_Y, ["judge's score of", label(outcome, 20)], VERMILLION)
    _arrow(ax, _S, _JUDGE_S, MUTED, gap=17)
    _arrow(ax, _Y, _JUDGE_Y, MUTED, gap=17)
    _arrow(ax, _JUDGE_S, _JUDGE_Y, VERMILLION, both=True, dashed=True, gap=44, bend=0.16)
    ax.text(
        0.5,
        -0.05,
        "errors that go together look like an effect",
        ha="center",
        va="bottom",
        fontsize=7.5,
        color=VERMILLION,
    )
    return ax


def _listed(before: str, names: Sequence[str], width: int) -> list[str]:
    """Return names as lines of at most so many letters."""
    return textwrap.wrap(before + ", ".join(label(name) for name in names), width)


def _boxed(
    ax: Axes, at: tuple[float, float], lines: Sequence[str], colour: str, *, dashed: bool = False
) -> None:
    """Write lines, each centred by itself because readers' fonts differ, in a box."""
    wide = max(map(len, lines)) * _LETTER + 0.03
    high = len(lines) * _LINE + 0.05
    ax.add_patch(
        FancyBboxPatch(
            (at[0] - wide / 2, at[1] - high / 2),
            wide,
            high,
            boxstyle="round,pad=0,rounding_size=0.015",
            fc="white",
            ec=colour,
            lw=0.9,
            ls=_DASHES if dashed else "-",
            zorder=2,
            clip_on=False,
        )
    )
    for number, line in enumerate(lines):
        y = at[1] + ((len(lines) - 1) / 2 - number) * _LINE
        ax.text(at[0], y, line, ha="center", va="center", fontsize=7.5, color=INK, zorder=3)


def _above(
    ax: Axes, at: tuple[float, float], lines: Sequence[str], colour: str, *, dashed: bool
) -> None:
    """Draw confounders, with arrows to both scores."""
    _boxed(ax, at, lines, colour, dashed=dashed)
    for end in (_S, _Y):
        start = (at[0] + (0.2 if end[0] > at[0] else -0.2), at[1])
        _arrow(ax, start, end, colour, dashed=dashed, gap=18)


def _arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str,
    *,
    width: float = 0.9,
    both: bool = False,
    dashed: bool = False,
    gap: float = 10,
    bend: float = 0.0,
) -> None:
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "<|-|>" if both else "-|>",
            "color": colour,
            "lw": width,
            "ls": _DASHES if dashed else "-",
            "shrinkA": gap,
            "shrinkB": gap,
            "connectionstyle": f"arc3,rad={bend}",
        },
        zorder=1,
    )
