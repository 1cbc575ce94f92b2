"""Draws of the items for pairs of annotators: real items and imagined ones, with their weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis.agreement.coefficients import DECIMALS, median_over_raters
from analysis.agreement.item_draws import MOST, Imagined, Weights, imagined, item_weights, telling
from analysis.agreement.rating_table import MEDIAN
from analysis.arrays import BoolArray, FloatArray, require_rng


@dataclass(frozen=True)
class PairDraws:
    """Draws of the items of many pairs.

    Attributes
    ----------
    weights : array of shape (draws, items)
    dimensions : tuple of str
        Each pair's dimension.
    imagined : dict of str to Imagined
        Of each dimension; empty for the ordinary bootstrap.
    raters : tuple of tuple of two tuples of str
        Of each pair, the raters on either side; several are their median.
    """

    weights: Weights = field(repr=False)
    dimensions: tuple[str, ...]
    imagined: dict[str, Imagined] = field(repr=False)
    raters: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = field(repr=False)

    @property
    def size(self) -> int:
        """How many draws there are."""
        return len(self.weights)

    @property
    def resampled(self) -> bool:
        """Whether they are of the ordinary bootstrap."""
        return not self.imagined

    def first(self, pairs: int) -> PairDraws:
        """Return the draws of the first pairs."""
        return replace(self, dimensions=self.dimensions[:pairs], raters=self.raters[:pairs])

    def of_one(self, pair: int, items: BoolArray) -> PairDraws:
        """Return the draws of one pair, of the items that both rated."""
        return PairDraws(
            np.asarray(self.weights[:, items]),
            (self.dimensions[pair],),
            self.imagined,
            (self.raters[pair],),
        )

    def extended(
        self, a: FloatArray, b: FloatArray, pairs: Sequence[int] | np.ndarray
    ) -> tuple[FloatArray, FloatArray, Weights]:
        """Return the ratings of some pairs of one dimension with the imagined items, and weights.

        Parameters
        ----------
        a, b : array of shape (items, pairs)
        pairs : sequence of int
            Which pairs these are.

        Returns
        -------
        a, b : array of shape (items and imagined items, pairs)
        weights : array of shape (draws, items and imagined items)
            The imagined items on which nobody looks stand there twice, with the sides exchanged
            and half the weight, so that it does not matter who is called first.
        """
        if self.resampled:
            return a, b, self.weights
        unseen = self.imagined[self.dimensions[pairs[0]]]
        if unseen.size == 0:
            return a, b, self.weights
        known: dict[tuple[str, ...], FloatArray] = {}
        sides = []
        for side in (0, 1):
            columns = []
            for pair in pairs:
                who = self.raters[pair][side]
                if who not in known:
                    known[who] = _given(unseen, who)
                columns.append(known[who])
            sides.append(np.column_stack(columns))
        x, y = sides
        same, weight = len(unseen.levels), unseen.weights
        own = weight[:, same:] / 2
        return (
            np.vstack([a, x, y[same:]]),
            np.vstack([b, y, x[same:]]),
            np.hstack([self.weights, weight[:, :same], own, own]),
        )


def _given(unseen: Imagined, raters: tuple[str, ...]) -> FloatArray:
    """Return the imagined ratings of a rater, or the median of several."""
    if len(raters) == 1:
        return unseen.ratings(raters[0])
    return median_over_raters(np.column_stack([unseen.ratings(one) for one in raters]))


def rated_items(data: pd.DataFrame) -> list[str]:
    """Return the items that anybody rated, in the order of their weights."""
    return sorted(data.loc[data["value"].notna(), "item_id"].unique())


def resamples(
    interval: str, rng: np.random.Generator, draws: int
) -> tuple[np.random.Generator, int] | None:
    """Return what the ordinary bootstrap needs, where it is asked for."""
    return (require_rng(rng, "the bootstrap"), draws) if interval == "bootstrap" else None


def draws_of(
    data: pd.DataFrame,
    rows: Sequence[tuple[str, str, str]],
    people: Sequence[str],
    scale: tuple[float, float],
    *,
    resamples: tuple[np.random.Generator, int] | None = None,
) -> PairDraws | None:
    """Return the draws for pairs of annotators, or None where the jackknife is as good.

    Parameters
    ----------
    data : DataFrame
        All ratings, also those of annotators that are not compared: so a pair has the same draws
        alone and in a table.
    rows : sequence of (dimension, annotator, annotator)
    people : sequence of str
        Who is in the median of people.
    scale : tuple of float
        Lowest and highest possible rating.
    resamples : (Generator, int), optional
        Asks for the ordinary bootstrap with so many resamples.
    """
    items = len(rated_items(data))
    if resamples is not None:
        rng, size = resamples
        times = rng.multinomial(items, np.full(items, 1 / items), size=size)
        return PairDraws(
            times.astype(np.float32), tuple(row[0] for row in rows), {}, (((), ()),) * len(rows)
        )
    known = data[data["value"].notna()]
    if items > MOST or not any(_telling(one) for _, one in known.groupby("dimension")):
        return None

    def who(name: str) -> tuple[str, ...]:
        return tuple(people) if name == MEDIAN else (name,)

    return PairDraws(
        item_weights(_written(known)),
        tuple(row[0] for row in rows),
        {
            str(name): imagined(one["value"].to_numpy(dtype=float), scale)
            for name, one in known.groupby("dimension")
        },
        tuple((who(a), who(b)) for _, a, b in rows),
    )


def _written(known: pd.DataFrame) -> list[str]:
    """Return all ratings of each item as a text, in the order of `rated_items`."""
    cells = known.sort_values(["item_id", "dimension", "rater_id"], kind="stable")
    columns = (cells["dimension"], cells["rater_id"], cells["value"].round(DECIMALS))
    names = [column.tolist() for column in columns]
    cells = cells.assign(cell=[written(*one) for one in zip(*names, strict=True)])
    return list(cells.groupby("item_id", sort=True)["cell"].agg(joined))


def written(dimension: str, rater: str, value: float) -> str:
    """Return one rating of an item as a text."""
    return f"{dimension}\t{rater}\t{value}"


def joined(ratings: Iterable[str]) -> str:
    """Return all ratings of an item as a text."""
    return "\n".join(ratings)


def _telling(ratings: pd.DataFrame) -> bool:
    """Say whether somebody's ratings of a dimension are few, or too much alike."""
    by_rater = ratings.groupby("rater_id")["value"]
    return any(telling(len(values), int(values.value_counts().iloc[0])) for _, values in by_rater)


def alone(a: FloatArray, b: FloatArray, scale: tuple[float, float]) -> PairDraws:
    """Return the draws of two annotators of whom nothing else is known."""
    both = np.concatenate([a, b])
    either = [[f"{x} {y}" for x, y in zip(*sides, strict=True)] for sides in ((a, b), (b, a))]
    ratings = min(either, key=sorted)  # so that it does not matter who is called first
    return PairDraws(item_weights(ratings), ("",), {"": imagined(both, scale)}, ((("a",), ("b",)),))
