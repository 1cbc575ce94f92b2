"""The figure of confusion matrices: one below the other, narrow enough for a phone."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from analysis.agreement.confusion import ANOTHER, Confusion
from analysis.agreement.figures import SEQUENTIAL, ink_on
from analysis.results import numbers
from analysis.results.figure_style import INK, MUTED, axes_or_new, label, styled, tidy

# With more labels than this the numbers in the cells are not readable.
MOST_LABELS = 12
# Width and height of a cell in inches, and rows left free above a matrix for its name and labels.
_WIDE, _HIGH, _ABOVE = 0.66, 0.42, 1.75


@styled
def plot_confusion(matrices: Sequence[Confusion], *, ax: Axes | None = None) -> Axes:
    """Draw confusion matrices with the same labels one below the other.

    Parameters
    ----------
    matrices : sequence of Confusion
        Of one dimension, people first. Each cell has its count and its share of the row; the
        colour follows the share, and a frame marks the cells with the same label, so that nothing
        depends on colour.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    k = len(matrices[0].labels)
    high = len(matrices) * (k + _ABOVE)
    ax = axes_or_new(ax, _WIDE * k, _HIGH * high)
    ticks: list[float] = []
    names: list[str] = []
    for place, one in enumerate(matrices):
        top = place * (k + _ABOVE) + _ABOVE
        _matrix(ax, one, top)
        ticks += [top + row for row in range(k)]
        names += [_row_name(text) for text in one.labels]
    ax.set_yticks(ticks, names)
    ax.set_xticks([])
    ax.set_xlim(-0.5, k - 0.5)
    ax.set_ylim(high - 0.5, 0)
    ax.tick_params(length=0)
    tidy(ax, keep=())
    return ax


def _matrix(ax: Axes, one: Confusion, top: float) -> None:
    """Draw one matrix whose first row is at `top`, with its name and its columns' labels above."""
    shares, size = one.shares, 8 if len(one.labels) <= 6 else 7
    ax.text(
        -0.5,
        top - 1.42,
        label(one.annotator, 30),
        fontsize=8.5,
        fontweight="bold",
        ha="left",
        va="center",
    )
    who = "another" if one.annotator == ANOTHER else "judge"
    ax.text(
        -0.62,
        top - 0.6,
        f"person ↓   {who} →",
        fontsize=6.5,
        color=MUTED,
        ha="right",
        va="baseline",
    )
    for column, text in enumerate(one.labels):
        ax.text(
            column,
            top - 0.6,
            _column_name(text),
            fontsize=7.5,
            color=INK,
            ha="center",
            va="baseline",
            linespacing=1.0,
        )
    for row in range(len(one.labels)):
        for column in range(len(one.labels)):
            share, count = float(shares[row, column]), int(one.counts[row, column])
            known = share == share
            fill = to_rgb(SEQUENTIAL(share)) if known else (1.0, 1.0, 1.0)
            ax.add_patch(
                Rectangle(
                    (column - 0.5, top + row - 0.5), 1, 1, facecolor=fill, edgecolor="white", lw=1.2
                )
            )
            said = f"{numbers.count(count)}\n{numbers.percent(share)}" if known else "0\n—"
            ax.text(
                column,
                top + row,
                said,
                ha="center",
                va="center",
                fontsize=size,
                linespacing=1.05,
                color=ink_on(fill) if known else MUTED,
            )
    for place in range(len(one.labels)):
        ax.add_patch(
            Rectangle(
                (place - 0.46, top + place - 0.46),
                0.92,
                0.92,
                facecolor="none",
                edgecolor=INK,
                lw=1.5,
                gid=f"same-{place}",
            )
        )


def _row_name(text: str) -> str:
    return "\n".join(textwrap.wrap(label(text, 30), 15, max_lines=2, placeholder="…"))


def _column_name(text: str) -> str:
    return "\n".join(textwrap.wrap(label(text, 24), 10, max_lines=2, placeholder="…"))
