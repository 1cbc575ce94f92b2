"""Reads the first sheet of a workbook: Excel (xlsx, xlsm, xlsb, xls) and ODS."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

from prereg.errors import RatifyError
from prereg.tables.dialects import Cells, left_out
from prereg.tables.nested import scalar

# A sheet keeps 15 digits of a number; the others became zeros when they were typed in.
_DIGITS = 1e15
_ALLOWED = "a sheet saved by Excel or LibreOffice without a password, or CSV"


def read_sheet(content: bytes, path: Path) -> Cells:
    """Return the cells of the first sheet that has any.

    Whole numbers have no decimals, and dates are written as in ISO 8601.

    Raises
    ------
    RatifyError
        Where the workbook cannot be read or has no cells, and at a number of 16 digits or more.
    """
    rows, name, others = _first_sheet(content, path)
    at = next(number for number, row in enumerate(rows) if any(map(_filled, row)))
    whole = len(rows)
    while rows and not any(map(_filled, rows[-1])):
        rows.pop()
    used = [any(_filled(row[place]) for row in rows[at:]) for place in range(len(rows[at]))]
    first = used.index(True)
    last = len(used) - used[::-1].index(True)
    columns = [_cell(value, path, at + 1, "the header") for value in rows[at][first:last]]
    records = [
        [
            _cell(value, path, number, column)
            for column, value in zip(columns, row[first:last], strict=True)
        ]
        for number, row in enumerate(rows[at + 1 :], start=at + 2)
    ]
    left = ", ".join(repr(other) for other in others)
    notes = [f"only sheet {name!r} was read, not {left}"] if others else []
    notes += left_out(whole - len(rows))
    return Cells(columns, records, notes, first_row=at + 2)


def _first_sheet(content: bytes, path: Path) -> tuple[list[list[Any]], str, list[str]]:
    """Return the rows of the first sheet with cells, its name, and the names of the others."""
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        found, others = None, []
        for name in book.sheet_names:
            rows = [] if found else book.get_sheet_by_name(name).to_python(skip_empty_area=False)
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
        raise RatifyError("is empty: no sheet has a cell", file=path, allowed="a header row")
    return *found, others


def _filled(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _cell(value: Any, path: Path, row: int, column: str) -> str:
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
