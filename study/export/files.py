"""Write the tidy tables from the store to CSV or Parquet files, with their codebook."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import IO, Any

from prereg import files
from prereg.chat.flow import TRIAL_FLOW
from prereg.errors import RatifyError
from prereg.exploratory import load_exploratory, with_exploratory
from prereg.tables.contract import TABLES
from prereg.tables.manifest import MANIFEST_FILE
from study.export.manifest import asked_of_judges, manifest_of
from study.export.people import named, pseudonymous, who_is_who
from study.export.survey import survey_codebook
from study.export.tidy import COLLECTED, TidyTable, holds_rows, left_behind, tidy_tables
from study.export.writing import (
    CODEBOOK,
    FORMATS,
    TABLES_FOLDER,
    WHO_FILE,
    Exported,
    Format,
    known_format,
    one_file,
    packed,
    refuse_formulas,
    refuse_loss,
    write_tables,
    write_who,
)
from study.folder import Study
from study.store.database import Store

# Files that an export may replace; anything else in the folder belongs to somebody.
EXPORTED = (*(f"{name}.{ending}" for name in TABLES for ending in FORMATS), CODEBOOK, MANIFEST_FILE)


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
    ending = known_format(format)
    refuse_formulas(format, spreadsheet_safe=spreadsheet_safe)
    target, who = study.folder / TABLES_FOLDER, study.folder / WHO_FILE
    with store.snapshot() as connection:
        if not holds_rows(connection, study):
            refuse_loss(store, target, COLLECTED)
    pseudonyms = who.exists() if pseudonyms is None else pseudonyms
    own = _own_tables(study, target)
    with files.replaced_folder(target, ours=(*EXPORTED, *own)) as folder:
        tables, others, people = _write_all(
            store, study, folder, ending, safe=spreadsheet_safe, pseudonyms=pseudonyms
        )
        for name in own:
            files.write_bytes(folder / name, (target / name).read_bytes())
        if people is not None:
            write_who(who, people, safe=spreadsheet_safe)
    if not pseudonyms:
        who.unlink(missing_ok=True)  # the tables hold the ids again
    return Exported(target, tables, others, who if pseudonyms else None)


def _own_tables(study: Study, folder: Path) -> list[str]:
    """Return the researcher's own tables in the folder that analyses read, exploratory ones too.

    Also the flow of a chat's participants, which stands beside the tables of its first stage.
    """
    plan = with_exploratory(study.plan, load_exploratory(study.folder, study.plan))
    wanted = [f"{name}.{ending}" for name in (*plan.tables, TRIAL_FLOW) for ending in FORMATS]
    return [name for name in wanted if name not in EXPORTED and (folder / name).exists()]


def archive(store: Store, study: Study, format: str) -> IO[bytes]:  # noqa: A002
    """Return an open zip file of all tables and the codebook; closing it deletes it.

    Raises
    ------
    RatifyError
        When the format is neither csv nor parquet.
    """
    ending = known_format(format)
    return packed(lambda folder: _write_all(store, study, folder, ending))


def one_table(store: Store, study: Study, name: str, format: str) -> IO[bytes]:  # noqa: A002
    """Return one table as an open file; closing it deletes it.

    Raises
    ------
    RatifyError
        When a study of this kind has no such table, or the format is neither csv nor parquet.
    """
    ending = known_format(format)
    tables = tidy_tables(study)
    if name not in tables:
        raise RatifyError("there is no such table", value=name, allowed=", ".join(tables))
    with store.snapshot() as connection:
        return one_file(connection, tables[name], ending)


def codebook(study: Study) -> str:
    """Return the codebook of the tidy tables, with the questions of the study's end survey."""
    common = (resources.files("data") / "README.md").read_text(encoding="utf-8")
    return common + survey_codebook(study.plan)


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
    people = None
    with store.snapshot() as connection:
        if pseudonyms:
            names = named(store, study, connection, places=study.plan.design.raters)
            people = who_is_who(study, connection, names)
            tables = [pseudonymous(table, names) for table in tables]
        rows = write_tables(connection, tables, folder, ending, safe=safe)
        others = left_behind(connection, study)
        manifest_of(connection, study, folder, rows, asked_of_judges(study)).write(folder)
    files.write_text(folder / CODEBOOK, codebook(study))
    return tuple(rows), others, people
