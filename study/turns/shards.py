"""Finds the Parquet files of a release and reads them a few conversations at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from prereg.errors import RatifyError
from study.turns.releases import Release, leaves, release_of

# Conversations that are in memory together, and bytes that are read from a column at a time.
AT_A_TIME = 1_000
BUFFER = 1 << 20


@dataclass(frozen=True)
class Batch:
    """Some conversations that follow each other in one file.

    Attributes
    ----------
    path : Path
    first : int
        How many conversations of the file come before.
    rows : pyarrow.RecordBatch
        Only the columns that are read.
    """

    path: Path
    first: int
    rows: pa.RecordBatch


@dataclass(frozen=True)
class Shards:
    """The files of one release.

    Attributes
    ----------
    paths : tuple of Path
        In the order in which they are read.
    release : Release
    conversations : int
        In all files together.
    """

    paths: tuple[Path, ...]
    release: Release
    conversations: int

    def batches(self, *, limit: int | None = None) -> Iterator[Batch]:
        """Read the conversations in order, row group by row group.

        Parameters
        ----------
        limit : int, optional
            How many conversations to read at most.

        Raises
        ------
        RatifyError
            When a file is damaged.
        """
        left = self.conversations if limit is None else limit
        for path in self.paths:
            first = 0
            for rows in _rows(path):
                if left <= 0:
                    return
                kept = rows.slice(0, left)
                yield Batch(path, first, kept)
                first += len(kept)
                left -= len(kept)


def find_shards(given: Sequence[Path]) -> Shards:
    """Find the files and look at their columns; no conversation is read yet.

    Parameters
    ----------
    given : sequence of Path
        Files, or folders with files whose names end in .parquet, at any depth; a folder's files
        are read in the order of their names.

    Raises
    ------
    RatifyError
        When a path does not exist, a folder holds no Parquet file, a file is given twice or is
        not Parquet, the files are not all of one release that can be used, or hold nothing.
    """
    paths: list[Path] = []
    for one in given:
        paths += _within(one)
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise RatifyError("is given more than once", file=path, allowed="each file once")
        seen.add(path.resolve())
    release, conversations = None, 0
    for path in paths:
        with _opened(path) as file:
            found = release_of(file.schema_arrow, path)
            conversations += file.metadata.num_rows
        if release is not None and found != release:
            raise RatifyError(
                f"is {found.name}, and {paths[0].name} is {release.name}",
                file=path,
                allowed="files of one release",
            )
        release = found
    assert release is not None
    if not conversations:
        raise RatifyError("holds no conversations", file=paths[0], allowed="at least one")
    return Shards(tuple(paths), release, conversations)


def _within(path: Path) -> list[Path]:
    if not path.exists():
        raise RatifyError(
            "does not exist", file=path, allowed="a Parquet file, or a folder with some"
        )
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.rglob("*.parquet") if one.is_file())
    if not found:
        raise RatifyError(
            "holds no file whose name ends in .parquet",
            file=path,
            allowed="a folder with the files of WildChat-1M",
        )
    return found


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise RatifyError("is not a Parquet file", file=path, allowed="Parquet") from error


def _rows(path: Path) -> Iterator[pa.RecordBatch]:
    """Read one file, the columns that are needed and nothing else."""
    with _opened(path) as file:
        read = leaves([file.schema.column(at).path for at in range(len(file.schema))])
        for group in range(file.num_row_groups):
            batches = file.iter_batches(AT_A_TIME, row_groups=[group], columns=read)
            while True:
                try:
                    rows = next(batches, None)
                except (pa.ArrowException, OSError) as error:
                    raise RatifyError(
                        f"is damaged: row group {group + 1} of {file.num_row_groups} cannot be "
                        "read",
                        file=path,
                        allowed="the file as it was released",
                    ) from error
                if rows is None:
                    break
                yield rows
