"""If this failed, a contradiction of a chat's plan would show only when people are taking part."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from prereg.chat.columns import stage_columns
from prereg.chat.file import read_chat_plan
from tests.support.chat import PLAN, merged
from tests.support.paths import ROOT

SERVER = {"model": "a-model"}
PRICED = {"model": "a-model", "prices": {"input": 1, "output": 2}}
LLM = {"kind": "llm", "server": "main"}
STAGES = yaml.safe_load((ROOT / "tests" / "support" / "chat_analyses.yaml").read_text("utf-8"))


def faults(plan: dict[str, Any]) -> list[str]:
    read, found = read_chat_plan(yaml.safe_dump(plan), file="plan.yaml")
    assert read is not None, found
    return [str(one).removeprefix("plan.yaml, ") for one in found]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"partner": LLM}, "partner.server: is not a server of the plan, got 'main'"),
        (
            {"feedback": {"coach": LLM}, "servers": {"mian": SERVER}},
            "feedback.coach.server: is not a server of the plan, got 'main' (allowed: mian)",
        ),
        (
            {"safety": {"screen": ["moderation"], "server": "main"}},
            "safety.server: is not a server of the plan",
        ),
        (
            {"partner": LLM, "servers": {"main": SERVER}, "budget": {"money": 5}},
            "servers.main.prices: a budget in money needs prices",
        ),
        (
            {
                "partner": LLM,
                "feedback": {"coach": {"kind": "llm", "server": "other"}},
                "servers": {
                    "main": PRICED,
                    "other": {"model": "b", "prices": {"input": 1, "output": 1, "currency": "EUR"}},
                },
                "budget": {"money": 5},
            },
            "budget.money: is one amount, but the servers have prices in several currencies",
        ),
        (
            {"feedback": {"coach": None}},
            "design.conditions.coach: the plan does not describe the coach, got 'coach'",
        ),
        (
            {"feedback": {"video": None}},
            "design.conditions.combined: the plan does not describe the video, got 'video'",
        ),
        (
            {"feedback": {"after_rounds": [2]}},
            "feedback.after_rounds.0: no conversation follows this round, got 2 (allowed: 1 to 1)",
        ),
        ({"feedback": {"after_rounds": []}}, "feedback.after_rounds: names no round"),
        (
            {"feedback": {"video": {"clips": ["a.webm", "b.webm"], "captions": ["a", "b"]}}},
            "feedback.video.clips.1: is never shown",
        ),
        (
            {"scenarios": [PLAN["scenarios"][0], PLAN["scenarios"][0]]},
            "scenarios.1.id: this id occurs more than once",
        ),
        (
            {"scenarios": [PLAN["scenarios"][0]]},
            "design.scenarios.draw: a participant meets each scenario once, and there are fewer, "
            "got 2 (allowed: 1 to 1)",
        ),
        (
            {"exclusions": [{"rule": "admitted_ai", "question": "usd_ai", "values": ["yes"]}]},
            "exclusions.0.question: is no question with options",
        ),
        (
            {"exclusions": [{"rule": "admitted_ai", "question": "used_ai", "values": ["yes"]}]},
            "exclusions.0.values.0: is no answer to used_ai, got 'yes' "
            "(allowed: yes it did, no help)",
        ),
        (
            {"exclusions": [{"rule": "partner_failure"}, {"rule": "partner_failure"}]},
            "exclusions.1.rule: this rule occurs more than once",
        ),
        (
            {
                "partner": LLM,
                "servers": {"main": SERVER},
                "recruitment": {"codes": {"partner_failure": None}},
            },
            "recruitment.codes.partner_failure: is needed where a model answers",
        ),
        (
            {"recruitment": {"codes": {"screened_out": "C-OUT"}}},
            "recruitment.codes.screened_out: a chat has neither comprehension questions",
        ),
        (
            {"recruitment": {"replace": "failed_attention"}},
            "recruitment.replace: a chat has no attention checks",
        ),
        (
            {"simulated": {"effects": {"coahc": 1}}},
            "simulated.effects.coahc: is no condition of the plan",
        ),
        ({"judges": [{"id": "length", "kind": "baseline"}]}, "measures: is needed to score"),
    ],
)
def test_parts_that_do_not_fit_are_named(changes: dict[str, Any], said: str) -> None:
    found = faults(merged(PLAN, changes))
    assert any(one.startswith(said) for one in found), found


def test_a_plan_with_both_stages_fits() -> None:
    assert faults(merged(PLAN, STAGES)) == []


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (
            ("analyses", 0, "outcomes", 0),
            "validatin",
            "analyses.0.outcomes.0 (effects): is no column of conversations, got 'validatin' "
            "(allowed: validating_emotions,",
        ),
        (
            ("analyses", 0, "predictors"),
            "conditon * post",
            "analyses.0.predictors (effects): is no column of conversations, got 'conditon'",
        ),
        (
            ("analyses", 2, "conditions", 1),
            "vdeo",
            "analyses.2.conditions (trajectories): is no condition of the design, got 'vdeo'",
        ),
        (
            ("analyses", 1, "post_rounds", 0),
            3,
            "analyses.1.post_rounds (reliable_change): is no round of the design, got '3'",
        ),
        (
            ("analyses", 3, "predictors", "trait"),
            "carre",
            "analyses.3.predictors.trait (silent_empathy): is no column of conversations",
        ),
        (
            ("analyses", 3, "only"),
            {"round": [9]},
            "analyses.3.only.round (silent_empathy): no row of conversations can have this round",
        ),
        (
            ("analyses", 3, "only"),
            {"condition": ["coahc"]},
            "analyses.3.only.condition (silent_empathy): no row of conversations can have",
        ),
        (
            ("analyses", 4, "data"),
            "participants",
            "analyses.4.data (demographics): is no table of the first stage",
        ),
        (
            ("compare", "recruitment", "codes", "completed"),
            "C-DONE",
            "compare.recruitment.codes.completed: is also a code of the conversations",
        ),
        (
            ("compare", "sample", "by"),
            "warmth",
            "compare.sample.by: is no score of a conversation, got 'warmth'",
        ),
        (("judges", 1, "id"), "coach", "judges.1.id: is what the lock calls a prompt"),
        (
            ("compare", "consent"),
            "../consent.md",
            "compare.consent: must be a path inside the study folder",
        ),
    ],
)
def test_what_comes_after_the_conversations_fits(
    at: tuple[str | int, ...], value: object, said: str
) -> None:
    plan = merged(PLAN, STAGES)
    part: Any = plan
    for key in at[:-1]:
        part = part[key]
    part[at[-1]] = value
    assert any(one.startswith(said) for one in faults(plan)), faults(plan)


def test_choices_of_people_need_a_second_stage() -> None:
    plan = merged(PLAN, {**STAGES, "compare": None})
    plan["analyses"] = [{"id": "ranks", "kind": "ranking"}]
    assert faults(plan) == [
        "analyses.0.kind (ranks): reads what people choose, and nobody compares the conversations, "
        "got 'ranking' (allowed: with the key compare)"
    ]


def test_the_columns_of_a_chat_are_known_beforehand() -> None:
    plan, _ = read_chat_plan(yaml.safe_dump(merged(PLAN, STAGES)), file="plan.yaml")
    assert plan is not None
    columns = stage_columns(plan)
    assert {"overall", "lexical_overall", "post", "heard", "self_rating", "age", "care"} <= set(
        columns["conversations"]
    )
    assert {"overall_first", "words_later", "age", "care"} <= set(columns["supporters"])
