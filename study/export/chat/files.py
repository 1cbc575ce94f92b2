"""Write the tidy tables of a chat to CSV or Parquet files, and its conversations as a corpus.

People's ids are pseudonyms in every table: `pseudonyms.csv`, beside the folder of the tables, says
who is who. A corpus that was written once is written again with the tables, so that nothing of
somebody who withdrew stays in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection

from prereg import files
from prereg.errors import RatifyError
from prereg.tables.chat_contract import CHAT_TABLES
from prereg.tables.manifest import MANIFEST_FILE
from study.chat.study import ChatStudy
from study.export.chat.codebook import chat_codebook
from study.export.chat.convokit import CORPUS_FILES, with_names, write_corpus
from study.export.chat.tables import chat_tables, holds_rows, left_behind
from study.export.manifest import manifest_of
from study.export.people import named, pseudonymous, who_is_who
from study.export.tidy import TidyTable
from study.export.writing import (
    CODEBOOK,
    FORMATS,
    TABLES_FOLDER,
    WHO_FILE,
    Exported,
    known_format,
    one_file,
    packed,
    refuse_formulas,
    refuse_loss,
    write_tables,
    write_who,
)
from study.store.chat_tables import Call
from study.store.database import Store

CORPUS_FOLDER = "convokit"
CORPUS: Literal["convokit"] = "convokit"
# Files that an export may replace; anything else in the folder belongs to somebody.
CHAT_EXPORTED = (
    *(f"{name}.{ending}" for name in CHAT_TABLES for ending in FORMATS),
    CODEBOOK,
    MANIFEST_FILE,
)


@dataclass(frozen=True)
class _Moment:
    """The store at one moment, with everybody's pseudonym."""

    connection: Connection
    tables: Mapping[str, TidyTable]
    who: list[tuple[Any, ...]]


def export_chat(
    store: Store,
    study: ChatStudy,
    *,
    format: str = "csv",  # noqa: A002
    spreadsheet_safe: bool = False,
    pseudonyms: bool | None = None,
) -> Exported:
    """Write the tidy tables of a chat into its folder, or its corpus, replacing earlier ones.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    format : {'csv', 'parquet', 'convokit'}
    spreadsheet_safe : bool
        Whether text that a spreadsheet would run as a formula gets an apostrophe before it.
    pseudonyms : bool, optional
        Only there to be refused if it is False: a chat's tables never hold ids of a platform.

    Raises
    ------
    RatifyError
        As `study.export.files.export`, and if ids are asked for.
    """
    _refuse(format, spreadsheet_safe=spreadsheet_safe, pseudonyms=pseudonyms)
    target, corpus = study.folder / TABLES_FOLDER, study.folder / CORPUS_FOLDER
    who = study.folder / WHO_FILE
    with store.snapshot() as connection:
        if not holds_rows(connection, study):
            refuse_loss(store, target, CHAT_TABLES)
    with _at_one_moment(store, study) as now:
        if format == CORPUS:
            written: tuple[str, ...] = CORPUS_FILES
        else:
            with files.replaced_folder(target, ours=CHAT_EXPORTED) as folder:
                written = _write_all(now, study, folder, format, safe=spreadsheet_safe)
        if format == CORPUS or corpus.exists():
            with files.replaced_folder(corpus, ours=CORPUS_FILES) as folder:
                _write_corpus(now, study, folder)
        write_who(who, now.who, safe=spreadsheet_safe)
        others = left_behind(now.connection, study)
    return Exported(corpus if format == CORPUS else target, written, others, who)


def _refuse(format: str, *, spreadsheet_safe: bool, pseudonyms: bool | None) -> None:  # noqa: A002
    if format != CORPUS:
        known_format(format)
    refuse_formulas(format, spreadsheet_safe=spreadsheet_safe)
    if pseudonyms is False:
        raise RatifyError(
            "the tables of a chat hold what people wrote, and never their ids",
            file="--platform-ids",
            allowed=f"--pseudonyms; {WHO_FILE} says who is who",
        )


@contextlib.contextmanager
def _at_one_moment(store: Store, study: ChatStudy) -> Iterator[_Moment]:
    """Yield the store as it is now, with everybody's pseudonym, for a with block."""
    with store.snapshot() as connection:
        names = named(store, study, connection, places=study.plan.design.supporters)
        tables = {name: pseudonymous(one, names) for name, one in chat_tables(study).items()}
        yield _Moment(connection, tables, who_is_who(study, connection, names))


def _write_all(
    now: _Moment,
    study: ChatStudy,
    folder: Path,
    format: str,  # noqa: A002
    *,
    safe: bool = False,
) -> tuple[str, ...]:
    """Write every table, the codebook and the manifest; return the names of the tables' files."""
    rows = write_tables(
        now.connection, now.tables.values(), folder, known_format(format), safe=safe
    )
    manifest_of(now.connection, study, folder, rows, _asked(study)).write(folder)
    files.write_text(folder / CODEBOOK, chat_codebook(study))
    return tuple(rows)


def _write_corpus(now: _Moment, study: ChatStudy, folder: Path) -> None:
    wanted = ("messages", "conversations", "participants")
    tables = {name: now.tables[name] for name in wanted}
    rows = {
        name: list(with_names(table.columns, table.rows(now.connection)))
        for name, table in tables.items()
    }
    write_corpus(folder, study, rows)


def _asked(study: ChatStudy) -> Select[Any]:
    """Return the statement that counts the answered calls by their purpose."""
    calls = Call.__table__.c
    return (
        select(calls.purpose, func.count())
        .where(calls.plan_hash == study.root_hash, calls.status == "answered")
        .group_by(calls.purpose)
        .order_by(calls.purpose)
    )


def chat_archive(store: Store, study: ChatStudy, format: str) -> IO[bytes]:  # noqa: A002
    """Return an open zip file of all tables, or of the corpus; closing it deletes it.

    Raises
    ------
    RatifyError
        When there is no such format.
    """
    _refuse(format, spreadsheet_safe=False, pseudonyms=None)

    def write(folder: Path) -> None:
        with _at_one_moment(store, study) as now:
            if format == CORPUS:
                _write_corpus(now, study, folder)
            else:
                _write_all(now, study, folder, format)

    return packed(write)


def one_chat_table(store: Store, study: ChatStudy, name: str, format: str) -> IO[bytes]:  # noqa: A002
    """Return one table as an open file; closing it deletes it.

    Raises
    ------
    RatifyError
        When a chat has no such table, or the format is neither csv nor parquet.
    """
    ending = known_format(format)
    if name not in CHAT_TABLES:
        raise RatifyError("there is no such table", value=name, allowed=", ".join(CHAT_TABLES))
    with _at_one_moment(store, study) as now:
        return one_file(now.connection, now.tables[name], ending)
