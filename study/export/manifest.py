"""Counts what the store has promised, for the manifest beside exported tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection

from prereg.lock import tool_version
from prereg.tables.manifest import Manifest
from study.export.tidy import Cells, of_study
from study.folder import Study
from study.store.tables import Request, Visit, Withdrawal


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
    connection: Connection, study: Study, folder: Path, rows: Mapping[str, int]
) -> Manifest:
    """Return the manifest of tables that have just been written.

    Parameters
    ----------
    connection : Connection
        Sees the store as it was when they were written.
    study : Study
    folder : Path
        Where they are.
    rows : mapping
        Number of rows by file.
    """
    visits, requests, gone = Visit.__table__.c, Request.__table__.c, Withdrawal.__table__.c
    answered = (
        select(visits.session_id, visits.answered)
        .where(of_study(visits, study))
        .order_by(visits.session_id)
    )
    asked = (
        select(requests.rater_id, func.count())
        .where(requests.plan_hash == study.root_hash, requests.status == "answered")
        .group_by(requests.rater_id)
        .order_by(requests.rater_id)
    )
    withdrawn = (
        select(gone.mode, func.count())
        .where(gone.plan_hash == study.root_hash)
        .group_by(gone.mode)
        .order_by(gone.mode)
    )
    return Manifest(
        tool=tool_version(),
        plan_hash=study.plan_hash,
        rows=dict(rows),
        sha256={name: _sha256(folder / name) for name in rows},
        answered=_pairs(connection, answered),
        requests=_pairs(connection, asked),
        withdrawals=_pairs(connection, withdrawn),
    )


def _pairs(connection: Connection, wanted: Select[Any]) -> dict[str, int]:
    return {str(name): int(n) for name, n in connection.execute(wanted)}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
