"""The page that says where help can be found, and on which somebody goes on or stops."""

from __future__ import annotations

from flask import request

from study.chat import talking
from study.web.chat.pages import Elsewhere, go, go_on, next_page, page, pages, somewhere
from study.web.doors import Page


@pages.get("/safety")
def safety() -> Page:
    """Say where help can be found; ask for a choice if a screen has found something."""
    here, place = somewhere()
    if place.status != "active":
        raise Elsewhere(go(next_page(here, place)))
    return page(
        "chat/safety.html",
        here,
        place,
        text=here.texts.page(here.study.texts["safety"]),
        pending=talking.pending(here.store, place),
        back=next_page(here, place),
    )


@pages.post("/safety")
def choose() -> Page:
    """Note what somebody chose after a screen's hit; who stops is paid in full."""
    here, place = somewhere()
    choice = request.form.get("choice")
    event = talking.pending(here.store, place)
    if place.status == "active" and event is not None:
        if choice == "went_on":
            talking.choose(here.store, here.study, place, event, "went_on", here.clock())
        elif choice == "stopped":
            talking.choose(here.store, here.study, place, event, "stopped", here.clock())
    return go_on(here, place)
