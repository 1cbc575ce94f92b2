"""The raters' pages: consent, instructions, and one trial per page, also without JavaScript."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, session, url_for

from prereg.plan.collection import Comprehension
from study.tasks.base import Answers, Reading, whole
from study.visits import answers as answering
from study.visits import claims as assignment
from study.visits.answers import Given
from study.visits.places import Place
from study.web import visitor
from study.web.context import Room, room
from study.web.doors import Page, add_arrival
from study.web.views.rater_pages import another_visit, current_place, next_page, page
from study.web.views.raters_door import door
from study.web.views.trial_pages import Shown, trial_page

pages = Blueprint("rater", __name__)

_COUNT = range(10**9)
add_arrival(pages, door)


@pages.get("/instructions")
def instructions() -> Page:
    """Show the instructions."""
    here = room()
    place = current_place(here)
    if place is None:
        return redirect(url_for("rater.arrive"), 303)
    onward = next_page(here, place)
    if place.status != "active":
        return redirect(onward, 303)
    here = here.of(place)
    text = here.texts.page(here.study.texts["instructions"])
    for scale in here.study.plan.scales:  # only that of the rater, where any has instructions
        text += here.texts.page(scale.instructions or "")
    begins = place.position == 1
    return page("instructions.html", here, place, text=text, onward=onward, begins=begins)


@pages.get("/comprehension")
def comprehension() -> Page:
    """Show the comprehension question, which comes before the first trial."""
    here = room()
    place, question = _asked(here)
    if place is None or question is None:
        return redirect(url_for("rater.trial"), 303)
    return page("comprehension.html", here, place, question=question)


@pages.post("/comprehension")
def comprehend() -> Page:
    """Count an answer to the comprehension question."""
    here = room()
    place, question = _asked(here)
    if place is None or question is None:
        return redirect(url_for("rater.trial"), 303)
    option = whole(request.form.get("option"), range(1, len(question.options) + 1))
    if option is None or whole(request.form.get("attempt"), _COUNT) != place.attempts:
        # a form without a choice, or a form that is sent twice, is not an attempt
        shown = page("comprehension.html", here, place, question=question, missing=option is None)
        return shown, 422
    then = assignment.try_comprehension(here.store, here.of(place).study, place, option)
    if then is None:
        return redirect(url_for("rater.arrive"), 303)
    if then.status == "screened_out":
        visitor.ended(then)
    if then.status == "active" and not then.comprehended:
        return page("comprehension.html", here, then, question=question, wrong=True), 422
    return redirect(next_page(here, then), 303)


def _asked(here: Room) -> tuple[Place | None, Comprehension | None]:
    """Return the place, or None if it is not to be asked; and the question, or None."""
    place = current_place(here)
    question = (here.of(place) if place else here).study.plan.comprehension
    if place is None or place.status != "active" or place.comprehended:
        return None, question
    return place, question


@pages.get("/trial")
def trial() -> Page:
    """Show the trial that this rater has to answer next."""
    here = room()
    place = current_place(here)
    if place is None:
        return redirect(url_for("rater.arrive"), 303)
    there = next_page(here, place)
    if there != url_for("rater.trial"):
        return redirect(there, 303)
    if request.method == "GET":  # not HEAD, which shows nothing
        visitor.shows(place)
        assignment.keep(here.store, here.study, place)
    return _trial_page(here, place)


@pages.post("/trial")
def answer() -> Page:
    """Store an answer, then continue; the redirect is sent only after the store has it."""
    here = room()
    session_id = session.get("session_id")
    if session_id is None:
        return redirect(url_for("rater.trial"), 303)
    if request.form.get("visit") != session_id:
        return another_visit()
    place = current_place(here) if here.study.plan.design.apart else None
    if place is None and here.study.plan.design.apart:
        return redirect(url_for("rater.arrive"), 303)
    # what a form may answer depends on the rater only where scales are asked apart
    reading = (here.of(place) if place else here).task.read(request.form)
    if reading.missing:
        return _ask_again(here, reading)
    given = Given(
        position=whole(request.form.get("position"), _COUNT) or 0,
        answers=reading.answers,
        response_ms=whole(request.form.get("response_ms"), _COUNT),
        hidden_ms=whole(request.form.get("hidden_ms"), _COUNT),
        shown_at=visitor.shown_at(whole(request.form.get("position"), _COUNT)),
    )
    outcome = answering.answer(here.store, here.study, here.mode, session_id, given)
    if outcome is None:
        return redirect(url_for("rater.arrive"), 303)
    if outcome.wait_seconds:
        visitor.shows(outcome.place)  # the page below shows the trial
        shown = _trial_page(here, outcome.place, reading.answers, wait=outcome.wait_seconds)
        return shown, 422
    if outcome.kept and outcome.place.finished:
        visitor.ended(outcome.place)
    if outcome.dropped:
        visitor.note_too_late()
    return redirect(next_page(here, outcome.place), 303)


def _ask_again(here: Room, reading: Reading) -> Page:
    """Show the trial again to a rater who left something unanswered, unless the form is old."""
    place = current_place(here)
    there = next_page(here, place) if place is not None else url_for("rater.arrive")
    if place is None or there != url_for("rater.trial"):
        return redirect(there, 303)
    if whole(request.form.get("position"), _COUNT) != place.position:
        return redirect(there, 303)
    return _trial_page(here, place, reading.answers, missing=reading.missing), 422


def _trial_page(
    here: Room,
    place: Place,
    answers: Answers | None = None,
    *,
    missing: tuple[str, ...] = (),
    wait: float = 0.0,
) -> str:
    here = here.of(place)
    sequence = here.study.sequences.get(place.sequence_id)
    if sequence is None or place.position > len(sequence):
        abort(404)
    shown = Shown(
        item_ids=tuple(sequence[place.position - 1].item_ids),
        position=place.position,
        trials=len(sequence),
        begins=bool(here.study.plan.practice) and place.position == 1,
    )
    return trial_page(here, place, shown, answers, missing=missing, wait=wait)
