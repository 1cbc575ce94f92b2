"""A conversation goes on: it is opened, looked at, written in and left.

Each change is one short transaction, and nobody waits for a model in one. A message, the reply that
is owed for it and the state of the clock are stored together, before anybody sees them. A form that
is sent many times makes one message: its hidden turn says which one it is, and the table takes each
turn once.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from study.chat import clock as clocks
from study.chat.choosing import Choice, choose, pending
from study.chat.clock import Beat
from study.chat.leaving import drop_owed
from study.chat.looking import NoConversationError, end_of, look, open_conversation, talk_step
from study.chat.places import ChatPlace, read_session
from study.chat.sending import SendOutcome, Sent, send
from study.chat.steps import advance
from study.chat.study import ChatStudy
from study.chat.talks import Pending, Shown, ShownMessage, Talk, lock_talk, may_leave
from study.chat.writing import ended, keep_clock, still_there
from study.store.database import Store

__all__ = [
    "Beat",
    "Choice",
    "NoConversationError",
    "Pending",
    "SendOutcome",
    "Sent",
    "Shown",
    "ShownMessage",
    "choose",
    "leave_conversation",
    "look",
    "open_conversation",
    "pending",
    "send",
]


def leave_conversation(store: Store, study: ChatStudy, place: ChatPlace, now: float) -> ChatPlace:
    """Go on to the next step after a conversation, or end it first where the plan allows it.

    Returns
    -------
    ChatPlace
        Where the participant is afterwards; unchanged if they may not leave.
    """
    step = talk_step(study, place)

    def leave(connection: Connection) -> ChatPlace:
        if still_there(connection, study, place, now):
            talk = lock_talk(connection, place.session_id, step.round)
            if talk is not None and may_leave(study, talk):
                if talk.is_open:
                    _close(connection, study, talk, now)
                advance(connection, study, place, now)
        return read_session(connection, place.session_id) or place

    return store.write(leave)


def _close(connection: Connection, study: ChatStudy, talk: Talk, now: float) -> None:
    """End a conversation whose participant goes on."""
    clock = clocks.settle(talk.clock, now, study.plan.conversation)
    end = end_of(study, talk, clock, now, showing=False)
    if talk.row.owes_reply:
        drop_owed(connection, talk.row.session_id, now)
    if end is None:
        end = ("participant" if clock.time_up_at is None else "time"), now
    keep_clock(connection, study, talk, clock, **ended(*end))
