"""If this failed, a wrong plan of a chat would end in a traceback, or say nothing of the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from prereg.chat.file import is_chat, kind_in, load_chat_plan, parse_chat_plan, read_chat_plan
from prereg.errors import RatifyError
from tests.support.chat import PLAN, merged
from tests.support.chat_folder import chat_folder


def faults(**changes: Any) -> list[str]:
    text = yaml.safe_dump(merged(PLAN, changes))
    return [str(one) for one in read_chat_plan(text, file="plan.yaml")[1]]


def test_a_whole_plan_is_read(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s")
    assert load_chat_plan(folder).design.supporters == 16
    assert load_chat_plan(folder / "plan.yaml") == load_chat_plan(folder)
    assert faults() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"servers": {"main": {"modle": "x"}}}, "servers.main.modle: unknown key (allowed: model,"),
        (
            {"feedback": {"coach": {"questions": {"mni": 1}}}},
            "feedback.coach.questions.mni: unknown key (allowed: min, max)",
        ),
        (
            {"design": {"conditions": {"control": ["vdeo"]}}},
            "design.conditions.control.0: is not known here, got 'vdeo' (allowed: 'video' or",
        ),
        (
            {"design": {"supporters": "many"}},
            "design.supporters: is not a whole number, got 'many'",
        ),
        ({"convers": {"seconds": 3}}, "convers: unknown key (allowed: schema, id, title, kind,"),
        ({"judges": [{"id": "a", "kind": "llmm"}]}, "judges.0.kind: is not known here, got 'llmm'"),
        ({"design": {"allocation": {"block": 6}}}, "allocation.block (6) must be a multiple of"),
        ({"conversation": {"messages": {"min": 9, "max": 2}}}, "messages: min must be at most max"),
        ({"partner": {"kind": "llm"}}, "partner: kind llm needs server"),
        ({"servers": {"ma in": {"model": "x"}}}, "servers.ma in: has the wrong form"),
    ],
)
def test_each_fault_names_key_value_and_what_is_allowed(changes: dict[str, Any], said: str) -> None:
    found = faults(**changes)
    assert any(said in one for one in found), found
    assert all("\n" not in one and one.startswith("plan.yaml, ") for one in found)


def test_a_misspelt_key_of_a_survey_names_its_question() -> None:
    surveys = merged(PLAN, {})["surveys"]
    surveys["before"][0]["questions"][1]["revers"] = True
    surveys["before"][0]["questions"][0]["kind"] = "chioce"
    found = faults(surveys=surveys)
    assert found[0].startswith("plan.yaml, surveys.before.0.questions.1.revers (care_1): unknown")
    assert "of, reverse" in found[0]
    assert found[1].endswith(
        "questions.0.kind: is not known here, got 'chioce' (allowed: scale, choice, text)"
    )
    assert len(found) == 2  # and not: has no entry


def test_a_question_id_is_used_once() -> None:
    surveys = merged(PLAN, {})["surveys"]
    surveys["end"][0]["questions"][0]["id"] = "age"
    assert "the question id 'age' is used more than once" in faults(surveys=surveys)[0]


def test_the_kind_is_read_of_whatever_is_there(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s", seed="wrong")
    assert kind_in(folder) == kind_in(folder / "plan.yaml") == "chat"
    assert is_chat(folder)
    assert kind_in(tmp_path) is None
    (tmp_path / "plan.yaml").write_text("kind: [", encoding="utf-8")
    assert kind_in(tmp_path) is None
    (tmp_path / "plan.yaml").write_text("kind: 3\n", encoding="utf-8")
    assert kind_in(tmp_path) is None


def test_the_first_fault_is_raised() -> None:
    with pytest.raises(RatifyError, match="is not YAML at line 1"):
        parse_chat_plan("kind: [", file="plan.yaml")
    with pytest.raises(RatifyError, match="schema: is missing"):
        parse_chat_plan("kind: chat\n", file="plan.yaml")
