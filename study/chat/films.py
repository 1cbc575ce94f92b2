"""The film of a step: when it was shown, whether it was seen to its end, and going on after it."""

from __future__ import annotations

from sqlalchemy import or_, update
from sqlalchemy.engine import Connection

from study.chat.places import ChatPlace, read_session, stamp
from study.chat.steps import advance, current
from study.chat.study import ChatStudy, Film
from study.store.chat_tables import ChatVisit
from study.store.database import Store


def film_of(study: ChatStudy, place: ChatPlace) -> Film | None:
    """Return the film of the present step; None if another kind of step is due."""
    step = current(study, place)
    return study.films[step.page] if step is not None and step.kind == "video" else None


def shown(store: Store, study: ChatStudy, place: ChatPlace, now: float) -> None:
    """Note when the film of the present step was first shown; a reload changes nothing."""
    if film_of(study, place) is None:
        return
    visit = update(ChatVisit).where(
        ChatVisit.session_id == place.session_id,
        or_(ChatVisit.video_step.is_(None), ChatVisit.video_step != place.step),
    )
    first = visit.values(video_step=place.step, video_shown_at=stamp(now), video_ended_at=None)
    store.write(lambda connection: connection.execute(first))


def note_ended(store: Store, study: ChatStudy, place: ChatPlace, now: float) -> ChatPlace:
    """Note that the film of the present step was seen to its end, as the page says, once.

    Returns
    -------
    ChatPlace
        The participant's place afterwards.
    """

    def note(connection: Connection) -> ChatPlace:
        visit = update(ChatVisit).where(
            ChatVisit.session_id == place.session_id,
            ChatVisit.video_step == place.step,
            ChatVisit.video_ended_at.is_(None),
        )
        connection.execute(visit.values(video_ended_at=stamp(now)))
        return read_session(connection, place.session_id) or place

    return place if film_of(study, place) is None else store.write(note)


def may_go_on(study: ChatStudy, place: ChatPlace) -> bool:
    """Say whether the plan lets a participant go on from the film."""
    video = study.plan.feedback.video
    return video is None or video.watch == "free" or place.video_ended


def go_on(store: Store, study: ChatStudy, place: ChatPlace, now: float) -> ChatPlace:
    """Go on to the next step after the film, once.

    Returns
    -------
    ChatPlace
        Where the participant is afterwards; unchanged if the film must still be seen.
    """

    def leave(connection: Connection) -> ChatPlace:
        advance(connection, study, place, now)
        return read_session(connection, place.session_id) or place

    if film_of(study, place) is None or not may_go_on(study, place):
        return place
    return store.write(leave)
