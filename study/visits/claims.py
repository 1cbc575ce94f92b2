"""Give slots to raters and free them again. Each public function is one transaction.

A slot belongs to one rater at a time. A claim picks a free slot, or one whose lease has run out,
writes the session into it and makes the visit, all at once. Two raters who arrive together cannot
take the same slot: the database serialises them (SQLite: BEGIN IMMEDIATE; PostgreSQL: FOR UPDATE
SKIP LOCKED) and would refuse the second (unique constraints on slot, rater and holder). The WHERE
of every update names the state that the visit must still have. If two requests race, one of them
changes the visit, and the other sees that it came too late.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from prereg.lock import utc_now
from study.folder import Study
from study.store.database import Store
from study.store.tables import Slot, Visit
from study.visits.places import Place, find_rater, read_place, read_rater

CLAIM_ATTEMPTS = 10


@dataclass(frozen=True)
class Arrival:
    """A rater who arrives, with the ids in the platform's link.

    `session_id` is the session that their consent begins; by it, their browser is recognised.
    """

    rater_id: str
    platform_study_id: str | None = None
    platform_session_id: str | None = None
    session_id: str | None = None


def claim(store: Store, study: Study, mode: str, arrival: Arrival) -> Place | None:
    """Give a consenting rater a slot, or return the place that they already have.

    Parameters
    ----------
    store : Store
    study : Study
        The version to which they consented; see `study.folder.Study.at`.
    mode : str
    arrival : Arrival

    Returns
    -------
    Place or None
        None when every slot is taken.
    """
    rater_id = arrival.rater_id

    def take(connection: Connection) -> Place | None:
        known = read_rater(connection, study, mode, rater_id)
        return known or _take_slot(connection, study, mode, arrival)

    for attempt in range(CLAIM_ATTEMPTS):
        try:
            place = store.write(take)
        except IntegrityError:
            # the same rater sent two requests at once: the other one won and has made their place
            place = find_rater(store, study, mode, rater_id)
        if place is not None:
            return place
        if not has_room(store, study, mode, rater_id):
            break
        # a slot that was skipped because it was locked is free after all: that claim failed
        time.sleep(0.02 * (attempt + 1))
    # the last place may have gone to the same rater, in another window
    return find_rater(store, study, mode, rater_id)


def _claimable(study: Study, mode: str, now: float) -> Any:
    """Return the condition of a slot that is free, or whose holder has gone silent."""
    gone = exists().where(
        Visit.session_id == Slot.session_id, Visit.status == "active", Visit.lease_until < now
    )
    return and_(
        Slot.plan_hash == study.root_hash, Slot.mode == mode, or_(Slot.session_id.is_(None), gone)
    )


def _take_slot(connection: Connection, study: Study, mode: str, arrival: Arrival) -> Place | None:
    """Give a newcomer the next slot of the least-filled sequence, never-used slots first."""
    now = time.time()
    same = _same_scale(connection, study, mode, arrival.rater_id)
    # a silent rater keeps the place as long as other places are free
    order = [Slot.session_id.is_not(None), Slot.slot, Slot.slot_id]
    if study.plan.design.raters_per_sequence > 1:
        other = aliased(Slot)
        taken = select(func.count()).where(
            other.plan_hash == study.root_hash,
            other.mode == mode,
            other.sequence_id == Slot.sequence_id,
            other.session_id.is_not(None),
        )
        order.insert(0, taken.scalar_subquery())
    free = (
        select(Slot.__table__)
        .where(_claimable(study, mode, now), *same)
        .order_by(*order)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    slot = connection.execute(free).one_or_none()
    if slot is None or (slot.session_id is not None and not _evict(connection, slot, now)):
        return None
    session_id = arrival.session_id or new_session_id()
    connection.execute(
        update(Slot).where(Slot.slot_id == slot.slot_id).values(session_id=session_id)
    )
    values = {
        "session_id": session_id,
        "plan_hash": study.root_hash,
        "version_hash": study.version_hash,
        "mode": mode,
        "rater_id": arrival.rater_id,
        "sequence_id": slot.sequence_id,
        "slot": slot.slot,
        "consented_at": utc_now(),
        "lease_until": now + study.plan.design.lease_seconds(0),
        "comprehension_attempts": 0 if study.plan.comprehension else None,
        "platform_study_id": arrival.platform_study_id,
        "platform_session_id": arrival.platform_session_id,
        "withdrawal_key": secrets.token_urlsafe(24),
    }
    connection.execute(insert(Visit), values)
    return read_place(connection, session_id)


def _same_scale(
    connection: Connection, study: Study, mode: str, rater_id: str
) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that a rater of another mode is asked for the same scale again.

    Where scales are asked apart, a rater has one scale in a mode, because they have one sequence.
    Whoever took part in another mode of the same plan, under the same id, keeps their scale.
    """
    if not study.plan.design.apart:
        return ()
    before = connection.scalar(
        select(Visit.sequence_id)
        .where(Visit.plan_hash == study.root_hash, Visit.mode != mode, Visit.rater_id == rater_id)
        .order_by(Visit.consented_at)
        .limit(1)
    )
    own = study.dimension_of(before) if before is not None else ""
    if not own:
        return ()
    names = [name for name in study.sequences if study.dimension_of(name) == own]
    # in the statement itself: there may be more of them than a database takes as parameters
    own_ones: BindParameter[Any] = bindparam(
        "own_ones", names, expanding=True, literal_execute=True
    )
    return (Slot.sequence_id.in_(own_ones),)


def new_session_id() -> str:
    """Return a session that nobody can guess."""
    return secrets.token_urlsafe(18)


def _evict(connection: Connection, slot: Any, now: float) -> bool:
    """End the visit of a slot's silent holder; return False if they answered just before."""
    silent = (
        update(Visit)
        .where(
            Visit.session_id == slot.session_id, Visit.status == "active", Visit.lease_until < now
        )
        .values(status="timed_out")
    )
    return connection.execute(silent).rowcount == 1


def has_room(store: Store, study: Study, mode: str, rater_id: str = "") -> bool:
    """Say whether there is a slot for a newcomer: for anybody, or for the one with this id."""
    with store.reading() as connection:
        same = _same_scale(connection, study, mode, rater_id)
        wanted = (_claimable(study, mode, time.time()), *same)
        return connection.scalar(select(Slot.slot_id).where(*wanted).limit(1)) is not None


_KEEP = (
    update(Visit)
    .where(Visit.session_id == bindparam("of_session"), Visit.status == "active")
    .values(lease_until=bindparam("until"))
)


def keep(store: Store, study: Study, place: Place) -> None:
    """Renew the lease of a rater who reads, once half of it is over: most pages cost no commit."""
    now, lease = time.time(), study.plan.design.lease_seconds(place.position - 1)
    if place.lease_until - now > lease / 2:
        return
    values = {"of_session": place.session_id, "until": now + lease}
    store.write(lambda connection: connection.execute(_KEEP, values))


def try_comprehension(store: Store, study: Study, place: Place, option: int) -> Place | None:
    """Count an attempt at the comprehension question; free the slot after too many wrong ones.

    Returns
    -------
    Place or None
        The place afterwards: ready for the trials, screened out, or unchanged. None if the session
        is gone.
    """
    question = study.plan.comprehension
    assert question is not None
    right = option == question.answer

    def count(connection: Connection) -> Place | None:
        lock_slot(connection, place.session_id)
        last = place.attempts + 1 >= question.attempts
        counted = connection.execute(
            update(Visit)
            .where(
                Visit.session_id == place.session_id,
                Visit.status == "active",
                Visit.comprehended.is_(False),
                Visit.comprehension_attempts == place.attempts,
            )
            .values(
                comprehension_attempts=place.attempts + 1,
                comprehended=right,
                status="screened_out" if last and not right else "active",
                lease_until=time.time() + study.plan.design.lease_seconds(0),
            )
        ).rowcount
        if counted and last and not right:
            free_slot(connection, place.session_id)
        return read_place(connection, place.session_id)

    return store.write(count)


def release(store: Store, study: Study, mode: str, rater_id: str, status: str) -> str:
    """End an active visit and free its slot; the answers are kept.

    Parameters
    ----------
    rater_id : str
    status : {'returned', 'timed_out'}
        What the recruitment platform says.

    Returns
    -------
    str
        The visit's status before: 'active' if it was released, 'unknown' if there is no visit.
    """

    def end(connection: Connection) -> str:
        place = read_rater(connection, study, mode, rater_id)
        if place is None:
            return "unknown"
        lock_slot(connection, place.session_id)
        ended = connection.execute(
            update(Visit)
            .where(Visit.session_id == place.session_id, Visit.status == "active")
            .values(status=status)
        ).rowcount
        if ended:
            free_slot(connection, place.session_id)
        return "active" if ended else place.status

    return store.write(end)


def lock_slot(connection: Connection, session_id: str) -> None:
    """Lock a session's slot before its visit; a claim uses the same order, to avoid deadlock."""
    held = select(Slot.slot_id).where(Slot.session_id == session_id)
    connection.execute(held.with_for_update())


def free_slot(connection: Connection, session_id: str) -> None:
    """Free a session's slot."""
    connection.execute(update(Slot).where(Slot.session_id == session_id).values(session_id=None))
