"""Find where a participant is in a chat; every page needs this, so it is one SQL statement."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection

from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit, Conversation
from study.store.database import Store
from study.store.prepared import Prepared
from study.store.tables import Slot, Visit


@dataclass(frozen=True)
class ChatPlace:
    """Where a participant is.

    Attributes
    ----------
    session_id, rater_id, place_id : str
        `place_id` is the place in the allocation, from which condition and scenarios follow.
    condition : str
    scenarios : tuple of str
        One for each round.
    step : int
        How many steps of `prereg.chat.steps.steps_of` are done.
    status : str
        active, finished, timed_out, returned, partner_failure or stopped; only an active visit goes
        on.
    ended_because : str
        Empty, partner_failure, safety or left.
    withdrawal_key : str
        The secret part of their private link to withdraw.
    plan_hash, version, mode : str
        The study by its plan as it was locked, the version to which they consented, and its mode.
    consented_at, finished_at : str
        `finished_at` is None before the last step is done.
    lease_until : float
        Until when the place is kept without a sign of life, in seconds since 1970.
    first_message_at : str or None
        None as long as the place may be given back.
    video_ended : bool
        Whether the film of the present step has been seen to its end.
    """

    session_id: str
    rater_id: str
    place_id: str
    condition: str
    scenarios: tuple[str, ...]
    step: int
    status: str
    ended_because: str
    withdrawal_key: str
    plan_hash: str
    version: str
    mode: str
    consented_at: str
    finished_at: str | None
    lease_until: float = field(compare=False)
    first_message_at: str | None
    video_ended: bool = False

    @property
    def finished(self) -> bool:
        """Whether every step is done."""
        return self.status == "finished"

    @property
    def version_hash(self) -> str | None:
        """What a row of the store says of the version: None if it is the first."""
        return None if self.version == self.plan_hash else self.version

    def belongs_to(self, study: ChatStudy, mode: str) -> bool:
        """Say whether this place belongs to this study and mode."""
        return self.plan_hash == study.root_hash and self.mode == mode


_BOTH: Any = select(  # typed, it would have more columns than its type can name
    Visit.session_id,
    Visit.rater_id,
    Visit.sequence_id,
    Visit.condition,
    Visit.answered,
    Visit.status,
    Visit.withdrawal_key,
    Visit.plan_hash,
    Visit.version_hash,
    Visit.mode,
    Visit.consented_at,
    Visit.finished_at,
    Visit.lease_until,
    ChatVisit.scenarios,
    ChatVisit.ended_because,
    ChatVisit.first_message_at,
    ChatVisit.video_step,
    ChatVisit.video_ended_at,
).join(ChatVisit, ChatVisit.session_id == Visit.session_id)
_BY_SESSION = Prepared(_BOTH.where(Visit.session_id == bindparam("of_session")))
_BY_RATER = Prepared(
    _BOTH.where(
        Visit.plan_hash == bindparam("of_study"),
        Visit.mode == bindparam("in_mode"),
        Visit.rater_id == bindparam("of_rater"),
    )
)
_BY_KEY = Prepared(
    _BOTH.where(
        Visit.withdrawal_key == bindparam("with_key"),
        Visit.plan_hash == bindparam("of_study"),
        Visit.mode == bindparam("in_mode"),
    )
)


def place_of(row: Any) -> ChatPlace:
    """Return the place that a row of both tables of visits describes."""
    return ChatPlace(
        session_id=row.session_id,
        rater_id=row.rater_id,
        place_id=row.sequence_id,
        condition=row.condition,
        scenarios=tuple(json.loads(row.scenarios)),
        step=row.answered,
        status=row.status,
        ended_because=row.ended_because,
        withdrawal_key=row.withdrawal_key,
        plan_hash=row.plan_hash,
        version=row.version_hash or row.plan_hash,
        mode=row.mode,
        consented_at=row.consented_at,
        finished_at=row.finished_at,
        lease_until=row.lease_until,
        first_message_at=row.first_message_at,
        video_ended=row.video_step == row.answered and row.video_ended_at is not None,
    )


def read_session(connection: Connection, session_id: str) -> ChatPlace | None:
    """Return the place of a session as this transaction sees it."""
    row = _BY_SESSION.one(connection, {"of_session": session_id})
    return None if row is None else place_of(row)


def read_rater(
    connection: Connection, study: ChatStudy, mode: str, rater_id: str
) -> ChatPlace | None:
    """Return the place of a participant as this transaction sees it."""
    wanted = {"of_study": study.root_hash, "in_mode": mode, "of_rater": rater_id}
    row = _BY_RATER.one(connection, wanted)
    return None if row is None else place_of(row)


def read_key(
    connection: Connection, study: ChatStudy, mode: str, withdrawal_key: str
) -> ChatPlace | None:
    """Return the place whose private link has this key, as this transaction sees it."""
    wanted = {"with_key": withdrawal_key, "of_study": study.root_hash, "in_mode": mode}
    row = _BY_KEY.one(connection, wanted)
    return None if row is None else place_of(row)


def find_session(store: Store, study: ChatStudy, mode: str, session_id: str) -> ChatPlace | None:
    """Return where this session is, or None if the store does not know it."""
    with store.reading() as connection:
        place = read_session(connection, session_id)
    return place if place is not None and place.belongs_to(study, mode) else None


def find_rater(store: Store, study: ChatStudy, mode: str, rater_id: str) -> ChatPlace | None:
    """Return where this participant is, or None if they never consented."""
    with store.reading() as connection:
        return read_rater(connection, study, mode, rater_id)


def is_verified(store: Store, study: ChatStudy, place: ChatPlace) -> bool:
    """Say whether a finished visit has all its conversations, and holds its place.

    A counter of steps alone must not earn a completion code.
    """
    had = select(func.count()).select_from(Conversation)
    had = had.where(Conversation.session_id == place.session_id, Conversation.status == "over")
    held = select(func.count()).select_from(Slot).where(Slot.session_id == place.session_id)
    with store.reading() as connection:
        rounds, places = connection.scalar(had), connection.scalar(held)
    return place.finished and rounds == study.plan.design.conversations and places == 1


def stamp(now: float) -> str:
    """Return a moment, in seconds since 1970, as the store's tables have it: ISO 8601 in UTC."""
    moment = datetime.fromtimestamp(now, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
