"""Refuse items that answer different prompts, where a page shows one prompt above all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from prereg.errors import RatifyError


def refuse_mixed_prompts(path: Path | str, rows: Sequence[Mapping[str, str]]) -> None:
    """Raise `RatifyError` at the first item whose prompt is not that of its scenario.

    Parameters
    ----------
    path : path
        The file of the rows, for the error.
    rows : sequence of mapping
        Items; without a column `prompt` there is nothing to compare. Spaces do not matter.
    """
    first: dict[str, tuple[int, Mapping[str, str]]] = {}
    for row, record in enumerate(rows, start=2):
        if "prompt" not in record:
            return
        at, other = first.setdefault(record["scenario"], (row, record))
        if record["prompt"].split() != other["prompt"].split():
            raise RatifyError(
                f"item '{record['item_id']}' has another prompt than item '{other['item_id']}' "
                f"(row {at}) of scenario '{record['scenario']}', but they are compared below one "
                "prompt",
                file=path,
                row=row,
                column="prompt",
                value=record["prompt"],
                allowed="one prompt per scenario: give every prompt a scenario of its own "
                "(`ratify new --scenario COLUMN`)",
            )
