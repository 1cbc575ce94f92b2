"""The pairwise task: two items, one question, a choice; a tie too if the plan offers it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from prereg.kinds.pairwise import PAIRWISE
from prereg.plan.model import Plan
from prereg.tables.contract import SIDES, TIE
from study.items import Item
from study.store.tables import Judgment
from study.tasks.base import Answers, Judge, Reading, Row, Task


class PairwiseTask(Task):
    """Choose one of two items; see `study.tasks.base.Task`.

    Parameters
    ----------
    ties : bool
        Whether neither may be chosen.
    """

    kind = PAIRWISE
    template = "pairwise.html"
    table = Judgment

    def __init__(self, *, ties: bool = False) -> None:
        self.ties = ties

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the task with the plan's answers."""
        return cls(ties=plan.design.offers_ties)

    def read(self, form: Mapping[str, str]) -> Reading:
        """Return the side that was chosen, or the tie."""
        choice = form.get("choice", "")
        if choice in SIDES or (choice == TIE and self.ties):
            return Reading({"choice": choice})
        return Reading({}, ("choice",))

    def ask(self, judge: Judge, items: Sequence[Item], rng: np.random.Generator) -> Answers:
        """Have a judge compare the two."""
        if self.ties and judge.equal(items[0], items[1]):
            return {"choice": TIE}
        return {"choice": judge.compare(items[0], items[1], rng=rng)}

    def rows(
        self,
        common: Row,
        items: Sequence[Item],
        answers: Mapping[str, float | str],
        *,
        answer_id: str | None = None,
        purpose: str = "trial",
    ) -> list[Row]:
        """Return one judgment."""
        left, right = items
        return [
            {
                **common,
                "judgment_id": answer_id or secrets.token_hex(16),
                "left_id": left.item_id,
                "right_id": right.item_id,
                "choice": answers["choice"],
                "purpose": purpose,
            }
        ]
