"""If this failed, a lab would learn of costs, of unscreened messages or of odd arms too late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from prereg.chat.advice import minutes, remarks_of_captions, remarks_of_chat, remarks_of_texts
from prereg.chat.file import parse_chat_plan
from prereg.chat.model import ChatPlan
from study.chat.foreseen import foreseen
from study.checking.chat import look_at_chat
from tests.support.chat import PLAN, TEXTS, merged, small_chat
from tests.support.chat_folder import chat_folder
from tests.support.chat_stages import ANALYSES

STAGES = yaml.safe_load(ANALYSES.read_text(encoding="utf-8"))
PRICED = {"model": "a-model", "prices": {"input": 1, "output": 2}}
LLM = {"kind": "llm", "server": "main", "temperature": 0.7}
ASKED = {"partner": LLM, "feedback": {"coach": LLM}, "servers": {"main": PRICED}}


def plan(**changes: Any) -> ChatPlan:
    return parse_chat_plan(yaml.safe_dump(merged(PLAN, changes)), file="plan.yaml")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"design": {"supporters": 20}}, "20 supporters are no whole number of blocks of 8"),
        ({"design": {"supporters": 8}}, "a condition has about 2 people"),
        ({"conversation": {"messages": {"min": 0}}}, "may end without a message"),
        ({"conversation": {"pauses": ["idle"]}}, "a slow model costs participants time"),
        ({"design": {"conditions": {"coach": [], "combined": []}}}, "but no condition has it"),
        ({"servers": {"main": PRICED}}, "nothing asks this server"),
        (ASKED, "nothing limits what the conversations cost"),
        (ASKED, "causes 83 calls, and the budget allows 60"),
        ({"safety": {"screen": []}}, "no message is screened"),
        ({}, "a lexicon sees words"),
        ({"conversation": {"paste": "refuse"}}, "nobody can paste"),
        ({"exclusions": [], **ASKED}, "people whose partner failed stay"),
        ({"recruitment": {"codes": {"stopped": None}}}, "there is no code stopped"),
        ({}, "no analysis is registered"),
        (
            {"exclusions": [{"rule": "incomplete_session"}, {"rule": "partner_failure"}]},
            "incomplete_session comes before partner_failure, so",
        ),
        ({"recruitment": {"reward": {"amount": 4, "currency": "USD"}}}, "USD an hour"),
    ],
)
def test_what_is_unwise_is_said(changes: dict[str, Any], said: str) -> None:
    remarks = [str(one) for one in remarks_of_chat(plan(**changes))]
    assert any(said in one for one in remarks), remarks


def test_a_sample_larger_than_the_conversations_is_said() -> None:
    def said(per_bin: int) -> bool:
        sample = {"by": "elo", "bins": 2, "per_bin": per_bin}
        stages = merged(STAGES, {"compare": {"sample": sample}})
        remarks = [str(one) for one in remarks_of_chat(plan(**stages))]
        return any("fewer will be drawn" in one for one in remarks)

    assert not said(2)
    assert said(300)


def test_minutes_follow_from_the_condition() -> None:
    small = plan()
    assert minutes(small, "combined") == minutes(small, "control") + (90 + 150) / 60
    assert minutes(plan(conversation={"seconds": 300}), "control") == minutes(small, "control") + 2


def test_texts_are_read() -> None:
    said = [str(one) for one in remarks_of_texts(plan(), TEXTS)]
    assert said == []
    said = [
        one.one_line()
        for one in remarks_of_texts(plan(), {**TEXTS, "safety": "TODO: whom to call\n"})
    ]
    assert any("placeholder: 'TODO'" in one for one in said)
    assert any("names no number and no address" in one for one in said)
    german = "# Hallo\n\nSie sind mit dem Computer allein, und das ist nicht schlimm für Sie.\n"
    said = [str(one) for one in remarks_of_texts(plan(), {"consent": german})]
    assert "seems to be in German" in said[0]


def test_captions_say_their_language() -> None:
    none = remarks_of_captions(plan(), {"a.vtt": b"WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n"})
    assert none[0].severity == "note"
    other = remarks_of_captions(plan(), {"a.vtt": b"WEBVTT\nLanguage: fr\n\n"})
    assert other[0].severity == "warning"
    assert remarks_of_captions(plan(), {"a.vtt": b"WEBVTT\nLanguage: en\n\n"}) == []


def test_costs_are_foreseen(tmp_path: Path) -> None:
    assert foreseen(small_chat(tmp_path)) is None
    costs = foreseen(small_chat(tmp_path, **ASKED))
    assert costs is not None
    # two conversations of 11 turns, and twice feedback and an answer for those who are coached
    assert costs.calls == 2 * 11 + 2
    assert 0 < costs.typical < costs.most
    assert costs.all == pytest.approx(16 * costs.typical)


def test_a_budget_that_lets_nobody_in_is_said(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s", **ASKED, budget={"money": 0.01})
    said = [str(one) for one in look_at_chat(folder).remarks]
    assert any("does not hold the worst case of one participant" in one for one in said), said
    folder = chat_folder(tmp_path / "s", **ASKED, budget={"money": 10_000})
    said = [str(one) for one in look_at_chat(folder).remarks]
    assert any("a participant will cost about" in one for one in said)
    assert not any("budget of" in one for one in said)


def test_a_fault_does_not_hide_another(tmp_path: Path) -> None:
    surveys = merged(PLAN, {})["surveys"]
    surveys["end"][0]["questions"][0]["options"] = ["only one"]
    folder = chat_folder(tmp_path / "s", surveys=surveys, feedback={"after_rounds": [5]})
    (folder / "consent.md").write_text("no title\n", encoding="utf-8")
    found = [str(one) for one in look_at_chat(folder).errors]
    assert len(found) == 3, found  # and nothing of the exclusion that names the question
    assert "options" in found[0]
    assert "no conversation follows this round" in found[1]
    assert "has 0 titles" in found[2]
