"""What an LLM judge is wanted to answer, request by request, and which rows an answer leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from prereg import files
from prereg.lock import utc_now
from prereg.plan.judging import LLMJudge
from prereg.streams import Stream, stream
from study.folder import Study
from study.judges.base import Item
from study.judges.prompts.chosen import (
    JudgePrompts,
    Prompt,
    Question,
    ask_best_worst,
    ask_pairwise,
    ask_rating,
    prompts_of,
)
from study.store.tables import BestWorst, Judgment, Probe, Rating
from study.tasks.base import Answers, Row

MODE = "live"  # a judge's answer is no pilot and no bot, whichever people it stands beside
KIND = "llm"
Rows = list[tuple[type[Judgment | Rating | BestWorst | Probe], Row]]


@dataclass(frozen=True)
class Wanted:
    """One answer that is wanted of a judge.

    Attributes
    ----------
    judge : LLMJudge
    plan_hash : str
    purpose : {'trial', 'reversed', 'ranking', 'rating', 'probe'}
    task : {'pairwise', 'rating', 'best_worst'}
    items : tuple of Item
        As asked, in order of place.
    prompt : Prompt
    question : str
        The plan's own, for comparisons.
    scales : tuple of (str, int, int)
        Dimensions and their ends, for ratings.
    session_id, position
        Where the answer stands in its table; a ranking's position is given when it is answered.
    repeat : int
        How often the very same was asked before, on purpose.
    unit, probe, variant : str
        Of an answer that only shows a habit; empty otherwise.
    """

    judge: LLMJudge
    plan_hash: str
    purpose: str
    task: str
    items: tuple[Item, ...]
    prompt: Prompt
    question: str = ""
    scales: tuple[tuple[str, int, int], ...] = ()
    session_id: str = ""
    position: int = 0
    repeat: int = 0
    unit: str = ""
    probe: str = ""
    variant: str = ""

    @property
    def scenario(self) -> str:
        """The scenario of its items."""
        return self.items[0].scenario

    @cached_property
    def request_id(self) -> str:
        """The hash of everything the reply may depend on; who has it answered need not ask."""
        judge = self.judge
        said = [
            judge.id,
            judge.model,
            self.prompt.digest,
            self.question,
            _parameters(judge),
            [_text_digest(item) for item in self.items],
            [name for name, _, _ in self.scales],
            self.repeat,
        ]
        return files.sha256(files.canonical_json(said))

    @cached_property
    def output_id(self) -> str:
        """What its answer is known by in its table; several may stem from one request."""
        if self.probe:
            key = f"{self.plan_hash}:{self.judge.id}:{self.unit}:{self.probe}:{self.variant}"
        elif self.task == "rating":
            names = ",".join(name for name, _, _ in self.scales)
            key = f"{self.plan_hash}:{self.judge.id}:{self.items[0].item_id}:{names}"
        else:
            key = f"{self.plan_hash}:{self.session_id}:{self.position}"
        return hashlib.sha256(key.encode()).hexdigest()[:32]

    def ask(self) -> Question:
        """Return what is sent to the server."""
        if self.task == "pairwise":
            return ask_pairwise(self.prompt, self.question, *self.items)
        if self.task == "best_worst":
            return ask_best_worst(self.prompt, self.question, self.items)
        return ask_rating(self.prompt, self.items[0], [name for name, _, _ in self.scales])

    def rows(self, answers: Answers) -> Rows:
        """Return the rows that its answer leaves."""
        if self.probe:
            return self._probe_rows(answers)
        common = {
            "plan_hash": self.plan_hash,
            "mode": MODE,
            "session_id": self.session_id,
            "rater_id": self.judge.id,
            "rater_kind": KIND,
            "scenario": self.scenario,
            "position": self.position,
            "is_attention_check": False,
            "answered_at": utc_now(),
            "request_id": self.request_id,
        }
        if self.task == "rating":
            return [(Rating, {**common, **self._score(scale, answers)}) for scale in self.scales]
        ids = [item.item_id for item in self.items]
        if self.task == "best_worst":
            picked = {f"{name}_id": ids[int(answers[name]) - 1] for name in ("most", "least")}
            trial = {"trial_id": self.output_id, "options": json.dumps(ids, ensure_ascii=False)}
            return [(BestWorst, {**common, **trial, **picked})]
        own = {
            "judgment_id": self.output_id,
            "left_id": ids[0],
            "right_id": ids[1],
            "choice": answers["choice"],
            "purpose": self.purpose,
        }
        return [(Judgment, {**common, **own})]

    def _score(self, scale: tuple[str, int, int], answers: Answers) -> Row:
        name, low, high = scale
        return {
            "item_id": self.items[0].item_id,
            "dimension": name,
            "value": float(answers[name]),
            "scale_min": low,
            "scale_max": high,
        }

    def _probe_rows(self, answers: Answers) -> Rows:
        common = {
            "plan_hash": self.plan_hash,
            "rater_id": self.judge.id,
            "rater_kind": KIND,
            "unit": self.unit,
            "probe": self.probe,
            "variant": self.variant,
            "scenario": self.scenario,
            "answered_at": utc_now(),
            "request_id": self.request_id,
        }
        if self.task == "pairwise":
            left, right = (item.item_id for item in self.items)
            own = {"left_id": left, "right_id": right, "choice": answers["choice"]}
            return [(Probe, {**common, "probe_id": self.output_id, **own})]
        return [
            (
                Probe,
                {
                    **common,
                    "probe_id": f"{self.output_id}:{_short(scale[0])}",
                    **self._score(scale, answers),
                },
            )
            for scale in self.scales
        ]


@dataclass(frozen=True)
class Asked:
    """How one judge of a study is asked: its prompts, and everything it is wanted to answer."""

    study: Study
    judge: LLMJudge
    prompts: JudgePrompts

    @classmethod
    def of(cls, study: Study, judge: LLMJudge) -> Asked:
        """Return it.

        Raises
        ------
        RatifyError
            Where a prompt is missing or does not fit the plan.
        """
        return cls(study, judge, prompts_of(study.plan, judge, study.folder))

    def everything(self) -> Iterator[Wanted]:
        """Yield all that is known beforehand: trials, ratings, probes of habits; no ranking."""
        # imported here: what it makes are answers of this module
        from study.judges.wanted.probes import probes

        yield from self.trials()
        yield from self.ratings()
        yield from probes(self)

    def trials(self) -> Iterator[Wanted]:
        """Yield the trials that people answer, on the same sides; then with sides exchanged."""
        if self.study.plan.kind == "rating":
            return
        ways = [("trial", False), *([("reversed", True)] if self.judge.both_orders else [])]
        for purpose, turned in ways:
            for position, trial in enumerate(trials_of(self.study), start=1):
                shown = tuple(self.study.items[name] for name in trial)
                items = shown[::-1] if turned else shown
                yield self.comparison(items, purpose=purpose, position=position)

    def comparison(
        self, items: Sequence[Item], *, purpose: str, position: int = 0, scenario: str = ""
    ) -> Wanted:
        """Return one comparison of items; a ranking's session is its scenario's."""
        task = "best_worst" if self.study.plan.kind == "best_worst" else "pairwise"
        assert self.prompts.comparison is not None
        own = f":{hashlib.sha256(scenario.encode()).hexdigest()[:8]}" if scenario else ""
        return Wanted(
            self.judge,
            self.study.plan_hash,
            purpose,
            task,
            tuple(items),
            self.prompts.comparison,
            self.study.plan.design.question,
            session_id=f"{self.study.plan_hash[:12]}:{self.judge.id}:{purpose}{own}",
            position=position,
        )

    def ratings(self) -> Iterator[Wanted]:
        """Yield the ratings: of every item of the study, a request for each rubric."""
        for position, item in enumerate(self.rated_items(), start=1):
            yield from self.rating(item, position=position)

    def rated_items(self) -> list[Item]:
        """Return what is rated: where people rate, what they rate; else every item."""
        if self.study.plan.kind == "rating":
            used = {name for trial in trials_of(self.study) for name in trial}
            return [item for item in self.study.items.values() if item.item_id in used]
        return list(self.study.items.values())

    def rating(self, item: Item, *, position: int) -> Iterator[Wanted]:
        """Yield the requests that rate one item: dimensions of two rubrics never share one."""
        wanted = {name: (name, low, high) for name, low, high in self.scales()}
        for rubric in self.prompts.rubrics:
            scales = tuple(wanted[name] for name in rubric.rubric if name in wanted)
            yield Wanted(
                self.judge,
                self.study.plan_hash,
                "rating",
                "rating",
                (item,),
                rubric,
                scales=scales,
                position=position,
                session_id=f"{self.study.plan_hash[:12]}:{self.judge.id}:rating",
            )

    def scales(self) -> list[tuple[str, int, int]]:
        """Return every dimension the plan wants scored, with the ends of its scale."""
        plan = self.study.plan
        if plan.measures is not None:
            ends = plan.measures.scale
            return [(name, ends.min, ends.max) for name in plan.measures.dimensions]
        return [(scale.id, scale.min, scale.max) for scale in plan.scales]

    def by_scenario(self) -> dict[str, list[Item]]:
        """Return the items that are ranked: those that the sequences use, by scenario."""
        used = {name for trial in trials_of(self.study) for name in trial}
        groups: dict[str, list[Item]] = {}
        for item in self.study.items.values():
            if item.item_id in used:
                groups.setdefault(item.scenario, []).append(item)
        return groups

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the stream of random numbers of one purpose, from the plan's one seed."""
        return stream(self.study.plan.seed, Stream.JUDGE, f"{self.judge.id}:{purpose}")


def trials_of(study: Study) -> Iterator[tuple[str, ...]]:
    """Yield the items of every trial in order; attention checks are there for people."""
    for sequence in study.sequences.values():
        yield from (trial.item_ids for trial in sequence if not trial.is_attention_check)


def _parameters(judge: LLMJudge) -> Mapping[str, Any]:
    """Return what the server is told beside model and messages."""
    return {
        "temperature": judge.temperature,
        "max_tokens": judge.max_tokens,
        "reply": judge.reply,
        "logprobs": judge.logprobs,
        **judge.parameters,
    }


@lru_cache(maxsize=16_384)
def _digest(text: str) -> str:
    return files.sha256(text.encode())


def _text_digest(item: Item) -> str:
    return _digest(item.text + "\x00" + item.prompt)


def _short(name: str) -> str:
    """Return a name that fits into an id, and is no other's."""
    return name if len(name) <= 31 else name[:20] + hashlib.sha256(name.encode()).hexdigest()[:11]
