"""The tidy tables of a study: their columns, their types, and their rows from the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection

from prereg.design.sequences import sequence_rows
from prereg.kinds.registry import kind_of
from prereg.lock import sequence_columns
from prereg.plan.judging import LLMJudge
from study.folder import Study
from study.judges.wanted.probes import perturbed
from study.store.tables import Base, BestWorst, Judgment, Probe, Rating, Request, Visit, Withdrawal

Cells = Iterable[Any]
# A column's type: what Parquet says it is. Ids are text, always.
Columns = Mapping[str, type]

# Rows that are taken from the store at a time.
AT_A_TIME = 5_000

_WHO: Columns = {
    "plan_hash": str,
    "mode": str,
    "session_id": str,
    "rater_id": str,
    "rater_kind": str,
    "scenario": str,
}
_CHECKED: Columns = {"is_attention_check": bool, "passed_check": bool}
_WHEN: Columns = {"shown_at": str, "answered_at": str, "response_ms": int, "hidden_ms": int}

JUDGMENTS: Columns = {
    "judgment_id": str,
    **_WHO,
    "left_id": str,
    "right_id": str,
    "choice": str,
    "position": int,
    **_CHECKED,
    **_WHEN,
    "purpose": str,
    "request_id": str,
}
RATINGS: Columns = {
    "rater_id": str,
    "rater_kind": str,
    "item_id": str,
    "dimension": str,
    "value": float,
    "scale_min": int,
    "scale_max": int,
    "plan_hash": str,
    "mode": str,
    "session_id": str,
    "scenario": str,
    "position": int,
    **_CHECKED,
    **_WHEN,
    "request_id": str,
}
# What only a trial on a page has; a judge's rating is none.
_OF_PEOPLE = ("session_id", "scenario", "position", *_CHECKED, *_WHEN)
BEST_WORST: Columns = {
    "trial_id": str,
    **_WHO,
    "position": int,
    "option": int,
    "item_id": str,
    "picked": str,
    "why": str,
    **_CHECKED,
    **_WHEN,
    "request_id": str,
}
PARTICIPANTS: Columns = {
    "session_id": str,
    "rater_id": str,
    "condition": str,
    "sequence_id": str,
    "consented_at": str,
    "finished_at": str,
    "status": str,
    "mode": str,
    "plan_hash": str,
    "slot": int,
    "platform_study_id": str,
    "platform_session_id": str,
    "comprehension_attempts": int,
}
REQUESTS: Columns = {
    "request_id": str,
    "plan_hash": str,
    "rater_id": str,
    "rater_kind": str,
    "purpose": str,
    "scenario": str,
    "item_ids": str,
    "prompt": str,
    "status": str,
    "reason": str,
    "reply": str,
    "model": str,
    "fingerprint": str,
    "input_tokens": int,
    "output_tokens": int,
    "latency_ms": int,
    "attempts": int,
    "cost": float,
    "p_left": float,
    "asked_at": str,
    "answered_at": str,
}
PROBES: Columns = {
    "probe_id": str,
    "plan_hash": str,
    "rater_id": str,
    "rater_kind": str,
    "unit": str,
    "probe": str,
    "variant": str,
    "scenario": str,
    "left_id": str,
    "right_id": str,
    "choice": str,
    "item_id": str,
    "dimension": str,
    "value": float,
    "scale_min": int,
    "scale_max": int,
    "request_id": str,
    "answered_at": str,
}
PERTURBED: Columns = {"item_id": str, "perturbation": str, "text": str}
WITHDRAWALS: Columns = {"plan_hash": str, "mode": str, "withdrawn_on": str}


@dataclass(frozen=True)
class TidyTable:
    """One table of the contract.

    Attributes
    ----------
    name : str
    columns : mapping
        Their types by name, in order.
    rows : callable
        Given a connection, yields rows; each has its cells in the order of the columns.
    stored : type or None
        The table of the store whose rows it holds.
    """

    name: str
    columns: Columns
    rows: Callable[[Connection], Iterator[Cells]]
    stored: type[Base] | None = None


def tidy_tables(study: Study) -> dict[str, TidyTable]:
    """Return the tables that a study of this kind has, by name.

    Only rows of this plan are in them, of every mode: telling these apart is the analysis'
    business.
    """
    tables = [_items(study), _sequences(study)]
    tables.append(_stored(study, "judgments", JUDGMENTS, Judgment, "row_id"))
    ratings = _stored(study, "ratings", RATINGS, Rating, "row_id")
    tables.append(TidyTable("ratings", RATINGS, lambda c: _ratings(ratings.rows(c)), Rating))
    if kind_of(study.plan).table == "best_worst":
        tables.append(TidyTable("best_worst", BEST_WORST, lambda c: _options(c, study), BestWorst))
    order = ("sequence_id", "slot", "consented_at", "session_id")
    tables.append(_stored(study, "participants", PARTICIPANTS, Visit, *order))
    tables.append(_stored(study, "withdrawals", WITHDRAWALS, Withdrawal, "withdrawn_on", "mode"))
    if any(isinstance(judge, LLMJudge) for judge in study.plan.judges):
        tables += _of_llms(study)
    return {table.name: table for table in tables}


def _of_llms(study: Study) -> list[TidyTable]:
    """Return the tables that only LLM judges fill."""
    requests = _stored(study, "requests", REQUESTS, Request, "row_id")
    status = list(REQUESTS).index("status")

    def settled(connection: Connection) -> Iterator[Cells]:
        # what is being asked while this is read, or lies in a batch, has no outcome yet
        over = ("answered", "unanswered")
        return (row for row in requests.rows(connection) if list(row)[status] in over)

    return [
        TidyTable("requests", REQUESTS, settled, Request),
        _stored(study, "probes", PROBES, Probe, "row_id"),
        TidyTable("perturbed", PERTURBED, lambda _: iter(perturbed(study))),
    ]


def left_behind(connection: Connection, study: Study) -> dict[str, int]:
    """Return how many rows of other plans the store holds, by the table they would be in."""
    stored = {
        "participants": Visit,
        "judgments": Judgment,
        "ratings": Rating,
        "best_worst": BestWorst,
    }
    found = {}
    for name, table in stored.items():
        others = select(func.count()).where(table.plan_hash != study.plan_hash)  # type: ignore[attr-defined]
        found[name] = connection.scalar(others) or 0
    return {name: count for name, count in found.items() if count}


def _items(study: Study) -> TidyTable:
    """Return the items as they were locked: every column, and every cell as text."""
    names = study.table.columns
    rows = study.table.rows
    return TidyTable(
        "items", dict.fromkeys(names, str), lambda _: ([row[c] for c in names] for row in rows)
    )


def _sequences(study: Study) -> TidyTable:
    names = sequence_columns(study.plan)
    types: dict[str, type] = dict.fromkeys(names, str)
    types |= {"position": int, "is_attention_check": bool}
    trials = [trial for sequence in study.sequences.values() for trial in sequence]

    def rows(_: Connection) -> Iterator[Cells]:
        for trial, row in zip(trials, sequence_rows(study.plan, trials), strict=True):
            typed = {**row, "is_attention_check": trial.is_attention_check}
            yield [typed[name] for name in names]

    return TidyTable("sequences", types, rows)


def _stored(
    study: Study, name: str, columns: Columns, stored: type[Base], *order: str
) -> TidyTable:
    """Return a table whose rows are those of the store, column by column."""
    table = stored.__table__
    wanted = (
        select(*(table.c[column] for column in columns))
        .where(table.c["plan_hash"] == study.plan_hash)
        .order_by(*(table.c[column] for column in order))
    )
    return TidyTable(name, columns, lambda connection: _read(connection, wanted), stored)


def _read(connection: Connection, wanted: Select[Any]) -> Iterator[Cells]:
    """Yield rows without ever holding all of them."""
    for part in connection.execute(wanted.execution_options(yield_per=AT_A_TIME)).partitions():
        yield from part


def _ratings(rows: Iterator[Cells]) -> Iterator[Cells]:
    """Leave empty in a judge's ratings what only a trial on a page has."""
    kind = list(RATINGS).index("rater_kind")
    blank = [name in _OF_PEOPLE for name in RATINGS]
    for row in rows:
        cells = list(row)
        if cells[kind] != "human":
            cells = [None if empty else c for c, empty in zip(cells, blank, strict=True)]
        yield cells


def _options(connection: Connection, study: Study) -> Iterator[Cells]:
    """Yield a row for each option of each best-worst trial."""
    table = BestWorst.__table__
    wanted = select(table).where(table.c.plan_hash == study.plan_hash).order_by(table.c.row_id)
    for row in connection.execute(wanted.execution_options(yield_per=AT_A_TIME)).mappings():
        for option, item_id in enumerate(json.loads(row["options"]), start=1):
            picked = {row["most_id"]: "most", row["least_id"]: "least"}.get(item_id)
            why = row["why"] if picked == "most" else None
            own = {"option": option, "item_id": item_id, "picked": picked, "why": why}
            yield [own[name] if name in own else row[name] for name in BEST_WORST]
