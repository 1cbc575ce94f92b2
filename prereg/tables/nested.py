"""Turns the values of JSON, Parquet and sheets into cells; conversations become text."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from collections.abc import Sequence
from typing import Any

from prereg.tables.conversations import NotAConversationError, conversation
from prereg.tables.places import Places

# Above this a float no longer tells whole numbers apart.
_EXACT = 2**53


def scalar(value: Any) -> str:
    """Return a value that is not nested as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "" if math.isnan(value) else str(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return str(value)
    return str(value)


def column_of(values: Sequence[Any], places: Places) -> tuple[list[str], str, bool]:
    """Return the cells of a column of any values.

    Parameters
    ----------
    values : sequence
        Text, numbers, times, and nested lists and mappings.
    places : Places
        Where each of them is in the file.

    Returns
    -------
    cells : list of str
        Lists of messages as conversations, one turn per line; other nested values as JSON.
    why_not : str
        Why the column is not cells nor conversations, at its first such value; else empty.
    conversations : bool
        Whether any cell was a list of messages.
    """
    cells = []
    why_not, found = "", False
    for at, value in enumerate(values):
        if not isinstance(value, list | dict | bytes | set | tuple):
            cells.append(scalar(value))
            continue
        try:
            cells.append(conversation(value))
            found = True
        except NotAConversationError as error:
            why_not = why_not or f"{places.words(at)} holds {error}"
            cells.append(_as_json(value))
    return cells, why_not, found


def _as_json(value: Any) -> str:
    """Return a nested value as JSON, which every other program can read again."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return scalar(value)


def whole_floats(cells: Sequence[str]) -> bool:
    """Say whether numbers with a '.0' are whole numbers that passed through a float.

    pandas makes floats of whole numbers as soon as one is missing: the id 101 becomes 101.0.
    """
    return all(not cell or (cell.endswith(".0") and abs(float(cell)) < _EXACT) for cell in cells)
