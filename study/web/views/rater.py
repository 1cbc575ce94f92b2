"""The raters' pages: consent, instructions, and one trial per page, also without JavaScript."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from flask import Blueprint, abort, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from prereg.plan.collection import Comprehension
from prereg.tables.cleaning import clean
from study.tasks.base import Answers, Reading, whole
from study.visits import answers as answering
from study.visits import claims as assignment
from study.visits.answers import Given
from study.visits.claims import Arrival
from study.visits.links import RATER_ID, is_hard_to_guess, is_signed, refusal
from study.visits.places import Place, find_rater
from study.visits.recruitment import is_paused
from study.web import visitor
from study.web.context import Room, room
from study.web.safety import problem
from study.web.views.rater_pages import another_visit, current_place, next_page, page
from study.web.views.trial_pages import Shown, trial_page

pages = Blueprint("rater", __name__)
Page = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]

# Parameters of the link that may hold the rater's id; the first one found is used.
ID_PARAMETERS = ("PROLIFIC_PID", "rater")
# What the links that Ratify prints hold in place of a rater's id.
PLACEHOLDERS = frozenset({"YOUR-ID", "THEIR-ID"})
# Ids that Ratify gives to raters whose link has none.
ANONYMOUS = "anon-"
# Seconds until an address that has begun too many visits may begin more.
CONSENT_RETRY = 60 * 60
_COUNT = range(10**9)


@pages.get("/")
def arrive() -> Page:
    """Show a newcomer the consent text; send a rater who comes back to their place."""
    here = room()
    if not here.limits.arrival(request.remote_addr):
        return _too_many()
    link = _link_of(here)
    if link is None:
        return _without_id(here)
    rater_id = link.rater_id
    if RATER_ID.fullmatch(rater_id) is None:
        return _incomplete()
    known = find_rater(here.store, here.study, here.mode, rater_id)
    if known is None and (refusal(rater_id) is not None or _is_copied(here, rater_id)):
        return _incomplete()
    proved = _proves(here, rater_id)
    if here.signed and not proved and not (known is not None and visitor.owns(known)):
        return _incomplete()
    visitor.welcome(link, proved=proved)
    if known is not None:
        visitor.enter(known)
        return redirect(next_page(here, known), 303)
    visitor.leave()
    return _welcome(here)


def _welcome(here: Room) -> Page:
    """Show a newcomer the consent text, or why nobody is let in."""
    if is_paused(here.store, here.study, here.mode):
        return page("paused.html", here)
    if not assignment.has_room(here.store, here.study, here.mode):
        return page("full.html", here)
    text = here.texts.page(here.study.texts["consent"])
    visitor.reads(here.study.plan_hash)
    return page("consent.html", here, text=text, version=here.study.plan_hash)


def _without_id(here: Room) -> Page:
    """Ask who came back to this browser, let in a rater without an id, or refuse them."""
    place = current_place(here)
    if place is not None:
        # somebody else may use the same device now
        began = datetime.fromisoformat(place.consented_at) - datetime.now(UTC)
        return page("again.html", here, began=began, onward=next_page(here, place))
    if not here.takes_anybody:
        return _incomplete()
    kept = visitor.arrived()
    if kept is None or not kept.rater_id.startswith(ANONYMOUS):
        # the number is random, so nobody else can have its link
        extra = _parameter("STUDY_ID"), _parameter("SESSION_ID")
        kept = Arrival(f"{ANONYMOUS}{secrets.token_hex(8)}", *extra)
    visitor.leave()
    visitor.welcome(kept, proved=False)
    return _welcome(here)


@pages.post("/anew")
def anew() -> Page:
    """Forget the rater who used this browser before; their visit stays as it is."""
    visitor.forget()
    return redirect(url_for("rater.arrive"), 303)


@pages.post("/consent")
def consent() -> Page:
    """Give a consenting rater a slot."""
    here = room()
    arrival = visitor.arrived()
    if arrival is None:
        return redirect(url_for("rater.arrive"), 303)
    if not here.limits.arrival(request.remote_addr):
        return _too_many()
    place = find_rater(here.store, here.study, here.mode, arrival.rater_id)
    if place is None:
        if is_paused(here.store, here.study, here.mode):
            return page("paused.html", here)
        # a signed link cannot be made up, so nobody takes a second place with one
        free = here.mode != "live" or here.signed
        if not free and not here.limits.consent(request.remote_addr):
            return _too_many(retry=CONSENT_RETRY)
        # the text that they were shown may be that of a version before the newest
        version = request.form.get("version", here.study.plan_hash)
        here = here.at(version)
        if not _may_consent(here, version):
            return _welcome(room())
        place = assignment.claim(here.store, here.study, here.mode, arrival)
    if place is None:
        return page("full.html", here)
    visitor.enter(place)
    if place.status != "active":
        return redirect(next_page(here, place), 303)
    return redirect(url_for("rater.instructions"), 303)


def _may_consent(here: Room, version: str) -> bool:
    """Say whether this browser may consent to a version; if not, its text is not kept for anybody.

    It must have been shown that version's text. This server does not know a version that it cannot
    open. One whose sequences were replaced before anybody took part has other trials, so answers
    under it would stay out of the tables.
    """
    lock = here.study.lock
    if not visitor.has_read(version) or version != here.study.plan_hash:
        return False
    return lock is None or version not in lock.void


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


def _link_of(here: Room) -> Arrival | None:
    """Return the rater whom the link names, as it is written; None if it names nobody."""
    from_prolific = here.study.plan.recruitment.platform == "prolific"
    # a live study on Prolific takes only raters whom Prolific sends; others may be tried out
    names = ID_PARAMETERS[:1] if from_prolific and here.mode == "live" else ID_PARAMETERS
    for name in names:
        given = request.args.get(name)
        if given is not None:
            given = clean(given)  # as every table cleans it, or the two would not meet
            return Arrival(given, _parameter("STUDY_ID"), _parameter("SESSION_ID"))
    return None


def _is_copied(here: Room, rater_id: str) -> bool:
    """Say whether a live link was copied without putting a rater's id in its place."""
    return here.mode == "live" and rater_id in PLACEHOLDERS


def _proves(here: Room, rater_id: str) -> bool:
    """Say whether the link could only come from the researchers or from Prolific."""
    if here.study.plan.recruitment.platform == "prolific":
        return is_hard_to_guess(rater_id)
    given = request.args.get("sig")
    return given is not None and is_signed(here.links_key, rater_id, given)


def _incomplete() -> Page:
    return problem(
        _("This link is not complete"),
        _(
            "The participant number in the link is missing, or is not one we can read. "
            "Please open the study with the link of your invitation, or from the page where "
            "you found it."
        ),
        400,
    )


def _parameter(name: str) -> str | None:
    given = request.args.get(name)
    return given if given is not None and refusal(given) is None else None


def _too_many(*, retry: int = 60) -> Page:
    title = _("One moment, please")
    text = _("Many people are arriving at once. Please wait a minute, and open your link again.")
    if retry > 60:
        title = _("Please come back later")
        text = _(
            "Many people have begun from your network in a short time. Please open your link "
            "again in an hour, or from another network, or write to the researchers."
        )
    return problem(title, text, 429, retry=retry)
