"""If this failed, a coefficient would carry a wrong interval, or kappa the wrong standard error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.agreement import coefficients as c
from analysis.agreement.intervals import coefficient_intervals
from analysis.agreement.kappa_test import kappa_test
from analysis.agreement.left_out import leave_one_out
from analysis.agreement.weighted import COEFFICIENTS, cells_of, weighted_coefficients
from analysis.inference.resampling import jackknife_interval
from tests.reference import coefficients as plain

RNG = np.random.default_rng(4)
TRUTH = RNG.normal(3, 1, 50)
A, B = (np.clip(np.round(TRUTH + RNG.normal(m, 0.8, 50)), 1, 5) for m in (0, 0.4))


def alone(a, b):
    """Return every coefficient by the functions that take one pair at a time."""
    single, average = plain.icc2(a, b)
    return {
        "exact": plain.exact_agreement(a, b),
        "within_one": plain.within_one(a, b),
        "kappa": plain.cohen_kappa(a, b),
        "kappa_linear": plain.cohen_kappa(a, b, weights="linear"),
        "kappa_quadratic": plain.cohen_kappa(a, b, weights="quadratic"),
        "alpha_ordinal": plain.krippendorff_alpha(a, b),
        "alpha_interval": plain.krippendorff_alpha(a, b, level="interval"),
        "ac2": plain.gwet_ac2(a, b, scale=(1, 5)),
        "icc2_1": single,
        "icc2_k": average,
        "pearson": plain.pearson(a, b),
        "spearman": c.spearman(a, b).estimate,
        "bias": plain.bias(a, b),
    }


@pytest.mark.parametrize("step", [1.0, 0.5, 1 / 3], ids=["whole", "halves", "thirds"])
def test_a_weighted_copy_is_the_items_so_often(step):
    b = np.clip(np.round(B / step) * step, 1, 5)
    cells = cells_of(A, b)
    times = np.random.default_rng(2).integers(0, 3, len(cells.counts)).astype(float)
    found = weighted_coefficients(cells, np.vstack([cells.counts, times]), (1, 5))
    repeat = times.astype(int)
    for at, (x, y) in enumerate([(A, b), (np.repeat(cells.x, repeat), np.repeat(cells.y, repeat))]):
        for name, value in alone(x, y).items():
            assert found[name][at] == pytest.approx(value, abs=1e-9, nan_ok=True), name


@pytest.mark.parametrize("step", [1.0, 1 / 3], ids=["whole", "thirds"])
@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_both_errors_of_kappa_are_those_of_fleiss_cohen_and_everitt(weights, step):
    b = np.clip(np.round(B / step) * step, 1, 5)
    found = kappa_test(A, b, weights=weights)
    se, se_null = plain.kappa_errors(A, b, weights=weights)
    assert found.estimate == pytest.approx(plain.cohen_kappa(A, b, weights=weights), abs=1e-10)
    assert (found.se, found.se_null) == pytest.approx((se, se_null), abs=1e-10)
    assert found.z == pytest.approx(found.estimate / se_null)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.z)))
    assert se != pytest.approx(se_null, rel=0.02)


def test_the_test_of_kappa_turns_with_the_scale_and_the_sides():
    for weights in ("none", "linear", "quadratic"):
        one = kappa_test(A, B, weights=weights)
        for other in (kappa_test(B, A, weights=weights), kappa_test(6 - A, 6 - B, weights=weights)):
            assert (other.se, other.se_null) == pytest.approx((one.se, one.se_null))


def test_a_constant_rater_has_no_test():
    for a, b in ((A * 0 + 3, B), (A * 0 + 3, B * 0 + 3), (A[:1], B[:1])):
        found = kappa_test(a, b)
        assert np.isnan(found.p_value)
        assert np.isnan(found.se_null)


def test_shares_have_wilsons_interval_and_bias_students():
    found = {one.coefficient: one for one in coefficient_intervals(A, B, scale=(1, 5))}
    assert list(found) == list(COEFFICIENTS)
    hits = int((A == B).sum())
    assert (found["exact"].low, found["exact"].high) == pytest.approx(
        proportion_confint(hits, 50, method="wilson")
    )
    assert (found["bias"].low, found["bias"].high) == pytest.approx(
        stats.ttest_1samp(A - B, 0).confidence_interval()
    )


def test_with_many_items_the_jackknife_goes_through_z_with_its_bias_off():
    n = 1200
    truth = np.random.default_rng(3).normal(3, 1, n)
    a, b = (np.clip(np.round(truth + RNG.normal(m, 0.8, n)), 1, 5) for m in (0, 0.4))
    found = {one.coefficient: one for one in coefficient_intervals(a, b, scale=(1, 5))}
    z = np.arctanh([plain.pearson(np.delete(a, i), np.delete(b, i)) for i in range(n)])
    whole = np.arctanh(plain.pearson(a, b))
    pseudo = n * whole - (n - 1) * z
    ends = stats.ttest_1samp(pseudo, 0).confidence_interval()
    assert (found["pearson"].low, found["pearson"].high) == pytest.approx(tuple(np.tanh(ends)))


def test_the_bootstrap_covers_the_estimate_and_repeats_itself():
    one, other, third = (
        coefficient_intervals(
            A, B, scale=(1, 5), method="bootstrap", rng=np.random.default_rng(seed), draws=300
        )
        for seed in (1, 1, 2)
    )
    assert one == pytest.approx(other, nan_ok=True) or str(one) == str(other)
    assert str(one) != str(third)
    assert all(row.low <= row.estimate <= row.high for row in one)


def test_duplicated_items_leave_the_estimate_and_swapping_turns_the_bias():
    once, twice = (
        {r.coefficient: r for r in coefficient_intervals(*pair, scale=(1, 5))}
        for pair in ((A, B), (np.tile(A, 2), np.tile(B, 2)))
    )
    swapped = {r.coefficient: r for r in coefficient_intervals(B, A, scale=(1, 5))}
    for name in ("kappa", "kappa_linear", "kappa_quadratic", "pearson", "spearman", "exact"):
        assert twice[name].estimate == pytest.approx(once[name].estimate)
        assert twice[name].high - twice[name].low < once[name].high - once[name].low
        assert swapped[name].estimate == pytest.approx(once[name].estimate)
        assert swapped[name].low == pytest.approx(once[name].low)
    assert swapped["bias"].estimate == pytest.approx(-once["bias"].estimate)


@pytest.mark.parametrize("weights", ["none", "linear"])
def test_other_weights_leave_items_out_too(weights):
    b = np.where(np.arange(50) == 3, np.nan, B)
    found = leave_one_out(A[:, None], b[:, None], weights=weights)
    kept = ~np.isnan(b)
    whole = plain.cohen_kappa(A[kept], b[kept], weights=weights)
    assert found.estimate[0] == pytest.approx(whole)
    assert found.kappa[3, 0] == pytest.approx(whole)
    kept[7] = False
    assert found.kappa[7, 0] == pytest.approx(plain.cohen_kappa(A[kept], b[kept], weights=weights))


def test_there_is_no_z_of_one():
    assert jackknife_interval(1.0, np.ones(20), fisher=True, corrected=True) == (1.0, 1.0)
    low, high = jackknife_interval(0.99, np.append(np.full(19, 0.98), 1.0), fisher=True)
    assert low < 0.99 < high


def test_few_items_have_estimates_and_no_interval():
    assert coefficient_intervals([], [], scale=(1, 5)) == ()
    few = coefficient_intervals(A[:4], B[:4], scale=(1, 5))
    assert all(np.isnan(one.low) for one in few)
    assert not np.isnan(few[0].estimate)
