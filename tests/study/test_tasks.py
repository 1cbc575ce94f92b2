"""If this failed, an answer on a page or by a judge would be stored as another than was given."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prereg.plan.file import parse_plan
from study.items import Item
from study.judges.baseline import baseline
from study.tasks.base import Task, whole
from study.tasks.registry import task_of

COMMON: dict[str, Any] = {"position": 3, "rater_id": "r"}
ITEMS = [Item(f"i{n}", "job", f"Seeker: hi\nSupporter: {'well ' * n}") for n in range(1, 5)]


def task(name: str) -> Task:
    text = (resources.files("prereg") / "worked" / name / "plan.yaml").read_text()
    return task_of(parse_plan(text, file="plan.yaml"))


PAIRWISE, RATING, BEST = map(task, ("pairwise_preference", "empathy_rating", "best_response"))
SCALES = [scale.id for scale in RATING.scales]  # type: ignore[attr-defined]


def test_a_pairwise_answer() -> None:
    reading = PAIRWISE.read({"choice": "right", "else": "x"})
    assert reading.answers == {"choice": "right"}
    (row,) = PAIRWISE.rows(COMMON, ITEMS[:2], reading.answers)
    assert (row["left_id"], row["right_id"], row["choice"]) == ("i1", "i2", "right")
    for wrong in ({}, {"choice": ""}, {"choice": "LEFT"}):
        assert PAIRWISE.read(wrong).missing == ("choice",)


def test_a_rating_answer_leaves_one_row_a_scale() -> None:
    reading = RATING.read({name: str(n % 5 + 1) for n, name in enumerate(SCALES)})
    assert not reading.missing
    rows = RATING.rows(COMMON, ITEMS[:1], reading.answers)
    assert [(r["dimension"], r["value"]) for r in rows] == [
        (name, float(n % 5 + 1)) for n, name in enumerate(SCALES)
    ]
    assert {(r["item_id"], r["scale_min"], r["scale_max"], r["position"]) for r in rows} == {
        ("i1", 1, 5, 3)
    }


def test_what_is_missing_of_a_rating_is_named_and_the_rest_is_kept() -> None:
    form = dict.fromkeys(SCALES, "3") | {SCALES[1]: "6", SCALES[4]: "", SCALES[5]: "٣"}
    reading = RATING.read(form)
    assert reading.missing == (SCALES[1], SCALES[4], SCALES[5])
    assert set(reading.answers) == set(SCALES) - set(reading.missing)


def test_a_best_worst_answer() -> None:
    reading = BEST.read({"most": "4", "least": "1", "why": "  because\r\nof it  "})
    assert not reading.missing
    (row,) = BEST.rows(COMMON, ITEMS, reading.answers)
    assert (row["most_id"], row["least_id"], row["why"]) == ("i4", "i1", "because\nof it")
    assert json.loads(row["options"]) == ["i1", "i2", "i3", "i4"]
    (row,) = BEST.rows(COMMON, ITEMS, BEST.read({"most": "2", "least": "3"}).answers)
    assert row["why"] is None


@pytest.mark.parametrize(
    ("form", "missing"),
    [
        ({}, ("most", "least")),
        ({"most": "1"}, ("least",)),
        ({"most": "2", "least": "2"}, ("least",)),
        ({"most": "0", "least": "5"}, ("most", "least")),
    ],
)
def test_an_unfinished_best_worst_answer(form: dict[str, str], missing: tuple[str, ...]) -> None:
    assert BEST.read(form).missing == missing


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a\x00" + "b" * 5000, "a" + "b" * 1999),
        ("fine\rline\r\nline", "fine\nline\nline"),
        ("\x00", None),
        (" \ud800 \x1b[0m ", "[0m"),
        ("👩‍👧 ‏שלום", "👩‍👧 ‏שלום"),
    ],
)
def test_a_reason_is_kept_as_it_fits_a_table(written: str, kept: str | None) -> None:
    reading = BEST.read({"most": "1", "least": "2", "why": written})
    assert reading.answers.get("why") == kept


@given(st.dictionaries(st.sampled_from(["choice", "most", "least", "why", *SCALES]), st.text()))
def test_any_form_is_read_without_a_fault(form: dict[str, str]) -> None:
    for one in (PAIRWISE, RATING, BEST):
        reading = one.read(form)
        assert reading.missing or reading.answers


@pytest.mark.parametrize("text", ["", " 1", "1.0", "+1", "١", "²", "1" * 10, "-1", "0x1", None])
def test_only_plain_digits_are_a_number(text: str | None) -> None:
    assert whole(text, range(10**12)) is None


@pytest.mark.parametrize("name", ["length", "lexical"])
def test_judges_answer_the_same_trials(name: str) -> None:
    judge, rng = baseline(name), np.random.default_rng(1)
    for one, items in ((PAIRWISE, ITEMS[:2]), (RATING, ITEMS[:1]), (BEST, ITEMS)):
        answers = one.ask(judge, items, rng)
        form = {field: str(value) for field, value in answers.items()}
        assert one.read(form).answers == answers, "a judge answers what a page could send"
        assert one.rows(COMMON, items, answers)


def test_the_longest_response_is_most_and_the_shortest_least_for_the_length_judge() -> None:
    shuffled = [ITEMS[2], ITEMS[0], ITEMS[3], ITEMS[1]]
    assert BEST.ask(baseline("length"), shuffled, np.random.default_rng(1)) == {
        "most": 3,
        "least": 2,
    }
    same = [Item(f"i{n}", "job", "Supporter: well") for n in range(4)]
    picks = {
        tuple(BEST.ask(baseline("length"), same, np.random.default_rng(n)).values())
        for n in range(200)
    }
    assert len(picks) == 12, "ties are decided by chance, and never to one option twice"
