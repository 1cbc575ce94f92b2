"""Says whether what was exported of a chat still holds words of somebody who has withdrawn."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from prereg.tables.manifest import read_manifest
from study.chat.study import ChatStudy
from study.export.chat.files import CORPUS_FOLDER
from study.export.manifest import pairs, withdrawals_of
from study.export.writing import TABLES_FOLDER
from study.store.database import Store


def withdrawn_since(connection: Connection, study: ChatStudy) -> int:
    """Return how many people have withdrawn since the tables were exported; 0 without an export."""
    manifest = read_manifest(study.folder / TABLES_FOLDER)
    if manifest is None:
        return 0
    now = pairs(connection, withdrawals_of(study))
    return sum(max(0, count - manifest.withdrawals.get(mode, 0)) for mode, count in now.items())


def retention_notes(store: Store, study: ChatStudy) -> list[str]:
    """Return what to do about exports that hold words of people who have withdrawn since.

    Raises
    ------
    RatifyError
        When the manifest beside the tables cannot be read.
    """
    with store.reading() as connection:
        gone = withdrawn_since(connection, study)
    if not gone:
        return []
    who = "somebody has withdrawn" if gone == 1 else f"{gone} people have withdrawn"
    corpus = f" and {CORPUS_FOLDER}/" if (study.folder / CORPUS_FOLDER).exists() else ""
    return [
        f"{who} since {TABLES_FOLDER}/{corpus} {'were' if corpus else 'was'} written: run "
        "`ratify export` again, and delete all copies of it"
    ]
