"""The answers of simulated people, by the kind of task: choices, ratings, picks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.planning.layout import Layout
from analysis.planning.population import (
    People,
    choice_probabilities,
    places_of,
    points_of,
    values_of,
)
from prereg.kinds.best_worst import BEST_WORST
from prereg.kinds.pairwise import PAIRWISE
from prereg.kinds.rating import RATING
from prereg.plan.assumptions import RaterAssumptions
from prereg.plan.collection import Rated
from prereg.plan.model import Plan
from prereg.tables.contract import TIE

# Milliseconds that a trial takes, as a median, of people who read and of those who do not.
_READS, _CLICKS = 30_000.0, 2_500.0


class Answering:
    """The trials that were answered, by whom, and what every kind of answer needs.

    Parameters
    ----------
    plan : Plan
    layout : Layout
    people : People
    quality : float array of shape (n_items,)
    rng : Generator
    """

    def __init__(
        self,
        plan: Plan,
        layout: Layout,
        people: People,
        quality: FloatArray,
        rng: np.random.Generator,
    ) -> None:
        self.plan, self.layout, self.people, self.rng = plan, layout, people, rng
        self.assumed: RaterAssumptions = plan.assumptions.raters
        order = (
            np.arange(len(layout.rater))
            - np.concatenate([[0], np.cumsum(layout.trials)[:-1]])[layout.rater]
        )
        self.rows: IntArray = np.flatnonzero(order < people.answered[layout.rater])
        self.rater: IntArray = layout.rater[self.rows]
        self.quality: FloatArray = quality[layout.shown[self.rows]]
        self.check: IntArray = layout.check[self.rows]
        self.careless: BoolArray = people.careless[self.rater]

    def common(self) -> dict[str, Any]:
        """Return the columns that every kind of answer has, one value for each trial."""
        clicks = np.where(self.careless, _CLICKS, _READS)
        spent = np.round(clicks * np.exp(self.rng.normal(0.0, 0.5, len(self.rows))))
        return {
            "rater": self.rater,
            "scenario": self.layout.scenario[self.rows],
            "position": self.layout.position[self.rows].astype(np.float64),
            "is_attention_check": self.check >= 0,
            "response_ms": spent,
        }

    def is_asked(self, field: str) -> BoolArray:
        """Return which trials ask for a field of a form: all, unless scales are asked apart."""
        own = self.layout.dimension[self.rater]
        return np.asarray((own == "") | (own == field), dtype=bool)

    def expected(self, field: str, default: Any) -> np.ndarray:
        """Return the right answer of each attention check to one field of its form."""
        answers = [check.expected.get(field, default) for check in self.plan.attention_checks]
        return np.array([*answers, default], dtype=object)[self.check]

    def passed(self, given: dict[str, np.ndarray]) -> np.ndarray:
        """Return 'true' or 'false' for each attention check, and an empty text for other trials."""
        right = np.ones(len(self.rows), dtype=bool)
        for number, check in enumerate(self.plan.attention_checks):
            mine = self.check == number
            for field, value in check.expected.items():
                right &= ~(mine & self.is_asked(field)) | (given[field] == value)
        return np.where(self.check < 0, "", np.where(right, "true", "false")).astype(object)


def choices(answering: Answering) -> pd.DataFrame:
    """Return one row for each choice: `left_id`, `right_id`, `choice` and the common columns."""
    a = answering
    value = values_of(a.quality, a.people.sensitivity[a.rater], a.assumed, a.rng)
    advantage = value[:, 0] - value[:, 1] + a.people.side[a.rater]
    ties = a.plan.design.offers_ties
    left, not_right = choice_probabilities(advantage, tie=a.assumed.tie if ties else None)
    drawn, answers = a.rng.random(len(a.rows)), 3 if ties else 2
    left = np.where(a.careless, 1 / answers, left)
    not_right = np.where(a.careless, (answers - 1) / answers, not_right)
    choice = np.where(drawn < left, "left", np.where(drawn < not_right, TIE, "right"))
    choice = choice.astype(object)
    attentive = (a.check >= 0) & ~a.careless
    choice[attentive] = a.expected("choice", "left")[attentive]
    names = a.layout.names[a.rows]
    return pd.DataFrame(
        {
            **a.common(),
            "left_id": names[:, 0],
            "right_id": names[:, 1],
            "choice": choice,
            "passed_check": a.passed({"choice": choice}),
        }
    )


def ratings(answering: Answering) -> pd.DataFrame:
    """Return one row for each rating: `item_id`, `dimension`, `value` and the common columns.

    Where scales are asked apart, a rater has the rows of one scale.

    The value of a scale of labels is the place of the label, from 0.
    """
    a = answering
    values = {scale.id: _rated(a, scale) for scale in a.plan.rated}
    given = {
        scale.id: np.array(scale.names, dtype=object)[values[scale.id].astype(int)]
        if scale.names
        else values[scale.id]
        for scale in a.plan.rated
    }
    common, passed = a.common(), a.passed(given)
    item = a.layout.names[a.rows, 0]
    parts = [
        pd.DataFrame(
            {
                **common,
                "item_id": item,
                "dimension": scale.id,
                "value": values[scale.id],
                "scale_min": np.nan if scale.names else float(scale.min),
                "scale_max": np.nan if scale.names else float(scale.max),
                "passed_check": passed,
            }
        )
        for scale in a.plan.rated
    ]
    whole = pd.concat(parts, ignore_index=True)
    # the scales of one page follow each other, as in an export
    order = np.arange(len(whole)).reshape(len(parts), -1).T.ravel()
    asked = np.concatenate([a.is_asked(scale.id) for scale in a.plan.rated])[order]
    return whole.iloc[order].loc[asked].reset_index(drop=True)


def _rated(a: Answering, scale: Rated) -> FloatArray:
    share = a.assumed.reliability
    noise = a.rng.normal(size=len(a.rows))
    latent = share**0.5 * a.quality[:, 0] + (1 - share) ** 0.5 * noise
    count = len(scale.names)
    value = places_of(latent, count) if count else points_of(latent, scale.min, scale.max)
    chance = a.rng.integers(scale.min, scale.max + 1, size=len(a.rows)).astype(np.float64)
    value = np.where(a.careless, chance, value)
    attentive = (a.check >= 0) & ~a.careless
    for number, check in enumerate(a.plan.attention_checks):
        if scale.id in check.expected:
            right = check.expected[scale.id]
            place = scale.names.index(str(right)) if scale.names else int(right)
            value[attentive & (a.check == number)] = place
    return value


def picks(answering: Answering) -> pd.DataFrame:
    """Return one row for each option: `trial`, `option`, `item_id`, `picked` and common columns.

    The best is drawn by the values of all options (Luce 1959), and the worst by those of the others
    with the opposite sign.
    """
    a = answering
    value = values_of(a.quality, a.people.sensitivity[a.rater], a.assumed, a.rng)
    value[:, 0] += a.people.side[a.rater]
    value = np.where(a.careless[:, None], 0.0, value)
    most = (value + a.rng.gumbel(size=value.shape)).argmax(axis=1)
    others = -value + a.rng.gumbel(size=value.shape)
    others[np.arange(len(most)), most] = -np.inf
    least = others.argmax(axis=1)
    attentive = (a.check >= 0) & ~a.careless
    for field, found, other in (("most", most, least), ("least", least, most)):
        right = a.expected(field, 0).astype(int) - 1
        told = attentive & (right >= 0)
        found[told] = right[told]
        same = told & (found == other)  # what a check leaves open gives way
        other[same] = (other[same] + 1) % value.shape[1]
    passed = a.passed({"most": most + 1, "least": least + 1})
    options = value.shape[1]
    common = {name: np.repeat(values, options) for name, values in a.common().items()}
    option = np.tile(np.arange(options), len(a.rows))
    marks = np.where(
        option == np.repeat(most, options),
        "most",
        np.where(option == np.repeat(least, options), "least", ""),
    )
    return pd.DataFrame(
        {
            **common,
            "trial": np.repeat(np.arange(len(a.rows)), options),
            "option": (option + 1).astype(np.float64),
            "item_id": a.layout.names[a.rows].ravel(),
            "picked": marks.astype(object),
            "passed_check": np.repeat(passed, options),
        }
    )


ANSWERS: dict[str, Callable[[Answering], pd.DataFrame]] = {
    PAIRWISE.name: choices,
    RATING.name: ratings,
    BEST_WORST.name: picks,
}
