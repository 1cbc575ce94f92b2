"""Read a page of a chat's surveys, keep its answers once, and count what traits come to."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from prereg.chat.model import ChatPlan
from prereg.chat.steps import Step
from prereg.chat.surveys import Page, ScaleItem, SurveyQuestion
from prereg.plan.survey import LONGEST_TEXT, ChoiceQuestion, ScaleQuestion
from study.chat.places import ChatPlace, read_session, stamp
from study.chat.steps import advance, current
from study.chat.study import ChatStudy
from study.store.chat_tables import SurveyAnswer
from study.store.database import Store
from study.tasks.base import plain, whole
from study.visits.survey import NO_ANSWER, Fault, SurveyReading, field_name

__all__ = [
    "NO_ANSWER",
    "SurveyReading",
    "field_name",
    "keep_page",
    "page_of",
    "read_form",
    "trait_scores",
]


def read_form(page: Page, form: Mapping[str, str]) -> SurveyReading:
    """Return the answers in the form of a page, and what is wrong with them.

    The form of a choice sends the number of the option, from 1: a text could change on its way.
    What is no option and no point of the scale is a fault, also where no answer is required.
    """
    answers: dict[str, str | int] = {}
    faults: dict[str, Fault] = {}
    left_open = set()
    for question in page.questions:
        given = plain(form.get(field_name(question), NO_ANSWER))
        answer = _read(question, given) if given else None
        if answer is not None:
            answers[question.id] = answer
            if isinstance(answer, str) and len(answer) > LONGEST_TEXT:
                faults[question.id] = "long"
        elif given:
            faults[question.id] = "unknown"
        elif question.required:
            faults[question.id] = "missing"
        else:
            left_open.add(question.id)
    return SurveyReading(answers, faults, frozenset(left_open))


def _read(question: SurveyQuestion, given: str) -> str | int | None:
    if isinstance(question, ChoiceQuestion):
        number = whole(given, range(1, len(question.options) + 1))
        return None if number is None else question.options[number - 1]
    if isinstance(question, ScaleQuestion):
        return whole(given, question.points)
    return given


def page_of(plan: ChatPlan, step: Step) -> Page:
    """Return the page that a step shows."""
    return plan.surveys.pages(step.survey)[step.page]


def keep_page(
    store: Store,
    study: ChatStudy,
    place: ChatPlace,
    step: Step,
    reading: SurveyReading,
    shown_at: str | None,
    now: float,
) -> ChatPlace:
    """Keep the answers of a page and go on to the next step, once.

    Nothing is kept where the reading has faults, or where the participant is at another step: an
    old window, or a form that was sent twice.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    place : ChatPlace
    step : Step
        The one whose page the form belongs to.
    reading : SurveyReading
    shown_at : str or None
        When the page was shown, ISO 8601; None if it is not known.
    now : float
        Seconds since 1970.

    Returns
    -------
    ChatPlace
        Where the participant is afterwards.
    """
    questions = page_of(study.plan, step).questions

    def keep(connection: Connection) -> ChatPlace:
        if advance(connection, study, place, now):
            rows = [
                {
                    "session_id": place.session_id,
                    "survey": step.survey,
                    "round": step.round,
                    "question": question.id,
                    "value": _cell(reading.answers.get(question.id)),
                    "shown_at": shown_at,
                    "answered_at": stamp(now),
                }
                for question in questions
            ]
            connection.execute(insert(SurveyAnswer), rows)
        return read_session(connection, place.session_id) or place

    if reading.faults or current(study, place) != step:
        return place
    return store.write(keep)


def _cell(answer: str | int | None) -> str | None:
    return None if answer is None else str(answer)


def trait_scores(
    plan: ChatPlan, answers: Mapping[str, str | int | None]
) -> dict[str, float | None]:
    """Return the score of every trait: the mean of its items, reverse-keyed ones turned round.

    Parameters
    ----------
    plan : ChatPlan
    answers : mapping
        By question id, as they are read or stored. Those to a survey after each conversation are of
        one round.

    Returns
    -------
    dict
        None for a trait of which an item has no answer.
    """
    return {name: _score(items, answers) for name, (_, items) in plan.surveys.traits.items()}


def _score(items: tuple[ScaleItem, ...], answers: Mapping[str, str | int | None]) -> float | None:
    points = [answers.get(item.id) for item in items]
    if any(point is None or point == NO_ANSWER for point in points):
        return None
    keyed = [item.keyed(int(point or 0)) for item, point in zip(items, points, strict=True)]
    return sum(keyed) / len(keyed)
