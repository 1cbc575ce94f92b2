"""If this failed, the worked trial would be broken, or say what no participant should read."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from prereg.chat.file import parse_chat_plan, read_chat_plan
from prereg.chat.films import kind_of_film
from prereg.chat.model import ChatPlan
from prereg.chat.worked import worked_chats, worked_files
from prereg.plan.schema import models_of_a_plan, plan_schema
from prereg.worked_plans import worked_plans
from tests.support.paths import ROOT

FILES = worked_files("coaching_trial")
TEXT = FILES["plan.yaml"].decode()


def as_json(part: Any) -> Any:
    if isinstance(part, dict):
        return {str(key): as_json(inner) for key, inner in part.items()}
    return [as_json(inner) for inner in part] if isinstance(part, list) else part


def test_a_chat_is_no_plan_of_trials() -> None:
    assert worked_chats() == ["coaching_trial"]
    assert "coaching_trial" not in worked_plans()
    assert "coaching_ratings" in worked_plans()


def test_the_trial_has_no_fault_and_names_its_files() -> None:
    plan, faults = read_chat_plan(TEXT, file="plan.yaml")
    assert faults == []
    assert plan is not None
    assert len(plan.scenarios) == 5
    assert {scenario.group for scenario in plan.scenarios} == {"workplace", "personal"}
    video = plan.feedback.video
    assert video is not None
    named = {s.background for s in plan.scenarios} | {*video.clips, *video.captions}
    assert named <= set(FILES)
    assert plan.design.supporters % plan.design.allocation.block == 0


@pytest.mark.parametrize("name", ["listening", "asking"])
def test_the_films_are_small_and_have_captions(name: str) -> None:
    assert kind_of_film(FILES[f"films/{name}.webm"]) == "webm"
    assert len(FILES[f"films/{name}.webm"]) < 150_000
    assert FILES[f"films/{name}.vtt"].startswith(b"WEBVTT\nLanguage: en\n")


def test_every_scenario_has_lines_for_each_state_of_the_script() -> None:
    for name, content in FILES.items():
        if name.startswith("scenarios/"):
            lines = content.decode().partition("## Lines")[2]
            for state in ("guarded", "opening", "open", "closing"):
                part = lines.partition(f"### {state}\n")[2].partition("###")[0]
                assert part.count("\n- ") >= 2, (name, state)


def test_texts_have_the_titles_that_their_pages_need() -> None:
    for name in ("consent.md", "instructions.md", "compare/consent.md", "compare/instructions.md"):
        assert FILES[name].decode().startswith("# ")
    assert "# " not in FILES["safety.md"].decode()


def test_the_models_of_the_trial_are_ones_when_their_marks_are_gone() -> None:
    text = TEXT.replace("# servers:", "servers:").replace("# budget:", "budget:")
    for line in ("main:", "  model:", "  base_url", "  key_variable", "  concurrency", "  prices"):
        text = text.replace(f"#   {line}", f"  {line}", 1)
    text = text.replace("  kind: scripted\n  temperature: null\n", "", 1)
    text = text.replace("    kind: scripted\n    temperature: null\n", "", 1)
    for key in ("kind: llm", "server: main", "temperature: 0.7", "max_tokens: 120"):
        text = text.replace(f"  # {key}", f"  {key}", 1)
    for key in ("kind: llm", "server: main", "temperature: 0.7", "prompt: coach"):
        text = text.replace(f"    # {key}", f"    {key}", 1)
    plan = parse_chat_plan(text, file="plan.yaml")
    assert plan.partner.kind == "llm"
    assert plan.feedback.coach is not None
    assert plan.feedback.coach.kind == "llm"
    assert plan.budget.money == 200


def test_the_trial_fits_the_schema_of_its_kind() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = plan_schema(ChatPlan)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    plan = as_json(yaml.safe_load(TEXT))
    assert [error.message for error in validator.iter_errors(plan)] == []
    plan["conversation"]["second"] = 3
    assert [error.message for error in validator.iter_errors(plan)] != []


def test_every_key_of_a_chat_has_words_in_the_schema() -> None:
    schema = plan_schema(ChatPlan)
    assert json.dumps(schema).count("discriminator") == 0
    for name, part in schema["$defs"].items():
        assert len(part["description"]) > 15, name
    assert {field.alias or name for name, field in ChatPlan.model_fields.items()} == set(
        schema["properties"]
    )
    assert "Surveys" in models_of_a_plan(ChatPlan)


def test_every_key_of_a_chat_is_in_its_reference() -> None:
    names = ("plan.md", "chat.md", "analyses.md", "judges.md")
    reference = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in names)
    named = set(re.findall(r"`(?:[a-z_]+\.)*([a-z_]+)`", reference))
    models = models_of_a_plan(ChatPlan).values()
    own = [model for model in models if model.__module__.startswith("prereg.chat.")]
    keys = {field.alias or name for model in own for name, field in model.model_fields.items()}
    assert keys - named == set()
    assert len(keys) > 80
