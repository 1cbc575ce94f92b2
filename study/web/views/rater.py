"""The raters' pages: consent, instructions, and one trial per page, also without JavaScript."""

from __future__ import annotations

import re
import secrets

from flask import Blueprint, abort, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from prereg.plan.collection import Comprehension
from study.tasks.base import Answers, Reading, whole
from study.visits import answers as answering
from study.visits import claims as assignment
from study.visits.answers import Given
from study.visits.claims import Arrival
from study.visits.places import Place, find_rater
from study.visits.recruitment import is_paused
from study.web.context import Room, room
from study.web.safety import problem
from study.web.views.rater_pages import current_place, next_page, page

pages = Blueprint("rater", __name__)
Page = Response | str | tuple[str, int]

# Parameters of the link that may hold the rater's id; the first one found is used.
ID_PARAMETERS = ("PROLIFIC_PID", "rater")
_ID = re.compile(r"[\w.@:+-]{1,128}")
_COUNT = range(10**9)


@pages.get("/")
def arrive() -> Page:
    """Show a newcomer the consent text; send a rater who comes back to their place."""
    here = room()
    if not here.limits.arrival(request.remote_addr):
        return _too_many()
    given = _arrival()
    if given is None:
        return problem(
            _("This link is not complete"),
            _(
                "The participant number in the link is missing, or is not one we can read. "
                "Please open the study from the page where you found it."
            ),
            400,
        )
    known = find_rater(here.store, here.study, here.mode, given.rater_id)
    session.permanent = True
    session["rater_id"] = given.rater_id
    session["platform"] = [given.platform_study_id, given.platform_session_id]
    if known is not None:
        session["session_id"] = known.session_id
        return redirect(next_page(here, known), 303)
    session.pop("session_id", None)
    if is_paused(here.store, here.study, here.mode):
        return page("paused.html", here)
    if not assignment.has_room(here.store, here.study, here.mode):
        return page("full.html", here)
    return page("consent.html", here, text=here.study.texts["consent"])


@pages.post("/consent")
def consent() -> Page:
    """Give a consenting rater a slot."""
    here = room()
    rater_id = session.get("rater_id")
    if rater_id is None:
        return redirect(url_for("rater.arrive"), 303)
    if not here.limits.arrival(request.remote_addr):
        return _too_many()
    known = find_rater(here.store, here.study, here.mode, rater_id)
    if known is None and is_paused(here.store, here.study, here.mode):
        return page("paused.html", here)
    place = known or assignment.claim(
        here.store, here.study, here.mode, Arrival(rater_id, *session.get("platform", ()))
    )
    if place is None:
        return page("full.html", here)
    session["session_id"] = place.session_id
    return redirect(url_for("rater.instructions"), 303)


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
    text = here.study.texts["instructions"]
    return page("instructions.html", here, place, text=text, onward=onward)


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
    then = assignment.try_comprehension(here.store, here.study, place, option)
    if then is None:
        return redirect(url_for("rater.arrive"), 303)
    if then.status == "active" and not then.comprehended:
        return page("comprehension.html", here, then, question=question, wrong=True), 422
    return redirect(next_page(here, then), 303)


def _asked(here: Room) -> tuple[Place | None, Comprehension | None]:
    """Return the place, or None if it is not to be asked; and the question, or None."""
    place = current_place(here)
    question = here.study.plan.comprehension
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
        assignment.show(here.store, here.study, place)
    return _trial_page(here, place)


@pages.post("/trial")
def answer() -> Page:
    """Store an answer, then continue; the redirect is sent only after the store has it."""
    here = room()
    session_id = session.get("session_id")
    if session_id is None or request.form.get("visit") != session_id:
        # no visit has begun, or the form belongs to another rater who uses this browser
        return redirect(url_for("rater.trial"), 303)
    reading = here.task.read(request.form)
    if reading.missing:
        return _ask_again(here, reading)
    given = Given(
        position=whole(request.form.get("position"), _COUNT) or 0,
        answers=reading.answers,
        response_ms=whole(request.form.get("response_ms"), _COUNT),
        hidden_ms=whole(request.form.get("hidden_ms"), _COUNT),
    )
    outcome = answering.answer(here.store, here.study, here.mode, session_id, given)
    if outcome is None:
        return redirect(url_for("rater.arrive"), 303)
    if outcome.wait_seconds:
        assignment.show(here.store, here.study, outcome.place)  # the page below shows the trial
        shown = _trial_page(here, outcome.place, reading.answers, wait=outcome.wait_seconds)
        return shown, 422
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
    sequence = here.study.sequences.get(place.sequence_id)
    if sequence is None or place.position > len(sequence):
        abort(404)
    shown = sequence[place.position - 1]
    return page(
        here.task.template,
        here,
        place,
        visit=place.session_id,
        position=place.position,
        trials=len(sequence),
        begins=bool(here.study.plan.practice) and place.position == 1,
        # only texts: an item's id, source or score must never reach a page
        texts=[here.study.shown[item_id].text for item_id in shown.item_ids],
        prompt=here.study.shown[shown.item_ids[0]].prompt,
        task=here.task,
        answers=answers or {},
        missing=missing,
        wait=wait,
    )


def _arrival() -> Arrival | None:
    """Return the rater who arrives: from the link, else from their cookie, else a new rater.

    None if the id in the link is not valid, or if the link lacks the id that its platform sends.
    """
    here = room()
    extra = [_parameter("STUDY_ID"), _parameter("SESSION_ID")]
    from_prolific = here.study.plan.recruitment.platform == "prolific"
    # a live study on Prolific takes only raters whom Prolific sends; others may be tried out
    names = ID_PARAMETERS[:1] if from_prolific and here.mode == "live" else ID_PARAMETERS
    for name in names:
        given = request.args.get(name)
        if given is not None:
            return Arrival(given, *extra) if _ID.fullmatch(given) else None
    kept = session.get("rater_id")
    if kept is not None:
        return Arrival(str(kept), *session.get("platform", ()))
    if from_prolific:
        return None  # nobody could match such a visit with a submission
    return Arrival(f"anon-{secrets.token_hex(8)}", *extra)


def _parameter(name: str) -> str | None:
    given = request.args.get(name)
    return given if given is not None and _ID.fullmatch(given) else None


def _too_many() -> Page:
    text = _("Many people are arriving at once. Please wait a minute, and open your link again.")
    return problem(_("One moment, please"), text, 429)
