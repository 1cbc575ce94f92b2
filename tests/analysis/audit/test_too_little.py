"""If this failed, an audit of too little data would claim something or print wild intervals."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from analysis.agreement.intervals import SHARES
from analysis.agreement.weighted import COEFFICIENTS
from analysis.audit.audit import audit
from ratify import main

SCALE = (1, 5)
WIDTH = 4.0


def write(path: Path, warm: Sequence[int], clear: Sequence[int] | None = None) -> str:
    rows = [f"i{n},{a},{b}" for n, (a, b) in enumerate(zip(warm, clear or warm, strict=True))]
    path.write_text("\n".join(["item_id,warm,clear", *rows, ""]))
    return str(path)


def run(folder: Path, people: Sequence[Sequence[int]], judge: Sequence[int]) -> Result:
    words = ["audit", "--scale", "1", "5", "--dimension", "warm", "--out", str(folder / "out")]
    for number, ratings in enumerate(people):
        words += ["--human", write(folder / f"p{number}.csv", ratings)]
    return CliRunner().invoke(main, [*words, "--judge", write(folder / "judge.csv", judge)])


def results(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "out" / "results.json").read_text())
    return content


@pytest.mark.parametrize("items", [2, 3, 5, 9])
def test_too_few_items_decide_nothing(tmp_path: Path, items: int) -> None:
    first = [1 + n % 5 for n in range(items)]
    second = [max(1, value - (n % 2)) for n, value in enumerate(first)]
    done = run(tmp_path, [first, second], [min(5, value + 1) for value in first])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == ("judge: there are not enough data for a verdict here.")
    grid = results(tmp_path)["verdict"]
    assert "not enough data" in json.dumps(grid)
    coefficients = pd.read_csv(tmp_path / "out" / "tables" / "coefficients.csv")
    ends = coefficients[[f"{name}_low" for name in COEFFICIENTS]]
    assert ends.isna().all(axis=None) == (items < 5), "under five items there is no interval"


def test_people_who_never_vary_are_no_yardstick(tmp_path: Path) -> None:
    done = run(tmp_path, [[3] * 20, [3] * 20], [1 + n % 5 for n in range(20)])
    assert done.exit_code == 0, done.output
    assert (
        "There is no yardstick: people gave every item the same rating, so people's agreement"
        in (done.stdout)
    )
    assert "agrees with people as well" in done.stdout
    assert "cannot be said" in done.stdout
    assert "nan" not in done.stdout.lower()


def test_a_judge_that_never_varies_is_not_said_to_agree(tmp_path: Path) -> None:
    people = [[1 + (n + k * (n % 4 == 0)) % 5 for n in range(40)] for k in (0, 1)]
    done = run(tmp_path, people, [3] * 40)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == (
        "judge cannot stand in for a person here; it always says 3 on warm, so it tells no item "
        "from another there; it falls short of people on warm."
    )
    assert "nan" not in done.stdout.lower()


def noisy(seed: int) -> Callable[[Sequence[int]], list[int]]:
    draw = random.Random(seed)
    return lambda base: [min(5, max(1, value + draw.choice([0, 0, 1, -1]))) for value in base]


@pytest.mark.parametrize("interval", ["jackknife", "bootstrap"])
@pytest.mark.parametrize("items", [5, 6, 8])
def test_no_number_is_outside_its_range(tmp_path: Path, interval: Any, items: int) -> None:
    """Few items and a judge turned round: draws of ICC(2,k) and AC2 reach far below -1."""
    for seed in range(3):
        near = noisy(seed)
        base = [1 + (n * 2) % 5 for n in range(items)]
        people = [write(tmp_path / f"{k}.csv", near(base), near(base)) for k in "abc"]
        turned = [6 - value for value in base]
        judge = write(tmp_path / "judge.csv", near(turned), near([5] * items))
        found = audit(
            people,
            [judge],
            id_column="item_id",
            scale=SCALE,
            dimensions=("warm", "clear"),
            interval=interval,
            seed=seed,
        )
        frames = {table.name: table.frame for table in found.tables}
        for name in COEFFICIENTS:
            least, most = (0, 1) if name in SHARES else (-1, 1)
            if name == "bias":
                least, most = -WIDTH, WIDTH
            inside(frames["coefficients"], name, least, most)
        for name in ("humans", "single", "median"):
            inside(frames["summary"], name, -1, 1)
        inside(frames["summary"], "difference", -2, 2)
        inside(frames["crowd"], "difference", -2, 2)
        for quantity in found.quantities:
            _, what, _ = quantity.name.split(":")
            if what.startswith("variance") or what == "raters_needed":
                assert quantity.estimate is None or quantity.estimate >= 0
                continue  # squared points and numbers of raters have no upper end
            bound = {"bias": WIDTH, "difference": 2, "crowd_difference": 2}.get(what, 1)
            for value in (quantity.estimate, quantity.low, quantity.high):
                assert value is None or not abs(value) > bound + 1e-9, quantity


def inside(frame: pd.DataFrame, name: str, least: float, most: float) -> None:
    """Refuse an estimate or an end of its interval outside the range, and an end beside it."""
    estimate, low, high = (frame[column].astype(float) for column in ends_of(name))
    for values in (estimate, low, high):
        outside = (values < least - 1e-9) | (values > most + 1e-9)
        assert not outside.any(), (name, frame[outside])
    assert not (low > high + 1e-9).any()


def ends_of(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"
