"""If these fail, a gate that cannot pass, or that passes whatever happens, is locked in silence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml

from prereg.checking.numbers import faults_of_numbers, of_numbers
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.worked_plans import Choices, chosen_plan

CHOICES = {"id": "choices", "kind": "choice_agreement", "judges": ["lexical"]}
AGREEMENT = {"id": "rated", "kind": "agreement", "judges": ["lexical"]}
CHANGE = {"id": "change", "kind": "change", "table": "talks", "value": "x", "control": "none"}
CHANGE |= {"treatments": ["coach"], "baseline_rounds": [1], "post_rounds": [2]}
SCALE = {"min": 1, "max": 5, "labels": {1: "low", 5: "high"}}


def plan(worked: str, *analyses: dict[str, Any], **parts: Any) -> Plan:
    content = yaml.safe_load(chosen_plan(worked, Choices())) | {"gate": []}
    content["analyses"] += list(analyses)
    return parse_plan(yaml.safe_dump(content | parts), file="plan.yaml")


def gate(analysis: str, quantity: str, at_least: float) -> list[dict[str, Any]]:
    return [{"analysis": analysis, "quantity": quantity, "at_least": at_least}]


@pytest.mark.parametrize(
    ("worked", "analysis", "quantity", "least", "most"),
    [
        ("pairwise_preference", {}, "spearman", -1, 1),
        ("pairwise_preference", CHOICES, "lexical: agreement", 0, 1),
        ("pairwise_preference", CHOICES, "lexical: kappa", -1, 1),
        ("pairwise_preference", CHOICES, "lexical: coverage", 0, 1),
        ("empathy_rating", AGREEMENT, "humans: alpha all", -1, 1),
        ("empathy_rating", AGREEMENT, "lexical: difference all", -2, 2),
        ("empathy_rating", {"id": "g", "kind": "generalizability"}, "absolute advice_giving", 0, 1),
        ("empathy_rating", CHANGE, "coach: improved", 0, 1),
        ("empathy_rating", CHANGE, "coach - none: improved", -1, 1),
    ],
)
def test_a_threshold_outside_what_a_number_can_be(
    worked: str, analysis: dict[str, Any], quantity: str, least: float, most: float
) -> None:
    name, added = analysis.get("id", "people_and_judge_elo"), [analysis] if analysis else []
    too_much, too_little = most + 0.1, least - 1
    (fault,) = faults_of_numbers(plan(worked, *added, gate=gate(name, quantity, too_much)))
    assert (fault.column, fault.value) == ("gate.0.at_least", too_much)
    assert fault.allowed == f"{least} to {most}"
    idle = plan(worked, *added, gate=gate(name, quantity, too_little))
    assert list(faults_of_numbers(idle)) == []
    (said,) = of_numbers(idle)
    assert said.key == "gate.0.at_least"
    assert said.problem.endswith(f"the threshold {too_little:g} holds whatever the data say.")
    for good in (most, least + 0.1):
        sound = plan(worked, *added, gate=gate(name, quantity, good))
        assert [*faults_of_numbers(sound), *of_numbers(sound)] == []


def test_a_number_without_a_known_end_has_no_fault() -> None:
    free = plan(
        "pairwise_preference", gate=gate("people_and_judge_elo", "spearman_disattenuated", 5)
    )
    assert [*faults_of_numbers(free), *of_numbers(free)] == [], "it may be above 1"
    by_source = {"id": "s", "kind": "source_ratings", "source": "author"}
    free = plan("empathy_rating", by_source, gate=gate("s", "advice_giving: a", 4.5))
    assert [*faults_of_numbers(free), *of_numbers(free)] == [], "whose mean it is, items decide"


@pytest.mark.parametrize(
    ("cut", "fault", "warned"),
    [
        ({"at": 9}, "1 to 5", False),
        ({"at": 55, "dimensions": ["advice_giving"]}, "1 to 5", False),
        ({"at": 0, "side": "at_most"}, "1 to 5", False),
        ({"at": 1}, None, True),
        ({"at": 5, "side": "at_most"}, None, True),
        ({"at": 5}, None, False),
        ({"at": 1, "side": "at_most"}, None, False),
    ],
)
def test_a_cut_that_tells_nothing_apart(
    cut: dict[str, Any], fault: str | None, warned: bool
) -> None:
    made = plan("empathy_rating", AGREEMENT | {"cuts": [{"at": 3}, cut]})
    faults = list(faults_of_numbers(made))
    where = f"analyses.{len(made.analyses) - 1}.cuts.1.at"
    assert [(one.column, one.allowed) for one in faults] == ([(where, fault)] if fault else [])
    assert [one.key for one in of_numbers(made)] == ([where] if warned else [])


def test_a_reference_that_its_number_cannot_be() -> None:
    asked = {"id": "q", "kind": "equivalence", "margin": 0.1}
    asked |= {"of": {"analysis": "choices", "quantity": "lexical: agreement"}}
    (fault,) = faults_of_numbers(plan("pairwise_preference", CHOICES, asked | {"reference": 70}))
    assert (fault.value, fault.allowed) == (70, "0 to 1")
    for reference in (0.7, "people"):
        sound = plan("pairwise_preference", CHOICES, asked | {"reference": reference})
        assert list(faults_of_numbers(sound)) == []


def test_judges_and_days_that_contradict_themselves() -> None:
    given = {"judges": {"good": 0.1, "bad": 0.9}}
    (said,) = of_numbers(plan("pairwise_preference", assumptions=given))
    assert said.key == "assumptions.judges"
    assert "the good judge of the assumptions (0.1) is no better than the bad one (0.9)" in str(
        said
    )
    today = date(2026, 1, 1)
    for until, past in (("2020-01-01", True), ("2026-01-01", False), ("ten years", False)):
        kept = plan("pairwise_preference", data_management={"kept_until": until})
        found = [one.key for one in of_numbers(kept, today=today)]
        assert found == ["data_management.kept_until"] * past, until
