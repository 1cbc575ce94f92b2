"""How one judge is asked about a study: its prompts, its trials and its ratings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from prereg.kinds.registry import kind_of
from prereg.plan.judging import LLMJudge
from prereg.streams import Stream, stream
from study.folder import Study
from study.items import Item
from study.judges.prompts.chosen import JudgePrompts, prompts_of
from study.judges.wanted.wanted import Wanted
from study.tasks.rating import RatingTask
from study.tasks.registry import task_of


@dataclass(frozen=True)
class Asked:
    """How one judge of a study is asked: its prompts, and every answer that is wanted from it."""

    study: Study
    judge: LLMJudge
    prompts: JudgePrompts

    @classmethod
    def of(cls, study: Study, judge: LLMJudge) -> Asked:
        """Return how a judge of a study is asked.

        Raises
        ------
        RatifyError
            When a prompt is missing or does not fit the plan.
        """
        return cls(study, judge, prompts_of(study.plan, judge, study.folder))

    def trials(self) -> Iterator[Wanted]:
        """Yield the trials that people answer, on the same sides; then with sides exchanged."""
        if not kind_of(self.study.plan).compares:
            return
        ways = [("trial", False), *([("reversed", True)] if self.judge.both_orders else [])]
        for purpose, turned in ways:
            for position, shown in enumerate(self.study.asked(), start=1):
                items = shown[::-1] if turned else shown
                yield self.comparison(items, purpose=purpose, position=position)

    def comparison(
        self, items: Sequence[Item], *, purpose: str, position: int = 0, scenario: str = ""
    ) -> Wanted:
        """Return one comparison of items; the ranking of each scenario has its own session."""
        assert self.prompts.comparison is not None
        own = f":{hashlib.sha256(scenario.encode()).hexdigest()[:8]}" if scenario else ""
        return Wanted(
            self.judge,
            self.study.root_hash,
            purpose,
            task_of(self.study.plan),
            tuple(items),
            self.prompts.comparison,
            self.study.plan.design.question,
            session_id=f"{self.study.root_hash[:12]}:{self.judge.id}:{purpose}{own}",
            position=position,
            version_hash=self.study.version_hash,
        )

    def ratings(self) -> Iterator[Wanted]:
        """Yield the ratings: one request per item of the study and rubric."""
        for position, item in enumerate(self.study.rated_items(), start=1):
            yield from self.rating(item, position=position)

    def rating(self, item: Item, *, position: int) -> Iterator[Wanted]:
        """Yield the requests that rate one item.

        No request has dimensions of two rubrics, or two scales that are asked apart.
        """
        wanted = {scale.id: scale for scale in self.study.plan.rated}
        for rubric in self.prompts.rubrics:
            scales = tuple(wanted[name] for name in rubric.rubric if name in wanted)
            yield Wanted(
                self.judge,
                self.study.root_hash,
                "rating",
                RatingTask(scales),
                (item,),
                rubric,
                scales=scales,
                position=position,
                session_id=f"{self.study.root_hash[:12]}:{self.judge.id}:rating",
                version_hash=self.study.version_hash,
            )

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the stream of random numbers of one purpose, from the plan's one seed."""
        return stream(self.study.plan.seed, Stream.JUDGE, f"{self.judge.id}:{purpose}")
