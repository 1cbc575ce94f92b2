"""Read the end survey's form, and keep its answers once, on disk before they are acknowledged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import update

from prereg.lock import utc_now
from prereg.plan.survey import LONGEST_TEXT, ChoiceQuestion, Question, ScaleQuestion
from study.folder import Study
from study.store.database import Store
from study.store.tables import Visit
from study.tasks.base import plain, whole
from study.visits.places import Place, find_session

# unknown: no option and no point of the scale; only a chat says so
Fault = Literal["missing", "long", "unknown"]
# A rater who leaves an optional question open sends this.
NO_ANSWER = ""


@dataclass(frozen=True)
class SurveyReading:
    """What was read from the survey's form.

    Attributes
    ----------
    answers : mapping
        By question id: the option's text, the point of the scale, or the words.
    faults : mapping
        By question id: what must be mended before the answers are kept; empty if nothing.
    left_open : frozenset of str
        Optional questions for which the rater chose not to answer.
    """

    answers: Mapping[str, str | int]
    faults: Mapping[str, Fault]
    left_open: frozenset[str]


def field_name(question: Question) -> str:
    """Return the name of a question's field in the form; other fields cannot have it."""
    return f"q-{question.id}"


def read_survey(questions: Sequence[Question], form: Mapping[str, str]) -> SurveyReading:
    """Return the answers in a form, and the faults of the questions that need another look."""
    answers: dict[str, str | int] = {}
    faults: dict[str, Fault] = {}
    left_open = set()
    for question in questions:
        given = form.get(field_name(question))
        answer = _read(question, given)
        if answer is not None:
            answers[question.id] = answer
        if answer is None and question.required:
            faults[question.id] = "missing"
        elif isinstance(answer, str) and len(answer) > LONGEST_TEXT:
            faults[question.id] = "long"
        if answer is None and given == NO_ANSWER:
            left_open.add(question.id)
    return SurveyReading(answers, faults, frozenset(left_open))


def _read(question: Question, given: str | None) -> str | int | None:
    if given is None:
        return None
    if isinstance(question, ChoiceQuestion):
        # the form sends the option's number: a text could be changed on its way
        number = whole(given, range(1, len(question.options) + 1))
        return None if number is None else question.options[number - 1]
    if isinstance(question, ScaleQuestion):
        return whole(given, question.points)
    return plain(given) or None


def keep_survey(
    store: Store, study: Study, place: Place, answers: Mapping[str, str | int]
) -> Place | None:
    """Keep the answers of a rater who has answered every trial; the first answers stay.

    Returns
    -------
    Place or None
        The place afterwards; None if the visit was withdrawn in the meantime.
    """
    keep = (
        update(Visit)
        .where(
            Visit.session_id == place.session_id,
            Visit.status == "finished",
            Visit.surveyed_at.is_(None),
        )
        .values(survey=json.dumps(answers, ensure_ascii=False), surveyed_at=utc_now())
    )
    store.write(lambda connection: connection.execute(keep))
    return find_session(store, study, place.mode, place.session_id)
