"""The pages of practice trials, before the first trial; what is chosen there is not kept."""

from __future__ import annotations

from flask import Blueprint, redirect, request, session, url_for
from werkzeug.wrappers import Response

from prereg.plan.practice import practice_trials
from study.tasks.base import Reading, whole
from study.visits.places import Place
from study.visits.practice import practise as count_practice
from study.web.context import Room, room
from study.web.views.rater_pages import current_place, next_page, page

pages = Blueprint("practising", __name__)
Page = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]
_COUNT = range(10**9)


@pages.get("/practice")
def practice() -> Page:
    """Show the next practice trial."""
    here = room()
    place = current_place(here)
    there = next_page(here, place) if place else url_for("rater.arrive")
    if place is None or there != url_for("practising.practice"):
        return redirect(there, 303)
    return _practice_page(here, place)


@pages.post("/practice")
def practise() -> Page:
    """Count a practice trial that is complete; ask again if something is missing."""
    here = room()
    place = current_place(here)
    there = next_page(here, place) if place else url_for("rater.arrive")
    # an old form, a form of another visit, or one that is sent twice changes nothing
    if (
        place is None
        or there != url_for("practising.practice")
        or request.form.get("visit") != session.get("session_id")
        or whole(request.form.get("position"), _COUNT) != place.practised + 1
    ):
        return redirect(there, 303)
    reading = here.task.read(request.form)
    if reading.missing:
        return _practice_page(here, place, reading), 422
    count_practice(here.store, here.study, place, place.practised + 1)
    then = current_place(here)
    return redirect(next_page(here, then) if then else url_for("rater.arrive"), 303)


def _practice_page(here: Room, place: Place, reading: Reading | None = None) -> str:
    shown = here.study.practice(place.sequence_id)[place.practised]
    return page(
        here.task.template,
        here,
        place,
        practice=True,
        visit=place.session_id,
        position=place.practised + 1,
        trials=practice_trials(here.study.plan.practice),
        # only texts: an item's id, source or score must never reach a page
        texts=[here.study.shown[item_id].text for item_id in shown],
        prompt=here.study.shown[shown[0]].prompt,
        task=here.task,
        answers=reading.answers if reading else {},
        missing=reading.missing if reading else (),
        wait=0.0,
    )
