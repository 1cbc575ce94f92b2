"""Insert a row unless its unique constraints say that it is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from study.store.tables import Base


def insert_new(connection: Connection, table: type[Base], values: Mapping[str, Any]) -> bool:
    """Insert a row; return False, and change nothing, if there is one that it would repeat.

    Parameters
    ----------
    connection : Connection
    table : type of Base
    values : mapping
    """
    here = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = here.insert(table).values(dict(values)).on_conflict_do_nothing()
    # PostgreSQL's driver does not count the rows of such a statement
    made = row.returning(*table.__table__.primary_key)
    return connection.execute(made).first() is not None
