"""If these failed, a study locked, collected and analysed with release 0.4.0 would be lost.

The study lies in tests/reference/release_0_4_0, with the script by which that release made it.
"""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from prereg.errors import RatifyError
from prereg.files import sha256
from study.opening import open_study
from tests.support.paths import REFERENCE

MADE = REFERENCE / "release_0_4_0"
FOUND = json.loads((MADE / "results.json").read_text())
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The study as release 0.4.0 left it, without what it had exported."""
    for path in MADE.iterdir():
        if path.suffix in {".yaml", ".json", ".csv", ".md"} and path.name != "results.json":
            shutil.copy(path, tmp_path)
    with sqlite3.connect(tmp_path / "study.sqlite3") as store:
        store.executescript((MADE / "store.sql").read_text())
    store.close()
    return tmp_path


def done(run: CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stderr
    return run.stdout


def numbers(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], float]]:
    """Yield every number of some results with its place; words may be put differently."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from numbers(inner, (*place, key))
    elif isinstance(value, int | float):
        yield place, float(value)


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    """Return what holds numbers in some results: quantities and tables by name, and the flow."""
    named = {f"{q['analysis']} {q['name']}": q for q in found["quantities"]}
    rows = {table["name"]: table["rows"] for table in found["tables"]}
    return {"quantities": named, "tables": rows, "flow": found["flow"]}


def test_its_lock_verifies_and_notices_a_change(folder: Path) -> None:
    study = open_study(folder, must_be_locked=True)
    assert study.plan_hash == FOUND["meta"]["plan_hash"]
    assert study.parts == FOUND["meta"]["locked_parts"]
    items = folder / "items.csv"
    items.write_text(items.read_text().replace("I hear you", "I heard you", 1))
    with pytest.raises(RatifyError, match="lock"):
        open_study(folder, must_be_locked=True)


ADDED = {"clock_changed", "note"}


def as_before(path: Path) -> bytes:
    """Return a table without the columns that later versions add."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    for place in reversed(range(len(rows[0]))):
        if rows[0][place] in ADDED:
            assert {row[place] for row in rows[1:]} <= {"", "false"}
            rows = [row[:place] + row[place + 1 :] for row in rows]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def counts_items(place: tuple[Any, ...]) -> bool:
    """Say whether a number is an error of trials, which now counts their items; no estimate is."""
    where, name, *rest = place
    if where == "quantities":
        trials = str(name).split()[0] in {"same_trials", "gaps"} or "steady:consistency" in str(
            name
        )
        return trials and rest[-1] in {"low", "high", "se"}
    # the low and high of the rates by gap
    return where == "tables" and name == "gaps" and rest[-1] in {6, 7}


def test_its_store_gives_the_same_tables_and_these_the_same_numbers(
    folder: Path, ratify: Run
) -> None:
    done(ratify("export", folder))
    tables = {path.name: sha256(as_before(path)) for path in (folder / "data").glob("*.csv")}
    assert tables == FOUND["meta"]["inputs"]
    done(ratify("analyze", folder))
    results = json.loads((folder / "results" / "results.json").read_text())
    now = dict(numbers(by_name(results)))
    before = dict(numbers(by_name(FOUND)))
    assert len(before) > 400
    other = {
        place: (value, now.get(place))
        for place, value in before.items()
        if not math.isclose(value, now.get(place, math.nan), rel_tol=1e-9, abs_tol=1e-12)
        and not counts_items(place)
    }
    assert not other


def test_its_judge_goes_on_where_it_was(folder: Path, ratify: Run) -> None:
    said = done(ratify("judge", folder, "--dry-run"))
    assert "judge fake: 0 calls" in said


def test_its_results_become_a_report(folder: Path, ratify: Run) -> None:
    figures = folder / "results" / "figures"
    figures.mkdir(parents=True)
    shutil.copy(MADE / "results.json", folder / "results")
    for figure in FOUND["figures"]:  # the drawings themselves are not kept
        (figures / f"{figure['name']}.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'
        )
    done(ratify("report", folder))
    page = (folder / "results" / "report.html").read_text()
    assert FOUND["meta"]["plan_hash"] in page
    for table in FOUND["tables"]:
        assert table["title"].replace("'", "&#39;") in page
