"""Draws of the items for a crowd: of items with any number of ratings, and of imagined ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from analysis.agreement.crowd_alpha import alpha_copies, counts_of, icc1_copies
from analysis.agreement.item_draws import MOST, Imagined, Weights, imagined, item_weights, telling
from analysis.agreement.panel import Panel
from analysis.arrays import FloatArray

# Imagined items have as many ratings as the middle item, up to this many.
_RATERS = 12


@dataclass(frozen=True)
class CrowdDraws:
    """Draws of the items of a crowd on one dimension.

    Attributes
    ----------
    weights : array of shape (draws, items)
    unseen : Imagined
    raters : int
        How many people rate an imagined item.
    middle : float
        The middle of the scale, from which `ratings` are counted.
    """

    weights: Weights = field(repr=False)
    unseen: Imagined
    raters: int
    middle: float

    @property
    def imagined(self) -> Weights:
        """The weights of the imagined items, shape (draws, imagined items)."""
        return self.unseen.weights

    @property
    def ratings(self) -> FloatArray:
        """People's ratings of the imagined items, shape (imagined items, raters)."""
        return (
            np.column_stack([self.unseen.ratings(str(n)) for n in range(self.raters)]) - self.middle
        )

    def judge(self, name: str) -> FloatArray:
        """Return a judge's ratings of the imagined items, shape (imagined items,)."""
        return self.unseen.ratings(f"judge {name}") - self.middle


def crowd_draws(table: Panel, dimension: str) -> CrowdDraws | None:
    """Return the draws of a dimension, or None where the jackknife is as good."""
    values = table.people[dimension]
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    used = count >= 2
    if not used.any() or len(table.items) > MOST:
        return None
    given, times = np.unique(values[known & used[:, None]], return_counts=True)
    usual = given[int(times.argmax())]
    alike = np.where(known, values == usual, True).all(axis=1) & used
    if not telling(int(used.sum()), int(alike.sum())):
        return None
    everybody = np.concatenate([values.ravel(), table.judged[dimension].ravel()])
    return CrowdDraws(
        item_weights(_written(table)),
        imagined(everybody, table.scale),
        min(int(np.median(count[used])), _RATERS),
        sum(table.scale) / 2,
    )


def _written(table: Panel) -> list[str]:
    """Return all ratings of each item as a text."""
    wide = [np.hstack([table.people[name], table.judged[name]]) for name in table.dimensions]
    return [str(row.tobytes()) for row in np.hstack(wide) + 0.0]


def reliability_draws(
    values: FloatArray, draws: CrowdDraws, what: Literal["ordinal", "interval", "icc1"]
) -> FloatArray:
    """Return alpha or ICC(1) in every draw, shape (draws,).

    Parameters
    ----------
    values : array of shape (items, people)
        NaN where a person did not rate an item.
    draws : CrowdDraws
    what : {'ordinal', 'interval', 'icc1'}
    """
    ratings = draws.ratings + draws.middle
    wide = np.full((len(ratings), max(values.shape[1], draws.raters)), np.nan)
    wide[:, : draws.raters] = ratings
    padded = np.full((len(values), wide.shape[1]), np.nan)
    padded[:, : values.shape[1]] = values
    counts, grid = counts_of(np.vstack([padded, wide]))
    copies = np.hstack([draws.weights, draws.imagined]).astype(np.float64)
    if what == "icc1":
        return icc1_copies(counts, grid, copies)
    return alpha_copies(counts, grid, copies, what)
