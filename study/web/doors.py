"""The doors of a study, whatever its kind: a person arrives, agrees or declines, and withdraws."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from prereg.tables.cleaning import clean
from study.visits.claims import Arrival
from study.visits.links import RATER_ID, is_hard_to_guess, is_signed, refusal
from study.web import visitor
from study.web.rooms import AnyRoom
from study.web.safety import problem
from study.web.visitor import Visit

Page = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]
V = TypeVar("V", bound=Visit)

# Parameters of the link that may hold the rater's id; the first one found is used.
ID_PARAMETERS = ("PROLIFIC_PID", "rater")
# What the links that Ratify prints hold in place of a rater's id.
PLACEHOLDERS = frozenset({"YOUR-ID", "THEIR-ID"})
# Ids that Ratify gives to raters whose link has none.
ANONYMOUS = "anon-"
# Seconds until an address that has begun too many visits may begin more.
CONSENT_RETRY = 60 * 60


class Door(ABC, Generic[V]):
    """What a kind of study does for those who come and go.

    Parameters
    ----------
    hall : AnyRoom
        The room of the study that is served.
    """

    def __init__(self, hall: AnyRoom[Any]) -> None:
        self.hall = hall

    @abstractmethod
    def find(self, rater_id: str) -> V | None:
        """Return the visit of somebody who consented before."""

    @abstractmethod
    def current(self) -> V | None:
        """Return the visit of this browser."""

    @abstractmethod
    def onward(self, visit: V) -> str:
        """Return the address of the page where a visit continues."""

    @abstractmethod
    def is_paused(self) -> bool:
        """Say whether newcomers are sent away for now."""

    @abstractmethod
    def has_room(self) -> bool:
        """Say whether there is a place for a newcomer."""

    @abstractmethod
    def invitation(self) -> tuple[str, str]:
        """Return the version of the plan, and its consent text as HTML."""

    @abstractmethod
    def claim(self, arrival: Arrival, version: str) -> V | None:
        """Give a place to somebody who consented to a version; None if all are taken.

        Raises
        ------
        Unread
            If that is not the version to which they may consent.
        """

    @abstractmethod
    def find_key(self, key: str) -> V | None:
        """Return the visit whose private link has this key."""

    @abstractmethod
    def withdraw(self, key: str) -> bool:
        """Delete a visit and all that was said in it; False if there is none."""

    @abstractmethod
    def page(self, template: str, visit: V | None = None, **values: Any) -> str:
        """Return a page."""


class Unread(Exception):  # noqa: N818 - nothing is wrong: they are shown the text
    """Somebody consented to a text that they were not shown here, or that holds no more."""


def add_arrival(pages: Blueprint, door_now: Callable[[], Door[V]]) -> None:
    """Add the pages for those who arrive to a blueprint called `rater`."""

    @pages.get("/")
    def arrive() -> Page:
        """Show a newcomer the consent text; send a rater who comes back to their place."""
        return _arrive(door_now())

    @pages.post("/anew")
    def anew() -> Page:
        """Forget the rater who used this browser before; their visit stays as it is."""
        visitor.forget()
        return redirect(url_for("rater.arrive"), 303)

    @pages.post("/consent")
    def consent() -> Page:
        """Give a consenting rater a place."""
        return _consent(door_now())


def _arrive(door: Door[V]) -> Page:
    here = door.hall
    if not here.limits.arrival(request.remote_addr):
        return _too_many()
    link = _link_of(here)
    if link is None:
        return _without_id(door)
    rater_id = link.rater_id
    if RATER_ID.fullmatch(rater_id) is None:
        return _incomplete()
    known = door.find(rater_id)
    if known is None and (refusal(rater_id) is not None or _is_copied(here, rater_id)):
        return _incomplete()
    proved = _proves(here, rater_id)
    if here.signed and not proved and not (known is not None and visitor.owns(known)):
        return _incomplete()
    visitor.welcome(link, proved=proved)
    if known is not None:
        visitor.enter(known)
        return redirect(door.onward(known), 303)
    visitor.leave()
    return _welcome(door)


def _welcome(door: Door[V]) -> Page:
    """Show a newcomer the consent text, or why nobody is let in."""
    if door.is_paused():
        return door.page("paused.html")
    if not door.has_room():
        return door.page("full.html")
    version, text = door.invitation()
    visitor.reads(version)
    return door.page("consent.html", text=text, version=version)


def _without_id(door: Door[V]) -> Page:
    """Ask who came back to this browser, let in a rater without an id, or refuse them."""
    visit = door.current()
    if visit is not None:
        # somebody else may use the same device now
        began = datetime.fromisoformat(visit.consented_at) - datetime.now(UTC)
        return door.page("again.html", began=began, onward=door.onward(visit))
    if not door.hall.takes_anybody:
        return _incomplete()
    kept = visitor.arrived()
    if kept is None or not kept.rater_id.startswith(ANONYMOUS):
        # the number is random, so nobody else can have its link
        extra = _parameter("STUDY_ID"), _parameter("SESSION_ID")
        kept = Arrival(f"{ANONYMOUS}{secrets.token_hex(8)}", *extra)
    visitor.leave()
    visitor.welcome(kept, proved=False)
    return _welcome(door)


def _consent(door: Door[V]) -> Page:
    here, arrival = door.hall, visitor.arrived()
    if arrival is None:
        return redirect(url_for("rater.arrive"), 303)
    if not here.limits.arrival(request.remote_addr):
        return _too_many()
    visit = door.find(arrival.rater_id)
    if visit is None:
        if door.is_paused():
            return door.page("paused.html")
        # a signed link cannot be made up, so nobody takes a second place with one
        free = here.mode != "live" or here.signed
        if not free and not here.limits.consent(request.remote_addr):
            return _too_many(retry=CONSENT_RETRY)
        # the text that they were shown may be that of a version before the newest
        version = request.form.get("version", door.invitation()[0])
        try:
            visit = door.claim(arrival, version)
        except Unread:
            return _welcome(door)
    if visit is None:
        return door.page("full.html")
    visitor.enter(visit)
    if visit.status != "active":
        return redirect(door.onward(visit), 303)
    return redirect(url_for("rater.instructions"), 303)


def add_leaving(pages: Blueprint, door_now: Callable[[], Door[V]]) -> None:
    """Add the pages for those who do not take part or withdraw to a blueprint called `leaving`."""

    @pages.get("/declined")
    def declined() -> Page:
        """Thank somebody who does not want to take part; nothing is stored about them."""
        return _declined(door_now())

    @pages.get("/withdraw/<key>")
    def withdraw(key: str) -> Page:
        """Ask whether somebody wants their answers deleted."""
        return _ask_before_withdrawal(door_now(), key)

    @pages.post("/withdraw/<key>")
    def delete(key: str) -> Page:
        """Delete somebody's answers."""
        return _withdraw(door_now(), key)

    @pages.get("/withdrawn")
    def withdrawn() -> Page:
        """Say that the answers are deleted."""
        return door_now().page("withdrawn.html")

    @pages.before_request
    def no_guessing() -> Page | None:
        """Slow down a visitor who guesses keys."""
        limits = door_now().hall.limits
        guessed = {"leaving.withdraw", "leaving.delete"}
        if request.endpoint in guessed and not limits.arrival(request.remote_addr):
            return problem(
                _("One moment, please"), _("Please wait a minute, and try again."), 429, retry=60
            )
        return None


def _declined(door: Door[V]) -> Page:
    visit = door.current()
    if visit is not None and visitor.owns(visit):
        return redirect(url_for("leaving.withdraw", key=visit.withdrawal_key), 303)
    if visit is not None:  # an id alone deletes nothing
        return redirect(door.onward(visit), 303)
    visitor.forget()
    recruitment = door.hall.recruitment
    code = recruitment.codes.no_consent
    return door.page("declined.html", code=code, link=recruitment.link(code) if code else None)


def _ask_before_withdrawal(door: Door[V], key: str) -> Page:
    visit = door.find_key(key)
    if visit is None:
        return door.page("withdrawn.html", nothing=True), 404
    visitor.enter_by_private_link(visit)
    back = door.onward(visit) if visitor.owns(visit) else None
    return door.page("withdraw.html", key=key, back=back)


def _withdraw(door: Door[V], key: str) -> Page:
    visit = door.find_key(key)
    if not door.withdraw(key):
        return door.page("withdrawn.html", nothing=True), 404
    if visit is None or visitor.is_in(visit):  # not in a visit of somebody else on this device
        visitor.forget()
    return redirect(url_for("leaving.withdrawn"), 303)


def _link_of(here: AnyRoom[Any]) -> Arrival | None:
    """Return the rater whom the link names, as it is written; None if it names nobody."""
    from_prolific = here.recruitment.platform == "prolific"
    # a live study on Prolific takes only raters whom Prolific sends; others may be tried out
    names = ID_PARAMETERS[:1] if from_prolific and here.mode == "live" else ID_PARAMETERS
    for name in names:
        given = request.args.get(name)
        if given is not None:
            given = clean(given)  # as every table cleans it, or the two would not meet
            return Arrival(given, _parameter("STUDY_ID"), _parameter("SESSION_ID"))
    return None


def _is_copied(here: AnyRoom[Any], rater_id: str) -> bool:
    """Say whether a live link was copied without putting a rater's id in its place."""
    return here.mode == "live" and rater_id in PLACEHOLDERS


def _proves(here: AnyRoom[Any], rater_id: str) -> bool:
    """Say whether the link could only come from the researchers or from Prolific."""
    if here.recruitment.platform == "prolific":
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
