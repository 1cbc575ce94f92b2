"""The rater's pages: consent, instructions, one pair a page, thanks. HTML first."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from study import assignment
from study.app import Room, room
from study.assignment import Answer, Place

pages = Blueprint("rater", __name__)

# The platform's own name for a participant, first match wins.
ID_PARAMETERS = ("PROLIFIC_PID", "rater")
_ID = re.compile(r"[\w.@:+-]{1,128}")


@pages.get("/")
def arrive() -> Response | str | tuple[str, int]:
    """Greet a newcomer with the consent text; take a rater who comes back to their place."""
    here = room()
    rater_id = _rater_id()
    if rater_id is None:
        title = "This link is not complete"
        text = (
            "The participant number in the link holds characters we do not expect. "
            "Please open the study from the page where you found it."
        )
        return render_template("problem.html", title=title, text=text), 400
    known = assignment.find_rater(here.store, here.study, here.mode, rater_id)
    session.permanent = True
    session["rater_id"] = rater_id
    if known is not None:
        session["session_id"] = known.session_id
        return redirect(url_for("rater.trial"), 303)
    session.pop("session_id", None)
    if not assignment.has_room(here.store, here.study, here.mode):
        return _page("full.html", here)
    return _page("consent.html", here, text=here.study.texts["consent"])


@pages.post("/consent")
def consent() -> Response | str:
    """Give a consenting rater a sequence."""
    here = room()
    rater_id = session.get("rater_id")
    if rater_id is None:
        return redirect(url_for("rater.arrive"), 303)
    place = assignment.claim(here.store, here.study, here.mode, rater_id)
    if place is None:
        return _page("full.html", here)
    session["session_id"] = place.session_id
    return redirect(url_for("rater.instructions"), 303)


@pages.get("/declined")
def declined() -> str:
    """Thank somebody who does not want to take part; say what is stored if they did before."""
    here = room()
    took_part = _place(here) is not None
    for key in ("rater_id", "session_id"):
        session.pop(key, None)
    return _page("declined.html", here, took_part=took_part)


@pages.get("/instructions")
def instructions() -> Response | str:
    """Say what a trial asks."""
    here = room()
    place = _place(here)
    if place is None:
        return redirect(url_for("rater.arrive"), 303)
    return _page("instructions.html", here, text=here.study.texts["instructions"], place=place)


@pages.get("/trial")
def trial() -> Response | str:
    """Show the pair that this rater has to answer next."""
    here = room()
    place = _place(here)
    if place is None:
        return redirect(url_for("rater.arrive"), 303)
    if place.finished:
        return redirect(url_for("rater.done"), 303)
    if request.method == "GET":  # not a HEAD, which shows nothing to anybody
        assignment.show(here.store, place)
    return _trial_page(here, place)


@pages.post("/trial")
def answer() -> Response | str | tuple[str, int]:
    """Keep an answer, then go on: the redirect is sent only after the store has it."""
    here = room()
    session_id = session.get("session_id")
    choice = request.form.get("choice")
    if session_id is None:
        return redirect(url_for("rater.arrive"), 303)
    if request.form.get("visit") != session_id:
        # the page belongs to another rater who used this browser: it answers nothing of theirs
        return redirect(url_for("rater.trial"), 303)
    if choice != "left" and choice != "right":
        return _ask_again(here)
    given = Answer(
        position=_whole(request.form.get("position")) or 0,
        choice="left" if choice == "left" else "right",
        response_ms=_whole(request.form.get("response_ms")),
        hidden_ms=_whole(request.form.get("hidden_ms")),
    )
    place = assignment.answer(here.store, here.study, here.mode, session_id, given)
    if place is None:
        return redirect(url_for("rater.arrive"), 303)
    return redirect(url_for("rater.done" if place.finished else "rater.trial"), 303)


def _ask_again(here: Room) -> Response | tuple[str, int]:
    """Show the pair again to somebody who has not chosen, unless the form is an old one."""
    place = _place(here)
    if place is None or place.finished or _whole(request.form.get("position")) != place.position:
        return redirect(url_for("rater.trial"), 303)
    return _trial_page(here, place, missing=True), 422


@pages.get("/done")
def done() -> Response | str:
    """Hand out the completion code, once every answer is found in the store."""
    here = room()
    place = _place(here)
    if place is None:
        return redirect(url_for("rater.arrive"), 303)
    if not place.finished:
        return redirect(url_for("rater.trial"), 303)
    return _page("done.html", here, code=here.study.plan.design.completion_code)


def _trial_page(here: Room, place: Place, *, missing: bool = False) -> str:
    sequence = here.study.sequences[place.sequence_id]
    pair = sequence[place.position - 1]
    return _page(
        "trial.html",
        here,
        visit=place.session_id,
        position=place.position,
        trials=len(sequence),
        left=here.study.items[pair.left_id].text,
        right=here.study.items[pair.right_id].text,
        missing=missing,
    )


def _page(template: str, here: Room, **values: Any) -> str:
    return render_template(template, plan=here.study.plan, mode=here.mode, **values)


def _place(here: Room) -> Place | None:
    session_id = session.get("session_id")
    if session_id is None:
        return None
    return assignment.find_session(here.store, here.study, here.mode, session_id)


def _rater_id() -> str | None:
    """Return the rater's id: from the link, else from their cookie, else a new one.

    None where the link carries one that cannot be an id.
    """
    for name in ID_PARAMETERS:
        given = request.args.get(name)
        if given is not None:
            return given if _ID.fullmatch(given) else None
    return str(session.get("rater_id") or f"anon-{secrets.token_hex(8)}")


def _whole(text: str | None) -> int | None:
    """Return a whole number that a form sent, None where it is none."""
    if text is None or not re.fullmatch(r"[0-9]{1,9}", text):
        return None
    return int(text)
