"""If this failed, a plan would ask raters what cannot be answered, or leave them without a code."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml

from prereg.errors import RatifyError
from prereg.plan.collection import Recruitment
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan

CHECK = {"after": 1, "texts": ["a", "b"], "expected": {"choice": "left"}}
QUESTION = {"question": "What?", "options": ["this", "that"], "answer": 1}


def worked(name: str) -> dict[str, Any]:
    text = (resources.files("prereg") / "worked" / name / "plan.yaml").read_text()
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def parsed(content: dict[str, Any]) -> Plan:
    return parse_plan(yaml.safe_dump(content), file="plan.yaml")


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        (
            "pairwise_preference",
            {"attention_checks": [{**CHECK, "texts": ["a"]}]},
            r"attention_checks\.0\.texts.*1.*2",
        ),
        (
            "pairwise_preference",
            {"attention_checks": [{**CHECK, "after": 11}]},
            r"attention_checks\.0\.after.*11.*0 to 10",
        ),
        (
            "pairwise_preference",
            {"attention_checks": [{**CHECK, "expected": {"choise": "left"}}]},
            r"attention_checks\.0\.expected.*'choise'.*choice",
        ),
        (
            "pairwise_preference",
            {"attention_checks": [{**CHECK, "expected": {"choice": "A"}}]},
            r"expected\.choice.*'A'.*left, right",
        ),
        (
            "pairwise_preference",
            {"exclusions": [{"rule": "failed_attention", "max_failed": 0}]},
            r"exclusions\.0\.rule.*attention_checks",
        ),
        (
            "pairwise_preference",
            {
                "attention_checks": [CHECK],
                "exclusions": [{"rule": "failed_attention", "max_failed": 1}],
            },
            r"exclusions\.0\.max_failed.*0 to 0",
        ),
        (
            "pairwise_preference",
            {"comprehension": {**QUESTION, "answer": 3}},
            r"comprehension.*one of the options",
        ),
        (
            "pairwise_preference",
            {"recruitment": {"codes": {"completed": "A", "no_consent": "A"}}},
            r"recruitment\.codes.*the same code",
        ),
        (
            "pairwise_preference",
            {"recruitment": {"codes": {"completed": "A", "screened_out": "B"}}},
            r"recruitment\.codes\.screened_out.*comprehension",
        ),
        (
            "pairwise_preference",
            {"recruitment": {"codes": {"completed": "A", "failed_attention": "B"}}},
            r"recruitment\.codes\.failed_attention.*failed_attention",
        ),
        (
            "pairwise_preference",
            {"recruitment": {"codes": {"completed": "A"}, "completion_url": "http://x/{code}"}},
            r"recruitment\.completion_url.*https",
        ),
        (
            "pairwise_preference",
            {"scales": worked("empathy_rating")["scales"]},
            r"scales.*belongs to plans of kind rating",
        ),
        ("empathy_rating", {"scales": []}, r"scales.*needed by a plan of kind rating"),
        (
            "empathy_rating",
            {"analyses": [{"id": "a", "kind": "choice_agreement", "judges": ["length"]}]},
            r"analyses\.0\.kind.*in a plan of kind pairwise or best_worst",
        ),
        (
            "best_response",
            {"kind": "rating", "scales": worked("empathy_rating")["scales"]},
            r"design\.options.*belongs to plans of kind best_worst",
        ),
        (
            "empathy_rating",
            {"design": {**worked("empathy_rating")["design"], "ask_why": True}},
            r"design\.ask_why.*belongs to plans of kind best_worst",
        ),
    ],
)
def test_a_mistake_is_named_in_one_line(name: str, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(RatifyError, match=says) as error:
        parsed({**worked(name), **changes})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"min": 5}, r"scales\.0.*max must lie 1 to 20 points above min"),
        ({"labels": {1: "low"}}, r"scales\.0.*labels must name both ends"),
        ({"labels": {1: "low", 5: "high", 6: "higher"}}, r"scales\.0.*between min and max"),
        ({"id": "position"}, r"scales\.0\.id.*'position'"),
        ({"id": "advice_giving"}, r"scales\..\.id.*occurs more than once"),
    ],
)
def test_a_scale_that_cannot_be_answered_is_refused(change: dict[str, Any], says: str) -> None:
    content = worked("empathy_rating")
    content["scales"][0] |= change
    del content["attention_checks"], content["exclusions"], content["judges"]
    content["recruitment"]["codes"].pop("failed_attention")
    with pytest.raises(RatifyError, match=says):
        parsed(content)


@pytest.mark.parametrize("design", [{"raters": 7, "raters_per_sequence": 2}, {"ask_why": True}])
def test_a_design_that_does_not_come_out_is_refused(design: dict[str, Any]) -> None:
    content = worked("empathy_rating")
    content["design"] |= design
    with pytest.raises(RatifyError, match="design"):
        parsed(content)


def test_the_same_text_cannot_be_most_and_least() -> None:
    check = {"after": 1, "texts": list("abcd"), "expected": {"most": 2, "least": 2}}
    with pytest.raises(RatifyError, match=r"expected\.least.*2"):
        parsed({**worked("best_response"), "attention_checks": [check]})


def test_the_way_back_to_the_platform() -> None:
    codes = {"completed": "A1"}
    assert Recruitment(codes=codes).link("A1") is None
    prolific = Recruitment(platform="prolific", codes=codes).link("A1")
    assert prolific == "https://app.prolific.com/submissions/complete?cc=A1"
    own = Recruitment(codes=codes, completion_url="https://x.example/{code}/end")
    assert own.link("A1") == "https://x.example/A1/end"
    assert own.link("A&1 ?") == "https://x.example/A%261%20%3F/end"


def test_a_part_that_is_not_used_leaves_the_hash_as_it_was() -> None:
    plan = parsed(worked("pairwise_preference")).to_json()
    for unused in ("comprehension", "scales"):
        assert not plan.get(unused)
    assert "comprehension" not in plan
    assert plan["design"]["lease_minutes"] == 60, "defaults are written out"
