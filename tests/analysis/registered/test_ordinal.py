"""If this failed, a registered ordinal regression would run otherwise than its plan says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from analysis.evidence.evidence import Evidence
from analysis.inference.families import correct_families
from analysis.registered.finding import Finding
from analysis.registered.regression import family_tests, in_families, run_regression
from analysis.regression.ordinal import clustered_ordinal
from prereg.analyses.regression import Regression

PLAN: dict[str, Any] = {
    "id": "quality",
    "kind": "regression",
    "hypothesis": "H1",
    "model": "ordinal",
    "data": "ratings",
    "outcomes": ["warm", "wise"],
    "predictors": "source",
    "cluster": "rater_id",
    "terms": ["source[T.p]"],
    "predictions": {"source": ["llm", "p"]},
}


def ratings(low: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    rater = np.repeat(np.arange(60), 8)
    item = np.tile(np.arange(8), 60)
    felt = rng.normal(size=60)[rater] + 1.2 * (item % 2) + rng.logistic(size=480)
    value = low + np.searchsorted([-1.5, 0, 1, 2.5], felt)
    return pd.DataFrame(
        {
            "rater_id": [f"r{n}" for n in rater],
            "session_id": [f"s{n}" for n in rater],
            "item_id": [f"i{n}" for n in item],
            "dimension": np.where(item < 4, "warm", "wise"),
            "value": value.astype(float),
            "scale_min": 1.0,
            "scale_max": 5.0,
        }
    )


def evidence(rated: pd.DataFrame) -> Evidence:
    items = {"item_id": [f"i{n}" for n in range(8)], "source": ["llm", "p"] * 4}
    visits = {"session_id": [f"s{n}" for n in range(60)], "rater_id": [f"r{n}" for n in range(60)]}
    fake = SimpleNamespace(
        status="confirmatory",
        simulated=False,
        ratings=rated,
        items=pd.DataFrame(items),
        participants=pd.DataFrame(visits),
        plan=SimpleNamespace(survey=()),
        note=lambda sentences: None,
    )
    return cast("Evidence", fake)


@pytest.fixture(scope="module")
def finding() -> Finding:
    return run_regression(Regression(**PLAN), evidence(ratings()))


def test_the_numbers_are_those_of_the_function_on_the_log_odds(finding):
    assert [q.name for q in finding.quantities] == Regression(**PLAN).quantity_names(None)
    mine = ratings().query("dimension == 'warm'")
    mine = mine.assign(source=np.where(mine["item_id"].str[1].astype(int) % 2, "p", "llm"))
    peer = clustered_ordinal(mine, "value ~ source", cluster="rater_id").contrast("source[T.p]")
    warm = finding.quantities[0]
    assert (warm.estimate, warm.se) == pytest.approx((peer.estimate, peer.se))
    assert (warm.low, warm.high, warm.p_value) == pytest.approx((peer.low, peer.high, peer.p_value))
    assert (warm.n, warm.unit_of_n, warm.clusters, warm.unit) == (240, "ratings", 60, "log-odds")
    assert "proportional odds" in warm.method


def test_the_sentence_tells_an_odds_ratio(finding):
    factor = np.exp(finding.quantities[0].estimate)
    told = f"the odds of a higher rating are multiplied by {factor:.1f} ["
    assert f"warm, source[T.p]: {told}" in finding.sentence
    assert "threshold does not fit" not in finding.sentence


def test_tables_hold_thresholds_logits_and_each_categorys_prediction(finding):
    tables = {table.name.removeprefix("quality_"): table for table in finding.tables}
    assert set(tables) == {
        "effects",
        "coefficients",
        "thresholds",
        "proportional_odds",
        "separate_logits",
        "predictions",
    }
    assert list(tables["thresholds"].frame["between"]) == ["1|2", "2|3", "3|4", "4|5"] * 2
    predicted = tables["predictions"].frame
    assert len(predicted) == 2 * 2 * 5
    sums = predicted.groupby(["outcome", "source"])["estimate"].sum()
    assert list(sums) == pytest.approx([1.0] * 4)
    assert tables["effects"].status == tables["predictions"].status == "confirmatory"
    assert tables["proportional_odds"].status == "exploratory"
    for table in finding.tables:
        assert table.to_json()["rows"]
    ElementTree.fromstring(finding.figures[0].svg)


def test_a_factor_that_differs_between_thresholds_is_said():
    rated = ratings()
    p = rated["item_id"].str[1].astype(int) % 2 == 1
    # of one source nobody's answer is in the middle, so it is both lower and higher
    middle = p & (rated["value"].between(2, 4))
    rng = np.random.default_rng(1)
    rated.loc[middle, "value"] = rng.choice([1.0, 2.0, 5.0], middle.sum())
    found = run_regression(Regression(**PLAN), evidence(rated))
    assert "does not fit the data for warm, source[T.p]" in found.sentence


def test_a_scale_with_a_category_that_nobody_gave_is_refused_unless_the_plan_names_levels():
    rated = ratings()
    rated["value"] = rated["value"].clip(upper=4)
    with pytest.raises(Exception, match=r"no row has this category.*levels: \[1, 2, 3, 4\]"):
        run_regression(Regression(**PLAN), evidence(rated))
    named = run_regression(Regression(**PLAN, levels=[1, 2, 3, 4]), evidence(rated))
    assert len(named.tables[2].frame) == 6
    # averages are not whole numbers, so the values that occur are the categories
    half = rated.assign(value=rated["value"] / 2)
    assert len(run_regression(Regression(**PLAN), evidence(half)).tables[2].frame) == 6


def test_a_shared_family_is_corrected_with_the_others(finding):
    shared = {"over": "shared", "name": "all", "correction": "bonferroni"}
    plan = Regression(**PLAN, family=shared)
    found = run_regression(plan, evidence(ratings()))
    tests = family_tests(plan, found)
    corrected = in_families(found, correct_families(tests))
    for before, after in zip(found.quantities, corrected.quantities, strict=True):
        assert after.p_value == pytest.approx(min(1, 2 * before.p_value))
    assert "p_adjusted" not in found.tables[0].frame


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"errors": "HC3", "cluster": None}, "belong to model: ols"),
        ({"sd": {"of": "whole"}}, "belong to model: ols"),
        ({"average_effects": ["source"]}, "predictions of each category"),
        ({"data": "trials", "judge": "j"}, "a choice has two outcomes"),
        ({"levels": [1, 2]}, "three or more different numbers"),
        ({"levels": [1, 2, 2]}, "three or more different numbers"),
        ({"levels": [1, 2, 3], "model": "logit"}, "levels belongs to model: ordinal"),
    ],
)
def test_a_plan_that_contradicts_itself(changes, words):
    with pytest.raises(ValidationError) as caught:
        Regression(**{**PLAN, **changes})
    assert words in str(caught.value)


def test_an_old_plan_keeps_its_hash():
    old = {**PLAN, "model": "ols", "terms": ["x"]}
    assert "levels" not in Regression(**old).model_dump(mode="json")
