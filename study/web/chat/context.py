"""What the views of one running chat share: its study, its store, its mode and its clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from flask import current_app

from prereg.chat.model import ChatRecruitment
from prereg.images import Image
from prereg.plan.display import Display
from study.chat.screens import Screens
from study.chat.study import ChatStudy
from study.web.rooms import AnyRoom
from study.web.texts import Texts


class Answers(Protocol):
    """What answers in this process; see `study.chat.answering`."""

    def wake(self) -> None:
        """Look at once whether something is owed."""


@dataclass(frozen=True)
class ChatRoom(AnyRoom[ChatStudy]):
    """What the views of one running chat share, besides what those of any server do.

    Attributes
    ----------
    clock : callable
        Returns the time, in seconds since 1970.
    answering : Answers or None
        It is woken when something is owed.
    screens : Screens
        What every message passes.
    """

    clock: Callable[[], float]
    answering: Answers | None
    screens: Screens

    @cached_property
    def texts(self) -> Texts:
        """The study's texts as HTML."""
        return Texts(Display(), self.study.images)

    @property
    def recruitment(self) -> ChatRecruitment:
        """Where participants come from."""
        return self.study.plan.recruitment

    @property
    def images(self) -> Mapping[str, Image]:
        """The images that the texts show, by their address."""
        return {image.address: image for image in self.study.images.values()}

    def wake(self) -> None:
        """Say that something may be owed now."""
        if self.answering is not None:
            self.answering.wake()


class ChatReception:
    """Keeps the room of a running chat, for the parts of the house that ask an application for it.

    Parameters
    ----------
    room : ChatRoom
    """

    def __init__(self, room: ChatRoom) -> None:
        self._room = room

    def room(self) -> ChatRoom:
        """Return the room."""
        return self._room


def chat_room() -> ChatRoom:
    """Return what the views of the current application share."""
    reception: ChatReception = current_app.extensions["ratify"]
    return reception.room()
