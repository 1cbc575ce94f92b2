"""The researcher's settings while a study runs, in the store: the password's hash, a pause."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from study.store.tables import Setting


def read(connection: Connection, name: str) -> str | None:
    """Return a setting, or None if it is not set."""
    return connection.scalar(select(Setting.value).where(Setting.name == name))


def put(connection: Connection, name: str, value: str) -> None:
    """Set a setting, and replace its earlier value."""
    added = _insert(connection).values(name=name, value=value)
    connection.execute(added.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def put_first(connection: Connection, name: str, value: str) -> bool:
    """Set a setting unless it is set already; say whether this call set it."""
    added = _insert(connection).values(name=name, value=value)
    untouched = added.on_conflict_do_nothing(index_elements=["name"])
    return connection.scalar(untouched.returning(Setting.name)) is not None


def drop(connection: Connection, name: str) -> None:
    """Delete a setting."""
    connection.execute(delete(Setting).where(Setting.name == name))


def _insert(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    """Return the dialect's own INSERT, which can handle a row that is already there."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(Setting)
    return postgresql.insert(Setting)
