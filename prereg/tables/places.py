"""Says where a record of a table is found in its file: its row, line or number.

A spreadsheet numbers the rows of a CSV or a workbook, where the header is row 1 or further down.
An editor numbers the lines: they differ from the rows once a cell of a CSV holds a line end, and
then both are named. A record of JSONL is one line. A record of JSON, Parquet or Feather has neither
row nor line, so the records are counted from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
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
    further : sequence of int
        By how much the line on which a row begins is greater than its number; empty if it never is.
    """

    numbers: Sequence[int]
    noun: str = "row"
    further: Sequence[int] = ()

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
        if self.further and self.further[at]:
            return f"row {number} (line {number + self.further[at]})"
        return number

    def words(self, at: int) -> str:
        """Return the place of the record at an index in words, such as 'row 5' or 'line 3'."""
        found = self.place(at)
        return found if isinstance(found, str) else f"row {found}"

    def only(self, kept: Sequence[int]) -> Places:
        """Return the places of the records at these indices."""
        further = [self.further[at] for at in kept] if self.further else ()
        return Places([self.numbers[at] for at in kept], self.noun, further)


# Every record is one row and one line, below a header that is row 1.
BELOW_HEADER = Places(range(2, 10**9))
# Records that are counted from 1.
COUNTED = Places(range(1, 10**9), "record")


def rows_of_text(
    header: Sequence[str], records: Sequence[Sequence[str]], *, above: int, returns: bool
) -> Places:
    """Return the rows of a CSV, and the lines on which they begin.

    Parameters
    ----------
    header : sequence of str
    records : sequence of sequence of str
        With the line ends inside their cells.
    above : int
        Lines above the header that a spreadsheet does not show.
    returns : bool
        Whether any line ends with a carriage return.
    """
    inside = map(_further_lines, records) if returns else _newlines(records)
    further = list(accumulate(inside, initial=above + _further_lines(header)))
    return Places(range(2, 2 + len(records)), "row", further)


def _newlines(records: Iterable[Sequence[str]]) -> Iterator[int]:
    """Return how many line feeds each record holds, in C all the way."""
    return map(str.count, map("".join, records), repeat("\n"))


def _further_lines(cells: Sequence[str]) -> int:
    """Return how many lines a record of a CSV takes after its first."""
    text = "".join(cells)
    return text.count("\n") + text.count("\r") - text.count("\r\n")
