"""One item, one or more scales with labelled points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from prereg.plan.collection import RatingScale
from study.items import Item
from study.store.tables import Rating
from study.tasks.base import Answers, Judge, Reading, Row, whole


class RatingTask:
    """How much of each? See `study.tasks.base.Task`.

    Parameters
    ----------
    scales : sequence of RatingScale
        Each is one question of the page and one dimension of the ratings table.
    """

    template = "rating.html"
    table = Rating

    def __init__(self, scales: Sequence[RatingScale]) -> None:
        self.scales = tuple(scales)

    def read(self, form: Mapping[str, str]) -> Reading:
        """Return the point chosen on each scale."""
        found: dict[str, int | str] = {}
        for scale in self.scales:
            point = whole(form.get(scale.id), scale.points)
            if point is not None:
                found[scale.id] = point
        return Reading(found, tuple(s.id for s in self.scales if s.id not in found))

    def ask(self, judge: Judge, items: Sequence[Item], rng: np.random.Generator) -> Answers:
        """Have a judge rate the item."""
        scores = judge.rate(items[0], [scale.id for scale in self.scales])
        return {name: round(score) for name, score in scores.items()}

    def rows(self, common: Row, items: Sequence[Item], answers: Answers) -> list[Row]:
        """Return one rating for each scale."""
        return [
            {
                **common,
                "item_id": items[0].item_id,
                "dimension": scale.id,
                "value": float(answers[scale.id]),
                "scale_min": scale.min,
                "scale_max": scale.max,
            }
            for scale in self.scales
        ]
