"""Formats a table for the report: aligned numbers, an estimate and its interval in one cell."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from analysis.report.data import Cell, TableData
from analysis.results import numbers

# With more rows than this, a table is folded until the reader opens it.
LONG = 12
# With more columns than this, a table is folded too.
WIDE = 8
# What a check found and the bound that it must keep: each row has its own unit.
OF_ITS_UNIT = ("found", "allowed")
# A printed line of the small type of tables holds about so many letters; a wider table is split,
# and every part repeats the first columns, which say what a row is.
LINE = 145
WRAPPED = 22


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as shown; `source` names its columns in the CSV."""

    heading: str
    source: str
    numeric: bool


MOST_KEYS = 4


@dataclass(frozen=True, kw_only=True)
class TableView:
    """A table ready to be shown; None in a row is a missing cell."""

    data: TableData
    columns: list[Column]
    rows: list[list[str | None]]

    @property
    def without_interval(self) -> bool:
        """Whether an interval is not shown because it has no width."""
        mark = f"[{numbers.NO_INTERVAL}]"
        return any(cell is not None and cell.endswith(mark) for row in self.rows for cell in row)

    @property
    def long(self) -> bool:
        """Whether the table is folded."""
        return len(self.rows) > LONG

    @property
    def wide(self) -> bool:
        """Whether the table has many columns."""
        return len(self.columns) > WIDE

    @property
    def parts(self) -> list[list[int]]:
        """The columns of each part in print: one part if the table fits a page."""
        widths = [_width(column, [row[n] for row in self.rows]) for n, column in self._numbered]
        if sum(widths) <= LINE:
            return [list(range(len(self.columns)))]
        keys = self._keys
        room = LINE - sum(widths[n] for n in keys)
        parts: list[list[int]] = [[]]
        used = 0
        for place in range(len(self.columns)):
            if place in keys:
                continue
            if parts[-1] and used + widths[place] > room:
                parts.append([])
                used = 0
            parts[-1].append(place)
            used += widths[place]
        return [[*keys, *part] for part in parts]

    @property
    def _numbered(self) -> list[tuple[int, Column]]:
        return list(enumerate(self.columns))

    @property
    def _keys(self) -> list[int]:
        """The columns of words that a table begins with, at most four, or its first column."""
        words: list[int] = []
        for place, column in self._numbered[:-1]:
            if column.numeric or len(words) == MOST_KEYS:
                break
            words.append(place)
        return words or [0]


def table_view(table: TableData) -> TableView:
    """Return a table with its cells as text.

    `x`, `x_low` and `x_high` become one column, "0.56 [0.41, 0.68]"; in the CSV they are separate.
    """
    names = table.columns
    ends = {
        name: (names.index(f"{name}_low"), names.index(f"{name}_high"))
        for name in names
        if f"{name}_low" in names and f"{name}_high" in names
    }
    inside = {place for pair in ends.values() for place in pair}
    columns: list[Column] = []
    texts: list[list[str | None]] = []
    for place, name in enumerate(names):
        if place in inside:
            continue
        cells = [row[place] for row in table.rows]
        numeric = numbers.all_numbers(cells)
        heading, source = name.replace("_", " "), name
        if numeric and name in ends:
            low, high = ends[name]
            heading, source = f"{heading} [interval]", f"{name}, {name}_low, {name}_high"
            texts.append(_with_interval(table.rows, place, low, high))
        else:
            by_unit = numeric and name in OF_ITS_UNIT and "unit" in names
            texts.append(
                _of_units(table, cells) if by_unit else _as_text(cells, name, numeric=numeric)
            )
        columns.append(Column(heading=heading, source=source, numeric=numeric))
    rows = [list(row) for row in zip(*texts, strict=True)]
    return TableView(data=table, columns=columns, rows=rows)


def _of_units(table: TableData, cells: list[Cell]) -> list[str | None]:
    """Return numbers with the same decimals for all of one unit, in both columns of a check."""
    units = [row[table.columns.index("unit")] for row in table.rows]
    known: dict[Cell, list[float | None]] = {}
    for name in OF_ITS_UNIT:
        if name in table.columns:
            for unit, row in zip(units, table.rows, strict=True):
                known.setdefault(unit, []).append(_value(row[table.columns.index(name)]))
    places = {unit: numbers.column_decimals(values) for unit, values in known.items()}
    return [
        None if (value := _value(cell)) is None else numbers.number(float(value), places[unit])
        for cell, unit in zip(cells, units, strict=True)
    ]


def _as_text(cells: list[Cell], name: str, *, numeric: bool) -> list[str | None]:
    """Return the cells of one column as text, with the same decimals for all numbers."""
    if not numeric:
        return [None if cell is None or cell == "" else numbers.word(cell) for cell in cells]
    values = [_value(cell) for cell in cells]
    show: Callable[[float], str] = numbers.p_value
    if not (numbers.is_p(name) or name == "p_adjusted"):
        places = numbers.column_decimals(values)

        def show(value: float) -> str:
            return numbers.number(float(value), places)

    return [None if value is None else show(value) for value in values]


def _with_interval(rows: list[list[Cell]], place: int, low: int, high: int) -> list[str | None]:
    """Return estimates with their intervals, all with the same decimals."""
    triples = [(_value(row[place]), _value(row[low]), _value(row[high])) for row in rows]
    places = numbers.interval_decimals(triples)
    texts: list[str | None] = []
    for estimate, start, end in triples:
        if estimate is None:
            texts.append(None)
            continue
        text = numbers.number(float(estimate), places)
        if start is not None or end is not None:
            text += " " + numbers.interval(start, end, places, without=numbers.NO_INTERVAL)
        texts.append(text)
    return texts


def _value(cell: Cell) -> float | None:
    """Return a cell of a numeric column; None if it is not a number."""
    if cell is None or isinstance(cell, str) or math.isnan(cell):
        return None
    return cell


def _width(column: Column, cells: list[str | None]) -> int:
    """Return about how many letters wide a printed column is; words wrap, numbers do not."""
    longest = max((len(cell or "") for cell in cells), default=0)
    word = max((len(part) for part in column.heading.split()), default=0)
    if not column.numeric:
        part = max((len(p) for cell in cells for p in (cell or "").split()), default=0)
        longest = max(min(longest, WRAPPED), min(part, LINE // 3))
    return max(longest, word) + 2
