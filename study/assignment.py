"""Who gets which sequence, and where they are in it. Each public function is one transaction.

A sequence belongs to one rater. The claim picks a free slot, writes the session into it and makes
the visit, all in one transaction; two raters who arrive together cannot take one slot, because the
database serialises them (SQLite: BEGIN IMMEDIATE; PostgreSQL: FOR UPDATE SKIP LOCKED) and would
refuse the second (unique constraints on slot and rater).
"""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from prereg.lock import utc_now
from study.folder import Study
from study.store import Judgment, Showing, Slot, Store, Visit

Choice = Literal["left", "right"]

CLAIM_ATTEMPTS = 10

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
    shown : bool
        The next trial has been on their screen.
    plan_hash, mode : str
        Of the study they answer.
    """

    session_id: str
    rater_id: str
    sequence_id: str
    position: int
    finished: bool
    shown: bool
    plan_hash: str
    mode: str

    def belongs_to(self, study: Study, mode: str) -> bool:
        """Say whether this place is one of this study and kind of data."""
        return self.plan_hash == study.plan_hash and self.mode == mode


@dataclass(frozen=True)
class Answer:
    """A choice as the browser sent it; the times are the browser's own and may be missing."""

    position: int
    choice: Choice
    response_ms: int | None = None
    hidden_ms: int | None = None


# Built once: these run on every page.
_PLACE = select(
    Visit.rater_id,
    Visit.sequence_id,
    Visit.plan_hash,
    Visit.mode,
    select(func.count())
    .where(Judgment.session_id == Visit.session_id)
    .correlate(Visit)
    .scalar_subquery()
    .label("answered"),
    select(func.count())
    .where(Showing.session_id == Visit.session_id)
    .correlate(Visit)
    .scalar_subquery()
    .label("shown"),
).where(Visit.session_id == bindparam("session_id"))
_LOCK_VISIT = (
    select(Visit.session_id).where(Visit.session_id == bindparam("session_id")).with_for_update()
)
_SHOWN_AT = select(Showing.shown_at).where(
    Showing.session_id == bindparam("session_id"), Showing.position == bindparam("position")
)
_FINISH = (
    update(Visit)
    .where(Visit.session_id == bindparam("b_session_id"))
    .values(status="finished", finished_at=bindparam("finished_at"))
    .execution_options(synchronize_session=False)
)


def claim(store: Store, study: Study, mode: str, rater_id: str) -> Place | None:
    """Give a consenting rater their sequence, or the place they already have.

    Returns
    -------
    Place or None
        None when every sequence is taken.
    """
    for attempt in range(CLAIM_ATTEMPTS):
        try:
            with store.writing() as session:
                visit = _visit_of(session, study, mode, rater_id)
                if visit is None:
                    visit = _take_slot(session, study, mode, rater_id)
                if visit is not None:
                    return _place(session, study, visit.session_id)
        except IntegrityError:
            # the same rater, twice at once: the other request won, and its place is theirs
            return find_rater(store, study, mode, rater_id)
        if not has_room(store, study, mode):
            break
        # what was skipped as locked is free after all: its claim came to nothing
        time.sleep(0.02 * (attempt + 1))
    # the last place may have gone to this very rater, in their other window
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
        return None if visit is None else _place(session, study, visit.session_id)


def find_session(store: Store, study: Study, mode: str, session_id: str) -> Place | None:
    """Return where this session is, None if the store does not know it."""
    with store.reading() as session:
        place = _place(session, study, session_id)
    return place if place is not None and place.belongs_to(study, mode) else None


def show(store: Store, place: Place) -> None:
    """Note when a trial is first shown; later showings of the same trial change nothing."""
    if place.shown:
        return
    values = {
        "session_id": place.session_id, "position": place.position, "shown_at": utc_now(),
    }  # fmt: skip
    # a refusal: shown in two windows at once, and the first stands
    with contextlib.suppress(IntegrityError), store.writing() as session:
        session.execute(insert(Showing), values)


def answer(store: Store, study: Study, mode: str, session_id: str, given: Answer) -> Place | None:
    """Keep an answer, durably, and return where the rater is then.

    An answer to any trial but the next one changes nothing: a form sent twice, a stale window.

    Returns
    -------
    Place or None
        After the answer; None if the store does not know the session.
    """
    try:
        with store.writing() as session:
            session.execute(_LOCK_VISIT, {"session_id": session_id})
            now = _place(session, study, session_id)
            if now is None or not now.belongs_to(study, mode):
                return None
            if now.finished or given.position != now.position:
                return now
            session.execute(insert(Judgment), _judgment(session, study, mode, now, given))
            finished = now.position == len(study.sequences[now.sequence_id])
            if finished:
                session.execute(_FINISH, {"b_session_id": session_id, "finished_at": utc_now()})
            return replace(now, position=now.position + 1, finished=finished, shown=False)
    except IntegrityError:
        return find_session(store, study, mode, session_id)


def _judgment(
    session: Session, study: Study, mode: str, place: Place, given: Answer
) -> dict[str, Any]:
    trial = study.sequences[place.sequence_id][place.position - 1]
    shown_at = session.scalar(
        _SHOWN_AT, {"session_id": place.session_id, "position": place.position}
    )
    now = utc_now()
    # the browser's clock starts again when a page is reloaded, ours does not
    response_ms = _believable(given.response_ms)
    if shown_at is not None:
        response_ms = _milliseconds(shown_at, now)
    return {
        "judgment_id": secrets.token_hex(16),
        "plan_hash": study.plan_hash,
        "mode": mode,
        "session_id": place.session_id,
        "rater_id": place.rater_id,
        "rater_kind": "human",
        "scenario": study.items[trial.left_id].scenario,
        "left_id": trial.left_id,
        "right_id": trial.right_id,
        "choice": given.choice,
        "position": place.position,
        "is_attention_check": trial.is_attention_check,
        "shown_at": shown_at,
        "answered_at": now,
        "response_ms": response_ms,
        "hidden_ms": _believable(given.hidden_ms),
        "purpose": "trial",
    }


def _visit_of(session: Session, study: Study, mode: str, rater_id: str) -> Visit | None:
    mine = select(Visit).where(
        Visit.plan_hash == study.plan_hash, Visit.mode == mode, Visit.rater_id == rater_id
    )
    return session.scalars(mine).one_or_none()


def _place(session: Session, study: Study, session_id: str) -> Place | None:
    row = session.execute(_PLACE, {"session_id": session_id}).one_or_none()
    if row is None:
        return None
    trials = study.sequences.get(row.sequence_id, ())
    return Place(
        session_id=session_id,
        rater_id=row.rater_id,
        sequence_id=row.sequence_id,
        position=row.answered + 1,
        finished=row.answered >= len(trials),
        # trials are shown in order, so the next one was shown if as many were shown as that
        shown=row.shown > row.answered,
        plan_hash=row.plan_hash,
        mode=row.mode,
    )


def _believable(milliseconds: int | None) -> int | None:
    if milliseconds is None or not 0 <= milliseconds <= LONGEST_MS:
        return None
    return milliseconds


def _milliseconds(start: str, end: str) -> int:
    span = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return round(span.total_seconds() * 1000)
