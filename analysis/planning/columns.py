"""Checks before the lock that the columns and quantities that a plan names will be there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analysis.evidence.tables import TABLES_FOLDER
from analysis.planning.invented import Items
from analysis.tables import tidy as tables
from prereg.analyses.change import Change
from prereg.analyses.sources import BestWorstShares, SourceRatings, Themes
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan


def faults_of_columns(plan: Plan, items: Items, folder: Path) -> Iterator[RatifyError]:
    """Yield a fault for each column or quantity that the plan names and the study will not have.

    Parameters
    ----------
    plan : Plan
    items : sequence of mapping
        Rows of the items table.
    folder : Path
        The study folder. Own tables that are not there yet are not checked.
    """
    there = list(items[0]) if items else []
    for number, analysis in enumerate(plan.analyses):
        where = f"analyses.{number}"
        if isinstance(analysis, SourceRatings | BestWorstShares):
            for key in ("source", "item_cluster", "domain", "text"):
                name = getattr(analysis, key, None)
                if name is not None and name not in there:
                    yield _absent(name, there, f"{where}.{key}", plan.materials.items)
            yield from _sources(analysis, items, where)
            yield from _quantities(plan, analysis, items)
        if isinstance(analysis, Change | Themes):
            yield from _own_table(plan, analysis, where, folder)


def absent_tables(plan: Plan, folder: Path) -> list[tuple[int, str]]:
    """Return the own tables that are not in a study folder yet, with the place of an analysis."""
    return [
        (number, name)
        for number, analysis in enumerate(plan.analyses)
        for name in analysis.tables()
        if not tables.table_path(folder / TABLES_FOLDER, name).exists()
    ]


def _sources(
    analysis: SourceRatings | BestWorstShares, items: Items, where: str
) -> Iterator[RatifyError]:
    """Yield a fault for each source that no item has."""
    if not items or analysis.source not in items[0]:
        return
    known = _values(analysis, items)
    named = [(f"{where}.sources.{n}", one) for n, one in enumerate(analysis.sources or ())]
    if analysis.reference is not None and analysis.sources is None:
        named.append((f"{where}.reference", analysis.reference))
    for key, name in named:
        if name not in known:
            yield RatifyError(
                f"no item has this in its column '{analysis.source}'",
                file=PLAN_FILE,
                column=key,
                value=name,
                allowed=", ".join(known),
            )


def _values(analysis: SourceRatings | BestWorstShares, items: Items) -> list[str]:
    return sorted({row.get(analysis.source, "") for row in items} - {""})


def _quantities(
    plan: Plan, analysis: SourceRatings | BestWorstShares, items: Items
) -> Iterator[RatifyError]:
    """Yield a fault for each threshold on a number of sources that the analysis will not make."""
    known = _values(analysis, items)
    if analysis.sources is not None or len(known) < 2:
        return  # what the plan tells is checked with the plan
    names = analysis.model_copy(update={"sources": tuple(known)}).quantity_names(plan) or []
    for number, threshold in enumerate(plan.gate):
        if threshold.analysis == analysis.id and threshold.quantity not in names:
            yield RatifyError(
                "the analysis makes no such number of these items",
                file=PLAN_FILE,
                column=f"gate.{number}.quantity",
                value=threshold.quantity,
                allowed=", ".join(names),
            )


def _own_table(
    plan: Plan, analysis: Change | Themes, where: str, folder: Path
) -> Iterator[RatifyError]:
    """Yield a fault for each column that an own table lacks."""
    for name, keys in _named(analysis).items():
        path = tables.table_path(folder / TABLES_FOLDER, name)
        if not path.exists():
            continue
        try:
            columns = list(tables.read_other(path, plan.data.reading(name)).columns)
        except RatifyError as error:
            yield error
            continue
        for key, column in keys:
            if column not in columns:
                yield _absent(column, columns, f"{where}.{key}", path.name)


def _named(analysis: Change | Themes) -> dict[str, list[tuple[str, str]]]:
    """Return the keys that name columns of each own table, with the columns."""
    if isinstance(analysis, Change):
        columns = ("value", "person", "occasion", "condition")
        return {analysis.table: [(key, getattr(analysis, key)) for key in columns]}
    own = [(f"columns.{n}", one) for n, one in enumerate(analysis.columns)]
    keys = [("person", analysis.person), ("time", analysis.time)]
    return {analysis.texts: own + keys}


def _absent(name: str, there: list[str], where: str, table: str) -> RatifyError:
    return RatifyError(
        f"{table} has no such column",
        file=PLAN_FILE,
        column=where,
        value=name,
        allowed=", ".join(there),
    )
