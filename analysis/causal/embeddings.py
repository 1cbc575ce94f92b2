"""Reads the table of embeddings that `ratify embed`, or another program, has written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from prereg.errors import RatifyError
from prereg.frame.texts import TEXT_HASH, text_hashes

UNIT: Final = "item_id"
# The one column of a table that holds whole vectors.
VECTOR: Final = "embedding"
MADE_BY: Final = b"ratify.encoder"


@dataclass(frozen=True)
class Embeddings:
    """Embeddings as they were read.

    Attributes
    ----------
    table : DataFrame
        `item_id`, text, and one float column per component.
    encoder : str
        What made them, as the file says; empty if it does not.
    lexical : bool
        Whether the encoder matches words, not meaning.
    text : str
        The column that was embedded, as the file says; empty if it does not.
    hashes : tuple of str
        Of the text of each row, as `prereg.frame.texts` makes them; empty if the file has none.
    """

    table: pd.DataFrame = field(repr=False)
    encoder: str = ""
    lexical: bool = False
    text: str = ""
    hashes: tuple[str, ...] = field(default=(), repr=False)

    def changed(self, units: Sequence[str], texts: Iterable[str]) -> list[str]:
        """Return the units with another text than the one that was embedded.

        Parameters
        ----------
        units : sequence of str
            The ids of a frame. Those without an embedding are passed over.
        texts : iterable of str
            Their texts today.
        """
        was = dict(zip(self.table[UNIT], self.hashes, strict=True)) if self.hashes else {}
        return [
            unit
            for unit, now in zip(units, text_hashes(texts), strict=True)
            if was.get(unit, now) != now
        ]


def read_embeddings(path: Path) -> Embeddings:
    """Read a Parquet table of embeddings.

    Parameters
    ----------
    path : Path
        With `item_id`, and either one numeric column per component or one column `embedding` of
        lists of numbers. A column `text_sha256` says which text each vector was made from.

    Raises
    ------
    RatifyError
        When the file is missing or not Parquet; when ids are missing, no text or repeated; when
        hashes are no text; when vectors are of mixed length; when a value is missing or not a
        finite number.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        read = pq.read_table(path)
    except FileNotFoundError as error:
        raise RatifyError(
            "does not exist", file=path, allowed="`ratify embed` writes it"
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise RatifyError("is not a Parquet file", file=path, allowed="Parquet") from error
    if UNIT not in read.column_names:
        raise RatifyError(
            "there is no such column",
            file=path,
            column=UNIT,
            allowed=", ".join(read.column_names[:20]),
        )
    ids = _ids(read.column(UNIT), path)
    hashed = [TEXT_HASH] if TEXT_HASH in read.column_names else []
    hashes = _hashes(read.column(TEXT_HASH), path) if hashed else []
    values = _values(read.drop_columns([UNIT, *hashed]), ids, path)
    table = pd.DataFrame(values, columns=[f"e{at}" for at in range(values.shape[1])])
    table.insert(0, UNIT, pd.Series(ids, dtype="str"))
    made_by = json.loads((read.schema.metadata or {}).get(MADE_BY, b"{}"))
    return Embeddings(
        table,
        str(made_by.get("encoder", "")),
        bool(made_by.get("lexical", False)),
        str(made_by.get("text", "")),
        tuple(hashes),
    )


def _hashes(column: Any, path: Path) -> list[str]:
    import pyarrow as pa

    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if not text or column.null_count:
        raise RatifyError(
            "is not the SHA-256 of every text",
            file=path,
            column=TEXT_HASH,
            value=f"{column.null_count:,} empty" if text else str(column.type),
            allowed="hexadecimal digits for every unit, or no such column",
        )
    found: list[str] = column.to_pylist()
    return found


def _ids(column: Any, path: Path) -> list[str]:
    import pyarrow as pa

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise RatifyError(
            "the ids are not text, and a long id that was read as a number is another id",
            file=path,
            column=UNIT,
            value=str(column.type),
            allowed="text",
        )
    ids: list[str] = column.to_pylist()
    seen: set[str] = set()
    for row, each in enumerate(ids):
        if not each or each in seen:
            raise RatifyError(
                "is already in an earlier record" if each else "is empty",
                file=path,
                row=f"record {row + 1:,}",
                column=UNIT,
                value=each or None,
                allowed="one row per unit",
            )
        seen.add(each)
    return ids


def _values(read: Any, ids: list[str], path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    if read.column_names == [VECTOR]:
        rows = [np.array(row or (), dtype=np.float32) for row in read.column(VECTOR).to_pylist()]
        for at, row in enumerate(rows):
            if len(row) != len(rows[0]) or not len(row):
                raise RatifyError(
                    "the embeddings are of mixed length",
                    file=path,
                    row=f"unit {ids[at]}",
                    column=VECTOR,
                    value=len(row),
                    allowed=f"{len(rows[0]) or 'some'} numbers, as the first",
                )
        found = np.stack(rows)
    else:
        found = _numeric(read, path)
    wrong = ~np.isfinite(found)
    if wrong.any():
        at, component = (int(each[0]) for each in np.nonzero(wrong))
        name = VECTOR if read.column_names == [VECTOR] else read.column_names[component]
        raise RatifyError(
            "an embedding has a value that is not a finite number",
            file=path,
            row=f"unit {ids[at]}",
            column=name,
            value=float(found[at, component]),
            allowed="finite numbers",
        )
    return found


def _numeric(read: Any, path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    import pyarrow as pa

    for name, column in zip(read.column_names, read.columns, strict=True):
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise RatifyError(
                "is not a component of an embedding",
                file=path,
                column=name,
                value=str(column.type),
                allowed=f"numbers, or one column `{VECTOR}` of lists of numbers",
            )
    if not read.num_columns:
        raise RatifyError("has no components", file=path, allowed="numeric columns e0, e1, ...")
    return np.column_stack(
        [column.to_numpy().astype(np.float32, copy=False) for column in read.columns]
    )
