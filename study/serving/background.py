"""What works in the background of a server process, for as long as it serves an application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from flask import Flask

_NAME = "ratify-background"


class Worker(Protocol):
    """Something that runs beside the requests."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End; what is not done yet stays to be done by another process."""


def add_background(app: Flask, worker: Worker) -> None:
    """Let something run in every process that serves an application."""
    app.extensions[_NAME] = worker


@contextmanager
def in_background(app: Flask) -> Iterator[None]:
    """Run what belongs to an application, if anything, while this process serves it."""
    worker: Worker | None = app.extensions.get(_NAME)
    if worker is None:
        yield
        return
    worker.start()
    try:
        yield
    finally:
        worker.stop()
