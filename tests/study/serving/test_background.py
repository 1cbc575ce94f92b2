"""If these failed, nobody would be answered, or a server that stops would leave replies behind."""

from __future__ import annotations

import pytest
from flask import Flask

from study.serving.background import add_background, in_background


class Noting:
    def __init__(self) -> None:
        self.noted: list[str] = []

    def start(self) -> None:
        self.noted.append("start")

    def stop(self) -> None:
        self.noted.append("stop")


def test_what_belongs_to_an_application_runs_while_it_is_served() -> None:
    app, worker = Flask("one"), Noting()
    add_background(app, worker)
    assert worker.noted == [], "a process that only makes the application does not work for it"
    with in_background(app):
        assert worker.noted == ["start"]
    assert worker.noted == ["start", "stop"]


def test_it_stops_when_the_server_breaks() -> None:
    app, worker = Flask("one"), Noting()
    add_background(app, worker)
    with pytest.raises(OSError, match="broken"), in_background(app):
        raise OSError("broken")
    assert worker.noted == ["start", "stop"]


def test_an_application_needs_none() -> None:
    with in_background(Flask("one")):
        pass
