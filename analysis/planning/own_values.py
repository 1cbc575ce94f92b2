"""Checks before the lock that the own tables in `data/` have the values that a plan names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.change.scores import read_scores
from analysis.evidence.tables import TABLES_FOLDER
from analysis.planning.invented import with_shuffled
from analysis.tables import tidy as tables
from analysis.tables.tidy import naming
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.change import Change
from prereg.analyses.regression import Regression
from prereg.analyses.sources import Themes
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan
from prereg.streams import Stream, stream
from prereg.tables.numbers import numbers_of

# So many values of a column are listed as allowed.
_MOST_SHOWN = 20


def faults_of_values(plan: Plan, folder: Path) -> Iterator[RatifyError]:
    """Yield a fault for each condition, occasion, time or category that no own table has.

    Parameters
    ----------
    plan : Plan
    folder : Path
        The study folder. Own tables that are not there yet are not checked, and tables that
        cannot be read or lack a column have their fault from `faults_of_columns`.
    """
    for number, analysis in enumerate(plan.analyses):
        for name, named in _named(analysis).items():
            try:
                table = _table(plan, name, folder)
            except RatifyError:
                continue
            if table is None:
                continue
            path = tables.table_path(folder / TABLES_FOLDER, name)
            if isinstance(analysis, Regression):
                named = [*named, *_categories(analysis, table)]
                yield from _words_for_numbers(analysis, table, f"analyses.{number}", path.name)
            found = list(_absent(table, named, f"analyses.{number}", path.name))
            yield from found
            if isinstance(analysis, Change) and not found:
                yield from _of_scores(plan, analysis, folder)


def _named(analysis: AnyAnalysis) -> dict[str, list[tuple[str, str, str]]]:
    """Return the key, the column and the value of every value that a plan names, by table."""
    if isinstance(analysis, Change):
        keys = [("control", analysis.condition, analysis.control)]
        for key, column in (
            ("treatments", analysis.condition),
            ("baseline_rounds", analysis.occasion),
            ("post_rounds", analysis.occasion),
        ):
            keys += [(f"{key}.{n}", column, x) for n, x in enumerate(getattr(analysis, key))]
        return {analysis.table: keys}
    if isinstance(analysis, Themes):
        times = (("before", analysis.before), ("after", analysis.after))
        return {analysis.texts: [(key, analysis.time, value) for key, value in times]}
    if isinstance(analysis, Regression) and analysis.tables():
        sd = analysis.sd
        if sd is None or sd.column is None or sd.value is None:
            return {analysis.data: []}
        return {analysis.data: [("sd.value", sd.column, sd.value)]}
    return {}


def _categories(analysis: Regression, table: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return the key, the column and the value of every category that `predictions` names."""
    return [
        (f"predictions.{name}.{n}", name, _written(value))
        for name, values in analysis.predictions.items()
        if name in table and _has_categories(analysis, table, name)
        for n, value in enumerate(values)
    ]


def _words_for_numbers(
    analysis: Regression, table: pd.DataFrame, where: str, file: str
) -> Iterator[RatifyError]:
    """Yield a fault for each word that `predictions` names of a column of numbers."""
    for name, values in analysis.predictions.items():
        if name not in table or _has_categories(analysis, table, name):
            continue
        for n, value in enumerate(values):
            if isinstance(value, str) and _number(value) is None:
                yield RatifyError(
                    f"is not a number, and {file} has numbers in its column '{name}'",
                    file=PLAN_FILE,
                    column=f"{where}.predictions.{name}.{n}",
                    value=value,
                    allowed=f"a number, or C({name}) in predictors, if these are categories",
                )


def _has_categories(analysis: Regression, table: pd.DataFrame, name: str) -> bool:
    """Say whether a regression reads a column as categories."""
    if name in analysis.declared([str(one) for one in table.columns]):
        return True
    return name not in analysis.numbers and bool(
        numbers_of(table[name].dropna().astype(str)).faults
    )


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _table(plan: Plan, name: str, folder: Path) -> pd.DataFrame | None:
    """Return an own table as text; None if it is not there yet."""
    path = tables.table_path(folder / TABLES_FOLDER, name)
    return tables.read_other(path, plan.data.reading(name)) if path.exists() else None


def _absent(
    table: pd.DataFrame, named: list[tuple[str, str, str]], where: str, file: str
) -> Iterator[RatifyError]:
    """Yield a fault for each value that its column does not have."""
    for key, column, value in named:
        if column not in table:
            continue
        there = sorted({str(cell) for cell in table[column].dropna()} - {""}, key=_order)
        of_regression = key == "sd.value" or key.startswith("predictions.")
        if value in there or (of_regression and _is_number_of(value, there)):
            continue
        more = len(there) - _MOST_SHOWN
        shown = ", ".join(there[:_MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
        yield RatifyError(
            f"no row of {file} has this in its column '{column}'",
            file=PLAN_FILE,
            column=f"{where}.{key}",
            value=value,
            allowed=shown or "a value of a column that is filled",
        )


def _is_number_of(value: str, there: list[str]) -> bool:
    """Say whether a value is the same number as a cell: 1 and 1.0 are."""
    number = _number(value)
    return number is not None and number in {_number(cell) for cell in there}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _order(text: str) -> tuple[bool, float, str]:
    """Order numbers by size, before words."""
    number = _number(text)
    return (number is None, number if number is not None else 0.0, text)


def _of_scores(plan: Plan, analysis: Change, folder: Path) -> Iterator[RatifyError]:
    """Yield the fault at which an analysis of change would stop, such as a doubled row."""
    rng: np.random.Generator = stream(plan.seed, Stream.REHEARSAL)
    path, table = with_shuffled(folder, plan, analysis.table, [analysis.value], rng)
    columns = (analysis.value, analysis.person, analysis.occasion, analysis.condition)
    if table is None or not set(columns) <= set(table):
        return
    try:
        with naming(path):
            read_scores(
                table,
                value=analysis.value,
                person=analysis.person,
                occasion=analysis.occasion,
                condition=analysis.condition,
                control=analysis.control,
                baseline=analysis.baseline_rounds,
                post=analysis.post_rounds,
                conditions=analysis.treatments,
            )
    except RatifyError as error:
        yield error
