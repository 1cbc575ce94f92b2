"""The pages at the end of a chat: done, sorry, stopped, place lost, declined, withdrawn."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _

from study.chat.places import ChatPlace, is_verified
from study.web import visitor
from study.web.chat.context import ChatRoom, chat_room
from study.web.chat.door import door
from study.web.chat.pages import PAID, current_place, next_page, page
from study.web.doors import Page, add_leaving
from study.web.safety import log, problem
from study.web.views.rater_pages import not_here

pages = Blueprint("leaving", __name__)
add_leaving(pages, door)


@pages.get("/done")
def done() -> Page:
    """Show the code of a visit that is over and paid."""
    here = chat_room()
    place = current_place(here)
    if place is None or place.status not in PAID:
        return redirect(next_page(here, place) if place else url_for("rater.arrive"), 303)
    if not visitor.may_have_code(place):
        return not_here()
    if place.finished and not is_verified(here.store, here.study, place):
        log.error("session %s is finished, but its conversations are not all", place.session_id)
        return problem(
            _("Something went wrong here"),
            _(
                "Not all of your answers were found. Please write to the researchers; "
                "it is not your fault."
            ),
            500,
        )
    code = _code(here, place)
    shown = {"code": code, "link": here.recruitment.link(code), "again": "again" in request.args}
    if place.finished:
        return page("done.html", here, place, **shown)
    help_text = here.texts.page(here.study.texts["safety"])
    return page("chat/ended.html", here, place, text=help_text, **shown)


def _code(here: ChatRoom, place: ChatPlace) -> str:
    """Return the completion code; where an ending has none of its own, the plan pays as usual."""
    codes = here.recruitment.codes
    own = {"partner_failure": codes.partner_failure, "stopped": codes.stopped}
    return own.get(place.status) or codes.completed


@pages.get("/over")
def over() -> Page:
    """Say why a visit is over before its last step."""
    here = chat_room()
    place = current_place(here)
    if place is None or place.status == "active" or place.status in PAID:
        return redirect(next_page(here, place) if place else url_for("rater.arrive"), 303)
    return page("over.html", here, place, code=None, link=None)
