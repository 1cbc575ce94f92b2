"""The pages at the end of a visit: done, declined, screened out, place lost, withdrawn."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from study.visits import withdrawal
from study.visits.places import Completion, completion
from study.web import visitor
from study.web.context import Room, room
from study.web.safety import log, problem
from study.web.views.rater_pages import current_place, next_page, not_here, page

pages = Blueprint("leaving", __name__)
Page = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]


@pages.get("/done")
def done() -> Page:
    """Show the completion code, if every answer is in the store."""
    here = room()
    place = current_place(here)
    if place is None or not place.finished:
        return redirect(next_page(here, place) if place else url_for("rater.arrive"), 303)
    if not visitor.may_have_code(place):
        return not_here()
    onward = next_page(here, place)
    if onward != url_for("leaving.done"):
        return redirect(onward, 303)
    found = completion(here.store, here.study, place)
    if not found.verified:
        log.error("session %s is finished, but its answers are not complete", place.session_id)
        return problem(
            _("Something went wrong here"),
            _(
                "Not all of your answers were found. Please write to the researchers; "
                "it is not your fault."
            ),
            500,
        )
    code = _code(here.of(place), found)
    recruitment = here.study.plan.recruitment
    link = recruitment.link(code)
    return page("done.html", here, place, code=code, link=link, again="again" in request.args)


def _code(here: Room, found: Completion) -> str:
    """Return the plan's completion code for a finished visit."""
    codes = here.study.plan.recruitment.codes
    rules = here.study.plan.exclusions
    most = next((r.max_failed for r in rules if r.rule == "failed_attention"), None)
    if codes.failed_attention and most is not None and found.failed_checks > most:
        return codes.failed_attention
    return codes.completed


@pages.get("/over")
def over() -> Page:
    """Say why a visit is over before its last trial."""
    here = room()
    place = current_place(here)
    if place is None or place.status in {"active", "finished"}:
        return redirect(next_page(here, place) if place else url_for("rater.arrive"), 303)
    recruitment = here.study.plan.recruitment
    earned = place.status == "screened_out" and visitor.may_have_code(place)
    code = recruitment.codes.screened_out if earned else None
    link = recruitment.link(code) if code else None
    return page("over.html", here, place, code=code, link=link)


@pages.get("/declined")
def declined() -> Page:
    """Thank somebody who does not want to take part; nothing is stored about them."""
    here = room()
    place = current_place(here)
    if place is not None and visitor.owns(place):
        return redirect(url_for("leaving.withdraw", key=place.withdrawal_key), 303)
    if place is not None:  # an id alone deletes nothing
        return redirect(next_page(here, place), 303)
    visitor.forget()
    recruitment = here.study.plan.recruitment
    code = recruitment.codes.no_consent
    return page("declined.html", here, code=code, link=recruitment.link(code) if code else None)


@pages.get("/withdraw/<key>")
def withdraw(key: str) -> Page:
    """Ask whether somebody wants their answers deleted."""
    here = room()
    place = withdrawal.find_place(here.store, here.study, here.mode, key)
    if place is None:
        return page("withdrawn.html", here, nothing=True), 404
    visitor.enter_by_private_link(place)
    back = next_page(here, place) if visitor.owns(place) else None
    return page("withdraw.html", here, key=key, back=back)


@pages.post("/withdraw/<key>")
def delete(key: str) -> Page:
    """Delete somebody's answers."""
    here = room()
    place = withdrawal.find_place(here.store, here.study, here.mode, key)
    if not withdrawal.withdraw(here.store, here.study, here.mode, key):
        return page("withdrawn.html", here, nothing=True), 404
    if place is None or visitor.is_in(place):  # not in a visit of somebody else on this device
        visitor.forget()
    return redirect(url_for("leaving.withdrawn"), 303)


@pages.get("/withdrawn")
def withdrawn() -> Page:
    """Say that the answers are deleted."""
    return page("withdrawn.html", room())


@pages.before_request
def _no_guessing() -> Page | None:
    """Slow down a visitor who guesses keys."""
    here = room()
    if request.endpoint in {"leaving.withdraw", "leaving.delete"} and not here.limits.arrival(
        request.remote_addr
    ):
        return problem(
            _("One moment, please"), _("Please wait a minute, and try again."), 429, retry=60
        )
    return None
