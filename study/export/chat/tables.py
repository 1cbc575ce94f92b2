"""The tidy tables of a chat: the columns of the contract, and their rows from the store.

Rows come in the order of places, then of consent, whatever the database. `rater_id` holds the
platform's id here: `study.export.people` puts the pseudonym in its place, which every way out does.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection

from prereg.chat.chain import hashes_of_trial
from prereg.tables import chat_contract as contract
from prereg.tables.contract import WITHDRAWALS, Contract
from study.chat.study import ChatStudy
from study.export.chat.answers import (
    answers_of,
    conversation_cells,
    conversation_types,
    keyed,
    participant_cells,
    participant_types,
)
from study.export.chat.exclusions import Stands, excluded_by
from study.export.chat.written import Written, pasted_share, written
from study.export.tidy import AT_A_TIME, Cells, TidyTable, of_study
from study.store.chat_tables import (
    ChatVisit,
    Coaching,
    Conversation,
    Message,
    SafetyEvent,
    SurveyAnswer,
)
from study.store.tables import Visit, Withdrawal

_VISITS = Visit.__table__.c
_BY_PLACE = (Visit.sequence_id, Visit.consented_at, Visit.session_id)
# Columns that every table takes from the visit.
_OF_VISIT: Mapping[str, Any] = {
    "session_id": Visit.session_id,
    "rater_id": Visit.rater_id,
    "condition": Visit.condition,
    "plan_hash": func.coalesce(Visit.version_hash, Visit.plan_hash),
    "mode": Visit.mode,
}
# A score's column in the coaching table.
SCORE = "score_{}"


def chat_tables(study: ChatStudy) -> dict[str, TidyTable]:
    """Return the tables of a chat by name, with rows of this plan, of every mode."""
    tables = (
        _messages(study),
        _conversations(study),
        _participants(study),
        _surveys(study),
        _coaching(study),
        _withdrawals(study),
    )
    return {table.name: table for table in tables}


def left_behind(connection: Connection, study: ChatStudy) -> dict[str, int]:
    """Return how many rows of other plans the store holds, by table; stages of a trial share it."""
    others = select(func.count()).select_from(Visit).where(~of_study(_VISITS, study))
    stages = hashes_of_trial(study.folder) - {study.root_hash}
    count = connection.scalar(others.where(Visit.plan_hash.not_in(stages))) or 0
    return {"participants": count} if count else {}


def holds_rows(connection: Connection, study: ChatStudy) -> bool:
    """Say whether the store holds anything that was collected under this plan."""
    of = (of_study(_VISITS, study), Withdrawal.plan_hash == study.root_hash)
    return any(
        connection.scalar(select(func.count()).select_from(table).where(condition))
        for table, condition in zip((Visit, Withdrawal), of, strict=True)
    )


def _read(connection: Connection, wanted: Select[Any]) -> Iterator[Any]:
    """Yield rows without holding all of them in memory."""
    for part in connection.execute(wanted.execution_options(yield_per=AT_A_TIME)).partitions():
        yield from part


def _columns(table: Contract, stored: Any, **own: Any) -> list[Any]:
    """Return the SQL columns of a table: `own`, then the visit's, then those of the store."""
    known = {**_OF_VISIT, **own}
    return [(known[name] if name in known else stored[name]).label(name) for name in table.names]


def _messages(study: ChatStudy) -> TidyTable:
    order = (Message.turn, Message.speaker.desc())  # within a turn the supporter comes first
    position = func.row_number().over(partition_by=Message.conversation_id, order_by=order)
    own = {
        "position": position,
        "round": Conversation.round,
        "scenario": Conversation.scenario,
        "flag": func.nullif(Message.flag, ""),
    }
    wanted = (
        select(*_columns(contract.MESSAGES, Message.__table__.c, **own))
        .join(Conversation, Conversation.conversation_id == Message.conversation_id)
        .join(Visit, Visit.session_id == Conversation.session_id)
        .where(of_study(_VISITS, study))
        .order_by(*_BY_PLACE, Conversation.round, *order)
    )
    table = contract.MESSAGES
    return TidyTable(table.name, table.types, lambda connection: _read(connection, wanted))


_COUNTED = ("messages", "replies", "words", "characters", "pasted_characters", "keys")
_OF_PLAN = ("scenario_group", *_COUNTED, "safety_flags")


def _conversations(study: ChatStudy) -> TidyTable:
    table, surveys = contract.CONVERSATIONS, study.plan.surveys
    groups = {scenario.id: scenario.group for scenario in study.plan.scenarios}
    stored = [name for name in table.names if name not in _OF_PLAN]
    known = {**dict(Conversation.__table__.c), **_OF_VISIT}
    wanted = (
        select(*(known[name].label(name) for name in stored))
        .join(Visit, Visit.session_id == Conversation.session_id)
        .where(of_study(_VISITS, study))
        .order_by(*_BY_PLACE, Conversation.round)
    )

    def rows(connection: Connection) -> Iterator[Cells]:
        counts, said = written(connection, study), answers_of(connection, study)
        flags = _flags(connection, study)
        for row in _read(connection, wanted):
            own = counts.get(row.conversation_id, Written())
            cells = dict(row._mapping) | {
                "scenario_group": groups.get(row.scenario),
                "messages": own.messages,
                "replies": own.replies,
                "words": own.words,
                "characters": own.characters,
                "pasted_characters": own.pasted,
                "keys": own.keys,
                "safety_flags": flags[row.session_id][row.conversation_id],
            }
            asked = conversation_cells(surveys, said.get(row.session_id, {}), row.round)
            yield [*(_or_empty(cells[name]) for name in table.names), *asked]

    return TidyTable(table.name, {**table.types, **conversation_types(surveys)}, rows)


def _participants(study: ChatStudy) -> TidyTable:
    table, plan = contract.CHAT_PARTICIPANTS, study.plan
    wanted = (
        select(
            *(_OF_VISIT[name].label(name) for name in _OF_VISIT),
            Visit.sequence_id.label("place_id"),
            Visit.status,
            Visit.consented_at,
            Visit.finished_at,
            func.coalesce(ChatVisit.ended_because, "").label("ended_because"),
        )
        .outerjoin(ChatVisit, ChatVisit.session_id == Visit.session_id)
        .where(of_study(_VISITS, study))
        .order_by(*_BY_PLACE)
    )

    def rows(connection: Connection) -> Iterator[Cells]:
        counts, said = written(connection, study), answers_of(connection, study)
        flags, had = _flags(connection, study), _had(connection, study)
        for row in _read(connection, wanted):
            answers = said.get(row.session_id, {})
            done, ids = had[row.session_id]
            share = pasted_share([counts[name] for name in ids if name in counts])
            told: dict[str, list[str]] = defaultdict(list)
            for (_, question), value in answers.items():
                told[question].append(value)
            cells = dict(row._mapping) | {
                "rounds_done": done,
                "pasted_share": share,
                "safety_flags": flags[row.session_id].total(),
                "excluded_by": excluded_by(
                    plan, Stands(row.status, row.ended_because, done, share, told)
                ),
            }
            own = participant_cells(plan.surveys, answers, plan.design.conversations)
            yield [*(_or_empty(cells[name]) for name in table.names), *own]

    return TidyTable(table.name, {**table.types, **participant_types(plan.surveys)}, rows)


def _or_empty(cell: Any) -> Any:
    """Return a cell; the store says with an empty text that there is nothing."""
    return None if cell == "" else cell


def _flags(connection: Connection, study: ChatStudy) -> dict[str, Counter[str]]:
    """Return how often a screen found something, by session and conversation."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    rows = connection.execute(
        select(SafetyEvent.session_id, SafetyEvent.conversation_id, func.count())
        .join(Visit, Visit.session_id == SafetyEvent.session_id)
        .where(of_study(_VISITS, study))
        .group_by(SafetyEvent.session_id, SafetyEvent.conversation_id)
    )
    for session_id, conversation_id, count in rows:
        found[session_id][conversation_id] = count
    return found


def _had(connection: Connection, study: ChatStudy) -> dict[str, tuple[int, list[str]]]:
    """Return how many conversations each visit has had, and the ids of all it began."""
    found: dict[str, tuple[int, list[str]]] = defaultdict(lambda: (0, []))
    rows = connection.execute(
        select(Conversation.session_id, Conversation.conversation_id)
        .add_columns(Conversation.ended_because)
        .join(Visit, Visit.session_id == Conversation.session_id)
        .where(of_study(_VISITS, study))
    )
    for session_id, conversation_id, ended in rows:
        done, ids = found[session_id]
        found[session_id] = (done + (ended in contract.HAD), [*ids, conversation_id])
    return found


def _surveys(study: ChatStudy) -> TidyTable:
    table = contract.SURVEYS
    asked = {question.id: question for _, question in study.plan.surveys.questions()}
    place = {question: number for number, question in enumerate(asked)}
    names = [name for name in table.names if name != "keyed_value"]
    known = {**dict(SurveyAnswer.__table__.c), **_OF_VISIT}
    wanted = (
        select(*(known[name].label(name) for name in names))
        .join(Visit, Visit.session_id == SurveyAnswer.session_id)
        .where(of_study(_VISITS, study))
        .order_by(*_BY_PLACE, SurveyAnswer.answered_at, SurveyAnswer.row_id)
    )
    # those of one page are stored together, so they come in the order of the plan
    value = table.names.index("keyed_value")

    def rows(connection: Connection) -> Iterator[Cells]:
        for group in _grouped(_read(connection, wanted), "session_id", "answered_at"):
            for row in sorted(group, key=lambda row: place.get(row.question, len(place))):
                cells = list(row)
                cells.insert(value, keyed(asked.get(row.question), row.value))
                yield cells

    return TidyTable(table.name, table.types, rows)


def _grouped(rows: Iterator[Any], *names: str) -> Iterator[list[Any]]:
    """Yield rows that follow each other and agree in some columns, together."""
    group: list[Any] = []
    for row in rows:
        if group and any(getattr(row, name) != getattr(group[0], name) for name in names):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def score_types(study: ChatStudy) -> dict[str, type]:
    """Return the columns of the coach's scores, with their types, in the plan's order."""
    coach = study.plan.feedback.coach
    return {SCORE.format(one.id): int for one in coach.scores} if coach is not None else {}


def _coaching(study: ChatStudy) -> TidyTable:
    table, own = contract.COACHING, score_types(study)
    coach = study.plan.feedback.coach
    ids = [one.id for one in coach.scores] if coach is not None else []
    wanted = (
        select(*_columns(table, Coaching.__table__.c, flag=func.nullif(Coaching.flag, "")))
        .add_columns(Coaching.scores)
        .join(Visit, Visit.session_id == Coaching.session_id)
        .where(of_study(_VISITS, study))
        .order_by(*_BY_PLACE, Coaching.round, Coaching.position)
    )

    def rows(connection: Connection) -> Iterator[Cells]:
        for row in _read(connection, wanted):
            *cells, scores = row
            given = json.loads(scores) if scores else {}
            yield [*cells, *(given.get(name) for name in ids)]

    return TidyTable(table.name, {**table.types, **own}, rows)


def _withdrawals(study: ChatStudy) -> TidyTable:
    gone = Withdrawal.__table__.c
    wanted = (
        select(*(gone[name] for name in WITHDRAWALS.names))
        .where(gone.plan_hash == study.root_hash)
        .order_by(gone.withdrawn_on, gone.mode)
    )
    table = WITHDRAWALS
    return TidyTable(table.name, table.types, lambda connection: _read(connection, wanted))
