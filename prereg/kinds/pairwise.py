"""Tasks that show two items and ask for a choice between them, perhaps with a tie allowed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prereg.design.dealing import Items, balance_sides, draw_pairs
from prereg.kinds.base import Kind, KindWords
from prereg.plan.model import Plan
from prereg.tables.contract import SIDES, TIE


class Pairwise(Kind):
    """Which of two? See `prereg.kinds.base.Kind`."""

    name = "pairwise"
    table = "judgments"
    asks_pairs = True
    prompts = "pairwise"
    words = KindWords(
        trial="A trial shows two items side by side and asks for a choice between them",
        places="Every item is left as often as right, give or take one, and no pair is repeated "
        "before all have been used.",
        measured="Which of two items a person chooses",
        stored="which of two items was chosen",
    )
    needs = ("measures",)

    def columns(self, plan: Plan) -> tuple[str, ...]:
        """Return left and right."""
        return ("left_id", "right_id")

    def noun(self, plan: Plan) -> str:
        """Return "pairs"."""
        return "pairs"

    def draw(
        self, plan: Plan, pool: Sequence[str], count: int, rng: np.random.Generator
    ) -> list[Items]:
        """Return pairs in which every item is on the left as often as on the right."""
        return list(balance_sides(draw_pairs(pool, count, rng), rng))

    def answers(self, plan: Plan) -> dict[str, list[int | str]]:
        """Return the two sides, and the tie if the plan offers it."""
        return {"choice": [*SIDES, *[TIE] * plan.design.offers_ties]}


PAIRWISE = Pairwise()
