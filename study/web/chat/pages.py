"""What all pages of a chat share: where somebody is, where they go next, how a page is made."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from prereg.chat.steps import Step, StepKind, steps_of
from study.chat import claims, steps
from study.chat.looking import NoConversationError
from study.chat.places import ChatPlace, find_session
from study.web import visitor
from study.web.chat.context import ChatRoom, chat_room
from study.web.doors import Page
from study.web.views.rater_pages import another_visit

pages = Blueprint("chat", __name__)

# How a visit can end with a code.
PAID = frozenset({"finished", "partner_failure", "stopped"})
PAGES: dict[StepKind, str] = {
    "survey": "chat.survey",
    "talk": "chat.talk",
    "video": "chat.film",
    "coach": "chat.coach",
}


def current_place(here: ChatRoom) -> ChatPlace | None:
    """Return where the participant of this browser is; None if they have not consented."""
    session_id = session.get("session_id")
    if not isinstance(session_id, str):
        return None
    return find_session(here.store, here.study, here.mode, session_id)


def next_page(here: ChatRoom, place: ChatPlace) -> str:
    """Return the address of the page where a participant continues."""
    if place.status in PAID:
        return url_for("leaving.done")
    step = steps.current(here.study, place)
    if place.status != "active" or step is None:
        return url_for("leaving.over")
    return url_for(PAGES[step.kind])


def page(template: str, here: ChatRoom, place: ChatPlace | None = None, **values: Any) -> str:
    """Return a page; if a place is given and is this browser's, it offers to withdraw."""
    return render_template(
        template,
        plan=here.study.plan,
        mode=here.mode,
        place=place,
        owned=place is not None and visitor.owns(place),
        step_count=len(steps_of(here.study.plan, place.condition)) if place else 0,
        **{"withdrawal_key": place.withdrawal_key if place else None, **values},
    )


class Elsewhere(Exception):  # noqa: N818 - nothing is wrong: they go on somewhere else
    """The participant is not at the step that was asked for.

    Parameters
    ----------
    answer : Page
        What they get instead.
    """

    def __init__(self, answer: Page) -> None:
        super().__init__()
        self.answer = answer


@pages.errorhandler(Elsewhere)
def _go_on(elsewhere: Elsewhere) -> Page:
    return elsewhere.answer


@pages.errorhandler(NoConversationError)
def _no_conversation(_error: NoConversationError) -> Page:
    """Lead on somebody whose visit went on, or ended, while this request came."""
    here = chat_room()
    place = current_place(here)
    return go(next_page(here, place) if place is not None else url_for("rater.arrive"))


def at_step(kind: StepKind) -> tuple[ChatRoom, ChatPlace, Step]:
    """Return where a participant is, who asks for the page of a step or sends its form.

    Raises
    ------
    Elsewhere
        When they are at another step, or the form belongs to another visit or an earlier step.
    """
    here, place = somewhere()
    step = steps.current(here.study, place) if place.status == "active" else None
    if step is None or step.kind != kind:
        raise Elsewhere(go(next_page(here, place)))
    if request.method == "POST" and request.form.get("step", str(place.step)) != str(place.step):
        raise Elsewhere(go(next_page(here, place)))  # sent twice, or an old page: it was kept
    if request.method != "HEAD":
        claims.keep(here.store, here.study, place, here.clock())
    return here, place, step


def somewhere() -> tuple[ChatRoom, ChatPlace]:
    """Return where a participant is, at whatever step.

    Raises
    ------
    Elsewhere
        When there is none, or a form belongs to another visit.
    """
    here = chat_room()
    place = current_place(here)
    if place is None:
        raise Elsewhere(go(url_for("rater.arrive")))
    if request.method == "POST" and request.form.get("visit") != place.session_id:
        answer = go(url_for("rater.arrive")) if wants_json() else another_visit()
        raise Elsewhere(answer)
    return here, place


def wants_json() -> bool:
    """Say whether a script asks."""
    return request.accept_mimetypes.best == "application/json"


def go(address: str) -> Response:
    """Lead a browser on, or tell its script where to lead it."""
    return jsonify(go=address) if wants_json() else redirect(address, 303)


def go_on(here: ChatRoom, place: ChatPlace) -> Response:
    """Lead a participant to where they are now."""
    now = find_session(here.store, here.study, here.mode, place.session_id)
    if now is not None and now.status in PAID:
        visitor.ended(now)
    here.wake()  # the next step may be the coach's
    return go(url_for("rater.arrive") if now is None else next_page(here, now))


def advance(here: ChatRoom, place: ChatPlace) -> Response:
    """Note that a step is done, once, and lead on."""
    now = here.clock()
    here.store.write(lambda connection: steps.advance(connection, here.study, place, now))
    return go_on(here, place)
