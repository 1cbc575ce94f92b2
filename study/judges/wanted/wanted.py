"""What an LLM judge is wanted to answer, request by request, and which rows an answer leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from prereg import files
from prereg.lock import utc_now
from prereg.plan.judging import LLMJudge
from study.items import Item
from study.judges.prompts.chosen import Prompt, Question, ask_best_worst, ask_pairwise, ask_rating
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
