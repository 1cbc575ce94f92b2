"""Reads Parquet and Feather, nested conversations included."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prereg.errors import RatifyError
from prereg.tables.dialects import Cells
from prereg.tables.nested import column_of, whole_floats
from prereg.tables.places import COUNTED


def read_parquet(content: bytes, path: Path) -> Cells:
    """Return the cells of a Parquet file; raise `RatifyError` if it cannot be read."""
    import pyarrow.parquet as pq

    return _read(pq.read_table, content, path, "a Parquet file")


def read_feather(content: bytes, path: Path) -> Cells:
    """Return the cells of a Feather (Arrow IPC) file; raise `RatifyError` if it cannot be read."""
    from pyarrow import feather

    return _read(feather.read_table, content, path, "a Feather file")


def _read(reader: Callable[[io.BytesIO], Any], content: bytes, path: Path, kind: str) -> Cells:
    import pyarrow as pa

    try:
        table = reader(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise RatifyError(f"is not {kind}", file=path, allowed="CSV or Parquet") from error
    return _cells(table)


def _cells(table: Any) -> Cells:
    import pyarrow as pa

    names = [str(name) for name in table.column_names]
    columns = []
    nested, talks, floats = {}, [], []
    for name, values in zip(names, table.columns, strict=True):
        cells, why_not, found = column_of(values.to_pylist(), COUNTED)
        columns.append(cells)
        if pa.types.is_floating(values.type) and whole_floats(cells):
            floats.append(name)
        if why_not:
            nested[name] = why_not
        elif found:
            talks.append(name)
    notes = [f"the conversations of column {name} were written as turns" for name in talks]
    records = [list(record) for record in zip(*columns, strict=True)]
    return Cells(names, records, notes, places=COUNTED, nested=nested, floats=frozenset(floats))
