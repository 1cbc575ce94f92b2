"""Takes the judge's scores of a frame, or people's of a pilot, from tidy ratings."""

from __future__ import annotations

import io
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prereg import files
from prereg.errors import RatifyError
from prereg.frame.reading import ID, causal_of
from prereg.plan.causal import Causal
from prereg.plan.model import Plan
from prereg.tables.reader import Table, read_table, write_csv
from prereg.tables.reading import reading_of

_COLUMNS = (ID, "dimension", "value", "rater_id")
_KIND, _MODE, _CHECK = "rater_kind", "mode", "is_attention_check"
_PARQUET = (".parquet", ".pq")
# An item and a dimension.
_Of = tuple[str, str]


@dataclass(frozen=True)
class _Rating:
    """One score, and where it is."""

    table: Table
    row: int
    item: str
    dimension: str
    rater: str
    value: float


def judge_scores(
    paths: Sequence[Path], plan: Plan, items: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return a judge's scores from tidy ratings, for each column of the frame.

    Parameters
    ----------
    paths : sequence of Path
        Tables of ratings, as `ratify export` writes them. People's rows are left out.
    plan : Plan
        With a `causal` section.
    items : sequence of str
        The ids of the frame; ratings of other items are left out.

    Returns
    -------
    dict
        The score of each item, by the frame's column.

    Raises
    ------
    RatifyError
        When a table lacks a column, a score is no number or outside the scale, an item is scored
        twice, no score is of the frame's items, or several judges scored a scale and the plan does
        not say which of them counts.
    """
    one = causal_of(plan, paths[0])
    ratings = [r for path in paths for r in _ratings(path, plan, one, people=False)]
    known = frozenset(items)
    found: dict[str, dict[str, float]] = {}
    for key, part in one.scores.items():
        of_scale = [rating for rating in ratings if rating.dimension == part.scale]
        judges = sorted({rating.rater for rating in of_scale})
        if part.judge is None and len(judges) > 1:
            raise RatifyError(
                f"{len(judges)} judges scored {part.scale}, and the plan does not say which counts",
                file=paths[0],
                column="rater_id",
                value=judges[1],
                allowed=f"causal.{key}.judge in the plan: {', '.join(judges)}",
            )
        mine = [r for r in of_scale if part.judge in (None, r.rater) and r.item in known]
        if not mine:
            raise RatifyError(
                f"no score of {part.scale} is of an item of the frame {one.frame}",
                file=", ".join(map(str, paths)),
                value=part.judge,
                allowed="a judge's ratings of these items"
                + (f"; judges there: {', '.join(judges)}" if judges else ""),
            )
        found[part.score] = _each_once(mine)
    return found


def _each_once(ratings: Sequence[_Rating]) -> dict[str, float]:
    """Return the score of each item; refuse an item that is scored twice."""
    first: dict[str, _Rating] = {}
    for rating in ratings:
        before = first.setdefault(rating.item, rating)
        if before is not rating:
            raise rating.table.error(
                rating.row,
                ID,
                f"{rating.rater} scored {rating.dimension} of this item already, in "
                f"{before.table.path.name}, {before.table.place_words(before.row)}",
                allowed="one score each",
            )
    return {item: rating.value for item, rating in first.items()}


def people_scores(path: Path, plan: Plan) -> dict[str, tuple[float, float]]:
    """Return people's scores of treatment and outcome, by item, from tidy ratings of a pilot.

    Each is the plan's aggregate of the ratings that there are. Rows of judges, of simulated raters
    and of attention checks are left out, and so are items with only one of the two scores.

    Raises
    ------
    RatifyError
        When the table lacks a column, or a rating is no number or outside the scale.
    """
    one = causal_of(plan, path)
    given: dict[_Of, list[float]] = defaultdict(list)
    for rating in _ratings(path, plan, one, people=True):
        given[rating.item, rating.dimension].append(rating.value)
    aggregate = statistics.fmean if one.labels.aggregate == "mean" else statistics.median
    treatment, outcome = one.treatment.scale, one.outcome.scale
    return {
        item: (aggregate(ratings), aggregate(given[item, outcome]))
        for (item, dimension), ratings in list(given.items())
        if dimension == treatment and (item, outcome) in given
    }


def _ratings(path: Path, plan: Plan, one: Causal, *, people: bool) -> list[_Rating]:
    """Return the ratings of both scales by people, or by others."""
    table = read_table(path, reading_of((*_COLUMNS, _KIND, _MODE, _CHECK)))
    table.require(*_COLUMNS, *[_KIND] * people)
    ends = {scale.id: (scale.min, scale.max) for scale in plan.scales}
    scales = {part.scale for part in one.scores.values()}
    found = []
    for row, record in enumerate(table.rows, start=2):
        human = record.get(_KIND) == "human" and record.get(_MODE) != "bot"
        wanted = human if people else record.get(_KIND) != "human"
        if not wanted or record["dimension"] not in scales or record.get(_CHECK) == "true":
            continue
        value = table.number(row, "value")
        if value is None:
            continue
        low, high = ends[record["dimension"]]
        if not low <= value <= high:
            raise table.error(row, "value", "is outside the scale", allowed=f"{low} to {high}")
        found.append(
            _Rating(table, row, record[ID], record["dimension"], record["rater_id"], value)
        )
    return found


def write_scores(table: Table, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Write the frame again with a judge's scores in columns of their own.

    Parameters
    ----------
    table : Table
        The frame. A CSV keeps its cells as they are; a Parquet file, its other columns.
    scores : mapping
        As from `judge_scores`. An item without a score gets an empty cell, or keeps its own.

    Raises
    ------
    RatifyError
        When an item has another score in the frame already, or the file cannot be written.
    """
    columns: dict[str, list[float | None]] = {}
    for column, of_item in scores.items():
        columns[column] = []
        for row, record in enumerate(table.rows, start=2):
            there = table.number(row, column) if column in table.columns else None
            new = of_item.get(record[ID])
            if there is not None and new is not None and there != new:
                raise table.error(
                    row, column, f"is not the score {new:g} of the ratings", allowed="an empty cell"
                )
            columns[column].append(there if new is None else new)
    if table.path.suffix.lower() in _PARQUET:
        _write_parquet(table, columns)
        return
    names = {name: table.spelling.get(name, name) for name in table.columns}
    rows = [
        {**record, **{names.get(c, c): _cell(cells[at]) for c, cells in columns.items()}}
        for at, record in enumerate(table.written)
    ]
    write_csv(table.path, list(rows[0]), rows)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.17g}"


def _write_parquet(table: Table, columns: Mapping[str, list[float | None]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = pq.read_table(table.path)
    if whole.num_rows != len(table.rows):
        raise RatifyError(
            f"has {whole.num_rows} rows, of which {len(table.rows)} are units",
            file=table.path,
            allowed="one row per unit",
        )
    for column, cells in columns.items():
        name = table.spelling.get(column, column)
        values = pa.array(cells, pa.float64())
        place = whole.schema.get_field_index(name)
        field = pa.field(name, pa.float64())
        whole = (
            whole.append_column(field, values)
            if place < 0
            else whole.set_column(place, field, values)
        )
    buffer = io.BytesIO()
    pq.write_table(whole, buffer)
    files.write_bytes(table.path, buffer.getvalue())
