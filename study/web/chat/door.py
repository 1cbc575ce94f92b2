"""The doors of a chat."""

from __future__ import annotations

from typing import Any

from study.chat import claims, leaving
from study.chat.places import ChatPlace, find_rater
from study.visits.claims import Arrival
from study.visits.recruitment import is_paused
from study.web import visitor
from study.web.chat.context import ChatRoom, chat_room
from study.web.chat.pages import current_place, next_page, page
from study.web.doors import Door, Unread


class ChatDoor(Door[ChatPlace]):
    """Lets participants in and out.

    Parameters
    ----------
    here : ChatRoom
    """

    def __init__(self, here: ChatRoom) -> None:
        super().__init__(here)
        self.here = here

    def find(self, rater_id: str) -> ChatPlace | None:
        """Return the place of somebody who consented before."""
        return find_rater(self.here.store, self.here.study, self.here.mode, rater_id)

    def current(self) -> ChatPlace | None:
        """Return the place of this browser."""
        return current_place(self.here)

    def onward(self, visit: ChatPlace) -> str:
        """Return the address of the page where a visit continues."""
        return next_page(self.here, visit)

    def is_paused(self) -> bool:
        """Say whether newcomers are sent away for now."""
        return is_paused(self.here.store, self.here.study, self.here.mode)

    def has_room(self) -> bool:
        """Say whether a place is free, and the budget has room for one more."""
        here = self.here
        return claims.has_room(here.store, here.study, here.mode, here.clock())

    def invitation(self) -> tuple[str, str]:
        """Return the version of the plan, and its consent text as HTML."""
        study = self.here.study
        return study.plan_hash, self.here.texts.page(study.texts["consent"])

    def claim(self, arrival: Arrival, version: str) -> ChatPlace | None:
        """Give a place to somebody who consented to the text that they were shown."""
        here = self.here
        if version != here.study.plan_hash or not visitor.has_read(version):
            raise Unread
        return claims.claim_chat(here.store, here.study, here.mode, arrival, here.clock())

    def find_key(self, key: str) -> ChatPlace | None:
        """Return the place whose private link has this key."""
        return leaving.find_place(self.here.store, self.here.study, self.here.mode, key)

    def withdraw(self, key: str) -> bool:
        """Delete a visit, what was said in it, and what was made of that."""
        return leaving.withdraw(self.here.store, self.here.study, self.here.mode, key)

    def page(self, template: str, visit: ChatPlace | None = None, **values: Any) -> str:
        """Return a page."""
        return page(template, self.here, visit, **values)


def door() -> ChatDoor:
    """Return the door of the current application."""
    return ChatDoor(chat_room())
