"""Withdraw a rater: delete their answers, and keep only the fact that somebody withdrew."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.engine import Connection

from study.folder import Study
from study.store.database import Store
from study.store.tables import ANSWERS, Visit, Withdrawal
from study.visits.claims import free_slot, lock_slot
from study.visits.places import Place, find_rater, read_place
from study.visits.pseudonyms import forget_pseudonym
from study.visits.replacing import withdraw_replaced


def withdraw(store: Store, study: Study, mode: str, withdrawal_key: str) -> bool:
    """Delete a visit and all its answers, and free its slot.

    Parameters
    ----------
    withdrawal_key : str
        From the rater's private link.

    Returns
    -------
    bool
        False if nothing is stored under this key, or no longer.
    """

    def forget(connection: Connection) -> bool:
        session_id = connection.scalar(_visit(study, mode, withdrawal_key))
        if session_id is None:
            return False
        lock_slot(connection, session_id)
        if connection.scalar(_visit(study, mode, withdrawal_key).with_for_update()) is None:
            return False  # the same link, pressed twice
        place = read_place(connection, session_id)
        if place is not None:
            forget_pseudonym(connection, place.rater_id)
        for table in ANSWERS:
            connection.execute(delete(table).where(table.session_id == session_id))
        withdraw_replaced(connection, session_id)
        free_slot(connection, session_id)
        connection.execute(delete(Visit).where(Visit.session_id == session_id))
        # only the day: a time of day could identify a person
        day = datetime.now(UTC).date().isoformat()
        row = {"plan_hash": study.root_hash, "mode": mode, "withdrawn_on": day}
        connection.execute(insert(Withdrawal), row)
        store.mark_deleted(connection)
        return True

    gone = is_key(withdrawal_key) and store.write(forget)
    if gone:
        store.forget_deleted()
    return gone


def withdraw_rater(store: Store, study: Study, mode: str, rater_id: str) -> bool:
    """Delete the visit of a rater who wrote to the researchers; see `withdraw`."""
    place = find_rater(store, study, mode, rater_id)
    return place is not None and withdraw(store, study, mode, place.withdrawal_key)


def find_place(store: Store, study: Study, mode: str, withdrawal_key: str) -> Place | None:
    """Return the place whose private link has this key; None if nothing is stored under it."""
    if not is_key(withdrawal_key):
        return None
    with store.reading() as connection:
        session_id = connection.scalar(_visit(study, mode, withdrawal_key))
        return None if session_id is None else read_place(connection, session_id)


def is_known(store: Store, study: Study, mode: str, withdrawal_key: str) -> bool:
    """Say whether there is something to delete under this key."""
    return find_place(store, study, mode, withdrawal_key) is not None


def is_key(text: str) -> bool:
    """Say whether a text can be a key at all; a link may contain anything."""
    return re.fullmatch(r"[A-Za-z0-9_-]{32,64}", text) is not None


def _visit(study: Study, mode: str, withdrawal_key: str) -> Select[str]:
    return select(Visit.session_id).where(
        Visit.withdrawal_key == withdrawal_key,
        Visit.plan_hash == study.root_hash,
        Visit.mode == mode,
    )
