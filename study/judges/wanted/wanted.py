"""The answers that are wanted from an LLM judge, their requests, and their rows in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from prereg import files
from prereg.lock import utc_now
from prereg.plan.collection import Rated
from prereg.plan.judging import LLMJudge
from study.items import Item
from study.judges.prompts.prompt import Prompt
from study.judges.prompts.questions import Question, ask
from study.store.tables import BestWorst, Judgment, Probe, Rating
from study.tasks.base import Answers, Row, Task

MODE = "live"  # a judge's answers are always live data, even beside pilot or bot data
KIND = "llm"
Rows = list[tuple[type[Judgment | Rating | BestWorst | Probe], Row]]


@dataclass(frozen=True)
class Wanted:
    """One answer that is wanted from a judge.

    Attributes
    ----------
    judge : LLMJudge
    plan_hash : str
        Of the plan as it was locked: an answer is wanted once, whatever was amended since.
    version_hash : str or None
        Of the version under which it is asked, if it is not that one.
    purpose : {'trial', 'reversed', 'ranking', 'rating', 'probe'}
    task : Task
        What is asked, and how an answer becomes rows.
    items : tuple of Item
        In the order in which they are asked.
    prompt : Prompt
    question : str
        The plan's question, for comparisons.
    scales : tuple of Rated
        Dimensions and their ends, for ratings.
    session_id, position
        Where the answer is in its table; in a ranking, the position is given with the answer.
    repeat : int
        How often the same request was made before, on purpose.
    unit, probe, variant : str
        For an answer that only shows a habit; empty otherwise.
    """

    judge: LLMJudge
    plan_hash: str
    purpose: str
    task: Task
    items: tuple[Item, ...]
    prompt: Prompt
    question: str = ""
    scales: tuple[Rated, ...] = ()
    session_id: str = ""
    position: int = 0
    repeat: int = 0
    unit: str = ""
    probe: str = ""
    variant: str = ""
    version_hash: str | None = None

    @property
    def scenario(self) -> str:
        """The scenario of its items."""
        return self.items[0].scenario

    @cached_property
    def request_id(self) -> str:
        """The hash of everything the reply may depend on; an answered request is not sent again."""
        judge = self.judge
        said = [
            judge.id,
            judge.model,
            self.prompt.digest,
            self.question,
            _parameters(judge),
            [_text_digest(item) for item in self.items],
            [scale.id for scale in self.scales],
            self.repeat,
        ]
        return files.sha256(files.canonical_json(said))

    @cached_property
    def output_id(self) -> str:
        """The id of its answer in its table; one request may give several answers."""
        if self.probe:
            key = f"{self.plan_hash}:{self.judge.id}:{self.unit}:{self.probe}:{self.variant}"
        elif self.scales:
            names = ",".join(scale.id for scale in self.scales)
            key = f"{self.plan_hash}:{self.judge.id}:{self.items[0].item_id}:{names}"
        else:
            key = f"{self.plan_hash}:{self.session_id}:{self.position}"
        return hashlib.sha256(key.encode()).hexdigest()[:32]

    def ask(self) -> Question:
        """Return the question for the server."""
        dimensions = [scale.id for scale in self.scales]
        return ask(self.prompt, self.question, self.items, dimensions)

    def rows(self, answers: Answers) -> Rows:
        """Return the rows of its answer: those of its task, or of a probe."""
        common: Row = {
            "plan_hash": self.plan_hash,
            "version_hash": self.version_hash,
            "rater_id": self.judge.id,
            "rater_kind": KIND,
            "scenario": self.scenario,
            "answered_at": utc_now(),
            "request_id": self.request_id,
        }
        if self.probe:
            rows = self.task.rows(common, self.items, answers)
            return [(Probe, self._probe_row(row)) for row in rows]
        common |= {
            "mode": MODE,
            "session_id": self.session_id,
            "position": self.position,
            "is_attention_check": False,
        }
        rows = self.task.rows(
            common, self.items, answers, answer_id=self.output_id, purpose=self.purpose
        )
        return [(self.task.table, row) for row in rows]

    def _probe_row(self, row: Row) -> Row:
        """Return a row of the task's table as a row of the probes table."""
        known = {name: value for name, value in row.items() if name in Probe.__table__.columns}
        dimension = f":{_short(row['dimension'])}" if "dimension" in row else ""
        return {
            **known,
            "probe_id": f"{self.output_id}{dimension}",
            "unit": self.unit,
            "probe": self.probe,
            "variant": self.variant,
        }


def _parameters(judge: LLMJudge) -> Mapping[str, Any]:
    """Return what the server is told besides the model and the messages."""
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
    """Return a unique form of a name that is short enough for an id."""
    return name if len(name) <= 31 else name[:20] + hashlib.sha256(name.encode()).hexdigest()[:11]
