"""End a visit early, and withdraw: what is stored of a participant goes, or stays with its status.

Rows are locked in one order everywhere: slot, visit, conversation, what is owed, the chat's row of
the visit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from study.chat.places import ChatPlace, find_rater, read_key, stamp
from study.chat.study import ChatStudy
from study.store.chat_tables import CHAT_TABLES, Call, ChatVisit, Conversation, Owed
from study.store.database import Store
from study.store.tables import Visit, Withdrawal
from study.visits.claims import free_slot, lock_slot
from study.visits.pseudonyms import forget_pseudonym
from study.visits.withdrawal import is_key

# Deletes what was derived from these conversations: items, and what was said of them.
Forget = Callable[[Connection, list[str]], None]

LEFT, SAFETY = "left", "safety"
_OPEN = ("owed", "claimed")


def end_visit(
    connection: Connection,
    session_id: str,
    *,
    status: str,
    because: str,
    now: float,
    silent: bool = False,
) -> bool:
    """End an active visit and free its place; what was said is kept, and nothing is owed any more.

    Parameters
    ----------
    connection : Connection
    session_id : str
    status : {'returned', 'timed_out', 'stopped'}
    because : {'left', 'safety'}
    now : float
        Seconds since 1970.
    silent : bool
        Whether only a visit is ended whose lease has run out.

    Returns
    -------
    bool
        False if the visit had ended before, or has been heard of again.
    """
    lock_slot(connection, session_id)
    ended = update(Visit).where(Visit.session_id == session_id, Visit.status == "active")
    if silent:
        ended = ended.where(Visit.lease_until < now)
    if connection.execute(ended.values(status=status)).rowcount != 1:
        return False
    if because == SAFETY:
        talk = update(Conversation).where(
            Conversation.session_id == session_id, Conversation.status == "open"
        )
        over = {"status": "over", "ended_because": SAFETY, "ended_at": stamp(now)}
        connection.execute(talk.values(**over, owes_reply=False, running=False))
    drop_owed(connection, session_id, now)
    visit = update(ChatVisit).where(ChatVisit.session_id == session_id)
    connection.execute(visit.values(ended_because=because))
    free_slot(connection, session_id)
    return True


def drop_owed(connection: Connection, session_id: str, now: float) -> None:
    """Note that nobody waits any more for what is owed to a participant."""
    owed = update(Owed).where(Owed.session_id == session_id, Owed.status.in_(_OPEN))
    connection.execute(owed.values(status="dropped", settled_at=stamp(now)))


def withdraw(
    store: Store, study: ChatStudy, mode: str, withdrawal_key: str, forget: Forget | None = None
) -> bool:
    """Delete a visit and everything that was said, answered and flagged in it; free its place.

    What the models have cost stays in the sum, without saying whose conversation it was.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    mode : str
    withdrawal_key : str
        From the participant's private link.
    forget : callable, optional
        Called in the same transaction with the ids of the conversations: deletes what the store
        holds of items that were made of them.

    Returns
    -------
    bool
        False if nothing is stored under this key, or no longer.
    """

    def delete_all(connection: Connection) -> bool:
        place = read_key(connection, study, mode, withdrawal_key)
        if place is None:
            return False
        lock_slot(connection, place.session_id)
        locked = select(Visit.session_id).where(Visit.session_id == place.session_id)
        if connection.scalar(locked.with_for_update()) is None:
            return False  # the same link, pressed twice
        forget_pseudonym(connection, place.rater_id)
        of_session = Conversation.session_id == place.session_id
        # locked: a reply that is being stored at this moment is deleted as well
        locked = select(Conversation.conversation_id).where(of_session).with_for_update()
        talks = list(connection.scalars(locked))
        if forget is not None:
            forget(connection, talks)
        _forget_whose_calls(connection, place.session_id)
        for table in CHAT_TABLES:
            connection.execute(
                delete(table).where(table.__table__.c.session_id == place.session_id)
            )
        free_slot(connection, place.session_id)
        connection.execute(delete(Visit).where(Visit.session_id == place.session_id))
        # only the day: a time of day could identify a person
        row = {"plan_hash": study.root_hash, "mode": mode, "withdrawn_on": _today()}
        connection.execute(insert(Withdrawal), row)
        store.mark_deleted(connection)
        return True

    gone = is_key(withdrawal_key) and store.write(delete_all)
    if gone:
        store.forget_deleted()
    return gone


def withdraw_rater(
    store: Store, study: ChatStudy, mode: str, rater_id: str, forget: Forget | None = None
) -> bool:
    """Delete the visit of a participant who wrote to the researchers; see `withdraw`."""
    place = find_rater(store, study, mode, rater_id)
    return place is not None and withdraw(store, study, mode, place.withdrawal_key, forget)


def find_place(store: Store, study: ChatStudy, mode: str, withdrawal_key: str) -> ChatPlace | None:
    """Return the place whose private link has this key; None if nothing is stored under it."""
    if not is_key(withdrawal_key):
        return None
    with store.reading() as connection:
        return read_key(connection, study, mode, withdrawal_key)


def _forget_whose_calls(connection: Connection, session_id: str) -> None:
    """Keep what calls have cost, which is spent for good, but not whose they were, nor when."""
    calls = select(Call.row_id).where(Call.session_id == session_id)
    for row_id in connection.scalars(calls).all():
        nobody = {
            "session_id": "",
            "owed_id": 0,
            "request_id": f"withdrawn-{secrets.token_hex(16)}",
            "asked_at": _today(),
        }
        connection.execute(update(Call).where(Call.row_id == row_id).values(nobody))


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
