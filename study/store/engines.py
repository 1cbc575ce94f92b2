"""Engines of SQLAlchemy for the two databases: durable, and with no wait that never ends."""

from __future__ import annotations

import sqlite3
import time
from functools import partial
from typing import Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext
from sqlalchemy.exc import ArgumentError, OperationalError

from prereg.errors import RatifyError

URL_VARIABLE = "RATIFY_DATABASE_URL"
# How long a command waits for a lock that somebody else holds; a server waits for less.
PATIENCE_SECONDS = 30.0
SERVING_SECONDS = 3.0
# After a wait in vain, a server waits for less, for so many seconds.
STUCK_SECONDS, STUCK_WAIT_SECONDS = 5.0, 0.2
# PostgreSQL's code for a lock that was not free in time.
LOCK_NOT_AVAILABLE = "55P03"


def checked_url(url: str | URL) -> URL:
    """Return the URL of a database; raise `RatifyError` if Ratify cannot use it."""
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


def engine_of(url: URL, patience: float) -> Engine:
    """Return an engine that waits for `patience` seconds, at most, for a lock or a connection."""
    engine = create_engine(
        url,
        pool_size=20,
        max_overflow=20,
        pool_timeout=patience,
        pool_pre_ping=url.get_backend_name() != "sqlite",
        connect_args=arguments(url, patience),
    )
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    else:
        event.listen(engine, "connect", partial(_limit_waits, patience=patience))
        if patience < PATIENCE_SECONDS:
            stuck = _Stuck()
            event.listen(engine, "handle_error", stuck.on_error)
            event.listen(engine, "begin", stuck.on_begin)
    return engine


class _Stuck:
    """Shortens the waits for PostgreSQL's locks after one in vain.

    Otherwise each of a server's threads would wait in full, one request after the other, and the
    last of many raters would wait for all of them.
    """

    def __init__(self) -> None:
        self._until = 0.0

    def on_error(self, context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            self._until = time.monotonic() + STUCK_SECONDS

    def on_begin(self, connection: Connection) -> None:
        if time.monotonic() < self._until:
            driver: Any = connection.connection.dbapi_connection
            driver.execute(f"SET LOCAL lock_timeout = {round(1000 * STUCK_WAIT_SECONDS)}")


def arguments(url: URL, patience: float) -> dict[str, Any]:
    """Return what the driver is told, so that no connection waits longer than `patience`."""
    if url.get_backend_name() == "sqlite":
        return {"timeout": patience, "check_same_thread": False}
    seconds = max(1, round(patience))
    return {"connect_timeout": max(2, seconds), "tcp_user_timeout": 1000 * seconds}


def _limit_waits(connection: Any, _record: Any, *, patience: float) -> None:
    """Let PostgreSQL give up a statement that waits for a lock, and a server's that never ends."""
    before, connection.autocommit = connection.autocommit, True
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {round(1000 * patience)}")
        if patience < PATIENCE_SECONDS:
            cursor.execute(f"SET statement_timeout = {round(10_000 * patience)}")
    connection.autocommit = before


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
        try:
            driver.execute(begin)
        except sqlite3.Error as error:
            raise OperationalError(begin, None, error) from error
