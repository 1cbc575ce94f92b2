"""The store: read a database, and write to it so that nothing acknowledged can be lost.

The database is SQLite by default, or PostgreSQL if a URL names one.
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
# A study folder has this file if its answers are in another database.
ELSEWHERE_FILE = ".ratify-store"
URL_VARIABLE = "RATIFY_DATABASE_URL"
T = TypeVar("T")


class _Waiting(Generic[T]):
    """A job that writes, and waits for its commit."""

    def __init__(self, job: Callable[[Connection], T]) -> None:
        self.job = job
        self.result: T | None = None
        self.error: BaseException | None = None
        self.settled = False
        self.woken = threading.Event()


def no_answer(error: SQLAlchemyError) -> str:
    """Return the message that the database does not answer, with the driver's reason."""
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
        self._writes = self.engine.execution_options(ratify_begin="BEGIN IMMEDIATE")
        self._reads = self.engine.execution_options(ratify_begin="")
        self._gate = threading.Lock()
        self._waiting: deque[_Waiting[Any]] = deque()
        self._leading = False

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is one SQLite file, which only one process at a time may serve."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that only reads; each statement sees what was committed before it."""
        with self._reads.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that reads all tables as they were at one moment."""
        engine = self.engine
        if not self.is_sqlite:  # with SQLite, any reading transaction is a snapshot
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with engine.connect() as connection:
            yield connection

    def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job that writes; return its result once it is durably committed.

        On SQLite the write lock is taken before the job's first line (BEGIN IMMEDIATE), so that
        what it reads cannot change before it writes. Jobs that wait for the lock together share
        one transaction and one sync to disk. Each has its own savepoint, so a job that fails is
        undone alone. No job returns before the commit.

        Parameters
        ----------
        job : callable
            Takes a Connection. The store runs it only once.

        Raises
        ------
        Exception
            What the job or the commit raised. Then nothing of the job is kept.
        """
        if not self.is_sqlite:
            with self._writes.begin() as connection:
                return job(connection)
        mine = _Waiting(job)
        with self._gate:
            self._waiting.append(mine)
            leads, self._leading = not self._leading, True
        if not leads:
            mine.woken.wait()  # until a leader has settled it, or made it the next leader
        if not mine.settled:
            self._settle_waiting()
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]

    def _settle_waiting(self) -> None:
        """Run the first job and all other jobs that wait in one transaction."""
        batch = [self._waiting.popleft()]
        try:
            with self._writes.begin() as connection:
                _run(batch[0], connection)
                while self._waiting:  # each thread waits with one job, so this ends
                    batch.append(self._waiting.popleft())
                    _run(batch[-1], connection)
        except BaseException as error:  # the commit failed: no job is acknowledged
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
        """Remove deleted rows from SQLite's write-ahead log too, unless somebody is reading it."""
        if self.is_sqlite:
            with contextlib.closing(self.engine.raw_connection()) as connection:
                # must run outside a transaction; does nothing if somebody is reading
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def open_slots(
        self, plan_hash: str, mode: str, sequence_ids: list[str], *, each: int = 1
    ) -> None:
        """Make sure that every sequence has its slots, even if several servers start at once.

        Parameters
        ----------
        plan_hash, mode : str
        sequence_ids : list of str
            In the order in which they will be given to raters.
        each : int
            Number of slots of one sequence.
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

        # an error means that another server has just opened all of the same slots
        with contextlib.suppress(IntegrityError):
            self.write(open_missing)


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


def open_store(folder: Path, url: str | None) -> Store:
    """Return the store of a study folder: the given URL, or SQLite in the folder.

    Raises
    ------
    RatifyError
        When the study's answers are in another database, and no URL names it. An empty store
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
    """Note in a study folder which other database has its answers, without the password."""
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
            "is not a database that Ratify can use",
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
    """Let this module begin transactions itself, and make a commit survive a power cut."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")  # deleted answers are overwritten
    cursor.close()


def _on_begin(connection: Connection) -> None:
    begin = connection.get_execution_options().get("ratify_begin", "BEGIN")
    if begin:
        driver: Any = connection.connection.dbapi_connection
        driver.execute(begin)
