"""If these failed, a user's units would predict each other, or heavy users look like many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.causal.clustered import degrees_of_freedom, from_influence
from analysis.causal.folds import user_folds
from prereg.errors import RatifyError


@pytest.fixture
def user():
    rng = np.random.default_rng(5)
    return np.concatenate([np.full(120, 7), rng.integers(8, 200, size=480)])


def test_no_user_is_in_two_folds_and_folds_are_of_one_size(user):
    fold = user_folds(user, 5, np.random.default_rng(0))
    assert all(len(np.unique(fold[user == one])) == 1 for one in np.unique(user))
    assert np.bincount(fold).tolist() == [120] * 5


def test_folds_balance_what_they_are_asked_to(user):
    weights = (np.arange(len(user)) % 12 == 0).astype(float)
    fold = user_folds(user, 5, np.random.default_rng(0), weights=weights)
    inside = np.bincount(fold, weights)
    assert np.ptp(inside) <= 1
    # users of weight 0 are dealt by their number
    of_none = [one for one in np.unique(user) if weights[user == one].sum() == 0]
    counts = np.bincount([fold[user == one][0] for one in of_none], minlength=5)
    assert np.ptp(counts) <= 12


def test_folds_follow_the_generator_and_not_the_names_of_users(user):
    first, again, other = (user_folds(user, 4, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(first, user_folds(user * 10 + 3, 4, np.random.default_rng(1)))


@pytest.mark.parametrize(
    ("user", "folds", "said"),
    [
        (np.zeros(50, dtype=int), 5, "1 user cannot be split into 5 folds"),
        (np.arange(3), 4, "3 users cannot be split into 4 folds"),
        (np.arange(30), 2, "folds: too few folds, got 2"),
    ],
)
def test_too_few_users_and_folds_are_refused(user, folds, said):
    with pytest.raises(RatifyError, match=said):
        user_folds(user, folds, np.random.default_rng(0))


def test_users_of_one_unit_give_the_interval_of_a_mean():
    values = np.random.default_rng(3).normal(2.0, 1.5, size=300)
    found = from_influence(values.mean(), values - values.mean(), np.arange(300))
    assert found.se == pytest.approx(values.std(ddof=1) / np.sqrt(300), rel=1e-12)
    assert (found.n, found.clusters) == (300, 300)
    reach = stats.t.ppf(0.975, found.df) * found.se
    assert found.high - found.value == pytest.approx(reach)


def test_the_same_unit_ten_times_is_worth_one():
    values = np.random.default_rng(4).normal(size=200)
    once = from_influence(0.0, values, np.arange(200))
    tenfold = from_influence(0.0, np.repeat(values, 10), np.repeat(np.arange(200), 10))
    assert tenfold.se == pytest.approx(once.se, rel=1e-12)
    assert tenfold.df == pytest.approx(once.df, rel=1e-12)


def test_the_error_is_that_of_leaving_out_one_user_at_a_time():
    rng = np.random.default_rng(6)
    user = np.concatenate([np.full(60, 3), np.arange(5, 65).repeat(2)])
    values = rng.normal(size=180) + rng.normal(size=65)[user]
    found = from_influence(values.mean(), values - values.mean(), user)
    without = np.array([values[user != one].mean() for one in np.unique(user)])
    assert found.clusters == len(without) == 61
    variance = 60 / 61 * ((without - values.mean()) ** 2).sum()
    assert found.se == pytest.approx(np.sqrt(variance), rel=1e-12)


def test_degrees_of_freedom_are_those_of_the_variance_and_few_where_few_users_carry_it():
    sums = np.random.default_rng(5).normal(size=100_000)
    assert degrees_of_freedom(sums) == pytest.approx(100_000, rel=0.05)
    heavy = np.concatenate([np.full(2, 100.0), np.full(2, -100.0), sums[:500]])
    assert degrees_of_freedom(heavy - heavy.mean()) < 10
    # 1 and -1 have the smallest kurtosis there is: no more than one fewer than the users
    assert degrees_of_freedom(np.tile([1.0, -1.0], 20)) == 39


def test_an_interval_without_a_second_user_is_not_given():
    found = from_influence(1.0, np.array([0.3, -0.3]), np.zeros(2, dtype=int))
    assert np.isnan(found.low)
    assert np.isnan(found.se)
