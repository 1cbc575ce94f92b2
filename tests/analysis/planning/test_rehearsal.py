"""If this failed, a formula that cannot be fitted would be found after the data, not before."""

from __future__ import annotations

import pytest

from analysis.planning.rehearsal import rehearse
from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from tests.prereg.plan.test_plan import WORKED

SCENARIOS = ["job", "home", "loss"]


def plan_with(right: str, term: str = "gap"):
    text = WORKED.replace("select_higher ~ gap + C(scenario)", f"select_higher ~ {right}", 1)
    text = text.replace("    term: gap\n", f"    term: {term}\n", 1)
    if term != "gap":
        text = text.replace("quantity: gap", f"quantity: '{term}'")
    return parse_plan(text, file="plan.yaml")


@pytest.mark.parametrize(
    ("right", "term"),
    [
        ("gap + C(scenario)", "gap"),
        ("gap * C(scenario)", "gap:C(scenario)[T.job]"),
        ("diff_validating_emotions + diff_advice_giving + np.log(position)", "diff_advice_giving"),
    ],
)
def test_good_formulas_pass(right: str, term: str) -> None:
    rehearse(plan_with(right, term), SCENARIOS)


@pytest.mark.parametrize(
    ("right", "term", "says"),
    [
        ("gap + + * C(scenario)", "gap", r"analyses\.2\.formula"),
        ("gap + I(2*gap)", "gap", r"analyses\.2\.formula.*linear combinations"),
        ("gap - gap + C(scenario)", "gap", r"analyses\.2\.term.*'gap'"),
        ("gap + C(scenario)", "C(scenario)", r"analyses\.2\.term.*Intercept"),
        ("gap * C(scenario)", "gap:C(scenario)[T.nowhere]", r"analyses\.2\.term"),
    ],
)
def test_bad_formulas_are_named(right: str, term: str, says: str) -> None:
    with pytest.raises(RatifyError, match=says):
        rehearse(plan_with(right, term), SCENARIOS)
