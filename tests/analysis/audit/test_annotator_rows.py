"""If these fail, an audit counts attention checks, mixes pilots with people, or hides either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.audit.annotators import Annotators, read_annotators
from analysis.audit.audit import audit
from prereg.errors import RatifyError
from prereg.tables.reader import write_csv

ITEMS = [f"2024103112405049{n:04d}" for n in range(6)]
COLUMNS = [
    "rater_id",
    "rater_kind",
    "item_id",
    "dimension",
    "value",
    "scale_min",
    "scale_max",
    "plan_hash",
    "mode",
    "session_id",
    "scenario",
    "position",
    "is_attention_check",
    "passed_check",
    "shown_at",
    "answered_at",
    "response_ms",
    "hidden_ms",
]
Row = dict[str, str]


def rating(rater: str, item: str, value: int, **change: str) -> Row:
    """Return one row as `ratify export` writes it in a study of kind rating."""
    row = dict.fromkeys(COLUMNS, "") | {
        "rater_id": rater,
        "rater_kind": "human",
        "item_id": item,
        "dimension": "warmth",
        "value": str(value),
        "scale_min": "1",
        "scale_max": "5",
        "mode": "live",
        "is_attention_check": "false",
    }
    return row | change


def check(rater: str, passed: bool, **change: str) -> Row:
    """Return an attention check, which no judge has and which asks for a number off the scale."""
    verdict = "true" if passed else "false"
    change = {"is_attention_check": "true", "passed_check": verdict, **change}
    return rating(rater, "check_1.1", 9, scenario="attention_check", **change)


def everything() -> list[Row]:
    """Return two live raters, one pilot, one bot and a judge; p2 fails a check."""
    rows = []
    for shift, (rater, mode) in enumerate(
        [("p1", "live"), ("p2", "live"), ("p1", "pilot"), ("bot-1", "bot")]
    ):
        rows += [rating(rater, x, (n + shift) % 5 + 1, mode=mode) for n, x in enumerate(ITEMS)]
        rows.append(check(rater, passed=rater != "p2", mode=mode))
    judge = {"rater_kind": "baseline", "is_attention_check": ""}
    return rows + [rating("length", x, n % 5 + 1, **judge) for n, x in enumerate(ITEMS)]


def write(path: Path, rows: list[Row]) -> str:
    write_csv(path, COLUMNS, rows)
    return str(path)


def read(*humans: str, judge: str = "", **settings: Any) -> Annotators:
    return read_annotators(
        humans, [judge or humans[0]], **{"id_column": "item_id", "scale": (1, 5)} | settings
    )


def refused(*humans: str, **settings: Any) -> RatifyError:
    with pytest.raises(RatifyError) as caught:
        read(*humans, **settings)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_exported_table_is_both_sides_of_an_audit(tmp_path: Path) -> None:
    path = write(tmp_path / "ratings.csv", everything())
    found = read(path)
    assert [one.name for one in found.humans] == ["p1", "p2"]
    assert [one.name for one in found.judges] == ["length"]
    assert found.mode == "live"
    assert not found.simulated
    assert set(found.to_frame()["item_id"]) == set(ITEMS)
    assert found.to_frame().query("rater_id == 'p1'")["value"].tolist() == [1, 2, 3, 4, 5, 1]
    said = " ".join(found.warnings)
    assert "Left out of ratings.csv: 7 pilot ratings" in said
    assert "Left out of ratings.csv: 7 bot ratings" in said
    assert "2 ratings of attention checks" in said
    assert "1 rater of ratings.csv failed at least one attention check" in said


def test_parquet_says_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "ratings.csv", everything())
    frame = pd.DataFrame(everything()).astype({"value": float})
    for column in ("is_attention_check", "passed_check"):
        frame[column] = frame[column].map({"true": True, "false": False, "": None})
    frame.to_parquet(tmp_path / "ratings.parquet")
    pd.testing.assert_frame_equal(
        read(str(tmp_path / "ratings.parquet")).to_frame(), read(path).to_frame()
    )


def test_the_mode_that_is_wanted(tmp_path: Path) -> None:
    path = write(tmp_path / "ratings.csv", everything())
    assert [one.name for one in read(path, mode="bot").humans] == ["bot-1"]
    pilot = read(path, mode="pilot")
    assert [one.name for one in pilot.humans] == ["p1"]
    assert pilot.to_frame().query("rater_id == 'p1'")["value"].tolist() == [3, 4, 5, 1, 2, 3]


def test_one_mode_is_taken_as_it_is(tmp_path: Path) -> None:
    bots = [row for row in everything() if row["mode"] == "bot" or row["rater_kind"] != "human"]
    found = read(write(tmp_path / "bots.csv", bots))
    assert [one.name for one in found.humans] == ["bot-1"]
    assert found.simulated
    assert not [said for said in found.warnings if "never mixed" in said]


def test_modes_without_a_live_one_are_not_mixed(tmp_path: Path) -> None:
    dead = [row for row in everything() if row["mode"] != "live" or row["rater_kind"] != "human"]
    path = write(tmp_path / "ratings.csv", dead)
    error = refused(path)
    assert "never mixed" in str(error)
    assert "bot or pilot" in str(error.allowed)
    assert (error.file, error.column) == (path, "mode")
    assert "live" in str(refused(path, mode="live"))
    assert len(read(path, mode="pilot").humans) == 1


def test_modes_are_not_mixed_across_files(tmp_path: Path) -> None:
    judge = write(tmp_path / "judge.csv", everything())
    live = write(tmp_path / "a.csv", [rating("p1", x, 3) for x in ITEMS])
    pilot = write(tmp_path / "b.csv", [rating("p2", x, 3, mode="pilot") for x in ITEMS])
    error = refused(live, pilot, judge=judge)
    assert (error.file, error.column, error.value) == (pilot, "mode", "pilot")
    wide = tmp_path / "expert.csv"
    wide.write_text("item_id,warmth\n" + "".join(f"{x},4\n" for x in ITEMS))
    found = read(live, str(wide), judge=judge)
    assert [one.name for one in found.humans] == ["p1", "expert"]


def test_a_mode_that_no_table_says_is_refused(tmp_path: Path) -> None:
    wide = tmp_path / "expert.csv"
    wide.write_text("item_id,warmth\n" + "".join(f"{x},4\n" for x in ITEMS))
    judge = write(tmp_path / "judge.csv", everything())
    assert read(str(wide), judge=judge).mode is None
    assert refused(str(wide), judge=judge, mode="live").column == "mode"


def test_a_column_mode_about_something_else_is_passed_over(tmp_path: Path) -> None:
    judge = write(tmp_path / "judge.csv", everything())
    rows = [rating("p1", x, 3, mode=("phone", "web")[n % 2]) for n, x in enumerate(ITEMS)]
    found = read(write(tmp_path / "crowd.csv", rows), judge=judge)
    assert found.mode is None
    assert len(found.humans[0].items) == len(ITEMS)


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"mode": ""}, "mode", "live, pilot, bot"),
        ({"mode": "Live"}, "mode", "live, pilot, bot"),
        ({"is_attention_check": "maybe"}, "is_attention_check", "true, false"),
        ({"is_attention_check": "true", "passed_check": "x"}, "passed_check", "true, false"),
    ],
)
def test_a_wrong_cell_is_named(
    tmp_path: Path, change: dict[str, str], column: str, says: str
) -> None:
    rows = everything()
    rows[2] |= change
    error = refused(write(tmp_path / "ratings.csv", rows))
    assert (error.row, error.column) == (4, column)
    assert says in str(error)


def test_rows_are_numbered_as_in_the_file(tmp_path: Path) -> None:
    rows = [check("p1", passed=True), *everything()]
    rows[4]["value"] = "7"
    error = refused(write(tmp_path / "ratings.csv", rows))
    assert (error.row, error.column) == (6, "value")


def test_nothing_but_checks_is_named(tmp_path: Path) -> None:
    judge = write(tmp_path / "judge.csv", everything())
    error = refused(write(tmp_path / "p.csv", [check("p1", passed=True)]), judge=judge)
    assert "only attention checks" in str(error)


def test_what_only_one_side_scored_is_left_out(tmp_path: Path) -> None:
    rows = everything()
    judge = {"rater_kind": "baseline", "dimension": "advice"}
    rows += [rating("length", x, 2, **judge) for x in ITEMS]
    found = read(write(tmp_path / "ratings.csv", rows))
    assert found.dimensions == ("warmth",)
    assert "advice (only in ratings.csv by judges)" in " ".join(found.warnings)


def test_a_report_on_bots_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "ratings.csv", everything())
    settings: dict[str, Any] = {"id_column": "item_id", "scale": (1, 5), "draws": 20}
    bots = audit([path], [path], mode="bot", **settings)
    assert bots.simulated
    assert bots.meta["mode"] == "bot"
    assert bots.limits[0].startswith("The raters are simulated.")
    assert all("Simulated raters" in figure.svg for figure in bots.figures)
    assert all(figure.caption.endswith("Simulated raters.") for figure in bots.figures)
    people = audit([path], [path], **settings)
    assert not people.simulated
    assert "imulated" not in " ".join([*people.limits, *(f.svg for f in people.figures)])
    assert any("never mixed" in limit for limit in people.limits)


rows_of = st.lists(
    st.tuples(st.sampled_from(["live", "pilot", "bot"]), st.booleans(), st.integers(1, 5)),
    min_size=1,
    max_size=20,
)


@settings(deadline=None, max_examples=40)
@given(rows_of, st.sampled_from(["live", "pilot", "bot"]))
def test_only_items_of_the_wanted_mode_count(
    tmp_path_factory: pytest.TempPathFactory, answers: list[tuple[str, bool, int]], wanted: str
) -> None:
    """Whatever a table mixes, an audit sees the wanted mode's ratings of items, each of them."""
    rows = [
        check(f"p{n}", passed=value > 2, mode=mode)
        if flag
        else rating(f"p{n}", ITEMS[n % 6], value, mode=mode)
        for n, (mode, flag, value) in enumerate(answers)
    ]
    judge = [rating("m", x, 3, rater_kind="llm", is_attention_check="") for x in ITEMS]
    path = write(tmp_path_factory.mktemp("audit") / "ratings.csv", [*rows, *judge])
    expected = {
        (f"p{n}", ITEMS[n % 6], float(value))
        for n, (mode, flag, value) in enumerate(answers)
        if mode == wanted and not flag
    }
    if not expected:
        assert refused(path, mode=wanted).column in {"mode", "is_attention_check"}
        return
    frame = read(path, mode=wanted).to_frame().query("rater_kind == 'human'")
    columns = ["rater_id", "item_id", "value"]
    assert set(frame[columns].itertuples(index=False, name=None)) == expected
