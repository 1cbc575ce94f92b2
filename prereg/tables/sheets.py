"""Reads one sheet of a workbook: Excel (xlsx, xlsm, xlsb, xls) and ODS."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

from prereg.errors import RatifyError
from prereg.tables.absent_columns import same_sheet
from prereg.tables.chosen_sheet import file_and_sheet
from prereg.tables.cleaning import counted
from prereg.tables.dialects import SAVED, UNSAVED_FORMULA, Cells, left_out
from prereg.tables.nested import scalar
from prereg.tables.places import Places
from prereg.tables.sheet_marks import Marks, marks_of

# A sheet keeps 15 digits of a number; the others became zeros when they were typed in.
_DIGITS = 1e15
_HEADER = "the header"
# Stands in place of the value that a formula lacks.
_UNSAVED = object()
_ALLOWED = "a sheet saved by Excel or LibreOffice without a password, or CSV"


def read_sheet(content: bytes, path: Path, chosen: str | None = None) -> Cells:
    """Return the cells of the chosen sheet, or of the first that has any.

    Whole numbers have no decimals, and dates are written as in ISO 8601.

    Parameters
    ----------
    content : bytes
    path : Path
        Named in errors.
    chosen : str, optional
        The name of a sheet.

    Raises
    ------
    RatifyError
        Where the workbook cannot be read, has no such sheet or no cells, and at a number of 16
        digits or more.
    """
    rows, name, others = _one_sheet(content, path, chosen)
    marks = marks_of(content, name)
    _mark_unsaved(rows, marks)
    at = next(number for number, row in enumerate(rows) if any(map(_filled, row)))
    whole = len(rows)
    while rows and not any(map(_filled, rows[-1])):
        rows.pop()
    used = [any(_filled(row[place]) for row in rows[at:]) for place in range(len(rows[at]))]
    first = used.index(True)
    last = len(used) - used[::-1].index(True)
    columns = [_cell(value, path, at + 1, _HEADER) for value in rows[at][first:last]]
    records = [
        [
            _cell(value, path, number, column)
            for column, value in zip(columns, row[first:last], strict=True)
        ]
        for number, row in enumerate(rows[at + 1 :], start=at + 2)
    ]
    left = ", ".join(repr(other) for other in others)
    notes = (
        [f"only sheet {name!r} was read, not {left}; '{path.name}#{others[0]}' reads another"]
        if others and chosen is None
        else []
    )
    notes += left_out(whole - len(rows))
    if marks.unread:
        notes.append("formulas without a saved value and percentages could not be looked for")
    notes += _percentages(rows, marks, columns, at, first)
    unsaved: dict[int, list[int]] = {}
    for row, column in sorted(marks.unsaved):
        unsaved.setdefault(column - first, []).append(row - at - 1)
    places = Places(range(at + 2, at + 2 + len(records)))
    for place, found in unsaved.items():
        formulas = "is a formula" if len(found) == 1 else "are formulas"
        notes.append(
            f"{counted({columns[place]: len(found)})} {formulas} without a saved value, read as "
            f"empty (the first is in {places.words(found[0])})"
        )
    return Cells(
        columns, records, notes, places=places, unsaved=unsaved, sheet=name, sheets=tuple(others)
    )


def _mark_unsaved(rows: list[list[Any]], marks: Marks) -> None:
    """Put a mark where a formula has no value, also below or beside all values."""
    for row, column in marks.unsaved:
        rows += [[None] * len(rows[0]) for _ in range(row + 1 - len(rows))]
        if column >= len(rows[0]):
            wider = column + 1 - len(rows[0])
            for one in rows:
                one += [None] * wider
        rows[row][column] = _UNSAVED


def _percentages(
    rows: list[list[Any]], marks: Marks, columns: list[str], header: int, first: int
) -> list[str]:
    """Return a note for each column in which numbers are shown as percentages."""
    found: dict[int, list[float]] = {}
    for row, column in sorted(marks.percent):
        place = column - first
        value = rows[row][column] if header < row < len(rows) and 0 <= place < len(columns) else ""
        if isinstance(value, int | float):
            found.setdefault(place, []).append(value)
    return [
        f"{counted({columns[place]: len(values)})} shown as "
        f"{'a percentage' if len(values) == 1 else 'percentages'}, such as {100 * values[0]:g}%: "
        f"read as {'the number' if len(values) == 1 else 'the numbers'} that the sheet holds, such "
        f"as {values[0]:g}"
        for place, values in found.items()
    ]


def _one_sheet(
    content: bytes, path: Path, chosen: str | None
) -> tuple[list[list[Any]], str, list[str]]:
    """Return the rows of the chosen sheet or the first with cells, its name, and the others'."""
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        found, others = None, []
        wanted = None if chosen is None else _named(chosen, book.sheet_names, path)
        for name in book.sheet_names:
            passed = found or (wanted is not None and name != wanted)
            rows = [] if passed else book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            if any(_filled(value) for row in rows for value in row):
                found = (rows, name)
            else:
                others.append(name)
    except python_calamine.PasswordError as error:
        raise RatifyError("is a workbook with a password", file=path, allowed=_ALLOWED) from error
    except (python_calamine.CalamineError, python_calamine.WorksheetNotFound) as error:
        raise RatifyError(
            "is not a workbook that can be read", file=path, allowed=_ALLOWED
        ) from error
    if found is None:
        empty = "no sheet has a cell" if chosen is None else "this sheet has no cell"
        raise RatifyError(f"is empty: {empty}", file=path, allowed="a header row")
    return *found, others


def _named(chosen: str, names: list[str], path: Path) -> str:
    """Return the sheet with a name, if need be in another case."""
    found = chosen if chosen in names else same_sheet(chosen, names)
    if found is None:
        raise RatifyError(
            "has no such sheet",
            file=file_and_sheet(path)[0],
            value=chosen,
            allowed=", ".join(names),
        )
    return found


def _filled(value: Any) -> bool:
    """Say whether a cell holds anything, be it a formula without a value."""
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _cell(value: Any, path: Path, row: int, column: str) -> str:
    if value is _UNSAVED:
        if column == _HEADER:
            raise RatifyError(UNSAVED_FORMULA, file=path, row=row, column=column, allowed=SAVED)
        return ""
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= _DIGITS:
            raise RatifyError(
                "is a number of more than 15 digits, which a sheet does not keep: its last digits "
                "are lost",
                file=path,
                row=row,
                column=column,
                value=f"{value:.0f}",
                allowed="the column formatted as text before the numbers are entered",
            )
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    return scalar(value)
