"""Ask a baseline judge: people's trials, ratings of every item, and pairs for a ranking."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from prereg.derived import erased
from prereg.errors import RatifyError
from prereg.lock import utc_now
from prereg.plan.judging import BaselineJudge
from prereg.streams import Stream, stream
from study.folder import Study
from study.items import Item
from study.judges.adaptive.asking import WON, ask_pairs
from study.judges.baseline import baseline
from study.store.database import Store
from study.store.tables import ANSWERS, Rating
from study.tasks.base import Judge, Row
from study.tasks.rating import RatingTask
from study.tasks.registry import task_of

MODE = "live"  # a judge's answers are always live data, even beside pilot or bot data


def run_judge(store: Store, study: Study, plan: BaselineJudge) -> int:
    """Ask one judge everything the plan wants from it, in one transaction.

    A judge that has answered all of this plan is not asked again. A judge that was interrupted has
    stored nothing, and starts again. If the plan was amended since, its answers stay, and it is
    only asked what is new.

    Returns
    -------
    int
        Answers written (judgments, ratings, choices of most and least); 0 if all were there.
    """
    judge = baseline(plan.id)
    if is_complete(store, study, plan):
        return 0
    there = _answered(store, study, plan)
    if study.version_hash is not None and there:
        return _answer_new(store, study, judge, plan, there)
    rng = stream(study.plan.seed, Stream.BASELINE, plan.id)
    table = task_of(study.plan).table
    answers: dict[Any, list[Row]] = {table: list(_answer_trials(study, judge, rng))}
    if study.plan.measures is not None:
        answers[table] += _answer_pairs(study, plan, judge, rng)
        answers[Rating] = list(_rate_items(study, judge))

    def replace(connection: Connection) -> None:
        for answered, rows in answers.items():
            mine = (
                answered.plan_hash == study.root_hash,
                answered.rater_id == judge.rater_id,
                answered.rater_kind == judge.rater_kind,
            )
            connection.execute(delete(answered).where(*mine))
            connection.execute(insert(answered), rows)

    try:
        store.write(replace)
    except IntegrityError as error:
        if is_complete(store, study, plan):
            return 0  # another process asked the same judge at the same time, and was first
        raise RatifyError(
            f"judge '{plan.id}' is being asked by another process", allowed="run it again"
        ) from error
    return sum(map(len, answers.values()))


def _answered(store: Store, study: Study, plan: BaselineJudge) -> set[str]:
    """Return the trials of people that a judge has answered: their position, or their item."""
    table = task_of(study.plan).table
    mine = (
        table.plan_hash == study.root_hash,
        table.rater_id == plan.id,
        table.rater_kind == plan.kind,
        table.session_id == _session(study, plan.id, "trial"),
    )
    column = Rating.item_id if table is Rating else table.position
    with store.reading() as connection:
        return {str(one) for one in connection.scalars(select(column).where(*mine))}


def _answer_new(
    store: Store, study: Study, judge: Judge, plan: BaselineJudge, there: set[str]
) -> int:
    """Ask a judge for the trials that an amendment has added."""
    task = task_of(study.plan)
    rng = stream(study.plan.seed, Stream.BASELINE, plan.id, len(there))
    rows: list[Row] = []
    for position, items in enumerate(study.asked(), start=1):
        known = items[0].item_id if task.table is Rating else str(position)
        if known not in there:
            common = _common(study, judge, items[0], position, purpose="trial")
            answers = task.ask(judge, items, rng)
            rows += task.rows(common, items, answers, answer_id=_own_id(common))
    if rows:
        store.write(lambda connection: connection.execute(insert(task.table), rows))
    return len(rows)


def expected_answers(study: Study, plan: BaselineJudge) -> int:
    """Return how many answers the plan wants from a judge, beside pairs for a ranking."""
    trials = len(study.asked()) * task_of(study.plan).rows_of_an_answer
    measures = study.plan.measures
    return trials + (0 if measures is None else len(study.items) * len(measures.dimensions))


def is_complete(store: Store, study: Study, plan: BaselineJudge) -> bool:
    """Say whether a judge has answered everything that the plan wants from it."""
    ranking = _session(study, plan.id, "ranking")
    there = pairs = 0
    with store.reading() as connection:
        for table in ANSWERS:
            rows = select(func.count()).where(
                table.plan_hash == study.root_hash,
                table.rater_id == plan.id,
                table.rater_kind == plan.kind,
            )
            ranked = connection.scalar(rows.where(table.session_id == ranking)) or 0
            pairs += ranked
            there += (connection.scalar(rows) or 0) - ranked
    return there == expected_answers(study, plan) and pairs >= _fewest_pairs(study, plan)


def _fewest_pairs(study: Study, plan: BaselineJudge) -> int:
    """Return how many pairs a finished ranking has at least.

    One that is reliable enough ends early, and all its pairs are stored at once. Before a
    conversation was withdrawn a scenario may have had more.
    """
    if study.plan.measures is None or plan.pairs is None:
        return 0
    scenarios = sum(len(items) > 1 for items in _ranked(study))
    early = plan.pairs.scheme == "information" and plan.pairs.reliability is not None
    return scenarios * (1 if early else plan.pairs.per_scenario)


def _ranked(study: Study) -> Iterator[list[Item]]:
    """Yield the items of each scenario that are ranked: none of what was withdrawn since."""
    gone = erased(study.folder)
    for items in study.by_scenario().values():
        yield [item for item in items if item.item_id not in gone]


def _answer_trials(study: Study, judge: Judge, rng: np.random.Generator) -> Iterator[Row]:
    """Answer the trials that people answer, in the same order and on the same sides."""
    task = task_of(study.plan)
    for position, items in enumerate(study.asked(), start=1):
        common = _common(study, judge, items[0], position, purpose="trial")
        answers = task.ask(judge, items, rng)
        yield from task.rows(common, items, answers, answer_id=_own_id(common))


def _own_id(common: Row) -> str:
    """Return an id that is the same however often a judge is asked."""
    key = f"{common['plan_hash']}:{common['session_id']}:{common['position']}"
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _answer_pairs(
    study: Study, plan: BaselineJudge, judge: Judge, rng: np.random.Generator
) -> list[Row]:
    """Answer the pairs of the plan's sampling scheme, scenario by scenario."""
    rows: list[Row] = []
    if plan.pairs is None:
        return rows
    task = task_of(study.plan)
    for items in _ranked(study):

        def ask(left: int, right: int, items: list[Item] = items) -> float:
            pair = [items[left], items[right]]
            answers = task.ask(judge, pair, rng)
            common = _common(study, judge, pair[0], len(rows) + 1, purpose="ranking")
            rows.extend(
                task.rows(common, pair, answers, answer_id=_own_id(common), purpose="ranking")
            )
            return WON[str(answers["choice"])]

        ask_pairs(len(items), plan.pairs, ask, rng=rng)
    return rows


def _rate_items(study: Study, judge: Judge) -> Iterator[Row]:
    """Rate every item on the plan's measures."""
    task = RatingTask(study.plan.rated)
    names = [scale.id for scale in task.scales]
    for position, item in enumerate(study.items.values(), start=1):
        common = _common(study, judge, item, position, purpose="rating")
        yield from task.rows(common, [item], judge.rate(item, names))


def _session(study: Study, judge_id: str, purpose: str) -> str:
    return f"{study.root_hash[:12]}:{judge_id}:{purpose}"


def _common(study: Study, judge: Judge, item: Item, position: int, *, purpose: str) -> Row:
    """Return the columns that every answer of a judge has."""
    return {
        "plan_hash": study.root_hash,
        "version_hash": study.version_hash,
        "mode": MODE,
        "session_id": _session(study, judge.rater_id, purpose),
        "rater_id": judge.rater_id,
        "rater_kind": judge.rater_kind,
        "scenario": item.scenario,
        "position": position,
        "is_attention_check": False,
        "answered_at": utc_now(),
    }
