"""Give places of a trial to participants and free them again; each claim is one transaction.

A claim takes the lowest place that is free, so that whoever comes after somebody who left has that
person's condition and scenarios, and the arms stay balanced. A participant who falls silent before
the first message gives the place back when the first lease is over; one who has written keeps it,
as long as there are others, even when the lease is over.
"""

from __future__ import annotations

import json
import secrets
import time

from sqlalchemy import ColumnElement, Select, and_, bindparam, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from prereg.chat.allocation import allocated, place_ids
from study.chat.leaving import LEFT, end_visit
from study.chat.places import ChatPlace, find_rater, read_rater, stamp
from study.chat.spending import Reservation, fits, reserve
from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit
from study.store.database import Store
from study.store.tables import Slot, Visit
from study.visits.claims import CLAIM_ATTEMPTS, Arrival, new_session_id


def open_places(store: Store, study: ChatStudy, mode: str) -> None:
    """Make sure that the store has every place of the plan."""
    store.open_slots(study.root_hash, mode, place_ids(study.plan))


def claim_chat(
    store: Store, study: ChatStudy, mode: str, arrival: Arrival, now: float | None = None
) -> ChatPlace | None:
    """Give a consenting participant a place, or return the one that they already have.

    In the same transaction, the worst case of what they may cost is set aside.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    mode : str
    arrival : Arrival
    now : float, optional
        Seconds since 1970.

    Returns
    -------
    ChatPlace or None
        None when every place is taken, or the budget has no room for one more.
    """
    moment = time.time() if now is None else now

    def take(connection: Connection) -> ChatPlace | None:
        known = read_rater(connection, study, mode, arrival.rater_id)
        if known is not None:
            return known
        aside = reserve(connection, study, mode)
        if aside is None:
            return None
        return _take_place(connection, study, mode, arrival, aside, moment)

    for attempt in range(CLAIM_ATTEMPTS):
        try:
            place = store.write(take)
        except IntegrityError:
            # the same person sent two requests at once: the other one won and has their place
            place = find_rater(store, study, mode, arrival.rater_id)
        if place is not None:
            return place
        if not has_room(store, study, mode, moment):
            break
        # a place that was skipped because it was locked is free after all
        time.sleep(0.02 * (attempt + 1))
    # the last place may have gone to the same person, in another window
    return find_rater(store, study, mode, arrival.rater_id)


def has_room(store: Store, study: ChatStudy, mode: str, now: float | None = None) -> bool:
    """Say whether a newcomer can be let in: a place is free, and the budget has room for them."""
    wanted = _claimable(study, mode, time.time() if now is None else now)
    with store.reading() as connection:
        if connection.execute(wanted).first() is None:
            return False
        return fits(connection, study, mode)


def _claimable(study: ChatStudy, mode: str, now: float) -> Select[int, str, str | None]:
    """Return the query of the next place: the lowest that is free, or whose holder is silent."""
    silent = and_(Visit.status == "active", Visit.lease_until < now)
    has_written: ColumnElement[bool] = ChatVisit.first_message_at.is_not(None)
    return (
        select(Slot.slot_id, Slot.sequence_id, Slot.session_id)
        .outerjoin(Visit, Visit.session_id == Slot.session_id)
        .outerjoin(ChatVisit, ChatVisit.session_id == Slot.session_id)
        .where(
            Slot.plan_hash == study.root_hash,
            Slot.mode == mode,
            or_(Slot.session_id.is_(None), silent),
        )
        # false comes before true; places were made in order
        .order_by(and_(Slot.session_id.is_not(None), has_written), Slot.slot_id)
        .limit(1)
    )


def _take_place(
    connection: Connection,
    study: ChatStudy,
    mode: str,
    arrival: Arrival,
    aside: Reservation,
    now: float,
) -> ChatPlace | None:
    """Give a newcomer the next place, or return None if another claim has just taken it."""
    free = _claimable(study, mode, now).with_for_update(skip_locked=True, of=Slot)
    slot = connection.execute(free).one_or_none()
    if slot is None:
        return None
    if slot.session_id is not None and not end_visit(
        connection, slot.session_id, status="timed_out", because=LEFT, now=now, silent=True
    ):
        return None
    session_id = arrival.session_id or new_session_id()
    held = update(Slot).where(Slot.slot_id == slot.slot_id).values(session_id=session_id)
    connection.execute(held)
    own = allocated(study.plan, slot.sequence_id)
    visit = {
        "session_id": session_id,
        "plan_hash": study.root_hash,
        "version_hash": study.version_hash,
        "mode": mode,
        "rater_id": arrival.rater_id,
        "condition": own.condition,
        "sequence_id": slot.sequence_id,
        "consented_at": stamp(now),
        "lease_until": now + study.plan.design.lease_seconds(has_written=False),
        "platform_study_id": arrival.platform_study_id,
        "platform_session_id": arrival.platform_session_id,
        "withdrawal_key": secrets.token_urlsafe(24),
    }
    chat = {
        "session_id": session_id,
        "plan_hash": study.root_hash,
        "mode": mode,
        "scenarios": json.dumps(own.scenarios),
        "reserved_money": aside.money,
        "reserved_calls": aside.calls,
    }
    connection.execute(insert(Visit), visit)
    connection.execute(insert(ChatVisit), chat)
    return read_rater(connection, study, mode, arrival.rater_id)


_KEEP = (
    update(Visit)
    .where(Visit.session_id == bindparam("of_session"), Visit.status == "active")
    .values(lease_until=bindparam("until"))
)


def lease_until(study: ChatStudy, place: ChatPlace, now: float) -> float:
    """Return until when a place is kept after a sign of life."""
    has_written = place.first_message_at is not None
    return now + study.plan.design.lease_seconds(has_written=has_written)


def keep(store: Store, study: ChatStudy, place: ChatPlace, now: float | None = None) -> None:
    """Renew the lease of a participant, once half of it is over: most pages cost no commit."""
    moment = time.time() if now is None else now
    until = lease_until(study, place, moment)
    if place.lease_until - moment > (until - moment) / 2:
        return
    values = {"of_session": place.session_id, "until": until}
    store.write(lambda connection: connection.execute(_KEEP, values))


def release(
    store: Store, study: ChatStudy, mode: str, rater_id: str, status: str, now: float | None = None
) -> str:
    """End an active visit and free its place; what was said is kept.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    mode : str
    rater_id : str
    status : {'returned', 'timed_out'}
        What the recruitment platform says.
    now : float, optional

    Returns
    -------
    str
        The visit's status before: 'active' if it was released, 'unknown' if there is no visit.
    """
    moment = time.time() if now is None else now

    def end(connection: Connection) -> str:
        place = read_rater(connection, study, mode, rater_id)
        if place is None:
            return "unknown"
        session_id = place.session_id
        if end_visit(connection, session_id, status=status, because=LEFT, now=moment):
            return "active"
        return place.status

    return store.write(end)
