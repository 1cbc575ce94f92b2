"""The best-worst task: pick the most and the least of several responses, and perhaps say why."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from prereg.kinds.best_worst import BEST_WORST
from prereg.plan.model import Plan
from study.items import Item
from study.store.tables import BestWorst
from study.tasks.base import Answers, Judge, Reading, Row, Task, plain, whole

LONGEST_WHY = 2_000


class BestWorstTask(Task):
    """Pick the most and the least of several responses; see `study.tasks.base.Task`.

    Parameters
    ----------
    options : int
        Number of responses on a page.
    ask_why : bool
        Whether there is an optional field for an explanation.
    """

    kind = BEST_WORST
    template = "best_worst.html"
    table = BestWorst

    def __init__(self, options: int, *, ask_why: bool) -> None:
        self.places = range(1, options + 1)
        self.ask_why = ask_why

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the task with the plan's options."""
        return cls(cls.kind.shown(plan), ask_why=plan.design.ask_why)

    def read(self, form: Mapping[str, str]) -> Reading:
        """Return the places picked as most and as least, which must differ, and the reason."""
        found: dict[str, int | str] = {}
        for name in ("most", "least"):
            place = whole(form.get(name), self.places)
            if place is not None:
                found[name] = place
        missing = [name for name in ("most", "least") if name not in found]
        if not missing and found["most"] == found["least"]:
            missing = ["least"]
        why = plain(form.get("why", ""))[:LONGEST_WHY].strip() if self.ask_why else ""
        if why:
            found["why"] = why
        return Reading(found, tuple(missing))

    def ask(self, judge: Judge, items: Sequence[Item], rng: np.random.Generator) -> Answers:
        """Have a judge pick the most and the least."""
        most, least = judge.pick(items, rng=rng)
        return {"most": most + 1, "least": least + 1}

    def rows(
        self,
        common: Row,
        items: Sequence[Item],
        answers: Mapping[str, float | str],
        *,
        answer_id: str | None = None,
        purpose: str = "trial",
    ) -> list[Row]:
        """Return one row with both picks."""
        ids = [item.item_id for item in items]
        return [
            {
                **common,
                "trial_id": answer_id or secrets.token_hex(16),
                "options": json.dumps(ids, ensure_ascii=False),
                "most_id": ids[int(answers["most"]) - 1],
                "least_id": ids[int(answers["least"]) - 1],
                "why": answers.get("why"),
            }
        ]
