"""What a demo's folder says in numbers, columns and hashes: times, random ids and sentences aside.

`demo.json` is the summary of a demo (`ratify demo --no-serve`, then
`python -m tests.reference.demo ratify-demo > tests/reference/demo.json`). It was made by release
0.4.0, and again when errors of trials began to count items.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import sys
from pathlib import Path
from typing import Any

# What differs from one demo to the next: the clock, and ids drawn by the operating system.
CHANGING = {
    "judgment_id",
    "session_id",
    "consented_at",
    "finished_at",
    "shown_at",
    "answered_at",
    "response_ms",
}
# Columns that later releases added to the tables.
ADDED = {"clock_changed"}
NUMBERS = (
    "estimate",
    "se",
    "low",
    "high",
    "p_value",
    "n",
    "clusters",
    "unit",
    "unit_of_n",
    "status",
    "level",
)


def summary(folder: Path) -> dict[str, Any]:
    """Return the summary of a demo's folder."""
    results = json.loads((folder / "results" / "results.json").read_text("utf-8"))
    lock = json.loads((folder / "plan.lock.json").read_text("utf-8"))
    return {
        "lock": {"plan_hash": lock["plan_hash"], **lock["parts"]},
        "export": {path.stem: _exported(path) for path in sorted((folder / "data").glob("*.csv"))},
        "quantities": {
            f"{one['analysis']} / {one['name']}": {key: one.get(key) for key in NUMBERS}
            for one in results["quantities"]
        },
        "tables": {table["name"]: _table(table) for table in results["tables"]},
        "figures": sorted(figure["name"] for figure in results["figures"]),
        "files": sorted(path.name for path in (folder / "results" / "tables").iterdir()),
        "flow": results["flow"],
    }


def _exported(path: Path) -> dict[str, Any]:
    """Return the header of an exported table, and a hash of what is the same in every demo."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
        stream.seek(0)
        columns = [name for name in next(csv.reader(stream)) if name not in ADDED]
    kept = sorted([row[name] for name in columns if name not in CHANGING] for row in rows)
    digest = hashlib.sha256(json.dumps(kept, ensure_ascii=False).encode()).hexdigest()
    return {"columns": columns, "rows": len(rows), "sha256": digest}


def _table(table: dict[str, Any]) -> dict[str, Any]:
    """Return a result table's columns and the sum of each column's numbers, weighted by row."""
    sums = {}
    for place, column in enumerate(table["columns"]):
        cells = [row[place] for row in table["rows"]]
        numbers = [
            (number, cell)
            for number, cell in enumerate(cells, start=1)
            if isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)
        ]
        if numbers:
            sums[column] = [len(numbers), math.fsum(number * cell for number, cell in numbers)]
    return {"columns": table["columns"], "rows": len(table["rows"]), "sums": sums}


if __name__ == "__main__":
    print(json.dumps(summary(Path(sys.argv[1])), indent=1))
