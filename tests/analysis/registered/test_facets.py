"""If this failed, a plan's study of raters and items would not report what it promised."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from analysis.facets.generalizability import generalizability
from analysis.facets.grid import grid_of
from analysis.facets.many_facet import many_facet
from analysis.registered.facets import run_generalizability, run_many_facet
from analysis.report.page import write_report
from analysis.run import analyze_study
from prereg.analyses.facets import Generalizability, ManyFacet
from prereg.errors import RatifyError
from tests.analysis.registered.test_agreement import CROWD, EXPERTS, PLAN
from tests.analysis.registered.test_agreement import evidence as agreement_evidence
from tests.support.other_kinds import make_study


def evidence(*table, **others):
    return agreement_evidence(*table, **({"raters_own": "People's"} | others))


def plan(**settings):
    return Generalizability(**({"id": "g", "kind": "generalizability"} | settings))


def test_it_reports_what_thresholds_may_name():
    found = run_generalizability(plan(target=0.9, items=(30,)), evidence())
    assert sorted(plan().quantity_names(PLAN)) == sorted(q.name for q in found.quantities)
    by_name = {q.name: q for q in found.quantities}
    people = EXPERTS[EXPERTS["rater_kind"] == "human"]
    one = generalizability(grid_of(people, dimension="advice"))
    assert by_name["absolute advice"].estimate == pytest.approx(one.absolute(3)[0])
    assert by_name["absolute advice"].low == pytest.approx(one.absolute(3)[1])
    assert by_name["raters_needed advice"].estimate == one.raters_for(0.9)[0]
    assert by_name["relative advice"].status == "confirmatory"
    assert [table.name for table in found.tables] == [
        "g_decision",
        "g_variances",
        "g_decision_items",
    ]
    assert set(found.tables[2].frame["items"]) == {30}
    assert "mean of 3 raters per item" in found.sentence
    assert len(found.figures) == 1


def test_a_many_facet_model_reports_what_thresholds_may_name():
    analysis = ManyFacet(id="m", kind="many_facet", judges=("m", "k"))
    found = run_many_facet(analysis, evidence())
    assert sorted(analysis.quantity_names(PLAN)) == sorted(q.name for q in found.quantities)
    by_name = {q.name: q for q in found.quantities}
    one = many_facet(
        EXPERTS, humans=["p1", "p2", "p3"], judges=["m", "k"], dimension="warmth"
    ).annotators[3]
    assert by_name["m: severity warmth"].estimate == pytest.approx(one.severity[0])
    assert by_name["m: discrimination warmth"].low == pytest.approx(one.discrimination[1])
    assert by_name["m: fair_correlation warmth"].estimate == pytest.approx(one.correlation[0])
    assert [table.name for table in found.tables] == ["m_severity", "m_fair_scores"]
    assert "correlates with the items' fair scores" in found.sentence
    for quantity in analysis.quantity_names(PLAN):
        coverage = analysis.coverage_of(quantity, PLAN)
        assert coverage is None or coverage in analysis.coverage_names(PLAN)
    with pytest.raises(RatifyError, match="no dimension has a model"):
        run_many_facet(analysis, evidence(CROWD.groupby("rater_id").head(4)))


def test_a_crowd_has_a_generalizability_too():
    found = run_generalizability(plan(), evidence(CROWD))
    assert all(q.estimate is not None for q in found.quantities if q.name.startswith("absolute"))
    assert "(harmonic mean)" in found.sentence


@pytest.mark.parametrize(
    ("settings", "changed", "says"),
    [
        ({"dimensions": ("x",)}, {}, "did not rate this dimension"),
        ({}, {"ratings": evidence().ratings.head(0)}, "no ratings by people"),
        ({}, {"ratings": evidence().ratings.head(3)}, "no dimension has ratings for it"),
    ],
)
def test_data_that_cannot_answer_are_refused(settings, changed, says):
    with pytest.raises(RatifyError, match=says):
        run_generalizability(plan(**settings), evidence(**changed))


def test_a_study_registers_it_and_gates_on_it(tmp_path):
    folder = make_study(
        tmp_path / "study",
        "empathy_rating",
        analyses=[
            {"id": "g", "kind": "generalizability"},
            {"id": "m", "kind": "many_facet", "judges": ["lexical"]},
        ],
        gate=[
            {"analysis": "g", "quantity": "relative advice_giving", "at_least": -1},
            {"analysis": "m", "quantity": "lexical: severity advice_giving", "at_least": -1},
        ],
    )
    results = analyze_study(folder, mode="live")
    assert any("of the variance of one rating is due to the items" in s for s in results.methods)
    assert any("gives an item's level with a dependability of" in s for s in results.headline)
    assert any("items' fair scores correlate with lexical at" in s for s in results.headline)
    stored = json.loads((folder / "results" / "results.json").read_text(encoding="utf-8"))
    assert {"g_decision", "g_variances"} <= {table["name"] for table in stored["tables"]}
    names = {q["name"] for q in stored["quantities"] if q["analysis"] == "m"}
    assert {"lexical: severity advice_giving", "lexical: coverage advice_giving"} <= names
    assert "What another rater buys" in write_report(folder / "results").read_text("utf-8")


@pytest.mark.parametrize("name", ["people", "humans"])
def test_a_rater_called_like_people_together_is_refused_with_the_row(tmp_path, name):
    folder = make_study(
        tmp_path / "study",
        "empathy_rating",
        analyses=[{"id": "g", "kind": "generalizability"}],
        gate=[],
        hypotheses=[],
    )
    path = folder / "data" / "ratings.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    mine = table["rater_id"] == "r2"
    table.loc[mine, "rater_id"] = name
    table.to_csv(path, index=False)
    row = int(mine.to_numpy().argmax()) + 2
    said = rf"ratings\.csv, row {row}, column rater_id: is a word of the tables.*'{name}'"
    with pytest.raises(RatifyError, match=said):
        analyze_study(folder, mode="live")
