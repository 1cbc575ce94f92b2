"""What all raters' pages share: where a rater is, where they go next, and how a page is made."""

from __future__ import annotations

from typing import Any

from flask import render_template, session, url_for

from study.visits.places import Place, find_session
from study.web import visitor
from study.web.context import Room


def current_place(here: Room) -> Place | None:
    """Return where the rater of this browser is; None if they have not consented."""
    session_id = session.get("session_id")
    if not isinstance(session_id, str):
        return None
    return find_session(here.store, here.study, here.mode, session_id)


def next_page(here: Room, place: Place) -> str:
    """Return the address of the page where a rater continues."""
    if place.finished:
        return url_for("leaving.done")
    if place.status != "active":
        return url_for("leaving.over")
    if here.study.plan.comprehension is not None and not place.comprehended:
        return url_for("rater.comprehension")
    return url_for("rater.trial")


def page(template: str, here: Room, place: Place | None = None, **values: Any) -> str:
    """Return a rater's page; if a place is given and is this browser's, it offers to withdraw."""
    return render_template(
        template,
        plan=here.study.plan,
        mode=here.mode,
        place=place,
        owned=place is not None and visitor.owns(place),
        too_late=visitor.was_too_late(),
        **values,
    )
