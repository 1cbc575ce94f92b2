"""If this failed, somebody would be called improved, or not, by the wrong amount of change."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pingouin
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency, f, norm, t

from analysis.change.reliable_change import ReliableChange, reliable_change, variance_components
from prereg.errors import RatifyError
from tests.reference.change import BETWEEN, WITHIN, published_control


def measured(seed: int = 3, people: int = 30, missing: int = 0) -> pd.DataFrame:
    """Return a control and a coach group, three rounds, some measurements missed."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, effect in (("control", 0.0), ("coach", 4.0)):
        values = 20 + rng.normal(0, 2, (people, 1)) + rng.normal(0, 1.5, (people, 3))
        values[:, 1:] += effect
        ids = np.repeat([f"{name}{i:02d}" for i in range(people)], 3)
        rounds = np.tile(["1", "2", "3"], people)
        parts.append(
            pd.DataFrame(
                {"person_id": ids, "condition": name, "round": rounds, "value": values.ravel()}
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table.loc[rng.choice(len(table), missing, replace=False), "value"] = np.nan
    return table


@pytest.fixture(scope="module")
def gaps() -> pd.DataFrame:
    return measured(missing=30)


@pytest.fixture(scope="module")
def plain(gaps: pd.DataFrame) -> ReliableChange:
    return change(gaps)


def change(data: pd.DataFrame, **more: Any) -> ReliableChange:
    return reliable_change(data, **{"value": "value", "baseline_rounds": ["1"], **more})


def share(found: ReliableChange, condition: str, outcome: str) -> pd.Series:
    return found.shares.set_index(["condition", "outcome"]).loc[condition, outcome]


def test_the_published_components_give_the_published_figures():
    found = change(published_control())
    parts = found.components
    assert (parts.between, parts.within) == pytest.approx((BETWEEN, WITHIN), rel=1e-6)
    assert (parts.people, parts.n, parts.df) == (245, 735, 490)
    assert round(parts.reliability, 4) == 0.6880
    assert round(parts.mean_reliability(2)[0], 4) == 0.8152
    assert round(found.se, 4) == 2.8414
    assert tuple(round(number, 2) for number in found.threshold) == (5.57, 5.24, 5.94)
    errors = found.indices.set_index("index")["se"]
    assert round(errors["error of one measurement"], 2) == 2.32
    assert round(errors["Jacobson-Truax, random intercept"], 2) == 3.28


def test_more_measurements_on_either_side_have_an_error_of_their_own():
    data = published_control()
    one = change(data, post_rounds=["2"])
    assert one.components.n == 490
    assert one.se == pytest.approx(math.sqrt(2 * one.components.within))
    two_before = change(data, baseline_rounds=["1", "2"], post_rounds=["3"])
    assert two_before.se == pytest.approx(math.sqrt(WITHIN * 1.5), rel=1e-6)
    half = change(data, cut=1.0)
    assert half.threshold[0] == pytest.approx(half.se)


@pytest.mark.parametrize("occasion_means", [False, True])
def test_complete_measurements_agree_with_pingouins_intraclass_correlation(occasion_means):
    data = measured().query("condition == 'control'")
    found = variance_components(data, value="value", occasion_means=occasion_means)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pingouin.intraclass_corr(data, "person_id", "round", "value").set_index("Type")
    one, many = ("ICC(C,1)", "ICC(C,k)") if occasion_means else ("ICC(1,1)", "ICC(1,k)")
    assert found.reliability == pytest.approx(table.loc[one, "ICC"], abs=1e-8)
    assert found.reliability_interval == pytest.approx(tuple(table.loc[one, "CI95"]), abs=0.006)
    mean = found.mean_reliability(3)
    assert mean[0] == pytest.approx(table.loc[many, "ICC"], abs=1e-8)
    assert mean[1:] == pytest.approx(tuple(table.loc[many, "CI95"]), abs=0.006)


@pytest.mark.parametrize("formula", ["value ~ 1", "value ~ C(round)"])
def test_missed_measurements_agree_with_statsmodels_reml(gaps, formula):
    data = gaps.query("condition == 'control'").dropna()
    assert data.groupby("person_id").size().nunique() > 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = smf.mixedlm(formula, data, groups=data["person_id"])
        peer = model.fit(reml=True, method=["bfgs"], gtol=1e-10)
    found = variance_components(data, value="value", occasion_means="C(round)" in formula)
    assert found.within == pytest.approx(float(peer.scale), rel=2e-4)
    assert found.between == pytest.approx(float(peer.cov_re.iloc[0, 0]), rel=2e-4)
    # ours must not be the worse optimum of the two
    model.fit_params = None
    ours = model.loglike(model_params(model, found), profile_fe=True)
    assert ours >= peer.llf - 1e-6


def model_params(model: Any, found: Any) -> Any:
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    ratio = np.array([[found.between / found.within]])
    return MixedLMParams.from_components(fe_params=np.zeros(model.k_fe), cov_re=ratio)


def test_the_ends_of_the_ratios_interval_are_where_an_f_test_is_on_the_edge(gaps):
    """Harville and Fenech's interval, with V written out and inverted by numpy."""
    data = gaps.query("condition == 'control'").dropna()
    found = variance_components(data, value="value", occasion_means=True)
    y = data["value"].to_numpy()
    X = pd.get_dummies(data["round"]).to_numpy(float)
    Z = pd.get_dummies(data["person_id"]).to_numpy(float)
    whole = np.hstack([X, Z])
    inside = np.square(y - whole @ np.linalg.lstsq(whole, y)[0]).sum()
    df = len(y) - np.linalg.matrix_rank(whole)
    between = len(y) - 3 - df
    assert found.df == df
    assert found.within_interval == pytest.approx(tuple(inside / chi2.ppf([0.975, 0.025], df)))
    for ratio, tail in zip(found.ratio_interval, (0.025, 0.975), strict=True):
        V = np.linalg.inv(np.eye(len(y)) + ratio * Z @ Z.T)
        rest = y - X @ np.linalg.solve(X.T @ V @ X, X.T @ V @ y)
        statistic = (rest @ V @ rest - inside) / between / (inside / df)
        assert f.sf(statistic, between, df) == pytest.approx(tail, abs=1e-6)


def test_the_variance_between_people_has_williamss_interval():
    """Written out from the mean squares of the complete table, as Williams has it."""
    data = measured().query("condition == 'control'")
    groups = data.groupby("person_id")["value"]
    n, k = len(groups), 3
    between = k * groups.mean().var()
    within = groups.var().mean()
    found = variance_components(data, value="value", level=0.9)
    edges = [
        (n - 1) * (between - within * f.ppf(tail, n - 1, n * (k - 1))) / (k * chi2.ppf(tail, n - 1))
        for tail in (0.95, 0.05)
    ]
    assert found.between == pytest.approx((between - within) / k, rel=1e-6)
    assert found.between_interval == pytest.approx(edges, rel=1e-6)


def test_jacobson_and_truaxs_own_example():
    """Their couple: from 32.5 to 47.5, sd 7.5, reliability .80: error 4.74, index 3.16."""
    found = change(measured(), norm=(7.5, 0.80))
    row = found.indices.set_index("index").loc["Jacobson-Truax, given norm"].iloc[0]
    assert round(row["se"], 2) == 4.74
    assert round((47.5 - 32.5) / row["se"], 2) == 3.16


def test_the_observed_sd_and_test_retest_reliability_of_the_control(gaps, plain):
    found = plain
    row = found.indices.set_index("index").loc["Jacobson-Truax, test-retest"].iloc[0]
    wide = gaps.query("condition == 'control'").pivot(
        index="person_id", columns="round", values="value"
    )
    r = wide["1"].corr(wide["2"])
    assert row["sd"] == pytest.approx(wide["1"].std())
    assert row["reliability"] == pytest.approx(r)
    assert row["threshold"] == pytest.approx(1.96 * wide["1"].std() * math.sqrt(2 * (1 - r)))


def test_everybody_is_held_against_the_error_of_what_they_were_measured(gaps, plain):
    found = plain
    wide = gaps.pivot(index="person_id", columns="round", values="value")
    people = found.people.set_index("person_id")
    expected = wide[["2", "3"]].mean(axis=1) - wide["1"]
    assert len(people) == expected.notna().sum() < len(wide)
    within = found.components.within
    assert {(1, 1), (1, 2)} == set(zip(people["m"], people["k"], strict=True))
    for who, row in people.iterrows():
        error = math.sqrt(within * (1 + 1 / wide.loc[who, ["2", "3"]].count()))
        z = expected[who] / error
        word = "improved" if z >= 1.96 else "declined" if z <= -1.96 else "neither"
        assert (row["se"], row["z"]) == pytest.approx((error, z))
        assert row["outcome"] == word
    assert found.thresholds["people"].sum() == len(people)
    assert "lack a measurement" in " ".join(found.notes)
    assert int((found.flow["people"] - found.flow["compared"]).sum()) == len(wide) - len(people)


def test_shares_count_people_and_their_intervals_carry_the_threshold(gaps, plain):
    found = plain
    coach = found.people.query("condition == 'coach'")
    row = share(found, "coach", "improved")
    assert row["count"] == (coach["z"] >= 1.96).sum() > 3
    assert row["share"] == pytest.approx(row["count"] / len(coach))
    low, high = (edge / found.threshold[0] for edge in found.threshold[1:])
    assert row["at_low_threshold"] == pytest.approx((coach["z"] >= 1.96 * low).mean())
    assert row["at_high_threshold"] == pytest.approx((coach["z"] >= 1.96 * high).mean())
    assert row["at_low_threshold"] > row["share"] > row["at_high_threshold"]
    down = math.hypot(row["share"] - row["wilson_low"], row["share"] - row["at_high_threshold"])
    up = math.hypot(row["wilson_high"] - row["share"], row["at_low_threshold"] - row["share"])
    assert row["share_low"] == pytest.approx(row["share"] - down)
    assert row["share_high"] == pytest.approx(min(1, row["share"] + up))


def test_the_controls_interval_has_the_variance_of_share_and_threshold_together(gaps):
    """Against a bootstrap that resamples people and computes the threshold again."""
    data = published_control()
    found = change(data, cut=1.0)
    row = share(found, "control", "neither")
    p = row["share"]
    rng = np.random.default_rng(1)
    wide = np.array(data["value"]).reshape(-1, 3)
    shares = []
    for _ in range(400):
        drawn = wide[rng.integers(245, size=245)]
        error = math.sqrt(drawn.var(axis=1, ddof=1).mean() * 1.5)
        shares.append((np.abs(drawn[:, 1:].mean(axis=1) - drawn[:, 0]) < error).mean())
    n = p * (1 - p) / np.var(shares)
    middle = (p + 1.96**2 / 2 / n) / (1 + 1.96**2 / n)
    assert (row["share_low"] + row["share_high"]) / 2 == pytest.approx(middle, abs=0.003)
    ours, wilsons = (row[f"{a}_high"] - row[f"{a}_low"] for a in ("share", "wilson"))
    half = 2 * 1.96 * math.sqrt(p * (1 - p) / n + 1.96**2 / 4 / n**2) / (1 + 1.96**2 / n)
    assert ours == pytest.approx(half, rel=0.12)
    assert ours < 0.95 * wilsons


def test_differences_are_the_pooled_z_test_and_the_correction_runs_within_an_outcome():
    data = pd.concat(
        [measured(), measured(4).query("condition == 'coach'").assign(condition="video")]
    )
    data.loc[data["condition"] == "video", "person_id"] += "v"
    found = change(data, pairs="all", correction="bonferroni", conditions=["video", "coach"])
    assert found.conditions == ("control", "video", "coach")
    table = found.differences
    assert list(table["outcome"]) == ["improved"] * 3 + ["declined"] * 3
    row = table.query("outcome == 'improved' and condition == 'coach' and reference == 'control'")
    row = row.iloc[0]
    counts = [share(found, name, "improved")["count"] for name in ("coach", "control")]
    test = chi2_contingency([[c, 30 - c] for c in counts], correction=False)
    assert row["p_value"] == pytest.approx(test.pvalue)
    assert row["difference"] == pytest.approx((counts[0] - counts[1]) / 30)
    assert row["adjusted_p"] == pytest.approx(min(1, 3 * test.pvalue))
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    assert len(change(data).differences) == 4


def test_the_cut_may_allow_for_the_error_being_estimated(plain, gaps):
    found = change(gaps, student=True)
    df = found.components.df
    assert df == plain.components.df < 60
    assert found.cut == pytest.approx(t.isf(norm.sf(1.96), df), abs=1e-9)
    assert found.cut > 1.99
    assert found.threshold[0] == pytest.approx(found.cut * plain.se)
    edge = found.people["z"].abs().between(1.96, found.cut)
    assert (found.people.loc[edge, "outcome"] == "neither").all()
    assert "by t with" in found.method


def test_change_beyond_the_controls_own_drift():
    data = measured()
    practice = data["round"].map({"1": 0.0, "2": 2.0, "3": 3.0})
    drifted = data.assign(value=data["value"] + practice)
    still, moved = (change(d, occasion_means=True) for d in (data, drifted))
    pd.testing.assert_frame_equal(
        still.people.drop(columns=["post"]), moved.people.drop(columns=["post"])
    )
    control = moved.people.query("condition == 'control'")["change"]
    assert control.mean() == pytest.approx(0, abs=1e-9)
    # by default the drift counts as change, and inflates what moves by itself
    assert change(drifted).components.within > still.components.within + 1


@given(
    seed=st.integers(0, 2**20),
    factor=st.sampled_from([0.01, 3.0, 500.0]),
    shift=st.sampled_from([-40.0, 0.0, 1e4]),
)
@settings(max_examples=5, deadline=None)
def test_order_names_and_units_change_nothing(gaps, plain, seed, factor, shift):
    renamed = gaps.sample(frac=1, random_state=seed).assign(
        person_id=lambda d: "x" + d["person_id"].str[::-1],
        value=lambda d: d["value"] * factor + shift,
    )
    after = change(renamed)
    pd.testing.assert_frame_equal(plain.shares, after.shares, rtol=1e-6)
    assert after.threshold == pytest.approx([factor * t for t in plain.threshold], rel=1e-5)
    assert after.components.reliability == pytest.approx(plain.components.reliability, rel=1e-5)


def test_a_mirrored_scale_exchanges_improved_and_declined(gaps, plain):
    mirrored = change(gaps.assign(value=-gaps["value"]))
    for one, other in (("improved", "declined"), ("declined", "improved")):
        assert share(mirrored, "coach", one)["count"] == share(plain, "coach", other)["count"]


def test_duplicated_people_leave_the_shares_and_narrow_the_threshold(gaps, plain):
    twice = pd.concat([gaps, gaps.assign(person_id=gaps["person_id"] + "again")])
    one, two = plain, change(twice)
    assert two.threshold[0] == pytest.approx(one.threshold[0], rel=0.01)
    narrower = np.ptp(two.threshold[1:]) / np.ptp(one.threshold[1:])
    assert narrower == pytest.approx(1 / math.sqrt(2), rel=0.05)


def test_people_who_differ_no_more_than_their_own_measurements_have_no_reliability():
    data = pd.DataFrame(
        {"person_id": [a for a in "abcdef" for _ in "123"], "round": ["1", "2", "3"] * 6}
    )
    data["value"] = [1.0, 2.0, 3.0] * 6
    found = variance_components(data, value="value")
    assert (found.between, found.reliability) == (0.0, 0.0)
    assert found.between_interval[0] == found.reliability_interval[0] == 0.0
    assert "estimated at zero" in " ".join(found.notes)
    # all measurements are then one sample
    assert found.within == pytest.approx(data["value"].var())


def test_one_person_tells_the_moment_but_not_people():
    data = measured().query("condition == 'coach' or person_id == 'control00'")
    found = change(data)
    values = data.query("condition == 'control'")["value"]
    assert found.components.within == pytest.approx(values.var())
    assert math.isnan(found.components.reliability)
    assert all(math.isnan(end) for end in found.components.between_interval)
    assert "cannot be estimated from one person" in " ".join(found.notes)
    assert "2 degrees of freedom" in " ".join(found.notes)
    assert math.isnan(found.components.to_frame(2)["estimate"].iloc[-1])


def test_numbers_of_text_and_whole_rounds_are_read(gaps, plain):
    text = gaps.assign(value=gaps["value"].map(lambda v: "" if math.isnan(v) else repr(v)))
    assert change(text).threshold == pytest.approx(plain.threshold)
    for kind in (int, float):
        whole = gaps.assign(round=gaps["round"].astype(kind))
        assert change(whole, baseline_rounds=[1]).threshold == plain.threshold


def test_conditions_not_asked_about_are_left_out_and_counted(gaps):
    found = change(gaps, conditions=[])
    assert found.conditions == ("control",)
    assert found.left_out == 30
    assert found.differences.empty


def _again(data: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([data, data.iloc[[0]]], ignore_index=True)


@pytest.mark.parametrize(
    ("spoil", "more", "said"),
    [
        (lambda d: d.drop(columns="round"), {}, "no column 'round'"),
        (lambda d: d.iloc[:0], {}, "no measurements"),
        (_again, {}, "second measurement of the same person"),
        (lambda d: d.assign(condition=["x", *d["condition"][1:]]), {}, "second condition"),
        (lambda d: d, {"control": "Control"}, "no row has this condition, got 'Control'"),
        (lambda d: d, {"conditions": ["coach", "tutor"]}, "got 'tutor'"),
        (lambda d: d, {"baseline_rounds": ["0"]}, "no row has this occasion, got '0'"),
        (lambda d: d, {"post_rounds": ["1", "2"]}, "either before or after"),
        (lambda d: d, {"post_rounds": []}, "either before or after"),
        (lambda d: d, {"cut": 0}, "above 0"),
        (lambda d: d, {"cut": math.inf}, "above 0"),
        (lambda d: d, {"norm": (0.0, 0.5)}, "an sd above 0"),
        (lambda d: d, {"norm": (1.0, 1.0)}, "an sd above 0"),
        (lambda d: d, {"pairs": "some"}, "unknown pairs, got 'some'"),
        (lambda d: d, {"correction": "some"}, "correction"),
        (lambda d: d, {"level": 1.0}, "level"),
        (lambda d: d.assign(value="high"), {}, "is not a number, got 'high'"),
        (lambda d: d.assign(value=7.0), {}, "nobody's measurements differ"),
        (
            lambda d: d.query("round == '1' or condition == 'coach'"),
            {},
            "nobody was measured often enough",
        ),
        (
            lambda d: d.query("round != '3' or condition == 'coach'"),
            {"occasion_means": True},
            "nobody in the control was measured on this occasion",
        ),
    ],
)
def test_what_is_refused_is_named(spoil, more, said):
    with pytest.raises(RatifyError) as error:
        change(spoil(measured(people=5)), **more)
    assert said in str(error.value)


def test_a_spearman_brown_of_nothing_is_refused():
    with pytest.raises(RatifyError, match="1 or more"):
        variance_components(measured(), value="value").mean_reliability(0)
