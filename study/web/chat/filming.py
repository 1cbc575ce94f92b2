"""The page of a film.

Where the plan wants it to be seen to its end, a script says when it was, and offers to go on. A
browser without scripts, or one that cannot play the film, may go on once as much time has passed as
the film lasts, or at once if its header does not say how long that is. The end is noted only where
it was seen.
"""

from __future__ import annotations

from datetime import datetime

from flask import request
from sqlalchemy import select

from prereg.chat.steps import Step
from study.chat import films
from study.chat.places import ChatPlace
from study.store.chat_tables import ChatVisit
from study.web.chat.context import ChatRoom
from study.web.chat.films import address_of, captions_of, type_of
from study.web.chat.lengths import length_of
from study.web.chat.pages import advance, at_step, go, next_page, page, pages
from study.web.doors import Page


@pages.get("/film")
def film() -> Page:
    """Show a film."""
    here, place, step = at_step("video")
    if request.method == "GET":
        films.shown(here.store, here.study, place, here.clock())
    return _film_page(here, place, step)


@pages.post("/film/ended")
def film_ended() -> Page:
    """Note that the film was seen to its end."""
    here, place, _step = at_step("video")
    films.note_ended(here.store, here.study, place, here.clock())
    return go(next_page(here, place))


@pages.post("/film")
def after_film() -> Page:
    """Go on after a film."""
    here, place, step = at_step("video")
    if not films.may_go_on(here.study, place) and not _can_be_over(here, place, step):
        return _film_page(here, place, step, early=True), 422
    return advance(here, place)


def _can_be_over(here: ChatRoom, place: ChatPlace, step: Step) -> bool:
    """Say whether as much time has passed as the film lasts."""
    shown = select(ChatVisit.video_shown_at).where(
        ChatVisit.session_id == place.session_id, ChatVisit.video_step == place.step
    )
    with here.store.reading() as connection:
        since = connection.scalar(shown)
    if since is None:
        return False
    passed = here.clock() - datetime.fromisoformat(since).timestamp()
    return passed >= (length_of(here.study.films[step.page].clip) or 0.0)


def _film_page(here: ChatRoom, place: ChatPlace, step: Step, *, early: bool = False) -> str:
    video, clip = here.study.plan.feedback.video, here.study.films[step.page]
    return page(
        "chat/film.html",
        here,
        place,
        clip=address_of(clip),
        clip_type=type_of(clip),
        captions=captions_of(clip),
        must_end=video is not None and video.watch == "ended",
        may_go_on=films.may_go_on(here.study, place),
        early=early,
    )
