"""A study folder, opened: plan, items, sequences, texts and the hash that stands for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prereg.errors import RatifyError
from prereg.items import read_items
from prereg.lock import (
    LOCK_FILE,
    SEQUENCE_COLUMNS,
    SEQUENCES_FILE,
    Lock,
    hash_parts,
    plan_hash,
    read_lock,
    read_texts,
    refuse_changed,
    write_lock,
)
from prereg.plan import Plan
from prereg.plan_file import PLAN_FILE, load_plan
from prereg.tabular import Table, read_table, write_csv
from study.design import Trial, generate_sequences, sequence_rows
from study.judges.base import Item
from study.judges.version import check_measures, judge_version

# A folder with this file was made by `ratify demo` and may be made anew.
DEMO_MARK = "DEMO.txt"
# Holds the number of the process that serves the folder.
SERVING_FILE = ".ratify-serving"


@dataclass(frozen=True)
class Study:
    """Everything the rater pages and the judges need.

    Attributes
    ----------
    folder : Path
    plan : Plan
    table : Table
        The items table with all its columns; nothing but `items` ever reaches a rater or judge.
    items : mapping
        Items by id.
    sequences : mapping
        Trials by sequence id, in order of position.
    texts : mapping
        Consent and instructions, Markdown.
    parts : mapping
        SHA-256 by part; see `prereg.lock.hash_parts`.
    plan_hash : str
        The one hash that every row of data carries.
    lock : Lock or None
        None while the plan is not locked.
    """

    folder: Path
    plan: Plan
    table: Table
    items: Mapping[str, Item]
    sequences: Mapping[str, tuple[Trial, ...]]
    texts: Mapping[str, str]
    parts: Mapping[str, str]
    plan_hash: str
    lock: Lock | None


def open_study(
    folder: Path | str, *, must_be_locked: bool = False, same_judges: bool = True
) -> Study:
    """Open a study folder.

    Parameters
    ----------
    folder : path
        Holds plan.yaml and the files it names.
    must_be_locked : bool
        For live collection: without a lock that matches there is no study.
    same_judges : bool
        Whether the judges must answer as they did when it was locked; the data that are there
        can be exported in any case.

    Raises
    ------
    RatifyError
        When a file is missing or wrong, or (where there is a lock) anything differs from it.
    """
    folder = Path(folder)
    plan = load_plan(folder)
    _check_judges(plan, folder)
    table = read_items(folder / plan.materials.items)
    _check_columns(plan, table)
    texts = read_texts(folder, plan)
    locked = must_be_locked or (folder / LOCK_FILE).exists()
    # what was locked is read, not generated again: another numpy may shuffle another way
    trials = read_sequences(folder, table) if locked else generate_sequences(plan, table)
    parts = hash_parts(
        plan,
        items=table.rows,
        sequences=[dict(row) for row in sequence_rows(trials)],
        texts=texts,
        prompts={judge.id: judge_version(judge.id) for judge in plan.judges},
    )
    lock = None
    if locked:
        lock = read_lock(folder)
        if not same_judges:
            parts["prompts"] = lock.parts.get("prompts", "")
        refuse_changed(folder, lock, parts)
    items = {
        record["item_id"]: Item(record["item_id"], record["scenario"], record["text"])
        for record in table.rows
    }
    return Study(
        folder, plan, table, items, _by_sequence(trials), texts, parts, plan_hash(parts), lock
    )


def _check_judges(plan: Plan, folder: Path) -> None:
    """Refuse measures that a judge of the plan cannot answer."""
    for number, judge in enumerate(plan.judges):
        try:
            check_measures(judge.id, plan.measures)
        except RatifyError as error:
            raise RatifyError(
                error.problem, file=folder / PLAN_FILE,
                column=f"judges.{number}.{error.column or 'id'}", value=error.value,
                allowed=error.allowed,
            ) from error  # fmt: skip


def _check_columns(plan: Plan, table: Table) -> None:
    """Refuse an analysis of a column that the items do not have, or that holds no numbers."""
    for analysis in plan.analyses:
        column = getattr(analysis, "column", None)
        if column is not None:
            table.require(column)
            for row in range(2, len(table.rows) + 2):
                table.number(row, column)


def lock_study(folder: Path | str) -> tuple[Study, Lock]:
    """Freeze a study: write its sequences and its lock.

    Returns
    -------
    (Study, Lock)

    Raises
    ------
    RatifyError
        When the study is wrong, or is locked already and has changed since.
    """
    study = open_study(folder)
    trials = [trial for sequence in study.sequences.values() for trial in sequence]
    if study.lock is None:
        write_csv(study.folder / SEQUENCES_FILE, SEQUENCE_COLUMNS, sequence_rows(trials))
    lock = write_lock(study.folder, study.parts)
    return study, lock


def read_sequences(folder: Path, items: Table) -> list[Trial]:
    """Read the sequences a lock froze.

    Raises
    ------
    RatifyError
        When the plan is not locked, the table is missing, or a row is not a trial of these items.
    """
    if not (folder / LOCK_FILE).exists():
        read_lock(folder)  # raises: the plan is not locked
    table = read_table(folder / SEQUENCES_FILE)
    table.require(*SEQUENCE_COLUMNS)
    known = {record["item_id"] for record in items.rows}
    trials = []
    for row, record in enumerate(table.rows, start=2):
        for side in ("left_id", "right_id"):
            if record[side] not in known:
                raise table.error(row, side, "is no item", allowed=f"an id of {items.path.name}")
        check = record["is_attention_check"]
        if not record["position"].isdecimal() or check not in {"true", "false"}:
            column = "is_attention_check" if record["position"].isdecimal() else "position"
            raise table.error(row, column, "is not what `ratify lock` wrote", allowed="that file")
        trials.append(
            Trial(
                record["sequence_id"],
                int(record["position"]),
                record["left_id"],
                record["right_id"],
                check == "true",
            )
        )
    return trials


def _by_sequence(trials: list[Trial]) -> dict[str, tuple[Trial, ...]]:
    sequences: dict[str, list[Trial]] = {}
    for trial in trials:
        sequences.setdefault(trial.sequence_id, []).append(trial)
    return {name: tuple(sequence) for name, sequence in sequences.items()}
