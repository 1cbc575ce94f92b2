"""Reads one of several tables with names that not all of them have to use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from prereg.errors import RatifyError
from prereg.tables.absent_columns import the_columns
from prereg.tables.cleaning import clean_name
from prereg.tables.notes import heard_by, tell
from prereg.tables.reader import Table, read_table
from prereg.tables.reading import Reading


def read_fitting(path: Path | str, reading: Reading) -> Table:
    """Read a table, and rename only those columns of the reading that this file has.

    Raises
    ------
    RatifyError
        As `read_table`, except that a file may lack a name.
    """
    if not reading.columns:
        return read_table(path, reading)
    with heard_by(None):  # they have the names that the file gives its columns
        plain = read_table(path, replace(reading, columns={}))
    fitting = {
        ours: theirs
        for ours, theirs in reading.columns.items()
        if clean_name(theirs) in plain.columns
    }
    if fitting:
        return read_table(path, replace(reading, columns=fitting))
    tell(plain.notes)
    return plain


def refuse_unused(tables: Iterable[Table], reading: Reading) -> None:
    """Raise `RatifyError` at a name of the reading that none of the tables has."""
    tables = list(tables)
    for ours, theirs in reading.columns.items():
        if not any(ours in table.columns for table in tables):
            there = dict.fromkeys(name for table in tables for name in table.columns if name)
            raise RatifyError(
                f"no file has a column '{theirs}': {the_columns(list(there))}", file="--map"
            )
