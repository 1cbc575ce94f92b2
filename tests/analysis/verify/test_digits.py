"""If this failed, honest results of another machine would be refuted, or an edit believed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.verify.digits import MOST, distance, same_digits
from tests.support.paths import ROOT

Change = Callable[[str], str]
SVG = (
    '<path d="M 10.123456 20.5 L 30.25 -4e-05" clip-path="url(#pb98f196a76)" fill="#d55e00"/>\n'
    '<clipPath id="pb98f196a76"/><g id="m0123456789"/>\n'
    "<text>p = 0.0001</text>\n"
)


def made(folder: Path) -> dict[str, Path]:
    """Write results with a number in each kind of file."""
    content: dict[str, Any] = {
        "meta": {"code": "a", "versions": {"numpy": "2"}, "plan_hash": "f"},
        "quantities": [{"name": "effect", "estimate": 0.75, "n": 6000, "low": 1e-17}],
        "headline": ["The effect is 0.75 points."],
    }
    written = {
        "results.json": json.dumps(content),
        "tables/numbers.csv": "unit,value,low\r\n20000000000000000001,0.75,-1.5e-05\r\n",
        "tables/numbers.md": "| effect | 0.75 | 12 |\n",
        "figures/one.svg": SVG,
    }
    found = {}
    for name, text in written.items():
        found[name] = folder / name
        found[name].parent.mkdir(parents=True, exist_ok=True)
        found[name].write_bytes(text.encode())
    (folder / "figures" / "one.png").write_bytes(b"\x89PNG\xff")
    found["figures/one.png"] = folder / "figures" / "one.png"
    return found


def digits(folder: Path, name: str, change: Change) -> int | None:
    """Return the digits that are the same if one file is changed in the second of two folders."""
    one, other = made(folder / "a"), made(folder / "b")
    before = other[name].read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    other[name].write_text(after, encoding="utf-8")
    return same_digits(one, other)


def to(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new)


@pytest.mark.parametrize(
    ("name", "change", "same"),
    [
        ("results.json", to("0.75,", "0.7500000000001,"), 12),
        ("results.json", to("0.75,", "0.7500005,"), 6),
        ("results.json", to("0.75,", "0.750001,"), None),
        ("results.json", to("1e-17", "-3e-10"), 6),
        ("results.json", to("1e-17", "3e-9"), None),
        ("results.json", to("1e-17", "null"), None),
        ("results.json", to("6000", "6001"), None),
        ("results.json", to("6000", "6000.0"), None),
        ("results.json", to("is 0.75", "is 0.7500001"), None),
        ("results.json", to('"low"', '"high"'), None),
        ("results.json", to('"plan_hash": "f"', '"plan_hash": "g"'), None),
        # what made them may differ, and so may the layout
        ("results.json", to('"code": "a"', '"code": "b"'), MOST),
        ("results.json", to('"numpy": "2"', '"numpy": "3"'), MOST),
        ("results.json", to(", ", ",  "), MOST),
        ("tables/numbers.csv", to("0.75", "0.7500000001"), 9),
        ("tables/numbers.csv", to("0.75", "0.751"), None),
        ("tables/numbers.csv", to("-1.5e-05", "1.5e-05"), None),
        ("tables/numbers.csv", to("0000001,", "0000002,"), None),  # another unit
        ("tables/numbers.csv", to("value", "values"), None),
        ("tables/numbers.csv", to("0.75", "0.75,0.75"), None),
        ("tables/numbers.md", to("0.75", "0.76"), None),
        ("tables/numbers.md", to("12", "13"), None),
        # a shape is named by the hash of its coordinates
        ("figures/one.svg", to("pb98f196a76", "p9d7770ab38"), MOST),
        ("figures/one.svg", lambda text: text.replace("pb98f196a76", "p9d7770ab38", 1), None),
        ("figures/one.svg", to("10.123456", "10.123458"), MOST),
        ("figures/one.svg", to("-4e-05", "5e-05"), MOST),
        ("figures/one.svg", to("10.123456", "10.124"), None),
        ("figures/one.svg", to("#d55e00", "#d55e01"), None),
        ("figures/one.svg", to("p = 0.0001", "p = 0.0002"), None),  # printed, not drawn
    ],
)
def test_last_digits_are_told_from_other_numbers(
    tmp_path: Path, name: str, change: Change, same: int | None
) -> None:
    assert digits(tmp_path, name, change) == same


def test_other_bytes_and_other_files_are_no_digits(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a"), made(tmp_path / "b")
    assert same_digits(one, other) == MOST
    other["figures/one.png"].write_bytes(b"\x89PNG\xfe")
    assert same_digits(one, other) is None
    del other["figures/one.png"]
    assert same_digits(one, other) is None


def test_the_furthest_number_of_all_files_counts(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a"), made(tmp_path / "b")
    for name, new in (("results.json", "0.75000000001"), ("tables/numbers.csv", "0.7500001")):
        text = other[name].read_text(encoding="utf-8")
        other[name].write_text(text.replace("0.75,", f"{new},"), encoding="utf-8")
    assert same_digits(one, other) == 6


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (2.0, 2.0, 0.0),
        (2.0, 1.0, 0.5),
        (-1.0, 1.0, 2.0),
        (1e-4, 0.0, 0.1),
        (float("nan"), float("nan"), 0.0),
        (float("nan"), 1.0, float("inf")),
        (float("inf"), float("-inf"), float("inf")),
    ],
)
def test_a_distance_is_a_share_of_the_larger_number(
    one: float, other: float, expected: float
) -> None:
    assert distance(one, other) == pytest.approx(expected)
    assert distance(other, one) == pytest.approx(expected)


SUM = """
import json, sys
import numpy as np
rng = np.random.default_rng(1)
x = rng.normal(size=(400, 60))
found = np.linalg.solve(x.T @ x, x.T @ (x @ np.arange(60.0) + rng.normal(size=400)))
results = {"meta": {}, "quantities": found.tolist()}
open(sys.argv[1], "w").write(json.dumps(results))
"""


def test_another_kernel_of_linear_algebra_gives_the_same_digits(tmp_path: Path) -> None:
    found = []
    for name, kernel in (("a", {}), ("b", {"OPENBLAS_CORETYPE": "Prescott"})):
        path = tmp_path / name / "results.json"
        path.parent.mkdir()
        around = os.environ | {"PYTHONPATH": str(ROOT)} | kernel
        subprocess.run([sys.executable, "-c", SUM, str(path)], env=around, check=True)
        found.append({"results.json": path})
    values = [json.loads(one["results.json"].read_text())["quantities"] for one in found]
    if values[0] == values[1]:
        pytest.skip("this library of linear algebra gives the same bytes with both kernels")
    furthest = np.max(np.abs(np.subtract(*values)) / np.abs(values).max(axis=0))
    assert furthest < 1e-9
    assert same_digits(*found) == min(MOST, int(-np.log10(furthest)))
