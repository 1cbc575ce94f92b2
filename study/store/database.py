"""The store: a database, reading, and writing that is on disk before it is acknowledged.

SQLite by default, PostgreSQL by URL.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import create_engine, event, insert, make_url, select
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from prereg import files
from prereg.errors import RatifyError
from study.store.schema import prepare
from study.store.tables import Slot

STORE_FILE = "study.sqlite3"
# Stands in a study folder whose answers are in another database.
ELSEWHERE_FILE = ".ratify-store"
URL_VARIABLE = "RATIFY_DATABASE_URL"
T = TypeVar("T")


class _Waiting(Generic[T]):
    """A piece of writing that waits for its commit."""

    def __init__(self, job: Callable[[Connection], T]) -> None:
        self.job = job
        self.result: T | None = None
        self.error: BaseException | None = None
        self.settled = False
        self.woken = threading.Event()


def no_answer(error: SQLAlchemyError) -> str:
    """Return that the database does not answer, and what its driver says about it."""
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return f"the database does not answer: {reason}"


class Store:
    """A database and its transactions.

    Parameters
    ----------
    url : str or URL
        `sqlite:///FILE` or `postgresql+psycopg://...`.

    Raises
    ------
    RatifyError
        When the URL cannot be used, the database does not answer, or a newer Ratify wrote it.
    """

    def __init__(self, url: str | URL) -> None:
        try:
            self.engine = _engine(_checked(url))
            prepare(self.engine)
        except ModuleNotFoundError as error:
            raise RatifyError(
                f"PostgreSQL's driver is not installed: {error}",
                file=URL_VARIABLE,
                allowed="install Ratify with its extra postgresql",
            ) from error
        except SQLAlchemyError as error:
            place = make_url(url).render_as_string(hide_password=True)
            raise RatifyError(no_answer(error), file=place) from error
        self._writes = self.engine.execution_options(ratify_writes=True)
        self._gate = threading.Lock()
        self._waiting: deque[_Waiting[Any]] = deque()
        self._leading = False

    @property
    def is_sqlite(self) -> bool:
        """Whether one file holds everything, which one process at a time may serve."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that only reads."""
        with self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that reads all tables as they stood at one moment."""
        engine = self.engine
        if not self.is_sqlite:  # there, any reading transaction is a snapshot
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with engine.connect() as connection:
            yield connection

    def write(self, job: Callable[[Connection], T]) -> T:
        """Do a piece of writing; return what it returns once it is committed, durably.

        On SQLite the write lock is taken before the job's first line (BEGIN IMMEDIATE), so that
        what it reads cannot change before it writes. Jobs that wait for the lock together share
        one transaction and one sync to disk, each in a savepoint of its own: one that fails is
        undone alone, and none returns before the commit.

        Parameters
        ----------
        job : callable
            Takes a Connection. May be run again by its caller, never by the store.

        Raises
        ------
        Exception
            What the job raised, or what the commit did: then nothing of it is kept.
        """
        if not self.is_sqlite:
            with self._writes.begin() as connection:
                return job(connection)
        mine = _Waiting(job)
        with self._gate:
            self._waiting.append(mine)
            leads, self._leading = not self._leading, True
        if not leads:
            mine.woken.wait()  # until a leader has settled it, or names it the next leader
        if not mine.settled:
            self._settle_waiting()
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]

    def _settle_waiting(self) -> None:
        """Run the first job, and with it all that wait, in one transaction."""
        batch = [self._waiting.popleft()]
        try:
            with self._writes.begin() as connection:
                _run(batch[0], connection)
                while self._waiting:  # each thread waits with one job, so this ends
                    batch.append(self._waiting.popleft())
                    _run(batch[-1], connection)
        except BaseException as error:  # the commit failed: nobody is acknowledged
            for one in batch:
                one.error = one.error or error
        with self._gate:
            self._leading = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.set()
        for one in batch:
            one.settled = True
            one.woken.set()

    def forget_deleted(self) -> None:
        """Take what was deleted out of SQLite's write-ahead log too, as far as nobody reads it."""
        if self.is_sqlite:
            with contextlib.closing(self.engine.raw_connection()) as connection:
                # outside of any transaction; says so, and does nothing, where somebody reads
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def open_slots(
        self, plan_hash: str, mode: str, sequence_ids: list[str], *, each: int = 1
    ) -> None:
        """Make sure that every sequence has its slots; harmless when several servers start at once.

        Parameters
        ----------
        plan_hash, mode : str
        sequence_ids : list of str
            In the order in which they are to be given out.
        each : int
            Slots of one sequence.
        """
        there = select(Slot.sequence_id).where(Slot.plan_hash == plan_hash, Slot.mode == mode)

        def open_missing(connection: Connection) -> None:
            known = set(connection.scalars(there))
            rows = [
                {"plan_hash": plan_hash, "mode": mode, "sequence_id": name, "slot": slot}
                for slot in range(1, each + 1)
                for name in sequence_ids
                if name not in known
            ]
            if rows:
                connection.execute(insert(Slot), rows)

        # a refusal means that another server has just opened the same slots, all of them
        with contextlib.suppress(IntegrityError):
            self.write(open_missing)


def _run(one: _Waiting[Any], connection: Connection) -> None:
    """Run one job in a savepoint."""
    connection.exec_driver_sql("SAVEPOINT one")
    try:
        one.result = one.job(connection)
    except Exception as error:  # handed to the thread that waits for it
        one.error = error
        connection.exec_driver_sql("ROLLBACK TO one")
    connection.exec_driver_sql("RELEASE one")


def open_store(folder: Path, url: str | None) -> Store:
    """Return the store of a study folder: the given URL, or SQLite in the folder.

    Raises
    ------
    RatifyError
        When the study is being collected in another database, and no URL names it: an empty store
        beside the plan would look like a study without answers.
    """
    mark = folder / ELSEWHERE_FILE
    if url is None and mark.exists():
        raise RatifyError(
            f"this study is collected in {mark.read_text(encoding='utf-8').strip()}",
            file=folder,
            allowed=f"set {URL_VARIABLE} to it, or remove {ELSEWHERE_FILE}",
        )
    return Store(url or URL.create("sqlite", database=str(folder / STORE_FILE)))


def mark_store(folder: Path, store: Store) -> None:
    """Note in a study folder that its answers are in a database elsewhere; without its password."""
    if not store.is_sqlite:
        place = store.engine.url.render_as_string(hide_password=True)
        files.write_text(folder / ELSEWHERE_FILE, place + "\n")


def _checked(url: str | URL) -> URL:
    allowed = "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise RatifyError("is not a database URL", file=URL_VARIABLE, allowed=allowed) from error
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise RatifyError(
            "is a database that Ratify does not know",
            file=URL_VARIABLE,
            value=parsed.get_backend_name(),
            allowed=allowed,
        )
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=20, max_overflow=20, pool_pre_ping=True)
    engine = create_engine(
        url, pool_size=20, max_overflow=20, connect_args={"timeout": 30, "check_same_thread": False}
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    """Take transactions into our own hands, and make a commit survive a power cut."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")  # what a rater has withdrawn is overwritten
    cursor.close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ratify_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
