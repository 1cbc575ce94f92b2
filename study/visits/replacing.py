"""Open a place again for raters who failed the attention checks, where the plan says so.

They keep their own place, their answers and their code. The newcomer gets a further place in the
same sequence, whose number says whose it replaces: 1001 replaces place 1, 2001 replaces 1001.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from prereg.plan.model import FURTHER_PLACES
from study.folder import Study
from study.store.tables import Slot, Visit
from study.tasks.registry import task_of
from study.visits.places import Place

# Begins the session of a place that stays taken after its rater, who was replaced, withdrew.
NOBODY = "replaced-"


def replace_if_failed(connection: Connection, study: Study, place: Place) -> None:
    """Open a further place if a rater who has just finished is to be replaced.

    Parameters
    ----------
    connection : Connection
        In the transaction that stored the last answer.
    study : Study
        The version to which the rater consented.
    place : Place
    """
    most = study.plan.replaced_above
    if most is None:
        return
    table = task_of(study.plan).table
    failed = connection.scalar(
        select(func.count(table.position.distinct())).where(
            table.session_id == place.session_id, table.passed_check.is_(False)
        )
    )
    if (failed or 0) <= most:
        return
    slot = connection.scalar(select(Visit.slot).where(Visit.session_id == place.session_id))
    further = {
        "plan_hash": place.plan_hash,
        "mode": place.mode,
        "sequence_id": place.sequence_id,
        "slot": (slot or 1) + FURTHER_PLACES,
    }
    connection.execute(insert(Slot), further)


def withdraw_replaced(connection: Connection, session_id: str) -> None:
    """Keep a place from being given out twice when a rater who was replaced withdraws.

    Called before the place is freed. The further place goes if nobody has taken it. Otherwise the
    place of the rater who withdraws stays taken, by nobody.
    """
    own = connection.execute(select(Slot.__table__).where(Slot.session_id == session_id)).first()
    if own is None:
        return
    theirs = _further(own)
    further = connection.execute(select(Slot.slot_id, Slot.session_id).where(*theirs)).first()
    if further is None:
        return
    if further.session_id is None:
        connection.execute(delete(Slot).where(*theirs))
        return
    nobody = f"{NOBODY}{secrets.token_urlsafe(12)}"
    connection.execute(update(Slot).where(Slot.slot_id == own.slot_id).values(session_id=nobody))


def taken_by_nobody() -> ColumnElement[bool]:
    """Return the condition of a place that stays taken although its rater has withdrawn."""
    return func.coalesce(Slot.session_id, "").startswith(NOBODY, autoescape=True)


def _further(own: Any) -> tuple[Any, ...]:
    return (
        Slot.plan_hash == own.plan_hash,
        Slot.mode == own.mode,
        Slot.sequence_id == own.sequence_id,
        Slot.slot == own.slot + FURTHER_PLACES,
    )
