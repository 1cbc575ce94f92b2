"""A screen found something: the participant is offered help, and goes on or stops with full pay."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from sqlalchemy import update
from sqlalchemy.engine import Connection

from study.chat import clock as clocks
from study.chat.leaving import SAFETY, end_visit
from study.chat.owing import owe, resume
from study.chat.places import ChatPlace, read_session
from study.chat.steps import current
from study.chat.study import ChatStudy
from study.chat.talks import SUPPORTER, Pending, Talk, lock_talk, pending_of
from study.chat.writing import keep_clock, still_there
from study.store.chat_tables import SafetyEvent
from study.store.database import Store
from study.visits.claims import lock_slot

Choice = Literal["went_on", "stopped"]


def pending(store: Store, place: ChatPlace) -> Pending | None:
    """Return what a participant must answer first, wherever they are; None if nothing."""
    with store.reading() as connection:
        return pending_of(connection, place.session_id)


def choose(
    store: Store, study: ChatStudy, place: ChatPlace, event: Pending, choice: Choice, now: float
) -> ChatPlace:
    """Keep a participant's choice, once; the first one counts.

    Whoever goes on is answered: the reply is owed from now on. Whoever stops ends the visit, with
    full pay, and the place is free again.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    place : ChatPlace
    event : Pending
    choice : {'went_on', 'stopped'}
    now : float
        Seconds since 1970.

    Returns
    -------
    ChatPlace
        Where the participant is afterwards.
    """

    def keep(connection: Connection) -> ChatPlace:
        lock_slot(connection, place.session_id)
        if still_there(connection, study, place, now):
            if choice == "stopped":
                _stop(connection, place, event, now)
            else:
                _go_on(connection, study, place, event, now)
        return read_session(connection, place.session_id) or place

    return store.write(keep)


def _answer(connection: Connection, place: ChatPlace, event: Pending, choice: Choice) -> bool:
    asked = update(SafetyEvent).where(
        SafetyEvent.row_id == event.event_id,
        SafetyEvent.session_id == place.session_id,
        SafetyEvent.choice == "",
    )
    return connection.execute(asked.values(choice=choice)).rowcount == 1


def _stop(connection: Connection, place: ChatPlace, event: Pending, now: float) -> None:
    if _answer(connection, place, event, "stopped"):
        end_visit(connection, place.session_id, status="stopped", because=SAFETY, now=now)


def _go_on(
    connection: Connection, study: ChatStudy, place: ChatPlace, event: Pending, now: float
) -> None:
    step = current(study, place)
    # read first: until now, the clock stood because of this very event
    talk = (
        lock_talk(connection, place.session_id, step.round)
        if step is not None and step.kind == "talk"
        else None
    )
    if not _answer(connection, place, event, "went_on"):
        return
    if talk is not None and talk.is_open and talk.row.conversation_id == event.conversation_id:
        clock = clocks.settle(talk.clock, now, study.plan.conversation)
        clock = replace(clock, held=False)
        owes = _is_to_be_answered(talk, event, clock)
        if owes:
            owe(connection, study, place, event.conversation_id, "partner", event.turn, now)
            clock = replace(clock, waiting=True)
            keep_clock(connection, study, talk, clock, owes_reply=True, last_message_at=now)
        else:
            keep_clock(connection, study, talk, clock)
    resume(connection, event.conversation_id, now)


def _is_to_be_answered(talk: Talk, event: Pending, clock: clocks.Clock) -> bool:
    """Say whether it was the participant's last message that was held, and there is time left."""
    return (
        event.speaker == SUPPORTER
        and event.turn == talk.row.turn
        and talk.reply is None
        and clock.time_up_at is None
    )
