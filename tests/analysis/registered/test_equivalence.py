"""If this failed, a plan's question of equivalence would be answered by another interval or p."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import ValidationError
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind

from analysis.evidence.choice_yardstick import beside_people, yardstick_of
from analysis.evidence.evidence import Evidence, gather
from analysis.gate import judge_results
from analysis.registered import equivalence
from analysis.registered.finding import Finding
from analysis.registered.hypotheses import NOT_SUPPORTED, OPEN, SUPPORTED, decided
from analysis.registered.registry import run_registered
from analysis.report.page import write_report
from analysis.results.quantities import Quantity
from analysis.run import analyze_study
from prereg.analyses.choices import ChoiceAgreement
from prereg.analyses.equivalence import SHOWN, Equivalence
from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from prereg.plan.model import Hypothesis
from tests.support import written_study
from tests.support.other_kinds import make_study

TABLE: dict[str, Any] = {
    "id": "arms",
    "kind": "regression",
    "model": "ols",
    "data": "scores",
    "outcomes": ["score"],
    "predictors": "arm",
    "errors": "HC3",
    "distribution": "t",
    "terms": ["arm"],
}
ASK: dict[str, Any] = {
    "id": "same",
    "kind": "equivalence",
    "hypothesis": "H1",
    "of": {"analysis": "arms", "quantity": "arm"},
    "margin": 0.5,
    "unit": "points of the outcome",
}
FAMILY = {"name": "margins", "correction": "bonferroni"}
H1 = {"id": "H1", "text": "The arms do not differ.", "direction": "negative"}
GATE = [{"analysis": "same", "quantity": "shown", "field": "estimate", "at_least": 1}]


def scores() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    arm = np.repeat([0, 1], 60)
    return pd.DataFrame({"arm": arm, "score": rng.normal(size=120) + 0.02 * arm})


def study(folder: Path, *more: dict[str, Any], **changes: Any) -> Path:
    made = make_study(
        folder, "best_response", analyses=[TABLE, *more], hypotheses=[H1], gate=GATE, **changes
    )
    scores().to_csv(made / "data" / "scores.csv", index=False)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = [
        {**ASK, "family": FAMILY},
        {**ASK, "id": "close", "margin": 0.38, "family": FAMILY, "hypothesis": None},
        {
            **ASK,
            "id": "no_worse",
            "margin": 0.5,
            "side": "not_worse",
            "better": "higher",
            "hypothesis": None,
        },
    ]
    made = study(tmp_path_factory.mktemp("same") / "s", *asked, sensitivity={"on": "everybody"})
    analyze_study(made, mode="live")
    return made


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results" / "results.json").read_text(encoding="utf-8"))


def found(results: dict[str, Any], analysis: str) -> dict[str, Any]:
    return {q["name"]: q for q in results["quantities"] if q["analysis"] == analysis}


def row(results: dict[str, Any], name: str) -> dict[str, Any]:
    table = next(t for t in results["tables"] if t["name"] == f"{name}_{SHOWN}")
    return dict(zip(table["columns"], table["rows"][0], strict=True))


def test_the_interval_at_90_percent_is_the_regressions_own(results, folder):
    evidence = gather(folder, mode="live")
    base = next(one for one in evidence.plan.analyses if one.id == "arms")
    peer = run_registered(base.model_copy(update={"level": 0.9}), evidence).quantities[0]
    difference = found(results, "same")["difference"]
    assert (difference["low"], difference["high"]) == (peer.low, peer.high)
    assert (difference["estimate"], difference["level"]) == (peer.estimate, 0.9)
    assert difference["p_value"] is None
    assert difference["n"] == 120
    registered = found(results, "arms")["arm"]
    assert registered["level"] == 0.95
    assert registered["low"] < difference["low"]


def test_p_is_the_larger_of_two_one_sided_tests(results):
    data = scores()
    one, two = (data.loc[data["arm"] == arm, "score"] for arm in (1, 0))
    mine, arm = row(results, "same"), found(results, "arms")["arm"]
    for name, away in (("p_lower", arm["estimate"] + 0.5), ("p_upper", 0.5 - arm["estimate"])):
        assert mine[name] == pytest.approx(stats.t.sf(away / arm["se"], 118), rel=1e-3)
    assert mine["p"] == max(mine["p_lower"], mine["p_upper"])
    # HC3 is not exactly Welch's error
    assert mine["p"] == pytest.approx(ttost_ind(one, two, -0.5, 0.5, usevar="unequal")[0], rel=0.1)


def test_the_verdict_follows_the_corrected_p(results):
    for name, shown in (("same", 1), ("close", 0)):
        mine, quantity = row(results, name), found(results, name)[SHOWN]
        assert mine["p_adjusted"] == pytest.approx(min(1, 2 * mine["p"]))
        assert quantity["p_value"] == mine["p_adjusted"]
        assert quantity["estimate"] == shown
        assert (mine["p_adjusted"] <= 0.05) == bool(shown)
        assert "Bonferroni over 2 tests" in mine["correction"]
    assert row(results, "same")["verdict"] == "equivalent"
    # alone it would be shown; with the other test of the family it is not
    assert row(results, "close")["p"] < 0.05 < row(results, "close")["p_adjusted"]
    assert row(results, "close")["verdict"] == "not shown to be equivalent"
    families = next(t for t in results["tables"] if t["name"] == "families")
    assert len(families["rows"]) == 2
    assert row(results, "no_worse")["verdict"] == "not worse"
    assert row(results, "no_worse")["p_adjusted"] == row(results, "no_worse")["p_lower"]


def test_the_sentence_shows_interval_margin_and_both_p_values(results):
    said = next(text for text in results["headline"] if text.startswith("same: "))
    assert said.startswith("same: equivalent. score: arm: ")
    assert "(90% interval), where −0.5 to 0.5 (points of the outcome) counts as equivalent" in said
    assert "one-sided p " in said
    assert "after Bonferroni over 2 tests (margins)" in said
    open_ = next(text for text in results["headline"] if text.startswith("close: "))
    assert "not shown to be equivalent" in open_
    assert "no difference" not in open_


def test_it_decides_a_hypothesis_opens_a_gate_and_is_reported(results, folder):
    (decision,) = results["verdict"]["hypotheses"]
    assert decision["verdict"] == SUPPORTED  # also where a negative effect was expected
    assert "the one registered question of equivalence is answered by yes" in decision["how"]
    assert judge_results(folder).passed
    page = write_report(folder / "results").read_text(encoding="utf-8")
    assert "not shown to be equivalent" in page
    ElementTree.parse(folder / "results" / "figures" / "same_margin.svg")
    again = found(results, "same.everybody")
    assert again[SHOWN]["estimate"] == 1
    assert again["difference"]["estimate"] == found(results, "same")["difference"]["estimate"]


def test_a_margin_in_another_unit_and_a_number_without_interval_are_refused(tmp_path):
    asked = [
        {**ASK, "unit": None},
        {**ASK, "id": "far", "of": {"analysis": "arms", "quantity": "arm"}, "unit": None},
    ]
    made = study(tmp_path / "s", *asked)
    scores().assign(score=1.5).to_csv(made / "data" / "scores.csv", index=False)
    evidence = gather(made, mode="live")
    wrong = {"unit": "log-odds"}  # the plan refuses it where it knows the number's unit
    _, ask, other = evidence.plan.analyses
    unit, far = (run_registered(one, evidence) for one in (ask.model_copy(update=wrong), other))
    assert "could not be computed" in unit.sentence
    assert far.quantities[0].estimate is None
    scores().to_csv(made / "data" / "scores.csv", index=False)
    again = gather(made, mode="live")
    unit = run_registered(again.plan.analyses[1].model_copy(update=wrong), again)
    assert "in another unit than the number" in unit.sentence
    assert "(allowed: points of the outcome)" in unit.sentence


def test_a_judge_is_compared_with_peoples_own_agreement(tmp_path):
    both = {"id": "choices", "kind": "choice_agreement", "judges": ["length"]}
    asked = {
        "id": "as_people",
        "kind": "equivalence",
        "of": {"analysis": "choices", "quantity": "length: agreement"},
        "margin": 0.1,
        "side": "not_worse",
        "better": "higher",
        "reference": "people",
    }
    half = {**asked, "id": "a_coin", "side": "both", "better": None, "reference": 0.5}
    made = written_study.make_study(tmp_path / "s", analyses=[both, asked, half])
    evidence = gather(made, mode="live")
    _, people, coin = (run_registered(one, evidence) for one in evidence.plan.analyses)
    # twelve people on five items share fewer comparisons than the yardstick needs
    assert "share too few comparisons" in people.sentence
    by_name = {q.name: q for q in coin.quantities}
    assert "length: coverage" in by_name
    assert by_name["length: coverage"].analysis == "a_coin"
    low, high = by_name["difference"].low, by_name["difference"].high
    assert low is not None
    assert high is not None
    peer = run_registered(
        evidence.plan.analyses[0].model_copy(update={"level": 0.9}), evidence
    ).quantities[0]
    assert peer.low is not None
    assert peer.high is not None
    assert (low, high) == pytest.approx((peer.low - 0.5, peer.high - 0.5))


def test_a_judge_short_of_people_on_the_same_answers_is_worse():
    rng = np.random.default_rng(1)
    pair = np.tile(np.arange(40), 10)
    left = rng.random(400) < np.where(pair % 2, 0.9, 0.1)
    sides = {
        "scenario": "s",
        "left_id": [f"a{n}" for n in pair],
        "right_id": [f"b{n}" for n in pair],
    }
    people = pd.DataFrame(
        {
            **sides,
            "rater_id": [f"r{n}" for n in np.repeat(np.arange(40), 10)],
            "choice": np.where(left, "left", "right"),
        }
    )
    guess = pd.DataFrame({**sides, "choice": np.where(pair % 3, "left", "right")})
    fake = SimpleNamespace(
        people=people,
        judges={"j": SimpleNamespace(trials=guess)},
        raters="people",
        plan=SimpleNamespace(
            ranking=SimpleNamespace(ridge=0.02),
            analyses=[ChoiceAgreement(id="c", kind="choice_agreement", judges=["j"])],
        ),
        status="confirmatory",
        simulated=False,
    )
    evidence = cast("Evidence", fake)
    asked = Equivalence(
        id="q",
        kind="equivalence",
        of={"analysis": "c", "quantity": "j: agreement"},
        margin=0.1,
        side="not_worse",
        better="higher",
        reference="people",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equivalence, "coverage_of_analysis", lambda base, evidence: [])
        finding = equivalence.run_equivalence(asked, evidence, run=lambda base, evidence: Finding())
    known, what = yardstick_of(evidence)
    peer = beside_people(evidence, guess, known, what, level=0.9)
    assert peer is not None
    first = finding.quantities[0]
    assert (first.estimate, first.low, first.high) == pytest.approx(peer.difference)
    assert first.n == 400
    assert "q: worse." in finding.sentence
    assert "minus that of people with each other" in finding.sentence
    assert "above −0.1 (difference of proportions) counts as not worse" in finding.sentence


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"margin": 0}, "greater than 0"),
        ({"side": "not_worse"}, "needs better"),
        ({"better": "higher"}, "both takes none"),
        ({"alpha": 0.5}, "less than 0.5"),
        ({"reference": "judge"}, "people"),
        ({"of": {"analysis": "arms"}}, "quantity"),
    ],
)
def test_a_plan_that_contradicts_itself(changes, said):
    with pytest.raises(ValidationError) as caught:
        Equivalence(**{**ASK, **changes})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"of": {"analysis": "arm", "quantity": "arm"}}, r"of\.analysis.*'arm' \(allowed: arms\)"),
        ({"of": {"analysis": "same", "quantity": "shown"}}, r"of\.analysis.*\(allowed: arms\)"),
        ({"of": {"analysis": "arms", "quantity": "x"}}, r"of\.quantity.*'x' \(allowed: arm\)"),
        ({"reference": "people"}, r"reference.*only a judge's agreement"),
        (
            {"unit": "log-odds"},
            r"analyses\.1\.unit.*another unit.*'log-odds' \(allowed: points of the outcome\)",
        ),
    ],
)
def test_what_is_asked_about_is_checked_before_the_lock(folder, changes, said):
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    plan["analyses"] = [TABLE, {**ASK, **changes}]
    plan["gate"] = []
    with pytest.raises(RatifyError, match=said):
        parse_plan(yaml.safe_dump(plan), file=folder / "plan.yaml")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"at_least": 1}, r"gate\.0\.field.*no interval.*\(allowed: field: estimate, with at_l"),
        ({"at_least": 1, "field": "low"}, r"gate\.0\.field: shown is 1 or 0"),
        ({"at_least": 2, "field": "estimate"}, r"gate\.0\.at_least.*2.*\(allowed: 1\)"),
    ],
)
def test_a_gate_that_can_never_pass_is_refused_before_the_lock(folder, gate, said):
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    plan["gate"] = [{"analysis": "same", "quantity": "shown", **gate}]
    with pytest.raises(RatifyError, match=said):
        parse_plan(yaml.safe_dump(plan), file=folder / "plan.yaml")


def test_a_family_has_one_correction_across_kinds(folder):
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    shared = {"over": "shared", "name": "margins", "correction": "holm"}
    plan["analyses"] = [{**TABLE, "family": shared}, {**ASK, "family": FAMILY}]
    plan["gate"] = []
    with pytest.raises(RatifyError, match=r"family\.correction.*\(allowed: holm\)"):
        parse_plan(yaml.safe_dump(plan), file=folder / "plan.yaml")


def test_a_hypothesis_with_a_test_and_a_margin_needs_both():
    def number(estimate: float, p: float, unit: str) -> Quantity:
        return Quantity(
            analysis="a",
            name=unit,
            label="x",
            estimate=estimate,
            n=9,
            unit_of_n="rows",
            method="m",
            unit=unit,
            p_value=p,
            hypothesis="H1",
        )

    hypothesis = Hypothesis(id="H1", text="Yes.", direction="positive")
    effect, margin = number(0.5, 0.001, "points"), number(1.0, 0.01, "1 if shown, 0 if not")
    missed = number(0.0, 0.6, "1 if shown, 0 if not")
    assert decided(hypothesis, [effect, margin]).verdict == SUPPORTED
    assert decided(hypothesis, [effect, missed]).verdict == OPEN
    assert decided(hypothesis, [missed]).verdict == NOT_SUPPORTED
