"""Checks the files of an export against the contract of the tidy tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from prereg.tables.chat_contract import CHAT_TABLES
from prereg.tables.contract import TABLES, Column

SHAPES = {
    "string": r"(?s:.+)",
    "integer": r"\d+",
    "number": r"-?\d+(\.\d+)?(e-?\d+)?",
    "boolean": "true|false",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "date": r"\d{4}-\d\d-\d\d",
}


def breaches(folder: Path) -> list[str]:
    """Return where the exported CSVs of a folder break the contract."""
    paths = sorted(folder.glob("*.csv"))
    assert len(paths) >= 6
    return [f"{path.stem}: {breach}" for path in paths for breach in _breaches(path)]


def chat_breaches(folder: Path) -> list[str]:
    """Return where the exported CSVs of a chat break the contract; a study's own columns follow."""
    found = []
    for name, table in CHAT_TABLES.items():
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        if header[: len(table.names)] != list(table.names):
            found.append(f"{name}: the header is {header}")
        found += [
            f"{name}: row {number}, {column.name} is {cell!r}"
            for number, row in enumerate(rows, start=2)
            for column, cell in zip(table.columns, row, strict=False)
            if not _fits(cell, column)
        ]
    return found


def _breaches(path: Path) -> Iterator[str]:
    table = TABLES[path.stem]
    with path.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    known = [name for name in header if name in table.names]
    if path.stem == "sequences":
        # only the columns of the study's kind, and as many options as it shows
        own = [name for name in header if not re.fullmatch(r"option_[2-9]|option_1\d", name)]
        if own != [name for name in table.names if name in header]:
            yield f"the header is {header}"
    elif header != list(table.names) and path.stem != "items":
        yield f"the header is {header}"
    columns = {column.name: column for column in table.columns}
    for name in known:
        for number, row in enumerate(rows, start=2):
            cell = row[header.index(name)]
            if not _fits(cell, columns[name]):
                yield f"row {number}, {name} is {cell!r}"


def _fits(cell: str, column: Column) -> bool:
    if not cell:
        return column.empty is not None
    if column.words:
        return cell in column.words
    return re.fullmatch(SHAPES[column.type], cell) is not None
