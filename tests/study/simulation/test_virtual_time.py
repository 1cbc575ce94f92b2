"""If this failed, simulated supporters would share one time, or have to wait in real time."""

from __future__ import annotations

from flask import Flask

from study.bots.chatting import HEADER
from study.simulation.virtual_time import VirtualClock


def test_each_request_has_its_own_time_and_others_have_the_latest() -> None:
    clock, app = VirtualClock(100.0), Flask("here")
    assert clock() == 100.0
    with app.test_request_context(headers={HEADER: "250.5"}):
        assert clock() == 250.5
    with app.test_request_context(headers={HEADER: "200"}):
        assert clock() == 200.0
    with app.test_request_context():
        assert clock() == 250.5
    assert clock() == 250.5
