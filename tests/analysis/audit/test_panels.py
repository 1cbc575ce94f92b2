"""If this failed, a panel of an audit would not be one more judge, made as the command says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from analysis.audit.panels import read_panels
from prereg.errors import RatifyError
from prereg.tables.reader import read_table, write_csv
from ratify import main

ITEMS = 30


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Three people and three judges who rate 30 items, as options of the command."""
    rng = np.random.default_rng(5)
    truth = rng.integers(1, 6, ITEMS)
    options: list[str] = []
    for kind, names in (("--human", ("p1", "p2", "p3")), ("--judge", ("a", "b", "c"))):
        for name in names:
            values = np.clip(truth + rng.integers(-1, 2, ITEMS), 1, 5)
            rows = [{"item_id": f"i{n:02d}", "warmth": int(v)} for n, v in enumerate(values)]
            write_csv(tmp_path / f"{name}.csv", list(rows[0]), rows)
            options += [kind, str(tmp_path / f"{name}.csv")]
    return options


def audit(files: list[str], out: Path, *more: str) -> tuple[int, str]:
    words = ["audit", *files, "--scale", "1", "5", "--out", str(out), *more]
    done = CliRunner().invoke(main, words)
    return done.exit_code, done.output


def test_a_panel_is_one_more_judge(files: list[str], tmp_path: Path) -> None:
    code, said = audit(files, tmp_path / "out", "--panel", "trio=a,b,c")
    assert code == 0, said
    assert "trio is the mean of a, b and c" in said
    assert "The 3 judges of trio (a, b and c) show no sign of shared errors" in said
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    found = {q["name"]: q["estimate"] for q in results["quantities"]}
    values = {
        name: np.array([float(r["warmth"]) for r in read_table(tmp_path / f"{name}.csv").rows])
        for name in ("p1", "p2", "p3", "a", "b", "c")
    }
    mean = (values["a"] + values["b"] + values["c"]) / 3
    median = np.median([values[name] for name in ("p1", "p2", "p3")], axis=0)
    assert found["trio:bias:warmth"] == pytest.approx(np.mean(mean - median))
    names = {table["name"] for table in results["tables"]}
    assert {"independent_judges", "shared_errors"} <= names
    [annotators] = [t for t in results["tables"] if t["name"] == "annotators"]
    assert ["trio", "judge", "mean of a, b, c", ITEMS, 0, ITEMS, 0] in annotators["rows"]


def test_a_majority_leaves_ties_undecided(files: list[str], tmp_path: Path) -> None:
    code, said = audit(files, tmp_path / "out", "--panel", "duo=a,b", "--panel-rule", "majority")
    assert code == 0, said
    a, b = (
        [row["warmth"] for row in read_table(tmp_path / f"{name}.csv").rows] for name in ("a", "b")
    )
    ties = sum(one != other for one, other in zip(a, b, strict=True))
    assert f"duo is the majority of a and b; {ties} ties of 30 ratings undecided." in said


def test_ties_of_a_panel_are_not_answers_to_ask_for_again(files: list[str], tmp_path: Path) -> None:
    code, said = audit(files, tmp_path / "out", "--panel", "duo=a,b", "--panel-rule", "majority")
    assert code == 0, said
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    [note] = [one for one in results["findings"] if one["about"] == "duo" and "tie" in one["says"]]
    assert "duo is a panel and has no answer for" in note["says"]
    assert "gave no rating" not in note["says"]
    assert "Ask again" not in note["do"]
    assert "odd number" not in note["do"]
    assert "Let people decide them" in note["do"]
    assert "but not labels" in note["do"]


@pytest.mark.parametrize(
    ("panel", "says"),
    [
        (["trio"], "a panel has no name"),
        (["t=a"], "two judges or more"),
        (["t=a,a"], "two judges or more"),
        (["t=a,x"], "no such judge"),
        (["t=a,p1"], "no such judge"),
        (["p1=a,b"], "name is taken"),
        (["t=a,b", "u=a,t"], "cannot be part of a panel"),
        (["t=a,b", "t=a,c"], "two panels have one name"),
    ],
)
def test_panels_that_make_no_sense_are_refused(
    files: list[str], tmp_path: Path, panel: list[str], says: str
) -> None:
    code, said = audit(files, tmp_path / "out", *(w for one in panel for w in ("--panel", one)))
    assert code == 2
    assert says in said
    assert not (tmp_path / "out").exists()


def test_panels_are_read_from_the_command_line() -> None:
    assert read_panels(["x = a, b", "y=c,d"]) == {"x": ("a", "b"), "y": ("c", "d")}
    with pytest.raises(RatifyError, match="--panel NAME=JUDGE"):
        read_panels(["=a,b"])
