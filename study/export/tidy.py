"""The tidy tables of a study: the columns of the contract, and their rows from the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Select, and_, func, not_, select
from sqlalchemy.engine import Connection

from prereg.chat.chain import hashes_of_trial
from prereg.design.sequences import sequence_rows
from prereg.kinds.registry import kind_of
from prereg.lock import Lock
from prereg.parts import sequence_columns
from prereg.tables import contract
from prereg.tables.contract import Contract
from prereg.tables.reader import cell_text
from study.export.survey import SURVEY_STORED, survey_cells, survey_types
from study.folder import Study
from study.judges.wanted.probes import perturbed
from study.store.tables import Base, BestWorst, Judgment, Probe, Rating, Request, Visit, Withdrawal
from study.visits.clock import was_set

Cells = Iterable[Any]
# A column that the export computes: the store has the times from which it follows.
CLOCK_CHANGED = "clock_changed"
# The type of each column, as Parquet stores it. Ids are always text.
Columns = Mapping[str, type]

# How many rows are read from the store at a time.
AT_A_TIME = 4_000

# Where the rows of a table are stored.
STORED: Mapping[str, type[Base]] = {
    "participants": Visit,
    "judgments": Judgment,
    "ratings": Rating,
    "best_worst": BestWorst,
    "withdrawals": Withdrawal,
    "requests": Request,
    "probes": Probe,
}
# Tables that grow while a study is collected.
COLLECTED = tuple(STORED)
# Columns that only a trial on a page fills, and a judge's rating does not.
_OF_PEOPLE = {*contract.RATINGS.names} - {*contract.RATINGS.required, "mode", "request_id"}


@dataclass(frozen=True)
class TidyTable:
    """One table of the contract.

    Attributes
    ----------
    name : str
    columns : mapping
        Their types by name, in order.
    rows : callable
        Takes a connection and yields rows, each with its cells in the order of the columns.
    """

    name: str
    columns: Columns
    rows: Callable[[Connection], Iterator[Cells]]


class Kept(Protocol):
    """A study as the store knows it, of whatever kind."""

    @property
    def root_hash(self) -> str:
        """The hash of its first version."""

    @property
    def lock(self) -> Lock | None:
        """Its lock, if it has one."""


def tidy_tables(study: Study) -> dict[str, TidyTable]:
    """Return the tables that a study of this kind has, by name.

    They hold only rows of this plan, but of every mode: the analysis tells the modes apart.
    """
    tables = [_items(study), _sequences(study)]
    tables.append(_stored(study, contract.JUDGMENTS, "row_id"))
    ratings = _stored(study, contract.RATINGS, "row_id")
    tables.append(_with_labels(study, ratings))
    if kind_of(study.plan).table == "best_worst":
        tables.append(_table(contract.BEST_WORST, lambda connection: _options(connection, study)))
    order = ("sequence_id", "slot", "consented_at", "session_id")
    raw = _stored(study, contract.PARTICIPANTS, *order, more=SURVEY_STORED)
    tables.append(
        TidyTable(raw.name, {**raw.columns, **survey_types(study.plan)}, _visits(study, raw))
    )
    tables.append(_stored(study, contract.WITHDRAWALS, "withdrawn_on", "mode"))
    # a plan whose judges cannot be read any more may have had LLMs
    if study.plan.llms or (study.lock is not None and study.lock.transport):
        tables += _of_llms(study)
    return {table.name: table for table in tables}


def _of_llms(study: Study) -> list[TidyTable]:
    """Return the tables that only LLM judges fill."""
    requests = _stored(study, contract.REQUESTS, "row_id")
    status = contract.REQUESTS.names.index("status")

    def settled(connection: Connection) -> Iterator[Cells]:
        # a request that is under way, or waits in a batch, has no outcome yet
        return (row for row in requests.rows(connection) if list(row)[status] in contract.OUTCOMES)

    return [
        replace(requests, rows=settled),
        _stored(study, contract.PROBES, "row_id"),
        _table(contract.PERTURBED, lambda _: iter(perturbed(study))),
    ]


def of_study(stored: Any, study: Kept) -> Any:
    """Return the condition of the rows of a study, under any version that still holds.

    Whoever tried the pages before an amendment replaced the sequences answered other trials.
    """
    here = stored["plan_hash"] == study.root_hash
    void = () if study.lock is None else study.lock.void
    if not void or "version_hash" not in stored:
        return here
    made = func.coalesce(stored["version_hash"], stored["plan_hash"])
    return and_(here, made.not_in(void))


def left_behind(connection: Connection, study: Study) -> dict[str, int]:
    """Return how many rows of other plans the store holds, by table; stages of a trial share it."""
    ours, found = hashes_of_trial(study.folder), {}
    for name in ("participants", "judgments", "ratings", "best_worst"):
        table = STORED[name].__table__
        others = select(func.count()).select_from(table).where(not_(of_study(table.c, study)))
        others = others.where(table.c.plan_hash.not_in(ours - {study.root_hash}))
        found[name] = connection.scalar(others) or 0
    return {name: count for name, count in found.items() if count}


def holds_rows(connection: Connection, study: Study) -> bool:
    """Say whether the store holds anything that was collected under this plan."""
    for stored in STORED.values():
        table = stored.__table__
        row = select(table.c.plan_hash).where(of_study(table.c, study)).limit(1)
        if connection.scalar(row) is not None:
            return True
    return False


def _items(study: Study) -> TidyTable:
    """Return the items as they were locked: every column, and every cell as text."""
    rows = study.table.written
    names = list(rows[0])
    return TidyTable(
        "items", dict.fromkeys(names, str), lambda _: ([row[c] for c in names] for row in rows)
    )


def _sequences(study: Study) -> TidyTable:
    names = sequence_columns(study.plan)
    types = dict.fromkeys(names, str) | contract.SEQUENCES.types
    trials = [trial for sequence in study.sequences.values() for trial in sequence]

    def rows(_: Connection) -> Iterator[Cells]:
        for trial, row in zip(trials, sequence_rows(study.plan, trials), strict=True):
            typed = {**row, "is_attention_check": trial.is_attention_check}
            yield [typed[name] for name in names]

    return TidyTable("sequences", {name: types[name] for name in names}, rows)


def _table(table: Contract, rows: Callable[[Connection], Iterator[Cells]]) -> TidyTable:
    return TidyTable(table.name, table.types, rows)


def _stored(study: Study, table: Contract, *order: str, more: tuple[str, ...] = ()) -> TidyTable:
    """Return a table whose rows are those of the store, column by column, and `more` columns."""
    stored = STORED[table.name].__table__.c
    names = tuple(name for name in table.names if name != CLOCK_CHANGED)
    wanted = (
        select(*(_cell(stored, column) for column in (*names, *more)))
        .where(of_study(stored, study))
        .order_by(*(stored[column] for column in order))
    )
    if names == table.names:
        return _table(table, lambda connection: _read(connection, wanted))
    place = table.names.index(CLOCK_CHANGED)
    shown, answered, spent = map(names.index, ("shown_at", "answered_at", "response_ms"))

    def timed(connection: Connection) -> Iterator[Cells]:
        for row in _read(connection, wanted):
            if row[shown] is None:
                yield (*row[:place], None, *row[place:])
                continue
            cells = [*row[:place], was_set(row[shown], row[answered], row[spent]), *row[place:]]
            cells[spent] = _possible(row[spent])
            yield cells

    return _table(table, timed)


def _cell(stored: Any, name: str) -> Any:
    """Return a column; the plan's hash is that of the version under which the row was made."""
    if name == "plan_hash" and "version_hash" in stored:
        return func.coalesce(stored["version_hash"], stored["plan_hash"]).label(name)
    return stored[name]


def _possible(spent: int | None) -> int | None:
    """Return a time, or None for a negative one, which 0.4.0 stored if the clock was set back."""
    return None if spent is not None and spent < 0 else spent


def _read(connection: Connection, wanted: Select[Any]) -> Iterator[Any]:
    """Yield rows without holding all of them in memory."""
    for part in connection.execute(wanted.execution_options(yield_per=AT_A_TIME)).partitions():
        yield from part


def _visits(study: Study, raw: TidyTable) -> Callable[[Connection], Iterator[Cells]]:
    """Return the visits with a column for each question of the end survey, if there is one."""

    def rows(connection: Connection) -> Iterator[Cells]:
        for row in raw.rows(connection):
            *cells, survey, surveyed_at = row
            yield [*cells, *survey_cells(study.plan, survey, surveyed_at)]

    return rows


def _with_labels(study: Study, ratings: TidyTable) -> TidyTable:
    """Return people's and judges' ratings; the store has the places of labels, a table the names.

    Beside a label the two ends of a scale are empty. In Parquet a column has one type, so with
    labels its values are text.
    """
    names = study.plan.labels
    of, value, *ends = map(
        contract.RATINGS.names.index, ("dimension", "value", "scale_min", "scale_max")
    )

    def rows(connection: Connection) -> Iterator[Cells]:
        for row in _ratings(ratings.rows(connection)):
            cells = list(row)
            if cells[of] in names and cells[value] is not None:
                cells[value] = names[cells[of]][round(cells[value])]
                for end in ends:
                    cells[end] = None
            elif names and cells[value] is not None:
                cells[value] = cell_text(cells[value])
            yield cells

    types = {**ratings.columns, "value": str} if names else ratings.columns
    return replace(ratings, columns=types, rows=rows)


def _ratings(rows: Iterator[Cells]) -> Iterator[Cells]:
    """Empty the cells of judges' ratings that only a trial on a page fills."""
    kind = contract.RATINGS.names.index("rater_kind")
    blank = [name in _OF_PEOPLE for name in contract.RATINGS.names]
    for row in rows:
        cells = list(row)
        if cells[kind] != "human":
            cells = [None if empty else c for c, empty in zip(cells, blank, strict=True)]
        yield cells


def _options(connection: Connection, study: Study) -> Iterator[Cells]:
    """Yield one row for each option of each best-worst trial."""
    table = BestWorst.__table__
    wanted = select(table).where(of_study(table.c, study)).order_by(table.c.row_id)
    for row in connection.execute(wanted.execution_options(yield_per=AT_A_TIME)).mappings():
        spent = row["response_ms"]
        times = {
            CLOCK_CHANGED: was_set(row["shown_at"], row["answered_at"], spent),
            "response_ms": _possible(spent),
        }
        for option, item_id in enumerate(json.loads(row["options"]), start=1):
            picked = {row["most_id"]: "most", row["least_id"]: "least"}.get(item_id)
            why = row["why"] if picked == "most" else None
            own = {"option": option, "item_id": item_id, "picked": picked, "why": why, **times}
            own["plan_hash"] = row["version_hash"] or row["plan_hash"]
            yield [own[name] if name in own else row[name] for name in contract.BEST_WORST.names]
