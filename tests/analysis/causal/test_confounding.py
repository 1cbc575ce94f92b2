"""Were this broken, readers would take an estimate for more robust against confounding than it is.

Values are compared with published ones and with R's (tests/reference/confounding.py), and with
confounders that are really there.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.confounding import e_value, e_value_of, robustness
from prereg.errors import RatifyError
from tests.reference import confounding as reference


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, (high - low) / 4, low, high, 99.0, 100, 100, 0.95, np.zeros(100))


@pytest.mark.parametrize(("ratio", "wanted"), reference.PUBLISHED_RATIOS.items())
def test_published_ratios(ratio: float, wanted: float) -> None:
    d = math.log(ratio) / 0.91
    assert e_value(d, d, d).value == pytest.approx(wanted, abs=0.005)
    assert e_value(-d, -d, -d).value == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize(("given", "wanted"), reference.R_EVALUE.items())
def test_r_package(given: tuple[float, float], wanted: tuple[float, float]) -> None:
    d, half = given[0], given[1] * reference.STANDARD_ERRORS
    found = e_value(d, d - half, d + half)
    assert (found.value, found.near) == pytest.approx(wanted, rel=1e-12)
    other = e_value(-d, -d - half, -d + half)
    assert (other.value, other.near) == pytest.approx(wanted, rel=1e-12)


def test_another_truth_is_a_shift() -> None:
    """R's test "SMD, causative": d .5, se .2, truth .1."""
    half = 0.2 * reference.STANDARD_ERRORS
    found = e_value(0.5, 0.5 - half, 0.5 + half, truth=0.1)
    ratio, truth = math.exp(0.91 * 0.5), math.exp(0.91 * 0.1)
    assert found.value == pytest.approx((ratio + math.sqrt(ratio * (ratio - truth))) / truth)
    assert e_value(0.5, 0.05, 0.9, truth=0.1).near == 1.0


def test_an_interval_with_zero_needs_no_confounder() -> None:
    assert e_value(0.1, -0.1, 0.3).near == 1.0
    assert e_value(0.0, -0.1, 0.1).value == 1.0
    missing = e_value(0.5, math.nan, math.nan)
    assert missing.value > 1 and math.isnan(missing.near)


def test_points_are_divided_by_the_outcome_s_spread() -> None:
    found = e_value_of(estimate(0.75, 0.45, 1.05), 1.5)
    assert found == e_value(0.5, 0.45 / 1.5, 1.05 / 1.5)
    with pytest.raises(RatifyError, match=r"the outcome does not vary, got 0.0"):
        e_value_of(estimate(0.75, 0.45, 1.05), 0.0)
    with pytest.raises(RatifyError, match=r"the estimate is not within its interval"):
        e_value(0.5, 0.6, 0.9)


@pytest.mark.parametrize(("given", "wanted"), reference.DARFUR_VALUES.items())
def test_darfur(given: tuple[float, float | None], wanted: float) -> None:
    darfur = reference.DARFUR
    t = darfur["estimate"] / darfur["se"]
    for sign in (1, -1):
        found = reference.robustness_of_t(sign * t, darfur["df"], q=given[0], alpha=given[1])
        assert found == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(("given", "wanted"), reference.HIGH_T.items())
def test_a_very_large_t(given: tuple[float, float | None], wanted: float) -> None:
    assert reference.robustness_of_t(40.0, 30, q=given[0], alpha=given[1]) == pytest.approx(
        wanted, rel=1e-9
    )


def test_residuals_of_a_regression_give_the_value_of_its_t() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(400), rng.normal(size=(400, 3))])
    d = x @ [0, 1, 0, 1] + rng.normal(size=400)
    y = 0.3 * d + x @ [1, 1, 1, 0] + rng.normal(size=400)
    d_left, y_left = (v - x @ np.linalg.lstsq(x, v, rcond=None)[0] for v in (d, y))
    value = float(d_left @ y_left / (d_left @ d_left))
    rest = y_left - value * d_left
    t = value / math.sqrt(rest @ rest / 395 / (d_left @ d_left))
    found = robustness(
        from_influence(value, 400 * d_left * rest / (d_left @ d_left), np.arange(400)),
        d_left,
        y_left,
    )
    assert found.value == pytest.approx(reference.robustness_of_t(t, 395))
    assert found.partial_r2 == pytest.approx(t**2 / (t**2 + 395))
    assert found.near == pytest.approx(reference.robustness_of_t(t, 395, alpha=0.05), abs=0.006)


def test_a_confounder_of_just_this_strength_brings_the_estimate_to_zero() -> None:
    """The definition: with it in the regression, the treatment's coefficient is 0."""
    rng = np.random.default_rng(2)
    n = 500
    d, e = (v - v.mean() for v in rng.normal(size=(2, n)))
    e -= d * (e @ d) / (d @ d)
    y = 0.4 * d + e
    found = robustness(from_influence(0.4, d * e, np.arange(n)), d, y)
    share = found.value
    # the confounder: `share` of the treatment's variance, and `share` of what is left of y after d
    noise = rng.normal(size=n)
    for one in (d, e, np.ones(n)):
        noise -= one * (noise @ one) / (one @ one)
    apart = math.sqrt(share) * e / np.linalg.norm(e) + math.sqrt(1 - share) * (
        noise / np.linalg.norm(noise)
    )
    confounder = math.sqrt(share) * d / np.linalg.norm(d) + math.sqrt(1 - share) * apart
    beta = np.linalg.lstsq(np.column_stack([d, confounder]), y, rcond=None)[0]
    assert beta[0] == pytest.approx(0, abs=1e-9)


def test_an_interval_with_zero_has_a_robustness_value_of_zero() -> None:
    rng = np.random.default_rng(3)
    d, y = rng.normal(size=(2, 100))
    assert robustness(estimate(0.1, -0.1, 0.3), d, y).near == 0.0
    above = robustness(estimate(0.3, 0.1, 0.5), d, y + 0.3 * d)
    below = robustness(replace(estimate(-0.3, -0.5, -0.1)), d, -y - 0.3 * d)
    assert above == below and 0 < above.near < above.value
    assert reference.robustness_of_t(1.0, 100, alpha=0.05) == 0.0
