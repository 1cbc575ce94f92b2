"""If these failed, answers to a survey would be lost, kept twice, or scored the wrong way round."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prereg.chat.surveys import Page
from study.chat.places import find_session
from study.chat.steps import current
from study.chat.study import ChatStudy
from study.chat.surveys import SurveyReading, keep_page, page_of, read_form, trait_scores
from study.store.chat_tables import SurveyAnswer
from study.store.database import Store
from tests.support.chat_engine import MODE, NOW, chat_plan, chat_store, claimed, rows

SCALE = {"kind": "scale", "min": 1, "max": 7, "labels": {1: "no", 7: "yes"}}
PAGE = Page.model_validate(
    {
        "questions": [
            {"id": "calm", "question": "Calm?", **SCALE},
            {"id": "work", "kind": "choice", "question": "Work?", "options": ["yes", "no"]},
            {"id": "why", "kind": "text", "question": "Why?", "required": False},
            {"id": "age", "question": "Age?", "required": False, **SCALE},
        ]
    }
)


@pytest.fixture
def place_in(tmp_path: Path, database_url: str) -> Iterator[tuple[Store, ChatStudy]]:
    with chat_store(database_url, tmp_path) as found:
        yield found


def test_a_form_is_read_as_it_was_answered() -> None:
    form = {"q-calm": "7", "q-work": "2", "q-why": " I\r\nwas. ", "q-age": ""}
    reading = read_form(PAGE, form)
    assert reading == SurveyReading(
        {"calm": 7, "work": "no", "why": "I\nwas."}, {}, frozenset({"age"})
    )


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({}, {"calm": "missing", "work": "missing"}),
        ({"q-calm": " ", "q-work": "1"}, {"calm": "missing"}),
        ({"q-calm": "8", "q-work": "3"}, {"calm": "unknown", "work": "unknown"}),
        (
            {"q-calm": "0", "q-work": "no", "q-age": "1e3"},
            dict.fromkeys(("calm", "work", "age"), "unknown"),
        ),
        ({"q-calm": "1", "q-work": "1", "q-why": "x" * 2001}, {"why": "long"}),
        ({"q-calm": "1", "q-work": "1", "q-why": "x" * 2000}, {}),
    ],
)
def test_what_is_wrong_is_said(form: dict[str, str], faults: dict[str, str]) -> None:
    assert read_form(PAGE, form).faults == faults


def test_a_page_is_kept_once_and_the_visit_goes_on(place_in: tuple[Store, ChatStudy]) -> None:
    store, study = place_in
    place = claimed(store, study, "r1")
    step = current(study, place)
    assert step is not None
    page = page_of(study.plan, step)
    reading = read_form(page, {"q-age": "2", "q-care_1": "4"})
    again = read_form(page, {"q-age": "1", "q-care_1": "1"})
    with ThreadPoolExecutor(8) as pool:
        readings = [reading if n % 2 else again for n in range(20)]
        found = list(
            pool.map(lambda one: keep_page(store, study, place, step, one, None, NOW), readings)
        )
    assert {one.step for one in found} == {1}
    kept = {row.question: row for row in rows(store, SurveyAnswer)}
    values = (kept["age"].value, kept["care_1"].value)
    assert values in (("40 or more", "4"), ("18-39", "1")), "the answers of one form"
    second = current(study, found[0])
    assert second is not None
    shown = "2027-01-15T08:00:00.000Z"
    stale = keep_page(store, study, found[0], step, reading, shown, NOW)
    assert stale.step == 1, "an old window changes nothing"
    missing = read_form(page_of(study.plan, second), {"q-care_2": "9"})
    assert keep_page(store, study, found[0], second, missing, shown, NOW).step == 1
    empty = read_form(page_of(study.plan, second), {})
    after = keep_page(store, study, found[0], second, empty, shown, NOW + 5)
    assert after == find_session(store, study, MODE, place.session_id)
    assert (after.step, len(rows(store, SurveyAnswer))) == (2, 3)
    last = rows(store, SurveyAnswer)[-1]
    assert (last.question, last.value, last.shown_at) == ("care_2", None, shown)


def test_scores_turn_reverse_keyed_items_round() -> None:
    plan = chat_plan()
    scores = trait_scores(plan, {"care_1": 4, "care_2": "5", "heard": "2"})
    assert scores == {"care": 2.5, "self_rating": 2.0}
    assert trait_scores(plan, {"care_1": 4, "care_2": None}) == {"care": None, "self_rating": None}
