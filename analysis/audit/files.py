"""Reads and checks one file of an audit, wide or long.

A wide file has an id column and a column per dimension; other columns (text, an unnamed index)
are ignored. If a column says who rated, each row is by one rater, and each rater becomes an
annotator. A long file has the columns rater_id, item_id, dimension, value, and each of its raters
becomes an annotator. A file may also have one column per rater, all of one dimension.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from analysis.agreement.rating_table import scale_words
from prereg.errors import RatifyError
from prereg.tables.absent_columns import another_sheet, same_sheet
from prereg.tables.chosen_sheet import file_and_sheet
from prereg.tables.fitting import read_fitting
from prereg.tables.reader import Table
from prereg.tables.reading import Reading

Kind = Literal["human", "judge"]
Ratings = dict[tuple[str, str], float | None]  # (item, dimension) -> value

LONG = ("rater_id", "dimension", "value")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_UNNAMED = re.compile(r"(Unnamed: \d.*)?")


@dataclass(frozen=True)
class Source:
    """A file as the command line names it.

    Attributes
    ----------
    kind : {'human', 'judge'}
        On which side its annotators are.
    name : str
        Given as NAME=FILE, empty otherwise.
    table : Table
        Its contents.
    id_column : str
        The column of item ids in it.
    long : bool
        Whether it has one row per rating.
    rows : tuple of int
        The rows that count, as a spreadsheet numbers them: in a long file with a column
        `rater_kind` only those of its own side.
    rater_column : str
        The column of a wide file that says who rated; empty if the file is by one annotator.
    rater_columns : tuple of str
        The columns of ratings by one rater each, if the file has such; they are of `dimension`.
    dimension : str
    """

    kind: Kind
    name: str
    table: Table = field(repr=False)
    id_column: str
    long: bool
    rows: tuple[int, ...] = field(repr=False)
    rater_column: str = ""
    rater_columns: tuple[str, ...] = ()
    dimension: str = ""

    @property
    def path(self) -> Path:
        """Return the path of the file."""
        return self.table.path

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the rows that count, each with its number."""
        for row in self.rows:
            yield row, self.table.rows[row - 2]


@dataclass(frozen=True)
class Annotator:
    """One person or judge and what they rated.

    Attributes
    ----------
    name : str
    kind : {'human', 'judge'}
    path : Path
        The file the ratings come from.
    ratings : dict
        Value by (item, dimension); None where the cell was empty.
    """

    name: str
    kind: Kind
    path: Path
    ratings: Ratings = field(repr=False)

    @property
    def items(self) -> set[str]:
        """Return the ids of the items with at least one rating."""
        return {item for (item, _), value in self.ratings.items() if value is not None}

    @property
    def missing(self) -> int:
        """Return the number of empty ratings."""
        return sum(value is None for value in self.ratings.values())


def read_source(
    spec: str,
    kind: Kind,
    id_column: str,
    rater_column: str = "rater_id",
    *,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    rater_columns: Sequence[str] = (),
    dimension: str = "",
) -> Source:
    """Read one `FILE` or `NAME=FILE` and check its ids; a wide file may be by several raters."""
    name, path = _name_and_path(spec)
    table = read_fitting(path, reading)
    if set(rater_columns) & set(table.columns):
        return _by_column(kind, name, table, id_column, tuple(rater_columns), dimension)
    long = all(column in table.columns for column in LONG)
    if long and id_column not in table.columns and "item_id" in table.columns:
        id_column = "item_id"
    table.require(id_column, named_by=_named_by(id_column))
    ids = [record[id_column] for record in table.rows]
    table.require(*({"rater_kind", "mode"} & set(table.columns) if long else ()))
    many = not long and rater_column in table.columns and rater_column != id_column
    many = many and (kind == "human" or len(set(ids)) < len(ids))
    raters = rater_column if many else ""
    table.require_filled(id_column, *(LONG[:2] if long else ()), *([raters] if raters else []))
    table.refuse_damaged_ids(id_column)
    return Source(kind, name, table, id_column, long, _own_side(table, kind, long), raters)


def _by_column(
    kind: Kind, name: str, table: Table, id_column: str, raters: tuple[str, ...], dimension: str
) -> Source:
    """Return a file with one column per rater, checked."""
    option = f"--{kind}-columns COLUMN,..."
    table.require(
        id_column, *raters, named_by={**dict.fromkeys(raters, option), **_named_by(id_column)}
    )
    for rater in raters:
        if rater == id_column or raters.count(rater) > 1:
            raise RatifyError(
                "is the id or named twice", file=table.path, column=rater, allowed="one per rater"
            )
    table.require_filled(id_column)
    table.refuse_damaged_ids(id_column)
    rows = _own_side(table, kind, long=False)
    return Source(kind, name, table, id_column, False, rows, "", raters, dimension)


def _named_by(id_column: str) -> dict[str, str]:
    """Return how the user says what a file calls its ids."""
    return {id_column: f"--id COLUMN, or by --map {id_column}=COLUMN if only this file differs"}


def _own_side(table: Table, kind: Kind, long: bool) -> tuple[int, ...]:
    """Return the rows of people or of judges if a long file tells them apart, otherwise all."""
    sided = long and "rater_kind" in table.columns
    rows = tuple(
        row
        for row, record in enumerate(table.rows, start=2)
        if not sided or (record["rater_kind"].strip() == "human") == (kind == "human")
    )
    if not rows:
        who = "people" if kind == "human" else "judges"
        raise RatifyError(
            f"has no ratings by {who}",
            file=table.path,
            column="rater_kind",
            allowed="human for --human, anything else for --judge",
        )
    return rows


def _name_and_path(spec: str) -> tuple[str, Path]:
    """Split NAME=FILE; a file whose own name contains '=' is still a file."""
    name, equals, path = spec.partition("=")
    if not equals or "/" in name or "\\" in name or file_and_sheet(Path(spec))[0].exists():
        return "", Path(spec)
    if not name.strip() or not path:
        raise RatifyError("a name or a file is missing", value=spec, allowed="FILE or NAME=FILE")
    return name.strip(), Path(path)


def require_dimensions(source: Source, wanted: Sequence[str], id_column: str) -> None:
    """Raise `RatifyError` unless a file has every wanted dimension."""
    for name in wanted:
        if name == id_column:
            raise RatifyError(f"'{name}' is the id, not a dimension", file=source.path)
        if source.rater_columns:
            _refuse_other_sheet(source, name)
        elif not source.long:
            source.table.require(name, named_by={name: f"--map {name}=COLUMN"})
        elif name not in (present := rated_dimensions(source)):
            _refuse_other_sheet(source, name)
            raise RatifyError(
                f"there is no dimension '{name}'",
                file=source.path,
                column="dimension",
                allowed=", ".join(present),
            )


def _refuse_other_sheet(source: Source, dimension: str) -> None:
    """Raise `RatifyError` if a dimension is the name of a sheet of the file that was not read."""
    table = source.table
    found = same_sheet(dimension, table.sheets)
    if found is not None and same_sheet(dimension, [table.sheet]) is None:
        raise another_sheet(table.path, dimension, table.sheet, found)


def rated_dimensions(source: Source, scale: tuple[float, float] = (0, 1)) -> list[str]:
    """Return the dimensions of a file; in a wide file the columns that are mostly numbers.

    A column of flags is one only where the scale has room for 0 and 1.
    """
    flags = scale[0] <= 0 and scale[1] >= 1
    if source.rater_columns:
        return [source.dimension]
    if source.long:
        return list(dict.fromkeys(record["dimension"].strip() for _, record in source.records()))
    return [
        name
        for name in source.table.columns
        if name not in (source.id_column, source.rater_column)
        and not _UNNAMED.fullmatch(name)
        and _mostly_numbers(source.table, name, flags=flags)
    ]


def _mostly_numbers(table: Table, name: str, *, flags: bool) -> bool:
    """Say whether more than half of the filled cells are numbers.

    More than half is enough, because one word among ratings is a mistake to report, not a reason
    to ignore the column silently.
    """
    found = table.numbers(name)
    filled = [cell for record in table.rows if (cell := record[name].strip())]
    if name in table.unsaved and not filled:
        return True  # formulas without values: refused where they are read as ratings

    def is_number(cell: str) -> bool:
        if cell in found.known:
            return flags or found.kinds.get(cell) != "flag"
        return _COMMA.fullmatch(cell) is not None  # refused where it is read, not passed over

    return 2 * sum(map(is_number, filled)) > len(filled)


def annotators_of(
    source: Source, dimensions: Sequence[str], scale: tuple[float, float], hint: str
) -> list[Annotator]:
    """Return the annotators of one file, every value checked."""

    def on_the_scale(row: int, column: str, _: str) -> float | None:
        value = source.table.number(row, column)
        if value is not None and not scale[0] <= value <= scale[1]:
            raise source.table.error(
                row, column, "is outside the scale", allowed=scale_words(scale) + hint
            )
        return value

    return annotators_with(source, dimensions, on_the_scale)


def annotators_with(
    source: Source, dimensions: Sequence[str], value_of: Callable[[int, str, str], float | None]
) -> list[Annotator]:
    """Return the annotators of one file; `value_of` reads a cell: its row, column and dimension."""
    raters: dict[str, Ratings] = {}
    first: dict[tuple[str, str, str], int] = {}
    for row, rater, item, dimension, column in cells_of(source, dimensions):
        before = first.setdefault((rater, item, dimension), row)
        if before != row:
            raise _twice(source, row, before, dimension)
        raters.setdefault(rater, {})[item, dimension] = value_of(row, column, dimension)
    if not raters:
        who = "people" if source.kind == "human" else "judges"
        raise RatifyError(
            f"has no rows of {who} on these dimensions",
            file=source.path,
            column="dimension",
            allowed=", ".join(rated_dimensions(source)),
        )
    return [
        Annotator(_full_name(source, rater, len(raters)), source.kind, source.path, ratings)
        for rater, ratings in raters.items()
    ]


def cells_of(source: Source, dimensions: Sequence[str]) -> Iterator[tuple[int, str, str, str, str]]:
    """Yield row, rater, item, dimension and the column of its value, for each rating of a file."""
    for row, record in source.records():
        item = record[source.id_column].strip()
        if source.rater_columns:
            for column in source.rater_columns:
                yield row, column, item, source.dimension, column
        elif not source.long:
            of = source.rater_column
            rater = record[of].strip() if of else source.path.stem
            for dimension in dimensions:
                yield row, rater, item, dimension, dimension
        elif record["dimension"].strip() in dimensions:
            yield row, record["rater_id"].strip(), item, record["dimension"].strip(), "value"


def _twice(source: Source, row: int, before: int, dimension: str) -> RatifyError:
    """Return the error for an item rated twice by one annotator."""
    name, there = source.id_column, source.table.place_words(before)
    if source.long:
        return source.table.error(
            row,
            name,
            f"this rater's {dimension} of this item is already in {there}",
            allowed="one row per rater, item and dimension",
        )
    return source.table.error(
        row,
        name,
        f"this {name} is already in {there}",
        allowed="one row each; ratings by several raters go into a long table (rater_id, item_id, "
        "dimension, value; --map names your columns), or, for people, "
        "into a table with a column that says who rated (--rater)"
        if not source.rater_column
        else f"one row for each {source.rater_column} and {name}",
    )


def _full_name(source: Source, rater: str, raters: int) -> str:
    """Return the name of an annotator in every table."""
    if not source.name:
        return rater
    return source.name if raters == 1 else f"{source.name}:{rater}"
