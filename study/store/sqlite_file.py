"""The file of an SQLite store: private, the same file for as long as it is open, and erased.

Nothing here opens the file with `open`: when a process closes a file, it loses the locks that
SQLite holds on it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from prereg import files
from prereg.errors import RatifyError
from study.store.faults import StoreGoneError, damaged

# While deleted words are erased from the log, no answer waits longer than this for it.
ERASING_SECONDS = 0.1
BESIDE = ("", "-wal", "-shm")
Identity = tuple[int, int]
Pending = Callable[[], bool]


class StoreFile:
    """One SQLite file.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()  # two names of one file are one store
        self._name, self._log = str(self.path), f"{self.path}-wal"
        self._identity: Identity | None = None
        self._log_identity: Identity | None = None

    @classmethod
    def of(cls, url: URL) -> StoreFile | None:
        """Return the file of an SQLite URL; None for a store in memory, or in another database."""
        name = url.database
        if url.get_backend_name() != "sqlite" or not name or name.startswith((":", "file:")):
            return None
        return cls(Path(name))

    def is_there(self) -> bool:
        """Say whether the file exists and is not empty."""
        with contextlib.suppress(OSError):
            return self.path.stat().st_size > 0
        return False

    def make(self) -> None:
        """Make the file if there is none, and let only its owner read it and its log."""
        with contextlib.suppress(OSError):  # SQLite itself says what is wrong with the path
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, files.PRIVATE))
        for ending in BESIDE:
            files.make_private(Path(self._name + ending))

    def remember(self) -> None:
        """Note which file is open now."""
        self._identity, self._log_identity = _identity(self._name), None

    def check(self) -> None:
        """Raise `StoreGoneError` if the path no longer leads to the file that is open."""
        if self._identity is not None and _identity(self._name) != self._identity:
            raise StoreGoneError(f"{self._name} was deleted or replaced while it was open")

    def check_commit(self) -> None:
        """Raise `StoreGoneError` if a commit just now went to a file or a log that is gone."""
        self.check()
        log = _identity(self._log)
        if self._log_identity is None:
            self._log_identity = log
        elif log != self._log_identity:
            raise StoreGoneError(f"{self._log} was deleted or replaced while it was open")

    def connect(self, seconds: float) -> sqlite3.Connection:
        """Return a connection of its own to the file, which must exist."""
        return sqlite3.connect(
            f"file:{quote(self._name)}?mode=rw", uri=True, timeout=seconds, isolation_level=None
        )

    def refuse_damage(self) -> None:
        """Raise an error of SQLite or `RatifyError` if the file is damaged."""
        with contextlib.closing(self.connect(1.0)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise damaged(self.path, str(found).splitlines()[-1])

    def erase(self) -> bool:
        """Move the log into the file and empty it, so that deleted words are nowhere.

        Returns
        -------
        bool
            False if somebody reads or writes the store at this moment.
        """
        with contextlib.closing(self.connect(ERASING_SECONDS)) as connection:
            # first without a lock, so that an answer waits only for the last step
            _, length, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if moved < length:  # somebody still reads the state before the deletion
                return False
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return bool(busy == 0)


def _identity(name: str) -> Identity | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - runs at every commit, and Path takes twice as long
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def served_by_one(path: Path) -> Iterator[None]:
    """Hold an SQLite store as its only server; the hold ends with the process, however it ends.

    Raises
    ------
    RatifyError
        When another process serves the store.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        yield
        return
    beside = path.with_name(f"{path.name}-serving")
    handle = os.open(beside, os.O_RDWR | os.O_CREAT, files.PRIVATE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            number = os.read(handle, 20).decode(errors="replace").strip()
            raise RatifyError(
                "is already served" + (f" by process {number}" if number else ""),
                file=path,
                allowed="one server for an SQLite store: stop the other one, or use PostgreSQL",
            ) from error
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


class Eraser:
    """Erases what was deleted, again and again in the background, until nothing is left.

    Parameters
    ----------
    pending : callable
        Says whether something still has to be erased.
    erase : callable
        Tries once; says whether everything is erased.
    """

    SOON, LATE, CALM = 0.2, 5.0, 15.0  # seconds between tries, and between looks

    def __init__(self, pending: Pending, erase: Pending) -> None:
        self._pending, self._erase = pending, erase
        self._asked, self._over = threading.Event(), False
        self._thread: threading.Thread | None = None
        self._gate = threading.Lock()

    def start(self) -> None:
        """Begin to look, or look at once."""
        self._asked.set()
        with self._gate:
            if self._thread is None and not self._over:
                self._thread = threading.Thread(target=self._run, name="erasing", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop; what is not erased yet is still marked in the store."""
        with self._gate:
            self._over = True
            thread = self._thread
        self._asked.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2.0)

    def _run(self) -> None:
        pause = self.SOON
        while not self._over:
            self._asked.clear()
            done = False
            with contextlib.suppress(SQLAlchemyError, sqlite3.Error):  # tried again
                done = not self._pending() or self._erase()
            pause = self.CALM if done else min(2 * pause, self.LATE)
            self._asked.wait(pause)
            pause = self.SOON if done else pause
