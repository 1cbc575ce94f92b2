"""If these failed, an editor would refuse a right plan, or say nothing about a misspelt key."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from prereg.plan.model import Plan
from prereg.plan.schema import DRAFT, plan_schema
from prereg.worked_plans import Choices, chosen_plan, languages_of, worked_plans

SCHEMA = plan_schema()
EVERY = [(worked, language) for worked in worked_plans() for language in languages_of(worked)]


def as_json(part: Any) -> Any:
    """Return a part of a plan as an editor reads its YAML: keys are text."""
    if isinstance(part, dict):
        return {str(key): as_json(inner) for key, inner in part.items()}
    return [as_json(inner) for inner in part] if isinstance(part, list) else part


def test_every_part_and_key_of_a_plan_is_in_the_schema_with_words() -> None:
    assert SCHEMA["$schema"] == DRAFT
    assert json.dumps(SCHEMA).count("discriminator") == 0
    names = {field.alias or name for name, field in Plan.model_fields.items()}
    assert set(SCHEMA["properties"]) == names
    for name, part in SCHEMA["$defs"].items():
        assert part["additionalProperties"] is False, name
        assert len(part["description"]) > 15, name
        assert "----" not in part["description"], name
    regression = SCHEMA["$defs"]["Regression"]["properties"]
    assert regression["outcomes"]["description"].startswith("Columns, or dimensions")
    assert SCHEMA["$defs"]["SourceRatings"]["properties"]["reference"]["description"], "inherited"
    for name in ("title", "seed", "kind", "hypotheses", "gate"):
        assert SCHEMA["properties"][name]["description"], name


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize(("worked", "language"), EVERY)
def test_every_worked_plan_fits(validator: Any, worked: str, language: str) -> None:
    plan = as_json(yaml.safe_load(chosen_plan(worked, Choices(language=language))))
    assert [error.message for error in validator.iter_errors(plan)] == []


def test_what_is_read_before_it_is_checked_fits_too(validator: Any) -> None:
    plan = as_json(yaml.safe_load(chosen_plan("empathy_rating", Choices())))
    change = {"id": "c", "kind": "change", "table": "t", "value": "v", "control": 1}
    change |= {"treatments": [2], "baseline_rounds": [1], "post_rounds": [2, 3]}
    plan["analyses"].append(change)
    plan["survey"] = [{"id": "s", "kind": "choice", "question": "How many?", "options": [1, 2.5]}]
    plan["data"] = {"missing": [-99, None, "NA"]}
    plan["display"] = {"labels": [1]}
    plan["scales"].append(
        {"id": "v", "question": "Good?", "labels": {"good": "it helps", "bad": None}}
    )
    plan["scales"].append({"id": "w", "question": "Good?", "labels": ["good", "bad"]})
    Plan.model_validate(plan)
    assert [error.message for error in validator.iter_errors(plan)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("hypothesis",), []),
        (("design", "rater"), 3),
        (("judges", 0, "modle"), "m"),
        (("analyses", 0, "hypothsis"), "H1"),
        (("design", "raters"), "many"),
        (("recruitment", "platform"), "mturk"),
    ],
)
def test_a_wrong_key_or_value_is_refused(validator: Any, path: tuple[Any, ...], value: Any) -> None:
    plan = as_json(yaml.safe_load(chosen_plan("pairwise_preference", Choices())))
    part = plan
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert not validator.is_valid(plan)
