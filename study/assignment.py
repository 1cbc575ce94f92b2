"""Who gets which sequence, and where they are in it. Each public function is one transaction.

A sequence belongs to one rater. The claim picks a free slot, writes the session into it and makes
the visit, all in one transaction; two raters who arrive together cannot take one slot, because the
database serialises them (SQLite: BEGIN IMMEDIATE; PostgreSQL: FOR UPDATE SKIP LOCKED) and would
refuse the second (unique constraints on slot and rater).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from prereg.lock import utc_now
from study.folder import Study
from study.store import Judgment, Showing, Slot, Store, Visit

Choice = Literal["left", "right"]

# A browser may send any number; a day bounds what is believable.
LONGEST_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Place:
    """Where a rater is.

    Attributes
    ----------
    session_id, rater_id, sequence_id : str
    position : int
        The next trial to answer, 1..n; n + 1 when all are answered.
    finished : bool
        Every answer of the sequence is in the store.
    """

    session_id: str
    rater_id: str
    sequence_id: str
    position: int
    finished: bool


@dataclass(frozen=True)
class Answer:
    """A choice as the browser sent it; the times are the browser's own and may be missing."""

    position: int
    choice: Choice
    response_ms: int | None = None
    hidden_ms: int | None = None


def claim(store: Store, study: Study, mode: str, rater_id: str) -> Place | None:
    """Give a consenting rater their sequence, or the place they already have.

    Returns
    -------
    Place or None
        None when every sequence is taken.
    """
    try:
        with store.writing() as session:
            visit = _visit_of(session, study, mode, rater_id)
            if visit is None:
                visit = _take_slot(session, study, mode, rater_id)
            return None if visit is None else _place(session, study, visit)
    except IntegrityError:
        # the same rater, twice at once: the other request won, and its place is theirs
        return find_rater(store, study, mode, rater_id)


def _take_slot(session: Session, study: Study, mode: str, rater_id: str) -> Visit | None:
    free = (
        select(Slot)
        .where(Slot.plan_hash == study.plan_hash, Slot.mode == mode, Slot.session_id.is_(None))
        .order_by(Slot.slot_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    slot = session.scalars(free).one_or_none()
    if slot is None:
        return None
    slot.session_id = secrets.token_urlsafe(18)
    slot.claimed_at = utc_now()
    visit = Visit(
        session_id=slot.session_id,
        plan_hash=study.plan_hash,
        mode=mode,
        rater_id=rater_id,
        condition="",
        sequence_id=slot.sequence_id,
        consented_at=slot.claimed_at,
        status="active",
    )
    session.add(visit)
    session.flush()
    return visit


def has_room(store: Store, study: Study, mode: str) -> bool:
    """Say whether a sequence is free."""
    free = (
        select(func.count())
        .select_from(Slot)
        .where(Slot.plan_hash == study.plan_hash, Slot.mode == mode, Slot.session_id.is_(None))
    )
    with store.reading() as session:
        return bool(session.scalar(free))


def find_rater(store: Store, study: Study, mode: str, rater_id: str) -> Place | None:
    """Return where this rater is, None if they never consented."""
    with store.reading() as session:
        visit = _visit_of(session, study, mode, rater_id)
        return None if visit is None else _place(session, study, visit)


def find_session(store: Store, study: Study, mode: str, session_id: str) -> Place | None:
    """Return where this session is, None if the store does not know it."""
    with store.reading() as session:
        visit = session.get(Visit, session_id)
        if visit is None or visit.plan_hash != study.plan_hash or visit.mode != mode:
            return None
        return _place(session, study, visit)


def show(store: Store, place: Place) -> None:
    """Note when a trial is first shown; later showings of the same trial change nothing."""
    key = (place.session_id, place.position)
    with store.reading() as session:
        if session.get(Showing, key) is not None:
            return
    try:
        with store.writing() as session:
            session.add(Showing(session_id=key[0], position=key[1], shown_at=utc_now()))
    except IntegrityError:
        return  # shown in two windows at once: the first stands


def answer(store: Store, study: Study, mode: str, place: Place, given: Answer) -> Place:
    """Keep an answer, durably, and return where the rater is then.

    An answer to any trial but the next one changes nothing: a form sent twice, a stale window.

    Returns
    -------
    Place
        After the answer.
    """
    try:
        with store.writing() as session:
            visit = session.get_one(Visit, place.session_id, with_for_update=True)
            now = _place(session, study, visit)
            if now.finished or given.position != now.position:
                return now
            session.add(_judgment(session, study, mode, now, given))
            session.flush()
            after = _place(session, study, visit)
            if after.finished:
                visit.status = "finished"
                visit.finished_at = utc_now()
            return after
    except IntegrityError:
        with store.reading() as session:
            return _place(session, study, session.get_one(Visit, place.session_id))


def _judgment(session: Session, study: Study, mode: str, place: Place, given: Answer) -> Judgment:
    trial = study.sequences[place.sequence_id][place.position - 1]
    showing = session.get(Showing, (place.session_id, place.position))
    now = utc_now()
    response_ms = _believable(given.response_ms)
    if response_ms is None and showing is not None:
        response_ms = _milliseconds(showing.shown_at, now)
    return Judgment(
        judgment_id=secrets.token_hex(16),
        plan_hash=study.plan_hash,
        mode=mode,
        session_id=place.session_id,
        rater_id=place.rater_id,
        rater_kind="human",
        scenario=study.items[trial.left_id].scenario,
        left_id=trial.left_id,
        right_id=trial.right_id,
        choice=given.choice,
        position=place.position,
        is_attention_check=trial.is_attention_check,
        shown_at=None if showing is None else showing.shown_at,
        answered_at=now,
        response_ms=response_ms,
        hidden_ms=_believable(given.hidden_ms),
    )


def _visit_of(session: Session, study: Study, mode: str, rater_id: str) -> Visit | None:
    mine = select(Visit).where(
        Visit.plan_hash == study.plan_hash, Visit.mode == mode, Visit.rater_id == rater_id
    )
    return session.scalars(mine).one_or_none()


def _place(session: Session, study: Study, visit: Visit) -> Place:
    answered = session.scalar(
        select(func.count()).select_from(Judgment).where(Judgment.session_id == visit.session_id)
    )
    done = answered or 0
    return Place(
        session_id=visit.session_id,
        rater_id=visit.rater_id,
        sequence_id=visit.sequence_id,
        position=done + 1,
        finished=done >= len(study.sequences[visit.sequence_id]),
    )


def _believable(milliseconds: int | None) -> int | None:
    if milliseconds is None or not 0 <= milliseconds <= LONGEST_MS:
        return None
    return milliseconds


def _milliseconds(start: str, end: str) -> int:
    span = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return round(span.total_seconds() * 1000)
