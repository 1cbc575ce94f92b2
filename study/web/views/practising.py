"""The pages of practice trials, before the first trial; what is chosen there is not kept."""

from __future__ import annotations

from flask import Blueprint, redirect, request, session, url_for
from werkzeug.wrappers import Response

from prereg.plan.practice import practice_trials
from study.tasks.base import Reading, whole
from study.visits.places import Place
from study.visits.practice import practise as count_practice
from study.web.context import Room, room
from study.web.views.rater_pages import another_visit, current_place, next_page
from study.web.views.trial_pages import Shown, trial_page

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
    if place is not None and request.form.get("visit") != session.get("session_id"):
        return another_visit()
    # an old form, or one that is sent twice, changes nothing
    if (
        place is None
        or there != url_for("practising.practice")
        or whole(request.form.get("position"), _COUNT) != place.practised + 1
    ):
        return redirect(there, 303)
    reading = here.of(place).task.read(request.form)
    if reading.missing:
        return _practice_page(here, place, reading), 422
    count_practice(here.store, here.of(place).study, place, place.practised + 1)
    then = current_place(here)
    return redirect(next_page(here, then) if then else url_for("rater.arrive"), 303)


def _practice_page(here: Room, place: Place, reading: Reading | None = None) -> str:
    here = here.of(place)
    shown = here.study.practice(place.sequence_id)[place.practised]
    return trial_page(
        here,
        place,
        Shown(
            item_ids=tuple(shown),
            position=place.practised + 1,
            trials=practice_trials(here.study.plan.practice),
            practice=True,
        ),
        reading.answers if reading else None,
        missing=reading.missing if reading else (),
    )
