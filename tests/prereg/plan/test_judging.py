"""If these failed, a plan would name a judge that cannot be asked, or spend without a limit."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml

from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from prereg.plan.judging import BaselineJudge, LLMJudge
from prereg.plan.model import Plan

PLANS = resources.files("prereg") / "worked"
LLM: dict[str, Any] = {"id": "gpt", "kind": "llm", "model": "m"}
HABITS = {"items": 5, "perturbations": ["leetspeak"]}


def plan_with(worked: str = "pairwise_preference", **settings: Any) -> Plan:
    plan = yaml.safe_load((PLANS / worked / "plan.yaml").read_text())
    plan["judges"].append({**LLM, **settings})
    return parse_plan(yaml.safe_dump(plan), file="plan.yaml")


def test_what_a_plan_leaves_out_is_written_out() -> None:
    judge = plan_with().judge("gpt")
    assert isinstance(judge, LLMJudge)
    assert (judge.base_url, judge.key_variable) == ("https://api.openai.com/v1", "OPENAI_API_KEY")
    assert (judge.temperature, judge.concurrency, judge.attempts) == (0.0, 16, 8)
    assert judge.budget.calls is judge.prices is judge.habits is None


def test_a_plan_without_an_llm_keeps_its_hash() -> None:
    """Plans that 0.2.0 locked can still be opened, because baselines have no new key."""
    plan = parse_plan((PLANS / "pairwise_preference" / "plan.yaml").read_text(), file="plan.yaml")
    assert plan.to_json()["judges"] == [
        {
            "id": "lexical",
            "kind": "baseline",
            "pairs": {
                "scheme": "elo_neighbours",
                "per_scenario": 10_000,
                "start": 1000.0,
                "k": 32.0,
            },
        },
        {"id": "length", "kind": "baseline"},
    ]
    assert all(isinstance(judge, BaselineJudge) for judge in plan.judges)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"kind": "gpt"}, ["judges.2.kind", "'gpt'", "baseline, llm"]),
        ({"modell": "m"}, ["judges.2.modell", "unknown key", "base_url"]),
        ({"model": " "}, ["judges.2.model"]),
        ({"base_url": "api.openai.com/v1"}, ["judges.2.base_url", "api.openai.com"]),
        ({"base_url": "https://me:secret@host/v1"}, ["judges.2.base_url"]),
        ({"key_variable": "sk-123"}, ["judges.2.key_variable"]),
        ({"reply": "xml"}, ["judges.2.reply", "'xml'", "'text'"]),
        ({"temperature": 3}, ["judges.2.temperature", "3"]),
        ({"parameters": {"messages": []}}, ["judges.2.parameters", "messages"]),
        ({"concurrency": 0}, ["judges.2.concurrency"]),
        ({"budget": {"money": 5}}, ["judges.2", "needs prices"]),
        ({"budget": {"ask_above": 5}}, ["judges.2", "needs prices"]),
        ({"budget": {"cals": 5}}, ["judges.2.budget.cals", "unknown key", "calls"]),
        ({"prices": {"input": -1, "output": 1}}, ["judges.2.prices.input", "-1"]),
        ({"pairs": {"scheme": "best", "per_scenario": 9}}, ["judges.2.pairs.scheme", "'best'"]),
        (
            {"pairs": {"scheme": "random", "per_scenario": 9, "reliability": 0.9}},
            ["judges.2.pairs", "takes no reliability"],
        ),
        ({"habits": {"wordings": ["pairwise_terse"]}}, ["judges.2.habits", "need pairs"]),
        ({"habits": {"items": 5}}, ["judges.2.habits", "go together"]),
        ({"habits": {**HABITS, "perturbations": ["rot13"]}}, ["perturbations.0", "'rot13'"]),
        ({"habits": {**HABITS, "perturbations": ["leetspeak"] * 2}}, ["more than once"]),
        ({"habits": {"pair": 5}}, ["judges.2.habits.pair", "unknown key", "wordings"]),
        ({"habits": {"pairs": 5, "own": {"column": "author"}}}, ["own.values", "is missing"]),
        ({"id": "length"}, ["judges.2.id", "'length'"]),
        ({"prompts": ["../mine.yaml"]}, ["judges.2.prompts.0", "'../mine.yaml'", "prompts/"]),
        ({"prompts": ["/etc/x.yaml"]}, ["judges.2.prompts.0"]),
        ({"prompts": ["prompts/../../x.yaml"]}, ["judges.2.prompts.0"]),
        ({"habits": {"pairs": 1, "wordings": ["x.yaml"]}}, ["judges.2.habits.wordings.0"]),
    ],
)
def test_a_mistake_is_named_in_one_line(settings: dict[str, Any], says: list[str]) -> None:
    with pytest.raises(RatifyError) as caught:
        plan_with(**settings)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("plan.yaml")
    for words in says:
        assert words in line


@pytest.mark.parametrize("worked", ["empathy_rating", "best_response"])
@pytest.mark.parametrize(
    "settings",
    [
        {"both_orders": True},
        {"logprobs": True},
        {"pairs": {"scheme": "random", "per_scenario": 9}},
        {"habits": {"pairs": 5}},
    ],
)
def test_only_a_plan_of_pairs_asks_pairs(worked: str, settings: dict[str, Any]) -> None:
    assert plan_with(worked).judge("gpt").kind == "llm"
    with pytest.raises(RatifyError, match=r"plan.yaml, judges.* does not ask for pairs"):
        plan_with(worked, **settings)


def test_best_worst_plans_rate_nothing() -> None:
    with pytest.raises(RatifyError, match="does not ask for ratings"):
        plan_with("best_response", habits=HABITS)
    assert plan_with("empathy_rating", habits=HABITS)


def test_a_score_by_bradley_terry_can_be_registered() -> None:
    pairs = {"scheme": "information", "per_scenario": 300, "reliability": 0.9}
    plan = yaml.safe_load((PLANS / "pairwise_preference" / "plan.yaml").read_text())
    plan["analyses"] = [
        {"id": "a", "kind": "rank_correlation", "judge": "gpt", "score": "bradley_terry"}
    ]
    plan["gate"] = []
    for asked, fits in ((pairs, True), (None, False)):
        text = yaml.safe_dump({**plan, "judges": [{**LLM, "pairs": asked}]})
        if fits:
            assert parse_plan(text, file="plan.yaml")
        else:
            with pytest.raises(RatifyError, match="no ranking"):
                parse_plan(text, file="plan.yaml")
