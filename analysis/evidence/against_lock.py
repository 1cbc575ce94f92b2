"""Checks collected tables against the lock, and refuses rows that do not belong to the study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.tables import columns
from prereg import files
from prereg.analyses.agreement import HUMANS, PEOPLE
from prereg.derived import hashed_items
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.lock import Lock
from prereg.plan.model import FURTHER_PLACES, Plan
from prereg.tables.reader import read_table
from prereg.tables.reading import OWN


def refuse_other_items(rows: list[dict[str, str]], lock: Lock, path: Path) -> None:
    """Raise `RatifyError` unless these are the items that were locked, in all columns."""
    locked = hashed_items(path.parent.parent, rows)
    if files.sha256(files.canonical_json(locked)) != lock.parts.get("items"):
        raise RatifyError(
            "is not the table of items that was locked", file=path, allowed="run `ratify export`"
        )


def refuse_ties(answers: pd.DataFrame, plan: Plan, path: Path) -> None:
    """Raise `RatifyError` at the first tie, unless the plan offers ties."""
    if plan.design.offers_ties or answers.empty or "choice" not in answers:
        return
    tied = pd.Series(columns.is_tie(answers), index=answers.index)
    allowed = "left, right; a tie only in a plan with ties: offered"
    _refuse(answers, tied, path, "choice", "is a tie, which the plan refuses", allowed)


def refuse_other_plans(frame: pd.DataFrame, lock: Lock, path: Path) -> None:
    """Raise `RatifyError` at the first row that carries another plan's hash.

    A table without the column (participants need not have it) is not checked.
    """
    if frame.empty or "plan_hash" not in frame:
        return
    _refuse(
        frame,
        ~frame["plan_hash"].isin(lock.hashes),
        path,
        "plan_hash",
        "this row was collected under another plan",
        " or ".join(lock.hashes),
    )


def refuse_unknown_items(answers: pd.DataFrame, items: pd.DataFrame, path: Path) -> None:
    """Raise `RatifyError` at the first answer about an unknown item or one of another scenario.

    If a row names a scenario, it must be that of its items. People's attention checks are skipped:
    their texts are not items, and the locked sequences say what they must be.
    """
    scenario_of = items.set_index("item_id")["scenario"]
    if "is_attention_check" in answers:
        answers = answers[~columns.flags(answers, "is_attention_check")]
    for column in ("left_id", "right_id", "item_id"):
        if column not in answers:
            continue
        found = answers[column].map(scenario_of)
        _refuse(
            answers, found.isna(), path, column, "is not the id of an item", "an id of items.csv"
        )
        if "scenario" in answers:
            strange = (found != answers["scenario"]) & ~columns.missing(answers["scenario"])
            _refuse(
                answers,
                strange,
                path,
                column,
                "belongs to another scenario than the row",
                "items of one scenario",
            )


def refuse_judges_checks(frame: pd.DataFrame, path: Path) -> None:
    """Raise `RatifyError` at the first attention check that a judge has answered.

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
        frame, asked, path, "is_attention_check", "judges are not asked attention checks", "false"
    )


def refuse_words_of_tables(frame: pd.DataFrame, path: Path) -> None:
    """Raise `RatifyError` at the first rating by somebody whose name means people together."""
    if frame.empty:
        return
    _refuse(
        frame,
        frame["rater_id"].isin((HUMANS, PEOPLE)),
        path,
        "rater_id",
        "is a word of the tables for people together",
        "any other name",
    )


def refuse_unknown_slots(
    visits: pd.DataFrame, slots: int, path: Path, *, replaces: bool = False
) -> None:
    """Raise `RatifyError` at the first visit to a slot that no sequence has.

    Parameters
    ----------
    visits : DataFrame
        Participants; without a column `slot` there is one slot, and nothing to check.
    slots : int
        How many raters per sequence the plan asks for.
    path : Path
        Their file.
    replaces : bool
        Whether the plan replaces raters, who are in further slots.
    """
    if visits.empty or "slot" not in visits:
        return
    own = columns.numbers(visits, "slot")
    if replaces:  # 1001 replaces 1
        own = (own - 1) % FURTHER_PLACES + 1
    beyond = pd.Series(own > slots, index=visits.index)
    _refuse(visits, beyond, path, "slot", "no sequence has this slot", f"1 to {slots}")


def refuse_undesigned(people: pd.DataFrame, plan: Plan, sequences: Path, path: Path) -> None:
    """Raise `RatifyError` at the first answer to a trial that the locked sequences do not have.

    Attention checks are compared with them like other trials, and so is whether a trial is one.

    Parameters
    ----------
    people : DataFrame
        People's answers with `sequence_id`, row labels as in their file.
    plan : Plan
        Its kind says what a trial is, and which columns of the sequences hold its items.
    sequences, path : Path
        The locked sequences; the file of the answers.
    """
    _refuse(
        people,
        people["sequence_id"].isna(),
        path,
        "session_id",
        "has no row in participants.csv",
        "a session of participants.csv",
    )
    kind = kind_of(plan)
    once = [kind.row_of] if kind.row_of else []
    _refuse(
        people,
        people.duplicated(["session_id", "position", *once]),
        path,
        "position",
        "this session has answered this position already",
        "one answer each",
    )
    rows = read_table(sequences, OWN).rows
    if plan.design.apart:
        asked_for = {row["sequence_id"]: row["dimension"] for row in rows}
        own = people["sequence_id"].map(asked_for)
        _refuse(
            people,
            people["dimension"] != own,
            path,
            "dimension",
            "is not the scale that this session's locked sequence asks for",
            "the dimension of its sequence in sequences.csv",
        )
    options = kind.columns(plan)
    designed = {
        (row["sequence_id"], int(row["position"]), place, row[column], row["is_attention_check"])
        for row in rows
        for place, column in enumerate(options, start=1)
    }
    asked = columns.flags(people, "is_attention_check")
    words = np.where(asked, "true", "false")
    position = columns.numbers(people, "position")
    strange = np.zeros(len(people), dtype=bool)
    for place, item in _shown(people, plan):
        trials = zip(people["sequence_id"], position, place, item, words, strict=True)
        strange |= [trial not in designed for trial in trials]
    _refuse(
        people,
        pd.Series(strange, index=people.index),
        path,
        "position",
        "is not a trial of this session's locked sequence",
        "the trials of sequences.csv",
    )


def _shown(people: pd.DataFrame, plan: Plan) -> list[tuple[np.ndarray[Any, Any], pd.Series[str]]]:
    """Return the place on the page and the item of every row, for each item that a row names."""
    kind = kind_of(plan)
    if kind.place:
        return [(columns.numbers(people, kind.place), people["item_id"])]
    return [
        (np.full(len(people), float(place)), people[column])
        for place, column in enumerate(kind.columns(plan), start=1)
    ]


def _refuse(
    frame: pd.DataFrame, bad: pd.Series, path: Path, column: str, problem: str, allowed: str
) -> None:
    """Raise `RatifyError` at the first bad row; row labels count the records of the file."""
    if bad.any():
        at = int(bad.to_numpy().argmax())
        raise RatifyError(
            problem,
            file=path,
            row=columns.place_of(frame, int(frame.index[at])),
            column=column,
            value=frame[column].iloc[at],
            allowed=allowed,
        )
