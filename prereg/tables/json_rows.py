"""Reads JSON (a list of objects) and JSONL (one object per line); numbers keep their digits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prereg.errors import RatifyError
from prereg.tables.dialects import Cells, decoded
from prereg.tables.nested import column_of
from prereg.tables.places import COUNTED, Places

_ALLOWED = "a list of objects with one value per column, or one such object per line (JSONL)"


def read_json(content: bytes, path: Path) -> Cells:
    """Return the cells of a table in JSON or JSONL.

    A list of objects is a table; so is an object with one list of objects inside, an object of
    columns (each a list of values), and what pandas writes: `{"columns": [...], "data": [[...]]}`.

    Raises
    ------
    RatifyError
        Where it is not JSON, or not a table.
    """
    text, notes = decoded(content, path)
    text = text.lstrip("\ufeff").rstrip()
    try:
        found = _loads(text)
    except RatifyError as error:
        raise RatifyError(error.problem, file=path, allowed="different keys") from error
    except json.JSONDecodeError as error:
        if error.msg != "Extra data" and not _several_lines(text):
            raise RatifyError(
                f"is not JSON (line {error.lineno}: {error.msg})", file=path, allowed=_ALLOWED
            ) from error
        objects, places = _lines(text, path)
    else:
        objects = _objects(found, path)
        places = COUNTED
    names = list(dict.fromkeys(name for record in objects for name in record))
    columns, nested = [], {}
    for name in names:
        cells, why_not, talks = column_of([record.get(name) for record in objects], places)
        columns.append(cells)
        if why_not:
            nested[name] = why_not
        elif talks:
            notes.append(f"the conversations of column {name} were written as turns")
    records = [list(record) for record in zip(*columns, strict=True)]
    return Cells(names, records, notes, places=places, nested=nested)


def _loads(text: str) -> Any:
    # numbers stay as the file writes them: a 20-digit id must not pass through a float
    return json.loads(
        text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_object
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RatifyError("has an object that names a key more than once")
    return found


def _several_lines(text: str) -> bool:
    """Say whether each of the first two lines is an object of its own."""
    first = text.lstrip().partition("\n")[0].strip()
    return first.startswith("{") and first.endswith("}")


def _lines(text: str, path: Path) -> tuple[list[dict[str, Any]], Places]:
    objects, numbers = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = _loads(line)
        except (json.JSONDecodeError, RatifyError) as error:
            raise RatifyError(
                f"is not JSON: {getattr(error, 'msg', error)}",
                file=path,
                row=f"line {number}",
                allowed=_ALLOWED,
            ) from error
        if not isinstance(found, dict):
            raise RatifyError("is not an object", file=path, row=f"line {number}", allowed=_ALLOWED)
        objects.append(found)
        numbers.append(number)
    return objects, Places(numbers, "line")


def _objects(found: Any, path: Path) -> list[dict[str, Any]]:
    if isinstance(found, dict):
        found = _inside(found, path)
    if not isinstance(found, list) or not found:
        raise RatifyError("is JSON, but not a table", file=path, allowed=_ALLOWED)
    for number, record in enumerate(found, start=1):
        if not isinstance(record, dict):
            raise RatifyError(
                f"is JSON, but not a table: entry {number} is not an object",
                file=path,
                allowed=_ALLOWED,
            )
    return found


def _inside(found: dict[str, Any], path: Path) -> Any:
    """Return the list of objects that an object holds as columns, in pandas' form, or by a name."""
    names, data = found.get("columns"), found.get("data")
    if (
        isinstance(names, list)
        and isinstance(data, list)
        and all(isinstance(row, list) and len(row) == len(names) for row in data)
    ):
        return [dict(zip(map(str, names), row, strict=True)) for row in data]
    tables = [
        value
        for value in found.values()
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
    ]
    messages = {"role", "from"}
    if len(tables) == 1 and not messages & set(tables[0][0]):
        return tables[0]
    lengths = {len(value) if isinstance(value, list) else -1 for value in found.values()}
    if not tables and len(lengths) == 1 and lengths != {-1}:
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    if len(tables) > 1:
        raise RatifyError(
            "is JSON with several lists of objects", file=path, allowed="a file with one of them"
        )
    return [found]  # one line of JSONL
