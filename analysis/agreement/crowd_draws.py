"""Draws of the items for a crowd: of items with any number of ratings, and of imagined ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from analysis.agreement.crowd_alpha import alpha_copies, counts_of, icc1_copies
from analysis.agreement.drawn_pairs import joined, written
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
    raters : tuple of str
        Who rates an imagined item, as many as the middle item.
    middle : float
        The middle of the scale, from which `ratings` are counted.
    """

    weights: Weights = field(repr=False)
    unseen: Imagined
    raters: tuple[str, ...]
    middle: float

    @property
    def imagined(self) -> Weights:
        """The weights of the imagined items, shape (draws, imagined items)."""
        return self.unseen.weights

    @property
    def ratings(self) -> FloatArray:
        """People's ratings of the imagined items, shape (imagined items, raters)."""
        given = [self.unseen.ratings(name) for name in self.raters]
        return np.column_stack(given) - self.middle

    def judge(self, name: str) -> FloatArray:
        """Return a judge's ratings of the imagined items, shape (imagined items,)."""
        return self.unseen.ratings(name) - self.middle


def draws_by_dimension(table: Panel) -> dict[str, CrowdDraws | None]:
    """Return the draws of every dimension, or None where the jackknife is as good."""
    weights: Weights | None = None
    found: dict[str, CrowdDraws | None] = {}
    for name in table.dimensions:
        found[name] = None
        if _needs_draws(table, name):
            weights = item_weights(_written(table)) if weights is None else weights
            found[name] = _draws(table, name, weights)
    return found


def _needs_draws(table: Panel, dimension: str) -> bool:
    """Say whether the items of a dimension are few, or too much alike."""
    values = table.people[dimension]
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    used = count >= 2
    if not used.any() or len(table.items) > MOST:
        return False
    given, times = np.unique(values[known & used[:, None]], return_counts=True)
    usual = given[int(times.argmax())]
    alike = np.where(known, values == usual, True).all(axis=1) & used
    return telling(int(used.sum()), int(alike.sum()))


def _draws(table: Panel, dimension: str, weights: Weights) -> CrowdDraws:
    values = table.people[dimension]
    count = (~np.isnan(values)).sum(axis=1)
    used = count >= 2
    everybody = np.concatenate([values.ravel(), table.judged[dimension].ravel()])
    return CrowdDraws(
        weights,
        imagined(everybody, table.scale),
        table.humans[: min(int(np.median(count[used])), _RATERS)],
        sum(table.scale) / 2,
    )


def _written(table: Panel) -> list[str]:
    """Return all ratings of each item as `drawn_pairs` writes them."""
    cells: list[list[str]] = [[] for _ in table.items]
    names = np.array([*table.humans, *table.judges])
    order = np.argsort(names, kind="stable")
    for dimension in sorted(table.dimensions):
        wide = np.hstack([table.people[dimension], table.judged[dimension]])[:, order]
        items, raters = np.nonzero(~np.isnan(wide))
        those = zip(
            items.tolist(), names[order][raters].tolist(), wide[items, raters].tolist(), strict=True
        )
        for item, rater, value in those:
            cells[item].append(written(dimension, rater, value))
    return [joined(one) for one in cells]


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
    wide = np.full((len(ratings), max(values.shape[1], len(draws.raters))), np.nan)
    wide[:, : len(draws.raters)] = ratings
    padded = np.full((len(values), wide.shape[1]), np.nan)
    padded[:, : values.shape[1]] = values
    counts, grid = counts_of(np.vstack([padded, wide]))
    copies = np.hstack([draws.weights, draws.imagined]).astype(np.float64)
    if what == "icc1":
        return icc1_copies(counts, grid, copies)
    return alpha_copies(counts, grid, copies, what)
