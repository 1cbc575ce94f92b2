"""The pairwise task: two items, one question, a forced choice."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import numpy as np

from prereg.kinds.pairwise import PAIRWISE
from study.items import Item
from study.store.tables import Judgment
from study.tasks.base import Answers, Judge, Reading, Row, Task


class PairwiseTask(Task):
    """Choose one of two items; see `study.tasks.base.Task`."""

    kind = PAIRWISE
    template = "pairwise.html"
    table = Judgment

    def read(self, form: Mapping[str, str]) -> Reading:
        """Return the side that was chosen."""
        choice = form.get("choice")
        if choice in {"left", "right"}:
            return Reading({"choice": choice})
        return Reading({}, ("choice",))

    def ask(self, judge: Judge, items: Sequence[Item], rng: np.random.Generator) -> Answers:
        """Have a judge compare the two."""
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
