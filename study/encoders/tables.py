"""The frame whose texts are embedded, and the table of its embeddings."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from prereg import files
from prereg.errors import RatifyError
from prereg.frame.texts import TEXT_HASH, text_hashes
from prereg.tables.reader import Table, read_table
from prereg.tables.reading import Reading
from study.encoders.encoder import Encoder, TextFaultError, Vectors

EMBEDDINGS_FILE: Final = "embeddings.parquet"
# Where the file says what made it.
MADE_BY: Final = b"ratify.encoder"


@dataclass(frozen=True)
class Texts:
    """The texts of a frame.

    Attributes
    ----------
    table : Table
        The frame.
    column : str
        That holds the texts.
    item_ids, texts : tuple of str
        One each per unit.
    """

    table: Table
    column: str
    item_ids: tuple[str, ...]
    texts: tuple[str, ...]

    def fault(self, fault: TextFaultError) -> RatifyError:
        """Return what is wrong with a text, with its place in the frame."""
        if fault.text not in self.texts:
            return fault
        place = self.texts.index(fault.text)
        component = f" in component {fault.column}" if fault.column else ""
        return RatifyError(
            f"unit {self.item_ids[place]}: {fault.problem}{component}",
            file=self.table.path,
            row=self.table.place(place + 2),
            column=self.column,
            value=fault.value,
            allowed=fault.allowed or "a text that the encoder takes, or a frame without this unit",
        )


def read_texts(path: Path, column: str, reading: Reading | None = None) -> Texts:
    """Read the texts of a frame.

    Parameters
    ----------
    path : Path
        CSV or Parquet, with the column `item_id`.
    column : str
        That holds the texts.
    reading : Reading, optional
        How its cells are read, if the plan says so.

    Raises
    ------
    RatifyError
        When the frame or a column is missing, an id is empty, damaged or repeated, or a text is
        empty.
    """
    # a prompt may be the word "None", or end with spaces
    how = replace(reading or Reading(), verbatim=(column,), exact=("item_id",))
    table = read_table(path, how)
    table.require("item_id", column)
    table.require_text(column)
    table.require_filled("item_id")
    table.refuse_damaged_ids("item_id")
    table.require_unique("item_id")
    for row, record in enumerate(table.rows, start=2):
        if not record[column].strip():
            raise table.error(
                row,
                column,
                f"unit {record['item_id']}: there is no text to embed",
                allowed="any text; take units without one out of the frame",
            )
    return Texts(
        table,
        column,
        tuple(record["item_id"] for record in table.rows),
        tuple(record[column] for record in table.rows),
    )


def write_embeddings(path: Path, texts: Texts, vectors: Vectors, encoder: Encoder) -> None:
    """Write `item_id`, the hash of the text and a column per component (`e0`, ...).

    The file also says what made the vectors. By the hash, a text that changed later is noticed.

    Parameters
    ----------
    path : Path
    texts : Texts
    vectors : array of shape (units, dims)
    encoder : Encoder
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "item_id": pa.array(texts.item_ids, type=pa.string()),
        TEXT_HASH: pa.array(text_hashes(texts.texts), type=pa.string()),
    }
    columns |= {f"e{at}": pa.array(vectors[:, at]) for at in range(vectors.shape[1])}
    made_by = {
        "encoder": encoder.name,
        "version": encoder.version,
        "lexical": encoder.lexical,
        "text": texts.column,
    }
    table = pa.table(columns).replace_schema_metadata({MADE_BY: json.dumps(made_by).encode()})
    content = io.BytesIO()
    pq.write_table(table, content)
    files.write_bytes(path, content.getvalue())
