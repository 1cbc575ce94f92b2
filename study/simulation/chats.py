"""A simulation of a chat: its folder, a copy of the study, and its server, which asks no model."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import event

from prereg.chat.partner import Coach, Partner
from prereg.chat.parts import text_files
from study.chat.opening import lock_chat, open_chat
from study.chat.study import ChatStudy
from study.serving import server
from study.simulation.folder import copy_files, names_of_plan, names_of_prompts
from study.simulation.virtual_time import VirtualClock
from study.store.database import Store, open_store
from study.store.engines import SERVING_SECONDS
from study.web import visitor


def copied_chat(study: ChatStudy, place: Path) -> ChatStudy:
    """Copy a chat into an empty folder and open it there; one without a lock gets one there.

    Raises
    ------
    RatifyError
        When the study cannot be locked as it is.
    """
    copy_files(study.folder, _names(study), place)
    if study.lock is None:
        lock_chat(place)
    return open_chat(place, must_be_locked=True)


def _names(study: ChatStudy) -> Iterator[str]:
    """Yield the names of the files that a chat is made of."""
    plan, folder = study.plan, study.folder
    yield from names_of_plan(folder)
    yield from text_files(plan).values()
    yield from (scenario.background for scenario in plan.scenarios)
    if plan.feedback.video is not None:
        yield from plan.feedback.video.clips
        yield from plan.feedback.video.captions
    speakers = [plan.partner, plan.feedback.coach]
    yield from (
        one.prompt
        for one in speakers
        if one is not None and one.kind == "llm" and (folder / one.prompt).is_file()
    )
    yield from study.images
    yield from names_of_prompts(folder, plan.judges)


def offline(study: ChatStudy) -> ChatStudy:
    """Return a chat in which partner and coach are scripts and only the lexicon screens."""
    plan = study.plan
    scripted = {"kind": "scripted", "server": None}
    partner: Partner = plan.partner.model_copy(update=scripted)
    changes: dict[str, Any] = {"partner": partner}
    if plan.feedback.coach is not None:
        coach: Coach = plan.feedback.coach.model_copy(update=scripted)
        changes["feedback"] = plan.feedback.model_copy(update={"coach": coach})
    screen = tuple(one for one in plan.safety.screen if one == "lexicon")
    changes["safety"] = plan.safety.model_copy(update={"screen": screen, "server": None})
    return replace(study, plan=plan.model_copy(update=changes))


def numbered_sessions(study: ChatStudy) -> None:
    """Give sessions of this process numbers, so that a simulation is the same in every run.

    Supporters arrive one after the other. Nobody but they can reach the server.
    """
    numbers = itertools.count(1)

    def next_id() -> str:
        return f"simulated-{study.plan.seed}-{next(numbers):05d}"

    visitor.__dict__["new_session_id"] = next_id


def _forget_power(store: Store) -> None:
    """Let a simulation's SQLite not wait for the disk: after a loss of power, it is run again."""
    if store.is_sqlite:
        store.engine.dispose()
        event.listen(store.engine, "connect", _do_not_wait)


def _do_not_wait(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def serve_chat(folder: Path, mode: str, ready: Callable[[str], None]) -> None:
    """Serve a chat to simulated supporters until told to stop, each in a time of their own.

    Parameters
    ----------
    folder : Path
    mode : str
    ready : callable
        Called with the address just before requests are accepted.
    """
    from study.simulation.answering_at_once import AtOnce
    from study.web.chat.app import create_chat_app

    study = offline(open_chat(folder, must_be_locked=True))
    numbered_sessions(study)
    clock = VirtualClock(time.time())
    with contextlib.closing(open_store(folder, None, patience=SERVING_SECONDS)) as store:
        _forget_power(store)
        answering = AtOnce(study, store, mode, clock)
        app = create_chat_app(
            study, store, mode=mode, own_host="127.0.0.1", clock=clock, answering=answering
        )
        listener = server.listen("127.0.0.1", 0)
        with server.marked_as_served(folder):
            server.serve(app, listener, ready=lambda port: ready(f"http://127.0.0.1:{port}"))
