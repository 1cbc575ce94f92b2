"""Engines of SQLAlchemy for the two databases: durable, and with no wait that never ends."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, OperationalError

from prereg.errors import RatifyError

URL_VARIABLE = "RATIFY_DATABASE_URL"
# How long a command waits for a lock that somebody else holds; a server waits for less.
PATIENCE_SECONDS = 30.0
SERVING_SECONDS = 3.0


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
    return engine


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
