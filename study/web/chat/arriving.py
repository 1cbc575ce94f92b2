"""The pages before a chat: consent and instructions."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for

from study.web.chat.context import chat_room
from study.web.chat.door import door
from study.web.chat.pages import current_place, next_page, page
from study.web.doors import Page, add_arrival

pages = Blueprint("rater", __name__)
add_arrival(pages, door)


@pages.get("/instructions")
def instructions() -> Page:
    """Show the instructions."""
    here = chat_room()
    place = current_place(here)
    if place is None:
        return redirect(url_for("rater.arrive"), 303)
    if place.status != "active":
        return redirect(next_page(here, place), 303)
    text = here.texts.page(here.study.texts["instructions"])
    return page("chat/instructions.html", here, place, text=text)


@pages.post("/instructions")
def begin() -> Page:
    """Lead somebody who has read the instructions on."""
    here = chat_room()
    place = current_place(here)
    return redirect(next_page(here, place) if place else url_for("rater.arrive"), 303)
