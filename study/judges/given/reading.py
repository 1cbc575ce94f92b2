"""Read the scores and choices of a judge of kind table, and say which of its rows do not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from prereg.plan.table_judge import OVERALL, TableJudge
from prereg.tables.absent_columns import the_columns
from prereg.tables.notes import tell
from prereg.tables.reader import Table, read_table

# How the plan says what a table calls one of our columns.
_KEY = "the judge's key columns: {{{}: COLUMN}}"
# Words of a choice that is none.
TIES = ("tie", "both", "neither", "same", "")
# In the place of the chosen item's id; no item has this id.
NEITHER = ""


@dataclass(frozen=True)
class Given:
    """What a judge of kind table has said about the items of a study.

    Attributes
    ----------
    scores : mapping
        By item and dimension; the dimension `overall` if the table has one score per item and the
        plan measures several dimensions.
    choices : tuple of (str, str, str)
        Left, right and the id of the item that was chosen, in the order of the table; `NEITHER` for
        a tie, if the plan offers ties.
    ties : Counter
        How often each pair (left, right) was answered without a choice: with an empty cell, or with
        a tie that the plan refuses.
    ignored : Counter
        Rows that do not count, by the reason.
    ranking : tuple of (str, str, str)
        As `choices`, of the table that is for its ranking alone.
    """

    scores: Mapping[tuple[str, str], float] = field(repr=False)
    choices: tuple[tuple[str, str, str], ...] = field(repr=False)
    ties: Counter[tuple[str, str]] = field(repr=False)
    ignored: Counter[str]
    ranking: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)

    def overall(self, plan: Plan) -> dict[str, float]:
        """Return the one score by which items are compared: the overall score of each item.

        An item that lacks a dimension of the overall score has none.
        """
        own = {item: value for (item, name), value in self.scores.items() if name == OVERALL}
        if own or plan.measures is None:
            return own
        signs = dict.fromkeys(plan.measures.adds, 1) | dict.fromkeys(plan.measures.subtracts, -1)
        return {
            item: sum(sign * self.scores[item, name] for name, sign in signs.items())
            for item in dict.fromkeys(item for item, _ in self.scores)
            if all((item, name) in self.scores for name in signs)
        }


def read_given(plan: Plan, judge: TableJudge, folder: Path, scenarios: Mapping[str, str]) -> Given:
    """Read the tables of a judge of kind table.

    Parameters
    ----------
    plan : Plan
    judge : TableJudge
    folder : Path
        The study folder.
    scenarios : mapping
        The scenario of each item of the study, by its id.

    Raises
    ------
    RatifyError
        When a table is missing or wrong, a score is no number of its scale or is given twice, a
        choice names neither side, or no row is about an item of the study.
    """
    ignored: Counter[str] = Counter()
    scores: dict[tuple[str, str], float] = {}
    choices: list[tuple[str, str, str]] = []
    ties: Counter[tuple[str, str]] = Counter()
    if judge.ratings is not None:
        table = read_table(folder / judge.ratings, plan.data.reading(judge.ratings))
        scores = _scores(plan, judge, table, scenarios, ignored)
        _require_some(table, bool(scores), "scores no item of the study", _name(judge, "item_id"))
    if judge.judgments is not None:
        table = read_table(folder / judge.judgments, plan.data.reading(judge.judgments))
        choices, ties = _choices(plan, judge, table, scenarios, ignored)
        some = bool(choices or ties)
        _require_some(table, some, "compares no two items of a scenario", _name(judge, "left_id"))
    ranking: list[tuple[str, str, str]] = []
    if judge.ranking is not None:
        table = read_table(folder / judge.ranking, plan.data.reading(judge.ranking))
        ranking = _choices(plan, judge, table, scenarios, ignored)[0]
        _require_some(table, bool(ranking), "compares no two items", _name(judge, "left_id"))
    return Given(scores, tuple(choices), ties, ignored, tuple(ranking))


def _name(judge: TableJudge, column: str) -> str:
    """Return the table's own name of a column."""
    return judge.columns.get(column, column)


def _require_some(table: Table, found: bool, problem: str, column: str) -> None:
    if not found:
        raise table.error(2, column, problem, allowed="ids as in the items of the study")


def _scores(
    plan: Plan, judge: TableJudge, table: Table, scenarios: Mapping[str, str], ignored: Counter[str]
) -> dict[tuple[str, str], float]:
    id_column = _name(judge, "item_id")
    table.require(id_column, named_by={id_column: _KEY.format("item_id")})
    table.refuse_damaged_ids(id_column)
    layout = _layout(plan, judge, table)
    columns = [layout.value] if layout.value else list(layout.wide.values())
    tell(table.number_notes(*(name for name in columns if name not in plan.labels)))
    ends = {rated.id: (rated.min, rated.max) for rated in plan.rated}
    found: dict[tuple[str, str], float] = {}
    first: dict[tuple[str, str], int] = {}
    for row, record in enumerate(table.rows, start=2):
        item = record[id_column].strip()
        if not item:
            raise table.error(row, id_column, "is empty", allowed="the id of an item")
        if item not in scenarios:
            ignored["about an item that the study does not have"] += 1
            continue
        for dimension, column in layout.of(record):
            if dimension not in ends and dimension != OVERALL:
                ignored["about a dimension that the plan does not have"] += 1
                continue
            earlier = first.setdefault((item, dimension), row)
            if earlier != row:
                raise table.error(
                    row,
                    id_column,
                    f"has a score of {dimension} in {table.place_words(earlier)} already",
                    allowed="one score for each item and dimension",
                )
            names = plan.labels.get(dimension, ())
            value = _place(table, row, column, names) if names else table.number(row, column)
            if value is None:
                continue
            low, high = ends.get(dimension, (value, value))
            if not low <= value <= high:
                raise table.error(
                    row, column, "is outside the plan's scale", allowed=f"{low} to {high}"
                )
            found[item, dimension] = value
    return found


def _place(table: Table, row: int, column: str, names: tuple[str, ...]) -> float | None:
    """Return the place of a label in the plan, None where the cell is empty."""
    said = " ".join(table.rows[row - 2][column].split()).casefold()
    if not said:
        return table.number(row, column)  # None; a formula without a value is refused
    places = [place for place, name in enumerate(names) if name.casefold() == said]
    if not places:
        raise table.error(row, column, "is not one of the plan's labels", allowed=", ".join(names))
    return float(places[0])


@dataclass(frozen=True)
class _Layout:
    """Where a table has its scores: long (`dimension` and `value`), or wide (a column each)."""

    wide: Mapping[str, str]
    dimension: str = ""
    value: str = ""

    def of(self, record: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the dimensions of a row, each with the column of its score."""
        if self.dimension:
            return [(record[self.dimension].strip(), self.value)]
        return list(self.wide.items())


def _layout(plan: Plan, judge: TableJudge, table: Table) -> _Layout:
    value, dimension = _name(judge, "value"), _name(judge, "dimension")
    for key in ("value", "dimension"):
        if key in judge.columns:
            table.require(judge.columns[key])
    rated = [one.id for one in plan.rated]
    if value in table.columns and dimension in table.columns:
        table.require(dimension)
        return _Layout({}, dimension, value)
    if value in table.columns:
        if not kind_of(plan).compares and len(rated) > 1:
            raise RatifyError(
                "does not say which dimension a score is of",
                file=table.path,
                allowed=f"a column 'dimension', or a column for each of {', '.join(rated)}",
            )
        only = rated[0] if len(rated) == 1 and not kind_of(plan).compares else OVERALL
        return _Layout({only: value})
    wide = {name: name for name in rated if name in table.columns}
    if not wide and kind_of(plan).compares and OVERALL in table.columns:
        wide = {OVERALL: OVERALL}
    if not wide:
        raise RatifyError(
            f"has no column of scores: {the_columns(table.columns)}",
            file=table.path,
            allowed=f"a column '{value}', or a column for each of {', '.join(rated) or OVERALL}; "
            "or name the column: columns: {value: COLUMN}",
        )
    return _Layout(wide)


def _choices(
    plan: Plan, judge: TableJudge, table: Table, scenarios: Mapping[str, str], ignored: Counter[str]
) -> tuple[list[tuple[str, str, str]], Counter[tuple[str, str]]]:
    left_id, right_id, choice = (_name(judge, name) for name in ("left_id", "right_id", "choice"))
    names = (left_id, right_id, choice)
    keys = [_KEY.format(name) for name in ("left_id", "right_id", "choice")]
    table.require(*names, named_by=dict(zip(names, keys, strict=True)))
    for column in (left_id, right_id):
        table.refuse_damaged_ids(column)
        table.require_filled(column)
    found: list[tuple[str, str, str]] = []
    ties: Counter[tuple[str, str]] = Counter()
    for row, record in enumerate(table.rows, start=2):
        left, right = record[left_id].strip(), record[right_id].strip()
        if left not in scenarios or right not in scenarios:
            ignored["about an item that the study does not have"] += 1
            continue
        if left == right or scenarios[left] != scenarios[right]:
            ignored["about two items that are not compared"] += 1
            continue
        said = record[choice].strip()
        chosen = {"left": left, "right": right, left: left, right: right}.get(said)
        chosen = chosen or {"left": left, "right": right}.get(said.lower())
        if chosen is not None:
            found.append((left, right, chosen))
        elif said and said.lower() in TIES and plan.design.offers_ties:
            found.append((left, right, NEITHER))
        elif said.lower() in TIES:
            ties[left, right] += 1
        else:
            raise table.error(
                row,
                choice,
                "is neither side",
                allowed=f"left, right, '{left}' or '{right}'; tie or empty if it did not choose",
            )
    return found, ties
