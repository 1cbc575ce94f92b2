"""Count in the store how far the collection is, at one moment, for each mode by itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.engine import Connection

from prereg.plan.model import Plan
from prereg.tables.contract import MODES, STATUSES
from study.export.raters import SILENT
from study.export.tidy import left_behind
from study.export.timeline import Timeline, timeline
from study.folder import Study
from study.store.database import Store
from study.store.tables import Rating, Slot, Visit, Withdrawal
from study.tasks.registry import task_of
from study.visits.replacing import taken_by_nobody

_HOLDING = Visit.status.in_(("active", "finished"))


@dataclass(frozen=True)
class Fill:
    """How far the places of one sequence, or of several, are filled.

    Attributes
    ----------
    sequence_id : str
    done, under_way, free : int
        Places. The place of a silent rater counts as free, because another rater may get it.
    answers, wanted : int
        Trials answered by those who are done or under way, and trials of all its places.
    """

    sequence_id: str
    done: int
    under_way: int
    free: int
    answers: int
    wanted: int

    @property
    def places(self) -> int:
        """How many places there are."""
        return self.done + self.under_way + self.free

    @property
    def taken(self) -> int:
        """How many places somebody holds."""
        return self.done + self.under_way


@dataclass(frozen=True)
class Checks:
    """How attention checks were answered.

    Attributes
    ----------
    answered, failed : int
        Numbers of checks.
    allowed : int or None
        How many checks a rater may fail; None if the plan excludes nobody for it.
    raters_over : int
        Raters who failed more than that; without such a rule, raters who failed any.
    """

    answered: int
    failed: int
    allowed: int | None
    raters_over: int


@dataclass(frozen=True)
class ModeProgress:
    """One kind of data (live, pilot, bot).

    Attributes
    ----------
    mode : str
    visits : mapping
        Number of visits by status; 'silent' visits are counted apart from 'active' ones.
    unsurveyed : int
        Finished visits that have not answered the end survey; 0 if the plan has none.
    withdrawn : int
        People who withdrew; no other number counts them.
    answers : int
        Trials that people have answered, including attention checks.
    doubled : tuple of str
        Places that two visits hold or have finished; any such place is an error.
    astray : int
        Visits under way or finished that do not hold their place; any such visit is an error.
    median_minutes, hourly_pay : float or None
        Median time from consent to the last answer of finished visits, practice and survey
        included, and the hourly pay.
    checks : Checks or None
        None where the plan has no attention checks.
    sequences : tuple of Fill
    timeline : Timeline or None
        None if nothing has been answered.
    """

    mode: str
    visits: Mapping[str, int]
    unsurveyed: int
    withdrawn: int
    answers: int
    doubled: tuple[str, ...]
    astray: int
    median_minutes: float | None
    hourly_pay: float | None
    checks: Checks | None
    sequences: tuple[Fill, ...]
    timeline: Timeline | None

    @property
    def consented(self) -> int:
        """How many have agreed to take part and have not withdrawn since."""
        return sum(self.visits.values())

    @property
    def fill(self) -> Fill:
        """How far all places together are filled."""
        counts = [(s.done, s.under_way, s.free, s.answers, s.wanted) for s in self.sequences]
        return Fill("", *map(sum, zip((0,) * 5, *counts, strict=True)))


@dataclass(frozen=True)
class Progress:
    """How far the collection under one plan is.

    Attributes
    ----------
    modes : tuple of ModeProgress
        The modes that have slots, raters or withdrawals.
    other_plans : mapping
        Number of rows of other plans by table; no other count includes them.
    """

    modes: tuple[ModeProgress, ...]
    other_plans: Mapping[str, int]


def progress(store: Store, study: Study) -> Progress:
    """Count everything, in one snapshot."""
    with store.snapshot() as connection:
        counted = [_of_mode(connection, study, mode) for mode in MODES]
        others = left_behind(connection, study)
    seen = tuple(c for c in counted if c.sequences or c.consented or c.withdrawn)
    return Progress(seen, others)


def _of_mode(connection: Connection, study: Study, mode: str) -> ModeProgress:
    now = time.time()
    silent = and_(Visit.status == "active", Visit.lease_until < now)
    here = and_(Visit.plan_hash == study.root_hash, Visit.mode == mode)
    gone = and_(Withdrawal.plan_hash == study.root_hash, Withdrawal.mode == mode)
    people = _people(study, mode)
    minutes = _median_minutes(connection, here)
    return ModeProgress(
        mode=mode,
        visits=_visits(connection, here, silent),
        unsurveyed=_unsurveyed(connection, study.plan, here),
        withdrawn=_count(connection, gone),
        answers=_count(connection, people),
        doubled=doubled(connection, here),
        astray=astray(connection, here),
        median_minutes=minutes,
        hourly_pay=_hourly_pay(study.plan, minutes),
        checks=_checks(connection, study, people),
        sequences=_fill(connection, study, mode, silent),
        timeline=timeline(connection, task_of(study.plan).table.answered_at, people),
    )


def _count(connection: Connection, condition: Any) -> int:
    return connection.scalar(select(func.count()).where(condition)) or 0


def _people(study: Study, mode: str) -> Any:
    """Return the condition that selects one row for each trial that a person answered."""
    table = task_of(study.plan).table
    conditions = [
        table.plan_hash == study.root_hash,
        table.mode == mode,
        table.rater_kind == "human",
    ]
    if table is Rating and not study.plan.design.apart:
        # a trial has one row for each scale: count only the first scale's
        conditions.append(Rating.dimension == study.plan.scales[0].id)
    return and_(*conditions)


def _visits(connection: Connection, here: Any, silent: Any) -> dict[str, int]:
    state = case((silent, SILENT), else_=Visit.status)
    found = dict.fromkeys((*STATUSES, SILENT), 0)
    for name, count in connection.execute(select(state, func.count()).where(here).group_by(state)):
        found[name] = count
    return found


def _unsurveyed(connection: Connection, plan: Plan, here: Any) -> int:
    if not plan.survey:
        return 0
    return _count(connection, and_(here, Visit.status == "finished", Visit.surveyed_at.is_(None)))


def doubled(connection: Connection, here: Any) -> tuple[str, ...]:
    """Return the places that two visits hold; a finished visit keeps its place for good."""
    twice = (
        select(Visit.sequence_id, Visit.slot)
        .where(here, _HOLDING)
        .group_by(Visit.sequence_id, Visit.slot)
        .having(func.count() > 1)
        .order_by(Visit.sequence_id, Visit.slot)
    )
    return tuple(f"{sequence} place {slot}" for sequence, slot in connection.execute(twice))


def astray(connection: Connection, here: Any) -> int:
    """Return how many visits under way or finished do not hold their place."""
    return _count(connection, and_(here, _HOLDING, ~_holds_place()))


def _holds_place() -> Any:
    return exists().where(
        Slot.session_id == Visit.session_id,
        Slot.plan_hash == Visit.plan_hash,
        Slot.mode == Visit.mode,
        Slot.sequence_id == Visit.sequence_id,
        Slot.slot == Visit.slot,
    )


def _median_minutes(connection: Connection, here: Any) -> float | None:
    last = func.coalesce(Visit.surveyed_at, Visit.finished_at)
    ends = select(Visit.consented_at, last).where(here, Visit.status == "finished")
    spans = [
        (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
        for start, end in connection.execute(ends)
        if end is not None and end >= start  # else the clock was set meanwhile
    ]
    return median(spans) / 60 if spans else None


def _hourly_pay(plan: Plan, minutes: float | None) -> float | None:
    reward = plan.recruitment.reward
    if reward is None or not minutes:
        return None
    return reward.amount / (minutes / 60)


def _checks(connection: Connection, study: Study, people: Any) -> Checks | None:
    plan, table = study.plan, task_of(study.plan).table
    if not plan.attention_checks:
        return None
    failed = and_(people, table.passed_check.is_(False))
    allowed = next((e.max_failed for e in plan.exclusions if e.rule == "failed_attention"), None)
    over = (
        select(table.session_id)
        .where(failed)
        .group_by(table.session_id)
        .having(func.count() > (allowed or 0))
        .subquery()
    )
    return Checks(
        answered=_count(connection, and_(people, table.is_attention_check)),
        failed=_count(connection, failed),
        allowed=allowed,
        raters_over=connection.scalar(select(func.count()).select_from(over)) or 0,
    )


def _fill(connection: Connection, study: Study, mode: str, silent: Any) -> tuple[Fill, ...]:
    """Return every sequence with its places, in the order in which they are given out."""
    held = and_(Slot.session_id == Visit.session_id, or_(Visit.status == "finished", ~silent))
    done = case((Visit.status == "finished", 1), else_=0)
    under_way = case((Visit.status == "active", 1), else_=0)
    rows = connection.execute(
        select(
            Slot.sequence_id,
            func.count(),
            func.sum(done),
            func.sum(under_way),
            func.coalesce(func.sum(Visit.answered), 0),
        )
        .select_from(Slot)
        .outerjoin(Visit, held)
        .where(Slot.plan_hash == study.root_hash, Slot.mode == mode, ~taken_by_nobody())
        .group_by(Slot.sequence_id)
        .order_by(func.min(Slot.slot_id))
    )
    return tuple(
        Fill(name, full, busy, places - full - busy, answers, places * len(study.sequences[name]))
        for name, places, full, busy, answers in rows
        if name in study.sequences
    )
