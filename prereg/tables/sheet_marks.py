"""Finds what the values of a sheet do not tell: formulas without a saved value, and percentages.

A program other than a spreadsheet may write a formula without its value, which then reads as an
empty cell. A cell that shows 45% holds 0.45. Both stand in the XML of xlsx, xlsm and ODS, and
nowhere else; xls and xlsb always hold the values of formulas, and their percentages are not found.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

# A formula is the first thing in its cell, and its value comes next.
_FORMULA = rb"<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)"
_VALUE = rb"\s*<(?:\w+:)?(?:v\b[^>]*>[^<]|is\b)"
_UNSAVED = re.compile(rb"<(?:\w+:)?c\b([^>]*)>\s*%s(?!%s)" % (_FORMULA, _VALUE))
_ATTRIBUTE = re.compile(rb'\b(r|s|t)=["\']([^"\']*)["\']')
_REFERENCE = re.compile(rb"([A-Z]+)(\d+)")
# What a number format holds besides the signs that it shows: quoted text, escapes, colours.
_NOT_SHOWN = re.compile(r"\"[^\"]*\"|\\.|_.|\[[^\]]*\]")
_PERCENT_FORMATS = {"9", "10"}
_MOST_REPEATED = 100_000


@dataclass(frozen=True)
class Marks:
    """Cells of a sheet, as pairs of row and column, both counted from 0.

    Attributes
    ----------
    unsaved : set of (int, int)
        Formulas whose value the file does not hold.
    percent : set of (int, int)
        Numbers that are shown as percentages.
    unread : bool
        Whether the XML is not as expected, so that no cell could be looked at.
    """

    unsaved: set[tuple[int, int]] = field(default_factory=set)
    percent: set[tuple[int, int]] = field(default_factory=set)
    unread: bool = False


def marks_of(content: bytes, sheet: str) -> Marks:
    """Return the marks of one sheet of a workbook."""
    if not content.startswith(b"PK\x03\x04"):
        return Marks()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if "content.xml" in parts.namelist():
                return _of_ods(parts.read("content.xml"), sheet)
            if "xl/workbook.xml" in parts.namelist():
                return _of_xlsx(parts, sheet)
    # NotImplementedError: a compression that zipfile does not know
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, NotImplementedError):
        return Marks(unread=True)  # the values themselves were read by calamine
    return Marks()


def _of_xlsx(parts: zipfile.ZipFile, sheet: str) -> Marks:
    marks = Marks()
    xml = parts.read(_part_of(parts, sheet))
    if b"<f" in xml or b":f" in xml:
        for found in _UNSAVED.finditer(xml):
            cell = dict(_ATTRIBUTE.findall(found[1]))
            if cell.get(b"t") != b"str":  # an empty text is a value: ="" is saved with this type
                marks.unsaved.add(_place(cell))
    percent = [style for style in _percent_styles(parts) if b's="%s"' % style in xml]
    if percent:
        shown = re.compile(
            rb"<(?:\w+:)?c\b([^>]*\bs=\"(?:%s)\"[^>]*)>\s*(?:%s)?%s"
            % (b"|".join(percent), _FORMULA, _VALUE)
        )
        for found in shown.finditer(xml):
            cell = dict(_ATTRIBUTE.findall(found[1]))
            if cell.get(b"t", b"n") == b"n":
                marks.percent.add(_place(cell))
    return marks


def _place(cell: Mapping[bytes, bytes]) -> tuple[int, int]:
    """Return row and column of a cell from its attributes, which every known program writes."""
    at = _REFERENCE.fullmatch(cell.get(b"r", b""))
    if at is None:
        raise KeyError("r")
    return int(at[2]) - 1, _column(at[1])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _part_of(parts: zipfile.ZipFile, sheet: str) -> str:
    """Return the part of a workbook that holds a sheet."""
    book = _root(parts.read("xl/workbook.xml"))
    links = _root(parts.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for one in book.iterfind(".//{*}sheet"):
        if one.get("name") == sheet:
            key = next(value for name, value in one.items() if name.endswith("}id"))
            return posixpath.normpath(posixpath.join("/xl", targets[key])).lstrip("/")
    raise KeyError(sheet)


def _percent_styles(parts: zipfile.ZipFile) -> Iterator[bytes]:
    """Yield the numbers of the styles that show a number as a percentage."""
    if "xl/styles.xml" not in parts.namelist():
        return
    styles = _root(parts.read("xl/styles.xml"))
    formats = _PERCENT_FORMATS | {
        one.get("numFmtId", "")
        for one in styles.iterfind(".//{*}numFmt")
        if "%" in _NOT_SHOWN.sub("", one.get("formatCode", ""))
    }
    for number, style in enumerate(styles.iterfind("./{*}cellXfs/{*}xf")):
        if style.get("numFmtId") in formats:
            yield str(number).encode()


def _of_ods(xml: bytes, sheet: str) -> Marks:
    marks = Marks()
    if b":formula=" not in xml and b'"percentage"' not in xml:
        return marks
    for table in _root(xml).iterfind(".//{*}spreadsheet/{*}table"):
        if _said(table, "name") != sheet:
            continue
        row = 0
        for record in table.iterfind(".//{*}table-row"):
            rows = int(_said(record, "number-rows-repeated") or 1)
            column = 0
            for cell in record:
                columns = int(_said(cell, "number-columns-repeated") or 1)
                kind = _said(cell, "value-type")
                marked = None
                if kind == "percentage":
                    marked = marks.percent
                elif not kind and _said(cell, "formula"):
                    marked = marks.unsaved
                if marked is not None and rows * columns <= _MOST_REPEATED:
                    marked.update(
                        (row + down, column + right)
                        for down in range(rows)
                        for right in range(columns)
                    )
                column += columns
            row += rows
    return marks


def _root(xml: bytes) -> ElementTree.Element:
    """Return the root of a part, which has no entities of its own: no program writes any."""
    if b"<!ENTITY" in xml:
        raise ElementTree.ParseError("has entities")
    return ElementTree.fromstring(xml)  # noqa: S314 - no entities, which attacks need


def _said(element: ElementTree.Element, name: str) -> str:
    """Return an attribute in whatever namespace it is."""
    return next((value for key, value in element.items() if key.endswith(f"}}{name}")), "")
