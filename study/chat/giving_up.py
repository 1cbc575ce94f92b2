"""End a visit kindly whose partner or coach does not answer; drop what nobody waits for."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.engine import Connection

from prereg.chat.steps import steps_of
from study.chat.owed_rows import OPEN, OwedTask, conversation_of, is_active, is_held
from study.chat.screens import iso
from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit, Conversation, Owed
from study.store.database import Store
from study.store.tables import Visit
from study.visits.claims import free_slot, lock_slot

PARTNER_FAILURE = "partner_failure"


def give_up(store: Store, study: ChatStudy, mode: str, now: float) -> int:
    """End, kindly, every visit that has waited for too long; return how many.

    The visit is `partner_failure`: paid, with its own code; its place is free again, and what was
    set aside for it too. What nobody waits for any more is dropped.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    mode : str
    now : float
    """
    patience = study.plan.partner.on_failure.give_up_seconds
    too_long = and_(Owed.owed_at < now - patience, ~is_held())
    late = select(Owed.owed_id, Owed.session_id, Owed.conversation_id).where(
        Owed.plan_hash == study.root_hash,
        Owed.mode == mode,
        Owed.status.in_(OPEN),
        or_(too_long, ~is_active()),
    )
    with store.reading() as connection:
        rows = connection.execute(late).all()
    ended = 0
    for row in rows:
        ended += store.write(partial(_end, study=study, row=row, reason=None, now=now))
    return ended


def fail(
    store: Store,
    study: ChatStudy,
    task: OwedTask,
    reason: str,
    now: float,
    *,
    note: str | None = None,
) -> bool:
    """Give up a claim at once, as `give_up` does, for a reason that will not pass."""
    end = partial(_end, study=study, row=task, reason=reason, now=now, note=note)
    return store.write(end)


def _end(
    connection: Connection,
    study: ChatStudy,
    row: Any,
    reason: str | None,
    now: float,
    note: str | None = None,
) -> bool:
    """Give up one thing that is owed, and the visit with it if it still waits for it."""
    lock_slot(connection, row.session_id)
    of_visit = select(Visit).where(Visit.session_id == row.session_id).with_for_update()
    visit = connection.execute(of_visit).one_or_none()
    talk = conversation_of(connection, row.conversation_id)
    its = select(Owed.kind).where(Owed.owed_id == row.owed_id, Owed.status.in_(OPEN))
    kind = connection.scalar(its.with_for_update())
    if kind is None:  # answered meanwhile
        return False
    ahead = 1 if visit is None or talk is None else _steps_ahead(study, visit, talk, kind)
    if ahead < 0:  # they are not there yet, so nobody waits
        return False
    waits = ahead == 0 and visit is not None and visit.status == "active"
    done: dict[str, Any] = {"status": "failed" if waits else "dropped", "settled_at": iso(now)}
    if reason is not None:
        done |= {"reason": reason, "note": note}
    connection.execute(update(Owed).where(Owed.owed_id == row.owed_id).values(done))
    if waits:
        _end_visit(connection, row.session_id, row.conversation_id, kind, now)
    return waits


def _steps_ahead(study: ChatStudy, visit: Any, talk: Any, kind: str) -> int:
    """Return how many steps a participant is ahead of the one at which they wait for this."""
    step_kind = "talk" if kind == "partner" else "coach"
    steps = steps_of(study.plan, visit.condition)
    at = [n for n, s in enumerate(steps) if s.kind == step_kind and s.round == talk.round]
    return int(visit.answered) - at[0] if at else 1


def _end_visit(
    connection: Connection, session_id: str, conversation_id: str, kind: str, now: float
) -> None:
    ended = update(Visit).where(Visit.session_id == session_id)
    connection.execute(ended.values(status=PARTNER_FAILURE))
    because = update(ChatVisit).where(ChatVisit.session_id == session_id)
    connection.execute(because.values(ended_because=PARTNER_FAILURE))
    free_slot(connection, session_id)
    if kind != "partner":  # the conversation itself had ended well
        return
    failed = {
        "status": "failed",
        "ended_because": PARTNER_FAILURE,
        "ended_at": iso(now),
        "owes_reply": False,
        "running": False,
    }
    its = update(Conversation).where(
        Conversation.conversation_id == conversation_id, Conversation.status == "open"
    )
    connection.execute(its.values(failed))
