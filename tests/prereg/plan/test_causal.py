"""If these failed, a causal section that cannot be estimated would be locked, or its hash move."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.worked_plans import Choices, chosen_plan

GIVEN = yaml.safe_load(chosen_plan("empathy_attachment", Choices()))


def plan_with(where: str = "", value: Any = None, *, top: dict[str, Any] | None = None) -> Plan:
    given = copy.deepcopy(GIVEN) | (top or {})
    *parts, last = f"causal.{where}".split(".")
    inner = given
    for part in parts:
        inner = inner[part]
    if last:
        inner[last] = value
    return parse_plan(yaml.safe_dump(given), file="plan.yaml")


def test_a_plan_without_the_section_has_the_hash_that_it_had() -> None:
    without = {key: value for key, value in GIVEN.items() if key != "causal"}
    plan = parse_plan(yaml.safe_dump(without), file="plan.yaml")
    assert plan.causal is None
    assert "causal" not in plan.to_json()
    assert "causal" in plan_with().to_json()


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (
            "treatment.treated",
            8,
            r"treatment\.treated: this cut is outside the scale empathy, got "
            r"8\.0 \(allowed: 1 to 7\)",
        ),
        ("treatment.control", 0, r"treatment\.control: this cut is outside the scale empathy"),
        ("treatment.treated", 3, r"causal\.treatment: control must be below treated"),
        ("outcome.scale", "empathy", r"outcome\.scale: treatment and outcome must be two scales"),
        ("outcome.scale", "trust", r"is not a scale of this plan, got 'trust' \(allowed: empathy"),
        (
            "outcome.score",
            "judge_empathy",
            r"outcome\.score: is already named by "
            r"causal\.treatment\.score",
        ),
        ("placebo", "judge_attachment", r"placebo: is already named by causal\.outcome\.score"),
        ("negative_control", "stratum", "is a column that has another meaning"),
        ("frame", "../frame.csv", "must be a path inside the study folder"),
        ("frame", "/frame.csv", "must be a path inside the study folder"),
        ("frame", "frame.xlsx", "must be a table in CSV or Parquet"),
        (
            "confounders.encoder",
            "bert",
            r"encoder: is not known here, got 'bert' \(allowed: "
            "'lexical', 'use' or 'wordllama'",
        ),
        ("confounders.encoder", {"server": "http://h/v1"}, r"encoder\.model: is missing"),
        (
            "confounders.encoder",
            {"server": "http://h/v1", "model": "m", "key": 1},
            r"encoder\.key: unknown key \(allowed: server, model\)",
        ),
        ("confounders.encoder", {"sentence": "m"}, r"unknown key \(allowed: sentence_transf"),
        ("confounders.components", 1.5, "must be a share between 0 and 1, or a whole number"),
        ("confounders.components", 0, "must be a share between 0 and 1, or a whole number"),
        ("labels.shares", {"control": 0.5, "middle": 0.5, "treated": 0.5}, "must add up to 1"),
        ("labels.floor", 1, r"floor: is too small, got 1 \(allowed: 2 or more\)"),
        ("matching.methods", ["greedy", "greedy"], "must name each only once"),
        ("gate.alpha", 0.5, r"gate\.alpha: unknown key \(allowed: human_alpha"),
    ],
)
def test_what_does_not_fit_is_one_line(where: str, value: Any, said: str) -> None:
    with pytest.raises(RatifyError, match=said):
        plan_with(where, value)


def test_a_pilot_needs_an_allocation_that_reads_it() -> None:
    with pytest.raises(RatifyError, match="allocation proportional reads no pilot"):
        plan_with("labels", {"allocation": "proportional", "pilot": "pilot.csv"})


def test_a_plan_of_pairs_has_no_causal_section() -> None:
    pairs = yaml.safe_load(chosen_plan("pairwise_preference", Choices()))
    with pytest.raises(RatifyError, match="causal: belongs to plans of kind rating"):
        parse_plan(yaml.safe_dump(pairs | {"causal": GIVEN["causal"]}), file="plan.yaml")


def test_a_scale_of_labels_cannot_be_an_outcome() -> None:
    names = {"id": "close", "question": "Close?", "labels": ["yes", "no"]}
    top = {"scales": [*GIVEN["scales"], names], "attention_checks": [], "exclusions": []}
    top |= {"recruitment": {"codes": {"completed": "X"}}, "analyses": [], "gate": [], "judges": []}
    with pytest.raises(RatifyError, match="has labels, which have no distance, got 'close'"):
        plan_with("outcome.scale", "close", top=top)


def test_items_that_are_a_probability_sample_are_not_sampled_again() -> None:
    design = GIVEN["design"] | {"sample": {"by": "judge_empathy", "bins": 2, "per_bin": 5}}
    with pytest.raises(RatifyError, match=r"design\.sample: would draw again"):
        plan_with(top={"design": design})


def test_the_forms_of_components_and_encoders() -> None:
    assert (
        plan_with("confounders.components", 40).to_json()["causal"]["confounders"]["components"]
        == 40
    )
    model = plan_with("confounders.encoder", {"sentence_transformers": "all-mpnet-base-v2"})
    assert model.to_json()["causal"]["confounders"]["encoder"] == {
        "sentence_transformers": "all-mpnet-base-v2"
    }
