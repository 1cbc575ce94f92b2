"""What all raters' pages share: where a rater is, where they go next, and how a page is made."""

from __future__ import annotations

from typing import Any

from flask import render_template, session, url_for
from flask_babel import gettext as _

from study.visits.places import Place, find_session
from study.web import visitor
from study.web.context import Room
from study.web.safety import problem


def current_place(here: Room) -> Place | None:
    """Return where the rater of this browser is; None if they have not consented."""
    session_id = session.get("session_id")
    if not isinstance(session_id, str):
        return None
    return find_session(here.store, here.study, here.mode, session_id)


def next_page(here: Room, place: Place) -> str:
    """Return the address of the page where a rater continues."""
    here = here.of(place)
    if place.finished:
        if here.study.plan.survey and not place.surveyed:
            return url_for("surveying.survey")
        return url_for("leaving.done")
    if place.status != "active":
        return url_for("leaving.over")
    if here.study.plan.comprehension is not None and not place.comprehended:
        return url_for("rater.comprehension")
    if not place.ready(here.study.plan):
        return url_for("practising.practice")
    return url_for("rater.trial")


def page(template: str, here: Room, place: Place | None = None, **values: Any) -> str:
    """Return a rater's page; if a place is given and is this browser's, it offers to withdraw."""
    here = here.of(place) if place is not None else here
    return render_template(
        template,
        plan=here.study.plan,
        named=here.named,
        mode=here.mode,
        place=place,
        owned=place is not None and visitor.owns(place),
        **{"withdrawal_key": place.withdrawal_key if place else None, **values},
        too_late=visitor.was_too_late(),
    )


def another_visit() -> tuple[str, int, dict[str, str]]:
    """Return the page for a form of a visit that is not the browser's any more: it is not kept."""
    return problem(
        _("This page belongs to another visit"),
        _(
            "Another visit was begun in this browser after this page was opened, so what was "
            "chosen on this page was not saved. Please open your own link again; you go on "
            "where you were."
        ),
        409,
    )


def not_here() -> tuple[str, int, dict[str, str]]:
    """Return the page of a finished visit for a browser that only knows its id.

    Whoever knows or guesses an id could otherwise collect its code, or answer its survey.
    """
    return problem(
        _("You have finished"),
        _(
            "All your answers are saved. The code was shown in the browser in which you "
            "answered. If you do not have it any more, open your private link in this "
            "browser, or write to the researchers."
        ),
        200,
    )
