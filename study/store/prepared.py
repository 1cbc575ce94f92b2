"""Statements that every page runs: on SQLite, the driver runs what SQLAlchemy compiled once.

SQLAlchemy's own way to a statement takes several times as long as the statement itself.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select, Update
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

SQLITE = "sqlite"
make_row: Any = namedtuple  # the names of a statement's columns are known only when it is made


class Prepared:
    """A statement that is compiled once.

    Parameters
    ----------
    statement : select or update
        Each of its values is a bound parameter, or a constant. An update sets no column that has a
        default of its own when rows change.
    """

    def __init__(self, statement: Select[Any] | Update) -> None:
        self._statement = statement
        self._compiled: _OnSQLite | None = None

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Any | None:
        """Return the first row of a select, with its columns as attributes, or None.

        Raises
        ------
        SQLAlchemyError
            What the database raised.
        """
        if connection.dialect.name != SQLITE:
            return connection.execute(self._statement, dict(values)).first()
        here = self._on_sqlite(connection.dialect)
        with contextlib.closing(here.run(connection, values)) as cursor:  # an open one holds a lock
            found = cursor.fetchone()
        return None if found is None else here.row(found)

    def change(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run an update, and return how many rows it has changed; raises as `one` does."""
        if connection.dialect.name != SQLITE:
            return connection.execute(self._statement, dict(values)).rowcount
        return self._on_sqlite(connection.dialect).run(connection, values).rowcount

    def _on_sqlite(self, dialect: Dialect) -> _OnSQLite:
        if self._compiled is None:
            self._compiled = _OnSQLite(self._statement, dialect)
        return self._compiled


class _OnSQLite:
    """A statement as SQLite's driver takes it."""

    def __init__(self, statement: Select[Any] | Update, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self._sql = compiled.string
        self._constants = compiled.params
        self._names = tuple(compiled.positiontup or ())
        columns = list(statement.selected_columns) if isinstance(statement, Select) else []
        names = [str(column.key) for column in columns]
        self._make = make_row("Row", names)._make
        self._readers: list[tuple[int, Callable[[Any], Any]]] = []
        for place, column in enumerate(columns):
            reader = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if reader is not None:
                self._readers.append((place, reader))

    def run(self, connection: Connection, values: Mapping[str, Any]) -> sqlite3.Cursor:
        """Run the statement in the connection's transaction."""
        driver: Any = connection.connection.dbapi_connection
        given = [values[n] if n in values else self._constants[n] for n in self._names]
        try:
            return driver.execute(self._sql, given)  # type: ignore[no-any-return]
        except sqlite3.Error as error:
            raise DBAPIError.instance(self._sql, given, error, sqlite3.Error) from error

    def row(self, found: tuple[Any, ...]) -> Any:
        """Return a row with the types of its columns."""
        if self._readers:
            cells = list(found)
            for place, reader in self._readers:
                cells[place] = reader(cells[place])
            return self._make(cells)
        return self._make(found)
