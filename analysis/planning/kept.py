"""Keeps finished simulated studies in a file, so that a stopped run goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.planning.one_study import Record
from prereg import files
from prereg.code import analysis_code
from prereg.errors import RatifyError
from prereg.plan.model import Plan
from prereg.tables.reader import Table

STUDIES_FILE = "studies.jsonl"


def key_of(plan: Plan, items: Table) -> str:
    """Return a hash of all that simulated studies follow from, but not of how many there are.

    It covers the plan, what it assumes, the items and the code that simulates and analyses.
    """
    assumed = plan.assumptions.model_dump(mode="json")
    for name in ("studies", "causal"):  # `ratify power --causal` keeps its own studies
        assumed.pop(name, None)
    content = plan.to_json()
    content.pop("assumptions", None)
    parts = {
        "plan": content,
        "assumptions": assumed,
        "items": files.sha256(files.canonical_json(items.rows)),
        "code": analysis_code(),
    }
    return files.sha256(files.canonical_json(parts))


class Kept:
    """The finished studies of one plan, in a file with one line for each.

    Attributes
    ----------
    key : str
        Hash of all that they follow from.
    records : dict of (point, number) to dict
        See `one_study.simulate_once`.
    replaced : bool
        Whether the file held studies of another plan, other assumptions or other code, which are
        gone.
    """

    def __init__(self, folder: Path, key: str, plan: str, *, file: str = STUDIES_FILE) -> None:
        self.key = key
        self._path = folder / file
        self.records: dict[tuple[str, int], Record] = {}
        folder.mkdir(parents=True, exist_ok=True)
        head = {"key": key, "plan": plan}
        found = _lines(self._path)
        self.replaced = bool(found) and found[0].get("key") != key
        if found and not self.replaced:
            for line in found[1:]:
                self.records[line["point"], line["study"]] = _inner(line)
        rows = [] if self.replaced else found[1:]
        # a line that a stop has cut off is left out, so the file is written again
        files.write_text(self._path, "".join(_text(line) for line in [head, *rows]))

    def add(self, point: str, number: int, record: Record) -> None:
        """Keep a finished study."""
        line = {"point": point, "study": number, **record}
        with self._path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(_text(line))
        self.records[point, number] = record

    def of(self, point: str, count: int) -> list[Record]:
        """Return the first studies of a point, in the order of their numbers."""
        return [
            self.records[point, number]
            for number in range(count)
            if (point, number) in self.records
        ]


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a file; none if it is not such a file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise RatifyError(
            "cannot be read", file=path, allowed="remove it to begin again"
        ) from error
    found: list[dict[str, Any]] = []
    for line in text.splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            break
        wanted = {"point", "study"} if found else {"key"}
        if not isinstance(content, dict) or not wanted <= content.keys():
            break
        found.append(content)
    if text.strip() and not found:
        raise RatifyError(
            "is not a file of simulated studies", file=path, allowed="remove it to begin again"
        )
    return found


def _inner(line: Mapping[str, Any]) -> Record:
    return {name: value for name, value in line.items() if name not in {"point", "study"}}


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
