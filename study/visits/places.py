"""Find where a rater is in the study; every page needs this, so it is one SQL statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection, Row

from prereg.plan.model import Plan
from prereg.plan.practice import practice_trials
from study.folder import Study
from study.store.database import Store
from study.store.prepared import Prepared
from study.store.tables import Slot, Visit
from study.tasks.registry import task_of


@dataclass(frozen=True)
class Place:
    """Where a rater is in the study.

    Attributes
    ----------
    session_id, rater_id, sequence_id : str
    status : str
        One of `prereg.tables.contract.STATUSES`; only an active visit takes answers.
    position : int
        The next trial to answer, 1..n; n + 1 when all are answered.
    shown_at : str or None
        When that trial was first on their screen; None if it was not yet.
    comprehended : bool
        Whether they have answered the comprehension question correctly.
    attempts : int
        How often they have tried it.
    practised : int
        How many practice trials they have sent.
    surveyed : bool
        Whether they have answered the end survey.
    withdrawal_key : str
        The secret part of their private link to withdraw.
    plan_hash, mode : str
        The study that they answer, by its plan as it was locked, and its mode.
    version : str
        The hash of the version of the plan to which they consented.
    consented_at : str
        When the visit began.
    lease_until : float
        Until when the slot is kept without a sign of life, in seconds since 1970.
    """

    session_id: str
    rater_id: str
    sequence_id: str
    status: str
    position: int
    shown_at: str | None
    comprehended: bool
    attempts: int
    practised: int
    surveyed: bool
    withdrawal_key: str
    plan_hash: str
    version: str
    mode: str
    consented_at: str
    lease_until: float = field(compare=False)

    @property
    def finished(self) -> bool:
        """Whether every trial is answered."""
        return self.status == "finished"

    def ready(self, plan: Plan) -> bool:
        """Say whether everything before the first trial is done: the question, the practice."""
        asked = plan.comprehension is None or self.comprehended
        # whoever has answered a trial was ready once
        return asked and (self.position > 1 or self.practised >= practice_trials(plan.practice))

    def belongs_to(self, study: Study, mode: str) -> bool:
        """Say whether this place belongs to this study and mode."""
        return self.plan_hash == study.root_hash and self.mode == mode


# Built once: these run on every page.
_BY_SESSION = Prepared(select(Visit.__table__).where(Visit.session_id == bindparam("session_id")))
_BY_RATER = select(Visit.__table__).where(
    Visit.plan_hash == bindparam("plan_hash"),
    Visit.mode == bindparam("mode"),
    Visit.rater_id == bindparam("rater_id"),
)
_HELD = select(func.count()).select_from(Slot).where(Slot.session_id == bindparam("session_id"))


def place_of(row: Row[Any]) -> Place:
    """Return the place that a row of the visits table describes."""
    position = row.answered + 1
    return Place(
        session_id=row.session_id,
        rater_id=row.rater_id,
        sequence_id=row.sequence_id,
        status=row.status,
        position=position,
        shown_at=row.shown_at if row.shown_position == position else None,
        comprehended=row.comprehended,
        attempts=row.comprehension_attempts or 0,
        practised=row.practised or 0,
        surveyed=row.surveyed_at is not None,
        withdrawal_key=row.withdrawal_key,
        plan_hash=row.plan_hash,
        version=row.version_hash or row.plan_hash,
        mode=row.mode,
        consented_at=row.consented_at,
        lease_until=row.lease_until,
    )


def read_place(connection: Connection, session_id: str) -> Place | None:
    """Return the place of a session as this transaction sees it."""
    row = _BY_SESSION.one(connection, {"session_id": session_id})
    return None if row is None else place_of(row)


def read_rater(connection: Connection, study: Study, mode: str, rater_id: str) -> Place | None:
    """Return the place of a rater as this transaction sees it."""
    wanted = {"plan_hash": study.root_hash, "mode": mode, "rater_id": rater_id}
    row = connection.execute(_BY_RATER, wanted).one_or_none()
    return None if row is None else place_of(row)


def find_rater(store: Store, study: Study, mode: str, rater_id: str) -> Place | None:
    """Return where this rater is, or None if they never consented."""
    with store.reading() as connection:
        return read_rater(connection, study, mode, rater_id)


def find_session(store: Store, study: Study, mode: str, session_id: str) -> Place | None:
    """Return where this session is, or None if the store does not know it."""
    with store.reading() as connection:
        place = read_place(connection, session_id)
    return place if place is not None and place.belongs_to(study, mode) else None


@dataclass(frozen=True)
class Completion:
    """What the store knows about a finished visit.

    Attributes
    ----------
    verified : bool
        Whether every trial has an answer, and the visit holds its slot.
    failed_checks : int
        Attention checks that were not answered as expected.
    """

    verified: bool
    failed_checks: int


def completion(store: Store, study: Study, place: Place) -> Completion:
    """Look up every answer of a finished visit; a counter alone must not earn a completion code."""
    table = task_of(study.plan).table
    passed = (
        select(table.position, func.min(table.passed_check))
        if store.is_sqlite
        else select(table.position, func.bool_and(table.passed_check))
    )
    answers = passed.where(table.session_id == place.session_id).group_by(table.position)
    with store.reading() as connection:
        found = {row[0]: row[1] for row in connection.execute(answers)}
        held = connection.scalar(_HELD, {"session_id": place.session_id})
    wanted = [trial.position for trial in study.sequences[place.sequence_id]]
    return Completion(
        verified=place.finished and held == 1 and sorted(found) == wanted,
        failed_checks=sum(ok is not None and not ok for ok in found.values()),
    )
