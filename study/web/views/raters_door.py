"""The doors of a study whose raters answer trials."""

from __future__ import annotations

from typing import Any

from study.visits import claims as assignment
from study.visits import withdrawal
from study.visits.claims import Arrival
from study.visits.places import Place, find_rater
from study.visits.recruitment import is_paused
from study.web import visitor
from study.web.context import Room, room
from study.web.doors import Door, Unread
from study.web.views.rater_pages import current_place, next_page, page


class RatersDoor(Door[Place]):
    """Lets raters in and out.

    Parameters
    ----------
    here : Room
    """

    def __init__(self, here: Room) -> None:
        super().__init__(here)
        self.here = here

    def find(self, rater_id: str) -> Place | None:
        """Return the place of somebody who consented before."""
        return find_rater(self.here.store, self.here.study, self.here.mode, rater_id)

    def current(self) -> Place | None:
        """Return the place of this browser."""
        return current_place(self.here)

    def onward(self, visit: Place) -> str:
        """Return the address of the page where a visit continues."""
        return next_page(self.here, visit)

    def is_paused(self) -> bool:
        """Say whether newcomers are sent away for now."""
        return is_paused(self.here.store, self.here.study, self.here.mode)

    def has_room(self) -> bool:
        """Say whether there is a slot for a newcomer."""
        return assignment.has_room(self.here.store, self.here.study, self.here.mode)

    def invitation(self) -> tuple[str, str]:
        """Return the newest version of the plan, and its consent text as HTML."""
        study = self.here.study
        return study.plan_hash, self.here.texts.page(study.texts["consent"])

    def claim(self, arrival: Arrival, version: str) -> Place | None:
        """Give a slot to a rater who consented to a version."""
        here = self.here.at(version)
        if not _may_consent(here, version):
            self.here = room()  # the newest: its text is what they are shown now
            raise Unread
        return assignment.claim(here.store, here.study, here.mode, arrival)

    def find_key(self, key: str) -> Place | None:
        """Return the place whose private link has this key."""
        return withdrawal.find_place(self.here.store, self.here.study, self.here.mode, key)

    def withdraw(self, key: str) -> bool:
        """Delete a visit and its answers."""
        return withdrawal.withdraw(self.here.store, self.here.study, self.here.mode, key)

    def page(self, template: str, visit: Place | None = None, **values: Any) -> str:
        """Return a page."""
        return page(template, self.here, visit, **values)


def door() -> RatersDoor:
    """Return the door of the current application."""
    return RatersDoor(room())


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
