"""Reads the files that an audit names: people's, then judges', with the rows that count."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.agreement.rating_table import ALL, HUMANS, MEDIAN, OTHERS, PEOPLE, PERSON
from analysis.audit.files import Kind, Source, read_source
from analysis.audit.rows import Chosen, rows_that_count
from prereg.errors import RatifyError
from prereg.tables.fitting import refuse_unused
from prereg.tables.reading import Reading

# What a report calls people together: whoever has such a name would be taken for them.
TOGETHER = (HUMANS, PEOPLE, MEDIAN, OTHERS, PERSON)


def read_sources(
    humans: Sequence[str],
    judges: Sequence[str],
    *,
    id_column: str,
    dimensions: Sequence[str] | None,
    mode: str | None,
    rater_column: str,
    reading: Reading,
    human_columns: Sequence[str],
    judge_columns: Sequence[str],
) -> tuple[list[Source], Chosen]:
    """Return the files of an audit with the rows that count; see `read_annotators`."""
    if not humans or not judges:
        lacking = "human" if not humans else "judge"
        raise RatifyError(f"no {lacking} is named", allowed=f"--{lacking} FILE")
    one = _one_dimension(dimensions, [*human_columns, *judge_columns])
    sources = [
        read_source(
            spec, kind, id_column, rater_column, reading=reading, rater_columns=names, dimension=one
        )
        for kind, specs, names in _sides(humans, judges, human_columns, judge_columns)
        for spec in specs
    ]
    refuse_unused([source.table for source in sources], reading)
    for kind, names in (("human", human_columns), ("judge", judge_columns)):
        own = [source for source in sources if source.kind == kind]
        if names and not any(source.rater_columns for source in own):
            option = f"--{kind}-columns"
            own[0].table.require(*names, named_by=dict.fromkeys(names, option))
    counted = rows_that_count(sources, mode)
    return list(counted.sources), counted


def _sides(
    humans: Sequence[str], judges: Sequence[str], of_humans: Sequence[str], of_judges: Sequence[str]
) -> tuple[tuple[Kind, Sequence[str], Sequence[str]], ...]:
    return ("human", humans, of_humans), ("judge", judges, of_judges)


def _one_dimension(dimensions: Sequence[str] | None, columns: Sequence[str]) -> str:
    """Return the one dimension of files with a column per rater; empty without such files."""
    if not columns:
        return ""
    if not dimensions or len(set(dimensions)) != 1:
        raise RatifyError(
            "one column per rater holds ratings of one dimension",
            value=", ".join(columns),
            allowed="its name: --dimension warmth",
        )
    return dimensions[0]


def refuse_reserved(sources: Sequence[Source], dimensions: Sequence[str]) -> None:
    """Raise `RatifyError` at a dimension or a name that the report, or a file, uses otherwise."""
    if ALL in dimensions:
        raise RatifyError(
            f"a dimension cannot be called '{ALL}', which is the report's word for the mean over "
            "dimensions",
            file=sources[0].path,
            column=ALL,
            allowed=f"another name: in wide files --map NAME={ALL}",
        )
    for source in sources:
        if source.rater_column in dimensions:
            raise RatifyError(
                f"'{source.rater_column}' says who rated and is not a dimension",
                file=source.path,
                allowed="--rater COLUMN, the column that says who rated",
            )
        _refuse_names(source)


def cannot_be_called(kind: Kind, name: str) -> str:
    """Return what is wrong with a name of `TOGETHER`."""
    return f"a {kind} cannot be called '{name}', which is a word of the report"


def _refuse_names(source: Source) -> None:
    """Raise `RatifyError` at the first cell or column that names a rater by a word of the report.

    A file by one rater is named by itself: see `annotators`.
    """
    for column in source.rater_columns:
        if column in TOGETHER and not source.name:
            raise RatifyError(
                cannot_be_called(source.kind, column),
                file=source.path,
                column=column,
                allowed=f"another name: --map NAME={column}",
            )
    column = "rater_id" if source.long else source.rater_column
    if not column or source.name or source.rater_columns:
        return
    for row, record in source.records():
        name = record[column].strip()
        if name in TOGETHER:
            raise source.table.error(
                row, column, cannot_be_called(source.kind, name), allowed="another name"
            )
