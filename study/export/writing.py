"""Write tables of any kind of study to CSV or Parquet files, alone, together or in a zip file."""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, get_args

from sqlalchemy.engine import Connection

from prereg import files
from prereg.errors import RatifyError
from prereg.tables.reader import cell_text
from study.export.manifest import Counted
from study.export.people import WHO
from study.export.tidy import AT_A_TIME, Cells, Columns, TidyTable
from study.store.database import Store

TABLES_FOLDER = "data"
# Who is who, if the tables hold pseudonyms; only its owner can read it.
WHO_FILE = "pseudonyms.csv"
# With these a spreadsheet begins a formula, or skips them and then finds one. The second four are
# the wide forms that some keyboards write.
FORMULA = tuple("=+-@\t\r\n" + "＝＋－＠")
_NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
CODEBOOK = "CODEBOOK.md"
Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    folder : Path
    tables : tuple of str
        Names of the files, without the codebook.
    left_behind : mapping
        How many rows of other plans the store also holds, by table; they are not exported.
    who : Path or None
        The file with the raters' ids, if the tables hold pseudonyms.
    """

    folder: Path
    tables: tuple[str, ...]
    left_behind: Mapping[str, int]
    who: Path | None = None

    @property
    def note(self) -> str:
        """A sentence that says what was left behind; empty if nothing was."""
        if not self.left_behind:
            return ""
        rows = ", ".join(f"{count} of {name}" for name, count in self.left_behind.items())
        return f"the store also holds rows of other plans, which are not in these tables: {rows}"


def known_format(ending: str) -> Format:
    """Return a format of tables; raise `RatifyError` if there is no such one."""
    for known in FORMATS:
        if ending == known:
            return known
    raise RatifyError("unknown format", value=ending, allowed=", ".join(FORMATS))


def refuse_formulas(format: str, *, spreadsheet_safe: bool) -> None:  # noqa: A002
    """Refuse to make a format safe that no spreadsheet runs."""
    if spreadsheet_safe and format != "csv":
        raise RatifyError(
            "no spreadsheet runs it as formulas",
            file="--spreadsheet-safe",
            value=format,
            allowed="csv",
        )


def refuse_loss(store: Store, target: Path, tables: Collection[str]) -> None:
    """Refuse to replace an export that has rows by one of a store that has none.

    Parameters
    ----------
    store : Store
        It has none.
    target : Path
        The folder of the earlier export.
    tables : collection of str
        Names of those that hold what was collected.
    """
    for path in sorted(target.glob("*")):
        name, _, ending = path.name.partition(".")
        if name in tables and ending in FORMATS and has_rows(path):
            raise RatifyError(
                "has rows, but the store has none of this study, so nothing was written",
                file=path,
                allowed=f"the store that was exported ({store.place} is another one), or no "
                f"{TABLES_FOLDER}/",
            )


def has_rows(path: Path) -> bool:
    """Say whether an exported table has any row."""
    if path.suffix == ".csv":
        with path.open("rb") as stream:
            return len(list(islice(stream, 2))) == 2
    import pyarrow.parquet as pq

    return bool(pq.ParquetFile(path).metadata.num_rows)


def write_tables(
    connection: Connection,
    tables: Iterable[TidyTable],
    folder: Path,
    ending: Format,
    *,
    safe: bool = False,
) -> dict[str, int]:
    """Write every table into a folder; return the number of rows of each file, by its name."""
    rows = {}
    for table in tables:
        name = f"{table.name}.{ending}"
        with (folder / name).open("wb") as stream:
            counted = Counted(table.rows(connection))
            write_table(stream, table.columns, counted, ending, safe=safe)
            os.fsync(stream.fileno())
        rows[name] = counted.n
    return rows


def write_who(path: Path, people: Iterable[Cells], *, safe: bool) -> None:
    """Write who is who, for its owner alone."""
    text = io.StringIO()
    write_rows(text, WHO, people, safe=safe)
    files.write_text(path, text.getvalue(), private=True)


def packed(write: Callable[[Path], object]) -> IO[bytes]:
    """Return an open zip file of what is written into a folder; closing it deletes it."""
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
    stream.seek(0)
    return stream


def one_file(connection: Connection, table: TidyTable, ending: Format) -> IO[bytes]:
    """Return one table as an open file; closing it deletes it."""
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    write_table(stream, table.columns, table.rows(connection), ending)
    stream.seek(0)
    return stream


def write_table(
    stream: IO[bytes],
    columns: Columns,
    rows: Iterable[Cells],
    ending: Format,
    *,
    safe: bool = False,
) -> None:
    """Write one table to a stream, as CSV or Parquet; see `export` for `safe`."""
    if ending == "csv":
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        write_rows(text, columns, rows, safe=safe)
        text.detach()  # flushes, and leaves the stream open to its owner
    else:
        _write_parquet(stream, columns, rows)


def write_rows(text: IO[str], columns: Iterable[str], rows: Iterable[Cells], *, safe: bool) -> None:
    """Write rows as `prereg.tables.reader.write_csv` does, but one at a time."""
    # every cell in quotes: a spreadsheet that splits at semicolons must not find a cell within one
    cell_of = safe_text if safe else cell_text
    writer = csv.writer(
        text, lineterminator="\n", quoting=csv.QUOTE_ALL if safe else csv.QUOTE_MINIMAL
    )
    writer.writerow([cell_of(name) for name in columns])
    writer.writerows([cell_of(cell) for cell in row] for row in rows)


def safe_text(cell: Any) -> str:
    """Return a cell as text that no spreadsheet runs as a formula; numbers stay numbers."""
    text = cell_text(cell)
    if isinstance(cell, str) and text.startswith(FORMULA) and not _NEGATIVE.fullmatch(text):
        return "'" + text
    return text


def _write_parquet(stream: IO[bytes], columns: Columns, rows: Iterable[Cells]) -> None:
    """Write rows with their types, one group of rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])

    left = iter(rows)
    with pq.ParquetWriter(stream, schema) as writer:
        while group := list(islice(left, AT_A_TIME)):
            cells = [list(column) for column in zip(*group, strict=True)]
            writer.write_batch(pa.record_batch(cells, schema=schema))
