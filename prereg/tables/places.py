"""Says where a record of a table is found in its file: its row, line or number.

A spreadsheet numbers the rows of a CSV or a workbook, where the header is row 1 or further down.
An editor numbers the lines: they differ from the rows once a cell of a CSV holds a line end, and
then both are named. A record of JSONL is one line. A record of JSON, Parquet or Feather has neither
row nor line, so the records are counted from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any


@dataclass(frozen=True, eq=False)
class Places:
    """Where the records of a table are in its file.

    Attributes
    ----------
    numbers : sequence of int
        The number of each record.
    noun : str
        What is numbered: row, line or record.
    lines : sequence of int
        For each row the line on which it begins; empty if all rows are the lines of these numbers.
    """

    numbers: Sequence[int]
    noun: str = "row"
    lines: Sequence[int] = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Places:
        """Return the same object, which never changes: pandas copies the attributes of a frame."""
        return self

    def place(self, at: int) -> int | str:
        """Return the place of the record at an index, as `RatifyError` takes it: a row or words."""
        if at >= len(self.numbers):
            return at + 2
        number = self.numbers[at]
        if self.noun != "row":
            return f"{self.noun} {number}"
        if self.lines and self.lines[at] != number:
            return f"row {number} (line {self.lines[at]})"
        return number

    def words(self, at: int) -> str:
        """Return the place of the record at an index in words, such as 'row 5' or 'line 3'."""
        found = self.place(at)
        return found if isinstance(found, str) else f"row {found}"

    def only(self, kept: Sequence[int]) -> Places:
        """Return the places of the records at these indices."""
        lines = [self.lines[at] for at in kept] if self.lines else ()
        return Places([self.numbers[at] for at in kept], self.noun, lines)


# Every record is one row and one line, below a header that is row 1.
BELOW_HEADER = Places(range(2, 10**9))
# Records that are counted from 1.
COUNTED = Places(range(1, 10**9), "record")


def rows_of_text(header: Sequence[str], records: Sequence[Sequence[str]], *, above: int) -> Places:
    """Return the rows of a CSV, and the lines on which they begin.

    Parameters
    ----------
    header : sequence of str
    records : sequence of sequence of str
        With the line ends inside their cells.
    above : int
        Lines above the header that a spreadsheet does not show.
    """
    first = above + 1 + _lines(header)
    lines = list(accumulate(map(_lines, records[:-1]), initial=first)) if records else []
    return Places(range(2, 2 + len(records)), "row", lines)


def _lines(cells: Sequence[str]) -> int:
    """Return how many lines a record of a CSV takes."""
    text = "".join(cells)
    inside = text.count("\n")
    if "\r" in text:
        inside += text.count("\r") - text.count("\r\n")
    return 1 + inside
