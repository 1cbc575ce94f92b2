"""Writes turn-pairs as Parquet in row groups of one size, whatever size they come in."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

# Rows of a group: about 20 MB of text.
GROUP = 5_000


class PairsFile:
    """A Parquet file that is being written; a context manager.

    Parameters
    ----------
    path : Path
        In a folder that replaces the user's at the end (`prereg.files.replaced_folder`).
    schema : pyarrow.Schema
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: pa.Table = schema.empty_table()

    def __enter__(self) -> PairsFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._waiting.num_rows:
            self._group(self._waiting)
        self._writer.close()

    def add(self, rows: pa.Table) -> None:
        """Add rows; they are written when there are enough for a group."""
        if not rows.num_rows:
            return
        waiting = pa.concat_tables([self._waiting, rows])
        while waiting.num_rows >= GROUP:
            self._group(waiting.slice(0, GROUP))
            waiting = waiting.slice(GROUP)
        self._waiting = waiting

    def _group(self, rows: pa.Table) -> None:
        # in one piece, because where pieces end would show in the bytes of the file
        self._writer.write_table(rows.combine_chunks(), row_group_size=GROUP)
