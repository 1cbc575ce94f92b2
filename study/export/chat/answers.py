"""Answers to a chat's surveys: of each visit, turned round for their traits, and as columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from prereg.chat.surveys import AFTER_EACH, ScaleItem, SurveyQuestion, Surveys
from prereg.tables.chat_contract import CHAT_PARTICIPANTS, CONVERSATIONS, own_column
from study.export.tidy import Kept, of_study
from study.store.chat_tables import SurveyAnswer
from study.store.tables import Visit

# By round and question: what was answered.
Answers = Mapping[tuple[int, str], str]


def answers_of(connection: Connection, study: Kept) -> dict[str, Answers]:
    """Return what every visit answered, by session; what was left open is not there."""
    rows = connection.execute(
        select(SurveyAnswer.session_id, SurveyAnswer.round, SurveyAnswer.question)
        .add_columns(SurveyAnswer.value)
        .join(Visit, Visit.session_id == SurveyAnswer.session_id)
        .where(of_study(Visit.__table__.c, study), SurveyAnswer.value.is_not(None))
    )
    found: dict[str, dict[tuple[int, str], str]] = defaultdict(dict)
    for session_id, number, question, value in rows:
        found[session_id][number, question] = value
    return dict(found)


def keyed(question: SurveyQuestion | None, value: str | None) -> int | None:
    """Return an answer as it counts towards its trait; None if it is not a point of a scale."""
    if not value or not isinstance(question, ScaleItem):
        return None
    return question.keyed(int(value))


def score(items: Sequence[ScaleItem], answers: Answers, number: int) -> float | None:
    """Return the mean of a trait's items in one round; None if one of them was left open."""
    points = [keyed(item, answers.get((number, item.id))) for item in items]
    known = [point for point in points if point is not None]
    return sum(known) / len(known) if len(known) == len(points) else None


def participant_types(surveys: Surveys) -> dict[str, type]:
    """Return the columns of a participant's traits and questions, with their types, in order."""
    types: dict[str, type] = {own_column(name, CHAT_PARTICIPANTS): float for name in surveys.traits}
    for survey, question in surveys.questions():
        if survey != AFTER_EACH:
            types[own_column(question.id, CHAT_PARTICIPANTS)] = _type(question)
    return types


def participant_cells(surveys: Surveys, answers: Answers, rounds: int) -> Iterator[Any]:
    """Yield one visit's cells in the order of `participant_types`.

    A trait that is asked after each conversation has the mean of its scores.
    """
    for survey, items in surveys.traits.values():
        asked = range(1, rounds + 1) if survey == AFTER_EACH else (0,)
        scores = [score(items, answers, number) for number in asked]
        known = [one for one in scores if one is not None]
        yield sum(known) / len(known) if known else None
    for survey, question in surveys.questions():
        if survey != AFTER_EACH:
            yield _cell(question, answers.get((0, question.id)))


def conversation_types(surveys: Surveys) -> dict[str, type]:
    """Return the columns of what is asked after each conversation, with their types, in order."""
    types: dict[str, type] = {
        own_column(name, CONVERSATIONS): float
        for name, (survey, _) in surveys.traits.items()
        if survey == AFTER_EACH
    }
    for survey, question in surveys.questions():
        if survey == AFTER_EACH:
            types[own_column(question.id, CONVERSATIONS)] = _type(question)
    return types


def conversation_cells(surveys: Surveys, answers: Answers, number: int) -> Iterator[Any]:
    """Yield one conversation's cells in the order of `conversation_types`."""
    for survey, items in surveys.traits.values():
        if survey == AFTER_EACH:
            yield score(items, answers, number)
    for survey, question in surveys.questions():
        if survey == AFTER_EACH:
            yield _cell(question, answers.get((number, question.id)))


def _type(question: SurveyQuestion) -> type:
    return int if isinstance(question, ScaleItem) else str


def _cell(question: SurveyQuestion, value: str | None) -> Any:
    return int(value) if value and isinstance(question, ScaleItem) else value
