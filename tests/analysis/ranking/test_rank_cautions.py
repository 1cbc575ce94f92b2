"""If this failed, a ranking would hide that items were never compared or that raters are few."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ratify import main

PAIRS = (("a", "b"), ("b", "c"), ("c", "a"))
SMALL = "are too small, and so are their intervals; from 10 raters they can be read"


def rank(
    path: Path, rows: Sequence[str], header: str = "left_id,right_id,choice,rater_id"
) -> Result:
    path.write_text("\n".join([header, *rows, ""]))
    return CliRunner().invoke(main, ["rank", str(path), "--out", str(path.with_suffix(".out.csv"))])


def by_raters(raters: int) -> list[str]:
    return [
        f"{left},{right},{'left' if (n + k) % 3 else 'right'},r{n}"
        for n in range(raters)
        for k, (left, right) in enumerate(PAIRS)
    ]


@pytest.mark.parametrize(
    ("raters", "says"),
    [
        (1, "caution: no standard errors, because 1 rater is too few to cluster them by"),
        (2, "caution: no standard errors, because 2 raters are too few to cluster them by"),
        (3, f"caution: standard errors clustered by only 3 raters {SMALL}"),
        (9, f"caution: standard errors clustered by only 9 raters {SMALL}"),
        (10, ""),
    ],
)
def test_errors_of_few_raters_are_not_trusted(tmp_path: Path, raters: int, says: str) -> None:
    done = rank(tmp_path / "j.csv", by_raters(raters))
    assert done.exit_code == 0
    cautions = [line for line in done.stderr.splitlines() if line.startswith("caution")]
    assert cautions == ([says] if says else [])
    table = (tmp_path / "j.out.csv").read_text()
    assert ("no standard error: fewer than 3 raters" in table) == (raters == 2)


def test_items_that_were_never_compared_are_named_on_standard_error_too(tmp_path: Path) -> None:
    rows = by_raters(12)
    apart = [row.replace("a", "x").replace("b", "y").replace("c,", "z,") for row in rows]
    done = rank(tmp_path / "j.csv", [*rows, *apart])
    assert done.exit_code == 0
    assert (
        "caution: the items fall into 2 groups never compared with each other (a, b, c; x, y, z): "
        "scores and ranks are valid only within a group" in done.stderr.splitlines()
    )
    assert "into 2 groups never compared" in (tmp_path / "j.out.csv").read_text()
    assert "never compared" not in rank(tmp_path / "k.csv", rows).stderr


def test_each_scenario_with_such_items_is_named_up_to_a_few(tmp_path: Path) -> None:
    rows = [f"s{s},a,b,left\ns{s},b,a,left\ns{s},c,d,left\ns{s},d,c,left" for s in range(6)]
    rows += ["whole,a,b,left", "whole,b,a,left", "whole,a,b,right"]
    said = rank(tmp_path / "j.csv", rows, header="scenario,left_id,right_id,choice").stderr
    cautions = [line for line in said.splitlines() if line.startswith("caution")]
    assert len(cautions) == 5
    assert cautions[0].startswith("caution: the items of scenario s0 fall into 2 groups never")
    assert cautions[-1] == "caution: 2 more scenarios fall into such groups"


def test_one_of_something_is_not_printed_as_several_nor_zero_with_a_minus(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("left_id,right_id,choice,rater_id\na,b,left,r\n")
    done = CliRunner().invoke(main, ["rank", str(tmp_path / "one.csv")])
    assert "1 judgment, 2 items, 1 rater" in done.stderr.splitlines()[0]
    rows = [
        f"{a},{b},left,r{n}" for n in range(12) for a, b in ("ab", "bc", "ca", "ba", "cb", "ac")
    ]
    (tmp_path / "even.csv").write_text("\n".join(["left_id,right_id,choice,rater_id", *rows]))
    done = CliRunner().invoke(main, ["rank", str(tmp_path / "even.csv")])
    assert " 0.000" in done.stdout
    assert "-0.000" not in done.stdout
    out = tmp_path / "ranks.csv"
    CliRunner().invoke(main, ["rank", str(tmp_path / "even.csv"), "--out", str(out)])
    assert ",-0.0," not in out.read_text()
