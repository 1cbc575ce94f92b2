"""Pseudonyms in the tables of an export; the raters' ids have a file of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from study.export.tidy import Cells, Kept, TidyTable
from study.store.database import Store
from study.store.tables import ANSWERS, Visit
from study.visits.pseudonyms import pseudonyms_of

# Columns with the ids of a recruitment platform.
PLATFORM_IDS = ("platform_study_id", "platform_session_id")
# The columns of the file that says who is who.
WHO = ("pseudonym", "rater_id", "mode", *PLATFORM_IDS)


def named(store: Store, study: Kept, connection: Connection, *, places: int) -> Mapping[str, str]:
    """Return the pseudonym of every person whose rows a connection sees.

    Parameters
    ----------
    store : Store
    study : Kept
    connection : Connection
    places : int
        How many people the study has places for.
    """
    ids = set(connection.scalars(select(Visit.rater_id).where(_of(Visit, study))))
    for table in ANSWERS:
        people = select(table.rater_id).where(_of(table, study), table.rater_kind == "human")
        ids |= set(connection.scalars(people.distinct()))
    return pseudonyms_of(store, ids, places=places)


def who_is_who(
    study: Kept, connection: Connection, names: Mapping[str, str]
) -> list[tuple[Any, ...]]:
    """Return the rows of the file that says who is who, in the order of the pseudonyms."""
    columns = (Visit.rater_id, Visit.mode, *(getattr(Visit, name) for name in PLATFORM_IDS))
    visits = connection.execute(select(*columns).where(_of(Visit, study))).all()
    return sorted((names[visit.rater_id], *visit) for visit in visits)


def pseudonymous(table: TidyTable, names: Mapping[str, str]) -> TidyTable:
    """Return a table with people's pseudonyms instead of their ids."""
    columns = list(table.columns)
    if "rater_id" not in columns:
        return table
    rater = columns.index("rater_id")
    kind = columns.index("rater_kind") if "rater_kind" in columns else None
    blank = [columns.index(name) for name in PLATFORM_IDS if name in columns]

    def rows(connection: Connection) -> Iterator[Cells]:
        for row in table.rows(connection):
            cells = list(row)
            if kind is None or cells[kind] == "human":
                cells[rater] = names[cells[rater]]
            for place in blank:
                cells[place] = None
            yield cells

    return replace(table, rows=rows)


def _of(table: Any, study: Kept) -> Any:
    return table.plan_hash == study.root_hash
