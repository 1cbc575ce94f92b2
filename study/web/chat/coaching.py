"""The page of the coach: feedback on the round just ended, questions and answers."""

from __future__ import annotations

from flask import jsonify, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from prereg.chat.steps import Step
from study.chat import coach as coaching
from study.chat.coach import CoachView
from study.chat.places import ChatPlace
from study.tasks.base import whole
from study.web.chat.context import ChatRoom
from study.web.chat.pages import advance, at_step, go, page, pages
from study.web.chat.words import page_words
from study.web.doors import Page

_COUNT = range(10**9)
# What may come of a question that was not kept, and the status of the page that says so.
_REFUSED = {"empty": 422, "too_long": 422, "waiting": 409, "taken": 409}


@pages.get("/coach")
def coach() -> Page:
    """Show what the coach says, and ask for questions."""
    here, place, step = at_step("coach")
    view = _view(here, place, step)
    return go(url_for("chat.safety")) if view.flagged else _coach_page(here, place, view)


@pages.get("/coach/state")
def coach_state() -> Page:
    """Say whether the coach still writes."""
    here, place, step = at_step("coach")
    view = _view(here, place, step)
    return go(url_for("chat.safety")) if view.flagged else jsonify(owes=view.owes)


@pages.post("/coach/ask")
def ask_coach() -> Page:
    """Keep a question, and what is owed for it, before anybody is told."""
    here, place, step = at_step("coach")
    text, asked = request.form.get("text", ""), whole(request.form.get("asked"), _COUNT)
    outcome = coaching.ask(
        here.store, here.study, place, step.round, text, here.clock(), asked=asked
    )
    here.wake()
    if outcome in _REFUSED:
        view = _view(here, place, step)
        return _coach_page(here, place, view, fault=outcome, text=text), _REFUSED[outcome]
    return go(url_for("chat.coach"))


@pages.post("/coach")
def after_coach() -> Page:
    """Go on after the coach, once enough was asked."""
    here, place, step = at_step("coach")
    view = _view(here, place, step)
    if view.may_go_on and not view.flagged:
        return advance(here, place)
    return go(url_for("chat.coach"))


def _view(here: ChatRoom, place: ChatPlace, step: Step) -> CoachView:
    return coaching.view(here.store, here.study, place, step.round, here.clock())


def _coach_page(
    here: ChatRoom, place: ChatPlace, view: CoachView, *, fault: str = "", text: str = ""
) -> str:
    most = here.study.plan.conversation.messages.characters
    faults = {
        "empty": _("Write your question first, then press Ask."),
        "too_long": ngettext(
            "Please shorten this to %(num)d character.",
            "Please shorten this to %(num)d characters.",
            most,
        ),
        "taken": page_words()["taken"],
        "waiting": _("The coach has not answered yet. Please ask again in a moment."),
    }
    return page(
        "chat/coach.html",
        here,
        place,
        view=view,
        coach=here.study.plan.feedback.coach,
        fault=faults.get(fault, ""),
        text=text,
    )
