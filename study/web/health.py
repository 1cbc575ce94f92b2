"""Whether the server and its store answer; said within a second, whatever the store does."""

from __future__ import annotations

import threading

from flask import Flask, Response, jsonify

from study.store.database import Store
from study.web.context import room

PATH = "/health"
LONGEST_SECONDS = 1.0


class Pulse:
    """Looks whether a store answers, in a thread of its own; those who ask at once share a look.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gate = threading.Lock()
        self._looking: _Look | None = None

    def is_felt(self) -> bool:
        """Say whether the store answered within a second."""
        with self._gate:
            look = self._looking
            if look is None or look.over.is_set():
                look = self._looking = _Look(self._store)
        return look.over.wait(LONGEST_SECONDS) and look.answers


class _Look(threading.Thread):
    def __init__(self, store: Store) -> None:
        super().__init__(name="health", daemon=True)
        self.store, self.answers, self.over = store, False, threading.Event()
        self.start()

    def run(self) -> None:
        """Ask the store."""
        try:
            self.answers = self.store.answers_now()
        finally:
            self.over.set()


def add_health(app: Flask, store: Store) -> None:
    """Add the page, for a load balancer or a monitor."""
    pulse = Pulse(store)

    def health() -> tuple[Response, int]:
        here = room()
        if not pulse.is_felt():
            return jsonify(status="the store does not answer"), 503
        return jsonify(status="ok", mode=here.mode, plan_hash=here.study.plan_hash), 200

    app.add_url_rule(PATH, view_func=health)
