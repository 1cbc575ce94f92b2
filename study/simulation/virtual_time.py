"""The time of a simulation: every request brings its own, so that nobody has to wait."""

from __future__ import annotations

import threading

from flask import has_request_context, request

from study.bots.chatting import HEADER


class VirtualClock:
    """Tells the time of the request that is handled; elsewhere, the latest of all so far.

    Only a server of a simulation has this clock: it believes what a request says.

    Parameters
    ----------
    start : float
        Seconds since 1970.
    """

    def __init__(self, start: float) -> None:
        self._latest = start
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the time now."""
        said = request.headers.get(HEADER) if has_request_context() else None
        if said is None:
            return self._latest
        now = float(said)
        with self._lock:
            self._latest = max(self._latest, now)
        return now
