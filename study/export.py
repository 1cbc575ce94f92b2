"""From the store to the tidy tables, with their codebook."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from prereg import files
from prereg.lock import SEQUENCE_COLUMNS
from prereg.tabular import write_csv
from study.design import sequence_rows
from study.folder import Study
from study.store import Base, Judgment, Rating, Store, Visit

TABLES_FOLDER = "data"
EXPORTED = (
    "items.csv", "sequences.csv", "judgments.csv", "ratings.csv", "participants.csv", "CODEBOOK.md",
)  # fmt: skip

JUDGMENT_COLUMNS = (
    "judgment_id", "plan_hash", "mode", "session_id", "rater_id", "rater_kind", "scenario",
    "left_id", "right_id", "choice", "position", "is_attention_check", "shown_at", "answered_at",
    "response_ms", "hidden_ms", "purpose",
)  # fmt: skip
RATING_COLUMNS = (
    "rater_id", "rater_kind", "item_id", "dimension", "value", "scale_min", "scale_max",
    "plan_hash",
)  # fmt: skip
PARTICIPANT_COLUMNS = (
    "session_id", "rater_id", "condition", "sequence_id", "consented_at", "finished_at", "status",
    "mode", "plan_hash",
)  # fmt: skip


def export(store: Store, study: Study) -> Path:
    """Write the tidy tables of this plan into the study folder.

    Every row of every mode is written: telling them apart is the analysis' business.

    Returns
    -------
    Path
        The folder: items, judgments, ratings, participants, sequences as CSV, and CODEBOOK.md.
    """
    target = study.folder / TABLES_FOLDER
    trials = [trial for sequence in study.sequences.values() for trial in sequence]
    with files.replaced_folder(target, ours=EXPORTED) as folder:
        write_csv(folder / "items.csv", study.table.columns, study.table.rows)
        write_csv(folder / "sequences.csv", SEQUENCE_COLUMNS, sequence_rows(trials))
        with store.snapshot() as session:
            _write(session, study, folder / "judgments.csv", Judgment, JUDGMENT_COLUMNS, "row_id")
            _write(session, study, folder / "ratings.csv", Rating, RATING_COLUMNS, "row_id")
            people = folder / "participants.csv"
            _write(session, study, people, Visit, PARTICIPANT_COLUMNS, "sequence_id")
        files.write_text(folder / "CODEBOOK.md", codebook())
    return target


def codebook() -> str:
    """Return the codebook of the tidy tables."""
    return (resources.files("data") / "README.md").read_text(encoding="utf-8")


def _write(
    session: Session,
    study: Study,
    path: Path,
    model: type[Base],
    columns: tuple[str, ...],
    order: str,
) -> None:
    table = model.__table__
    wanted = (
        select(*(table.c[column] for column in columns))
        .where(table.c["plan_hash"] == study.plan_hash)
        .order_by(table.c[order])
    )
    rows: Iterable[Any] = session.execute(wanted).mappings()
    write_csv(path, columns, rows)
