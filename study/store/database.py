"""The store: read a database, and write to it so that nothing acknowledged can be lost.

The database is SQLite by default, or PostgreSQL if a URL names one.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy import create_engine, delete, insert, select
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from prereg import files
from prereg.errors import RatifyError
from prereg.lock import utc_now
from prereg.plan.model import FURTHER_PLACES
from study.store import settings
from study.store.commits import SharedCommits
from study.store.engines import PATIENCE_SECONDS, URL_VARIABLE, arguments, checked_url, engine_of
from study.store.faults import NoStoreError, fault, missing
from study.store.schema import prepare
from study.store.sqlite_file import Eraser, StoreFile
from study.store.tables import Slot

STORE_FILE = "study.sqlite3"
# A study folder has this file if its answers are in another database.
ELSEWHERE_FILE = ".ratify-store"
# A study folder has this file once it has a store: from then on, a missing store is a loss.
BEGUN_FILE = ".ratify-begun"
ERASE_SETTING = "erase"
T = TypeVar("T")


class Store:
    """A database and its transactions.

    Parameters
    ----------
    url : str or URL
        `sqlite:///FILE` or `postgresql+psycopg://...`.
    patience : float
        How many seconds to wait for a lock that another program holds.
    new : bool
        Whether the store may be made; if not, a missing or an empty one is refused.

    Raises
    ------
    RatifyError
        When the URL cannot be used, the database does not answer or is damaged, a newer Ratify
        wrote it, or there is none and none may be made.
    """

    def __init__(
        self, url: str | URL, *, patience: float = PATIENCE_SECONDS, new: bool = True
    ) -> None:
        parsed = checked_url(url)
        self._file = StoreFile.of(parsed)
        self._patience = patience
        if self._file is not None:
            if not new and not self._file.is_there():
                raise missing(self._file.path)
            self._file.make()
        try:
            self.engine = engine_of(parsed, patience)
            prepare(self.engine, new=new)
        except ModuleNotFoundError as error:
            raise RatifyError(
                f"PostgreSQL's driver is not installed: {error}",
                file=URL_VARIABLE,
                allowed="install Ratify with its extra postgresql",
            ) from error
        except SQLAlchemyError as error:
            raise fault(error, self._place(parsed)) from error
        if self._file is not None:
            self._file.make()  # SQLite has made the log meanwhile
            self._file.remember()
        self._writes = self.engine.execution_options(ratify_begin="BEGIN IMMEDIATE")
        # what only reads needs no transaction, which would take PostgreSQL two more messages
        alone = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._reads = self.engine.execution_options(ratify_begin="", **alone)
        self._commits = SharedCommits(self._writes, patience, self._check_commit)
        self._eraser = Eraser(self._has_to_erase, self._erase)

    def _place(self, url: URL) -> str:
        """Return where the store is, for a message."""
        return str(self._file.path) if self._file else url.render_as_string(hide_password=True)

    @property
    def place(self) -> str:
        """Where the store is, without a password."""
        return self._place(self.engine.url)

    @property
    def path(self) -> Path | None:
        """The file of an SQLite store."""
        return None if self._file is None else self._file.path

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is one SQLite file, which only one process at a time may serve."""
        return self.engine.dialect.name == "sqlite"

    def _check_commit(self) -> None:
        if self._file is not None:
            self._file.check_commit()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that only reads; each statement sees what was committed before it."""
        if self._file is not None:
            self._file.check()
        with self._reads.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that reads all tables as they were at one moment."""
        engine = self.engine
        if self._file is not None:
            self._file.check()
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
        StoreBusyError
            When another program holds the lock for too long.
        StoreGoneError
            When the store's file is no longer there, so that the commit is worth nothing.
        Exception
            What the job or the commit raised. Then nothing of the job is kept.
        """
        if not self.is_sqlite:
            with self._writes.begin() as connection:
                return job(connection)
        return self._commits.run(job)

    def mark_deleted(self, connection: Connection) -> None:
        """Note, with a deletion, that its words must go from SQLite's log as well."""
        if self._file is not None:
            settings.put(connection, ERASE_SETTING, utc_now())

    def forget_deleted(self) -> bool:
        """Remove what was deleted from SQLite's log as well.

        Returns
        -------
        bool
            False if somebody reads or writes the store now; then it is tried again in the
            background, and by every server of the store.
        """
        with contextlib.suppress(SQLAlchemyError, sqlite3.Error):
            if self._erase():
                return True
        self.keep_erasing()
        return False

    def keep_erasing(self) -> None:
        """Remove in the background what was deleted, also by another process or before a restart.

        PostgreSQL removes deleted rows itself, when it vacuums.
        """
        if self._file is not None:
            self._eraser.start()

    def has_erased(self, seconds: float) -> bool:
        """Wait for some time until everything that was deleted is gone; say whether it is."""
        until = time.monotonic() + seconds
        while self._has_to_erase():
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def _has_to_erase(self) -> bool:
        if self._file is None:
            return False
        with self.reading() as connection:
            return settings.read(connection, ERASE_SETTING) is not None

    def _erase(self) -> bool:
        """Try to erase; drop the note unless something else was deleted meanwhile."""
        if self._file is None:
            return True
        with self.reading() as connection:
            since = settings.read(connection, ERASE_SETTING)
        if not self._file.erase():
            return False

        def done(connection: Connection) -> bool:
            if settings.read(connection, ERASE_SETTING) != since:
                return False
            settings.drop(connection, ERASE_SETTING)
            return True

        return self.write(done)

    def answers_now(self) -> bool:
        """Say whether the store can be read, on a connection of its own that waits for little."""
        try:
            if self._file is not None:
                self._file.check()
                with contextlib.closing(self._file.connect(0.5)) as own:
                    own.execute("SELECT count(*) FROM alembic_version").fetchone()
            else:
                engine = create_engine(
                    self.engine.url, poolclass=NullPool, connect_args=arguments(self.engine.url, 1)
                )
                with engine.connect() as connection:
                    connection.execute(select(1))
        except (SQLAlchemyError, sqlite3.Error):
            return False
        return True

    def refuse_damage(self) -> None:
        """Raise `RatifyError` if the pages of an SQLite file are damaged."""
        if self._file is not None:
            try:
                self._file.refuse_damage()
            except sqlite3.Error as error:
                raise fault(error, self.place) from error

    def close(self) -> None:
        """Close every connection."""
        self._eraser.stop()
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
        there = select(Slot.sequence_id, Slot.slot, Slot.slot_id, Slot.session_id).where(
            Slot.plan_hash == plan_hash, Slot.mode == mode
        )
        wanted = {(name, slot): None for slot in range(1, each + 1) for name in sequence_ids}

        def open_missing(connection: Connection) -> None:
            known = {(row.sequence_id, row.slot): row for row in connection.execute(there)}
            rows = [
                {"plan_hash": plan_hash, "mode": mode, "sequence_id": name, "slot": slot}
                for name, slot in wanted
                if (name, slot) not in known
            ]
            if rows:
                connection.execute(insert(Slot), rows)
            # an amended plan may have fewer sequences, as long as nobody had begun
            gone = [
                row.slot_id
                for place, row in known.items()
                if place not in wanted
                and row.session_id is None
                # a place of a rater who replaces another stays; see `study.visits.replacing`
                and row.slot <= FURTHER_PLACES
            ]
            if gone:
                unheld = Slot.session_id.is_(None)
                connection.execute(delete(Slot).where(Slot.slot_id.in_(gone), unheld))

        # an error means that another server has just opened all of the same slots
        with contextlib.suppress(IntegrityError):
            self.write(open_missing)


def open_store(
    folder: Path, url: str | None, *, patience: float = PATIENCE_SECONDS, new: bool = True
) -> Store:
    """Return the store of a study folder: the given URL, or SQLite in the folder.

    Parameters
    ----------
    folder : Path
    url : str or None
    patience : float
        See `Store`.
    new : bool
        Whether the store may be made, if the folder never had one.

    Raises
    ------
    RatifyError
        When the study's answers are in another database, and no URL names it; or when the store
        that the study had is missing or empty. An empty store beside the plan would look like a
        study without answers.
    """
    elsewhere, begun = folder / ELSEWHERE_FILE, folder / BEGUN_FILE
    if url is None and elsewhere.exists():
        raise RatifyError(
            f"this study is collected in {elsewhere.read_text(encoding='utf-8').strip()}",
            file=folder,
            allowed=f"set {URL_VARIABLE} to it, or remove {ELSEWHERE_FILE}",
        )
    if url is not None and begun.exists() and not elsewhere.exists():
        ours = (folder / STORE_FILE).absolute()
        if checked_url(url).database != str(ours):
            raise RatifyError(
                f"this study is collected in its {STORE_FILE}, and not in another database",
                file=folder,
                allowed=f"{URL_VARIABLE} not set, or remove {BEGUN_FILE} to begin anew there",
            )
    mark = begun if url is None else elsewhere
    try:
        store = Store(
            url or URL.create("sqlite", database=str(folder / STORE_FILE)),
            patience=patience,
            new=new and not mark.exists(),
        )
    except NoStoreError as error:
        if not mark.exists():
            raise
        raise RatifyError(
            "the store of this study is missing or empty",
            file=error.file,
            allowed=f"put it back; or remove {mark}, to begin with an empty store",
        ) from error
    if url is None and not mark.exists():
        files.write_text(mark, f"{STORE_FILE}\n")
    return store


def mark_store(folder: Path, store: Store) -> None:
    """Note in a study folder which other database has its answers, without the password."""
    if store.path != (folder / STORE_FILE).absolute():
        place = store.engine.url.render_as_string(hide_password=True)
        files.write_text(folder / ELSEWHERE_FILE, place + "\n")
