"""Judges of a simulation: their scores are drawn, nothing is sent, and the rows are those of a run.

Baselines are asked as always: they read the texts. A judge of kind llm or table answers from scores
that correlate with the planted quality as the plan assumes of it.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from prereg.lock import utc_now
from prereg.plan.collection import Rated
from prereg.plan.judging import BaselineJudge, LLMJudge
from prereg.plan.model import Plan
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.table_judge import OVERALL, TableJudge
from prereg.streams import Stream, stream
from prereg.tables.contract import TIE
from study.bots import on_scale
from study.folder import Study
from study.judges.given.answers import store_answers
from study.judges.given.reading import Given
from study.judges.ledger.ledger import Ledger
from study.judges.runs.breaker import Breaker
from study.judges.runs.offline import run_judge
from study.judges.runs.progress import ending
from study.judges.runs.requesting import RETRY, Requesting
from study.judges.runs.running import Run
from study.judges.runs.spending import Purse
from study.judges.wanted.asked import Asked
from study.judges.wanted.wanted import Wanted
from study.llm.reply import Outcome
from study.store.database import Store
from study.tasks.base import Answers

# What the table of requests calls the model and the reply of a simulated judge.
SIMULATED = "simulated"
# The part of a judge's view of one dimension that is its view of the whole item.
WHOLE = 0.6


class Scores:
    """What a simulated judge thinks of every item, in standard deviations.

    Parameters
    ----------
    plan : Plan
    judge : str
    quality : mapping
        By item id.
    correlation : float
        Of what it thinks of an item with the item's quality.
    said : mapping, optional
        By scale and item, scores that it has given already.
    """

    def __init__(
        self,
        plan: Plan,
        judge: str,
        quality: Mapping[str, float],
        correlation: float,
        said: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.plan = plan
        self._said = said or {}
        self._places = {name: place for place, name in enumerate(quality)}
        rng = stream(plan.seed, Stream.SIMULATION, "judge", judge)
        good = np.array(list(quality.values()))
        good = (good - good.mean()) / (good.std() or 1.0)
        rest = math.sqrt(1 - correlation**2)
        scales = plan.rated

        def view() -> Any:
            return correlation * good + rest * rng.normal(size=len(good))

        self._view = view()
        if plan.measures is None:  # each scale is read by itself
            self._latent = {scale.id: view() for scale in scales}
        else:
            signs = {name: -1 if name in plan.measures.subtracts else 1 for name in _ids(scales)}
            own = _parts(self._view, len(scales), rng)
            self._latent = {s.id: signs[s.id] * own[:, at] for at, s in enumerate(scales)}
            points = [
                sign * self._points(s) for s, sign in zip(scales, signs.values(), strict=True)
            ]
            self._overall = np.sum(points, axis=0)

    def _points(self, scale: Rated) -> Any:
        return np.array([int(on_scale(value, scale)) for value in self._latent[scale.id]])

    def rating(self, item: str, scale: Rated) -> str:
        """Return the point or the label of an item on a scale."""
        if scale.id in self._said:
            return str(round(self._said[scale.id][item]))
        return on_scale(float(self._latent[scale.id][self._places[item]]), scale)

    def answers(self, wanted: Wanted) -> Answers:
        """Return the answer to a request."""
        names = [item.item_id for item in wanted.items]
        if wanted.scales:
            rated = {scale.id: self.rating(names[0], scale) for scale in wanted.scales}
            named = {scale.id for scale in wanted.scales if scale.names}
            return {name: value if name in named else int(value) for name, value in rated.items()}
        places = [self._places[name] for name in names]
        view = self._view[places]
        if self.plan.measures is None:
            return {"most": int(view.argmax()) + 1, "least": int(view.argmin()) + 1}
        left, right = self._overall[places]
        if left == right and self.plan.design.offers_ties:
            return {"choice": TIE}
        ahead = view[0] > view[1] if left == right else left > right
        return {"choice": "left" if ahead else "right"}

    def given(self) -> Given:
        """Return what a table of this judge's scores would say."""
        scores: dict[tuple[str, str], float] = {}
        for name, place in self._places.items():
            for scale in self.plan.rated:
                rated = self.rating(name, scale)
                at = scale.names.index(rated) if scale.names else int(rated)
                scores[name, scale.id] = float(at)
            if not self.plan.rated:
                scores[name, OVERALL] = float(self._view[place])
        return Given(scores, (), Counter(), Counter())


def _ids(scales: Sequence[Rated]) -> list[str]:
    return [scale.id for scale in scales]


def _parts(view: Any, count: int, rng: np.random.Generator) -> Any:
    """Return a judge's view of every dimension; their mean is in proportion to its view."""
    if count == 1:
        return view[:, None]
    own = rng.normal(size=(len(view), count))
    own -= own.mean(axis=1, keepdims=True)
    return math.sqrt(WHOLE) * view[:, None] + math.sqrt((1 - WHOLE) / (1 - 1 / count)) * own


class _NothingSent(Requesting):
    """Answers every request from drawn scores; there is no server to send it to."""

    def __init__(self, judge: LLMJudge, scores: Scores, ledger: Ledger) -> None:
        super().__init__(
            None,  # type: ignore[arg-type]
            judge,
            Purse(judge, calls=0, money=0.0),
            breaker=Breaker(judge, ledger.prompts_answered()),
            retry=RETRY,
            rng=random.Random(0),  # noqa: S311
        )
        self._scores = scores

    async def close(self) -> None:
        """Close nothing."""

    async def outcome(self, wanted: Wanted) -> Outcome:
        """Return the drawn answer."""
        now = utc_now()
        return Outcome(
            answers=self._scores.answers(wanted),
            reason=None,
            reply=None,
            note=SIMULATED,
            model=SIMULATED,
            attempts=0,
            cost=None,
            asked_at=now,
            answered_at=now,
        )


def simulate_judges(store: Store, study: Study, quality: Mapping[str, float]) -> list[str]:
    """Let every judge of a plan answer; return a line for each, and for those that are simulated.

    Parameters
    ----------
    store : Store
    study : Study
    quality : mapping
        By item id.

    Raises
    ------
    RatifyError
        When a judge cannot answer the plan.
    """
    lines = []
    for judge in study.plan.judges:
        if isinstance(judge, PanelJudge):
            continue
        if isinstance(judge, BaselineJudge):
            run_judge(store, study, judge)
            lines.append(f"judge {judge.id}: a baseline, which reads the texts")
            continue
        correlation = study.plan.assumptions.judges.expected(judge.id)
        said = scores_of_frame(study, judge.id)
        scores = Scores(study.plan, judge.id, quality, correlation, said)
        if isinstance(judge, TableJudge):
            store_answers(store, study, judge, scores.given())
        else:
            _run(store, study, judge, scores)
        lines.append(simulated_sentence(judge, correlation, from_frame=bool(said)))
    return lines


def scores_of_frame(study: Study, judge: str) -> dict[str, dict[str, float]]:
    """Return what a judge said of the items when it scored the frame, by scale and item.

    The frame's scores are its own if the plan's causal section names it, or if it is the plan's
    only judge that is no baseline.
    """
    causal, table = study.plan.causal, study.table
    if causal is None:
        return {}
    models = [one.id for one in study.plan.judges if not isinstance(one, BaselineJudge)]
    found = {}
    for part in causal.scores.values():
        own = part.judge == judge if part.judge is not None else models == [judge]
        if not own or part.score not in table.columns:
            continue
        numbers = {
            record["item_id"]: table.number(row, part.score)
            for row, record in enumerate(table.rows, start=2)
        }
        if None not in numbers.values():
            found[part.scale] = {name: float(value or 0) for name, value in numbers.items()}
    return found


def simulated_sentence(
    judge: LLMJudge | TableJudge, correlation: float, *, from_frame: bool = False
) -> str:
    """Return what the report has to say about a simulated judge."""
    what = "no model was asked" if isinstance(judge, LLMJudge) else "its tables were not read"
    if from_frame:
        return f"judge {judge.id} is simulated: {what}, and its scores are those of the frame"
    return (
        f"judge {judge.id} is simulated: {what}, and its scores were drawn with a correlation of "
        f"{correlation:g} with the planted quality"
    )


def _run(store: Store, study: Study, judge: LLMJudge, scores: Scores) -> None:
    """Answer everything that the plan wants from an LLM judge, in the way of a real run."""
    ledger = Ledger(store, study.plan_hash, judge.id)
    ledger.begin(again=False)
    with ending(ledger):
        requesting = _NothingSent(judge, scores, ledger)
        asyncio.run(Run(Asked.of(study, judge), ledger, requesting, lambda _: None).whole())
