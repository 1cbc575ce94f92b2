"""Which step of a visit comes next, and going on to the one after it, once."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from prereg.chat.steps import Step, steps_of
from study.chat.claims import lease_until
from study.chat.owing import owe
from study.chat.places import ChatPlace, stamp
from study.chat.study import ChatStudy
from study.store.chat_tables import Conversation
from study.store.tables import Slot, Visit


def current(study: ChatStudy, place: ChatPlace) -> Step | None:
    """Return the step at which a participant is; None if all are done."""
    steps = steps_of(study.plan, place.condition)
    return steps[place.step] if place.step < len(steps) else None


def advance(connection: Connection, study: ChatStudy, place: ChatPlace, now: float) -> bool:
    """Go on to the next step, in the caller's transaction.

    Where it is the coach's, feedback on the round just ended is owed from now on. After the last
    step the visit is finished.

    Parameters
    ----------
    connection : Connection
    study : ChatStudy
    place : ChatPlace
        Where the participant was when they did the step.
    now : float
        Seconds since 1970.

    Returns
    -------
    bool
        False if another request was first, or the visit no longer holds its place.
    """
    steps = steps_of(study.plan, place.condition)
    done = place.step + 1
    last = done >= len(steps)
    guarded = update(Visit).where(
        Visit.session_id == place.session_id,
        Visit.status == "active",
        Visit.answered == place.step,
        select(Slot.slot_id).where(Slot.session_id == place.session_id).exists(),
    )
    values = {
        "answered": done,
        "status": "finished" if last else "active",
        "finished_at": stamp(now) if last else None,
        "lease_until": lease_until(study, place, now),
    }
    if place.step >= len(steps) or connection.execute(guarded.values(values)).rowcount != 1:
        return False
    if not last and steps[done].kind == "coach":
        of_round = select(Conversation.conversation_id).where(
            Conversation.session_id == place.session_id, Conversation.round == steps[done].round
        )
        talk = connection.scalar(of_round)
        if talk is not None:
            owe(connection, study, place, talk, "feedback", 0, now)
    return True
