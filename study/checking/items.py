"""Every fault of a table of items, where `read_items` stops at the first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan
from prereg.tables.items import ITEM_COLUMNS, read_items
from prereg.tables.prompts import refuse_mixed_prompts
from prereg.tables.reader import Table, read_table
from prereg.tables.reading import reading_of

# So many faults of one kind are listed; a count stands for the others.
MOST = 10


def faults_of_items(folder: Path, plan: Plan) -> tuple[Table | None, list[RatifyError]]:
    """Return the items of a study as far as they can be read, and every fault of them.

    Parameters
    ----------
    folder : Path
        The study folder.
    plan : Plan

    Returns
    -------
    (Table or None, list of RatifyError)
        No table if it cannot be read or lacks a column that every table of items has.
    """
    path = folder / plan.materials.items
    reading = plan.data.reading("items")
    try:
        table = read_table(path, reading_of(("item_id", "scenario"), reading))
    except RatifyError as error:
        return None, [error]
    absent = [table.no_column(name) for name in ITEM_COLUMNS if name not in table.columns]
    if absent:
        return None, absent
    faults = [*_of_cells(table), *_of_prompts(table, plan), *_of_sample(table, plan)]
    if not faults:
        try:
            return read_items(path, reading), []
        except RatifyError as error:
            faults.append(error)
    return table, faults


def _of_cells(table: Table) -> Iterator[RatifyError]:
    try:
        table.require_text("text")
    except RatifyError as error:
        yield error
        return
    for column in ITEM_COLUMNS:
        yield from _each(table, column, lambda cell: not cell.strip(), "is empty", "any text")
    first: dict[str, int] = {}
    twice = []
    for row, record in enumerate(table.rows, start=2):
        if record["item_id"].strip() and first.setdefault(record["item_id"], row) != row:
            where = table.place_words(first[record["item_id"]])
            twice.append(
                table.error(
                    row, "item_id", f"this item_id is already in {where}", allowed="one row each"
                )
            )
    yield from _short(twice)
    sizes = Counter(record["scenario"] for record in table.rows)
    alone = {name for name, size in sizes.items() if size < 2 and name.strip()}
    allowed = "at least two items to compare"
    yield from _each(table, "scenario", lambda cell: cell in alone, "has a single item", allowed)


def _each(
    table: Table, column: str, wrong: Callable[[str], bool], problem: str, allowed: str
) -> Iterator[RatifyError]:
    """Yield a fault for each cell of a column that is wrong."""
    rows = [row for row, record in enumerate(table.rows, start=2) if wrong(record[column])]
    yield from _short([table.error(row, column, problem, allowed=allowed) for row in rows])


def _short(faults: list[RatifyError]) -> list[RatifyError]:
    """Return the first of many faults; the last of them says how many more there are."""
    if len(faults) <= MOST:
        return faults
    last = faults[MOST - 1]
    more = RatifyError(
        f"{last.problem} (and so in {len(faults) - MOST} more rows)",
        file=last.file,
        row=last.row,
        column=last.column,
        value=last.value,
        allowed=last.allowed,
    )
    return [*faults[: MOST - 1], more]


def _of_prompts(table: Table, plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each scenario whose items answer different prompts."""
    kind = kind_of(plan)
    if not (kind.one_prompt or kind.compares):
        return
    groups: dict[str, list[int]] = defaultdict(list)
    for row, record in enumerate(table.rows):
        groups[record["scenario"]].append(row)
    for rows in groups.values():
        try:
            refuse_mixed_prompts(
                table.path, [table.rows[row] for row in rows], table.places.only(rows)
            )
        except RatifyError as error:
            yield error


def _of_sample(table: Table, plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each cell that items cannot be sampled by."""
    sample = plan.design.sample
    if sample is None:
        return
    if sample.by not in table.columns:
        yield RatifyError(
            f"{table.path.name} has no such column",
            file=PLAN_FILE,
            column="design.sample.by",
            value=sample.by,
            allowed=", ".join(table.columns),
        )
        return
    faults = []
    for row in range(2, len(table.rows) + 2):
        try:
            if table.number(row, sample.by) is None:
                allowed = "a number to stratify by"
                faults.append(table.error(row, sample.by, "is empty", allowed=allowed))
        except RatifyError as error:
            faults.append(error)
    yield from _short(faults)
