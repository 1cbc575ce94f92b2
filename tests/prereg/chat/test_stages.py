"""If these failed, a derived plan could not be locked, or its fault would name the wrong key."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from prereg.chat.file import load_chat_plan
from prereg.chat.model import ChatPlan
from prereg.chat.stages import compare_plan, faults_of_stages, first_judge, judging_plan, plan_text
from prereg.plan.file import parse_plan
from tests.support.chat import PLAN, merged
from tests.support.chat_stages import ANALYSES
from tests.support.paths import WORKED

LLM = {
    "id": "gpt",
    "kind": "llm",
    "model": "m",
    "pairs": {"scheme": "random", "per_scenario": 5},
    "habits": {"pairs": 2, "repeats": 1},
}


def chat_plan(**changes: Any) -> ChatPlan:
    more = yaml.safe_load(ANALYSES.read_text(encoding="utf-8"))
    return ChatPlan.model_validate(merged(merged(PLAN, more), changes))


def faults(**changes: Any) -> list[str]:
    return [str(one.column) for one in faults_of_stages(chat_plan(**changes), "plan.yaml")]


def test_both_plans_are_ordinary_plans() -> None:
    plan = chat_plan()
    for content in (judging_plan(plan), compare_plan(plan)):
        read = parse_plan(plan_text(content, plan_hash="f" * 64, mode="bot"), file="plan.yaml")
        assert read.kind == "pairwise"
        assert read.seed == plan.seed
        assert [one.id for one in read.analyses] == [one.id for one in plan.analyses]
        assert read.design.judges_rank == "all"
    assert faults_of_stages(plan, "plan.yaml") == []


def test_the_worked_trial_has_two_stages() -> None:
    plan = load_chat_plan(WORKED / "coaching_trial" / "plan.yaml")
    text = plan_text(compare_plan(plan), plan_hash="f" * 64, mode="live")
    assert parse_plan(text, file="plan.yaml").design.raters == 150


def test_what_an_llm_said_is_not_asked_again() -> None:
    plan = chat_plan(judges=[LLM, {"id": "lexical", "kind": "baseline"}])
    asked, compared = judging_plan(plan)["judges"], compare_plan(plan)["judges"]
    assert [one["kind"] for one in asked] == ["llm", "baseline"]
    assert compared[0] == {
        "id": "gpt",
        "kind": "table",
        "ratings": "judges/gpt.csv",
        "ranking": "judges/gpt.ranking.csv",
    }
    assert compared[1]["kind"] == "baseline"
    assert first_judge(plan) == "gpt"


@pytest.mark.parametrize(
    ("fewest", "bins", "per_bin"), [(1_000, 3, 2), (6, 3, 2), (5, 3, 1), (3, 3, 1), (2, 2, 1)]
)
def test_a_sample_is_never_larger_than_the_smallest_scenario_allows(
    fewest: int, bins: int, per_bin: int
) -> None:
    content = compare_plan(chat_plan(), {"job_loss": 40, "moving": fewest})
    assert content["design"]["sample"] == {"by": "elo", "bins": bins, "per_bin": per_bin}


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"compare": {"raters": 5, "raters_per_sequence": 2}}, "compare"),
        ({"compare": {"tie_answer": "Neither"}}, "compare"),
        (
            {"compare": {"exclusions": [{"rule": "failed_attention", "max_failed": 0}]}},
            "compare.exclusions.0.rule",
        ),
        ({"compare": {"sample": {"by": "words"}}}, "compare.sample.by"),
        ({"judges": [{"id": "length", "kind": "baseline"}]}, "compare.sample.by"),
        ({"judges": [{"id": "x", "kind": "table", "ratings": "x.csv"}]}, "judges.0.kind"),
        ({"measures": None}, "measures"),
        ({"gate": [{"analysis": "none", "quantity": "x", "at_least": 0}]}, "gate.0.analysis"),
        (
            {
                "analyses": [
                    {
                        "id": "a",
                        "kind": "explained",
                        "table": "mine",
                        "outcome": "x",
                        "predictors": {"y": "z"},
                    }
                ]
            },
            "analyses.0.table",
        ),
        ({"analyses": [{"id": "a", "kind": "agreement", "judges": ["length"]}]}, "analyses.0.kind"),
    ],
)
def test_a_fault_is_named_by_the_key_of_the_users_plan(
    changes: dict[str, Any], column: str
) -> None:
    assert column in faults(**changes)
