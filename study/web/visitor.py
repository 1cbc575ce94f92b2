"""Who a browser belongs to: what its cookie holds, and what it may therefore see.

An id can often be guessed, so an id alone opens little. A visit belongs to the browser in which its
rater consented, to a browser that opened a link which proves the id (a signature, or an id that
nobody can guess), and to a browser that opened the visit's private link. Any other browser with the
id may only continue a visit that is under way, because people change devices: it sees no private
link, and no code unless it gave the last answer itself.
"""

from __future__ import annotations

from typing import Protocol

from flask import session

from prereg.lock import utc_now
from study.visits.claims import Arrival, new_session_id
from study.visits.clock import stopwatch
from study.visits.places import Place

_NAMES = (
    "rater_id",
    "platform",
    "proved",  # whether the link proved the id
    "next_session",  # the session that a consent in this browser begins
    "texts",  # the versions of the plan whose consent text this browser was shown
    "session_id",  # the visit in which this browser takes part
    "by_id",  # whether it does so on an id alone
    "shown",  # the trial on the screen, and when it came there first
    "ended_here",  # the visit whose last answer this browser gave
    "too_late",  # whether the next page says that an answer came too late
)


class Visit(Protocol):
    """What the doors of a study know about a visit, whatever its kind."""

    @property
    def session_id(self) -> str: ...  # noqa: D102
    @property
    def rater_id(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def consented_at(self) -> str: ...  # noqa: D102
    @property
    def withdrawal_key(self) -> str: ...  # noqa: D102


def welcome(given: Arrival, *, proved: bool) -> None:
    """Note in the cookie who arrived."""
    session.permanent = True
    if session.get("rater_id") != given.rater_id or "next_session" not in session:
        session["next_session"] = new_session_id()
    session["rater_id"] = given.rater_id
    session["proved"] = proved
    session["platform"] = [given.platform_study_id, given.platform_session_id]


def arrived() -> Arrival | None:
    """Return who arrived in this browser, or None."""
    rater_id = session.get("rater_id")
    if rater_id is None:
        return None
    study_id, visit_id = session.get("platform") or (None, None)
    return Arrival(str(rater_id), study_id, visit_id, session.get("next_session"))


def reads(version: str) -> None:
    """Note that this browser is shown the consent text of a version of the plan."""
    session["texts"] = [*dict.fromkeys([*session.get("texts", ()), version])]


def has_read(version: str) -> bool:
    """Say whether this browser was shown the consent text of a version."""
    return version in session.get("texts", ())


def enter(place: Visit) -> None:
    """Note in the cookie in which visit this browser takes part, and whether it is its own."""
    began_here = place.session_id == session.get("next_session")
    mine = bool(session.get("proved")) or began_here or owns(place)
    if session.get("session_id") != place.session_id:
        session.pop("shown", None)
    session["session_id"] = place.session_id
    if mine:
        session.pop("by_id", None)
    else:
        session["by_id"] = True


def enter_by_private_link(place: Visit) -> None:
    """Give a visit to the browser that opened its private link, unless it is in another visit."""
    if session.get("session_id") in {None, place.session_id}:
        session.permanent = True
        session["rater_id"], session["session_id"] = place.rater_id, place.session_id
        session.pop("by_id", None)


def is_in(place: Visit) -> bool:
    """Say whether this browser takes part in a visit, or in none."""
    return session.get("session_id") in {None, place.session_id}


def owns(place: Visit) -> bool:
    """Say whether a visit belongs to this browser."""
    return session.get("session_id") == place.session_id and not session.get("by_id")


def may_have_code(place: Visit) -> bool:
    """Say whether this browser may see the code of a visit that is over."""
    return owns(place) or session.get("ended_here") == place.session_id


def ended(place: Visit) -> None:
    """Note that this browser gave the last answer of a visit."""
    if not owns(place):
        session["ended_here"] = place.session_id


def shows(place: Place) -> None:
    """Note when the next trial is first shown; showing it again changes nothing.

    The time is in the signed cookie, because a note in the store would cost a commit per page.
    """
    if shown_at(place.position) is None:
        session["shown"] = [place.position, utc_now()]
        stopwatch.start(place.session_id, place.position)


def shows_step(number: int, now: str) -> None:
    """Note when a step of a chat is first shown; showing it again changes nothing."""
    if shown_at(number) is None:
        session["shown"] = [number, now]


def shown_at(position: int | None) -> str | None:
    """Return when this browser first showed a trial, if it is the last one that it showed."""
    last = session.get("shown")
    return str(last[1]) if last and last[0] == position else None


def is_too_late() -> bool:
    """Say whether the next page has to say that the first answer counts."""
    return "too_late" in session


def note_too_late() -> None:
    """Note that the next page should say that the first answer counts."""
    session["too_late"] = True


def was_too_late() -> bool:
    """Say once whether an answer came after the first answer to its trial."""
    return "too_late" in session and bool(session.pop("too_late"))


def leave() -> None:
    """Leave the visit, because another rater arrived."""
    for name in ("session_id", "by_id", "shown", "ended_here", "too_late"):
        session.pop(name, None)


def forget() -> None:
    """Remove the rater from this browser's cookie."""
    for name in _NAMES:
        session.pop(name, None)
