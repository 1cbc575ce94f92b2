"""The rating task: one item, and one or more scales with labelled points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from prereg.kinds.rating import RATING
from prereg.plan.collection import Rated, RatingScale
from prereg.plan.label_scale import LabelScale
from prereg.plan.model import Plan
from study.items import Item
from study.store.tables import Rating
from study.tasks.base import Answers, Judge, Reading, Row, Task, whole


class RatingTask(Task):
    """Rate an item on every scale; see `study.tasks.base.Task`.

    Parameters
    ----------
    scales : sequence of RatingScale, LabelScale or Rated
        Each is one dimension of the ratings table. A page needs the scale, with its question.
    """

    kind = RATING
    template = "rating.html"
    table = Rating

    def __init__(self, scales: Sequence[RatingScale | LabelScale | Rated]) -> None:
        self.scales = tuple(scales)

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the task with the plan's scales."""
        return cls(plan.scales)

    @property
    def rows_of_an_answer(self) -> int:
        """One row for each scale."""
        return len(self.scales)

    def read(self, form: Mapping[str, str]) -> Reading:
        """Return the point, or the name, chosen on each scale."""
        found: dict[str, int | str] = {}
        for scale in self.scales:
            if scale.names:
                name = form.get(scale.id)
                if name in scale.names:
                    found[scale.id] = name
                continue
            point = whole(form.get(scale.id), range(scale.min, scale.max + 1))
            if point is not None:
                found[scale.id] = point
        return Reading(found, tuple(s.id for s in self.scales if s.id not in found))

    def ask(self, judge: Judge, items: Sequence[Item], rng: np.random.Generator) -> Answers:
        """Have a judge rate the item."""
        scores = judge.rate(items[0], [scale.id for scale in self.scales])
        return {name: round(score) for name, score in scores.items()}

    def rows(
        self,
        common: Row,
        items: Sequence[Item],
        answers: Mapping[str, float | str],
        *,
        answer_id: str | None = None,
        purpose: str = "trial",
    ) -> list[Row]:
        """Return one rating for each scale; a label is kept as its place, from 0."""
        return [
            {
                **common,
                "item_id": items[0].item_id,
                "dimension": scale.id,
                "value": _kept(scale.names, answers[scale.id]),
                "scale_min": scale.min,
                "scale_max": scale.max,
            }
            for scale in self.scales
        ]


def _kept(names: Sequence[str], answer: float | str) -> float:
    """Return an answer as the store keeps it: a point, or the place of a label."""
    return float(names.index(answer)) if isinstance(answer, str) and names else float(answer)
