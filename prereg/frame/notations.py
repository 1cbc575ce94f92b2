"""Refuses a confounder whose numbers are written in a way that the estimate reads as words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prereg.tables.numbers import numbers_of, plain, with_decimal_point
from prereg.tables.reader import Table

# Kinds of cells that can only be numbers, though none as a program writes it.
_NUMBERS = ("digits", "grouped", "percent")


def refuse_other_notations(table: Table, columns: Iterable[str]) -> None:
    """Raise `RatifyError` at a column of numbers of which some are written in another notation.

    Parameters
    ----------
    table : Table
        The frame, read as the plan says.
    columns : iterable of str
        Its columns that are numbers, if every cell is one, and otherwise words.

    Raises
    ------
    RatifyError
        At the first such cell, if most cells of the column that are filled are numbers in any
        notation: with a decimal comma, thousands apart, a percent sign, or digits of another
        script. Without this, each different number would become a category.
    """
    for column in columns:
        cells = [record[column].strip() for record in table.rows]
        counts = Counter(cell for cell in cells if cell)
        number = {cell for cell in counts if cell.isascii() and plain(cell) is not None}
        other = {cell for cell in counts.keys() - number if _is_number(cell)}
        are = sum(counts[cell] for cell in number | other)
        if not other or 2 * are <= counts.total():
            continue
        row = next(at for at, cell in enumerate(cells, start=2) if cell in other)
        some = sum(counts[cell] for cell in other)
        raise table.error(
            row,
            column,
            f"looks like a number in another notation, as {some:,} of {counts.total():,} filled "
            "cells do",
            allowed="plain numbers with a decimal point, such as 1234.5 (for decimal commas, "
            'data: {decimal: ","} in the plan); words, if these are categories',
        )


def _is_number(cell: str) -> bool:
    """Say whether a cell that is no plain number is one in another notation."""
    if numbers_of([cell]).kinds.get(cell) in _NUMBERS:
        return True
    mended = with_decimal_point([cell])
    return bool(mended.commas or mended.groups)
