"""Look at a conversation: it is opened, its clock is settled, replies are shown, and it ends."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.engine import Connection

from prereg.chat.calls import most_messages
from prereg.chat.steps import Step
from study.chat import clock as clocks
from study.chat.clock import Beat, Clock
from study.chat.leaving import drop_owed
from study.chat.places import ChatPlace, stamp
from study.chat.steps import current
from study.chat.study import ChatStudy
from study.chat.talks import PARTNER, Shown, Talk, lock_talk, read_talk, shown
from study.chat.writing import ended, keep_clock, still_there
from study.store.chat_tables import Conversation, Message
from study.store.database import Store
from study.store.inserting import insert_new

# A heartbeat is stored once the last one is so old; a page sends one every 10 seconds.
HEARD_EVERY_SECONDS = 5.0


class NoConversationError(LookupError):
    """There is no conversation now: another step is due, or the visit is over."""


def open_conversation(store: Store, study: ChatStudy, place: ChatPlace, now: float) -> Shown:
    """Open the conversation of the present round with the partner's first words, once.

    Raises
    ------
    NoConversationError
        When the participant is at another step, or the visit is over.
    """
    step = talk_step(study, place)
    scenario = study.plan.scenario(place.scenarios[step.round - 1])

    def make(connection: Connection) -> None:
        if not still_there(connection, study, place, now):
            raise NoConversationError
        talk_id = _talk_id(place.session_id, step.round)
        talk = {
            "conversation_id": talk_id,
            "plan_hash": study.root_hash,
            "version_hash": place.version_hash,
            "mode": place.mode,
            "session_id": place.session_id,
            "rater_id": place.rater_id,
            "condition": place.condition,
            "round": step.round,
            "scenario": scenario.id,
            "opened_at": stamp(now),
            "settled_at": now,
        }
        if insert_new(connection, Conversation, talk):
            opening = new_message(place, talk_id, 0, PARTNER, scenario.opening, now)
            opening |= {"source": "opening", "shown_at": stamp(now)}
            connection.execute(insert(Message), opening)

    with store.reading() as connection:  # mostly it is there, and costs no commit
        there = read_talk(connection, place.session_id, step.round) is not None
    if not there:
        store.write(make)
    return look(store, study, place, now)


def _talk_id(session_id: str, round_: int) -> str:
    """Return the id of a conversation; without the secret session, it says nothing of the round."""
    return "c" + hashlib.sha256(f"{session_id}:{round_}".encode()).hexdigest()[:24]


def look(
    store: Store, study: ChatStudy, place: ChatPlace, now: float, beat: Beat | None = None
) -> Shown:
    """Return the conversation of the present round, and settle it: the clock, replies, its end.

    Most heartbeats change nothing, and cost no commit.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    place : ChatPlace
    now : float
        Seconds since 1970.
    beat : Beat, optional
        None if the participant asked for the page.

    Raises
    ------
    NoConversationError
        When the participant is at another step, or the visit is over.
    """
    step = talk_step(study, place)
    with store.reading() as connection:
        talk = read_talk(connection, place.session_id, step.round)
    if talk is None:
        return open_conversation(store, study, place, now)
    clock = talk.clock
    if talk.is_open:
        clock = clocks.settle(clock, now, study.plan.conversation, beat)
    if not _is_worth_keeping(study, talk, clock, now):
        return shown(study, talk, clock, now)

    def keep(connection: Connection) -> Talk | None:
        found = lock_talk(connection, place.session_id, step.round)
        if found is not None and found.is_open:
            _settle(connection, study, found, now, beat)
        return read_talk(connection, place.session_id, step.round)

    talk = store.write(keep)
    if talk is None:  # withdrawn meanwhile
        raise NoConversationError
    return shown(study, talk, talk.clock, now)


def talk_step(study: ChatStudy, place: ChatPlace) -> Step:
    """Return the step of the present conversation; raise if another one is due."""
    step = current(study, place)
    if step is None or step.kind != "talk":
        raise NoConversationError
    return step


def _is_worth_keeping(study: ChatStudy, talk: Talk, clock: Clock, now: float) -> bool:
    """Say whether a look changes something that the next one must know."""
    before = talk.clock
    if not talk.is_open:
        return False
    if talk.can_show(now) or end_of(study, talk, clock, now, showing=False) is not None:
        return True
    if clock.hidden != before.hidden or clock.time_up_at != before.time_up_at:
        return True
    stands = not clock.started or clock.time_up_at is not None or before.waiting or before.held
    if stands:  # the page asks every second while a reply is owed
        return False
    since = max(before.seen_at, before.settled_at) if before.seen_at else before.settled_at
    heard = now - since >= HEARD_EVERY_SECONDS
    return heard and (clock.active_ms, clock.seen_at) != (before.active_ms, before.seen_at)


def _settle(
    connection: Connection, study: ChatStudy, talk: Talk, now: float, beat: Beat | None
) -> None:
    """Store what a look changes: the clock, that the reply is shown, that the time is over."""
    clock = clocks.settle(talk.clock, now, study.plan.conversation, beat)
    showing = talk.can_show(now)
    if showing and talk.reply is not None:
        its = update(Message).where(Message.message_id == talk.reply.message_id)
        connection.execute(its.values(shown_at=stamp(now)))
        clock = replace(clock, waiting=False)
    end = end_of(study, talk, clock, now, showing=showing)
    if end is not None:
        if talk.row.owes_reply:
            drop_owed(connection, talk.row.session_id, now)
        keep_clock(connection, study, talk, clock, **ended(*end))
    else:
        keep_clock(connection, study, talk, clock)


def end_of(
    study: ChatStudy, talk: Talk, clock: Clock, now: float, *, showing: bool
) -> tuple[str, float] | None:
    """Return why and when an open conversation has come to its end; None if it goes on.

    Parameters
    ----------
    showing : bool
        Whether the reply is being shown now.
    """
    plan = study.plan.conversation
    if talk.pending is not None:  # nothing ends while somebody must choose
        return None
    until = clocks.grace_until(clock, plan)
    if until is not None and (now > until or talk.said_last(plan)):
        return "time", min(now, until)
    if talk.row.turn >= most_messages(study.plan) and (showing or not talk.waits):
        return "messages", now
    return None


def new_message(
    place: ChatPlace, conversation_id: str, turn: int, speaker: str, text: str, now: float
) -> dict[str, Any]:
    """Return a row of the messages table, without what only a message of its kind has."""
    return {
        "message_id": secrets.token_urlsafe(18),
        "conversation_id": conversation_id,
        "session_id": place.session_id,
        "turn": turn,
        "speaker": speaker,
        "text": text,
        "sent_at": stamp(now),
        "show_from": now,
    }
