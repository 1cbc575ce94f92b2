"""Write the tidy tables from the store to CSV or Parquet files, with their codebook."""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, get_args

from prereg import files
from prereg.errors import RatifyError
from prereg.exploratory import load_exploratory, with_exploratory
from prereg.tables.contract import TABLES
from prereg.tables.manifest import MANIFEST_FILE
from prereg.tables.reader import cell_text
from study.export.manifest import Counted, manifest_of
from study.export.people import WHO, named, pseudonymous, who_is_who
from study.export.survey import survey_codebook
from study.export.tidy import (
    AT_A_TIME,
    COLLECTED,
    Cells,
    Columns,
    TidyTable,
    holds_rows,
    left_behind,
    tidy_tables,
)
from study.folder import Study
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
# Files that an export may replace; anything else in the folder belongs to somebody.
EXPORTED = (*(f"{name}.{ending}" for name in TABLES for ending in FORMATS), CODEBOOK, MANIFEST_FILE)


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


def export(
    store: Store,
    study: Study,
    *,
    format: str = "csv",  # noqa: A002
    spreadsheet_safe: bool = False,
    pseudonyms: bool | None = None,
) -> Exported:
    """Write the tidy tables of this plan into the study folder, replacing earlier ones.

    Parameters
    ----------
    store : Store
    study : Study
    format : {'csv', 'parquet'}
    spreadsheet_safe : bool
        Whether text that a spreadsheet would run as a formula gets an apostrophe before it.
    pseudonyms : bool, optional
        Whether the tables hold pseudonyms, and the raters' ids are in a file of their own. By
        default they do if there is such a file, from an earlier export.

    Raises
    ------
    RatifyError
        When the format is unknown, the folder holds files that no export wrote, or the store has
        no row of this study and the folder has: then the store is not the one that was exported.
    """
    ending = _known(format)
    if spreadsheet_safe and ending != "csv":
        raise RatifyError(
            "no spreadsheet runs it as formulas",
            file="--spreadsheet-safe",
            value=format,
            allowed="csv",
        )
    target, who = study.folder / TABLES_FOLDER, study.folder / WHO_FILE
    _refuse_loss(store, study, target)
    pseudonyms = who.exists() if pseudonyms is None else pseudonyms
    own = _own_tables(study, target)
    with files.replaced_folder(target, ours=(*EXPORTED, *own)) as folder:
        tables, others, people = _write_all(
            store, study, folder, ending, safe=spreadsheet_safe, pseudonyms=pseudonyms
        )
        for name in own:
            files.write_bytes(folder / name, (target / name).read_bytes())
        if people is not None:
            text = io.StringIO()
            _write_rows(text, WHO, people, safe=spreadsheet_safe)
            files.write_text(who, text.getvalue(), private=True)
    if not pseudonyms:
        who.unlink(missing_ok=True)  # the tables hold the ids again
    return Exported(target, tables, others, who if pseudonyms else None)


def _refuse_loss(store: Store, study: Study, target: Path) -> None:
    """Refuse to replace an export that has answers by one that has none."""
    with store.snapshot() as connection:
        if holds_rows(connection, study):
            return
    for path in sorted(target.glob("*")):
        name, _, ending = path.name.partition(".")
        if name in COLLECTED and ending in FORMATS and _has_rows(path):
            raise RatifyError(
                "has rows, but the store has none of this study, so nothing was written",
                file=path,
                allowed=f"the store that was exported ({store.place} is another one), or no "
                f"{TABLES_FOLDER}/",
            )


def _has_rows(path: Path) -> bool:
    if path.suffix == ".csv":
        with path.open("rb") as stream:
            return len(list(islice(stream, 2))) == 2
    import pyarrow.parquet as pq

    return bool(pq.ParquetFile(path).metadata.num_rows)


def _own_tables(study: Study, folder: Path) -> list[str]:
    """Return the researcher's own tables in the folder that analyses read, exploratory ones too."""
    plan = with_exploratory(study.plan, load_exploratory(study.folder, study.plan))
    wanted = [f"{name}.{ending}" for name in plan.tables for ending in FORMATS]
    return [name for name in wanted if name not in EXPORTED and (folder / name).exists()]


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
    store: Store,
    study: Study,
    folder: Path,
    ending: Format,
    *,
    safe: bool = False,
    pseudonyms: bool = False,
) -> tuple[tuple[str, ...], dict[str, int], list[tuple[Any, ...]] | None]:
    """Write every table as it was at one moment, their codebook and their manifest.

    Returns the names of the files, how many rows were left, and who is who.
    """
    tables: list[TidyTable] = list(tidy_tables(study).values())
    written = tuple(f"{table.name}.{ending}" for table in tables)
    people = None
    rows: dict[str, int] = {}
    with store.snapshot() as connection:
        if pseudonyms:
            names = named(store, study, connection)
            people = who_is_who(study, connection, names)
            tables = [pseudonymous(table, names) for table in tables]
        for name, table in zip(written, tables, strict=True):
            with (folder / name).open("wb") as stream:
                counted = Counted(table.rows(connection))
                _write(stream, table.columns, counted, ending, safe=safe)
                os.fsync(stream.fileno())
            rows[name] = counted.n
        others = left_behind(connection, study)
        manifest_of(connection, study, folder, rows).write(folder)
    files.write_text(folder / CODEBOOK, codebook(study))
    return written, others, people


def _write(
    stream: IO[bytes],
    columns: Columns,
    rows: Iterable[Cells],
    ending: Format,
    *,
    safe: bool = False,
) -> None:
    if ending == "csv":
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        _write_rows(text, columns, rows, safe=safe)
        text.detach()  # flushes, and leaves the stream open to its owner
    else:
        _write_parquet(stream, columns, rows)


def _write_rows(
    text: IO[str], columns: Iterable[str], rows: Iterable[Cells], *, safe: bool
) -> None:
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
