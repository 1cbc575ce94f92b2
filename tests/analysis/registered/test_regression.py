"""If these fail, a plan's regression is run on other rows, in other units or another family.

Also: a plan that contradicts itself is locked.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from statsmodels.stats.multitest import multipletests

from analysis.evidence.evidence import Evidence
from analysis.inference.families import correct_families
from analysis.registered.finding import Finding
from analysis.registered.regression import family_tests, in_families, run_regression
from analysis.registered.regression_rows import regression_rows, with_numbers
from analysis.regression.figures import plot_effects
from analysis.regression.fit import clustered_logit, clustered_ols, robust_ols
from analysis.regression.judge_gap import trials_with_gap
from analysis.results.numbers import interval, number
from prereg.analyses.regression import Regression
from prereg.analyses.units import unit_of
from prereg.errors import RatifyError

PLAN = {
    "id": "skills",
    "kind": "regression",
    "hypothesis": "H1",
    "model": "ols",
    "data": "conversations",
    "outcomes": ["warm", "advice-given"],
    "predictors": "C(arm) * post",
    "cluster": "person_id",
    "terms": ["post"],
    "contrasts": {"coach - video": "C(arm)[T.coach]:post - C(arm)[T.video]:post"},
    "sd": {"of": "baseline", "column": "post", "value": 0},
    "family": {"over": "each_outcome", "correction": "holm"},
}


def conversations() -> pd.DataFrame:
    """Return a table as a study folder gives it: all text."""
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(45), 3)
    arm = np.array(["a", "coach", "video"])[person % 3]
    post = np.tile([0, 1, 1], 45)
    effect = 0.7 * post * (arm == "coach")
    numbers = {
        name: rng.normal(size=45)[person] + rng.normal(size=135) + effect
        for name in ("warm", "advice-given")
    }
    return pd.DataFrame(
        {"person_id": person, "arm": arm, "post": post, "age": 20 + person, **numbers}
    ).astype("str")


def trials() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    left = rng.integers(8, size=400)
    right = (left + rng.integers(1, 8, size=400)) % 8
    session = np.repeat(np.arange(50), 8).astype(str)
    chosen = np.where(rng.random(400) < 0.5 + 0.03 * (left - right), "left", "right")
    ids = np.array([f"i{n}" for n in range(8)])
    return pd.DataFrame(
        {
            "session_id": session,
            "rater_id": session,
            "left_id": ids[left],
            "right_id": ids[right],
            "choice": chosen,
        }
    )


TABLE = conversations()
SCORES = pd.DataFrame(
    {
        "item_id": [f"i{n}" for n in range(8)],
        "scenario": "s",
        "warmth": np.arange(8.0),
        "pity": [2.0, 1, 3, 5, 1, 4, 4, 2],
        "overall": np.arange(8.0),
    }
)
RATINGS = pd.DataFrame(
    {
        "rater_id": np.repeat([f"r{n}" for n in range(50)], 4),
        "session_id": np.repeat([f"s{n}" for n in range(50)], 4),
        "item_id": np.tile(["i1", "i1", "i2", "i2"], 50),
        "dimension": np.tile(["warm", "wise"], 100),
        "value": np.random.default_rng(4).integers(1, 6, 200).astype(float),
    }
)


# options that look like numbers are categories all the same; the points of a scale are numbers
PHONE = SimpleNamespace(column="survey_phone", kind="choice")


def evidence(mode: str = "live") -> Evidence:
    visits = {
        "session_id": [f"s{n}" for n in range(50)],
        "rater_id": [f"r{n}" for n in range(50)],
        "age": [str(20 + n) for n in range(50)],
        "survey_phone": [str(n % 2) for n in range(50)],
        "survey_trust": [str(n % 7) for n in range(50)],
    }
    fake = SimpleNamespace(
        status="confirmatory",
        simulated=mode == "bot",
        people=trials(),
        ratings=RATINGS,
        judge_ratings=RATINGS.assign(rater_id="judge"),
        participants=pd.DataFrame(visits),
        items=pd.DataFrame(
            {
                "item_id": ["i1", "i2"],
                "text": ["x", "y"],
                "source": ["p", "llm"],
                "warm": ["1", "2"],
            }
        ),
        judges={"judge": SimpleNamespace(scores=SCORES)},
        plan=SimpleNamespace(survey=(PHONE,)),
        table=lambda name: TABLE,
        table_path=lambda name: Path(f"{name}.csv"),
        note=lambda sentences: None,
        rng=lambda purpose: np.random.default_rng(7),
    )
    return cast("Evidence", fake)


def plan(**changes) -> Regression:
    return Regression(**{**PLAN, **changes})


@pytest.fixture(scope="module")
def finding() -> Finding:
    return run_regression(plan(), evidence())


def fitted(outcome: str):
    data = with_numbers(TABLE, used=frozenset())[0]
    return clustered_ols(data, f"Q('{outcome}') ~ C(arm) * post", cluster="person_id"), data


def test_numbers_are_those_of_the_functions(finding):
    names = [
        "warm: post",
        "warm: coach - video",
        "advice-given: post",
        "advice-given: coach - video",
    ]
    assert [q.name for q in finding.quantities] == names == plan().quantity_names(None)
    fit, data = fitted("advice-given")
    got = finding.quantities[3]
    interactions = fit.params[["C(arm)[T.coach]:post", "C(arm)[T.video]:post"]]
    assert got.estimate == pytest.approx(interactions.iloc[0] - interactions.iloc[1])
    assert (got.n, got.clusters, got.unit_of_n) == (135, 45, "rows of conversations")
    assert (got.unit, got.hypothesis, got.status) == ("points of the outcome", "H1", "confirmatory")
    effects = finding.tables[0].frame
    spread = data.loc[data["post"] == 0, "advice-given"].std(ddof=1)
    assert effects["sd"].iloc[3] == pytest.approx(spread)
    assert effects["estimate_sd"].iloc[3] == pytest.approx(got.estimate / spread)
    assert effects["sd_of"].iloc[3] == "advice-given at baseline (post = 0), 45 rows"
    assert len(finding.tables[1].frame) == 12  # every coefficient of both outcomes
    assert finding.sentence.startswith("In the registered regression skills, warm, post: ")
    assert "standard deviations" in finding.sentence
    assert "coach - video" in finding.figures[0].alt


@pytest.mark.parametrize(("over", "size"), [("each_outcome", 2), ("all_outcomes", 4)])
def test_a_family_says_over_which_tests(over, size):
    got = run_regression(plan(family={"over": over, "correction": "holm"}), evidence())
    effects = got.tables[0].frame
    p = effects["p"].to_numpy()
    parts = [p[:2], p[2:]] if size == 2 else [p]
    expected = np.concatenate([multipletests(part, method="holm")[1] for part in parts])
    assert [q.p_value for q in got.quantities] == pytest.approx(expected)
    assert effects["tests"].tolist() == [size] * 4
    assert f"Holm over {size} tests" in got.quantities[0].note
    assert f"({size} tests)" in got.tables[0].caption


def test_a_shared_family_is_corrected_over_all_analyses():
    shared = {"over": "shared", "name": "primary", "correction": "benjamini_hochberg"}
    plans = [plan(family=shared), plan(id="other", family=shared, outcomes=["warm"])]
    findings = [run_regression(one, evidence()) for one in plans]
    raw = [q.p_value for one in findings for q in one.quantities]
    tests = [t for one, got in zip(plans, findings, strict=True) for t in family_tests(one, got)]
    families = correct_families(tests)
    assert [len(family.members) for family in families] == [6]
    done = [q for one in findings for q in in_families(one, families).quantities]
    assert [q.p_value for q in done] == pytest.approx(multipletests(raw, method="fdr_bh")[1])
    assert "Benjamini-Hochberg over 6 tests (primary)" in done[0].note
    before = findings[0].quantities[0].note
    assert "uncorrected" not in before
    assert done[0].note.startswith(f"{before} p ")
    # an analysis without estimates keeps its place in the family
    assert [t.p_value for t in family_tests(plans[1], Finding())] == [None, None]
    assert family_tests(plan(), findings[0]) == []


def test_a_logit_of_trials():
    analysis = plan(
        id="components",
        data="trials",
        judge="judge",
        model="logit",
        outcomes=["select_higher"],
        predictors="gap + diff_pity",
        cluster="rater_id",
        terms=["gap", "diff_pity"],
        contrasts={},
        sd=None,
        predictions={"gap": [1, 5]},
        average_effects=["gap"],
    )
    got = run_regression(analysis, evidence())
    rows = trials_with_gap(trials(), SCORES, preference=None, dimensions=["warmth", "pity"]).frame
    fit = clustered_logit(rows, "select_higher ~ gap + diff_pity", cluster="rater_id")
    assert [q.estimate for q in got.quantities] == pytest.approx(fit.params[["gap", "diff_pity"]])
    assert [q.name for q in got.quantities] == ["gap", "diff_pity"]
    assert "odds are multiplied" in got.sentence
    assert "estimate_sd" not in got.tables[0].frame
    assert got.tables[2].frame["gap"].tolist() == [1, 5]
    assert got.tables[3].frame["change"].tolist() == ["per unit"]
    left = regression_rows(
        analysis.model_copy(update={"differences": "left_minus_right"}), evidence()
    )["select_higher"]
    assert left["diff_pity"].tolist() != rows["diff_pity"].tolist()
    assert left["diff_pity"].abs().tolist() == rows["diff_pity"].abs().tolist()


def test_an_effect_on_a_choice_is_a_proportion():
    analysis = plan(
        data="trials",
        judge="judge",
        model="ols",
        outcomes=["select_higher", "chose_left"],
        predictors="gap",
        cluster="rater_id",
        terms=["gap"],
        contrasts={},
        sd=None,
    )
    got = run_regression(analysis, evidence())
    assert {q.unit for q in got.quantities} == {"proportion"}
    assert unit_of(analysis, "select_higher: gap") == "proportion"
    estimate = got.quantities[0].estimate
    assert f"{100 * estimate:+.1f} [".replace("-", "−") in got.sentence
    assert "percentage points" in got.sentence
    assert "_raw: proportion." in got.tables[0].caption
    assert unit_of(analysis.model_copy(update={"model": "logit"}), "select_higher: gap") == (
        "log-odds"
    )


def test_traps_are_said_after_the_effects(finding):
    reference = "post is the effect where C(arm) is a (the reference), and not an average"
    assert reference in finding.sentence
    analysis = plan(
        model="logit",
        data="trials",
        judge="judge",
        outcomes=["select_higher"],
        predictors="diff_pity",
        cluster=None,
        terms=["diff_pity"],
        contrasts={},
        sd=None,
    )
    assert analysis.clustering == "rater_and_items"
    oriented = run_regression(analysis, evidence())
    assert "left minus right" not in oriented.sentence
    assert "by rater and by both items" in oriented.quantities[0].method
    left = run_regression(
        analysis.model_copy(update={"differences": "left_minus_right"}), evidence()
    )
    assert "these coefficients say nothing about agreement" in left.sentence


def of_trials(**changes) -> Regression:
    return plan(
        id="components",
        data="trials",
        judge="judge",
        **{
            "model": "logit",
            "outcomes": ["select_higher"],
            "predictors": "gap + diff_pity",
            "cluster": None,
            "terms": ["gap", "diff_pity"],
            "contrasts": {},
            "sd": None,
            **changes,
        },
    )


def with_ties(n: int) -> Evidence:
    fake = evidence()
    fake.people.loc[: n - 1, "choice"] = "tie"
    fake.raters = "people"  # type: ignore[misc]
    return fake


def test_the_published_errors_of_a_regression_on_trials_are_in_its_methods():
    rows = trials_with_gap(trials(), SCORES, preference=None, dimensions=["warmth", "pity"]).frame
    for model, fitted_by in (("logit", clustered_logit), ("ols", clustered_ols)):
        got = run_regression(of_trials(model=model), evidence()).methods
        fit = fitted_by(rows, "select_higher ~ gap + diff_pity", cluster="rater_id")
        for term in ("gap", "diff_pity"):
            ends = interval(*fit.conf_int().loc[term])
            error = number(fit.bse[term], 4)
            assert f"of {term} would be {error}, and its interval {ends}" in got
    assert run_regression(of_trials(cluster="rater_id"), evidence()).methods == ""
    assert run_regression(plan(outcomes=["warm"]), evidence()).methods == ""


def test_the_plural_of_a_t_test_is_of_its_tests_and_not_of_its_df():
    found = run_regression(plan(outcomes=["warm"], distribution="t"), evidence())
    assert ", t tests, 44 df, not corrected" in found.tables[1].caption


def test_captions_of_trials_say_what_was_done_with_ties():
    found = run_regression(of_trials(), with_ties(40))
    said = "40 of 400 trials are left out, because people chose neither side (a tie)."
    captions = [found.tables[0].caption, found.tables[1].caption, found.figures[0].caption]
    assert all(said in caption for caption in captions)
    assert found.quantities[0].n == 360
    one = run_regression(of_trials(), with_ties(1))
    assert "1 of 400 trials is left out" in one.tables[0].caption
    assert "a tie" not in run_regression(of_trials(), evidence()).tables[0].caption


def test_a_tie_that_has_the_outcome_is_not_said_to_be_left_out():
    fake = with_ties(40)
    fake.people["response_ms"] = np.arange(400.0)
    both = of_trials(model="ols", outcomes=["chose_left", "response_ms"])
    found = run_regression(both, fake)
    n = {q.name.partition(":")[0]: q.n for q in found.quantities}
    assert (n["chose_left"], n["response_ms"]) == (360, 400)
    assert "(a tie), except from the regression of response_ms." in found.tables[0].caption


def test_hc3_on_trials_advises_raters_and_items():
    found = run_regression(of_trials(model="ols", errors="HC3"), evidence())
    assert (
        "400 trials share raters or items: use errors: cluster with cluster: rater_and_items"
        in (found.sentence)
    )
    assert "cluster: rater_id" not in found.sentence


def test_few_clusters_are_bootstrapped_as_the_plan_says():
    small = {"below": 60, "resamples": 199}
    got = run_regression(plan(outcomes=["warm"], few_clusters=small), evidence("bot"))
    assert "restricted wild cluster bootstrap" in got.quantities[0].method
    assert "199 draws" in got.quantities[0].method
    assert "Simulated raters." in got.figures[0].caption
    assert got.quantities[0].low is not None


def test_demographics_with_hc3():
    analysis = plan(
        errors="HC3",
        cluster=None,
        predictors="age",
        terms=["age"],
        contrasts={},
        outcomes=["warm"],
        sd=None,
    )
    got = run_regression(analysis, evidence()).quantities[0]
    fit = robust_ols(with_numbers(TABLE, used=frozenset())[0], "warm ~ age")
    assert (got.se, got.p_value) == pytest.approx((fit.bse["age"], fit.pvalues["age"]))
    assert got.clusters is None


def test_rows_of_ratings_carry_item_and_visit():
    analysis = plan(
        data="ratings",
        outcomes=["warm"],
        predictors="source + age",
        cluster="rater_id",
        terms=["age"],
        contrasts={},
        sd=None,
    )
    rows = regression_rows(analysis, evidence())["warm"]
    assert len(rows) == 100
    assert rows["warm"].tolist() == RATINGS[RATINGS["dimension"] == "warm"]["value"].tolist()
    assert rows["item_warm"].tolist() == [1.0, 2.0] * 50
    assert rows["age"].tolist() == np.repeat(20.0 + np.arange(50), 2).tolist()
    assert rows["source"].tolist() == ["p", "llm"] * 50
    assert rows["survey_phone"].tolist()[:4] == ["0", "0", "1", "1"]
    assert rows["survey_trust"].tolist()[:4] == [0.0, 0.0, 1.0, 1.0]
    assert run_regression(analysis, evidence()).quantities[0].unit_of_n == "ratings"
    of_judge = analysis.model_copy(update={"data": "judge_ratings", "judge": "judge"})
    assert set(regression_rows(of_judge, evidence())["warm"]["rater_id"]) == {"judge"}
    with pytest.raises(RatifyError, match=r"nobody rated.*warm, wise"):
        regression_rows(analysis.model_copy(update={"outcomes": ("kind",)}), evidence())
    with pytest.raises(RatifyError, match="no such ratings"):
        regression_rows(of_judge.model_copy(update={"judge": "nobody"}), evidence())


def test_text_becomes_numbers_where_every_cell_is_one():
    table = pd.DataFrame(
        {
            "a": ["1", "", "2.5"],
            "b": ["1", "x", "2"],
            "rater_id": ["1", "2", "3"],
            "c": ["", "", ""],
        },
        dtype="str",
    )
    got, read = with_numbers(table, used=frozenset({"a"}))
    assert read == ["a"]
    assert got["a"].tolist()[::2] == [1.0, 2.5]
    assert np.isnan(got["a"].iloc[1])
    for name in ("b", "rater_id", "c"):
        assert got[name].tolist() == table[name].tolist()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cluster": None}, "needs a cluster column"),
        ({"errors": "HC3"}, "HC3 takes none"),
        ({"model": "logit"}, "belong to model: ols"),
        ({"terms": [], "contrasts": {}}, "at least one of terms or contrasts"),
        ({"outcomes": ["warm", "warm"]}, "outcomes must differ"),
        ({"terms": ["coach - video"]}, "must differ"),
        ({"predictors": "y ~ x"}, "right side"),
        ({"data": "trials"}, "needs a judge"),
        ({"judge": "judge"}, "judge belongs to"),
        ({"differences": "left_minus_right"}, "differences belongs to"),
        ({"sd": {"of": "whole", "column": "post", "value": 0}}, "takes no column"),
        ({"sd": {"of": "control"}}, "needs column and value"),
        ({"family": {"over": "shared", "correction": "holm"}}, "a shared family needs a name"),
        ({"family": {"over": "all_outcomes", "correction": "Holm"}}, "benjamini_hochberg"),
    ],
)
def test_a_plan_that_contradicts_itself(changes, words):
    with pytest.raises(ValidationError) as caught:
        plan(**changes)
    assert words in str(caught.value)


def test_the_figure_draws_every_effect(finding):
    effects = finding.tables[0].frame
    ax = plot_effects(effects)
    drawn = np.concatenate(
        [line.get_xdata() for line in ax.lines if line.get_gid() in {"clear", "unclear"}]
    )
    assert sorted(drawn) == pytest.approx(sorted(effects["estimate_sd"]))
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["warm", "advice-given"]
    assert len(ax.get_legend().get_texts()) == 2
    clear = effects[(effects["low_raw"] > 0) | (effects["high_raw"] < 0)]
    solid = [line.get_xdata() for line in ax.lines if line.get_gid() == "clear"]
    assert len(np.concatenate(solid)) == len(clear)
    one = plot_effects(effects[effects["effect"] == "post"], unit="raw", ax=ax)
    assert one is ax
    with pytest.raises(RatifyError, match="no effect has an estimate"):
        plot_effects(effects.assign(estimate_sd=np.nan))


def test_a_column_that_is_empty_everywhere_is_left_as_it_is():
    """Without arms, `condition` is empty; a regression of it once ended in a traceback."""
    table = pd.DataFrame({"condition": ["", "", ""], "mood": ["1", "2", "3"]}, dtype="str")
    read, numbers = with_numbers(table, used=frozenset({"condition", "mood"}))
    assert numbers == ["mood"]
    assert read["condition"].eq("").all()
