"""If this failed, a judge's limits of agreement would promise less, or more, than the data show."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats

from analysis.agreement.bland_altman import limits_of_agreement
from prereg.errors import RatifyError


def pairs(n: int = 40, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    level = rng.normal(4, 1, n)
    return pd.DataFrame(
        {
            "judge": 4 + 0.5 * (level - 4) + rng.normal(0.4, 0.4, n),
            "reference": level + rng.normal(0, 0.3, n),
        }
    )


def test_bias_and_limits_are_those_of_statsmodels() -> None:
    data = pairs()
    found = limits_of_agreement(data)
    # its figure is the one place where statsmodels has them: at 1.96, with the population's sd
    drawn = sm.graphics.mean_diff_plot(data["judge"], data["reference"], ax=Figure().add_subplot())
    at = sorted(float(np.asarray(line.get_ydata())[0]) for line in drawn.axes[0].lines)
    larger = math.sqrt(40 / 39) * 1.959964 / 1.96
    assert found.bias == pytest.approx(at[1])
    assert found.upper - found.bias == pytest.approx(larger * (at[2] - at[1]), rel=1e-6)
    assert found.bias - found.lower == pytest.approx(larger * (at[1] - at[0]), rel=1e-6)


def test_the_bias_has_the_paired_t_interval() -> None:
    data = pairs()
    low, high = stats.ttest_rel(data["judge"], data["reference"]).confidence_interval(0.9)
    found = limits_of_agreement(data, level=0.9)
    assert (found.bias_low, found.bias_high) == pytest.approx((low, high))


def test_the_interval_of_a_limit_is_the_exact_one() -> None:
    """Each end is the value at which the limit would lie were the t statistic that improbable."""
    found = limits_of_agreement(pairs())
    root = math.sqrt(found.n)
    for end, tail in ((found.upper_low, 0.025), (found.upper_high, 0.975)):
        t = (end - found.bias) / found.sd * root
        assert stats.nct.cdf(t, found.n - 1, 1.959964 * root) == pytest.approx(tail, abs=1e-6)
    # and near the approximation of Bland and Altman (1999) where there are many items
    many = limits_of_agreement(pairs(400))
    half = 1.96 * many.sd * math.sqrt(1 / 400 + 1.96**2 / (2 * 399))
    assert (many.upper_high - many.upper_low) / 2 == pytest.approx(half, rel=0.01)


def test_the_spread_has_morgans_interval() -> None:
    """At the ends of the interval Pitman and Morgan's test of equal spread has p = .05."""
    data = pairs()
    found = limits_of_agreement(data)
    assert found.spread == pytest.approx(data["judge"].std() / data["reference"].std())
    for end in (found.spread_low, found.spread_high):
        scaled = data["judge"] / end
        p = stats.pearsonr(scaled - data["reference"], scaled + data["reference"]).pvalue
        assert p == pytest.approx(0.05, abs=1e-6)
    assert "uses less of the scale" in found.note
    swapped = limits_of_agreement(data, score="reference", reference="judge")
    assert "uses more of the scale" in swapped.note


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7)), min_size=3, max_size=15),
    st.integers(-3, 3),
    st.randoms(use_true_random=False),
)
def test_swap_shift_and_order(scores: list[tuple[int, int]], shift: int, shuffler) -> None:  # type: ignore[no-untyped-def]
    data = pd.DataFrame(scores, columns=["judge", "reference"])
    found = limits_of_agreement(data)
    assert found.lower_low <= found.lower <= found.bias <= found.upper <= found.upper_high
    order = list(range(len(data)))
    shuffler.shuffle(order)
    moved = limits_of_agreement((data + shift).iloc[order])
    swapped = limits_of_agreement(data, score="reference", reference="judge")
    for name in ("bias", "lower", "upper", "upper_low", "upper_high"):
        assert getattr(moved, name) == pytest.approx(getattr(found, name), abs=1e-9)
    assert swapped.bias == pytest.approx(-found.bias)
    assert swapped.upper_high == pytest.approx(-found.lower_low)
    if not math.isnan(found.spread):
        assert swapped.spread_low == pytest.approx(1 / found.spread_high)


def test_items_that_lack_a_score_are_counted() -> None:
    data = pairs()
    gaps = data.assign(judge=data["judge"].mask(data.index < 5))
    found = limits_of_agreement(gaps)
    assert (found.n, found.n_dropped) == (35, 5)
    assert found.bias == limits_of_agreement(data.iloc[5:]).bias
    assert found.to_frame()["n"].tolist() == [35]


def test_what_never_varies_has_no_spread() -> None:
    found = limits_of_agreement(pd.DataFrame({"judge": [3, 3, 3], "reference": [1, 2, 4]}))
    assert math.isnan(found.spread)
    assert found.note == "One of the two scores never varies."
    same = limits_of_agreement(pd.DataFrame({"judge": [1, 2, 4], "reference": [1, 2, 4]}))
    assert (same.lower_low, same.bias, same.upper_high) == (0, 0, 0)
    assert (same.spread_low, same.spread_high) == pytest.approx((1, 1))


@pytest.mark.parametrize(
    ("data", "level", "says"),
    [
        (pairs(2), 0.95, "too few items have both scores, got 2"),
        (pairs().drop(columns="judge"), 0.95, "no column 'judge'"),
        (pairs().assign(judge="high"), 0.95, "row 2, column judge: is not a number"),
        (pairs(), 1.0, "level is out of range"),
    ],
)
def test_bad_input_is_named(data: pd.DataFrame, level: float, says: str) -> None:
    with pytest.raises(RatifyError, match=says):
        limits_of_agreement(data, level=level)
