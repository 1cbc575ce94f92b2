"""Make the store's schema in a new database, and update the schema of an older release.

A store says in `alembic_version` which revision it has. Everything happens in one transaction that
excludes every other server (SQLite: the write lock; PostgreSQL: an advisory lock). So a crash
leaves the schema as it was, and if several servers start at once, one does the work.
"""

from __future__ import annotations

import sqlite3
import time

from sqlalchemy import Column, MetaData, String, Table, insert, inspect, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.schema import PrimaryKeyConstraint

import study.store.chat_tables  # noqa: F401 - its tables belong to the schema
from prereg.errors import RatifyError
from study.store.faults import missing
from study.store.tables import Base

# In the order of study/store/migrations/versions. Alembic is slow to import, so it is imported only
# to upgrade an old store, not to open a store that is current or new.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
HEAD = REVISIONS[-1]

PATIENCE_SECONDS = 10.0
ADVISORY_LOCK = 0x726174696679  # any number, the same for every server: "ratify"
SCRIPTS = "study.store:migrations"

# The tables of release 0.1.0, which did not record its revision.
UNMARKED = frozenset({"slots", "visits", "showings", "judgments", "ratings"})

# The same table as Alembic makes.
_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def prepare(engine: Engine, *, new: bool = True) -> None:
    """Make sure that a database has this release's tables; if it has, this takes one SELECT.

    Parameters
    ----------
    engine : Engine
        Its transactions with the option `ratify_begin` begin with that statement, which takes
        SQLite's write lock at once. After an error it has no open connection.
    new : bool
        Whether the tables may be made in an empty database.

    Raises
    ------
    RatifyError
        When there are no tables and none may be made, a newer version of Ratify wrote the store,
        or the tables are not Ratify's.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    try:
        while True:
            try:
                if not _is_current(engine):
                    _bring_up_to_date(engine, new=new)
            except OperationalError as error:
                # SQLite does not wait if two connections switch a new file to WAL mode at once
                code = getattr(error.orig, "sqlite_errorcode", 0)
                if time.monotonic() > give_up or code & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                time.sleep(0.1)
            else:
                return
    except BaseException:
        engine.dispose()
        raise


def _is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        try:
            return connection.scalar(select(_version.c.version_num)) == HEAD
        except (OperationalError, ProgrammingError):
            return False  # no such table; after any other error, the next statement fails too


def _bring_up_to_date(engine: Engine, *, new: bool) -> None:
    with engine.execution_options(ratify_begin="BEGIN IMMEDIATE").begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        revision = _revision(connection)
        if revision is None and not new:
            raise missing(engine.url.database or engine.url.render_as_string(hide_password=True))
        if revision is None:
            Base.metadata.create_all(connection)
            _stamp(connection, HEAD)
        elif revision != HEAD:
            _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    """Return the revision of the store, or None for a new one; mark a store of release 0.1.0."""
    there = set(inspect(connection).get_table_names())
    revision: str | None = None
    if _version.name in there:
        revision = connection.scalar(select(_version.c.version_num))
    place = connection.engine.url.render_as_string(hide_password=True)
    if revision is not None and revision not in REVISIONS:
        raise RatifyError(
            "was written by a newer version of Ratify", file=place, allowed="that version"
        )
    if revision is None and there >= UNMARKED:
        revision = REVISIONS[0]
        _stamp(connection, revision)
    elif revision is None and (taken := there & (UNMARKED | Base.metadata.tables.keys())):
        raise RatifyError(
            f"holds tables that no version of Ratify made: {', '.join(sorted(taken))}",
            file=place,
            allowed="an empty database, or a store of Ratify",
        )
    return revision


def _stamp(connection: Connection, revision: str) -> None:
    _version.create(connection, checkfirst=True)
    connection.execute(insert(_version).values(version_num=revision))


def _upgrade(connection: Connection) -> None:
    """Run the missing steps in the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", SCRIPTS)
    config.set_main_option("path_separator", "os")
    command.upgrade(config, HEAD)
