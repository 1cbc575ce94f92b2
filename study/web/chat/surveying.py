"""The pages of a chat's surveys."""

from __future__ import annotations

from typing import Any

from flask import request, session

from prereg.chat.steps import Step
from prereg.plan.survey import LONGEST_TEXT, TextQuestion
from study.chat import steps, surveys
from study.chat.places import ChatPlace, stamp
from study.chat.surveys import NO_ANSWER, SurveyReading, field_name, page_of
from study.web import visitor
from study.web.chat.context import ChatRoom, chat_room
from study.web.chat.pages import at_step, current_place, go_on, page, pages
from study.web.doors import Page
from study.web.forms import allow_long_texts


@pages.url_value_preprocessor
def allow_texts(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a form be as large as its texts may be; runs before the form is read."""
    if request.method != "POST" or not session.get("session_id"):
        return
    here = chat_room()
    if endpoint in {"chat.say", "chat.ask_coach"}:
        allow_long_texts(here.study.plan.conversation.messages.characters)
    elif endpoint == "chat.keep_survey":
        place = current_place(here)
        step = steps.current(here.study, place) if place else None
        if step is not None and step.kind == "survey":
            asked = page_of(here.study.plan, step).questions
            allow_long_texts(sum(isinstance(q, TextQuestion) for q in asked) * LONGEST_TEXT)


@pages.get("/survey")
def survey() -> Page:
    """Show one page of questions."""
    here, place, step = at_step("survey")
    if request.method == "GET":
        visitor.shows_step(place.step, stamp(here.clock()))
    return _survey_page(here, place, step, SurveyReading({}, {}, frozenset()))


@pages.post("/survey")
def keep_survey() -> Page:
    """Keep the answers; the redirect is sent only after the store has them."""
    here, place, step = at_step("survey")
    asked = page_of(here.study.plan, step)
    reading = surveys.read_form(asked, request.form)
    if reading.faults:
        return _survey_page(here, place, step, reading), 422
    shown_at = visitor.shown_at(place.step)
    surveys.keep_page(here.store, here.study, place, step, reading, shown_at, here.clock())
    return go_on(here, place)


def _survey_page(here: ChatRoom, place: ChatPlace, step: Step, reading: SurveyReading) -> str:
    return page(
        "chat/survey.html",
        here,
        place,
        survey=page_of(here.study.plan, step),
        reading=reading,
        field_name=field_name,
        no_answer=NO_ANSWER,
        longest=LONGEST_TEXT,
    )
