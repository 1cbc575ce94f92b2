"""Reads every table: cells stay text, and every error names its row and column.

Ids stay strings, because reading a 20-digit id as a float destroys it. Code that knows what a
column holds converts it to numbers.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prereg import files
from prereg.errors import RatifyError
from prereg.tables.reading import Reading

csv.field_size_limit(2**31 - 1)

# What pandas, R or a spreadsheet writes once a long id has passed through a float.
_ROUNDED = re.compile(r"\d(\.\d*)?[eE]\+\d+|\d{16,}\.0*")
ROUNDED_ID = "was rounded by a program that read the id as a number"
WHOLE_ID = "the id as text, with all its digits"


class NoRowsError(RatifyError):
    """A table that has a header and no rows."""


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    path : Path
        Where it came from.
    columns : tuple of str
        The header, in order.
    rows : list of dict
        One mapping per record. Every value is a string; a missing one is the empty string.
    notes : tuple of str
        What was changed while reading, one sentence per kind of change.
    """

    path: Path
    columns: tuple[str, ...]
    rows: list[dict[str, str]] = field(repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)

    def require(self, *columns: str) -> None:
        """Raise `RatifyError` unless every named column is there."""
        for column in columns:
            if column not in self.columns:
                shown = ", ".join(c or "(unnamed)" for c in self.columns)
                raise RatifyError(f"there is no column '{column}'", file=self.path, allowed=shown)

    def require_filled(self, *columns: str) -> None:
        """Raise `RatifyError` at the first empty cell of the named columns."""
        for column in columns:
            for row, record in enumerate(self.rows, start=2):
                if not record[column].strip():
                    raise self.error(row, column, "is empty", allowed="any text")

    def require_unique(self, column: str) -> None:
        """Raise `RatifyError` at the first value that an earlier row already has."""
        seen: dict[str, int] = {}
        for row, record in enumerate(self.rows, start=2):
            first = seen.setdefault(record[column], row)
            if first != row:
                raise RatifyError(
                    f"this {column} is already in row {first}",
                    file=self.path,
                    row=row,
                    column=column,
                    value=record[column],
                    allowed="one row each",
                )

    def refuse_damaged_ids(self, column: str) -> None:
        """Raise `RatifyError` if a long id has become a float such as 2.02E+19."""
        for row, record in enumerate(self.rows, start=2):
            if _ROUNDED.fullmatch(record[column].strip()):
                raise self.error(row, column, ROUNDED_ID, allowed=WHOLE_ID)

    def number(self, row: int, column: str) -> float | None:
        """Return a cell as a number, or None if it is empty.

        Parameters
        ----------
        row : int
            As a spreadsheet numbers it: the first record is row 2.
        column : str
            A column of the table.

        Raises
        ------
        RatifyError
            When the cell holds anything else, infinities and NaN included.
        """
        text = self.rows[row - 2][column].strip()
        if not text:
            return None
        try:
            value = float(text) if "_" not in text else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(row, column, "is not a number", allowed="a number or an empty cell")
        return value

    def error(
        self, row: int, column: str, problem: str, *, allowed: str | None = None
    ) -> RatifyError:
        """Return the error that names one cell of this table."""
        return RatifyError(
            problem,
            file=self.path,
            row=row,
            column=column,
            value=self.rows[row - 2][column],
            allowed=allowed,
        )


def read_table(path: Path | str, reading: Reading = Reading()) -> Table:
    """Read a CSV (or, by its extension, a Parquet file) as strings.

    Parameters
    ----------
    path : path
        A file in UTF-8, with or without a byte-order mark, with one header row.
    reading : Reading
        How its cells are read.

    Returns
    -------
    Table
        At least one record, every record as long as the header.

    Raises
    ------
    RatifyError
        When the file is missing, empty or not a table, or has two columns with the same name or a
        record that is not as long as the header; `NoRowsError` when it has no records.
    """
    path = Path(path)
    if path.suffix.lower() in {".parquet", ".pq"}:
        columns, records = _read_parquet(path)
    else:
        columns, records = _read_csv(path)
    named = [c for c in columns if c]
    for column in named:
        if named.count(column) > 1:
            raise RatifyError(
                f"two columns are called '{column}'", file=path, row=1, allowed="names that differ"
            )
    if not records:
        raise NoRowsError("holds a header but no rows", file=path, allowed="at least one row")
    return Table(path, tuple(columns), records)


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise RatifyError("no such file", file=path) from error
    except IsADirectoryError as error:
        raise RatifyError("is a folder, not a table", file=path, allowed="a CSV") from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error
    if not content.strip():
        raise RatifyError("is empty", file=path, allowed="a CSV with a header row")
    return content


def _read_csv(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    content = _read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RatifyError(
            f"is not a CSV in UTF-8 (byte {error.start} cannot be read)", file=path, allowed="UTF-8"
        ) from error
    if "\0" in text:
        raise RatifyError("is not a CSV (it holds zero bytes)", file=path, allowed="a CSV in UTF-8")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[dict[str, str]] = []
    try:
        columns = [name.strip() for name in next(reader)]
        blank = None
        for row, cells in enumerate(reader, start=2):
            if not cells:
                blank = blank or row
                continue
            if blank:
                raise RatifyError("is a blank line", file=path, row=blank, allowed="a record")
            if len(cells) != len(columns):
                raise RatifyError(
                    f"has {len(cells)} cells where the header has {len(columns)}",
                    file=path,
                    row=row,
                    allowed="one cell for each column",
                )
            # a text editor or git may change line ends, which does not change what was said
            cells = [c.replace("\r\n", "\n").replace("\r", "\n") for c in cells]
            records.append(dict(zip(columns, cells, strict=True)))
    except csv.Error as error:
        raise RatifyError(
            f"is not a CSV (line {reader.line_num}: {error})", file=path, allowed="a CSV"
        ) from error
    return columns, records


def _read_parquet(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = _read_bytes(path)
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise RatifyError("is not a Parquet file", file=path, allowed="CSV or Parquet") from error
    columns = [str(name) for name in table.column_names]
    return columns, [
        {name: cell_text(value) for name, value in record.items()} for record in table.to_pylist()
    ]


def cell_text(value: Any) -> str:
    """Return a cell as text in a CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\r\n", "\n").replace("\r", "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV with Unix line ends; None becomes an empty cell, booleans true/false."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell_text(row[c]) for c in columns] for row in rows)
    return stream.getvalue()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV in one piece; see `files.write_bytes`."""
    files.write_text(path, csv_text(columns, rows))
