"""Were this broken, the matched effect or its interval would be wrong.

The bootstrap is compared with the analytic standard error of clustered means, and with worlds of
known truth; `make validate` checks the coverage with more data sets (tests/validation/matching.py).
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.causal.matching.effect import matched_effect
from analysis.causal.matching.match import match
from analysis.causal.matching.result import Matching
from prereg.errors import RatifyError


def paired(treated: np.ndarray, control: np.ndarray, units: int) -> Matching:
    none = np.empty(0, dtype=np.int64)
    return Matching(
        method="optimal",
        solver="dense",
        caliper=0.2,
        treated=treated,
        control=control,
        similarity=np.full(len(treated), 0.5),
        none_within_caliper=none,
        none_left=none,
        units=units,
    )


def one(seed: int, pairs: int = 300) -> tuple[Matching, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.concatenate([0.7 + rng.normal(size=pairs), rng.normal(size=pairs)])
    return paired(np.arange(pairs), pairs + np.arange(pairs), 2 * pairs), y


def test_users_with_one_unit_each_give_the_paired_t_interval() -> None:
    pairs, y = one(0)
    found = matched_effect(pairs, y, np.arange(600), rng=np.random.default_rng(1), draws=20_000)
    difference = y[:300] - y[300:]
    assert found.value == pytest.approx(difference.mean())
    wanted = difference.std(ddof=1) / math.sqrt(300)
    assert found.se == pytest.approx(wanted, rel=0.03)
    assert (found.high - found.low) / 2 == pytest.approx(1.968 * wanted, rel=0.03)
    assert (found.n, found.clusters, found.df) == (600, 300, 299)
    assert found.influence.mean() == pytest.approx(0, abs=1e-12)


def test_a_user_of_all_treated_units_of_a_kind_widens_the_interval() -> None:
    pairs, y = one(1)
    y[:300] = y[:300] + np.repeat(np.random.default_rng(2).normal(size=30), 10)
    by_tens = np.concatenate([np.repeat(np.arange(30), 10), 30 + np.arange(300)])
    rng = np.random.default_rng
    wide = matched_effect(pairs, y, by_tens, rng=rng(1), draws=10_000)
    narrow = matched_effect(pairs, y, np.arange(600), rng=rng(1), draws=10_000)
    error = (y[:300] - y[300:]) - wide.value
    wanted = math.sqrt((error.reshape(30, 10).sum(axis=1) ** 2).sum()) / 300
    assert wide.se == pytest.approx(wanted, rel=0.05)
    assert wide.width > 1.5 * narrow.width


def test_users_whose_control_units_are_in_many_pairs_widen_it_too() -> None:
    pairs, y = one(3)
    y[300:] = y[300:] + np.repeat(np.random.default_rng(4).normal(size=30), 10)
    users = np.concatenate([np.arange(300), 300 + np.repeat(np.arange(30), 10)])
    found = matched_effect(pairs, y, users, rng=np.random.default_rng(1), draws=10_000)
    error = (y[:300] - y[300:]) - found.value
    wanted = math.sqrt((error.reshape(30, 10).sum(axis=1) ** 2).sum()) / 300
    assert found.se == pytest.approx(wanted, rel=0.05)


def test_pairs_that_share_both_users_count_once() -> None:
    """Every unit twice: two pairs of the same two users are one pair's worth."""
    pairs, y = one(5, pairs=100)
    twice = paired(
        np.concatenate([np.arange(100), 200 + np.arange(100)]),
        np.concatenate([100 + np.arange(100), 300 + np.arange(100)]),
        400,
    )
    users = np.concatenate([np.arange(200), np.arange(200)])
    rng = np.random.default_rng
    both = matched_effect(twice, np.concatenate([y, y]), users, rng=rng(1), draws=10_000)
    single = matched_effect(pairs, y, np.arange(200), rng=rng(1), draws=10_000)
    assert both.value == pytest.approx(single.value)
    assert both.se == pytest.approx(single.se, rel=0.03)


def test_users_may_be_renamed_and_the_seed_decides() -> None:
    pairs, y = one(6)
    rng = np.random.default_rng
    users = np.random.default_rng(0).integers(80, size=600)
    first = matched_effect(pairs, y, users, rng=rng(1))
    again = matched_effect(pairs, y, users * 7 + 3, rng=rng(1))
    assert (first.low, first.high) == pytest.approx((again.low, again.high))
    assert matched_effect(pairs, y, users, rng=rng(2)).low != first.low


def test_few_users_give_no_interval() -> None:
    pairs, y = one(7)
    found = matched_effect(pairs, y, np.arange(600) % 4, rng=np.random.default_rng(1))
    assert math.isnan(found.low) and math.isnan(found.se) and not math.isnan(found.value)


def test_no_pair_and_no_outcome_are_refused_in_one_line() -> None:
    pairs, y = one(8)
    y[0] = np.nan
    with pytest.raises(RatifyError, match="a matched unit has no outcome"):
        matched_effect(pairs, y, np.arange(600), rng=np.random.default_rng(1))
    unit, arms = np.array(["a", "b"]), np.array([1.0, 0.0])
    far = match(unit, np.array([[1.0, 0.0], [-1.0, 0.0]]), arms, caliper=0.5)
    with pytest.raises(RatifyError, match=r"no treated unit has a control unit within the caliper"):
        matched_effect(far, np.zeros(2), np.arange(2), rng=np.random.default_rng(1))
