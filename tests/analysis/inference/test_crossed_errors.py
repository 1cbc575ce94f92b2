"""If these fail, means of sources come with intervals that are too narrow, or with none at all."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import sqrtm

from analysis.inference.crossed_errors import crossed_ols
from prereg.errors import RatifyError

N = 60


def crossed(seed: int, raters: int = 9, items: int = 12):
    """Return an outcome, three terms, and codes of raters and items that cross."""
    rng = np.random.default_rng(seed)
    rater = np.concatenate([np.arange(raters), rng.integers(0, raters, N - raters)])
    item = np.concatenate([np.arange(items), rng.integers(0, items, N - items)])
    X = np.column_stack([item % 2 == 0, item % 2 == 1, rng.normal(size=N)]).astype(float)
    y = rng.normal(size=raters)[rater] + rng.normal(size=items)[item] + rng.normal(size=N)
    return y, X, rater, item


def by_definition(y, X, codes, l):  # noqa: E741
    """Return the CR2 variance and Satterthwaite's df, by whole matrices of n x n."""
    M = np.linalg.inv(X.T @ X)
    H = X @ M @ X.T
    e = y - H @ y
    vectors, variance = [], 0.0
    for g in np.unique(codes):
        mine = codes == g
        A = np.linalg.inv(np.real(sqrtm(np.eye(mine.sum()) - H[np.ix_(mine, mine)])))
        weight = A @ X[mine] @ M @ l
        variance += (weight @ e[mine]) ** 2
        vectors.append((np.eye(len(y)) - H)[:, mine] @ weight)
    B = np.array(vectors) @ np.array(vectors).T
    return variance, np.trace(B) ** 2 / np.trace(B @ B)


def test_one_way_is_cr2_by_its_definition():
    y, X, rater, _ = crossed(1)
    l = np.array([1.0, -1.0, 0.5])  # noqa: E741
    got = crossed_ols(y, X, {"rater": rater}).estimates(l)[0]
    variance, df = by_definition(y, X, rater, l)
    assert got.se**2 == pytest.approx(variance, rel=1e-9)
    assert got.df == pytest.approx(df, rel=1e-9)
    assert got.low == pytest.approx(got.estimate - stats.t.ppf(0.975, df) * got.se)
    assert got.p_value == pytest.approx(2 * stats.t.sf(abs(got.estimate / got.se), df))


def test_two_ways_add_and_take_off_the_intersection():
    y, X, rater, item = crossed(2)
    l = np.array([1.0, -1.0, 0.0])  # noqa: E741
    got = crossed_ols(y, X, {"rater": rater, "item": item}).estimates(l)[0]
    (by_rater, df_rater), (by_item, df_item), (by_both, _) = (
        by_definition(y, X, codes, l) for codes in (rater, item, rater * 100 + item)
    )
    variance = by_rater + by_item - by_both
    assert variance > max(by_rater, by_item)
    assert got.se**2 == pytest.approx(variance, rel=1e-9)
    df = variance**2 / (by_rater**2 / df_rater + by_item**2 / df_item)
    assert got.df == pytest.approx(df, rel=1e-9)


def test_two_ways_are_never_surer_than_one():
    rng = np.random.default_rng(3)
    rater, item = np.repeat(np.arange(6), 10), np.tile(np.arange(10), 6)
    y = rng.normal(size=60) - 3 * (rater == item % 6)  # what they share differs: subtracts more
    both = crossed_ols(y, np.ones((60, 1)), {"rater": rater, "item": item}).estimates([[1.0]])[0]
    each = [crossed_ols(y, np.ones((60, 1)), {"c": c}).estimates([[1.0]])[0] for c in (rater, item)]
    assert both.se == pytest.approx(max(one.se for one in each))


def test_rows_of_their_own_are_statsmodels_hc2():
    y, X, _, _ = crossed(4)
    fit = crossed_ols(y, X, {"row": np.arange(N)})
    theirs = sm.OLS(y, X).fit(cov_type="HC2")
    assert fit.params == pytest.approx(theirs.params, abs=1e-10)
    assert [e.se for e in fit.estimates(np.eye(3))] == pytest.approx(list(theirs.bse), rel=1e-9)


def test_equal_clusters_are_students_t_on_their_means():
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(12), 5)
    y = rng.normal(size=12)[cluster] + rng.normal(size=60)
    X = np.repeat(np.eye(2), 30, axis=0)
    one, difference = crossed_ols(y, X, {"item": cluster}).estimates(np.array([[1, 0], [1, -1.0]]))
    means = y.reshape(12, 5).mean(axis=1)
    single, pair = stats.ttest_1samp(means[:6], 0), stats.ttest_ind(means[:6], means[6:])
    assert (one.df, one.p_value) == (pytest.approx(5), pytest.approx(single.pvalue))
    assert (difference.df, difference.p_value) == (pytest.approx(10), pytest.approx(pair.pvalue))
    assert (one.low, one.high) == pytest.approx(tuple(single.confidence_interval()))


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(-50, 50))
def test_order_names_and_units_do_not_matter(seed, times, plus):
    y, X, rater, item = crossed(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(N)
    again = {"item": rng.permutation(12)[item][order], "rater": rng.permutation(9)[rater][order]}
    wanted = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
    plain = crossed_ols(y, X, {"rater": rater, "item": item}).estimates(wanted)
    other = crossed_ols(times * y[order] + plus, X[order], again).estimates(wanted)
    for one, two in zip(plain, other, strict=True):
        assert two.estimate == pytest.approx(times * one.estimate, abs=1e-7)
        assert two.se == pytest.approx(times * one.se, rel=1e-6)
        assert two.df == pytest.approx(one.df, rel=1e-6)


def test_what_one_cluster_decides_has_no_interval():
    y, X, rater, _ = crossed(6)
    alone = np.column_stack([X, rater == 3]).astype(float)
    found = crossed_ols(y, alone, {"rater": rater}).estimates(np.eye(4))
    assert np.isnan(found[3].se)
    assert np.isnan(found[3].p_value)
    assert found[3].note == "rests on a single rater: no interval"
    assert all(np.isfinite(one.se) for one in found[:3])
    flat = crossed_ols(np.ones(N), X[:, :2], {"rater": rater}).estimates(np.eye(2))[0]
    assert np.isnan(flat.low)
    assert "nothing varies" in flat.note


def test_terms_that_repeat_each_other_are_refused():
    y, X, rater, _ = crossed(7)
    with pytest.raises(RatifyError, match="linear combinations"):
        crossed_ols(y, np.column_stack([X, X[:, 0] + X[:, 1]]), {"rater": rater})
