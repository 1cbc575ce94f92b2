"""Reads the table of items for the lock, the rater pages and the judges."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from prereg.errors import RatifyError
from prereg.tables.contract import ITEMS
from prereg.tables.reader import Table, read_table

ITEM_COLUMNS = ITEMS.required
# The option of `ratify new` that names each of these columns.
_OPTION = {"item_id": "id", "scenario": "scenario", "text": "text"}


def read_items(path: Path | str) -> Table:
    """Read and check a table of items.

    Parameters
    ----------
    path : path
        CSV or Parquet with columns item_id, scenario, text; further columns pass through.

    Returns
    -------
    Table
        Ids are strings, unique; scenario and text are never empty; every scenario has two items.

    Raises
    ------
    RatifyError
        Naming the file, row and column of the first fault.
    """
    table = read_table(path)
    table.require(*ITEM_COLUMNS)
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


def import_items(
    path: Path | str, *, id_column: str, text_column: str, scenario_column: str | None
) -> list[dict[str, str]]:
    """Read a researcher's own table of conversations as items.

    Parameters
    ----------
    path : path
        Their CSV or Parquet file.
    id_column, text_column : str
        Their columns for `item_id` and `text`.
    scenario_column : str or None
        Their column for `scenario`; None puts all items into one scenario called "all".

    Returns
    -------
    list of dict
        Rows with item_id, scenario, text first and every other named column after them.

    Raises
    ------
    RatifyError
        When a column is missing, an id is empty, repeated or damaged, or a text is empty.
    """
    table = read_table(path)
    taken = [id_column, text_column] + ([scenario_column] if scenario_column else [])
    table.require(*taken)
    table.require_filled(*taken)
    for record in table.rows:
        record[id_column] = record[id_column].strip()
    table.require_unique(id_column)
    table.refuse_damaged_ids(id_column)
    others = [c for c in table.columns if c and c not in taken]
    for column in others:
        if column in ITEM_COLUMNS:
            raise RatifyError(
                f"has a column '{column}', but another column was named for it",
                file=path,
                column=column,
                allowed=f"name it (--{_OPTION[column]} {column}), or rename it in the table",
            )
    return [
        {
            "item_id": record[id_column],
            "scenario": record[scenario_column].strip() if scenario_column else "all",
            "text": record[text_column],
            **{column: record[column] for column in others},
        }
        for record in table.rows
    ]
