"""How long a trial was on the screen, even if somebody sets the server's clock meanwhile.

The store holds times of day. Beside them, each server process keeps the steady clock of the trials
that it showed, which nobody can set. If the two disagree, the steady clock is believed; without it
(after a restart, or if another worker showed the trial) a span that cannot be is left empty.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import datetime

# Two readings of the same span differ by less than this, unless a clock was set.
SLACK_MS = 1000
# How many trials a process remembers; each takes about 200 bytes.
MOST = 50_000


class Stopwatch:
    """The steady clock of the trials that this process showed."""

    def __init__(self) -> None:
        self._shown: OrderedDict[tuple[str, int], float] = OrderedDict()

    def start(self, session_id: str, position: int) -> None:
        """Note that a trial is shown now; a later call for the same trial changes nothing."""
        self._shown.setdefault((session_id, position), time.monotonic())
        if len(self._shown) > MOST:
            self._shown.popitem(last=False)

    def read(self, session_id: str, position: int) -> int | None:
        """Return the milliseconds since a trial was shown, if this process showed it."""
        shown = self._shown.get((session_id, position))
        return None if shown is None else round((time.monotonic() - shown) * 1000)

    def stop(self, session_id: str, position: int) -> None:
        """Forget a trial, because it was answered."""
        self._shown.pop((session_id, position), None)


stopwatch = Stopwatch()


def elapsed(session_id: str, position: int, shown_at: str, now: str) -> int | None:
    """Return the milliseconds between two times of day of one trial.

    Returns
    -------
    int or None
        None if the clock was set back, and nothing else says how long it was.
    """
    by_clock = milliseconds(shown_at, now)
    steady = stopwatch.read(session_id, position)
    if steady is not None and abs(by_clock - steady) > SLACK_MS:
        return steady
    return by_clock if by_clock >= 0 else None


def was_set(shown_at: str | None, answered_at: str, response_ms: int | None) -> bool | None:
    """Say whether the server's clock was set between the two times of a row.

    Returns
    -------
    bool or None
        None if the row does not say when the trial was shown.
    """
    if shown_at is None:
        return None
    span = milliseconds(shown_at, answered_at)
    return span < 0 or response_ms is None or abs(span - response_ms) > SLACK_MS


def milliseconds(start: str, end: str) -> int:
    """Return the milliseconds between two times in the store's format."""
    span = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return round(span.total_seconds() * 1000)
