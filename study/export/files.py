"""Write the tidy tables from the store to CSV or Parquet files, with their codebook."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import IO, Literal, get_args

from prereg import files
from prereg.errors import RatifyError
from prereg.tables.contract import TABLES
from prereg.tables.reader import cell_text
from study.export.survey import survey_codebook
from study.export.tidy import AT_A_TIME, Cells, Columns, TidyTable, left_behind, tidy_tables
from study.folder import Study
from study.store.database import Store

TABLES_FOLDER = "data"
CODEBOOK = "CODEBOOK.md"
Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
# Files that an export may replace; anything else in the folder belongs to somebody.
EXPORTED = (*(f"{name}.{ending}" for name in TABLES for ending in FORMATS), CODEBOOK)


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
    """

    folder: Path
    tables: tuple[str, ...]
    left_behind: Mapping[str, int]

    @property
    def note(self) -> str:
        """A sentence that says what was left behind; empty if nothing was."""
        if not self.left_behind:
            return ""
        rows = ", ".join(f"{count} of {name}" for name, count in self.left_behind.items())
        return f"the store also holds rows of other plans, which are not in these tables: {rows}"


def export(store: Store, study: Study, *, format: str = "csv") -> Exported:  # noqa: A002
    """Write the tidy tables of this plan into the study folder, replacing earlier ones.

    Parameters
    ----------
    store : Store
    study : Study
    format : {'csv', 'parquet'}

    Raises
    ------
    RatifyError
        When the format is unknown, or the folder holds files that no export wrote.
    """
    ending = _known(format)
    target = study.folder / TABLES_FOLDER
    with files.replaced_folder(target, ours=EXPORTED) as folder:
        tables, others = _write_all(store, study, folder, ending)
    return Exported(target, tables, others)


def archive(store: Store, study: Study, format: str) -> IO[bytes]:  # noqa: A002
    """Return an open zip file of all tables and the codebook; closing it deletes it.

    Raises
    ------
    RatifyError
        When the format is neither csv nor parquet.
    """
    ending = _known(format)
    packed = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_all(store, study, folder, ending)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
    packed.seek(0)
    return packed


def one_table(store: Store, study: Study, name: str, format: str) -> IO[bytes]:  # noqa: A002
    """Return one table as an open file; closing it deletes it.

    Raises
    ------
    RatifyError
        When a study of this kind has no such table, or the format is neither csv nor parquet.
    """
    ending = _known(format)
    tables = tidy_tables(study)
    if name not in tables:
        raise RatifyError("there is no such table", value=name, allowed=", ".join(tables))
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with store.snapshot() as connection:
        _write(stream, tables[name].columns, tables[name].rows(connection), ending)
    stream.seek(0)
    return stream


def codebook(study: Study) -> str:
    """Return the codebook of the tidy tables, with the questions of the study's end survey."""
    common = (resources.files("data") / "README.md").read_text(encoding="utf-8")
    return common + survey_codebook(study.plan)


def _known(ending: str) -> Format:
    for known in FORMATS:
        if ending == known:
            return known
    raise RatifyError("unknown format", value=ending, allowed=", ".join(FORMATS))


def _write_all(
    store: Store, study: Study, folder: Path, ending: Format
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Write every table as it was at one moment; return their names, and what was left behind."""
    tables: list[TidyTable] = list(tidy_tables(study).values())
    names = tuple(f"{table.name}.{ending}" for table in tables)
    with store.snapshot() as connection:
        for name, table in zip(names, tables, strict=True):
            with (folder / name).open("wb") as stream:
                _write(stream, table.columns, table.rows(connection), ending)
                os.fsync(stream.fileno())
        others = left_behind(connection, study)
    files.write_text(folder / CODEBOOK, codebook(study))
    return names, others


def _write(stream: IO[bytes], columns: Columns, rows: Iterable[Cells], ending: Format) -> None:
    if ending == "csv":
        _write_csv(stream, columns, rows)
    else:
        _write_parquet(stream, columns, rows)


def _write_csv(stream: IO[bytes], columns: Columns, rows: Iterable[Cells]) -> None:
    """Write rows as `prereg.tables.reader.write_csv` does, but one at a time."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell_text(cell) for cell in row] for row in rows)
    text.detach()  # flushes, and leaves the stream open to its owner


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
