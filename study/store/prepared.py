"""Statements that every page runs: the driver runs what SQLAlchemy compiled once.

On PostgreSQL this is so only of what is read without a lock: SQLAlchemy hears of waits in vain.

SQLAlchemy's own way to a statement takes several times as long as the statement itself.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
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
        self._read: _OnPostgreSQL | None = None

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Any | None:
        """Return the first row of a select, with its columns as attributes, or None.

        Raises
        ------
        SQLAlchemyError
            What the database raised.
        """
        if connection.dialect.name != SQLITE:
            return next(
                iter(self._on_postgresql(connection.dialect).rows(connection, values)), None
            )
        here = self._on_sqlite(connection.dialect)
        with contextlib.closing(here.run(connection, values)) as cursor:  # an open one holds a lock
            found = cursor.fetchone()
        return None if found is None else here.row(found)

    def every(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Return the rows of a select, with their columns as attributes; raises as `one` does."""
        if connection.dialect.name != SQLITE:
            return self._on_postgresql(connection.dialect).rows(connection, values)
        here = self._on_sqlite(connection.dialect)
        with contextlib.closing(here.run(connection, values)) as cursor:
            return [here.row(found) for found in cursor.fetchall()]

    def change(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run an update, and return how many rows it has changed; raises as `one` does."""
        if connection.dialect.name != SQLITE:
            return connection.execute(self._statement, dict(values)).rowcount
        return self._on_sqlite(connection.dialect).run(connection, values).rowcount

    def _on_postgresql(self, dialect: Dialect) -> _OnPostgreSQL:
        if self._read is None:
            self._read = _OnPostgreSQL(self._statement, dialect)
        return self._read

    def _on_sqlite(self, dialect: Dialect) -> _OnSQLite:
        if self._compiled is None:
            self._compiled = _OnSQLite(self._statement, dialect)
        return self._compiled


class _Compiled:
    """A statement as a driver takes it, and how its rows are read."""

    def __init__(self, statement: Select[Any] | Update, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self._sql = compiled.string
        self._constants = compiled.params
        self._names = tuple(compiled.positiontup or ())
        columns = list(statement.selected_columns) if isinstance(statement, Select) else []
        names = [str(column.key) for column in columns]
        self._make = make_row("Row", names)._make
        self._types = [column.type.dialect_impl(dialect) for column in columns]
        self._dialect = dialect
        self._readers: list[tuple[int, Callable[[Any], Any]]] = []

    def read_as(self, codes: Sequence[Any]) -> None:
        """Take over how cells are read, from the driver's codes of their types."""
        found = [
            (place, kind.result_processor(self._dialect, code))
            for place, (kind, code) in enumerate(zip(self._types, codes, strict=True))
        ]
        self._readers = [(place, reader) for place, reader in found if reader is not None]

    def row(self, found: Sequence[Any]) -> Any:
        """Return a row with the types of its columns."""
        if self._readers:
            cells = list(found)
            for place, reader in self._readers:
                cells[place] = reader(cells[place])
            return self._make(cells)
        return self._make(found)


class _OnPostgreSQL(_Compiled):
    """A select as PostgreSQL's driver takes it."""

    def __init__(self, statement: Select[Any] | Update, dialect: Dialect) -> None:
        super().__init__(statement, dialect)
        self._locks = getattr(statement, "_for_update_arg", None) is not None
        self._statement = statement
        self._is_known = False  # whether the types of its columns are

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Run the statement in the connection's transaction."""
        if self._locks:
            return list(connection.execute(self._statement, dict(values)))
        driver: Any = connection.connection.dbapi_connection
        given = {**self._constants, **values}
        try:
            cursor = driver.execute(self._sql, given)
            if not self._is_known:
                codes = [column.type_code for column in cursor.description]
                self.read_as(codes)
                self._is_known = True
            return [self.row(found) for found in cursor]
        except driver.Error as error:
            raise DBAPIError.instance(self._sql, given, error, driver.Error) from error


class _OnSQLite(_Compiled):
    """A statement as SQLite's driver takes it."""

    def __init__(self, statement: Select[Any] | Update, dialect: Dialect) -> None:
        super().__init__(statement, dialect)
        self.read_as([None] * len(self._types))

    def run(self, connection: Connection, values: Mapping[str, Any]) -> sqlite3.Cursor:
        """Run the statement in the connection's transaction."""
        driver: Any = connection.connection.dbapi_connection
        given = [values[n] if n in values else self._constants[n] for n in self._names]
        try:
            return driver.execute(self._sql, given)  # type: ignore[no-any-return]
        except sqlite3.Error as error:
            raise DBAPIError.instance(self._sql, given, error, sqlite3.Error) from error
