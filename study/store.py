"""The store: SQLAlchemy models and the two kinds of transaction, reading and writing.

SQLite by default, PostgreSQL by URL. What must never happen twice is unique in the database, not
only in the code: a slot has one session, a rater one visit, a trial of a session one judgment.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Float,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
    select,
)
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from prereg.errors import RatifyError

STORE_FILE = "study.sqlite3"
MAKING_ATTEMPTS = 8
MODES = ("live", "pilot", "bot")


class Base(DeclarativeBase):
    """All tables of the store."""


class Slot(Base):
    """One sequence to be given to one rater; `session_id` says to whom."""

    __tablename__ = "slots"
    __table_args__ = (UniqueConstraint("plan_hash", "mode", "sequence_id"),)

    slot_id: Mapped[int] = mapped_column(primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    sequence_id: Mapped[str] = mapped_column(String(64))
    session_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    claimed_at: Mapped[str | None] = mapped_column(String(32))


class Visit(Base):
    """One person's visit; a row of the participants table."""

    __tablename__ = "visits"
    __table_args__ = (UniqueConstraint("plan_hash", "mode", "rater_id"),)

    session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8), index=True)
    rater_id: Mapped[str] = mapped_column(String(128))
    condition: Mapped[str] = mapped_column(String(64), default="")
    sequence_id: Mapped[str] = mapped_column(String(64))
    consented_at: Mapped[str] = mapped_column(String(32))
    finished_at: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16), default="active")


class Showing(Base):
    """When a trial was first shown; reloading the page does not start its clock again."""

    __tablename__ = "showings"

    session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    shown_at: Mapped[str] = mapped_column(String(32))


class Judgment(Base):
    """One forced choice, by a person or a judge; a row of the judgments table."""

    __tablename__ = "judgments"
    __table_args__ = (
        UniqueConstraint("session_id", "position"),
        Index("judgments_by_rater", "plan_hash", "mode", "rater_id"),
    )

    row_id: Mapped[int] = mapped_column(primary_key=True)
    judgment_id: Mapped[str] = mapped_column(String(64), unique=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    session_id: Mapped[str] = mapped_column(String(96))
    rater_id: Mapped[str] = mapped_column(String(128))
    rater_kind: Mapped[str] = mapped_column(String(8))
    scenario: Mapped[str] = mapped_column(Text)
    left_id: Mapped[str] = mapped_column(Text)
    right_id: Mapped[str] = mapped_column(Text)
    choice: Mapped[str] = mapped_column(String(5))
    position: Mapped[int] = mapped_column(Integer)
    is_attention_check: Mapped[bool] = mapped_column(Boolean, default=False)
    shown_at: Mapped[str | None] = mapped_column(String(32))
    answered_at: Mapped[str] = mapped_column(String(32))
    response_ms: Mapped[int | None] = mapped_column(Integer)
    hidden_ms: Mapped[int | None] = mapped_column(Integer)
    purpose: Mapped[str] = mapped_column(String(8), default="trial")


class Rating(Base):
    """One score of one item on one dimension; a row of the ratings table."""

    __tablename__ = "ratings"
    __table_args__ = (UniqueConstraint("plan_hash", "rater_id", "item_id", "dimension"),)

    row_id: Mapped[int] = mapped_column(primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    rater_id: Mapped[str] = mapped_column(String(128))
    rater_kind: Mapped[str] = mapped_column(String(8))
    item_id: Mapped[str] = mapped_column(Text)
    dimension: Mapped[str] = mapped_column(String(64))
    value: Mapped[float] = mapped_column(Float)
    scale_min: Mapped[int] = mapped_column(Integer)
    scale_max: Mapped[int] = mapped_column(Integer)


class Store:
    """A database and its transactions.

    Parameters
    ----------
    url : str or URL
        `sqlite:///FILE` or `postgresql+psycopg://...`.

    Raises
    ------
    RatifyError
        When the URL cannot be used or the database does not answer.
    """

    def __init__(self, url: str | URL) -> None:
        try:
            self.engine = _engine(make_url(url))
            _make_tables(self.engine)
        except ArgumentError as error:
            raise RatifyError(
                "is not a database URL",
                file="RATIFY_DATABASE_URL",
                allowed="sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
            ) from error
        except (SQLAlchemyError, ImportError) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            place = make_url(url).render_as_string(hide_password=True)
            raise RatifyError(f"the database does not answer: {reason}", file=place) from error
        self._writes = self.engine.execution_options(ratify_writes=True)
        # SQLite lets one write at a time and makes the others sleep and look again; threads of one
        # process that take turns here are woken at once
        one_at_a_time = self.engine.dialect.name == "sqlite"
        self._turn = threading.Lock() if one_at_a_time else contextlib.nullcontext()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that only reads."""
        with Session(self.engine) as session:
            yield session

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Yield a session that reads all tables as they stood at one moment."""
        engine = self.engine
        if engine.dialect.name != "sqlite":  # there, any reading transaction is a snapshot
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with Session(engine) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session whose transaction is committed, durably, when the block ends well.

        On SQLite it takes the write lock at its first line (BEGIN IMMEDIATE), so that what it
        reads cannot change before it writes.
        """
        with (
            self._turn,
            Session(self._writes, expire_on_commit=False) as session,
            session.begin(),
        ):
            session.connection()  # the transaction would otherwise begin with the first query
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def open_slots(self, plan_hash: str, mode: str, sequence_ids: list[str]) -> None:
        """Make sure that every sequence has its slot; harmless when several servers start at once.

        Parameters
        ----------
        plan_hash, mode : str
        sequence_ids : list of str
            In the order in which they are to be given out.
        """
        there = select(Slot.sequence_id).where(Slot.plan_hash == plan_hash, Slot.mode == mode)
        # a refusal means that another server has just opened the same slots, all of them
        with contextlib.suppress(IntegrityError), self.writing() as session:
            known = set(session.scalars(there))
            session.add_all(
                Slot(plan_hash=plan_hash, mode=mode, sequence_id=s)
                for s in sequence_ids
                if s not in known
            )


def open_store(folder: Path, url: str | None) -> Store:
    """Return the store of a study folder: the given URL, or SQLite in the folder."""
    return Store(url or URL.create("sqlite", database=str(folder / STORE_FILE)))


def _make_tables(engine: Engine) -> None:
    """Make the tables; servers that start together on a new database get in each other's way."""
    for attempt in range(1, MAKING_ATTEMPTS + 1):
        try:
            Base.metadata.create_all(engine)
        except (OperationalError, ProgrammingError, IntegrityError):
            if attempt == MAKING_ATTEMPTS or not _reachable(engine):
                raise
            time.sleep(0.1 * attempt)
        else:
            return


def _reachable(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            connection.execute(select(1))
    except OperationalError as error:
        return "locked" in str(error)
    return True


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
    cursor.close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ratify_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
