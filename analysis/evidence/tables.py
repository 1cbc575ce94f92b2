"""Reads the tables of a study, and checks each one by itself and against the lock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import pandas as pd

from analysis.causal.apart import refuse_both_scores
from analysis.evidence.against_lock import (
    refuse_judges_checks,
    refuse_other_items,
    refuse_other_plans,
    refuse_ties,
    refuse_undesigned,
    refuse_unknown_items,
    refuse_unknown_slots,
    refuse_words_of_tables,
)
from analysis.evidence.labels import coded_labels
from analysis.tables import tidy as tables
from prereg.derived import erased
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.lock import Lock
from prereg.parts import SEQUENCES_FILE
from prereg.plan.model import Plan
from prereg.tables.contract import RATINGS
from prereg.tables.items import read_items
from prereg.tables.reader import NoRowsError
from prereg.tables.reading import Reading

TABLES_FOLDER = "data"
TABLES = ("items", "judgments", "participants", "ratings", "sequences", "withdrawals")


@dataclass(frozen=True)
class StudyTables:
    """The tables of a study.

    Attributes
    ----------
    items, participants, withdrawals : DataFrame
    answers : DataFrame
        By people and judges, to the trials of the plan's kind: judgments, ratings or best_worst.
    ratings : DataFrame
        Everybody's ratings; empty if the plan asks neither people nor judges for ratings.
    path : mapping
        The file of each table.
    notes : tuple of str
        What was changed while reading them.
    """

    items: pd.DataFrame
    participants: pd.DataFrame
    withdrawals: pd.DataFrame
    answers: pd.DataFrame
    ratings: pd.DataFrame
    path: dict[str, Path]
    notes: tuple[str, ...] = ()

    @property
    def answers_path(self) -> Path:
        """The file of the answers."""
        return self.path["answers"]


def read_study(
    place: Path, plan: Plan, lock: Lock | None, *, withdrawn: bool = False
) -> StudyTables:
    """Read the tables of a study, and check that every row belongs to this plan and its items.

    Parameters
    ----------
    place : Path
        The folder of tables.
    plan : Plan
    lock : Lock or None
    withdrawn : bool
        Whether what judges said of items whose text was erased is in the tables, too.

    Raises
    ------
    RatifyError
        If a table is missing or wrong, or a row does not belong to this plan.
    """
    answered = kind_of(plan).table
    path = {name: tables.table_path(place, name) for name in (*TABLES, answered)}
    path["answers"] = path[answered]
    if not path["answers"].exists():
        raise RatifyError("there are no tables yet", file=place, allowed="run `ratify export`")
    how = plan.data.reading
    listed = read_items(path["items"], how("items"))
    gone = path["withdrawals"]
    readers = {
        "judgments": tables.read_judgments,
        "ratings": tables.read_ratings,
        "best_worst": tables.read_best_worst,
    }
    answers = readers[answered](path["answers"], reading=how(answered))
    if answered == "ratings":
        answers = coded_labels(answers, plan, path["answers"])
    ratings = pd.DataFrame()
    if answered == "ratings":
        ratings = answers
    elif plan.judges and answered == "judgments":
        ratings = coded_labels(_ratings(path["ratings"], how("ratings")), plan, path["ratings"])
    visits = tables.read_participants(path["participants"], reading=how("participants"))
    notes = [*listed.notes, *(n for t in (answers, ratings, visits) for n in tables.notes_of(t))]
    read = StudyTables(
        items=pd.DataFrame(listed.rows, columns=list(listed.columns), dtype=str),
        participants=visits,
        withdrawals=tables.read_withdrawals(gone) if gone.exists() else pd.DataFrame({"mode": []}),
        answers=answers,
        ratings=ratings,
        path=path,
        notes=tuple(dict.fromkeys(notes)),
    )
    if lock is not None:
        refuse_other_items(listed.written, lock, path["items"])
        for name in ("answers", "ratings", "participants", "withdrawals"):
            refuse_other_plans(getattr(read, name), lock, path[name])
        slots = plan.design.raters_per_sequence
        replaces = plan.recruitment.replace is not None
        refuse_unknown_slots(read.participants, slots, path["participants"], replaces=replaces)
    refuse_ties(read.answers, plan, path["answers"])
    refuse_unknown_items(read.answers, read.items, path["answers"])
    refuse_words_of_tables(read.ratings, path["ratings"])
    for name in ("answers", "ratings"):
        refuse_judges_checks(getattr(read, name), path[name])
    return read if withdrawn else _without_erased(read, erased(place.parent))


def _without_erased(read: StudyTables, gone: Collection[str]) -> StudyTables:
    """Return the tables without what judges said of items whose text was erased."""
    if not gone:
        return read
    people = read.answers["rater_kind"] == "human"
    answers = pd.concat([read.answers[people], without(read.answers[~people], gone)]).sort_index()
    ratings = without(read.ratings, gone)
    return replace(read, answers=answers, ratings=ratings, items=without(read.items, gone))


def _ratings(path: Path, reading: Reading) -> pd.DataFrame:
    """Read the ratings of judges, who may have only compared pairs."""
    try:
        return tables.read_ratings(path, reading=reading)
    except NoRowsError:
        return pd.DataFrame(columns=list(RATINGS.names), dtype=str).astype({"value": float})


def without(frame: pd.DataFrame, gone: Collection[str]) -> pd.DataFrame:
    """Return the rows of a table that are about none of the items whose text was erased."""
    columns = [name for name in ("left_id", "right_id", "item_id") if name in frame]
    if not gone or not columns:
        return frame
    return frame[~frame[columns].isin(list(gone)).any(axis=1)]


def no_answers(read: StudyTables, mode: str) -> bool:
    """Say whether no person has answered in this mode."""
    human = read.answers["rater_kind"] == "human"
    return not (human & (read.answers.get("mode", mode) == mode)).any()


def nobody_of(read: StudyTables, *, mode: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return no answers and no visits, with the columns that they would have."""
    people = read.answers.iloc[:0].assign(sequence_id=pd.Series(dtype=object))
    return people, read.participants.iloc[:0]


def people_of(
    read: StudyTables, plan: Plan, *, mode: str, lock: Lock | None, place: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return people's answers of one mode, with `sequence_id`, and their visits.

    Raises
    ------
    RatifyError
        If there are no answers, an answer is not to a trial of its locked sequence, or a person
        rated an item on two scales that are asked apart.
    """
    human = read.answers["rater_kind"] == "human"
    there = sorted(read.answers.loc[human, "mode"].unique()) if "mode" in read.answers else []
    if mode not in there:
        raise RatifyError(
            f"has no {mode} {read.answers_path.stem} by people",
            file=read.answers_path,
            allowed=f"--mode {' or '.join(there)}" if there else "answers, then `ratify export`",
        )
    people = read.answers[human & (read.answers["mode"] == mode)]
    visits = read.participants
    if "mode" in visits:
        visits = visits[visits["mode"] == mode]
    sequence_of = visits.set_index("session_id")["sequence_id"]
    people = people.assign(sequence_id=people["session_id"].map(sequence_of))
    if lock is not None:
        refuse_undesigned(people, plan, place.parent / SEQUENCES_FILE, read.answers_path)
    if plan.design.apart:
        for pair in combinations([scale.id for scale in plan.scales], 2):
            refuse_both_scores(people, pair, read.answers_path)
    return people, visits
