"""Reads every table: cells stay text, and every error names its row and column.

Ids stay strings, because reading a 20-digit id as a float destroys it. Code that knows what a
column holds converts it to numbers. Cleaning (`cleaning`), missing values and decimal commas
(`reading`) are the same for every table and every command.
"""

from __future__ import annotations

import contextlib
import csv
import gc
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prereg import files
from prereg.errors import RatifyError
from prereg.tables.absent_columns import no_column
from prereg.tables.applied import apply
from prereg.tables.cleaning import clean, clean_name
from prereg.tables.dialects import SAVED, UNSAVED_FORMULA, Cells
from prereg.tables.formats import read_cells
from prereg.tables.not_records import without_other_rows
from prereg.tables.notes import tell
from prereg.tables.numbers import NO_THOUSANDS, Numbers, numbers_of
from prereg.tables.places import BELOW_HEADER, Places
from prereg.tables.reading import Reading

# What pandas, R or a spreadsheet writes once a long id has passed through a float.
_ROUNDED = re.compile(r"\d(\.\d*)?[eE]\+\d+|\d{16,}\.0*")
ROUNDED_ID = "was rounded by a program that read the id as a number"
WHOLE_ID = "the id as text, with all its digits"
_ONCE_CLEANED = ", once the spaces around them and invisible characters are removed"
_DEFAULT = Reading()


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
    originals : mapping of str to sequence of str
        For each column that was changed, its cells as the file has them.
    spelling : mapping of str to str
        For each name of a column that was changed, the name that the file has.
    places : Places
        Where each record is in the file, for messages. The methods below take a `row`, which is 2
        for the first record, 3 for the next and so on, whatever the file numbers.
    nested : mapping of str to str
        Columns with nested values, which are no text, and why.
    unsaved : mapping of str to sequence of int
        For each column with formulas whose values the file does not hold: the rows, of which the
        first is 2. Such a cell is empty, and refused where the column is used.
    contradictions : mapping of str to str
        Columns with a cell that contradicts a decimal comma, and that cell.
    sheet, sheets : str, tuple of str
        The sheet of a workbook that was read, and the names of its other sheets.
    """

    path: Path
    columns: tuple[str, ...]
    rows: list[dict[str, str]] = field(repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)
    originals: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    spelling: Mapping[str, str] = field(default_factory=dict, repr=False)
    places: Places = field(default=BELOW_HEADER, repr=False)
    nested: Mapping[str, str] = field(default_factory=dict, repr=False)
    contradictions: Mapping[str, str] = field(default_factory=dict, repr=False)
    unsaved: Mapping[str, Sequence[int]] = field(default_factory=dict, repr=False)
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    _numbers: dict[str, Numbers] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def written(self) -> list[dict[str, str]]:
        """The records as the file has them, with Unix line ends; a lock hashes these."""
        if not self.originals and not self.spelling:
            return self.rows
        changed = dict(self.originals)
        names = {name: self.spelling.get(name, name) for name in self.columns}
        return [
            {
                names[name]: changed[name][at] if name in changed else cell
                for name, cell in record.items()
            }
            for at, record in enumerate(self.rows)
        ]

    def as_written(self, row: int, column: str) -> str:
        """Return a cell as the file has it."""
        cells = self.originals.get(column)
        return self.rows[row - 2][column] if cells is None else cells[row - 2]

    def place(self, row: int) -> int | str:
        """Return where a record is in the file, as `RatifyError` takes it."""
        return self.places.place(row - 2)

    def place_words(self, row: int) -> str:
        """Return where a record is in the file, such as 'row 5', 'line 3' or 'record 3'."""
        return self.places.words(row - 2)

    def require(self, *columns: str, named_by: Mapping[str, str] | None = None) -> None:
        """Raise `RatifyError` unless every named column is there and no formula lacks a value.

        Parameters
        ----------
        *columns : str
        named_by : mapping of str to str, optional
            For a column, how the user says what the file calls it, such as `--id COLUMN`.
        """
        for column in map(clean, columns):
            if column not in self.columns:
                raise self.no_column(column, named_by)
            self._refuse_unsaved(column)

    def no_column(self, column: str, named_by: Mapping[str, str] | None = None) -> RatifyError:
        """Return the error for a column that is not there; `named_by` as in `require`."""
        return no_column(
            column,
            [self.spelling.get(name, name) for name in self.columns],
            path=self.path,
            sheet=self.sheet,
            sheets=self.sheets,
            named_by=named_by,
        )

    def _refuse_unsaved(self, column: str) -> None:
        for row in self.unsaved.get(column, ())[:1]:
            raise self.error(row, column, UNSAVED_FORMULA, allowed=SAVED)

    def require_filled(self, *columns: str) -> None:
        """Raise `RatifyError` at the first empty cell of the named columns."""
        for column in columns:
            self._refuse_unsaved(column)
            for row, record in enumerate(self.rows, start=2):
                if not record[column].strip():
                    raise self.error(row, column, "is empty", allowed="any text")

    def require_unique(self, column: str) -> None:
        """Raise `RatifyError` at the first value that an earlier row already has."""
        seen: dict[str, int] = {}
        for row, record in enumerate(self.rows, start=2):
            first = seen.setdefault(record[column], row)
            if first != row:
                same = self.as_written(first, column) == self.as_written(row, column)
                raise self.error(
                    row,
                    column,
                    f"this {column} is already in {self.place_words(first)}"
                    + ("" if same else _ONCE_CLEANED),
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
            2 for the first record.
        column : str
            A column of the table.

        Raises
        ------
        RatifyError
            When the cell holds anything else, infinities and NaN included.
        """
        text = self.rows[row - 2][column].strip()
        if not text:
            self._refuse_unsaved(column)
            return None
        found = self.numbers(column)
        if text not in found.known:
            raise self.error(row, column, *found.fault(text))
        return found.known[text]

    def numbers(self, column: str) -> Numbers:
        """Return what the different cells of a column are as numbers; see `numbers_of`."""
        if column not in self._numbers:
            found = numbers_of(record[column] for record in self.rows)
            if (cell := self.contradictions.get(column)) is not None:
                found.known.pop(cell, None)
                found.faults[cell] = NO_THOUSANDS
            self._numbers[column] = found
        return self._numbers[column]

    def number_notes(self, *columns: str) -> list[str]:
        """Return a sentence for each kind of cell of these columns that is no plain number."""
        return [
            note
            for column in columns
            for note in self.numbers(column).notes(
                self.path.name, column, [record[column].strip() for record in self.rows]
            )
        ]

    def require_text(self, column: str) -> None:
        """Raise `RatifyError` if the column holds nested values that are not conversations."""
        if column in self.nested:
            raise RatifyError(
                f"is not text: {self.nested[column]}",
                file=self.path,
                column=column,
                allowed="text, or a list of messages {role, content}",
            )

    def error(self, row: int, column: str, problem: str, allowed: str | None = None) -> RatifyError:
        """Return the error that names one cell of this table, as the file has it."""
        value = self.as_written(row, column) if problem != UNSAVED_FORMULA else None
        if value and value.strip() and not self.rows[row - 2][column]:
            problem += f" ('{value.strip()}' is a missing-value word)"
        return RatifyError(
            problem,
            file=self.path,
            row=self.place(row),
            column=self.spelling.get(column, column),
            value=value,
            allowed=allowed,
        )


def read_table(path: Path | str, reading: Reading = _DEFAULT) -> Table:
    """Read a table as text: every cell cleaned, missing values empty.

    What was changed is told (`prereg.tables.notes`).

    Parameters
    ----------
    path : path
        CSV in any usual dialect, Parquet, a sheet, JSON or JSONL; see `prereg.tables.formats`.
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
    with _no_garbage():
        return _read_table(Path(path), reading)


@contextlib.contextmanager
def _no_garbage() -> Iterator[None]:
    """Pause the search for circular garbage, which would go through all rows again and again."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _read_table(path: Path, reading: Reading) -> Table:
    cells = read_cells(path)
    notes = [f"{path.name}: {note}" for note in cells.notes]
    notes += without_other_rows(cells, path)
    names = _names(cells, reading, path)
    if not cells.records:
        raise NoRowsError("holds a header but no rows", file=path, allowed="at least one row")
    read = apply(reading, names, cells, path.name)
    tell(notes := [*notes, *read.notes])
    records = zip(*read.columns, strict=True) if read.changed else cells.records
    return Table(
        path,
        tuple(names),
        [dict(zip(names, record, strict=True)) for record in records],
        notes=tuple(notes),
        originals=read.originals,
        spelling={
            ours: theirs.strip()
            for ours, theirs in zip(names, cells.columns, strict=True)
            if ours != theirs.strip()
        },
        places=cells.places,
        sheet=cells.sheet,
        sheets=cells.sheets,
        contradictions=read.contradictions,
        unsaved={names[place]: [at + 2 for at in there] for place, there in cells.unsaved.items()},
        nested={
            ours: cells.nested[theirs]
            for ours, theirs in zip(names, cells.columns, strict=True)
            if theirs in cells.nested
        },
    )


def _names(cells: Cells, reading: Reading, path: Path) -> list[str]:
    """Return the names of the columns, cleaned and mapped to ours; refuse a name used twice."""
    written = cells.columns
    names = [clean_name(name) for name in written]
    for ours, named in reading.columns.items():
        theirs = clean_name(named)
        if theirs in names and ours in names and ours != theirs:
            raise RatifyError(
                f"column '{theirs}' is to be read as '{ours}', and there is another '{ours}'",
                file=path,
                row=1,
                allowed="a name that no other column has",
            )
        if theirs in names:
            names[names.index(theirs)] = ours
        elif ours not in names:
            raise no_column(theirs, names, path=path, sheet=cells.sheet, sheets=cells.sheets)
    for name in names:
        if name and names.count(name) > 1:
            spelt = {w for n, w in zip(names, written, strict=True) if n == name}
            raise RatifyError(
                f"two columns are called '{name}'" + (_ONCE_CLEANED if len(spelt) > 1 else ""),
                file=path,
                row=1,
                allowed="names that differ",
            )
    return names


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
