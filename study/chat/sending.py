"""Send a message: it is stored once, with the reply that is owed, in one short transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import insert, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from prereg.chat.calls import most_messages
from prereg.chat.steps import Step
from study.chat import clock as clocks
from study.chat.limits import says_nothing
from study.chat.looking import look, new_message, talk_step
from study.chat.owing import owe
from study.chat.places import ChatPlace, stamp
from study.chat.screens import Hit, note_hit
from study.chat.study import ChatStudy
from study.chat.talks import SUPPORTER, Shown, Talk, lock_talk
from study.chat.writing import ended, keep_clock, still_there
from study.store.chat_tables import ChatVisit, Message
from study.store.database import Store
from study.tasks.base import plain
from study.visits.answers import LONGEST_MS

# What a browser counts of keys and characters is believed up to here.
MOST_COUNTED = 1_000_000

Kind = Literal[
    "kept", "repeated", "taken", "late", "too_long", "empty", "flagged", "over", "waiting"
]


@dataclass(frozen=True)
class Sent:
    """A message as the form sent it.

    Attributes
    ----------
    turn : int
        From the form's hidden field: the number of the message that it was made for.
    text : str
    compose_ms, keys, pasted_characters, hidden_ms : int or None
        What the browser counted while it was written; None without JavaScript.
    """

    turn: int
    text: str
    compose_ms: int | None = None
    keys: int | None = None
    pasted_characters: int | None = None
    hidden_ms: int | None = None


@dataclass(frozen=True)
class SendOutcome:
    """What happened to a message.

    Attributes
    ----------
    kind : str
        `kept`; `flagged` (kept, and a screen found something; or an earlier hit is not answered
        yet); `repeated` (this turn was sent before), `taken` (it was, with other words: another
        window was first), `waiting` (a reply is owed), `late` (the grace is over), `too_long`,
        `empty`, `over` (nothing can be sent any more).
    shown : Shown
        The conversation afterwards.
    """

    kind: Kind
    shown: Shown


def send(
    store: Store,
    study: ChatStudy,
    place: ChatPlace,
    sent: Sent,
    now: float,
    screens: Callable[[str], Hit | None],
) -> SendOutcome:
    """Keep a participant's message, once, and owe the reply to it.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    place : ChatPlace
    sent : Sent
    now : float
        Seconds since 1970.
    screens : callable
        Says at once what a screen finds in a text. Where it finds something, the message is kept,
        and no reply is owed before the participant has chosen to go on.

    Raises
    ------
    NoConversationError
        When the participant is at another step, or the visit is over.
    """
    step, text = talk_step(study, place), plain(sent.text)
    kind: Kind
    if says_nothing(text):
        kind = "empty"
    elif len(text) > study.plan.conversation.messages.characters:
        kind = "too_long"
    else:
        hit = screens(text)
        try:
            kind = store.write(lambda c: _keep(c, study, place, step, sent, text, hit, now))
        except IntegrityError:  # the same form, sent at the same moment: the other one was first
            kind = "repeated"
    shown = look(store, study, place, now)
    if kind == "repeated" and not _is_there(shown, sent.turn, text):
        kind = "taken"
    return SendOutcome(kind, shown)


def _is_there(shown: Shown, turn: int, text: str) -> bool:
    """Say whether these words are the message of a turn."""
    return any((m.turn, m.speaker, m.text) == (turn, SUPPORTER, text) for m in shown.messages)


def _keep(
    connection: Connection,
    study: ChatStudy,
    place: ChatPlace,
    step: Step,
    sent: Sent,
    text: str,
    hit: Hit | None,
    now: float,
) -> Kind:
    if not still_there(connection, study, place, now, has_written=True):
        return "over"
    talk = lock_talk(connection, place.session_id, step.round)
    if talk is None:
        return "over"
    refused = _refused(study, talk, sent)
    if refused is not None:
        return refused
    plan = study.plan.conversation
    clock = clocks.settle(talk.clock, now, plan)
    until = clocks.grace_until(clock, plan)
    if until is not None and now > until:
        keep_clock(connection, study, talk, clock, **ended("time", until))
        return "late"
    clock = clocks.spoken(clock, now)
    talk_id = talk.row.conversation_id
    message = new_message(place, talk_id, sent.turn, SUPPORTER, text, now)
    message |= {"source": "typed", "clock_ms": clock.active_ms, **_counts(sent)}
    message["flag"] = hit.screen if hit is not None else ""
    connection.execute(insert(Message), message)
    changes = _of_message(connection, study, place, talk, sent.turn, hit, now, last=bool(until))
    clock = replace(clock, waiting=changes["owes_reply"], held=hit is not None)
    if until is not None and hit is None:  # the last one is not answered
        changes |= ended("time", now)
    keep_clock(connection, study, talk, clock, **changes)
    return "kept" if hit is None else "flagged"


def _refused(study: ChatStudy, talk: Talk, sent: Sent) -> Kind | None:
    """Return why a message cannot be sent now; None if it can."""
    if sent.turn <= talk.row.turn:
        return "repeated"
    if not talk.is_open:
        return "over"
    if talk.pending is not None:
        return "flagged"
    if talk.waits:
        return "waiting"
    if talk.said_last(study.plan.conversation):
        return "over"
    if sent.turn != talk.row.turn + 1:  # made by no form of ours
        return "repeated"
    return "over" if talk.row.turn >= most_messages(study.plan) else None


def _of_message(
    connection: Connection,
    study: ChatStudy,
    place: ChatPlace,
    talk: Talk,
    turn: int,
    hit: Hit | None,
    now: float,
    *,
    last: bool,
) -> dict[str, Any]:
    """Store what a message brings with it; return what changes of the conversation's row."""
    talk_id = talk.row.conversation_id
    if hit is not None:
        note_hit(connection, place.session_id, talk_id, turn, SUPPORTER, hit, now)
    owes = hit is None and not last
    if owes:
        owe(connection, study, place, talk_id, "partner", turn, now)
    if place.first_message_at is None:
        visit = update(ChatVisit).where(
            ChatVisit.session_id == place.session_id, ChatVisit.first_message_at.is_(None)
        )
        connection.execute(visit.values(first_message_at=stamp(now)))
    changes: dict[str, Any] = {"turn": turn, "owes_reply": owes, "last_message_at": now}
    if talk.row.first_message_at is None:
        changes["first_message_at"] = stamp(now)
    return changes


def _counts(sent: Sent) -> dict[str, int | None]:
    """Return what the browser counted, as far as it can be believed."""
    counted = {
        "compose_ms": (sent.compose_ms, LONGEST_MS),
        "keys": (sent.keys, MOST_COUNTED),
        "pasted_characters": (sent.pasted_characters, MOST_COUNTED),
        "hidden_ms": (sent.hidden_ms, LONGEST_MS),
    }
    return {
        name: value if value is not None and 0 <= value <= most else None
        for name, (value, most) in counted.items()
    }
