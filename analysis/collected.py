"""Holds what was collected against what was locked: strange rows are refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from prereg import files
from prereg.errors import RatifyError
from prereg.lock import SEQUENCES_FILE, Lock
from prereg.tabular import read_table


def refuse_other_items(rows: list[dict[str, str]], lock: Lock, path: Path) -> None:
    """Raise `RatifyError` unless these are the items that were locked, all columns."""
    if files.sha256(files.canonical_json(rows)) != lock.parts.get("items"):
        raise RatifyError(
            "is not the table of items that was locked", file=path, allowed="run `ratify export`"
        )


def refuse_other_plans(frame: pd.DataFrame, lock: Lock, path: Path) -> None:
    """Raise `RatifyError` at the first row that carries another plan's hash."""
    if frame.empty:
        return
    _refuse(
        frame, frame["plan_hash"] != lock.plan_hash, path, "plan_hash",
        "this row was collected under another plan", lock.plan_hash,
    )  # fmt: skip


def refuse_unknown_items(judgments: pd.DataFrame, items: pd.DataFrame, path: Path) -> None:
    """Raise `RatifyError` at the first judgment of an item, or across scenarios, that is not there.

    A row's scenario must be that of both its items.
    """
    scenario_of = items.set_index("item_id")["scenario"]
    for column in ("left_id", "right_id"):
        found = judgments[column].map(scenario_of)
        _refuse(judgments, found.isna(), path, column, "is no item", "an id of items.csv")
        _refuse(
            judgments, found != judgments["scenario"], path, column,
            "belongs to another scenario than the row", "two items of one scenario",
        )  # fmt: skip


def refuse_undesigned(people: pd.DataFrame, tables: Path) -> None:
    """Raise `RatifyError` at the first answer to a trial that the locked sequences do not hold.

    Parameters
    ----------
    people : DataFrame
        People's judgments with `sequence_id`, row labels as in judgments.csv.
    tables : Path
        Folder of the tidy tables, below the study folder.
    """
    path = tables / "judgments.csv"
    _refuse(
        people, people["sequence_id"].isna(), path, "session_id", "has no row in participants.csv",
        "a session of participants.csv",
    )  # fmt: skip
    _refuse(
        people, people.duplicated(["session_id", "position"]), path, "position",
        "this session has answered this position already", "one answer each",
    )  # fmt: skip
    designed = {
        (row["sequence_id"], int(row["position"]), row["left_id"], row["right_id"])
        for row in read_table(tables.parent / SEQUENCES_FILE).rows
    }
    shown = zip(
        people["sequence_id"], people["position"], people["left_id"], people["right_id"],
        strict=True,
    )  # fmt: skip
    strange = pd.Series([trial not in designed for trial in shown], index=people.index)
    _refuse(
        people, strange, path, "position", "is not a trial of this session's locked sequence",
        "the trials of sequences.csv",
    )  # fmt: skip


def _refuse(
    frame: pd.DataFrame, bad: pd.Series, path: Path, column: str, problem: str, allowed: str
) -> None:
    """Raise `RatifyError` at the first bad row; row labels count the records of the file."""
    if bad.any():
        at = int(bad.to_numpy().argmax())
        raise RatifyError(
            problem, file=path, row=int(frame.index[at]) + 2, column=column,
            value=frame[column].iloc[at], allowed=allowed,
        )  # fmt: skip
