"""Finds out what kind of file a table is in, and has it read; other kinds are called by name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from pathlib import Path

from prereg.errors import RatifyError
from prereg.tables.chosen_sheet import file_and_sheet
from prereg.tables.dialects import Cells, read_text

KINDS = "CSV, TSV, Parquet, Feather, Excel (xlsx, xls), ODS, JSON or JSONL"
_SHEETS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
_JSON = {".json", ".jsonl", ".ndjson"}
# How files of other kinds begin, what they are, and what to do with them.
_EXPORT = "exported as CSV"
_R = "the table written with write.csv(x, 'table.csv', row.names = FALSE)"
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF", "the table behind it, as CSV"),
    (b"$FL2", "an SPSS file", f"the table {_EXPORT} from SPSS (File, Export)"),
    (b"$FL3", "an SPSS file", f"the table {_EXPORT} from SPSS (File, Export)"),
    (b"PK\x03\x04", "a zip file", "the table inside it, unpacked"),
    (b"Rar!", "a rar archive", "the table inside it, unpacked"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "the table inside it, unpacked"),
    (b"\x28\xb5\x2f\xfd", "a file packed with zstd", "the table inside it, unpacked"),
    (b"X\n\x00\x00", "an R object (.rds)", _R),
    (b"A\n2\n", "an R object (.rds)", _R),
    (b"A\n3\n", "an R object (.rds)", _R),
    (b"RDX", "an R workspace (.RData)", _R),
    (b"RDA", "an R workspace (.RData)", _R),
    (b"<stata_dta>", "a Stata file", f"the table {_EXPORT} from Stata (export delimited)"),
    (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc2\xea\x81\x60", "a SAS file", _EXPORT),
    (b"HEADER RECORD*******LIB", "a SAS transport file", f"the table {_EXPORT}"),
    (b"SQLite format 3\x00", "an SQLite database", f"one of its tables, {_EXPORT}"),
    (b"\x89PNG", "a picture (PNG)", "the table as CSV"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "the table as CSV"),
    (b"GIF8", "a picture (GIF)", "the table as CSV"),
    (b"\x89HDF", "an HDF5 file", f"the table {_EXPORT}"),
    (b"\x93NUMPY", "a NumPy array", f"the table {_EXPORT}"),
    (b"\x80\x04\x95", "a Python pickle", "the table written with to_csv or to_parquet"),
    (b"\x80\x05\x95", "a Python pickle", "the table written with to_csv or to_parquet"),
    (b"{\\rtf", "a text document (RTF)", "the table as CSV"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the file", "`git lfs pull` first"),
)
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body", b"<table", b"<script")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UNPACK = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}
# Stata before 13 has no mark: release number, byte order, file type 1, 0.
_OLD_STATA = tuple(bytes([release, order, 1, 0]) for release in range(110, 116) for order in (1, 2))


def read_cells(path: Path) -> Cells:
    """Return the cells of a table in a file of any kind that is read; `FILE#SHEET` of one sheet.

    Raises
    ------
    RatifyError
        Where the file is missing, empty, or not a table; it says what the file is.
    """
    file, sheet = file_and_sheet(path)
    content = _read_bytes(file)
    inner = file
    for mark, unpack in _UNPACK.items():
        if content.startswith(mark):
            content = _unpacked(content, unpack, path)
            inner = file.with_suffix("")
    suffix = inner.suffix.lower()
    workbook = suffix in _SHEETS or _is_workbook(content)
    if sheet is not None and not workbook:
        raise RatifyError(
            "has no sheets", file=file, value=sheet, allowed="the file without '#' and a name"
        )
    if suffix in {".parquet", ".pq"} or content.startswith(b"PAR1"):
        from prereg.tables.arrow import read_parquet

        return read_parquet(content, path)
    if content.startswith((b"ARROW1", b"FEA1")):
        from prereg.tables.arrow import read_feather

        return read_feather(content, path)
    if workbook:
        _refuse_foreign(content, path, but=(b"PK\x03\x04",))
        from prereg.tables.sheets import read_sheet

        return read_sheet(content, path, sheet)
    _refuse_foreign(content, path)
    if suffix in _JSON or content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
        from prereg.tables.json_rows import read_json

        return read_json(content, path)
    return read_text(content, path)


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


def _unpacked(content: bytes, unpack: object, path: Path) -> bytes:
    assert callable(unpack)
    try:
        inside: bytes = unpack(content)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise RatifyError(
            "is a packed file that cannot be unpacked: it is damaged or not whole",
            file=path,
            allowed="the whole file, or the table unpacked",
        ) from error
    if not inside.strip():
        raise RatifyError("is empty", file=path, allowed="a CSV with a header row")
    return inside


def _is_workbook(content: bytes) -> bool:
    """Say whether a file is a workbook, whatever its name: a zip or OLE file with a workbook in."""
    if content.startswith(_OLE):
        return "Workbook".encode("utf-16-le") in content or "Book".encode("utf-16-le") in content
    return content.startswith(b"PK\x03\x04") and (
        b"xl/workbook." in content or b"opendocument.spreadsheet" in content[:200]
    )


def _refuse_foreign(content: bytes, path: Path, *, but: tuple[bytes, ...] = ()) -> None:
    """Raise `RatifyError` if the file is of a kind that is known and not read."""
    for mark, what, instead in _FOREIGN:
        if content.startswith(mark) and mark not in but:
            raise RatifyError(f"is {what}, not a CSV or another table", file=path, allowed=instead)
    if content.startswith(_OLD_STATA):
        raise RatifyError(
            "is a Stata file, not a CSV or another table",
            file=path,
            allowed=f"the table {_EXPORT} from Stata (export delimited)",
        )
    if content.startswith(_OLE) and not _is_workbook(content):
        raise RatifyError(
            "is an Office document without a sheet", file=path, allowed="the table as CSV"
        )
    head = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(_HTML) or (head.startswith(b"<?xml") and b"<html" in head):
        raise RatifyError(
            "is a web page (HTML), not a CSV or another table: perhaps the page of a sign-in",
            file=path,
            allowed="the file itself, downloaded while signed in",
        )
    if head.startswith(b"<?xml"):
        raise RatifyError("is XML, not a CSV or another table", file=path, allowed=KINDS)
