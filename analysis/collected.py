"""Holds what was collected against what was locked: strange rows are refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis import columns
from prereg import files
from prereg.errors import RatifyError
from prereg.lock import Lock
from prereg.tabular import read_table


def refuse_other_items(rows: list[dict[str, str]], lock: Lock, path: Path) -> None:
    """Raise `RatifyError` unless these are the items that were locked, all columns."""
    if files.sha256(files.canonical_json(rows)) != lock.parts.get("items"):
        raise RatifyError(
            "is not the table of items that was locked", file=path, allowed="run `ratify export`"
        )


def refuse_other_plans(frame: pd.DataFrame, lock: Lock, path: Path) -> None:
    """Raise `RatifyError` at the first row that carries another plan's hash.

    A table without the column (participants need not have it) says nothing to hold against.
    """
    if frame.empty or "plan_hash" not in frame:
        return
    _refuse(
        frame, frame["plan_hash"] != lock.plan_hash, path, "plan_hash",
        "this row was collected under another plan", lock.plan_hash,
    )  # fmt: skip


def refuse_unknown_items(judgments: pd.DataFrame, items: pd.DataFrame, path: Path) -> None:
    """Raise `RatifyError` at the first judgment of an item, or across scenarios, that is not there.

    A row's scenario must be that of both its items. People's attention checks are passed over:
    their texts are no items, and the locked sequences say what they must be.
    """
    scenario_of = items.set_index("item_id")["scenario"]
    judgments = judgments[~judgments["is_attention_check"]]
    for column in ("left_id", "right_id"):
        found = judgments[column].map(scenario_of)
        _refuse(judgments, found.isna(), path, column, "is no item", "an id of items.csv")
        _refuse(
            judgments, found != judgments["scenario"], path, column,
            "belongs to another scenario than the row", "two items of one scenario",
        )  # fmt: skip


def refuse_judges_checks(frame: pd.DataFrame, path: Path) -> None:
    """Raise `RatifyError` at the first attention check that a judge is said to have answered.

    Parameters
    ----------
    frame : DataFrame
        Judgments or ratings.
    path : Path
        Their file.
    """
    if frame.empty or "is_attention_check" not in frame:
        return
    asked = (frame["rater_kind"] != "human") & columns.flags(frame, "is_attention_check")
    _refuse(
        frame, asked, path, "is_attention_check", "a judge is asked no attention checks", "false"
    )


def refuse_unknown_slots(visits: pd.DataFrame, slots: int, path: Path) -> None:
    """Raise `RatifyError` at the first visit to a slot that no sequence has.

    Parameters
    ----------
    visits : DataFrame
        Participants; where they have no column `slot`, there is one.
    slots : int
        How many raters the plan wants for each sequence.
    path : Path
        Their file.
    """
    if visits.empty or "slot" not in visits:
        return
    beyond = pd.Series(columns.numbers(visits, "slot") > slots, index=visits.index)
    _refuse(visits, beyond, path, "slot", "no sequence has this slot", f"1 to {slots}")


def refuse_undesigned(people: pd.DataFrame, sequences: Path, path: Path) -> None:
    """Raise `RatifyError` at the first answer to a trial that the locked sequences do not hold.

    An attention check is held against them as any other trial, and so is whether it is one.

    Parameters
    ----------
    people : DataFrame
        People's judgments with `sequence_id`, row labels as in their file.
    sequences, path : Path
        The locked sequences; the file of the judgments.
    """
    _refuse(
        people, people["sequence_id"].isna(), path, "session_id", "has no row in participants.csv",
        "a session of participants.csv",
    )  # fmt: skip
    _refuse(
        people, people.duplicated(["session_id", "position"]), path, "position",
        "this session has answered this position already", "one answer each",
    )  # fmt: skip
    designed = {
        (
            row["sequence_id"], int(row["position"]), row["left_id"], row["right_id"],
            row["is_attention_check"] == "true",
        )
        for row in read_table(sequences).rows
    }  # fmt: skip
    shown = zip(
        people["sequence_id"], people["position"], people["left_id"], people["right_id"],
        people["is_attention_check"], strict=True,
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
