"""Counts what the store has promised, for the manifest beside exported tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection

from prereg.code import tool_version
from prereg.tables.manifest import Manifest
from study.export.tidy import Cells, Kept, of_study
from study.store.tables import Request, Visit, Withdrawal


class Exportable(Kept, Protocol):
    """A study of any kind whose tables are exported."""

    @property
    def plan_hash(self) -> str: ...  # noqa: D102


class Counted:
    """Rows that are counted as they pass.

    Attributes
    ----------
    n : int
        How many have passed.
    """

    def __init__(self, rows: Iterable[Cells]) -> None:
        self._rows = rows
        self.n = 0

    def __iter__(self) -> Iterator[Cells]:
        """Yield the rows."""
        for row in self._rows:
            self.n += 1
            yield row


def manifest_of(
    connection: Connection,
    study: Exportable,
    folder: Path,
    rows: Mapping[str, int],
    asked: Select[Any],
) -> Manifest:
    """Return the manifest of tables that have just been written.

    Parameters
    ----------
    connection : Connection
        Sees the store as it was when they were written.
    study : Study or ChatStudy
    folder : Path
        Where they are.
    rows : mapping
        Number of rows by file.
    asked : Select
        Counts, by name, the requests to models that were answered.
    """
    visits = Visit.__table__.c
    answered = (
        select(visits.session_id, visits.answered)
        .where(of_study(visits, study))
        .order_by(visits.session_id)
    )
    return Manifest(
        tool=tool_version(),
        plan_hash=study.plan_hash,
        rows=dict(rows),
        sha256={name: sha256_of(folder / name) for name in rows},
        answered=pairs(connection, answered),
        requests=pairs(connection, asked),
        withdrawals=pairs(connection, withdrawals_of(study)),
    )


def asked_of_judges(study: Kept) -> Select[Any]:
    """Return the statement that counts the answered requests by judge."""
    requests = Request.__table__.c
    return (
        select(requests.rater_id, func.count())
        .where(requests.plan_hash == study.root_hash, requests.status == "answered")
        .group_by(requests.rater_id)
        .order_by(requests.rater_id)
    )


def withdrawals_of(study: Kept) -> Select[Any]:
    """Return the statement that counts withdrawals by mode."""
    gone = Withdrawal.__table__.c
    return (
        select(gone.mode, func.count())
        .where(gone.plan_hash == study.root_hash)
        .group_by(gone.mode)
        .order_by(gone.mode)
    )


def pairs(connection: Connection, wanted: Select[Any]) -> dict[str, int]:
    """Return the counts that a statement finds, by name."""
    return {str(name): int(n) for name, n in connection.execute(wanted)}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
