"""Decide how many requests to send at once: fewer after the server says "too many"."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque

from prereg.errors import RatifyError

# "Too many requests" cuts the number of calls at once to this share, once per round trip.
BACK = 0.7
# How many more calls at once after a round of answers: before the first "too many", and after.
FIRST_STEP = 4.0
STEP = 0.5
# After this many failed requests without an answer between them, the server counts as down. Then
# only one request at a time is sent.
DOWN_AFTER = 5


class Pace:
    """Decides when requests may be sent to one server.

    Parameters
    ----------
    most : int
        The most requests at once.
    patience : float
        Seconds that the server may be down before the run gives up.
    per_minute : float, optional
        The most requests that may begin in a minute; they begin at even distances.

    Attributes
    ----------
    patience : float
        May be changed while requests wait.
    """

    def __init__(self, most: int, *, patience: float, per_minute: float | None = None) -> None:
        self.most = most
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self.limit = float(most)
        self.busy = 0
        self.down_since: float | None = None
        self.patience = patience
        self._said = ""
        self._failures: set[object] = set()
        self._first_failure = 0.0
        self._limited_since: float | None = None
        self._step = FIRST_STEP
        self._not_before = 0.0
        self._cut_at = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._stopped = asyncio.Event()

    @property
    def is_down(self) -> bool:
        """Whether the server has stopped answering altogether."""
        return self.down_since is not None

    @property
    def _room(self) -> int:
        return (1 if self.is_down else max(1, int(self.limit))) - self.busy

    def stop(self) -> None:
        """Admit no more requests, and send away those that wait."""
        self._stopped.set()
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
        self._waiting.clear()

    async def enter(self) -> float | None:
        """Wait for a turn; return when it began (for `limited`), or None after a stop.

        Raises
        ------
        RatifyError
            When the server has been down for longer than the plan's patience.
        """
        while not self._stopped.is_set():
            wait = self._not_before - time.monotonic()
            if wait > 0:
                await self.sleep(wait)
                continue
            self._give_up_on_the_dead()
            if self._room > 0:
                self.busy += 1
                try:
                    begins = await self._in_rhythm()
                except asyncio.CancelledError:
                    self.leave()
                    raise
                if begins:
                    return time.monotonic()
                self.leave()
                continue
            await self._turn()
        return None

    async def _in_rhythm(self) -> bool:
        """Wait for the next place in the minute; return False after a stop."""
        if self._gap:
            begins = max(self._next, time.monotonic())
            self._next = begins + self._gap
            await self.sleep(begins - time.monotonic())
        return not self._stopped.is_set()

    def leave(self) -> None:
        """End a turn."""
        self.busy -= 1
        self._wake()

    async def sleep(self, seconds: float) -> None:
        """Sleep, but wake at a stop, or when the patience with a server that is down ends."""
        since = self.down_since
        if since is not None:
            seconds = min(seconds, max(0.0, since + self.patience - time.monotonic()) + 0.01)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    def succeeded(self) -> None:
        """Note an answer; a round of answers allows more requests at once."""
        self._failures.clear()
        self.down_since = self._limited_since = None
        self.limit = min(float(self.most), self.limit + self._step / self.limit)

    def limited(self, began: float, wait: float | None, *, said: str = "") -> None:
        """Note "too many requests": send fewer at once, and none before `wait` seconds are over."""
        now = time.monotonic()
        self._said = said or "too many requests"
        if self._limited_since is None:
            self._limited_since = now
        if began >= self._cut_at:  # calls sent before the last cut say nothing new
            self.limit = max(1.0, min(self.limit, float(self.busy)) * BACK)
            self._cut_at = now
            self._step = STEP
        if wait is not None:
            self._not_before = max(self._not_before, now + wait)

    def failed(self, request: object, *, unreachable: bool = False, said: str = "") -> None:
        """Note that a request failed because the server does not work or cannot be reached."""
        self._said = said
        if not self._failures:
            self._first_failure = time.monotonic()
        self._failures.add(request)
        many = len(self._failures) >= max(2, min(DOWN_AFTER, self.most))
        if (many or unreachable) and self.down_since is None:
            self.down_since = self._first_failure

    def _give_up_on_the_dead(self) -> None:
        since = self._limited_since if self.down_since is None else self.down_since
        if since is None:
            return
        minutes = (time.monotonic() - since) / 60
        if minutes * 60 > self.patience:
            self._wake()  # another request may take the turn that this one gives up
            said = f" ({self._said})" if self._said else ""
            raise DownError(
                f"the server has not answered for {minutes:.1f} minutes{said}",
                allowed="check the server and run the command again: no answer is lost",
            )

    async def _turn(self) -> None:
        """Wait until there may be room."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # woken and cancelled at once: another request may have the room
            raise

    def _wake(self) -> None:
        room = self._room
        while self._waiting and room > 0:
            turn = self._waiting.popleft()
            if not turn.done():  # a cancelled request no longer waits
                turn.set_result(None)
                room -= 1


class DownError(RatifyError):
    """The server has been down for longer than the plan's patience."""


def backoff(attempt: int, *, first: float, longest: float, rng: random.Random) -> float:
    """Return how long to wait after an attempt: it doubles each time, and half of it is random.

    Parameters
    ----------
    attempt : int
        From 1.
    first, longest : float
        Seconds.
    rng : random.Random
        Not one of the plan's: the plan's seed must not decide when a request is repeated.
    """
    whole = min(longest, first * 2.0 ** (attempt - 1))
    return whole / 2 + whole / 2 * rng.random()
