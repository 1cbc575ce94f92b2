"""If these fail, a difference between conditions is reported with another error, or in other units.

Also: a family corrected over other tests than it says, and proportions with a wrong interval.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binomtest, norm
from statsmodels.stats.multitest import multipletests

from analysis.inference.families import FamilyTest, adjust, correct_families
from analysis.inference.proportions import two_proportions, wilson
from analysis.regression.contrasts import contrast_weights, wald_contrast
from analysis.regression.effects import effects_table, outcome_sd, with_families
from analysis.regression.fit import clustered_logit, clustered_ols, robust_ols
from analysis.regression.predictions import average_marginal_effects, average_predictions
from prereg.errors import RatifyError

FORMULA = "y ~ condition * post + age"
COACH, VIDEO = "condition[T.coach]:post", "condition[T.video]:post"


def people(seed: int = 1, n: int = 60) -> pd.DataFrame:
    """Return three conversations a person in three conditions."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n), 3)
    condition = np.array(["a control", "coach", "video"], dtype=object)[person % 3]
    frame = pd.DataFrame({"person": person.astype(str), "condition": condition})
    frame["post"] = np.tile([0.0, 1.0, 1.0], n)
    frame["age"] = rng.normal(40, 10, n)[person]
    frame["y"] = rng.normal(size=n)[person] + rng.normal(size=3 * n) + 0.03 * frame["age"]
    frame["y"] += 0.6 * (condition == "coach") * frame["post"]
    frame["yes"] = (rng.random(3 * n) < expit(frame["y"] - 1.5)).astype(float)
    return frame


DATA = people()
FIT = clustered_ols(DATA, FORMULA, cluster="person")
LOGIT = clustered_logit(DATA, "yes ~ condition + age", cluster="person")


GROUPS = pd.factorize(DATA["person"])[0]


@pytest.mark.parametrize(
    "text", [f"{COACH} - {VIDEO}", f"({COACH} + {VIDEO}) / 2 - 3 * age", "-age", COACH]
)
@pytest.mark.parametrize("distribution", ["z", "t"])
def test_a_contrast_is_statsmodels_own(text, distribution):
    fit = clustered_ols(DATA, FORMULA, cluster="person", distribution=distribution)
    got = wald_contrast(fit, text, level=0.9)
    # use_t: statsmodels then takes clusters - 1 degrees of freedom, as we do
    theirs = (
        smf.ols(FORMULA, DATA)
        .fit(cov_type="cluster", use_t=distribution == "t", cov_kwds={"groups": GROUPS})
        .t_test(text)
    )
    low, high = theirs.conf_int(0.1)[0]
    assert (got.estimate, got.se, got.p_value) == pytest.approx(
        (theirs.effect.item(), theirs.sd.item(), float(theirs.pvalue)), rel=1e-9
    )
    assert (got.low, got.high) == pytest.approx((low, high), rel=1e-9)
    assert (got.distribution, got.clusters, got.n) == (distribution, 60, 180)
    assert "z test" in got.method if distribution == "z" else "t test, 59 df" in got.method


def test_names_that_read_like_sums_are_names():
    fit = clustered_ols(
        DATA, "y ~ I(age - 40) + C(condition, Treatment(reference='coach'))", cluster="person"
    )
    video = "C(condition, Treatment(reference='coach'))[T.video]"
    assert contrast_weights(fit, "I(age - 40)").tolist() == [0, 0, 0, 1]
    assert contrast_weights(fit, f"{video} - I(age - 40)").tolist() == [0, 0, 1, -1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{COACH} - nobody", ("not a contrast", "condition[T.video]:post")),
        (f"{COACH} = {VIDEO}", ("one difference, tested against 0",)),
        ("age - 1", ("one difference",)),
        (f"{COACH}, {VIDEO}", ("one difference",)),
        ("age - age", ("not a contrast",)),
        ("", ("not a contrast",)),
    ],
)
def test_what_is_no_contrast_is_refused(text, words):
    with pytest.raises(RatifyError) as caught:
        wald_contrast(FIT, text)
    for word in words:
        assert word in str(caught.value)


def test_hc3_is_statsmodels_own():
    data = DATA.iloc[::3].reset_index(drop=True)
    got = robust_ols(data, "y ~ condition + age")
    theirs = smf.ols("y ~ condition + age", data).fit(cov_type="HC3")
    assert got.bse.to_numpy() == pytest.approx(theirs.bse.to_numpy(), rel=1e-9)
    assert got.pvalues.to_numpy() == pytest.approx(theirs.pvalues.to_numpy(), rel=1e-8)
    assert (got.n_clusters, got.cluster, got.method) == (None, "", "OLS, errors HC3")
    with_t = robust_ols(data, "y ~ condition + age", distribution="t")
    t = smf.ols("y ~ condition + age", data).fit(cov_type="HC3", use_t=True)
    assert with_t.pvalues.to_numpy() == pytest.approx(t.pvalues.to_numpy(), rel=1e-8)
    assert list(with_t.to_frame().columns) == ["term", "estimate", "se", "t", "p", "low", "high"]
    alone = data.assign(condition=data["condition"].mask(data.index == 3, "other"))
    with pytest.raises(RatifyError, match=r"single row, got 'condition\[T.other\]'"):
        robust_ols(alone, "y ~ condition + age")


def test_average_marginal_effects_are_statsmodels_own():
    # of two categories: with more, statsmodels leaves the other categories' dummies as they are
    data = DATA.assign(coach=(DATA["condition"] == "coach").astype(float))
    fit = clustered_logit(data, "yes ~ coach + age", cluster="person")
    groups = {"groups": pd.factorize(data["person"])[0]}
    theirs = (
        smf.logit("yes ~ coach + age", data)
        .fit(cov_type="cluster", cov_kwds=groups, disp=0, tol=1e-12)
        .get_margeff(dummy=True)
    )
    got = pd.concat([average_marginal_effects(fit, data, name) for name in ("coach", "age")])
    assert got["change"].tolist() == ["1 - 0", "per unit"]
    assert got["estimate"].to_numpy() == pytest.approx(theirs.margeff, rel=1e-6)
    assert got["se"].to_numpy() == pytest.approx(theirs.margeff_se, rel=1e-6)
    assert set(got["unit"]) == {"probability"}


def test_a_step_is_the_difference_of_two_predictions():
    at = average_predictions(LOGIT, DATA, {"condition": ["coach", "video"]})
    step = average_marginal_effects(LOGIT, DATA, "condition", reference="coach")
    row = step[step["change"] == "video - coach"].iloc[0]
    assert row["estimate"] == pytest.approx(at["estimate"].diff().iloc[1])
    X = np.column_stack([np.ones(180), np.zeros(180), np.ones(180), DATA["age"]])
    each = expit(X @ LOGIT.params.to_numpy())
    slope = (each * (1 - each)) @ X / 180
    p, se = each.mean(), np.sqrt(slope @ LOGIT.cov_params.to_numpy() @ slope)
    assert at.loc[1, ["estimate", "se"]].tolist() == pytest.approx([p, se])
    half = 1.959963984540054 * se / (p * (1 - p))
    assert at.loc[1, ["low", "high"]].tolist() == pytest.approx(
        expit(np.log(p / (1 - p)) + np.array([-half, half])).tolist()
    )
    with pytest.raises(RatifyError, match=r"condition: is not a category, got 'nobody'"):
        average_marginal_effects(LOGIT, DATA, "condition", reference="nobody")
    with pytest.raises(RatifyError, match="these rows"):
        average_predictions(LOGIT, DATA, {"condition": ["nobody"]})
    with pytest.raises(RatifyError, match="is a number, so it has no reference"):
        average_marginal_effects(LOGIT, DATA, "age", reference=1)


def test_ols_averages():
    # without interaction the average slope is the coefficient, with its own error
    fit = clustered_ols(DATA, "y ~ condition + age", cluster="person")
    row = average_marginal_effects(fit, DATA, "age").iloc[0]
    assert (row["estimate"], row["se"]) == pytest.approx((fit.params["age"], fit.bse["age"]))
    # and the average prediction for the rows as they are is the mean outcome
    whole = average_predictions(fit, DATA, {}).iloc[0]
    assert whole["estimate"] == pytest.approx(DATA["y"].mean())
    grid = average_predictions(FIT, DATA, {"post": [0, 1], "condition": ["coach"]})
    terms = FIT.params
    expected = terms["post"] + terms[COACH]
    assert grid["estimate"].diff().iloc[1] == pytest.approx(expected)
    assert grid["unit"].tolist() == ["outcome units"] * 2


def test_raw_and_sd_units_have_columns_of_their_own():
    fits = {"y": FIT}
    contrasts = {"coach - video": f"{COACH} - {VIDEO}", COACH: COACH}
    sd = {"y": outcome_sd(FIT, DATA, of="baseline", column="post", value="0")}
    table = effects_table(fits, contrasts, sd=sd, rng=np.random.default_rng(1))
    spread = DATA.loc[DATA["post"] == 0, "y"].std(ddof=1)
    row = table.iloc[0]
    assert (row["sd"], row["sd_of"]) == (pytest.approx(spread), "y at baseline (post = 0), 60 rows")
    assert row["estimate_raw"] == pytest.approx(
        wald_contrast(FIT, contrasts["coach - video"]).estimate
    )
    for end in ("estimate", "low", "high"):
        assert table[f"{end}_sd"].to_numpy() * spread == pytest.approx(table[f"{end}_raw"])
    plain = effects_table(fits, contrasts, rng=np.random.default_rng(1))
    assert plain[["estimate_sd", "low_sd", "high_sd", "sd"]].isna().all(axis=None)
    whole, whose = outcome_sd(FIT, DATA)
    assert (whole, whose) == (pytest.approx(DATA["y"].std(ddof=1)), "y, all 180 rows")
    gap = DATA.assign(y=DATA["y"].mask(DATA.index == 0))  # a row that did not enter is not there
    fit = clustered_ols(gap, FORMULA, cluster="person")
    there = outcome_sd(fit, gap, of="control", column="condition", value="a control")
    chosen = gap[gap["condition"] == "a control"]["y"]
    assert there[0] == pytest.approx(chosen.std(ddof=1))
    assert there[1].endswith("59 rows")
    with pytest.raises(RatifyError, match="no standard deviation"):
        outcome_sd(FIT, DATA, of="control", column="condition", value="nobody")


def test_rescaling_the_outcome_moves_raw_and_leaves_sd():
    tenfold = DATA.assign(y=10 * DATA["y"] + 3)
    fit = clustered_ols(tenfold, FORMULA, cluster="person")
    rng = np.random.default_rng(1)
    one, ten = (
        effects_table({"y": f}, {"c": COACH}, sd={"y": outcome_sd(f, d)}, rng=rng).iloc[0]
        for f, d in ((FIT, DATA), (fit, tenfold))
    )
    assert ten["low_raw"] == pytest.approx(10 * one["low_raw"])
    assert ten["low_sd"] == pytest.approx(one["low_sd"])
    assert ten["p"] == pytest.approx(one["p"])


def test_an_outcome_is_its_own_family_or_all_are_one():
    fits = {
        name: clustered_ols(
            DATA.assign(**{name: DATA["y"] * k + DATA["age"] * shift}),
            f"{name} ~ condition * post",
            cluster="person",
        )
        for name, k, shift in (("y", 1, 0), ("z", 1, 0.1))
    }
    table = effects_table(
        fits, {COACH: COACH, VIDEO: VIDEO, "post": "post"}, rng=np.random.default_rng(1)
    )
    p = table["p"].to_numpy()
    each = with_families(table, {"y": "y", "z": "z"}, correction="holm")
    both = with_families(table, {"y": "all", "z": "all"}, correction="holm")
    assert each["p_adjusted"].to_numpy() == pytest.approx(
        np.r_[multipletests(p[:3], method="holm")[1], multipletests(p[3:], method="holm")[1]]
    )
    assert both["p_adjusted"].to_numpy() == pytest.approx(multipletests(p, method="holm")[1])
    assert each["tests"].tolist() == [3] * 6
    assert both["tests"].tolist() == [6] * 6
    assert each["p_adjusted"].to_numpy() != pytest.approx(both["p_adjusted"].to_numpy())


METHODS = {
    "holm": "holm",
    "benjamini_hochberg": "fdr_bh",
    "benjamini_yekutieli": "fdr_by",
    "bonferroni": "bonferroni",
}


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=8), st.sampled_from(list(METHODS)), st.randoms()
)
def test_adjusted_p_values(p_values, correction, random):
    got = adjust(p_values, correction)
    assert got == pytest.approx(multipletests(p_values, method=METHODS[correction])[1])
    order = list(range(len(p_values)))
    random.shuffle(order)
    assert adjust([p_values[i] for i in order], correction) == pytest.approx(got[order])
    assert (got >= np.array(p_values) - 1e-12).all()


def test_by_hand_and_at_the_edges():
    assert adjust([0.01, 0.04, 0.03], "holm") == pytest.approx([0.03, 0.06, 0.06])
    assert adjust([0.01, 0.04, 0.03], "benjamini_hochberg") == pytest.approx([0.03, 0.04, 0.04])
    assert adjust([0.2, 0.7], "none").tolist() == [0.2, 0.7]
    # a test that could not be made still counts: the family was promised
    assert adjust([0.01, np.nan, 0.03], "bonferroni")[[0, 2]] == pytest.approx([0.03, 0.09])
    assert np.isnan(adjust([0.01, np.nan], "holm")[1])
    assert len(adjust([], "holm")) == 0
    for bad, words in (([1.2], "not a p value"), ([-0.1], "not a p value")):
        with pytest.raises(RatifyError, match=words):
            adjust(bad, "holm")
    with pytest.raises(RatifyError, match="unknown correction"):
        adjust([0.1], "holms")


def test_families_across_analyses():
    def test(analysis, name, p, family="primary", correction="holm"):
        return FamilyTest(
            family=family, correction=correction, analysis=analysis, name=name, p_value=p
        )

    found = correct_families(
        [
            test("a", "x", 0.01),
            test("b", "x", 0.04, "other", "none"),
            test("b", "y", 0.03),
            test("c", "z", None),
        ]
    )
    assert [family.name for family in found] == ["primary", "other"]
    assert found[0].adjusted_of("a", "x") == pytest.approx(0.03)
    assert found[0].adjusted_of("b", "y") == pytest.approx(0.06)
    assert found[0].method == "Holm over 3 tests (primary)"
    assert found[0].to_frame()["tests"].tolist() == [3, 3, 3]
    with pytest.raises(RatifyError, match="not a test of the family"):
        found[0].adjusted_of("b", "x")
    with pytest.raises(RatifyError, match="more than one correction"):
        correct_families([test("a", "x", 0.1), test("a", "y", 0.1, correction="none")])
    with pytest.raises(RatifyError, match="occurs more than once"):
        correct_families([test("a", "x", 0.1), test("a", "x", 0.1)])


counts = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
)


@settings(deadline=None, max_examples=12)
@given(counts)
def test_two_proportions_are_newcombes_interval_and_the_pooled_z_test(four):
    x1, n1, x2, n2 = four
    got = two_proportions(*four, level=0.9)
    p1, p2 = x1 / n1, x2 / n2
    one, two = (binomtest(x, n).proportion_ci(0.9, "wilson") for x, n in ((x1, n1), (x2, n2)))
    low = p1 - p2 - np.hypot(p1 - one.low, two.high - p2)
    high = p1 - p2 + np.hypot(one.high - p1, p2 - two.low)
    assert (got.low, got.high) == pytest.approx((low, high), abs=1e-9)
    pooled = (x1 + x2) / (n1 + n2)
    if 0 < pooled < 1:
        z = (p1 - p2) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
        assert (got.z, got.p_value) == pytest.approx((z, 2 * norm.sf(abs(z))), abs=1e-9)
    else:
        assert np.isnan(got.z)
        assert "same everywhere" in got.note
    turned = two_proportions(x2, n2, x1, n1, level=0.9)
    assert (turned.low, turned.high) == pytest.approx((-got.high, -got.low))
    share = wilson(x1, n1)
    ends = binomtest(x1, n1).proportion_ci(method="wilson")
    assert (share.low, share.high) == pytest.approx((ends.low, ends.high), abs=1e-9)


def test_proportions_at_the_edges():
    nobody = two_proportions(0, 0, 3, 10)
    assert np.isnan([nobody.estimate, nobody.low, nobody.z, nobody.p_value]).all()
    assert "empty" in nobody.note
    assert np.isnan(wilson(0, 0).estimate)
    for bad in ((11, 10, 1, 10), (-1, 10, 1, 10), (1.5, 10, 1, 10)):
        with pytest.raises(RatifyError):
            two_proportions(*bad)


def test_contrasts_of_a_swapped_pair_turn_around():
    one, two = (wald_contrast(FIT, text) for text in (f"{COACH} - {VIDEO}", f"{VIDEO} - {COACH}"))
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))
    assert one.p_value == pytest.approx(two.p_value)
