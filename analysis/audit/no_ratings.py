"""Refuses a file or a judge without a rating: the error names the file and the column."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.agreement.rating_table import scale_words
from analysis.audit.files import LONG, Annotator, Source
from analysis.audit.looks_nominal import words_shared
from analysis.results.words import listed
from prereg.errors import RatifyError
from prereg.tables.absent_columns import per_respondent, shown


def nothing_shared(
    sources: Sequence[Source],
    numeric: Sequence[tuple[str, Sequence[str]]],
    scale: tuple[float, float],
) -> RatifyError:
    """Return the error for files that share no column of numbers.

    Where one file alone lacks a column that all others have, the fault is in that file: its column
    is empty, holds other words, or is not there.

    Parameters
    ----------
    sources : sequence of Source
    numeric : sequence of (str, sequence of str)
        The name of each file, and its columns of numbers.
    scale : tuple of float
    """
    odd = sources[0]
    for source, (_, own) in zip(sources, numeric, strict=True):
        others = [
            names for one, (_, names) in zip(sources, numeric, strict=True) if one is not source
        ]
        shared = [n for n in others[0] if all(n in names for names in others)] if others else []
        lacking = [name for name in shared if name not in own]
        if not lacking:
            continue
        odd = source
        there = next((name for name in lacking if name in source.table.columns), None)
        if there is not None and not source.long:
            return _no_numbers(source, there, scale)
        break
    columns = "; ".join(f"{where}: {shown(names) or 'none'}" for where, names in numeric)
    why = next(filter(None, map(_another_layout, sources)), "")
    return RatifyError(
        f"the files share no numeric column to compare (they have {columns})"
        + (f"; {why}" if why else ""),
        file=odd.path,
        allowed=f"columns of ratings with the same name in every file{words_shared(sources)}",
    )


def _another_layout(source: Source) -> str:
    """Return why a file may be in a layout that was not recognised; empty if nothing says so."""
    why = per_respondent(source.table.columns)
    ids = [record[source.id_column] for _, record in source.records()]
    if why or source.long or len(set(ids)) == len(ids):
        return why
    lacking = listed([name for name in LONG if name not in source.table.columns])
    return (
        f"{source.path.name} has several rows per {source.id_column}: if it has one row per "
        f"rating, it needs {lacking} too, and --map says what it calls them"
    )


def _no_numbers(source: Source, column: str, scale: tuple[float, float]) -> RatifyError:
    """Return the error for a column that is empty, or mostly words, in one file alone."""
    known = source.table.numbers(column).known
    for row, record in source.records():
        cell = record[column].strip()
        if cell and cell not in known:
            return source.table.error(row, column, *source.table.numbers(column).fault(cell))
    return RatifyError(
        "holds no rating: every cell is empty or a missing-value word",
        file=source.path,
        column=column,
        allowed=f"ratings from {scale_words(scale)}",
    )


def refuse_silent(
    source: Source,
    annotators: Sequence[Annotator],
    dimensions: Sequence[str],
    scale: tuple[float, float],
) -> None:
    """Raise `RatifyError` at a file without a rating, and at a judge without one.

    A person without a rating beside others is left out with a note, because a crowd has such.
    """
    silent = [one for one in annotators if not one.items]
    if not silent or (source.kind == "human" and len(silent) < len(annotators)):
        return
    column, who = listed(dimensions), "no rating"
    if source.rater_columns:
        column = next(
            name
            for name in source.rater_columns
            if not any(record[name].strip() for _, record in source.records())
        )
    elif source.long:
        column = "value"
    if len(annotators) > 1:
        who += f" by '{silent[0].name}'"
    raise RatifyError(
        f"holds {who}: every cell is empty or a missing-value word",
        file=source.path,
        column=column,
        allowed=f"ratings from {scale_words(scale)}",
    )
