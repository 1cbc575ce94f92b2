"""If this fails, a coefficient of agreement or its interval is wrong, or breaks on real ratings."""

from __future__ import annotations

import json

import krippendorff
import numpy as np
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa, to_table

from analysis.agreement import coefficients as c
from analysis.agreement.intervals import coefficient_intervals
from analysis.agreement.left_out import leave_one_out
from analysis.inference.resampling import jackknife_interval, percentile_interval, row_means
from tests.reference import coefficients as plain
from tests.support.paths import REFERENCE as REFERENCE_FOLDER

SCALE = (1.0, 5.0)
POINTS = [1, 2, 3, 4, 5]
REFERENCE = REFERENCE_FOLDER / "ac2.json"


def symmetric(a, b):
    """Every coefficient that does not care who is first."""
    single, average = plain.icc2(a, b)
    return {
        "exact": plain.exact_agreement(a, b),
        "within_one": plain.within_one(a, b),
        "kappa": plain.cohen_kappa(a, b),
        "kappa_linear": plain.cohen_kappa(a, b, weights="linear"),
        "kappa_quadratic": plain.cohen_kappa(a, b, weights="quadratic"),
        "alpha_ordinal": plain.krippendorff_alpha(a, b, level="ordinal"),
        "alpha_interval": plain.krippendorff_alpha(a, b, level="interval"),
        "ac2": plain.gwet_ac2(a, b, scale=SCALE),
        "icc2_1": single,
        "icc2_k": average,
        "pearson": plain.pearson(a, b),
        **dict(zip(("rho", "low", "high", "p"), c.spearman(a, b), strict=True)),
    }


def made_up(seed, n=40, gap=1.2):
    """Whole ratings of two raters who half agree."""
    rng = np.random.default_rng(seed)
    true = rng.normal(3, 1.1, n)
    return [np.clip(np.round(true + rng.normal(0, gap, n)), 1, 5) for _ in range(2)]


whole = st.integers(1, 5).map(float)
halves = st.integers(2, 10).map(lambda x: x / 2)
pairs = st.one_of(
    st.lists(st.tuples(whole, whole), min_size=1, max_size=30),
    st.lists(st.tuples(halves, whole), min_size=1, max_size=30),
    st.lists(st.tuples(st.floats(1, 5), st.floats(1, 5)), min_size=1, max_size=30),
)


def split(rows):
    a, b = zip(*rows, strict=True)
    return np.array(a), np.array(b)


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_packages_on_whole_ratings(seed):
    a, b = made_up(seed)
    got = symmetric(a, b)
    for name, weights in (
        ("kappa", None),
        ("kappa_linear", "linear"),
        ("kappa_quadratic", "quadratic"),
    ):
        assert got[name] == pytest.approx(cohen_kappa_score(a, b, labels=POINTS, weights=weights))
    table = to_table(np.column_stack([a, b]).astype(int), bins=np.arange(0.5, 6))[0]
    assert got["kappa"] == pytest.approx(cohens_kappa(table).kappa)
    for level in ("ordinal", "interval"):
        expected = krippendorff.alpha([a, b], level_of_measurement=level, value_domain=POINTS)
        assert got[f"alpha_{level}"] == pytest.approx(expected)
    assert got["pearson"] == pytest.approx(stats.pearsonr(a, b).statistic)
    assert got["rho"] == pytest.approx(stats.spearmanr(a, b).statistic)
    low, high = pingouin.compute_esci(got["rho"], len(a), len(a), eftype="r", decimals=12)
    assert (got["low"], got["high"]) == pytest.approx((low, high))


def test_averages_keep_their_place_on_the_scale():
    a = np.array([2 + 1 / 3, 3.0, 4.5, 1.0, 2.0])
    b = np.array([2.0, 3.0, 5.0, 1.0, 4.0])
    lin = 2 * np.cov(a, b, ddof=0)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    apart = np.abs(a[:, None] - b[None, :]).mean()
    assert plain.cohen_kappa(a, b, weights="quadratic") == pytest.approx(lin)
    assert plain.cohen_kappa(a, b, weights="linear") == pytest.approx(
        1 - np.abs(a - b).mean() / apart
    )
    # By the order of the values seen, 2.33 would be a whole step above 2.
    places = {v: i for i, v in enumerate(sorted({*a, *b}))}
    by_index = cohen_kappa_score(
        [places[v] for v in a], [places[v] for v in b], weights="quadratic"
    )
    assert abs(by_index - lin) > 0.01


def test_rounding_error_is_no_disagreement():
    a = np.array([2.6666666666666665, 1.0, 3.0, 4.3])
    b = np.array([2.666666666666667, 1.0, 3.0, 5.3])
    assert plain.exact_agreement(a, b) == 0.75
    assert plain.within_one(a, b) == 1.0
    assert plain.cohen_kappa(a, a + 1e-13) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "case", json.loads(REFERENCE.read_text())["cases"], ids=lambda case: case["name"]
)
def test_ac2_agrees_with_irrcac(case):
    got = plain.gwet_ac2(case["a"], case["b"], scale=tuple(case["scale"]))
    assert got == pytest.approx(case["ac2"], abs=1e-9)


@pytest.mark.parametrize(
    ("values", "scale", "step"),
    [
        ([1, 5], (1, 5), 1.0),
        ([1, 2.5], (1, 5), 0.5),
        ([1, 2 + 1 / 3], (1, 5), None),
        ([0.0, 0.2], (0, 1), None),
        ([0.5, 1.5], (0.5, 4.5), 1.0),
        ([1, 2], (1, 4.3), None),
    ],
)
def test_categories_are_points_then_half_points_then_none(values, scale, step):
    assert c.category_step(values, scale) == step
    assert np.isnan(plain.gwet_ac2(values, values, scale=scale)) == (step is None)


@pytest.mark.parametrize(
    ("a", "b"),
    [([], []), ([3], [3]), ([3, 3, 3, 3], [3, 3, 3, 3]), ([1, 5], [1, 5])],
    ids=["nothing", "one item", "one value", "two items"],
)
def test_too_little_to_agree_on_is_never_perfect_correlation(a, b):
    got = symmetric(np.array(a, float), np.array(b, float))
    for name in ("rho", "p", "pearson"):
        assert np.isnan(got[name])
    if len(set(a)) < 2:
        for name in ("kappa", "kappa_linear", "kappa_quadratic", "alpha_ordinal", "icc2_1"):
            assert np.isnan(got[name])


def test_a_constant_judge_agrees_by_chance_only():
    got = symmetric(np.full(5, 3.0), np.array([1.0, 2, 3, 4, 5]))
    for name in ("kappa", "kappa_linear", "kappa_quadratic", "icc2_1"):
        assert got[name] == pytest.approx(0.0)
    assert np.isnan(got["rho"])
    assert np.isnan(got["pearson"])


def test_opposed_raters_have_no_reliable_mean():
    a = np.array([1.0, 2, 3, 4, 5])
    single, average = plain.icc2(a, 6 - a)
    assert single < 0
    assert np.isnan(average)  # the estimated variance is negative, the ratio would be positive


def test_perfect_agreement_is_one():
    a = np.array([1.0, 2, 2, 4, 5, 3])
    got = symmetric(a, a)
    for name in set(got) - {"low", "high", "p"}:
        assert got[name] == pytest.approx(1.0), name
    assert np.isnan(got["low"])  # Fisher's transform of 1 is infinite: no interval is invented
    assert plain.bias(a, a) == 0


@given(pairs)
@settings(max_examples=150, deadline=None)
def test_any_ratings_give_a_number_or_nan_and_swapping_flips_only_bias(rows):
    a, b = split(rows)
    forth, back = symmetric(a, b), symmetric(b, a)
    for name, value in forth.items():
        assert value == pytest.approx(back[name], abs=1e-9, nan_ok=True), name
        assert np.isnan(value) or value <= 1 + 1e-9, name
    assert plain.bias(a, b) == pytest.approx(-plain.bias(b, a), abs=1e-12)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=4, max_size=30))
@settings(max_examples=60, deadline=None)
def test_moving_the_scale_moves_nothing(rows):
    a, b = split(rows)
    moved = symmetric(a + 0.0, b + 0.0)
    moved["ac2"] = plain.gwet_ac2(a + 7, b + 7, scale=(8, 12))
    for name, value in symmetric(a + 7.0, b + 7.0).items():
        if name != "ac2":
            moved[name] = pytest.approx(moved[name], abs=1e-9, nan_ok=True)
            assert value == moved[name], name
    assert moved["ac2"] == pytest.approx(plain.gwet_ac2(a, b, scale=SCALE), abs=1e-9)


@given(st.lists(st.tuples(whole, whole), min_size=2, max_size=25), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_items_is_nothing(rows, shuffler):
    mixed = list(rows)
    shuffler.shuffle(mixed)
    one, other = symmetric(*split(rows)), symmetric(*split(mixed))
    for name, value in one.items():
        assert value == pytest.approx(other[name], abs=1e-9, nan_ok=True), name


def test_left_out_kappas_are_those_of_the_other_items():
    a, b = made_up(4, n=12)
    a[3] = np.nan
    got = leave_one_out(a[:, None], b[:, None])
    assert got.common[:, 0].tolist() == [n != 3 for n in range(12)]
    for item in range(12):
        kept = [n for n in range(12) if n not in (3, item)]
        expected = plain.cohen_kappa(a[kept], b[kept], weights="quadratic")
        assert got.kappa[item, 0] == pytest.approx(expected, abs=1e-12)
        assert got.bias[item, 0] == pytest.approx(plain.bias(a[kept], b[kept]), abs=1e-12)
    kept = [n for n in range(12) if n != 3]
    assert got.estimate[0] == pytest.approx(
        plain.cohen_kappa(a[kept], b[kept], weights="quadratic"), abs=1e-12
    )


def test_the_jackknife_interval_of_a_mean_is_the_t_interval():
    x = np.random.default_rng(2).normal(size=20)
    left_out = (x.sum() - x) / 19
    expected = stats.t.interval(0.9, 19, loc=x.mean(), scale=stats.sem(x))
    assert jackknife_interval(x.mean(), left_out, level=0.9) == pytest.approx(expected)
    assert np.isnan(jackknife_interval(0.5, [0.5])).all()
    assert np.isnan(jackknife_interval(0.5, [0.5, np.nan, 0.4])).all()


def test_row_means_pass_over_missing_columns():
    draws = np.array([[1.0, 3.0], [np.nan, 4.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(row_means(draws), [2.0, 4.0, np.nan])


def test_items_of_one_value_have_no_kappa_whatever_the_rounding():
    a, b = np.array([1.1] * 6 + [4.7]), np.array([1.1] * 6 + [3.3])
    kappa = leave_one_out(a[:, None], b[:, None]).kappa[:, 0]
    assert np.isnan(kappa).tolist() == [False] * 6 + [True]


@pytest.mark.parametrize(("undefined", "missing"), [(9, False), (11, True)])
def test_percentiles_need_nine_tenths_of_the_resamples(undefined, missing):
    draws = np.append(np.linspace(0, 1, 100 - undefined), [np.nan] * undefined)
    low, high = percentile_interval(draws)
    assert np.isnan([low, high]).tolist() == [missing] * 2
    assert missing or (low, high) == pytest.approx((0.025, 0.975))
    assert np.isnan(percentile_interval([])).all()


def test_the_bootstrap_interval_covers():
    """400 samples of 60 items: 95% within Monte Carlo error and the bootstrap's known shortfall."""
    true_a, true_b = made_up(99, n=200_000)
    truth = plain.cohen_kappa(true_a, true_b, weights="quadratic")
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        items = rng.integers(200_000, size=60)
        found = coefficient_intervals(
            true_a[items], true_b[items], scale=SCALE, method="bootstrap", rng=rng, draws=400
        )
        kappa = next(one for one in found if one.coefficient == "kappa_quadratic")
        covered += kappa.low <= truth <= kappa.high
    assert 0.91 <= covered / 400 <= 0.98
