"""The love plot: how far treated and control units differ before and after weighting."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.arrays import FloatArray
from analysis.causal.balance import Balance
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    MUTED,
    VERMILLION,
    axes_or_new,
    label,
    legend,
    note,
    styled,
    tidy,
)

# Up to this many covariates, each has a row of its own; with more, each confounder has one.
NAMED = 24
_LOOKS = {"before": (VERMILLION, "s", -0.17), "after": (BLUE, "o", 0.17)}


@styled
def plot_balance(
    found: Balance, *, weighting: str = "after weighting", ax: Axes | None = None
) -> Axes:
    """Draw the absolute standardised mean difference of each covariate, before and after.

    Parameters
    ----------
    found : Balance
    weighting : str
        What came between, for the legend: 'after matching', for example.
    ax : Axes, optional

    Returns
    -------
    Axes
        With up to 24 covariates, a row for each. With more, a row for each confounder, in which
        every covariate is a mark; its name is followed by their number.
    """
    table = found.table
    single = len(table) <= NAMED
    row, names = _singles(table) if single else _confounders(table)
    ax = axes_or_new(ax, 2.85, max(0.9, (0.24 if single else 0.42) * len(names) + 0.2))
    sizes = {when: table[when].abs().to_numpy(dtype=float) for when in _LOOKS}
    finite = np.concatenate([size[np.isfinite(size)] for size in sizes.values()])
    end = 1.06 * max(float(finite.max(initial=0.0)), 2 * found.limit)
    for when, (colour, marker, shift) in _LOOKS.items():
        # an infinite difference is drawn at the edge
        at = np.minimum(sizes[when], end)
        place = row if single else row + (shift + _jitter(len(row)))
        ax.plot(
            at,
            place,
            ls="",
            marker=marker,
            ms=5 if single else 3.6,
            color=colour,
            alpha=1.0 if single else 0.6,
            mew=0,
            clip_on=False,
            gid=when,
            zorder=3,
        )
    if single:
        ends = [np.minimum(sizes[when], end) for when in _LOOKS]
        ax.hlines(row, *ends, color=HAIR, lw=1.2, zorder=1)
    ax.axvline(found.limit, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=0.5)
    note(ax, f"{found.limit:g}", (found.limit, len(names) - 0.5), (3, 6), colour=MUTED)
    ax.set_xlim(0, end)
    ax.set_yticks(range(len(names)), [label(name, 30) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("Absolute standardised mean difference")
    legend(ax, {"before": (VERMILLION, "s"), weighting: (BLUE, "o")})
    tidy(ax, keep=("bottom",))
    return ax


def _singles(table: pd.DataFrame) -> tuple[FloatArray, list[str]]:
    """Return a row for each covariate, with its name, and its confounder's where they differ."""
    names = [
        str(name) if str(name).startswith(str(group)) else f"{group}: {name}"
        for group, name in zip(table["group"], table["covariate"], strict=True)
    ]
    return np.arange(len(table), dtype=np.float64), names


def _confounders(table: pd.DataFrame) -> tuple[FloatArray, list[str]]:
    """Return the row of each covariate, and the name of each row with its number of covariates."""
    code, groups = pd.factorize(table["group"])
    counts = np.bincount(code)
    names = [
        f"{group} ({n:,})" if n > 1 else str(group) for group, n in zip(groups, counts, strict=True)
    ]
    return code.astype(np.float64), names


def _jitter(count: int) -> FloatArray:
    """Return how far each mark is moved up or down: the same on every drawing."""
    place = (np.arange(count) * 0.618034) % 1.0
    return np.asarray(0.13 * (2 * place - 1), dtype=np.float64)
