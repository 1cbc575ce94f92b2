"""Reads the exported tables: their rows, and when each was made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from analysis.tables.tidy import table_path
from prereg.tables.contract import TABLES
from prereg.tables.notes import heard_by
from prereg.tables.reader import NoRowsError, Table, read_table
from prereg.tables.reading import OWN

VISITS = "participants"
# When a row was made; the first of these columns that it has.
_TIMES = ("answered_at", "consented_at", "asked_at", "sent_at", "opened_at")
# A row whose transaction was under way is that much older than what was counted meanwhile, and the
# clocks of two machines differ by as much.
_SLACK = timedelta(seconds=10)


class Made(NamedTuple):
    """A live row of people, and when it was made (ISO 8601 in UTC)."""

    table: str
    row: int
    at: str


def live_rows(place: Path, of_chat: Collection[str] = ()) -> Iterator[Made]:
    """Yield the live visits and answers of people that say when they were made.

    Parameters
    ----------
    place : Path
        The folder with the exported tables.
    of_chat : collection of str
        In a study of kind chat, the names of its tables: all their rows are people's.
    """
    for path in collected(place, of_chat):
        for number, row in enumerate(rows_of(path), start=2):
            people = path.stem in {VISITS, *of_chat} or row.get("rater_kind") == "human"
            if people and row.get("mode") == "live" and made_at(row):
                yield Made(path.stem, number, made_at(row))


def made_at(row: Mapping[str, str]) -> str:
    """Return when a row was made; empty if it does not say it."""
    return next((row[column] for column in _TIMES if row.get(column)), "")


def is_before(one: str, other: str) -> bool:
    """Say whether a time is clearly before another."""
    return datetime.fromisoformat(one) < datetime.fromisoformat(other) - _SLACK


def collected(place: Path, of_chat: Collection[str] = ()) -> list[Path]:
    """Return the paths of the exported tables that are there; those of a chat have other names."""
    paths = [table_path(place, name) for name in of_chat or TABLES]
    return [path for path in paths if path.exists()]


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table; none if it is absent or empty."""
    return [] if not path.exists() else list(_read(path))


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with heard_by(None):
            table: Table = read_table(path, OWN)
            return table.rows
    except NoRowsError:
        return []
