"""What the dashboard shows of single visits to a chat, under a pseudonym: never an id."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.engine import Connection

from study.chat.study import ChatStudy
from study.export.chat.progress import DONE, stage_of
from study.export.people import named
from study.export.raters import SILENT
from study.store.chat_tables import Coaching, Conversation, Message, SafetyEvent
from study.store.database import Store
from study.store.tables import Visit

# Who speaks in a conversation, and whose texts are screened before anybody sees them.
_OF_TALK, _ANSWERS = ("supporter", "partner"), ("partner", "coach")
# Marks a reply that came in the place of one that was withheld.
REPLACED = "replaced"
# What stands for the choice of a participant whose visit ended before they made one.
VISIT_ENDED = "visit_ended"
_Events = dict[tuple[str, int, str], list[Any]]
# The order of messages: within a turn the supporter comes first.
_ORDER = (Message.turn, Message.speaker.desc())


@dataclass(frozen=True)
class Person:
    """One visit.

    Attributes
    ----------
    pseudonym : str
    session_id, condition : str
    status : str
        'silent' if a visit under way has not been heard of for longer than its lease.
    stage : str
        Where they are; see `study.export.chat.progress.stages`.
    consented_at : str
    conversations, messages : int
        Conversations begun, and messages sent in them.
    pasted : int
        Characters pasted.
    flags : int
        How often a screen found something.
    owed : bool
        Whether a reply is owed now.
    """

    pseudonym: str
    session_id: str
    condition: str
    status: str
    stage: str
    consented_at: str
    conversations: int = 0
    messages: int = 0
    pasted: int = 0
    flags: int = 0
    owed: bool = False


@dataclass(frozen=True)
class Flag:
    """What a screen found, and what the participant then chose.

    Attributes
    ----------
    pseudonym : str
    round : int
    speaker, screen, category, at : str
    choice : str
        'went_on' or 'stopped'; if they chose neither, '' while their visit goes on, and
        'visit_ended' after it.
    """

    pseudonym: str
    round: int
    speaker: str
    screen: str
    category: str
    at: str
    choice: str


@dataclass(frozen=True)
class Line:
    """One message, as a transcript shows it.

    Attributes
    ----------
    speaker : {'supporter', 'partner', 'question', 'coach'}
        `question` is what the participant asks the coach.
    text : str
        Empty if a reply was withheld, and none came in its place.
    sent_at : str
    shown : bool
        Whether anybody has seen it.
    flags : tuple of str
        What screens and checks found.
    withheld : bool
        Whether they found it in a reply that was withheld; this text came in its place.
    choice : str
        What the participant then chose.
    pasted : int
    scores : mapping
        Of feedback.
    """

    speaker: str
    text: str
    sent_at: str
    shown: bool
    flags: tuple[str, ...] = ()
    withheld: bool = False
    choice: str = ""
    pasted: int = 0
    scores: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Talk:
    """One conversation with its messages, and what the coach and the participant said of it."""

    round: int
    scenario: str
    status: str
    ended_because: str
    active_seconds: float
    role_breaks: int
    lines: tuple[Line, ...]
    coaching: tuple[Line, ...] = field(default=())


def people(store: Store, study: ChatStudy, mode: str) -> list[Person]:
    """Return every visit of one mode, the newest first."""
    with store.snapshot() as connection:
        return _people(connection, study, mode, _names(store, study, connection))


def flags(store: Store, study: ChatStudy, mode: str) -> list[Flag]:
    """Return what screens found, the newest first."""
    wanted = (
        select(SafetyEvent.__table__, Conversation.round, Conversation.rater_id, Visit.status)
        .join(Conversation, Conversation.conversation_id == SafetyEvent.conversation_id)
        .join(Visit, Visit.session_id == Conversation.session_id)
        .where(Conversation.plan_hash == study.root_hash, Conversation.mode == mode)
        .order_by(SafetyEvent.at.desc(), SafetyEvent.row_id.desc())
    )
    with store.snapshot() as connection:
        rows = connection.execute(wanted).all()
        if not rows:
            return []  # then nobody needs a pseudonym yet
        names = _names(store, study, connection)
        return [
            Flag(
                names[row.rater_id],
                row.round,
                row.speaker,
                row.screen,
                row.category,
                row.at,
                row.choice or ("" if row.status == "active" else VISIT_ENDED),
            )
            for row in rows
        ]


def told(
    store: Store, study: ChatStudy, mode: str, pseudonym: str
) -> tuple[Person, list[Talk]] | None:
    """Return a visit with all its conversations; None if nobody has this pseudonym.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    mode : str
    pseudonym : str
    """
    with store.snapshot() as connection:
        names = _names(store, study, connection)
        everybody = _people(connection, study, mode, names)
        person = next((one for one in everybody if one.pseudonym == pseudonym), None)
        return None if person is None else (person, _talks(connection, person.session_id))


def _names(store: Store, study: ChatStudy, connection: Connection) -> Mapping[str, str]:
    return named(store, study, connection, places=study.plan.design.supporters)


def _people(
    connection: Connection, study: ChatStudy, mode: str, names: Mapping[str, str]
) -> list[Person]:
    here = and_(Visit.plan_hash == study.root_hash, Visit.mode == mode)
    visits = connection.execute(
        select(Visit.__table__).where(here).order_by(Visit.consented_at.desc(), Visit.session_id)
    ).all()
    counts = _counts(connection, here)
    now, found = time.time(), []
    for visit in visits:
        silent = visit.status == "active" and visit.lease_until < now
        known = visit.condition in study.plan.design.conditions
        found.append(
            Person(
                names[visit.rater_id],
                visit.session_id,
                visit.condition,
                SILENT if silent else visit.status,
                _stage(study, visit) if known else "",
                visit.consented_at,
                **counts.get(visit.session_id, {}),
            )
        )
    return found


def _stage(study: ChatStudy, visit: Any) -> str:
    if visit.status == "finished":
        return DONE
    return stage_of(study.plan, visit.condition, visit.answered)


def _counts(connection: Connection, here: Any) -> dict[str, dict[str, Any]]:
    """Return what was counted of each visit, by session."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    talks = (
        select(
            Conversation.session_id,
            func.count(),
            func.sum(Conversation.turn),
            func.max(case((Conversation.owes_reply, 1), else_=0)),
        )
        .join(Visit, Visit.session_id == Conversation.session_id)
        .where(here)
        .group_by(Conversation.session_id)
    )
    for session, count, messages, owes in connection.execute(talks):
        found[session] |= {"conversations": count, "messages": messages or 0, "owed": bool(owes)}
    pasted = (
        select(Message.session_id, func.sum(Message.pasted_characters))
        .join(Visit, Visit.session_id == Message.session_id)
        .where(here)
        .group_by(Message.session_id)
    )
    for session, count in connection.execute(pasted):
        found[session]["pasted"] = count or 0
    events = (
        select(SafetyEvent.session_id, func.count())
        .join(Visit, Visit.session_id == SafetyEvent.session_id)
        .where(here)
        .group_by(SafetyEvent.session_id)
    )
    for session, count in connection.execute(events):
        found[session]["flags"] = count
    return found


def _talks(connection: Connection, session: str) -> list[Talk]:
    events: _Events = defaultdict(list)
    of_session = select(SafetyEvent.__table__).where(SafetyEvent.session_id == session)
    for row in connection.execute(of_session.order_by(SafetyEvent.row_id)):
        events[row.conversation_id, row.turn, row.speaker].append(row)
    lines = _messages(connection, session, events)
    coached = _coached(connection, session, events)
    # what is left belongs to replies that were withheld, with nothing in their place
    for (conversation, _, speaker), found in events.items():
        where = lines if speaker in _OF_TALK else coached
        where[conversation].append(_line(speaker, "", found[0].at, True, "", found))
    talks = select(Conversation.__table__).where(Conversation.session_id == session)
    return [
        Talk(
            row.round,
            row.scenario,
            row.status,
            row.ended_because,
            row.active_ms / 1000,
            row.role_breaks,
            tuple(lines[row.conversation_id]),
            tuple(coached[row.conversation_id]),
        )
        for row in connection.execute(talks.order_by(Conversation.round))
    ]


def _messages(connection: Connection, session: str, events: _Events) -> dict[str, list[Line]]:
    """Return the messages of every conversation; takes the events that belong to them."""
    found: dict[str, list[Line]] = defaultdict(list)
    messages = select(Message.__table__).where(Message.session_id == session)
    for row in connection.execute(messages.order_by(*_ORDER)):
        shown = row.shown_at is not None or row.speaker == "supporter"
        own = events.pop((row.conversation_id, row.turn, row.speaker), [])
        line = _line(row.speaker, row.text, row.sent_at, shown, row.flag, own)
        found[row.conversation_id].append(replace(line, pasted=row.pasted_characters or 0))
    return found


def _coached(connection: Connection, session: str, events: _Events) -> dict[str, list[Line]]:
    """Return what was said with the coach after every conversation; takes its events."""
    found: dict[str, list[Line]] = defaultdict(list)
    texts = select(Coaching.__table__).where(Coaching.session_id == session)
    for row in connection.execute(texts.order_by(Coaching.round, Coaching.position)):
        asked = row.kind == "question"
        speaker = "question" if asked else "coach"
        own = events.pop((row.conversation_id, row.position, speaker), [])
        shown = row.shown_at is not None or asked
        line = _line(speaker, row.text, row.sent_at, shown, row.flag, own)
        scores = json.loads(row.scores) if row.scores else {}
        found[row.conversation_id].append(replace(line, scores=scores))
    return found


def _line(
    speaker: str, text: str, sent_at: str, shown: bool, flag: str, events: Sequence[Any]
) -> Line:
    """Return a line with its marks; an event of a reply is about the one that was withheld."""
    marks = [f"{one.category} ({one.screen})" for one in events]
    if flag and flag not in {one.screen for one in events} and not (events and flag == REPLACED):
        marks.append(flag)
    return Line(
        speaker,
        text,
        sent_at,
        shown,
        tuple(marks),
        withheld=bool(events) and speaker in _ANSWERS,
        choice=next((one.choice for one in events if one.choice), ""),
    )
