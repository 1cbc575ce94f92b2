"""Ask the plan's judges: the people's own trials, ratings of every item, and pairs for an Elo."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from prereg.errors import RatifyError
from prereg.lock import utc_now
from prereg.plan import JudgePlan
from study.adaptive import ask_pairs
from study.folder import Study
from study.judges.base import Choice, Item, Judge
from study.judges.baseline import baseline
from study.store import Judgment, Rating, Store

MODE = "live"  # a judge's answer is no pilot and no bot, whichever people it stands beside
Row = dict[str, Any]


def run_judge(store: Store, study: Study, plan: JudgePlan) -> int:
    """Ask one judge everything the plan wants of it, in one transaction.

    A judge that has answered all of this plan is not asked again; one that was interrupted left
    nothing behind and starts anew.

    Returns
    -------
    int
        Judgments and ratings written, 0 where they were all there.
    """
    judge = baseline(plan.id)
    if _is_complete(store, study, plan):
        return 0
    rng = np.random.default_rng([study.plan.seed, 2, _number(plan.id)])
    judgments = [*_answer_trials(study, judge, rng), *_answer_pairs(study, plan, judge, rng)]
    ratings = list(_rate_items(study, judge))
    mine = (Judgment.plan_hash == study.plan_hash, Judgment.rater_id == judge.rater_id)
    own = (Rating.plan_hash == study.plan_hash, Rating.rater_id == judge.rater_id)
    try:
        with store.writing() as session:
            session.execute(delete(Judgment).where(*mine, Judgment.rater_kind != "human"))
            session.execute(delete(Rating).where(*own, Rating.rater_kind != "human"))
            session.execute(insert(Judgment), judgments)
            session.execute(insert(Rating), ratings)
    except IntegrityError as error:
        if _is_complete(store, study, plan):
            return 0  # another process asked the same judge at the same time, and was first
        raise RatifyError(
            f"judge '{plan.id}' is being asked by another process", allowed="run it again"
        ) from error
    return len(judgments) + len(ratings)


def expected_answers(study: Study, plan: JudgePlan) -> int:
    """Return how many judgments and ratings the plan wants of a judge."""
    trials = sum(len(sequence) for sequence in study.sequences.values())
    pairs = 0 if plan.pairs is None else plan.pairs.per_scenario * len(_by_scenario(study))
    return trials + pairs + len(study.items) * len(study.plan.measures.dimensions)


def _is_complete(store: Store, study: Study, plan: JudgePlan) -> bool:
    judged = select(func.count()).where(
        Judgment.plan_hash == study.plan_hash,
        Judgment.rater_id == plan.id,
        Judgment.rater_kind == plan.kind,
    )
    rated = select(func.count()).where(
        Rating.plan_hash == study.plan_hash,
        Rating.rater_id == plan.id,
        Rating.rater_kind == plan.kind,
    )
    with store.reading() as session:
        there = (session.scalar(judged) or 0) + (session.scalar(rated) or 0)
    return there == expected_answers(study, plan)


def _answer_trials(study: Study, judge: Judge, rng: np.random.Generator) -> Iterator[Row]:
    """Answer every trial that people answer, in the same order and on the same sides."""
    position = 0
    for sequence in study.sequences.values():
        for trial in sequence:
            position += 1
            left, right = study.items[trial.left_id], study.items[trial.right_id]
            choice = judge.compare(left, right, rng=rng)
            yield _row(study, judge, left, right, choice, position, purpose="trial")


def _answer_pairs(
    study: Study, plan: JudgePlan, judge: Judge, rng: np.random.Generator
) -> list[Row]:
    """Answer the pairs of the plan's sampling scheme, scenario by scenario."""
    rows: list[Row] = []
    if plan.pairs is None:
        return rows
    for items in _by_scenario(study).values():

        def ask(left: int, right: int, items: list[Item] = items) -> bool:
            choice = judge.compare(items[left], items[right], rng=rng)
            position = len(rows) + 1
            row = _row(study, judge, items[left], items[right], choice, position, purpose="ranking")
            rows.append(row)
            return choice == "left"

        ask_pairs(len(items), plan.pairs, ask, rng=rng)
    return rows


def _rate_items(study: Study, judge: Judge) -> Iterator[Row]:
    measures = study.plan.measures
    for item in study.items.values():
        for dimension, value in judge.rate(item, measures.dimensions).items():
            yield {
                "plan_hash": study.plan_hash,
                "rater_id": judge.rater_id,
                "rater_kind": judge.rater_kind,
                "item_id": item.item_id,
                "dimension": dimension,
                "value": value,
                "scale_min": measures.scale.min,
                "scale_max": measures.scale.max,
            }


def _row(
    study: Study,
    judge: Judge,
    left: Item,
    right: Item,
    choice: Choice,
    position: int,
    *,
    purpose: str,
) -> Row:
    session_id = f"{study.plan_hash[:12]}:{judge.rater_id}:{purpose}"
    key = f"{study.plan_hash}:{session_id}:{position}"
    return {
        "judgment_id": hashlib.sha256(key.encode()).hexdigest()[:32],
        "plan_hash": study.plan_hash,
        "mode": MODE,
        "session_id": session_id,
        "rater_id": judge.rater_id,
        "rater_kind": judge.rater_kind,
        "scenario": left.scenario,
        "left_id": left.item_id,
        "right_id": right.item_id,
        "choice": choice,
        "position": position,
        "is_attention_check": False,
        "answered_at": utc_now(),
        "purpose": purpose,
    }


def _by_scenario(study: Study) -> dict[str, list[Item]]:
    """Return the items that the sequences use, by scenario."""
    used = {
        item_id
        for sequence in study.sequences.values()
        for trial in sequence
        for item_id in (trial.left_id, trial.right_id)
    }
    groups: dict[str, list[Item]] = {}
    for item in study.items.values():
        if item.item_id in used:
            groups.setdefault(item.scenario, []).append(item)
    return groups


def _number(name: str) -> int:
    """Return a whole number that stands for a name, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
