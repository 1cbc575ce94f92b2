"""Refuses labels of a scale that stand for two numbers, as when one file's key is turned round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.audit.files import Source, cells_of
from prereg.errors import RatifyError
from prereg.tables.numbers import label_of

Cell = tuple[Source, int, str, str]  # file, row, column, the cell


def refuse_two_keys(sources: Sequence[Source], dimensions: Sequence[str]) -> None:
    """Raise `RatifyError` where one label has two numbers on a dimension, in or between files.

    A word that stands beside every number of a file ('3 (points)') is a unit and no label.
    """
    first: dict[tuple[str, str], tuple[float, Cell]] = {}
    for source in sources:
        for dimension, label, value, cell in _labels(source, dimensions):
            before, other = first.setdefault((dimension, label), (value, cell))
            if before != value:
                raise _turned(cell, other)


def _labels(source: Source, dimensions: Sequence[str]) -> Iterator[tuple[str, str, float, Cell]]:
    """Yield each different labelled cell of a file: dimension, label, number, where it stands."""
    found: dict[tuple[str, str, str], Cell] = {}
    for row, _, _, dimension, column in cells_of(source, dimensions):
        cell = source.table.rows[row - 2][column].strip()
        kinds = source.table.numbers(column).kinds
        if kinds and kinds.get(cell) == "labelled":
            found.setdefault((dimension, column, cell), (source, row, column, cell))
    words: dict[str, set[str]] = {}
    for dimension, _, text in found:
        words.setdefault(dimension, set()).add(label_of(text).rstrip("s"))
    for (dimension, column, text), at in found.items():
        if len(words[dimension]) > 1 or _alone(found, dimension):
            yield dimension, label_of(text), source.table.numbers(column).known[text], at


def _alone(found: dict[tuple[str, str, str], Cell], dimension: str) -> bool:
    return len({text for name, _, text in found if name == dimension}) == 1


def _turned(cell: Cell, other: Cell) -> RatifyError:
    source, row, column, _ = cell
    before, its_row, its_column, its_text = other
    where = f"{before.path.name}, {before.table.place_words(its_row)}, column {its_column}"
    return source.table.error(
        row,
        column,
        f"has a label that stands for another number in {where}: '{its_text}'",
        allowed="one number for each label; turn the scale of one of them round",
    )
