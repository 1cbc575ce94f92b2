"""Commits that several writers of one SQLite file share: one lock and one sync to disk for all."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from study.store.faults import StoreBusyError

# If the lock has been waited for as long as this, others who need it are refused at once.
STUCK_SECONDS = 1.0
T = TypeVar("T")


class _Waiting(Generic[T]):
    """A job that writes, and waits for its commit."""

    def __init__(self, job: Callable[[Connection], T]) -> None:
        self.job = job
        self.result: T | None = None
        self.error: BaseException | None = None
        self.settled = False
        self.woken = threading.Event()


class SharedCommits:
    """Runs jobs that write; those that wait for the lock together share one transaction.

    Parameters
    ----------
    engine : Engine
        Its transactions take the write lock when they begin.
    patience : float
        How many seconds the engine waits for that lock.
    check : callable
        Called after each commit; raises an error if the commit is worth nothing.
    """

    def __init__(self, engine: Engine, patience: float, check: Callable[[], None]) -> None:
        self._engine, self._patience, self._check = engine, patience, check
        self._gate = threading.Lock()
        self._waiting: deque[_Waiting[Any]] = deque()
        self._leading = False
        self._stuck_since: float | None = None

    def run(self, job: Callable[[Connection], T]) -> T:
        """Run a job; return its result once it is durably committed; see `Store.write`."""
        mine = _Waiting(job)
        with self._gate:
            if self._leading and self._is_stuck():
                raise StoreBusyError("database is locked")
            self._waiting.append(mine)
            leads, self._leading = not self._leading, True
        if not leads:
            self._wait_for_leader(mine)
        if not mine.settled:
            self._settle_waiting()
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]

    def _is_stuck(self) -> bool:
        since = self._stuck_since
        return since is not None and time.monotonic() - since > STUCK_SECONDS

    def _wait_for_leader(self, mine: _Waiting[Any]) -> None:
        """Wait until a leader has settled a job or made it the next leader, but not for ever."""
        if mine.woken.wait(2 * self._patience):
            return
        with self._gate:
            if mine.woken.is_set():
                return
            if mine in self._waiting:
                self._waiting.remove(mine)
        # if it has begun, it may still be kept, but nobody was told so
        raise StoreBusyError("the disk does not answer")

    def _settle_waiting(self) -> None:
        """Run the first job and all other jobs that wait in one transaction."""
        batch: list[_Waiting[Any]] = []
        try:
            if self._stuck_since is None:
                self._stuck_since = time.monotonic()
            with self._engine.begin() as connection:
                self._stuck_since = None
                while self._waiting:  # each thread waits with one job, so this ends
                    batch.append(self._waiting.popleft())
                    _run(batch[-1], connection)
            self._check()
        except BaseException as fault:  # no job is acknowledged
            error = fault
            if isinstance(fault, sqlite3.Error):  # from the driver itself
                error = OperationalError("SAVEPOINT", None, fault)
            with self._gate:
                if not batch:  # there was no lock for anybody
                    batch = list(self._waiting)
                    self._waiting.clear()
            for one in batch:
                one.error = one.error or error
        with self._gate:
            self._leading = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.set()
        for one in batch:
            one.settled = True
            one.woken.set()


def _run(one: _Waiting[Any], connection: Connection) -> None:
    """Run one job in a savepoint."""
    # said to the driver itself: through SQLAlchemy these would cost more than the job's statements
    driver: Any = connection.connection.dbapi_connection
    driver.execute("SAVEPOINT one")
    try:
        one.result = one.job(connection)
    except Exception as error:  # handed to the thread that waits for it
        one.error = error
        driver.execute("ROLLBACK TO one")
    driver.execute("RELEASE one")
