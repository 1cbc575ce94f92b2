"""Judges of a simulation: their scores are drawn, nothing is sent, and the rows are those of a run.

Baselines are asked as always: they read the texts. A judge of kind llm or table answers from scores
that correlate with the planted quality as the plan assumes of it.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Mapping

import numpy as np

from prereg.lock import utc_now
from prereg.plan.assumptions import JudgeAssumptions
from prereg.plan.collection import Rated
from prereg.plan.judging import BaselineJudge, LLMJudge
from prereg.plan.model import Plan
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.table_judge import OVERALL, TableJudge
from prereg.streams import Stream, stream
from prereg.tables.contract import TIE
from study.bots import Worth, point_of
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
# Two scores so close, in standard deviations, are a tie where the plan offers ties.
TIED = 0.1


class Scores:
    """What a simulated judge thinks of every item, in standard deviations.

    Parameters
    ----------
    plan : Plan
    judge : str
    worth : mapping
        By item id.
    correlation : float
        Of its scores with the planted quality.
    """

    def __init__(
        self, plan: Plan, judge: str, worth: Mapping[str, Worth], correlation: float
    ) -> None:
        self.plan = plan
        self.worth = worth
        rng = stream(plan.seed, Stream.SIMULATION, "judge", judge)
        rest = math.sqrt(1 - correlation**2)

        def seen(value: float) -> float:
            return correlation * value + rest * float(rng.normal())

        self._right = abs(correlation)
        self._rng = rng
        self.overall = {name: seen(one.overall) for name, one in worth.items()}
        self.dimensions = {
            (name, dimension): seen(value)
            for name, one in worth.items()
            for dimension, value in one.dimensions.items()
        }
        self.labels = {
            (name, scale): self._label(plan.labels[scale], right)
            for name, one in worth.items()
            for scale, right in one.labels.items()
        }

    def _label(self, names: tuple[str, ...], right: str) -> str:
        if self._rng.random() < self._right:
            return right
        return names[int(self._rng.integers(len(names)))]

    def rating(self, item: str, scale: Rated) -> int | str:
        """Return the point or the label of an item on a scale."""
        if scale.names:
            return self.labels[item, scale.id]
        return point_of(self.dimensions[item, scale.id], scale)

    def answers(self, wanted: Wanted) -> Answers:
        """Return the answer to a request."""
        names = [item.item_id for item in wanted.items]
        if wanted.scales:
            return {scale.id: self.rating(names[0], scale) for scale in wanted.scales}
        values = [self.overall[name] for name in names]
        if len(values) == 2:
            gap = values[0] - values[1]
            if self.plan.design.offers_ties and abs(gap) < TIED:
                return {"choice": TIE}
            return {"choice": "left" if gap > 0 else "right"}
        return {"most": int(np.argmax(values)) + 1, "least": int(np.argmin(values)) + 1}

    def given(self) -> Given:
        """Return what a table of this judge's scores would say."""
        scales = self.plan.rated
        scores: dict[tuple[str, str], float] = {}
        for name in self.worth:
            for scale in scales:
                rated = self.rating(name, scale)
                place = scale.names.index(rated) if isinstance(rated, str) else rated
                scores[name, scale.id] = float(place)
            if not scales:
                scores[name, OVERALL] = self.overall[name]
        return Given(scores, (), Counter(), Counter())


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


def simulate_judges(store: Store, study: Study, worth: Mapping[str, Worth]) -> list[str]:
    """Let every judge of a plan answer; return a line for each, and for those that are simulated.

    Parameters
    ----------
    store : Store
    study : Study
    worth : mapping
        What each item is worth, by its id.

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
        correlation = expected_correlation(study.plan.assumptions.judges, judge.id)
        scores = Scores(study.plan, judge.id, worth, correlation)
        if isinstance(judge, TableJudge):
            store_answers(store, study, judge, scores.given())
        else:
            _run(store, study, judge, scores)
        lines.append(simulated_sentence(judge, correlation))
    return lines


def expected_correlation(assumed: JudgeAssumptions, judge: str) -> float:
    """Return the correlation with the planted quality that the plan assumes of a judge."""
    return assumed.good


def simulated_sentence(judge: LLMJudge | TableJudge, correlation: float) -> str:
    """Return what the report has to say about a simulated judge."""
    what = "no model was asked" if isinstance(judge, LLMJudge) else "its tables were not read"
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
