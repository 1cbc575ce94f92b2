"""What every change of a conversation writes: the visit's lease, and the clock as it is settled."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.engine import Connection

from study.chat import clock as clocks
from study.chat.clock import Clock
from study.chat.places import ChatPlace, stamp
from study.chat.study import ChatStudy
from study.chat.talks import Talk
from study.store.chat_tables import Conversation
from study.store.tables import Visit


def still_there(
    connection: Connection,
    study: ChatStudy,
    place: ChatPlace,
    now: float,
    *,
    has_written: bool | None = None,
) -> bool:
    """Renew the lease of an active visit, and keep others from changing it meanwhile.

    Parameters
    ----------
    connection : Connection
    study : ChatStudy
    place : ChatPlace
    now : float
    has_written : bool, optional
        Whether the participant has written; as the place says, if it is not given.

    Returns
    -------
    bool
        False if the visit is over or was withdrawn.
    """
    if has_written is None:
        has_written = place.first_message_at is not None
    lease = study.plan.design.lease_seconds(has_written=has_written)
    visit = update(Visit).where(Visit.session_id == place.session_id, Visit.status == "active")
    return connection.execute(visit.values(lease_until=now + lease)).rowcount == 1


def keep_clock(
    connection: Connection, study: ChatStudy, talk: Talk, clock: Clock, **changes: Any
) -> None:
    """Store a settled clock, with whatever else changes of the conversation's row."""
    plan = study.plan.conversation
    values = {
        "active_ms": clock.active_ms,
        "settled_at": clock.settled_at,
        "running": clocks.word(clock, plan) == "running",
        "hidden": clock.hidden,
        "seen_at": clock.seen_at,
        "hidden_ms": clock.hidden_ms,
        "time_up_at": clock.time_up_at,
        **changes,
    }
    its = update(Conversation).where(Conversation.conversation_id == talk.row.conversation_id)
    connection.execute(its.values(values))


def ended(reason: str, at: float) -> dict[str, Any]:
    """Return what changes of a conversation's row when it ends."""
    return {
        "status": "over",
        "ended_because": reason,
        "ended_at": stamp(at),
        "owes_reply": False,
        "running": False,
    }
