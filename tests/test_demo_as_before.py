"""If this failed, a change of the code would have changed a number, a column or a hash of the demo.

The reference is the demo as it was before. If a change is meant to change a number, the changelog
says so and the reference is made again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.reference.demo import summary
from tests.support.paths import REFERENCE


def differences(before: Any, now: Any, where: str = "") -> list[str]:
    """Return where two summaries differ; numbers may differ by rounding."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = list(dict.fromkeys([*before, *now]))
        there = [
            differences(before.get(key), now.get(key), f"{where}/{key}")
            for key in keys
            if key in before and key in now
        ]
        apart = [f"{where}/{key}" for key in keys if (key in before) != (key in now)]
        return apart + [found for part in there for found in part]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        parts = [differences(a, b, where) for a, b in zip(before, now, strict=True)]
        return [found for part in parts for found in part]
    if isinstance(before, float) and isinstance(now, int | float):
        return [] if now == pytest.approx(before, rel=1e-9, abs=1e-12) else [where]
    return [] if before == now else [where]


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REFERENCE / "demo.json").read_text("utf-8"))
    return found


def test_the_demo_says_what_it_said_before(demo: Path, reference: dict[str, Any]) -> None:
    assert differences(reference, summary(demo)) == []


def test_a_changed_cell_and_a_changed_number_are_found(
    demo: Path, reference: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(demo, folder)
    ratings = folder / "data" / "ratings.csv"
    ratings.write_text(ratings.read_text("utf-8").replace(",3.0,", ",3.5,", 1), "utf-8")
    path = folder / "results" / "results.json"
    results = json.loads(path.read_text("utf-8"))
    results["quantities"][0]["estimate"] += 1e-6
    table = results["tables"][0]
    table["rows"][0], table["rows"][1] = table["rows"][1], table["rows"][0]
    path.write_text(json.dumps(results), "utf-8")
    first = results["quantities"][0]
    assert {
        found.rpartition("/sums/")[0] or found for found in differences(reference, summary(folder))
    } == {
        "/export/ratings/sha256",
        f"/quantities/{first['analysis']} / {first['name']}/estimate",
        f"/tables/{table['name']}",
    }
