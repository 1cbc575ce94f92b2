"""If this failed, two values would be called equivalent that are not shown to be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from analysis.inference.equivalence import two_one_sided
from analysis.inference.proportions import wilson
from prereg.errors import RatifyError


def t_interval(x: np.ndarray) -> tuple[Callable[[float], tuple[float, float, float]], float]:
    mean, se = float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x)))

    def interval(level: float) -> tuple[float, float, float]:
        half = float(stats.t.ppf((1 + level) / 2, len(x) - 1)) * se
        return mean, mean - half, mean + half

    return interval, se


@pytest.mark.parametrize("mean", [0.0, 0.25, -0.45, 0.9])
@pytest.mark.parametrize("known", [True, False])
def test_a_paired_mean_agrees_with_statsmodels(mean, known):
    x = np.random.default_rng(1).normal(mean, 1, 40)
    interval, se = t_interval(x)
    found = two_one_sided(interval, margin=0.5, se=se if known else None)
    p, lower, upper = ttost_paired(x, np.zeros(40), -0.5, 0.5)
    least, near = (0.0, 1e-7) if known else (1e-4, 5e-4)
    assert found.p_lower == pytest.approx(max(lower[1], least), abs=near)
    assert found.p_upper == pytest.approx(max(upper[1], least), abs=near)
    assert found.p_value == pytest.approx(p, abs=5e-4)
    assert (found.verdict == "equivalent") == (p <= 0.05)
    assert found.level == 0.9
    assert (found.low, found.high) == pytest.approx(interval(0.9)[1:])


def test_two_groups_agree_with_statsmodels_and_are_never_called_the_same_for_want_of_data():
    rng = np.random.default_rng(2)
    one, two = rng.normal(0.1, 1, 30), rng.normal(0, 1, 35)
    spread = math.sqrt(((len(one) - 1) * one.var(ddof=1) + (len(two) - 1) * two.var(ddof=1)) / 63)
    se = spread * math.sqrt(1 / 30 + 1 / 35)
    apart = float(one.mean() - two.mean())

    def interval(level: float) -> tuple[float, float, float]:
        half = float(stats.t.ppf((1 + level) / 2, 63)) * se
        return apart, apart - half, apart + half

    found = two_one_sided(interval, margin=0.3, se=se)
    assert found.p_value == pytest.approx(ttost_ind(one, two, -0.3, 0.3)[0])
    assert 2 * stats.t.sf(abs(apart) / se, 63) > 0.05  # no difference is found
    assert found.verdict == "not shown to be equivalent"
    assert two_one_sided(interval, margin=1.0, se=se).verdict == "equivalent"


def test_the_normal_is_recognised_and_a_wrong_error_is_not_believed():
    def interval(level: float) -> tuple[float, float, float]:
        half = float(stats.norm.ppf((1 + level) / 2)) * 0.2
        return 0.1, 0.1 - half, 0.1 + half

    exact = two_one_sided(interval, margin=0.5, se=0.2)
    assert exact.p_upper == pytest.approx(stats.norm.sf(2.0))
    for wrong in (0.1, 0.25):  # as where the interval is a bootstrap's and the error is not
        other = two_one_sided(interval, margin=0.5, se=wrong)
        assert other.p_upper == pytest.approx(exact.p_upper, abs=2e-4)


def test_an_asymmetric_interval_is_inverted():
    """Wilson's interval, whose ends are score tests: p is that of the score test."""

    def interval(level: float) -> tuple[float, float, float]:
        found = wilson(172, 200, level)
        return found.estimate, found.low, found.high

    low, high = proportion_confint(172, 200, alpha=0.1, method="wilson")
    found = two_one_sided(interval, margin=0.1, reference=0.9, se=math.sqrt(0.86 * 0.14 / 200))
    assert (found.low, found.high) == pytest.approx((low, high))
    z = (0.86 - 0.8) / math.sqrt(0.8 * 0.2 / 200)
    assert found.p_lower == pytest.approx(stats.norm.sf(z), abs=2e-4)
    assert found.p_upper == pytest.approx(1e-4)
    assert found.verdict == "equivalent"


def test_a_value_beyond_a_margin_has_a_p_above_one_half_and_may_be_different():
    interval, se = t_interval(np.random.default_rng(3).normal(1.0, 1, 60))
    found, same = (two_one_sided(interval, margin=0.5, se=s) for s in (se, None))
    assert found.verdict == same.verdict == "different"
    assert found.p_value == found.p_upper > 0.99
    assert same.p_upper == pytest.approx(found.p_upper, abs=1e-3)


def test_not_worse_asks_about_one_side_only():
    interval, se = t_interval(np.random.default_rng(4).normal(0.8, 1, 60))
    up = two_one_sided(interval, margin=0.5, side="not_worse", better="higher", se=se)
    assert up.verdict == "not worse"
    assert math.isnan(up.p_upper)
    assert up.p_value == up.p_lower < 0.001
    assert math.isinf(up.margin_high)
    down = two_one_sided(interval, margin=0.5, side="not_worse", better="lower", se=se)
    assert down.verdict in {"worse", "not shown to be not worse"}
    assert math.isnan(down.p_lower)
    far = two_one_sided(interval, margin=0.2, side="not_worse", better="lower", se=se)
    assert far.verdict == "worse"


def test_swapping_the_sides_and_another_unit_change_nothing_else():
    x = np.random.default_rng(5).normal(0.2, 1, 50)
    one = two_one_sided(t_interval(x)[0], margin=0.5)
    other = two_one_sided(t_interval(-x)[0], margin=0.5)
    assert (other.p_lower, other.p_upper) == pytest.approx((one.p_upper, one.p_lower), abs=1e-6)
    scaled = two_one_sided(t_interval(x * 100 + 7)[0], margin=50, reference=7)
    assert scaled.p_value == pytest.approx(one.p_value, abs=1e-3)
    assert scaled.verdict == one.verdict


def test_the_verdict_and_p_agree_at_any_alpha():
    interval, _ = t_interval(np.random.default_rng(6).normal(0.2, 1, 40))
    for alpha in (0.01, 0.025, 0.1, 0.2):
        found = two_one_sided(interval, margin=0.5, alpha=alpha)
        assert (found.verdict == "equivalent") == (found.p_value < alpha)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"margin": 0}, "above 0"),
        ({"margin": math.nan}, "above 0"),
        ({"alpha": 0.5}, "0 to 0.5"),
        ({"side": "less"}, "not_worse"),
        ({"better": "up"}, "higher, lower"),
    ],
)
def test_what_is_refused_is_named(more: dict[str, Any], said: str):
    interval, _ = t_interval(np.random.default_rng(7).normal(size=9))
    with pytest.raises(RatifyError) as error:
        two_one_sided(interval, **{"margin": 0.5, **more})
    assert said in str(error.value)


def test_a_value_without_an_interval_is_refused():
    with pytest.raises(RatifyError, match="has no interval"):
        two_one_sided(lambda level: (0.1, math.nan, math.nan), margin=1)


LOST = "no resample at this level"


@pytest.mark.parametrize("how", ["nan", "raises"])
@pytest.mark.parametrize(
    ("mean", "ends_at", "said"),
    [
        # levels above 95%, below 85% and but for a few around 90% have no ends
        (0.2, (0.0, 0.95), "p_lower is at most 0.02"),
        (0.42, (0.85, 1.0), "p_upper is between 0.07"),
        (1.0, (0.0, 0.95), "p_upper is between 0.97 and 1"),
        (0.55, (0.85, 1.0), "p_upper is between 0.5 and 0.9"),
    ],
)
def test_a_level_without_ends_does_not_lose_the_verdict(how, mean, ends_at, said):
    whole, _ = t_interval(np.random.default_rng(1).normal(0, 1, 40) * 0.9 + mean)

    def interval(level: float) -> tuple[float, float, float]:
        if ends_at[0] <= level <= ends_at[1]:
            return whole(level)
        if how == "raises":
            raise RatifyError(LOST)
        return whole(level)[0], math.nan, math.nan

    complete = two_one_sided(whole, margin=0.5)
    found = two_one_sided(interval, margin=0.5)
    assert found.verdict == complete.verdict
    assert (found.low, found.high) == (complete.low, complete.high)
    assert said in found.note
    assert complete.note == ""
    assert found.p_lower >= complete.p_lower - 1e-3
    assert found.p_upper >= complete.p_upper - 1e-3
    assert (found.p_value <= 0.05) == (complete.p_value <= 0.05)
    # what is asked of levels that do have ends is known exactly
    for name in ("p_lower", "p_upper"):
        if name not in found.note:
            assert getattr(found, name) == pytest.approx(getattr(complete, name), abs=1e-3)


def test_ends_that_are_lacking_at_levels_in_between_bound_the_p_value():
    whole, _ = t_interval(np.random.default_rng(1).normal(0.42, 1, 40))

    def interval(level: float) -> tuple[float, float, float]:
        estimate, low, high = whole(level)
        return (estimate, math.nan, math.nan) if 0.02 < level < 0.88 else (estimate, low, high)

    complete = two_one_sided(whole, margin=0.5)
    assert 0.1 < complete.p_upper < 0.45
    found = two_one_sided(interval, margin=0.5)
    assert found.verdict == complete.verdict == "not shown to be equivalent"
    assert found.p_upper >= complete.p_upper
    assert "p_upper is between" in found.note
