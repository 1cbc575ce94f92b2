"""What the views of one running server share: its study, its store, its mode and its limits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from prereg.errors import RatifyError
from prereg.images import Image
from study.folder import Study
from study.tasks.base import Task
from study.tasks.registry import task_of
from study.visits.places import Place
from study.web.naming import Name, naming
from study.web.rooms import AnyRoom
from study.web.texts import Texts

log = logging.getLogger(__name__)
# How long a server waits before it tries again to open an amended study that it could not open: the
# other files may still be on their way to this machine.
RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class Room(AnyRoom[Study]):
    """What the views of one running server share, besides what any of them do.

    Attributes
    ----------
    newest : callable
        Reads the study folder again if its plan has been amended, and returns the room with it.
    rendered : dict
        The pages of trials in pieces; see `study.web.views.trial_pages`.
    """

    newest: Callable[[], Room]
    rendered: dict[tuple[object, ...], tuple[str, ...]] = field(default_factory=dict)
    _earlier: dict[str, Room] = field(default_factory=dict)
    _asking: dict[str, Room] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        """What the study's trials ask."""
        return task_of(self.study.plan)

    @cached_property
    def texts(self) -> Texts:
        """The study's texts as HTML."""
        return Texts(self.study.plan.display, self.study.images)

    @cached_property
    def named(self) -> Callable[[str, int], tuple[Name, ...]]:
        """The names of a trial's items; see `study.web.naming`."""
        return naming(self.study.plan.display)

    def of(self, place: Place) -> Room:
        """Return the room of what a rater meets: the version of the plan, and the scale."""
        # a place may be in a sequence that an amendment has added while this request came
        here = self if place.sequence_id in self.study.sequences else self.newest()
        return here.at(place.version).asking(place.sequence_id)

    def asking(self, sequence_id: str) -> Room:
        """Return the room of a sequence's scale, if scales are asked apart; else this room."""
        study = self.study.asking(sequence_id)
        if study is self.study:
            return self
        name = study.plan.scales[0].id
        if name not in self._asking:
            self._asking[name] = self.showing(study)
        return self._asking[name]

    def showing(self, study: Study) -> Room:
        """Return a room with another version of the study, and all else as it is here."""
        return Room(
            study, self.store, self.mode, self.setup_token, self.limits, self.links_key, self.newest
        )

    def at(self, version: str) -> Room:
        """Return the room of a version; that of the newest if there is no such version."""
        here = self if self.study.knows(version) else self.newest()
        study = here.study.at(version)
        if study is here.study:
            return here
        if version not in here._earlier:
            here._earlier[version] = here.showing(study)
        return here._earlier[version]

    @property
    def images(self) -> Mapping[str, Image]:
        """The images that any version of the study shows, by their address."""
        shown = [self.study.images, *(one.images for one in self.study.earlier.values())]
        return {image.address: image for images in shown for image in images.values()}


class Reception:
    """Keeps the room of a running server, and makes a new one when a file of the study changed.

    Parameters
    ----------
    room : callable
        Makes a room from the study folder, and is given what each room needs to ask for the newest.
    study : Study
        The study as it is now.
    watched : sequence of Path
        The files that change when the plan is amended, its amendments first.
    """

    def __init__(
        self,
        room: Callable[[Study | None, Callable[[], Room]], Room],
        study: Study,
        watched: Sequence[Path],
    ) -> None:
        self._make = room
        self._watched = watched
        self._turn = threading.Lock()
        # a file may have changed while the study was being opened
        sure = len(watched) == 1 and self._lines() == _amendments(study)
        self._seen = self._stamp() if sure else None
        self._failed = -RETRY_SECONDS
        self._room = room(study, self.newest)

    def room(self) -> Room:
        """Return the room; while one request reads the amended plan, others have the old one."""
        if self._stamp() != self._seen and self._turn.acquire(blocking=False):
            try:
                self._renew()
            finally:
                self._turn.release()
        return self._room

    def newest(self) -> Room:
        """Return the room of the plan as it is now, even if another request is reading it."""
        with self._turn:
            self._renew()
        return self._room

    def _renew(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen or time.monotonic() - self._failed < RETRY_SECONDS:
            return
        try:
            self._room = self._make(None, self.newest)
        except (RatifyError, SQLAlchemyError):
            # raters go on under the version that this server knows
            log.exception("the amended study cannot be opened")
            self._failed = time.monotonic()
            return
        self._seen = stamp

    def _lines(self) -> int:
        try:
            return self._watched[0].read_bytes().count(b"\n")
        except OSError:
            return 0

    def _stamp(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_stamp_of(path) for path in self._watched)


def _stamp_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _amendments(study: Study) -> int:
    return 0 if study.lock is None else len(study.lock.amendments)


def reception(app: Flask) -> Reception:
    """Return what keeps the room of an application."""
    kept: Reception = app.extensions["ratify"]
    return kept


def room() -> Room:
    """Return what the views of the current application share."""
    return reception(current_app).room()
