"""If these fail, a registered logit reports another number than it should, or a wrong certainty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy.special import expit, logit

from analysis.regression.fit import clustered_logit, clustered_ols, predicted_probability
from prereg.errors import RatifyError

FORMULA = "select_higher ~ gap + C(scenario)"
TOPICS = {"a": 0.0, "b": 0.44, "c": 0.41, "d": 0.14, "e": -0.09}


def study(seed: int, raters: int = 150, trials: int = 10, taste: float = 0.0) -> pd.DataFrame:
    """Return trials whose choices follow the published logit: gap 0.14, topics as above."""
    rng = np.random.default_rng(seed)
    n = raters * trials
    scenario = np.tile(np.repeat(list(TOPICS), trials // 5), raters)
    frame = pd.DataFrame(
        {
            "gap": rng.integers(1, 15, n).astype(float),
            "scenario": scenario,
            "rater_id": np.repeat([f"r{k}" for k in range(raters)], trials),
        }
    )
    shift = np.repeat(taste * rng.normal(size=raters), trials)
    odds = -0.09 + 0.14 * frame["gap"] + frame["scenario"].map(TOPICS) + shift
    frame["select_higher"] = (rng.random(n) < expit(odds)).astype(float)
    return frame


@pytest.mark.parametrize("kind", ["logit", "ols"])
def test_numbers_are_statsmodels_own(kind):
    data = study(1).astype({"scenario": "str"})
    ours = (clustered_logit if kind == "logit" else clustered_ols)(
        data, FORMULA, cluster="rater_id"
    )
    plain = data.astype({"scenario": object, "rater_id": object})
    build = smf.logit if kind == "logit" else smf.ols
    fit = build(FORMULA, plain).fit(
        cov_type="cluster",
        cov_kwds={"groups": pd.factorize(plain["rater_id"])[0]},
        **({"disp": 0, "tol": 1e-12} if kind == "logit" else {}),
    )
    for name, theirs in (
        ("params", fit.params),
        ("bse", fit.bse),
        ("zvalues", fit.tvalues),
        ("pvalues", fit.pvalues),
    ):
        assert getattr(ours, name).to_numpy() == pytest.approx(theirs.to_numpy(), abs=1e-8)
        assert list(getattr(ours, name).index) == list(theirs.index)
    assert ours.conf_int(0.1).to_numpy() == pytest.approx(fit.conf_int(0.1).to_numpy(), abs=1e-8)
    table = ours.to_frame()
    assert list(table.columns) == ["term", "estimate", "se", "z", "p", "low", "high"]
    assert table["low"].to_numpy() == pytest.approx(fit.conf_int()[0].to_numpy(), abs=1e-8)
    assert (ours.n, ours.n_clusters, ours.n_dropped, ours.warnings) == (1500, 150, 0, ())


def test_errors_are_clustered():
    data = study(2)
    twice = pd.concat([data, data], ignore_index=True)
    one = clustered_logit(data, FORMULA, cluster="rater_id")
    two = clustered_logit(twice, FORMULA, cluster="rater_id")
    # Saying everything twice tells nothing new: only (n - 1) / (n - k) moves.
    assert two.bse.to_numpy() == pytest.approx(one.bse.to_numpy(), rel=2e-3)


def test_intervals_cover_the_truth():
    # a quick look; the promise itself is held in tests/validation/regression.py
    hits, estimates = 0, []
    for seed in range(25):
        found = clustered_logit(study(seed), FORMULA, cluster="rater_id")
        low, high = found.conf_int().loc["gap"]
        hits += low <= 0.14 <= high
        estimates.append(found.params["gap"])
    assert hits >= 20
    assert np.mean(estimates) == pytest.approx(0.14, abs=4 * np.std(estimates) / 5)


def test_rows_with_missing_cells_are_left_out_and_counted():
    data = study(3)
    data.loc[[0, 5], "select_higher"] = np.nan
    data.loc[7, "scenario"] = None
    data.loc[9, "rater_id"] = None
    got = clustered_logit(data, FORMULA, cluster="rater_id")
    whole = clustered_logit(data.drop(index=[0, 5, 7, 9]), FORMULA, cluster="rater_id")
    assert (got.n, got.n_dropped) == (1496, 4)
    assert got.bse.to_numpy() == pytest.approx(whole.bse.to_numpy(), abs=1e-12)
    assert got.warnings == ("4 rows left out because a column of the formula is missing",)


def test_types_of_tidy_tables_are_understood():
    data = study(4)
    expected = clustered_logit(data, FORMULA, cluster="rater_id")
    typed = data.convert_dtypes().astype({"select_higher": "boolean"})
    for table in (typed, data.astype({"select_higher": bool})):
        got = clustered_logit(table, FORMULA, cluster="rater_id")
        assert got.params.to_numpy() == pytest.approx(expected.params.to_numpy(), abs=1e-9)


def test_formula_may_transform_and_quote():
    data = study(5).rename(columns={"gap": "the gap"})
    formula = "select_higher ~ np.log(Q('the gap')) * C(scenario, Treatment(reference='b'))"
    got = clustered_logit(data, formula, cluster="rater_id")
    assert len(got.params) == 10
    formula = formula.replace("np.log(Q('the gap'))", "np.where(Q('the gap') > 1.5, 1, np.pi)")
    assert len(clustered_logit(data, formula, cluster="rater_id").params) == 10
    assert "C(scenario, Treatment(reference='b'))[T.a]" in got.params.index


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("select_higher ~ gapp", ("'gapp'", "gap, scenario")),
        ("select_higher ~ gap +", ("cannot be computed",)),
        ("select_higher ~ Q('no such')", ("'no such'",)),
        ("select_higher ~ (gap", ("cannot be read",)),
        ("select_higher ~ np.log(gap - 1)", ("cannot be computed",)),
        ("select_higher ~ __import__('os').getpid()", ("no such function", "Treatment")),
        ("select_higher ~ gap.to_csv('x')", ("'.to_csv'", "np.log")),
        ("select_higher ~ np.save('x', gap)", ("'.save'",)),
        ("select_higher ~ np.log.__class__(gap)", ("'.__class__'",)),
        ("select_higher ~ C(scenario, Treatment(f'{1}'))", ("computes a text",)),
        ("gap ~ C(scenario)", ("not an outcome of a logit", "0, 1")),
        ("select_higher ~ gap + I(2 * gap)", ("linear combinations",)),
    ],
)
def test_bad_formulas_end_in_one_line(formula, words):
    with pytest.raises(RatifyError) as caught:
        clustered_logit(study(6), formula, cluster="rater_id")
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_tables_that_cannot_be_fitted():
    data = study(7)
    with pytest.raises(RatifyError, match="no column 'person'"):
        clustered_logit(data, FORMULA, cluster="person")
    with pytest.raises(RatifyError, match="need clusters"):
        clustered_logit(data.assign(rater_id="r"), FORMULA, cluster="rater_id")
    for fit in (clustered_logit, clustered_ols):
        with pytest.raises(RatifyError, match="same in every row"):
            fit(data.assign(select_higher=1.0), FORMULA, cluster="rater_id")
    with pytest.raises(RatifyError, match="no row has all columns"):
        clustered_logit(data.assign(gap=np.nan), FORMULA, cluster="rater_id")
    with pytest.raises(RatifyError, match="no rows to fit"):
        clustered_logit(data.iloc[:0], FORMULA, cluster="rater_id")
    with pytest.raises(RatifyError, match="too few rows"):
        three = data.iloc[[0, 12, 24]].assign(select_higher=[0.0, 1.0, 1.0])
        clustered_logit(three, FORMULA, cluster="rater_id")


def test_separation_is_detected_and_named():
    data = study(8)
    always = data.assign(
        select_higher=data["select_higher"].where(data["scenario"] != "c", 1.0)
    )  # quasi: one scenario always 1
    with pytest.raises(RatifyError, match=r"separated.*C\(scenario\)\[T\.c\]") as caught:
        clustered_logit(always, FORMULA, cluster="rater_id")
    assert "T.b" not in str(caught.value)
    with pytest.raises(RatifyError, match=r"separated.*: gap \("):
        clustered_logit(
            data.assign(select_higher=(data["gap"] > 7).astype(float)), FORMULA, cluster="rater_id"
        )
    nearly = always.copy()
    nearly.loc[nearly.index[nearly["scenario"] == "c"][0], "select_higher"] = 0.0
    assert clustered_logit(nearly, FORMULA, cluster="rater_id").params["C(scenario)[T.c]"] > 1
    # OLS has no such trouble.
    assert np.isfinite(clustered_ols(always, FORMULA, cluster="rater_id").params).all()


def test_few_clusters_are_said():
    got = clustered_logit(study(9, raters=30), FORMULA, cluster="rater_id")
    assert len(got.warnings) == 1
    assert "only 30 clusters (rater_id): with fewer than 40" in got.warnings[0]
    tiny = clustered_ols(study(9, raters=5), FORMULA, cluster="rater_id")
    assert any("not of full rank" in text for text in tiny.warnings)


def test_predicted_probability_is_the_mean_over_observed_rows():
    data = study(10)
    data.loc[0, "gap"] = np.nan
    fit = clustered_logit(data, FORMULA, cluster="rater_id")
    curve = predicted_probability(fit, data, "gap", [1.0, 8.0])
    rows = data.dropna()
    for value, p, low, high in curve.itertuples(index=False):
        X = np.column_stack(
            [np.ones(len(rows))]
            + [(rows["scenario"] == s).to_numpy(float) for s in "bcde"]
            + [np.full(len(rows), value)]
        )
        each = expit(X @ fit.params.to_numpy())
        assert p == pytest.approx(each.mean(), abs=1e-12)
        slope = (each * (1 - each)) @ X / len(rows)
        se = np.sqrt(slope @ fit.cov_params.to_numpy() @ slope) / (p * (1 - p))
        assert logit(high) - logit(p) == pytest.approx(1.959963984540054 * se, abs=1e-9)
        assert logit(p) - logit(low) == pytest.approx(1.959963984540054 * se, abs=1e-9)
    assert list(curve.columns) == ["gap", "probability", "low", "high"]


def test_predicted_probability_with_only_the_term():
    data = study(11)
    fit = clustered_logit(data, "select_higher ~ gap", cluster="rater_id")
    curve = predicted_probability(fit, data, "gap", np.arange(1, 15))
    expected = expit(fit.params["Intercept"] + fit.params["gap"] * np.arange(1, 15))
    assert curve["probability"].to_numpy() == pytest.approx(expected, abs=1e-12)
    with pytest.raises(RatifyError, match="scenario: is not in the formula"):
        predicted_probability(fit, data, "scenario", [1.0])
    with pytest.raises(RatifyError, match="select_higher: is not in the formula"):
        predicted_probability(fit, data, "select_higher", [1.0])
    with pytest.raises(RatifyError, match="is not a logit"):
        predicted_probability(clustered_ols(data, FORMULA, cluster="rater_id"), data, "gap", [1.0])


def test_a_variance_that_rounds_below_zero_is_no_warning_to_the_reader():
    # Two people in each arm: where both change alike, a variance is zero but for rounding.
    unknown = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = [
            (arm, f"{arm}{person}", post, float(rng.integers(1, 6)))
            for arm in "abcd"
            for person in (1, 2)
            for post in (0, 1)
        ]
        data = pd.DataFrame(rows, columns=["arm", "who", "post", "y"])
        fit = clustered_ols(data, "y ~ C(arm) * post", cluster="who")
        unknown += int(fit.bse.isna().any())
    assert unknown
