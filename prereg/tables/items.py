"""Reads the table of items for the lock, the rater pages and the judges."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from prereg.errors import RatifyError
from prereg.tables.contract import ITEMS
from prereg.tables.conversations import NotAConversationError, conversation, parsed
from prereg.tables.notes import tell
from prereg.tables.places import Places
from prereg.tables.reader import Table, read_table
from prereg.tables.reading import Reading, reading_of

# How a list of messages begins, as JSON or as Python prints it.
_MESSAGES = re.compile(
    r"\s*(?:array\()?\[\s*\{\s*['\"](?:role|content|from|value|speaker)['\"]\s*:"
)
ITEM_COLUMNS = ITEMS.required
# The option of `ratify new` that names each of these columns.
_OPTION = {"item_id": "id", "scenario": "scenario", "text": "text"}


def read_items(path: Path | str, reading: Reading | None = None) -> Table:
    """Read and check a table of items.

    Parameters
    ----------
    path : path
        CSV or Parquet with columns item_id, scenario, text; further columns pass through.
    reading : Reading, optional
        How the further columns are read.

    Returns
    -------
    Table
        Ids are strings, unique; scenario and text are never empty; every scenario has two items.

    Raises
    ------
    RatifyError
        Naming the file, row and column of the first fault.
    """
    table = read_table(path, reading_of(("item_id", "scenario"), reading))
    table.require(*ITEM_COLUMNS)
    table.require_text("text")
    table.require_filled(*ITEM_COLUMNS)
    table.require_unique("item_id")
    table.refuse_damaged_ids("item_id")
    sizes = Counter(record["scenario"] for record in table.rows)
    for row, record in enumerate(table.rows, start=2):
        if sizes[record["scenario"]] < 2:
            raise table.error(
                row, "scenario", "has a single item", allowed="at least two items to compare"
            )
    return table


@dataclass(frozen=True)
class Imported:
    """A researcher's own table as items.

    Attributes
    ----------
    rows : list of dict
        Rows with item_id, scenario, text first and every other named column after them.
    notes : tuple of str
        What was changed while reading, one sentence per kind.
    places : Places
        Where each row is in the researcher's file.
    """

    rows: list[dict[str, str]]
    notes: tuple[str, ...]
    places: Places


def import_items(
    path: Path | str,
    *,
    id_column: str,
    text_column: str,
    scenario_column: str | None,
    reading: Reading | None = None,
) -> Imported:
    """Read a researcher's own table of conversations as items.

    Parameters
    ----------
    path : path
        Their table, in any format that is read.
    id_column, text_column : str
        Their columns for `item_id` and `text`.
    scenario_column : str or None
        Their column for `scenario`; None puts all items into one scenario called "all".
    reading : Reading, optional
        How it is read. Text and prompts are kept as they are; lists of messages become turns.

    Raises
    ------
    RatifyError
        When a column is missing, an id is empty, repeated or damaged, or a text is empty or holds
        nested values that are not messages.
    """
    own = reading or Reading()
    options = {id_column: "id", text_column: "text"}
    options |= {scenario_column: "scenario"} if scenario_column else {}
    taken = list(options)
    table = read_table(path, replace(own, verbatim=(*own.verbatim, text_column, "text", "prompt")))
    named_by = {name: f"--{option} COLUMN" for name, option in options.items()}
    table.require(*taken, named_by=named_by)
    for column in (*taken, *({"prompt"} & set(table.columns))):
        table.require_text(column)
    table.require_filled(*taken)
    table.require_unique(id_column)
    table.refuse_damaged_ids(id_column)
    texts, notes = _conversations(table, text_column)
    tell(notes)
    others = [c for c in table.columns if c and c not in taken]
    for column in others:
        if column in ITEM_COLUMNS:
            raise RatifyError(
                f"has a column '{column}', but another column was named for it",
                file=path,
                column=column,
                allowed=f"name it (--{_OPTION[column]} {column}), or rename it in the table",
            )
    rows = [
        {
            "item_id": record[id_column],
            "scenario": record[scenario_column] if scenario_column else "all",
            "text": text,
            **{column: record[column] for column in others},
        }
        for record, text in zip(table.rows, texts, strict=True)
    ]
    return Imported(rows, (*table.notes, *notes), table.places)


def _conversations(table: Table, column: str) -> tuple[list[str], list[str]]:
    """Return the texts of a column; lists of messages that are JSON or a Python repr become turns.

    Raises
    ------
    RatifyError
        At a list of messages that cannot be read.
    """
    texts, changed = [], 0
    for row, record in enumerate(table.rows, start=2):
        text = record[column]
        if _MESSAGES.match(text):
            try:
                text = conversation(parsed(text))
            except (NotAConversationError, ValueError) as error:
                raise table.error(
                    row,
                    column,
                    f"looks like a list of messages, and is none that can be read: {error}",
                    allowed="text, or JSON: a list of messages {role, content}",
                ) from error
            changed += 1
        texts.append(text)
    said = (
        f"{table.path.name}: {changed} lists of messages in column {column} were written as turns"
    )
    return texts, [said] if changed else []
