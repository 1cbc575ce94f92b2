"""If this failed, a formula that cannot be fitted would be found after the data, not before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis.planning.invented import with_shuffled
from analysis.planning.rehearsal import rehearsed
from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.worked_plans import Choices, chosen_plan
from tests.prereg.plan.test_plan import WORKED

SCENARIOS = ["job", "home", "loss"]


def plan_with(right: str, term: str = "gap"):
    text = WORKED.replace("select_higher ~ gap + C(scenario)", f"select_higher ~ {right}", 1)
    text = text.replace("    term: gap\n", f"    term: {term}\n", 1)
    if term != "gap":
        text = text.replace("quantity: gap", f"quantity: '{term}'")
    return parse_plan(text, file="plan.yaml")


def rehearse(plan: Plan) -> None:
    """Raise the first fault, with items that have only a scenario."""
    items = [{"item_id": f"i{n}", "scenario": name} for n, name in enumerate(SCENARIOS)]
    for fault in rehearsed(plan, items):
        raise fault


@pytest.mark.parametrize(
    ("right", "term"),
    [
        ("gap + C(scenario)", "gap"),
        ("gap * C(scenario)", "gap:C(scenario)[T.job]"),
        ("diff_validating_emotions + diff_advice_giving + np.log(position)", "diff_advice_giving"),
    ],
)
def test_good_formulas_pass(right: str, term: str) -> None:
    rehearse(plan_with(right, term))


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
        rehearse(plan_with(right, term))


ITEMS = [
    {"item_id": f"i{n}", "scenario": SCENARIOS[n % 3], "text": "x", "author": "ab"[n % 2]}
    for n in range(12)
]
RATED = {
    "id": "mine",
    "kind": "regression",
    "data": "ratings",
    "model": "ols",
    "outcomes": ["advice_giving"],
    "predictors": "position + C(author)",
    "terms": ["position"],
    "cluster": "rater_id",
}
TRIALS = RATED | {"data": "trials", "judge": "lexical", "outcomes": ["chose_left"]}
TRIALS |= {"predictors": "gap + diff_advice_giving", "terms": ["gap"]}


def faults(worked: str, *analyses: dict, folder: Path | None = None) -> dict[str, str]:
    content = yaml.safe_load(chosen_plan(worked, Choices()))
    content |= {"analyses": list(analyses), "gate": []}
    plan = parse_plan(yaml.safe_dump(content), file="plan.yaml")
    return {str(one.column): one.problem for one in rehearsed(plan, ITEMS, folder)}


def test_every_model_and_source_of_rows_is_rehearsed_and_may_pass() -> None:
    judged = {"data": "judge_ratings", "predictors": "C(author)", "cluster": "item_id"}
    for change in (
        {},
        {"model": "ordinal"},
        {"errors": "HC3", "cluster": None},
        {"predictors": "position * C(scenario)", "average_effects": ["position"]},
        judged | {"terms": ["C(author)[T.b]"], "judge": "lexical"},
        judged | {"terms": ["C(rater_id)[T.lexical]"], "predictors": "C(rater_id)"},
    ):
        given = {k: v for k, v in (RATED | change).items() if v is not None}
        assert faults("empathy_rating", given) == {}, change
    for change in ({}, {"model": "logit"}, {"outcomes": ["select_match", "chose_left"]}):
        assert faults("pairwise_preference", TRIALS | change) == {}


def test_one_bad_analysis_hides_no_other() -> None:
    found = faults(
        "empathy_rating",
        RATED | {"predictors": "positon"},
        RATED | {"id": "two"},
        RATED | {"id": "three", "terms": ["C(author)[T.c]"]},
        RATED | {"id": "four", "model": "ordinal", "predictors": "condition"},
        RATED | {"id": "five", "average_effects": ["mood"], "cluster": "nobody"},
    )
    assert list(found) == [
        "analyses.0.predictors",
        "analyses.2.terms.0",
        "analyses.3.predictors",
        "analyses.4.average_effects.0",
        "analyses.4.cluster",
    ]
    assert found["analyses.3.predictors"] == "the study leaves the column 'condition' empty"


def test_a_wrong_contrast_has_its_key_while_the_own_table_is_not_there(tmp_path: Path) -> None:
    own = RATED | {"data": "talks", "outcomes": ["warm"], "predictors": "arm", "terms": []}
    wrong = {"good": "arm[T.video]", "bad": "arm[T.coach] - arm[T.vidio]"}
    change = {"id": "change", "kind": "change", "table": "talks", "value": "warm"}
    change |= {"condition": "arm", "control": "base", "treatments": ["coach", "video"]}
    change |= {"baseline_rounds": [1], "post_rounds": [2]}
    found = faults("empathy_rating", own | {"contrasts": wrong}, change, folder=tmp_path)
    assert list(found) == ["analyses.0.contrasts.bad"]
    says = (
        "is not a contrast of the regression's coefficients; the conditions are those of analysis"
    )
    assert found["analyses.0.contrasts.bad"] == f"{says} change: base, coach, video"
    # a treatment that no regression names is rather the slip
    misspelt = change | {"treatments": ["coach", "vidio"]}
    good = own | {"contrasts": {"one": "arm[T.coach] - arm[T.video]"}}
    found = faults(
        "empathy_rating", own | {"terms": ["arm[T.coach]"]}, good | {"id": "two"}, misspelt
    )
    assert found == {"analyses.2.treatments.1": "analysis two calls this condition 'video'"}
    # a term that the formula does not have
    lacking = own | {"terms": ["age"], "contrasts": {}}
    assert list(faults("empathy_rating", lacking)) == ["analyses.0.terms.0"]
    assert "; " not in faults("empathy_rating", lacking)["analyses.0.terms.0"]


def test_an_own_table_is_used_with_shuffled_outcomes(tmp_path: Path) -> None:
    own = RATED | {"data": "survey", "outcomes": ["mood"], "predictors": "age"}
    own |= {"terms": ["age"], "cluster": "person"}
    assert faults("empathy_rating", own, folder=tmp_path) == {}, "it is not there yet"
    (tmp_path / "data").mkdir()
    rows = [f"p{n},{20 + n},{n}\n" for n in range(60)]
    path = tmp_path / "data" / "survey.csv"
    path.write_text("person,age,mood\n" + "".join(rows))
    assert faults("empathy_rating", own, folder=tmp_path) == {}
    plan = plan_with("gap")
    rng = np.random.default_rng(1)
    table = with_shuffled(tmp_path, plan, "survey", ["mood"], rng)[1]
    assert table is not None
    assert table["age"].tolist() == [str(20 + n) for n in range(60)]
    assert sorted(table["mood"]) == sorted(str(n) for n in range(60))
    assert abs(np.corrcoef(table["age"].astype(float), table["mood"].astype(float))[0, 1]) < 0.4
    path.write_text("person,age,mood\n" + "".join(rows) + "p60,old,1\n")
    found = faults("empathy_rating", own, folder=tmp_path)
    assert list(found.values()) == ["is not a number, as other cells are"]
