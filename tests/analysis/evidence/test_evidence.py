"""If these fail, attention checks are ranked, a changed table passes, or leavers go uncounted."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.evidence.evidence import gather
from analysis.ranking.bradley_terry import bradley_terry
from analysis.report.page import write_report
from analysis.run import analyze_study
from prereg.errors import RatifyError
from prereg.tables.reader import read_table, write_csv
from tests.support.written_study import CHECK, FAILS, FINISHED, LATER, change_row, make_study

A_CHECK = {"session_id": "live-finished-0", "is_attention_check": "true"}
A_TRIAL = {"session_id": "live-finished-0", "position": "1"}
OF_A_JUDGE = {"rater_kind": "baseline"}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study")


def test_attention_checks_decide_who_stays_and_nothing_else(study: Path) -> None:
    evidence = gather(study, mode="live")
    stayed = set(evidence.people["session_id"])
    assert len(stayed) == FINISHED - 1
    assert FAILS not in stayed
    assert len(evidence.people) == 4 * len(stayed)
    assert not set(CHECK) & {*evidence.people["left_id"], *evidence.ranking.frame["item_id"]}
    assert evidence.status == "confirmatory"
    assert not evidence.early
    items = pd.read_csv(study / "data" / "judgments.csv", dtype=str)
    items = items[items["session_id"].isin(stayed) & (items["is_attention_check"] == "false")]
    expected = bradley_terry(items, ridge=0.02).frame[["item_id", "score", "se", "n"]]
    found = evidence.ranking.frame[["item_id", "score", "se", "n"]]
    both = found.merge(expected, on="item_id", validate="1:1")
    assert len(both) == len(found) == 10
    assert both["score_x"].tolist() == pytest.approx(both["score_y"].tolist(), abs=1e-8)


def test_the_flow_shows_everybody(study: Path) -> None:
    flow = gather(study, mode="live").flow
    sessions = flow[flow["unit"] == "sessions"]
    assert sessions["before"].tolist() == [15, 12, 11]
    assert sessions["excluded"].tolist() == [3, 1, 0]
    rows = flow[flow["unit"] == "judgments"].set_index("rule")
    assert rows["before"].iloc[0] == 60 + 2 + 4  # what the leavers answered is in the table
    assert rows.loc["attention_check_trials", ["before", "excluded", "after"]].tolist() == [
        55,
        11,
        44,
    ]


def test_where_nobody_is_left_the_rules_are_named(study: Path) -> None:
    path = study / "data" / "judgments.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    check = rows["is_attention_check"] == "true"
    rows.loc[check & (rows["rater_kind"] == "human"), "passed_check"] = "false"
    rows.to_csv(path, index=False)
    with pytest.raises(RatifyError, match="failed_attention 12 of 12 visits"):
        gather(study, mode="live")


def test_an_export_as_parquet_says_the_same(study: Path) -> None:
    expected = gather(study, mode="live")
    for path in (study / "data").glob("*.csv"):
        frame = pd.read_csv(path)  # types as Parquet has them: numbers, booleans, nulls
        frame = frame.astype({c: "Int64" for c in frame if c in {"slot", "response_ms"}})
        frame.to_parquet(path.with_suffix(".parquet"))
        path.unlink()
    found = gather(study, mode="live")
    pd.testing.assert_frame_equal(found.people, expected.people)
    pd.testing.assert_frame_equal(found.ranking.frame, expected.ranking.frame)
    pd.testing.assert_frame_equal(found.flow, expected.flow)
    inputs = analyze_study(study, mode="live").meta["inputs"]
    assert "judgments.parquet" in inputs


@pytest.mark.parametrize("mode", ["pilot", "bot"])
def test_modes_are_apart(study: Path, mode: str) -> None:
    evidence = gather(study, mode=mode)
    assert set(evidence.people["mode"]) == {mode}
    assert evidence.visits == {"finished": 1}
    assert len(evidence.people) == 4


def test_the_report_counts_visits_and_withdrawals(study: Path) -> None:
    plan_hash = json.loads((study / "plan.lock.json").read_text())["plan_hash"]
    columns = ["plan_hash", "mode", "withdrawn_on"]
    rows = [
        {"plan_hash": plan_hash, "mode": mode, "withdrawn_on": "2026-11-21"}
        for mode in ("live", "pilot", "live")
    ]
    write_csv(study / "data" / "withdrawals.csv", columns, rows)
    results = analyze_study(study, mode="live")
    visits, withdrawals = results.flow_notes
    assert visits == (
        "Visits before any rule: 12 finished, 1 returned, 1 timed out, 1 screened out."
    )
    assert withdrawals == "2 people withdrew; their answers were deleted."
    assert analyze_study(study, mode="pilot").flow_notes[1].startswith("1 person withdrew;")
    assert len(analyze_study(study, mode="bot").flow_notes) == 1
    analyze_study(study, mode="live")
    page = write_report(study / "results").read_text()
    assert visits in page
    assert withdrawals in page
    saved = json.loads((study / "results" / "results.json").read_text())
    assert saved["flow_notes"] == results.flow_notes
    assert "withdrawals.csv" in saved["meta"]["inputs"]
    assert "each for 2 raters" in " ".join(results.methods)


@pytest.mark.parametrize("rows", [[], None])
def test_nobody_withdrew(study: Path, rows: list[dict[str, str]] | None) -> None:
    if rows is not None:
        write_csv(study / "data" / "withdrawals.csv", ["plan_hash", "mode", "withdrawn_on"], rows)
    assert gather(study, mode="live").withdrawn == 0
    assert not [n for n in analyze_study(study, mode="live").flow_notes if "withdrew" in n]


@pytest.mark.parametrize(
    ("wanted", "change", "column", "says"),
    [
        (A_CHECK, {"left_id": "check_2.1"}, "position", "locked sequence"),
        (A_CHECK, {"left_id": CHECK[1], "right_id": CHECK[0]}, "position", "locked sequence"),
        (A_CHECK, {"position": "9"}, "position", "locked sequence"),
        (
            A_CHECK,
            {"is_attention_check": "false", "passed_check": ""},
            "left_id",
            "is not the id of an item",
        ),
        (A_TRIAL, {"is_attention_check": "true", "passed_check": "true"}, "position", "locked"),
        (A_TRIAL, {"left_id": CHECK[0]}, "left_id", "is not the id of an item"),
        (A_TRIAL, {"passed_check": "true"}, "passed_check", "not an attention check"),
        (A_CHECK, {"passed_check": "perhaps"}, "passed_check", "true, false"),
        (OF_A_JUDGE, {"is_attention_check": "true"}, "is_attention_check", "judges are not asked"),
        (OF_A_JUDGE, {"left_id": CHECK[0]}, "left_id", "is not the id of an item"),
    ],
)
def test_a_changed_row_is_named(
    study: Path, wanted: dict[str, str], change: dict[str, str], column: str, says: str
) -> None:
    row = change_row(study, "judgments", wanted, change)
    with pytest.raises(RatifyError, match=says) as caught:
        gather(study, mode="live")
    assert (caught.value.row, caught.value.column) == (row, column)
    assert str(caught.value.file).endswith("judgments.csv")


@pytest.mark.parametrize("slot", ["3", "0", "1.5"])
def test_a_slot_that_the_plan_does_not_have_is_named(study: Path, slot: str) -> None:
    row = change_row(study, "participants", {"session_id": "pilot-finished-15"}, {"slot": slot})
    with pytest.raises(RatifyError) as caught:
        gather(study, mode="live")
    assert (caught.value.row, caught.value.column) == (row, "slot")
    assert caught.value.value == slot


def test_two_who_finished_in_one_slot(study: Path) -> None:
    """The rule for data collected elsewhere keeps one of them; the flow shows the other."""
    change_row(study, "participants", {"slot": "2", "sequence_id": "s1"}, {"slot": "1"})
    evidence = gather(study, mode="live")
    assert evidence.flow.query("rule == 'duplicate_sequence'")["excluded"].tolist() == [1, 5]
    assert evidence.people["session_id"].nunique() == FINISHED - 2


def test_withdrawals_of_another_plan_are_refused(study: Path) -> None:
    row = {"plan_hash": "f" * 64, "mode": "live", "withdrawn_on": "2026-11-21"}
    write_csv(study / "data" / "withdrawals.csv", list(row), [row])
    with pytest.raises(RatifyError, match=r"withdrawals\.csv, row 2, column plan_hash"):
        gather(study, mode="live")


def test_a_person_called_like_a_judge_is_no_judge(study: Path) -> None:
    before = gather(study, mode="live").judges["length"].scores
    path = study / "data" / "ratings.csv"
    table = read_table(path)
    more = [
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
    rows = [{**row, **dict.fromkeys(more, ""), "mode": "live"} for row in table.rows]
    person = {"rater_kind": "human", "value": "5", "answered_at": LATER}
    for mode in ("live", "pilot"):
        rows += [{**row, **person, "mode": mode, "is_attention_check": "false"} for row in rows[:9]]
    check = {"item_id": "check_1.1", "is_attention_check": "true", "passed_check": "false"}
    rows += [{**rows[-1], **check}, {**rows[-1], **check}]
    write_csv(path, [*table.columns, *more], rows)
    pd.testing.assert_frame_equal(gather(study, mode="live").judges["length"].scores, before)
    write_csv(path, [*table.columns, *more], [*rows, {**rows[0], "is_attention_check": "true"}])
    with pytest.raises(RatifyError, match="judges are not asked attention checks"):
        gather(study, mode="live")
