"""If these fail, a wrong table is analysed, or a right one is refused."""

from __future__ import annotations

from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.habits.tables import read_perturbed, read_probes, read_requests
from analysis.ranking.from_table import rank_table
from analysis.tables import tidy as tables
from prereg.errors import RatifyError
from prereg.tables.contract import TABLES
from prereg.tables.items import read_items
from prereg.tables.reader import write_csv

VISIT = dict.fromkeys(TABLES["participants"].required, "") | {
    "session_id": "v1",
    "rater_id": "r1",
    "sequence_id": "s1",
    "consented_at": "t",
    "finished_at": "t",
    "status": "finished",
    "mode": "live",
    "plan_hash": "",
    "slot": "1",
    "platform_study_id": "",
    "platform_session_id": "",
    "comprehension_attempts": "",
}
RATING = {
    "rater_id": "p1",
    "rater_kind": "human",
    "item_id": "i1",
    "dimension": "warm",
    "value": "3",
    "scale_min": "1",
    "scale_max": "5",
    "plan_hash": "",
    "mode": "live",
    "session_id": "v1",
    "scenario": "job",
    "position": "1",
    "is_attention_check": "false",
    "passed_check": "",
    "shown_at": "",
    "answered_at": "",
    "response_ms": "",
    "hidden_ms": "",
}
CHECK = {**RATING, "item_id": "check_1.1", "is_attention_check": "true", "passed_check": "true"}
JUDGE = {**RATING, "rater_id": "length", "rater_kind": "baseline", "is_attention_check": ""}
CHOICE = {"left_id": "a", "right_id": "b", "choice": "left"}


def table(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "table.csv"
    write_csv(path, list(rows[0]), rows)
    return path


def refused(read: Any, path: Path) -> tuple[int | None, str | None]:
    with pytest.raises(RatifyError) as caught:
        read(path)
    assert str(caught.value.file) == str(path)
    assert caught.value.allowed
    return caught.value.row, caught.value.column


# --- participants ----------------------------------------------------------------------------


def test_a_place_may_be_given_twice_and_a_sequence_have_slots(tmp_path: Path) -> None:
    left = [
        {**VISIT, "session_id": f"v{n}", "status": status, "finished_at": ""}
        for n, status in enumerate(("returned", "timed_out", "screened_out", "active"), start=2)
    ]
    other = {**VISIT, "session_id": "v9", "slot": "2", "comprehension_attempts": "3"}
    assert len(tables.read_participants(table(tmp_path, VISIT, *left, other))) == 6


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"status": "gone"}, "status"),
        ({"status": ""}, "status"),
        ({"finished_at": ""}, "finished_at"),
        ({"slot": "0"}, "slot"),
        ({"slot": "1.5"}, "slot"),
        ({"slot": "two"}, "slot"),
        ({"comprehension_attempts": "-1"}, "comprehension_attempts"),
        ({"session_id": "v1"}, "session_id"),
    ],
)
def test_a_wrong_visit_is_named(tmp_path: Path, change: dict[str, str], column: str) -> None:
    path = table(tmp_path, VISIT, {**VISIT, "session_id": "v2", **change})
    assert refused(tables.read_participants, path) == (3, column)


def test_tables_from_before_there_were_slots_are_read(tmp_path: Path) -> None:
    old = {name: VISIT[name] for name in TABLES["participants"].required}
    assert len(tables.read_participants(table(tmp_path, old))) == 1


# --- ratings ---------------------------------------------------------------------------------


def test_ratings_of_people_and_judges_stand_in_one_table(tmp_path: Path) -> None:
    rows = [RATING, {**RATING, "mode": "pilot"}, {**RATING, "rater_id": "p2"}, JUDGE]
    rows += [CHECK, {**CHECK, "position": "5"}, {**JUDGE, "rater_kind": "human"}]
    frame = tables.read_ratings(table(tmp_path, *rows))
    assert len(frame) == len(rows)
    old = {name: JUDGE[name] for name in TABLES["ratings"].required}
    assert list(tables.read_ratings(table(tmp_path, old)).columns) == list(old)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (RATING, "item_id"),
        ({**JUDGE, "mode": "pilot"}, "item_id"),  # a judge has one answer, whatever the mode
        ({**JUDGE, "rater_kind": "llm"}, "item_id"),
        ({**RATING, "item_id": "i2", "mode": ""}, "mode"),
        ({**RATING, "item_id": "i2", "passed_check": "true"}, "passed_check"),
        ({**CHECK, "passed_check": "2"}, "passed_check"),
        ({**RATING, "item_id": "i2", "is_attention_check": "perhaps"}, "is_attention_check"),
        ({**RATING, "item_id": "i2", "value": "6"}, "value"),
    ],
)
def test_a_wrong_rating_is_named(tmp_path: Path, row: dict[str, str], column: str) -> None:
    assert refused(tables.read_ratings, table(tmp_path, RATING, JUDGE, row)) == (4, column)


# --- withdrawals -----------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2026-11-21", "2028-02-29"])
def test_a_withdrawal_is_a_day(tmp_path: Path, day: str) -> None:
    row = {"plan_hash": "", "mode": "live", "withdrawn_on": day}
    assert len(tables.read_withdrawals(table(tmp_path, row, row))) == 2


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"withdrawn_on": "2026-11-21T09:30:00Z"}, "withdrawn_on"),
        ({"withdrawn_on": "20261121"}, "withdrawn_on"),
        ({"withdrawn_on": "2026-02-30"}, "withdrawn_on"),
        ({"withdrawn_on": ""}, "withdrawn_on"),
        ({"mode": "dead"}, "mode"),
    ],
)
def test_a_wrong_withdrawal_is_named(tmp_path: Path, change: dict[str, str], column: str) -> None:
    row = {"plan_hash": "", "mode": "live", "withdrawn_on": "2026-11-21"}
    path = table(tmp_path, row, {**row, **change})
    assert refused(tables.read_withdrawals, path) == (3, column)


# --- ranking a table somebody has ------------------------------------------------------------


def test_a_ranking_sets_attention_checks_aside_and_says_so(tmp_path: Path) -> None:
    rows = [{**CHOICE, "is_attention_check": "false", "mode": mode} for mode in ("live", "bot")]
    check = {"left_id": "check_1.1", "right_id": "check_1.2", "is_attention_check": "true"}
    path = table(tmp_path, *rows, {**rows[0], **check})
    ranked = rank_table(path)
    assert ranked.table["item_id"].tolist() == ["a", "b"]
    said = "; ".join(ranked.notes)
    assert "1 judgment, 2 items" in said
    assert "attention checks set aside: 1" in said
    assert "ranked by live judgments; left out: 1 of mode bot (--mode)" in said
    plain = rank_table(table(tmp_path, *rows))
    pd.testing.assert_frame_equal(plain.table, ranked.table)


@pytest.mark.parametrize("word", ["true", "yes"])
def test_a_table_of_nothing_to_rank_is_named(tmp_path: Path, word: str) -> None:
    path = table(tmp_path, {**CHOICE, "is_attention_check": word})
    with pytest.raises(RatifyError, match=r"table\.csv.*attention"):
        rank_table(path)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.booleans(), min_size=1, max_size=12).filter(lambda flags: not all(flags)))
def test_checks_change_no_ranking(tmp_path_factory: pytest.TempPathFactory, flags: list[bool]):
    """Attention checks anywhere in a table leave the ranking of the items as it was."""
    rows = [
        {
            "left_id": f"check_{n}.1" if flag else f"i{n % 3}",
            "right_id": f"check_{n}.2" if flag else f"i{n % 3 + 1}",
            "choice": ("left", "right")[n % 2],
            "is_attention_check": flag,
        }
        for n, flag in enumerate(flags)
    ]
    folder = tmp_path_factory.mktemp("rank")
    without = table(folder, *(row for row in rows if not row["is_attention_check"]))
    expected = rank_table(without).table
    pd.testing.assert_frame_equal(rank_table(table(folder, *rows)).table, expected)


# --- the contract ----------------------------------------------------------------------------


def rows_of(name: str, *rows: dict[str, str], **common: str) -> list[dict[str, str]]:
    return [dict.fromkeys(TABLES[name].names, "") | common | row for row in rows]


WHO = {"session_id": "v1", "rater_id": "r1", "rater_kind": "human", "scenario": "job"}
SEEN = {"mode": "live", "is_attention_check": "false", **WHO}
# Of every table, its reader and two rows that it reads.
READ: dict[str, tuple[Callable[[Path], Sized], list[dict[str, str]]]] = {
    "items": (
        lambda path: read_items(path).rows,
        rows_of("items", {"item_id": "a"}, {"item_id": "b"}, scenario="job", text="Seeker: Hi."),
    ),
    "judgments": (
        tables.read_judgments,
        rows_of("judgments", {"judgment_id": "1"}, {"judgment_id": "2"}, **SEEN, **CHOICE),
    ),
    "ratings": (tables.read_ratings, rows_of("ratings", RATING, {**RATING, "item_id": "i2"})),
    "best_worst": (
        tables.read_best_worst,
        rows_of(
            "best_worst",
            {"item_id": "a", "picked": "most"},
            {"item_id": "b", "picked": "least"},
            trial_id="t",
            **SEEN,
        ),
    ),
    "participants": (
        tables.read_participants,
        rows_of("participants", VISIT, {**VISIT, "session_id": "v2"}),
    ),
    "withdrawals": (
        tables.read_withdrawals,
        rows_of("withdrawals", {}, {}, mode="live", withdrawn_on="2026-11-21"),
    ),
    "requests": (
        read_requests,
        rows_of(
            "requests",
            {"request_id": "1", "status": "answered"},
            {"request_id": "2", "status": "unanswered", "reason": "timeout"},
            rater_id="j",
            rater_kind="llm",
            purpose="trial",
        ),
    ),
    "probes": (
        read_probes,
        rows_of(
            "probes",
            {"probe": "original"},
            {"probe": "swap"},
            rater_id="j",
            rater_kind="llm",
            unit="pair 1",
            **CHOICE,
        ),
    ),
    "perturbed": (
        read_perturbed,
        rows_of("perturbed", {"item_id": "a"}, {"item_id": "b"}, perturbation="casual", text="Hi."),
    ),
}


def test_every_table_that_is_read_is_tried() -> None:
    assert READ.keys() == TABLES.keys() - {"sequences"}  # the lock holds the sequences, as text


@pytest.mark.parametrize("name", READ)
def test_a_table_may_lack_what_the_contract_says_and_nothing_else(
    tmp_path: Path, name: str
) -> None:
    read, rows = READ[name]
    assert len(read(table(tmp_path, *rows))) == 2
    required = TABLES[name].required
    fewer = [{c: row[c] for c in row if c in required or any(r[c] for r in rows)} for row in rows]
    assert len(read(table(tmp_path, *fewer))) == 2
    for column in required:
        without = [{c: row[c] for c in row if c != column} for row in rows]
        with pytest.raises(RatifyError, match=rf"table\.csv: there is no column '{column}'"):
            read(table(tmp_path, *without))


@pytest.mark.parametrize(
    ("name", "column"), [(name, c.name) for name in READ for c in TABLES[name].columns if c.words]
)
def test_a_word_that_is_not_of_the_contract_is_refused(
    tmp_path: Path, name: str, column: str
) -> None:
    read, (first, second) = READ[name]
    path = table(tmp_path, first, {**second, column: "else"})
    assert refused(read, path) == (3, column)
    with pytest.raises(RatifyError) as caught:
        read(path)
    (words,) = [c.words for c in TABLES[name].columns if c.name == column]
    assert caught.value.allowed == ", ".join(words)
