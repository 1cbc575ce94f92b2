"""Reads CSV as programs write it: its encoding, the character between cells, and its line ends.

RFC 4180 describes one dialect. Spreadsheets in most of Europe write semicolons and Windows-1252,
Excel's "Unicode text" is UTF-16 with tabs, and a first line `sep=;` is Excel's own.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from prereg.errors import RatifyError
from prereg.tables.cleaning import may_need_cleaning
from prereg.tables.places import BELOW_HEADER, Places, rows_of_text

csv.field_size_limit(2**31 - 1)

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# Characters at the beginning from which the separator is found.
_SAMPLE = 200_000
_SAMPLE_RECORDS = 500
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_SEP_LINE = re.compile(r"\Asep=(?P<mark>[^\r\n])[\"']?(?:\r\n|\r|\n)", re.IGNORECASE)
_QUOTED_SEP_LINE = re.compile(r"\A\"sep=(?P<mark>[^\r\n])\"[,;\t|]*(?:\r\n|\r|\n)", re.IGNORECASE)
# What a table says of a formula whose value is not in the file.
UNSAVED_FORMULA = "is a formula, and the file does not hold its value"
SAVED = "the value itself, or the workbook saved by Excel or LibreOffice, which keeps values"
# Two bytes above ASCII beside each other, as in text of an alphabet that is not Latin.
_ADJACENT = re.compile(rb"[\x80-\xff]{2}")
# So few bytes above ASCII say nothing about the alphabet.
_FEW = 8


@dataclass
class Cells:
    """The cells of a file, before anything is cleaned.

    Attributes
    ----------
    columns : list of str
    records : list of list of str
        Each as long as `columns`.
    notes : list of str
        What was decided, without the name of the file.
    places : Places
        Where each record is in the file.
    nested : dict of str to str
        Columns with values that are not cells, and why each of them is no conversation.
    unsaved : dict of int to list of int
        For each column, by its place, the records that have a formula without a saved value there.
    clean : bool
        Whether it is known that no cell needs cleaning.
    floats : frozenset of str
        Columns of floats that are all whole numbers: '101.0' is the id 101.
    sheet, sheets : str, tuple of str
        The sheet of a workbook that was read, and the names of its other sheets.
    """

    columns: list[str]
    records: list[list[str]]
    notes: list[str] = field(default_factory=list)
    places: Places = BELOW_HEADER
    nested: dict[str, str] = field(default_factory=dict)
    unsaved: dict[int, list[int]] = field(default_factory=dict)
    clean: bool = False
    floats: frozenset[str] = frozenset()
    sheet: str = ""
    sheets: tuple[str, ...] = ()


def decoded(content: bytes, path: Path) -> tuple[str, list[str]]:
    """Return the text of a file and, unless it is UTF-8, a note about its encoding.

    Raises
    ------
    RatifyError
        Where the file is neither UTF-8, UTF-16 nor UTF-32, nor looks like Windows-1252.
    """
    for mark, encoding, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            notes = [] if name == "UTF-8" else [f"read as {name}"]
            return _decode(content, encoding, name, path), notes
    wide = _utf16_without_mark(content)
    if wide:
        return _decode(content, wide, "UTF-16", path), ["read as UTF-16"]
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        if not _looks_like_windows(content):
            raise RatifyError(
                f"is not text in UTF-8 (byte {error.start} cannot be read), and does not look "
                "like Windows-1252 either",
                file=path,
                allowed="the table saved as 'CSV UTF-8'",
            ) from error
    return content.decode("cp1252"), [
        "read as Windows-1252 (Latin-1), because it is not UTF-8: check its letters with accents"
    ]


def _decode(content: bytes, encoding: str, name: str, path: Path) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise RatifyError(
            f"is not whole text in {name} (byte {error.start} cannot be read)",
            file=path,
            allowed="the table saved as 'CSV UTF-8'",
        ) from error


def _utf16_without_mark(content: bytes) -> str:
    """Return the encoding of UTF-16 without a mark, in which half of the bytes are mostly zero."""
    head = content[:4096]
    half = len(head) // 2
    if half < 2 or len(content) % 2:
        return ""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > 0.4 * half and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd == 0 else ""


def _looks_like_windows(content: bytes) -> bool:
    """Say whether bytes that are not UTF-8 are Western text: single letters among ASCII."""
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return False
    replaced = content.decode("utf-8", errors="replace")
    broken = replaced.count("\ufffd")
    whole = sum(not char.isascii() for char in replaced) - broken
    high = len(content.translate(None, delete=bytes(range(128))))
    adjacent = 2 * len(_ADJACENT.findall(content))
    return "\0" not in replaced and whole <= broken and (high < _FEW or 2 * adjacent <= high)


def read_text(content: bytes, path: Path) -> Cells:
    """Return the cells of a text with one record per line.

    Raises
    ------
    RatifyError
        Where it is not text, has a blank line inside, or a record is not as long as the header.
    """
    text, notes = decoded(content, path)
    if "\0" in text:
        raise RatifyError("is not a CSV (it holds zero bytes)", file=path, allowed="a CSV in UTF-8")
    text = text.lstrip("\ufeff")
    said = _SEP_LINE.match(text) or _QUOTED_SEP_LINE.match(text)
    if said:  # a spreadsheet does not show this line, nor does it count it
        separator = said["mark"]
        text = text[said.end() :]
    else:
        separator = _separator(text, path)
    expected = separator == "," or (separator == "\t" and path.suffix.lower() in {".tsv", ".tab"})
    if not expected:
        notes.append(f"cells are separated by {_SEPARATORS.get(separator, repr(separator))}")
    columns, records, several = _records(text, separator, path)
    notes += left_out(_drop_blank(records))
    places = BELOW_HEADER
    if said or several:
        places = rows_of_text(columns, records, above=1 if said else 0, returns="\r" in text)
    _fit(columns, records, separator, path, places)
    clean = not may_need_cleaning(text, separator)
    return Cells(columns, records, notes, places=places, clean=clean)


def _separator(text: str, path: Path) -> str:
    """Return the character between cells: the one with which the records are equally long.

    A guess from the frequency of characters fails on texts. Here every candidate cuts the first
    records, and the one that gives the most records the length of the header is taken; if several
    are equally good, the one that gives the most columns.
    """
    whole = len(text) <= _SAMPLE
    best, marks = (0.0, 1), ","
    order = dict(_SEPARATORS)
    if path.suffix.lower() in {".tsv", ".tab"}:
        order = {"\t": "", **order}
    for candidate in order:
        lengths = _lengths(text[:_SAMPLE], candidate, whole=whole)
        if not lengths or lengths[0] < 2:
            continue
        rest = lengths[1:] or lengths
        found = (sum(n == lengths[0] for n in rest) / len(rest), lengths[0])
        if found > best and found[0] > 0:
            best, marks = found, candidate
    if best[0] > 0:
        return marks
    # no candidate fits any record: report the fault by the one that the header has most of
    head = text.partition("\n")[0]
    return max(order, key=lambda mark: (head.count(mark), mark == ","))


def _lengths(sample: str, separator: str, *, whole: bool) -> list[int]:
    """Return how many cells each record of the beginning has, blank lines left out."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    lengths = [len(cells) for cells in islice(reader, _SAMPLE_RECORDS) if cells]
    return lengths if whole or len(lengths) == _SAMPLE_RECORDS else lengths[:-1]


def _records(text: str, separator: str, path: Path) -> tuple[list[str], list[list[str]], bool]:
    """Return the header, the records, and whether any of them takes several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = next(reader, [])
        records = list(reader)
    except csv.Error as error:
        raise RatifyError(
            f"is not a CSV (line {reader.line_num}: {error})", file=path, allowed="a CSV"
        ) from error
    return columns, records, reader.line_num > 1 + len(records)


def _drop_blank(records: list[list[str]]) -> int:
    """Drop blank records at the end; return how many of them had separators of cells."""
    dropped = 0
    while records and not any(cell.strip() for cell in records[-1]):
        dropped += len(records.pop()) > 1
    return dropped


def left_out(blank: int) -> list[str]:
    """Return a note about blank rows at the end of a table, if there are any."""
    if not blank:
        return []
    return [f"{blank} blank {'row' if blank == 1 else 'rows'} at the end left out"]


def _fit(
    columns: list[str], records: list[list[str]], separator: str, path: Path, places: Places
) -> None:
    """Drop empty columns at the end, and refuse a record that is not as long as the header."""
    while len(columns) > 1 and not columns[-1].strip() and _ends_empty(records, len(columns)):
        columns.pop()
        for cells in records:
            del cells[len(columns) :]
    width = len(columns)
    for at, cells in enumerate(records):
        if len(cells) != width:
            raise _ragged(cells, width, separator, path, places.place(at))


def _ends_empty(records: list[list[str]], width: int) -> bool:
    """Say whether the last of so many columns is empty in every record, or absent."""
    return all(
        len(cells) in {width - 1, width} and not "".join(cells[width - 1 :]).strip()
        for cells in records
    )


def _ragged(
    cells: list[str], width: int, separator: str, path: Path, row: int | str
) -> RatifyError:
    if not cells or (width > 1 and not "".join(cells).strip()):
        return RatifyError("is a blank line", file=path, row=row, allowed="a record")
    return RatifyError(
        f"has {len(cells)} cells where the header has {width}",
        file=path,
        row=row,
        allowed="one cell for each column"
        + ("" if separator == "," else f"; cells are separated by {_SEPARATORS.get(separator)}"),
    )
