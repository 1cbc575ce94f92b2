"""The page of the end survey, after the last trial and before the completion code."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, session, url_for
from werkzeug.wrappers import Response

from prereg.plan.survey import LONGEST_TEXT, TextQuestion
from study.visits.places import Place
from study.visits.survey import NO_ANSWER, SurveyReading, field_name, keep_survey, read_survey
from study.web import visitor
from study.web.context import Room, room
from study.web.forms import allow_long_texts
from study.web.views.rater_pages import another_visit, current_place, next_page, not_here, page

pages = Blueprint("surveying", __name__)
Page = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]


@pages.url_value_preprocessor
def allow_texts(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a form be as large as its texts may be; runs before the form is read."""
    if endpoint == "surveying.keep" and session.get("session_id"):
        here = room()
        place = current_place(here)
        asked = here.of(place).study.plan.survey if place is not None else ()
        allow_long_texts(sum(isinstance(q, TextQuestion) for q in asked) * LONGEST_TEXT)


@pages.get("/survey")
def survey() -> Page:
    """Show the questions."""
    here = room()
    place = current_place(here)
    there = next_page(here, place) if place else url_for("rater.arrive")
    if place is None or there != url_for("surveying.survey"):
        return redirect(there, 303)
    if not visitor.may_have_code(place):
        return not_here()
    return _survey_page(here, place, SurveyReading({}, {}, frozenset()))


@pages.post("/survey")
def keep() -> Page:
    """Keep the answers; the redirect is sent only after the store has them."""
    here = room()
    place = current_place(here)
    there = next_page(here, place) if place else url_for("rater.arrive")
    if place is None:
        return redirect(there, 303)
    if request.form.get("visit") != session.get("session_id"):
        return another_visit()
    here = here.of(place)
    if place.finished and place.surveyed and here.study.plan.survey:
        return redirect(url_for("leaving.done", again=1), 303)
    if there != url_for("surveying.survey"):
        return redirect(there, 303)
    if not visitor.may_have_code(place):
        return not_here()
    reading = read_survey(here.study.plan.survey, request.form)
    if reading.faults:
        return _survey_page(here, place, reading), 422
    then = keep_survey(here.store, here.study, place, reading.answers)
    return redirect(next_page(here, then) if then else url_for("rater.arrive"), 303)


def _survey_page(here: Room, place: Place, reading: SurveyReading) -> str:
    return page(
        "survey.html",
        here,
        place,
        visit=place.session_id,
        reading=reading,
        field_name=field_name,
        no_answer=NO_ANSWER,
        longest=LONGEST_TEXT,
    )
