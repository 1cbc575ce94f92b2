"""If these failed, somebody could not come through a chat, or would be paid for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.store.chat_tables import Coaching, Message, SurveyAnswer
from study.store.tables import Slot, Visit
from tests.support.chat_pages import chat_site, conversations, only


@pytest.mark.parametrize("condition", ["control", "combined"])
def test_without_a_script_a_whole_visit_ends_with_the_code(tmp_path: Path, condition: str) -> None:
    with chat_site(tmp_path, design=only(condition)) as site:
        one = site.visitor().begin().to("/done")
        assert "C-DONE" in one.text
        (visit,) = site.rows(Visit)
        assert (visit.status, visit.condition) == ("finished", condition)
        talks = list(conversations(site))
        assert [(t.round, t.status, t.ended_because) for t in talks] == [
            (1, "over", "participant"),
            (2, "over", "participant"),
        ]
        assert {m.source for m in site.rows(Message)} == {"opening", "typed", "scripted"}
        answers = {(a.round, a.question) for a in site.rows(SurveyAnswer)}
        assert {(0, "age"), (0, "care_1"), (1, "heard"), (2, "heard"), (0, "used_ai")} <= answers
        said = [row.kind for row in site.rows(Coaching)]
        assert said == ([] if condition == "control" else ["feedback", "question", "answer"])


def test_a_link_leads_back_to_where_somebody_was(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        site.visitor().begin()
        again = site.visitor().get("/?rater=r1")
        assert again.path == "/talk"
        assert "withdraw" not in again.text, "an id alone does not own the visit"


def test_consent_is_to_the_text_that_was_shown(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().get("/?rater=r1")
        one.send("/consent", version="another")
        assert one.path == "/consent"
        assert one.form("/consent")
        assert site.rows(Visit) == []


def test_nobody_comes_in_where_every_place_is_taken(tmp_path: Path) -> None:
    design = {"supporters": 4, "allocation": {"block": 4}}
    with chat_site(tmp_path, design=design) as site:
        for number in range(4):
            site.visitor(f"r{number}").begin()
        assert "study-full" in site.visitor("late").get("/?rater=late").page.ids


def test_who_withdraws_leaves_nothing(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin().say("Hello, what happened?")
        key = site.rows(Visit)[0].withdrawal_key
        one.get(f"/withdraw/{key}").send(f"/withdraw/{key}")
        assert "withdrawn" in one.page.ids
        assert site.rows(Message) == site.rows(Visit) == []
        assert [slot for slot in site.rows(Slot) if slot.session_id] == []


def test_a_form_of_another_visit_is_not_kept(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin()
        one.say("Hello", visit="another")
        assert one.status == 409
        assert [m.source for m in site.rows(Message)] == ["opening"]


def test_a_survey_says_what_is_missing_and_keeps_the_rest(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().get("/?rater=r1").send("/consent").send("/instructions")
        fields = {**one.form("/survey").fields, "q-age": "2"}
        one.post("/survey", fields)
        assert one.status == 422
        assert "fault-care_1" in one.page.ids
        assert "fault-age" not in one.page.ids
        assert 'value="2" checked' in one.text
        assert site.rows(SurveyAnswer) == []


def test_a_survey_that_is_sent_twice_counts_once(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().get("/?rater=r1").send("/consent").send("/instructions")
        fields = {**one.form("/survey").fields, "q-age": "2", "q-care_1": "5"}
        one.post("/survey", fields)
        one.post("/survey", {**fields, "q-age": "1"})
        assert (one.path, one.status) == ("/survey", 200)
        assert {a.question: a.value for a in site.rows(SurveyAnswer)} == {
            "age": "40 or more",
            "care_1": "5",
        }
        assert all(answer.shown_at for answer in site.rows(SurveyAnswer))
