"""A locked chat whose conversations go on to the second stage, as its exported tables have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prereg.chat.items import item_rows, person_id
from prereg.chat.model import ChatPlan
from prereg.lock import read_lock
from prereg.tables.chat_contract import CHAT_TABLES
from prereg.tables.notes import heard_by
from prereg.tables.reader import NoRowsError, read_table
from prereg.tables.reading import OWN
from study.export.writing import FORMATS, TABLES_FOLDER

ChatRows = Mapping[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Chat:
    """A locked chat, and the tables that were exported of it.

    Attributes
    ----------
    folder : Path
    plan : ChatPlan
    plan_hash : str
        Of the lock, by which the store knows the study.
    mode : {'live', 'pilot', 'bot'}
        Which conversations are taken.
    tables : mapping
        Rows by table.
    """

    folder: Path
    plan: ChatPlan
    plan_hash: str
    mode: str
    tables: ChatRows = field(repr=False)

    def items(self) -> list[dict[str, str]]:
        """Return the rows of the items that its conversations make."""
        return item_rows(
            self.plan_hash,
            conversations=self.tables["conversations"],
            messages=self.tables["messages"],
            participants=self.tables["participants"],
            mode=self.mode,
        )

    def people(self) -> set[str]:
        """Return the pseudonyms in items of all who have not withdrawn."""
        rows = self.tables["participants"]
        return {person_id(self.plan_hash, row["session_id"]) for row in rows}


def read_chat(folder: Path, plan: ChatPlan, *, mode: str) -> Chat:
    """Read the exported tables of a chat, which must be locked.

    Raises
    ------
    RatifyError
        When it is not locked, or a table is missing or damaged.
    """
    lock = read_lock(folder)
    tables = {name: chat_rows(folder, name) for name in CHAT_TABLES}
    return Chat(folder, plan, lock.root_hash, mode, tables)


def chat_rows(folder: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of an exported table; none if it is empty.

    Raises
    ------
    RatifyError
        When there is no such table.
    """
    place = folder / TABLES_FOLDER
    paths = [place / f"{name}.{ending}" for ending in FORMATS]
    path = next((one for one in paths if one.exists()), paths[0])
    try:
        with heard_by(None):
            return read_table(path, OWN).written
    except NoRowsError:
        return []
