"""Reads Parquet and Feather, nested conversations included."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from prereg.errors import RatifyError
from prereg.tables.dialects import Cells
from prereg.tables.nested import column_of, whole_floats


def read_parquet(content: bytes, path: Path) -> Cells:
    """Return the cells of a Parquet file.

    Raises
    ------
    RatifyError
        Where it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise RatifyError("is not a Parquet file", file=path, allowed="CSV or Parquet") from error
    return _cells(table)


def read_feather(content: bytes, path: Path) -> Cells:
    """Return the cells of a Feather (Arrow IPC) file.

    Raises
    ------
    RatifyError
        Where it cannot be read.
    """
    import pyarrow as pa
    from pyarrow import feather

    try:
        table = feather.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise RatifyError("is not a Feather file", file=path, allowed="CSV or Parquet") from error
    return _cells(table)


def _cells(table: Any) -> Cells:
    import pyarrow as pa

    names = [str(name) for name in table.column_names]
    columns = []
    nested, talks, floats = {}, [], []
    for name, values in zip(names, table.columns, strict=True):
        cells, why_not, found = column_of(values.to_pylist())
        columns.append(cells)
        if pa.types.is_floating(values.type) and whole_floats(cells):
            floats.append(name)
        if why_not:
            nested[name] = why_not
        elif found:
            talks.append(name)
    notes = [f"the conversations of column {name} were written as turns" for name in talks]
    records = [list(record) for record in zip(*columns, strict=True)]
    return Cells(names, records, notes, nested=nested, floats=frozenset(floats))
