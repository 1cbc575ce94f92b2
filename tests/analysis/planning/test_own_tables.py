"""If these fail, power or a rehearsal sees other effects in the own tables than the plan assumes.

Or the tables cannot be read by the analyses that they are made for.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.evidence.evidence import Evidence
from analysis.planning.effect_names import faults_of_effects
from analysis.planning.own_tables import in_file, simulated_tables
from analysis.planning.table_terms import levels_of, names_in
from analysis.registered.registry import RUNNERS
from prereg.analyses.regression import Regression
from prereg.errors import RatifyError
from prereg.plan.assumptions import Effects
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from tests.support.paths import WORKED

ITEMS = pd.DataFrame({"item_id": ["a", "b"], "scenario": ["job", "loss"]})
REGRESSION = {
    "id": "skills",
    "kind": "regression",
    "model": "ols",
    "data": "talks",
    "outcomes": ["warm", "wise"],
    "predictors": "C(arm) * post",
    "cluster": "person_id",
    "contrasts": {
        "coach": "C(arm)[T.coach]:post",
        "coach - video": "C(arm)[T.coach]:post - C(arm)[T.video]:post",
    },
    "sd": {"of": "baseline", "column": "post", "value": 0},
}
CHANGE = {
    "id": "change",
    "kind": "change",
    "table": "scores",
    "value": "score",
    "control": "none",
    "treatments": ["coach", "video"],
    "baseline_rounds": [1],
    "post_rounds": [2, 3],
}
THEMES = {"id": "themes", "kind": "themes", "texts": "notes", "labels": "codes", "test": "paired"}
ARMS = {"condition": "arm", "control": "a"}  # which sorts before the others, so it is the reference


def plan(*analyses: dict[str, Any], effects: dict[str, Any] | None = None, **more: Any) -> Plan:
    text = yaml.safe_load((WORKED / "pairwise_preference" / "plan.yaml").read_text())
    text |= {"analyses": list(analyses), "gate": [], "hypotheses": []}
    text |= {"assumptions": {"effects": effects or {}, **more}}
    return parse_plan(yaml.safe_dump(text), file="plan.yaml")


def regression(given: dict[str, Any]) -> Regression:
    one = plan(given).analyses[0]
    assert isinstance(one, Regression)
    return one


def found(of: Plan, rng: int = 1) -> dict[str, float | None]:
    """Return what each analysis estimates on simulated tables."""
    tables = simulated_tables(of, ITEMS, np.random.default_rng(rng))
    evidence = SimpleNamespace(
        plan=of,
        mode="live",
        simulated=False,
        status="exploratory",
        raters="people",
        table=tables.__getitem__,
        table_path=lambda name: SimpleNamespace(name=f"{name}.csv"),
        note=lambda sentences: None,
        rng=lambda purpose: np.random.default_rng(3),
        items=ITEMS,
    )
    return {
        q.name: q.estimate
        for one in of.analyses
        for q in RUNNERS[one.kind](one, cast(Evidence, evidence)).quantities
    }


def test_the_effects_of_a_regression_are_those_of_the_plan() -> None:
    effect = {"coach": 1.0, "coach - video": 0.4, "wise: coach": -0.5}
    estimates = found(plan(REGRESSION, effects={"skills": {"people": 6000, "effect": effect}}))
    assert estimates["wise: coach"] == pytest.approx(-0.5, abs=0.1)
    assert estimates["warm: coach"] == pytest.approx(1.0, abs=0.1)
    assert estimates["warm: coach - video"] == pytest.approx(0.4, abs=0.1)


def test_two_regressions_of_one_formula_both_say_how_large_effects_are() -> None:
    one = REGRESSION | {"outcomes": ["warm"], "contrasts": {"coach": "C(arm)[T.coach]:post"}}
    contrasts = {"c - v": "C(arm)[T.coach]:post - C(arm)[T.video]:post"}
    two = one | {"id": "two", "contrasts": contrasts, "predictors": "C(arm)*post"}
    effects = {"skills": {"people": 6000, "effect": {"coach": 1.0}}}
    effects["two"] = {"effect": {"warm: c - v": 0.4, "c - v": 9.0}}
    of = plan(one, two, effects=effects)
    estimates = found(of)
    assert estimates["coach"] == pytest.approx(1.0, abs=0.1)
    assert estimates["c - v"] == pytest.approx(0.4, abs=0.1), "not 1.0, as `skills` alone has it"
    assert not list(faults_of_effects(of, []))


def unread(*analyses: dict[str, Any], items: Any = (), **effect: dict[str, float]) -> list[Any]:
    of = plan(*analyses, effects={name: {"effect": given} for name, given in effect.items()})
    return [(one.value, one.allowed) for one in faults_of_effects(of, items)]


def test_an_effect_that_no_simulation_reads_is_a_fault_with_the_names_that_are_read() -> None:
    change = CHANGE | {"table": "talks", "value": "warm"}
    coded = THEMES | {"themes": ["hope", "help"]}
    of_column = {"kind": "rank_correlation", "id": "known", "column": "known"}
    items = [{"item_id": "a", "scenario": "s", "known": "1", "old": "2"}]
    logit = {"id": "l", "kind": "logit", "judge": "lexical", "term": "gap"}
    logit["formula"] = "select_higher ~ gap"
    answers = "no effect here: people's answers follow from assumptions.raters and"
    for given, says in (
        (unread(CHANGE, change={"coach": 1, "none": 1, "choach": 1}), "coach, video"),
        (unread(coded, themes={"hope": 0.1, "hopes": 0.1}), "hope, help"),
        (unread(logit, l={"foo": 2}), f"{answers} assumptions.judges"),
        (unread(of_column, items=items, known={"known": 0.5, "nope": 0.5}), "known"),
    ):
        assert given, says
        assert {allowed for _, allowed in given} == {says}
    assert unread(THEMES, themes={"any": 0.2}) == [], "the data decide the themes"
    assert unread(of_column, items=items, known={"known": 0.5}) == []

    assert unread(of_column, items=items, known={"known": 5}) == [(5, "-1 to 1")]
    assert unread(coded, themes={"hope": -1.5}) == [(-1.5, "-1 to 1")]

    names = [name for name, _ in unread(REGRESSION, skills={"coach": 1, "wise: coach": 1})]
    assert names == []
    wrong = {"coch": 1.0, "wize: coach": 1.0, "warm: coach - video": 1.0}
    assert [name for name, _ in unread(REGRESSION, skills=wrong)] == ["coch", "wize: coach"]
    # what another analysis has made before is as that analysis says
    beside = unread(change, REGRESSION, skills={"warm: coach": 1.0, "wise: coach": 1.0})
    assert [name for name, _ in beside] == ["warm: coach"]
    alone = REGRESSION | {"outcomes": ["warm"]}
    ((_, why),) = unread(change, alone, skills={"coach": 1.0})
    assert why == "no effect here: analysis change decides how warm is simulated"
    other = alone | {"id": "other", "predictors": "C(arm)"}
    assert len(unread(alone, other, other={"coach": 1.0})) == 1
    second = of_column | {"id": "second", "column": "old"}
    ((_, why),) = unread(of_column, second, items=items, second={"old": 0.2})
    assert why.endswith("as assumptions.effects.known says")


def unread_columns(
    *analyses: dict[str, Any], of: str = "skills", items: Any = (), **assumed: Any
) -> dict[str, tuple[object, str | None]]:
    """Return the value and what is allowed of each fault, by the end of its key."""
    found = faults_of_effects(plan(*analyses, effects={of: assumed}), items)
    before = f"assumptions.effects.{of}."
    return {str(one.column).removeprefix(before): (one.value, one.allowed) for one in found}


def test_an_assumed_column_that_no_simulation_reads_is_a_fault() -> None:
    levels = {"arm": ["none", "coach", "video"], "post": [0, 1]}
    assert unread_columns(REGRESSION, levels=levels, repeated=["post"]) == {}
    assert unread_columns(REGRESSION, levels={"amr": ["a"]}, repeated=["arm", "psot"]) == {
        "levels.amr": ("amr", "arm, post"),
        "repeated.1": ("psot", "arm, post"),
    }
    # a column of the items varies as the items do, unless the plan has its values
    items = [{"item_id": "a", "scenario": "s", "post": "1"}]
    own = "no column here: its values are those of the items"
    assert unread_columns(REGRESSION, items=items, repeated=["post"]) == {
        "repeated.0": ("post", "arm")
    }
    alone = REGRESSION | {"predictors": "post", "contrasts": {}, "terms": ["post"]}
    assert unread_columns(alone, items=items, repeated=["post"]) == {"repeated.0": ("post", own)}
    assert unread_columns(alone, items=items, levels={"post": [0, 1]}, repeated=["post"]) == {}
    # the person is known already, and an outcome follows from the others
    people = REGRESSION | {"predictors": "C(arm) * post + C(person_id) + warm"}
    assert set(unread_columns(people, levels={"person_id": ["p"], "warm": [1]})) == {
        "levels.person_id",
        "levels.warm",
    }
    two = REGRESSION | {"id": "two", "predictors": "C(arm) * post * age"}
    assert unread_columns(REGRESSION, two, of="two", levels={"arm": ["a", "b"], "age": [1]}) == {
        "levels.arm": ("arm", "age")
    }
    (why,) = unread_columns(
        REGRESSION, REGRESSION | {"id": "two"}, of="two", repeated=["arm"]
    ).values()
    assert why == ("arm", "no column here: analysis skills decides how its columns are simulated")


def test_only_a_regression_of_an_own_table_has_assumed_columns() -> None:
    (found,) = unread_columns(CHANGE, of="change", levels={"arm": ["a"]}).values()
    assert found == (
        "arm",
        "no column here: levels and repeated are about the columns of a regression",
    )
    ratings = REGRESSION | {"data": "trials", "outcomes": ["chose"], "judge": "length"}
    ratings |= {"predictors": "gap", "contrasts": {}, "terms": ["gap"], "model": "logit"}
    ratings.pop("sd")
    ratings.pop("cluster")
    (found,) = unread_columns(ratings, repeated=["gap"]).values()
    assert "people's answers follow from assumptions.raters" in str(found[1])


def test_assumed_words_of_a_column_of_numbers_are_a_fault() -> None:
    given = unread_columns(REGRESSION, levels={"post": [0, "late"], "arm": ["none", "coach"]})
    assert given == {
        "levels.post.1": ("late", "a number, or C(post) in predictors, if these are categories")
    }


def test_a_formula_with_an_open_bracket_has_its_columns() -> None:
    assert names_in("(arm + C(post") == ["arm", "post"]


@pytest.mark.parametrize(
    ("name", "levels"),
    [("arm", (["coach", "video", "0"], ["0", "coach", "video"])), ("post", ([0, 1], [0, 2]))],
)
def test_every_assumed_column_that_is_allowed_changes_the_simulated_tables(
    name: str, levels: tuple[list[object], list[object]]
) -> None:
    one, other = (
        simulated_tables(
            plan(REGRESSION, effects={"skills": {"levels": {name: values}}}),
            ITEMS,
            np.random.default_rng(1),
        )["talks"]
        for values in levels
    )
    assert not one[name].equals(other[name])


@pytest.mark.parametrize(
    ("analyses", "of"),
    [
        ((CHANGE,), "change"),
        ((THEMES | {"themes": ["hope", "help"]},), "themes"),
        ((REGRESSION,), "skills"),
        ((CHANGE | {"table": "talks", "value": "warm", **ARMS}, REGRESSION), "skills"),
        ((REGRESSION, REGRESSION | {"id": "two", "outcomes": ["wise"]}), "two"),
    ],
)
def test_every_name_that_is_allowed_changes_the_simulated_tables(
    analyses: tuple[dict[str, Any], ...], of: str
) -> None:
    ((_, allowed),) = unread(*analyses, **{of: {"no such name": 1.0}})
    for name in allowed.split(", "):
        made = [
            simulated_tables(
                plan(*analyses, effects={of: {"effect": {name: size}}}),
                ITEMS,
                np.random.default_rng(1),
            )
            for size in (0.2, 0.9)
        ]
        assert any(not made[0][table].equals(made[1][table]) for table in made[0]), name


def test_sources_that_only_the_items_name() -> None:
    text = yaml.safe_load((WORKED / "source_ratings" / "plan.yaml").read_text())
    text["analyses"] = [{"id": "whose", "kind": "source_ratings", "source": "by"}]
    text |= {"gate": [], "hypotheses": []}
    text["assumptions"] = {"effects": {"whose": {"effect": {"a": 1.0, "c": 1.0}}}}
    of = parse_plan(yaml.safe_dump(text), file="plan.yaml")
    (fault,) = faults_of_effects(of, [{"item_id": "1", "by": "a"}, {"item_id": "2", "by": "b"}])
    assert (fault.value, fault.allowed) == ("c", "a, b")


def test_an_effect_without_a_size_is_half_a_standard_deviation() -> None:
    one = REGRESSION | {"outcomes": ["warm"], "contrasts": {}, "terms": ["C(arm)[T.coach]:post"]}
    effects = {"skills": {"people": 6000, "between": 3.0, "within": 1.0}}
    assert found(plan(one, effects=effects))["C(arm)[T.coach]:post"] == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("model", ["logit", "ordinal"])
def test_log_odds_of_choices_and_categories(model: str) -> None:
    one = {
        "id": "one",
        "kind": "regression",
        "model": model,
        "data": "answers",
        "outcomes": ["said"],
        "predictors": "C(group)",
        "cluster": "person_id",
        "terms": ["C(group)[T.treated]"],
    }
    given = {"one": {"people": 8000, "between": 0, "effect": {"C(group)[T.treated]": 0.8}}}
    assert found(plan(one, effects=given))["C(group)[T.treated]"] == pytest.approx(0.8, abs=0.12)


def test_variances_and_changes_of_scores() -> None:
    given = {"people": 9000, "between": 4.0, "within": 2.0, "effect": {"coach": 3.0}}
    estimates = found(plan(CHANGE, effects={"change": given}))
    assert estimates["variance between people"] == pytest.approx(4.0, rel=0.1)
    assert estimates["variance within people"] == pytest.approx(2.0, rel=0.1)
    # the threshold is 1.96 standard errors of a change, 1.96 * sqrt(2 * 1.5)
    assert estimates["none: improved"] == pytest.approx(0.025, abs=0.01)
    assert estimates["video: improved"] == pytest.approx(0.025, abs=0.01)
    assert estimates["coach: improved"] == pytest.approx(0.41, abs=0.04)


def test_lower_scores_are_better_where_the_plan_says_so() -> None:
    estimates = found(plan(CHANGE | {"better": "lower"}, effects={"change": {"people": 3000}}))
    assert (estimates["coach: improved"] or 0) > (estimates["coach: declined"] or 1)


def test_people_who_leave_have_no_scores_after() -> None:
    tables = simulated_tables(
        plan(CHANGE, raters={"drop_out": 0.5}), ITEMS, np.random.default_rng(1)
    )
    counts = tables["scores"]["round"].value_counts()
    assert counts["1"] == 150
    assert counts["2"] == counts["3"] == pytest.approx(75, abs=20)


@pytest.mark.parametrize("labels", [True, False])
def test_shares_of_themes(labels: bool) -> None:
    one = THEMES if labels else {**THEMES, "columns": ["hope", "help"]}
    if not labels:
        one = {k: v for k, v in one.items() if k != "labels"}
    given = {"themes": {"people": 9000, "effect": {"hope": 0.2, "help": -0.1}}}
    estimates = found(plan(one, effects=given))
    assert estimates["hope"] == pytest.approx(0.2, abs=0.03)
    assert estimates["help"] == pytest.approx(-0.1, abs=0.03)


def test_two_analyses_may_read_one_table() -> None:
    term = "C(condition, Treatment('none'))[T.coach]:C(round)[T.2.0]"
    both: dict[str, Any] = {
        **REGRESSION,
        "data": "scores",
        "outcomes": ["score"],
        "predictors": "C(condition, Treatment('none')) * C(round)",
        "contrasts": {},
        "terms": [term],
        "sd": None,
    }
    given = {"change": {"people": 6000, "effect": {"coach": 2.0}}}
    estimates = found(plan(both, CHANGE, effects=given))
    assert estimates[term] == pytest.approx(2.0, abs=0.15)


def test_a_formula_that_cannot_be_computed_is_named() -> None:
    wrong = REGRESSION | {"predictors": "C(arm) * post * np.log(0 * post)"}
    with pytest.raises(RatifyError, match="on simulated data"):
        simulated_tables(plan(wrong), ITEMS, np.random.default_rng(1))


def test_an_assumption_about_nothing_is_refused() -> None:
    with pytest.raises(RatifyError, match="the plan does not have"):
        plan(CHANGE, effects={"chance": {"people": 10}})
    with pytest.raises(RatifyError, match="the plan does not have"):
        plan(CHANGE, judges={"each": {"nobody": 0.5}})


def test_levels_are_read_from_what_the_plan_names() -> None:
    one = regression(REGRESSION)
    assert levels_of(one, "arm", Effects()) == ("baseline", "coach", "video")
    assert levels_of(one, "arm", Effects(levels={"arm": ("x", "y")})) == ("x", "y")
    treated = REGRESSION | {"predictors": "C(arm, Treatment('zero')) * post", "contrasts": {}}
    treated |= {"terms": ["C(arm, Treatment('zero'))[T.coach]"]}
    assert levels_of(regression(treated), "arm", Effects()) == ("zero", "coach")
    assert names_in("C(arm, Treatment(reference='a')) * np.log(x) + Q('a b')") == [
        "arm",
        "x",
        "a b",
    ]


def test_a_file_has_the_names_and_the_decimal_mark_of_the_plan() -> None:
    text = plan(CHANGE).model_copy(
        update={
            "data": plan(CHANGE).data.model_validate(
                {"decimal": ",", "columns": {"scores": {"score": "punkte"}}}
            )
        }
    )
    table = simulated_tables(text, ITEMS, np.random.default_rng(1))["scores"]
    written = in_file(text, "scores", table)
    assert list(written.columns) == ["person_id", "round", "condition", "punkte"]
    assert written["punkte"].str.contains(",").any()
    assert not written["punkte"].str.contains(".", regex=False).any()


def test_a_formula_that_runs_code_is_refused_before_it_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    program = f"C(arm) + open('{mark}', 'w').write('x')"
    analysis = {k: v for k, v in REGRESSION.items() if k != "contrasts"}
    made = plan(analysis | {"terms": ["C(arm)[T.coach]"]}, effects={"skills": {}})
    regression = made.analyses[0].model_copy(update={"predictors": program})
    made = made.model_copy(update={"analyses": (regression,)})
    with pytest.raises(RatifyError):
        simulated_tables(made, ITEMS, np.random.default_rng(1))
    assert not mark.exists()
