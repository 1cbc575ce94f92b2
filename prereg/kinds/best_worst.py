"""Tasks that show several items, of which raters pick one as the most and another as the least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prereg.design.dealing import Items, balance_places, draw_sets
from prereg.kinds.base import Kind, KindWords
from prereg.plan.model import Plan


class BestWorst(Kind):
    """Which most, which least? See `prereg.kinds.base.Kind`."""

    name = "best_worst"
    table = "best_worst"
    row_of = "option"
    place = "option"
    one_prompt = True
    prompts = "best_worst"
    differ = ("most", "least")
    words = KindWords(
        trial="A trial shows several items and asks which one is the most and which the least",
        places="Items rotate through the places of a page.",
        measured="Which item of a set a person picks as the most, and which as the least",
        stored="which item was picked as the most and which as the least",
    )
    needs = ("design.options",)
    takes = ("design.ask_why",)

    def columns(self, plan: Plan) -> tuple[str, ...]:
        """Return one column for each option."""
        return tuple(f"option_{number}" for number in self._places(plan))

    def noun(self, plan: Plan) -> str:
        """Return "sets of" and the number of options."""
        return f"sets of {self.shown(plan)}"

    def draw(
        self, plan: Plan, pool: Sequence[str], count: int, rng: np.random.Generator
    ) -> list[Items]:
        """Return sets in which items rotate through the places."""
        return balance_places(draw_sets(pool, self.shown(plan), count, rng), rng)

    def answers(self, plan: Plan) -> dict[str, list[int | str]]:
        """Return the places, both for the most and for the least."""
        return {"most": list(self._places(plan)), "least": list(self._places(plan))}

    @staticmethod
    def _places(plan: Plan) -> range:
        return range(1, (plan.design.options or 0) + 1)


BEST_WORST = BestWorst()
