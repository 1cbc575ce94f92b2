"""Tasks that show one item and ask for ratings on one or more scales with labelled points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prereg.design.dealing import Items, draw_sets
from prereg.kinds.base import Kind, KindWords
from prereg.plan.model import Plan


class Rating(Kind):
    """How much of each? See `prereg.kinds.base.Kind`."""

    name = "rating"
    table = "ratings"
    row_of = "dimension"
    compares = False
    prompts = "rating"
    words = KindWords(
        trial="A trial shows one item and asks for a rating on each scale",
        places="A page shows one item, so it has no sides.",
        measured="The rating of an item on each scale",
        stored="the rating on each scale",
    )
    needs = ("scales",)
    takes = ("causal",)

    def columns(self, plan: Plan) -> tuple[str, ...]:
        """Return the column of the one item."""
        return ("item_id",)

    def noun(self, plan: Plan) -> str:
        """Return "texts"."""
        return "texts"

    def draw(
        self, plan: Plan, pool: Sequence[str], count: int, rng: np.random.Generator
    ) -> list[Items]:
        """Return single items, all equally often."""
        return draw_sets(pool, 1, count, rng)

    def answers(self, plan: Plan) -> dict[str, list[int | str]]:
        """Return the points, or the names, of every scale."""
        return {s.id: [*s.names] or list(range(s.min, s.max + 1)) for s in plan.scales}


RATING = Rating()
