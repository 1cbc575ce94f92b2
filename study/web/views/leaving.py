"""The pages at the end of a visit: done, declined, screened out, place lost, withdrawn."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _

from study.visits.places import Completion, completion
from study.web import visitor
from study.web.context import Room, room
from study.web.doors import Page, add_leaving
from study.web.safety import log, problem
from study.web.views.rater_pages import current_place, next_page, not_here, page
from study.web.views.raters_door import door

pages = Blueprint("leaving", __name__)
add_leaving(pages, door)


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
