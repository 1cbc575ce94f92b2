"""If these fail, a wrong table is analysed, a right one refused, or the codebook is not of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.ranking.from_table import rank_table
from analysis.tables import tidy as tables
from prereg.errors import RatifyError
from prereg.tables.reader import write_csv
from tests.support.paths import ROOT

CODEBOOK = (ROOT / "data" / "README.md").read_text(encoding="utf-8")

VISIT = dict.fromkeys(tables.PARTICIPANT_COLUMNS, "") | {
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
    old = {name: VISIT[name] for name in tables.PARTICIPANT_COLUMNS}
    assert len(tables.read_participants(table(tmp_path, old))) == 1


# --- ratings ---------------------------------------------------------------------------------


def test_ratings_of_people_and_judges_stand_in_one_table(tmp_path: Path) -> None:
    rows = [RATING, {**RATING, "mode": "pilot"}, {**RATING, "rater_id": "p2"}, JUDGE]
    rows += [CHECK, {**CHECK, "position": "5"}, {**JUDGE, "rater_kind": "human"}]
    frame = tables.read_ratings(table(tmp_path, *rows))
    assert len(frame) == len(rows)
    old = {name: JUDGE[name] for name in tables.RATING_COLUMNS}
    assert list(tables.read_ratings(table(tmp_path, old)).columns) == list(old)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (RATING, "item_id"),
        ({**JUDGE, "mode": "pilot"}, "item_id"),  # a judge has one answer, whatever the mode
        ({**JUDGE, "rater_kind": "llm"}, "item_id"),
        ({**RATING, "item_id": "i2", "mode": ""}, "mode"),
        ({**RATING, "item_id": "i2", "passed_check": "true"}, "passed_check"),
        ({**CHECK, "passed_check": "1"}, "passed_check"),
        ({**RATING, "item_id": "i2", "is_attention_check": "no"}, "is_attention_check"),
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
    assert "2 judgments" in said
    assert "attention checks set aside: 1" in said
    assert "mixes data of mode bot, live" in said
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


# --- the codebook ----------------------------------------------------------------------------

SECTIONS = {
    "judgments": [*tables.JUDGMENT_COLUMNS, "passed_check", "purpose"],
    "ratings": list(RATING),
    "participants": list(VISIT),
    "withdrawals": list(tables.WITHDRAWAL_COLUMNS),
    "sequences": [
        "sequence_id",
        "position",
        "left_id",
        "right_id",
        "item_id",
        "option_1",
        "is_attention_check",
    ],
    "items": ["item_id", "scenario", "text", "prompt"],
    "best_worst": [
        "trial_id",
        "plan_hash",
        "mode",
        "session_id",
        "rater_id",
        "rater_kind",
        "scenario",
        "position",
        "option",
        "item_id",
        "picked",
        "why",
        "is_attention_check",
        "passed_check",
        "shown_at",
        "answered_at",
        "response_ms",
        "hidden_ms",
    ],
}


@pytest.mark.parametrize("name", SECTIONS)
def test_the_codebook_has_every_column_in_the_section_of_its_table(name: str) -> None:
    section = re.search(rf"^## {name}: .*?(?=^## |\Z)", CODEBOOK, re.MULTILINE | re.DOTALL)
    assert section, f"the codebook has no section '{name}'"
    described = " ".join(
        line.split("|")[1] for line in section[0].splitlines() if line.startswith("|")
    )
    for column in SECTIONS[name]:
        assert f"`{column}`" in described, f"{name}.{column}"


@pytest.mark.parametrize(
    ("name", "words"),
    [("participants", tables.STATUSES), ("judgments", (*tables.MODES, *tables.RATER_KINDS))],
)
def test_the_codebook_has_every_word(name: str, words: tuple[str, ...]) -> None:
    section = CODEBOOK.partition(f"\n## {name}: ")[2].partition("\n## ")[0]
    for word in words:
        assert f"`{word}`" in section, f"{name}: {word}"
