"""If this failed, scores could feed an effect although the plan's conditions do not hold."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.gate import judge_evidence
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from tests.prereg.plan.test_plan import WORKED

PLAN = parse_plan(WORKED, file="plan.yaml")
NO_GATE = PLAN.model_copy(update={"gate": ()})


def quantities(spearman_low: float | None, gap_low: float | None) -> list[dict[str, object]]:
    return [
        {"analysis": "people_and_judge_elo", "name": "spearman", "low": spearman_low},
        {"analysis": "people_and_judge_score", "name": "spearman", "low": 0.99},
        {"analysis": "select_higher", "name": "gap", "low": gap_low},
        {"analysis": "select_higher", "name": "Intercept", "low": 9.0},
    ]


@pytest.mark.parametrize(
    ("plan", "spearman", "gap", "mode", "locked", "passed"),
    [
        (PLAN, 0.5, 0.0, "live", True, True),
        (PLAN, 0.499, 0.2, "live", True, False),
        (PLAN, 0.7, -0.001, "live", True, False),
        (PLAN, None, 0.2, "live", True, False),
        (PLAN, 0.7, 0.2, "pilot", True, False),
        (PLAN, 0.7, 0.2, "bot", True, False),
        (PLAN, 0.7, 0.2, "live", False, False),
        (NO_GATE, 0.7, 0.2, "live", True, False),
    ],
)
def test_it_opens_only_where_everything_holds(
    plan: Plan, spearman: float | None, gap: float, mode: str, locked: bool, passed: bool
) -> None:
    verdict = judge_evidence(plan, quantities(spearman, gap), mode=mode, locked=locked)
    assert verdict.passed is passed
    assert verdict.lines()[0] == ("gate: PASSED" if passed else "gate: NOT PASSED")


def test_a_number_that_is_not_there_fails() -> None:
    verdict = judge_evidence(PLAN, [], mode="live", locked=True)
    assert not verdict.passed
    assert all("missing" in line for line in verdict.lines()[1:])


@pytest.mark.parametrize(
    ("against", "said"),
    [
        (
            {"exploratory": {"select_higher": "it changed"}},
            "select_higher is exploratory: it changed",
        ),
        ({"late": {0: "it was lowered"}}, "cannot be used: it was lowered"),
        ({"dropped": ["the third was taken out"]}, "the third was taken out"),
        ({"blind": True}, "the answers are shuffled"),
        ({"early": True}, "older than the lock"),
    ],
)
def test_what_is_exploratory_late_or_shuffled_cannot_be_used(
    against: dict[str, Any], said: str
) -> None:
    found = quantities(0.9, 0.9)
    assert judge_evidence(PLAN, found, mode="live", locked=True).passed
    verdict = judge_evidence(PLAN, found, mode="live", locked=True, **against)
    assert not verdict.passed
    assert said in "\n".join(verdict.lines())
