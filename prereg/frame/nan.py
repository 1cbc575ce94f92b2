"""Refuses NaN in the judge's scores: a program failed there, which an empty cell does not say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prereg.errors import RatifyError
from prereg.tables.reader import Table

_ALLOWED = "a number, or an empty cell for a unit without a score"


def refuse_nan(table: Table, columns: Iterable[str]) -> None:
    """Raise `RatifyError` at the first NaN of these columns, as text or as a number of Parquet.

    Parameters
    ----------
    table : Table
    columns : iterable of str
        Those that are not there are left out.
    """
    for column in columns:
        if column not in table.columns:
            continue
        for at in _places(table, column):
            raise RatifyError(
                "is NaN",
                file=table.path,
                row=table.place(at + 2),
                column=table.spelling.get(column, column),
                allowed=_ALLOWED,
            )


def _places(table: Table, column: str) -> Iterator[int]:
    """Yield the places in `table.rows` at which a column is NaN."""
    cells = (table.as_written(row, column) for row in range(2, len(table.rows) + 2))
    yield from (at for at, cell in enumerate(cells) if cell.strip().lstrip("+-").lower() == "nan")
    if table.path.suffix.lower() in {".parquet", ".pq"}:
        yield from _of_parquet(table, column)


def _of_parquet(table: Table, column: str) -> list[int]:
    """Return where a number of a Parquet file is NaN; a table has an empty cell there."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    import pyarrow.types as kinds

    values = pq.read_table(table.path, columns=[table.spelling.get(column, column)]).column(0)
    if not kinds.is_floating(values.type):
        return []
    found: list[int] = pc.indices_nonzero(pc.fill_null(pc.is_nan(values), False)).to_pylist()
    return found
