"""Try an LLM judge: send a few requests, show everything about them, and keep nothing.

It needs neither a lock nor a store, and only the parts of the plan that a request is made of.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise, zip_longest
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.file import PLAN_FILE, load_plan
from prereg.plan.judging import LLMJudge
from prereg.plan.judging_rules import faults_of_judging
from prereg.plan.model import Plan
from prereg.plan.part_faults import first_fault
from prereg.tables.items import read_items
from prereg.yaml_file import read_mapping
from study.folder import Study
from study.items import Item
from study.judges.runs.requesting import read_answers
from study.judges.wanted.asked import Asked
from study.judges.wanted.wanted import Wanted
from study.llm.prices import price
from study.llm.reply import Reply, TroubleError

# The parts of a plan that a request is made of; the others may still be wrong.
_NEEDED = ("schema", "id", "title", "kind", "seed", "materials", "design", "scales", "measures")
# Stand-ins for parts that every plan must have.
_STAND_INS: Mapping[str, Any] = {
    "schema": 1,
    "id": "tried",
    "title": "tried",
    "seed": 1,
    "recruitment": {"platform": "generic", "codes": {"completed": "TRIED"}},
}


@dataclass(frozen=True)
class Tried:
    """One request that was tried.

    Attributes
    ----------
    wanted : Wanted
    messages : tuple of dict
        As they were sent.
    reply : Reply or None
        What came back; None if nothing did.
    answers : mapping or None
        How it was read.
    trouble : str
        Why there is no answer; empty if there is one.
    seconds : float
    cost : float or None
        By the plan's prices.
    """

    wanted: Wanted
    messages: tuple[dict[str, str], ...]
    reply: Reply | None
    answers: Mapping[str, int | str] | None
    trouble: str
    seconds: float
    cost: float | None


def opened_to_try(folder: Path) -> tuple[Study, list[str]]:
    """Open a study folder as far as a try needs it.

    Returns
    -------
    study : Study
        Without sequences, texts and lock.
    notes : list of str
        What else is wrong with the plan.

    Raises
    ------
    RatifyError
        When the judges, what they are asked, or the items are wrong.
    """
    notes = []
    try:
        plan = load_plan(folder)
    except RatifyError as error:
        plan = _essential(folder, error)
        notes.append(f"the plan has another fault, which a try does not need: {error}")
    table = read_items(folder / plan.materials.items, plan.data.reading("items"))
    items = {
        row["item_id"]: Item(row["item_id"], row["scenario"], row["text"], row.get("prompt", ""))
        for row in table.rows
    }
    return Study(folder, plan, table, items, items, {}, {}, {}, {}, "tried", None), notes


def _essential(folder: Path, fault: RatifyError) -> Plan:
    """Return a plan with only what a request is made of; raise its fault if that is wrong."""
    path = folder / PLAN_FILE
    try:
        content = read_mapping(path.read_text(encoding="utf-8-sig"), file=path, what="plan")
    except (OSError, UnicodeDecodeError):
        raise fault from None
    judges = content.get("judges")
    models = [one for one in judges or [] if isinstance(one, dict) and one.get("kind") == "llm"]
    design = content.get("design")
    design = design if isinstance(design, dict) else {}
    kept = {name: content[name] for name in _NEEDED if name in content}
    kept["design"] = {"question": design.get("question"), "raters": 1, "trials": 1} | {
        name: design[name] for name in ("options", "ask_why") if name in design
    }
    kept = {**_STAND_INS, **kept, "judges": models}
    try:
        plan = Plan.model_validate(kept)
    except ValidationError as error:
        raise first_fault(error, kept, path) from error
    for fault in faults_of_judging(plan):
        raise RatifyError(
            fault.problem, file=path, column=fault.column, value=fault.value, allowed=fault.allowed
        )
    return plan


def some_requests(asked: Asked, count: int) -> list[Wanted]:
    """Return different requests of a judge: one of each prompt in turn, then the next items."""
    kinds = [_comparisons(asked), *_ratings(asked)]
    turns = (one for turn in zip_longest(*kinds) for one in turn if one is not None)
    return list(islice(turns, count))


def _comparisons(asked: Asked) -> Iterator[Wanted]:
    kind = kind_of(asked.study.plan)
    if not kind.compares:
        return
    shown = kind.shown(asked.study.plan)
    groups: dict[str, list[Item]] = {}
    for item in asked.study.items.values():
        groups.setdefault(item.scenario, []).append(item)
    for items in groups.values():
        windows = pairwise(items) if shown == 2 else (tuple(items[:shown]),)
        yield from (
            asked.comparison(window, purpose="trial") for window in windows if len(window) == shown
        )


def _ratings(asked: Asked) -> list[Iterator[Wanted]]:
    """Return the ratings by each rubric."""
    count = len(asked.prompts.rubrics)
    items = list(asked.study.items.values())

    def of(place: int) -> Iterator[Wanted]:
        for position, item in enumerate(items, start=1):
            yield list(asked.rating(item, position=position))[place]

    return [of(place) for place in range(count)]


def try_judge(study: Study, judge: LLMJudge, count: int) -> list[Tried]:
    """Send a few requests to a judge's server, each once.

    Raises
    ------
    RatifyError
        When a prompt is wrong, the key is missing, or the server refuses every request.
    """
    return asyncio.run(_try(Asked.of(study, judge), count))


async def _try(asked: Asked, count: int) -> list[Tried]:
    from study.llm.server import ChatServer

    server = ChatServer(asked.judge.model_copy(update={"concurrency": 1}))
    try:
        return [await _once(server, asked.judge, one) for one in some_requests(asked, count)]
    finally:
        await server.close()


async def _once(server: Any, judge: LLMJudge, wanted: Wanted) -> Tried:
    question = wanted.ask()
    began = time.monotonic()
    reply, answers, trouble = None, None, ""
    try:
        try:
            reply = await server.ask(question)
        except TroubleError as refused:
            if not refused.plainly:
                raise
            reply = await server.ask(question, plainly=True)
        answers = read_answers(question, reply)
    except TroubleError as error:
        trouble = error.reason.replace("_", " ") + (f": {error.detail}" if error.detail else "")
    seconds = time.monotonic() - began
    cost = None
    if reply is not None and reply.input_tokens is not None and reply.output_tokens is not None:
        cost = price(judge, reply.input_tokens, reply.output_tokens)
    return Tried(wanted, question.messages, reply, answers, trouble, seconds, cost)
