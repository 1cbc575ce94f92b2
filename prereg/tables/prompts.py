"""Refuse items that answer different prompts, where a page shows one prompt above all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from prereg.errors import RatifyError
from prereg.tables.places import Places


def refuse_mixed_prompts(
    path: Path | str, rows: Sequence[Mapping[str, str]], places: Places
) -> None:
    """Raise `RatifyError` at the first item whose prompt is not that of its scenario.

    Parameters
    ----------
    path : path
        The file of the rows, for the error.
    rows : sequence of mapping
        Items; without a column `prompt` there is nothing to compare. Spaces do not matter.
    places : Places
        Where each of them is in the file.
    """
    first: dict[str, tuple[int, Mapping[str, str]]] = {}
    for row, record in enumerate(rows):
        if "prompt" not in record:
            return
        at, other = first.setdefault(record["scenario"], (row, record))
        if record["prompt"].split() != other["prompt"].split():
            raise RatifyError(
                f"item '{record['item_id']}' has another prompt than item '{other['item_id']}' "
                f"({places.words(at)}) of scenario '{record['scenario']}', but they are compared "
                "below one prompt",
                file=path,
                row=places.place(row),
                column="prompt",
                value=record["prompt"],
                allowed="one prompt per scenario: give every prompt a scenario of its own "
                "(`ratify new --scenario COLUMN`)",
            )
