"""Were this broken, arms that differ in a confounder would be called balanced.

Overlap weights of a logit fitted by maximum likelihood balance every covariate exactly (Li, Morgan
and Zaslavsky 2018), which no wrong mean or weight would.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.causal.balance import Balance, balance, overlap_weights
from analysis.causal.balance_figures import plot_balance
from analysis.results.figure_style import fit_width, svg
from prereg.errors import RatifyError

NAMES = ("a", "b", "c")


def data(seed: int = 0, n: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=(n, 2)), rng.random(n) < 0.3])
    arms = (rng.random(n) < 1 / (1 + np.exp(1 - x @ [0.8, 0, 0.5]))).astype(float)
    arms[:100] = np.nan
    return x, arms


def test_differences_by_hand() -> None:
    x = np.array([[1.0], [3.0], [0.0], [1.0], [2.0], [9.0]])
    arms = np.array([1.0, 1.0, 0.0, 0.0, 0.0, np.nan])
    found = balance(x, ["a"], arms, np.array([1.0, 1.0, 0.0, 1.0, 3.0, np.nan])).table.iloc[0]
    spread = math.sqrt((2 + 1) / 2)
    assert found["before"] == pytest.approx((2 - 1) / spread)
    assert found["after"] == pytest.approx((2 - 1.75) / spread)
    assert found["variance_ratio_before"] == pytest.approx(2)
    # reliability weights: 3/16 x 1 + ... over 1 - (1/16 + 9/16)
    variance = (0.25 * 0.75**2 + 0.75 * 0.25**2) / (1 - 0.0625 - 0.5625)
    assert found["variance_ratio_after"] == pytest.approx(2 / variance)


def test_overlap_weights_of_a_logit_balance_exactly() -> None:
    x, arms = data()
    known = ~np.isnan(arms)
    design = sm.add_constant(x)
    fit = sm.Logit(arms[known], design[known]).fit(disp=0, tol=1e-12)
    weights = overlap_weights(arms, fit.predict(design))
    found = balance(x, NAMES, arms, weights)
    assert found.table["before"].abs().max() > 0.5
    assert found.largest < 1e-8
    assert found.holds and (weights[:100] == 0).all()
    scaled = balance(x, NAMES, arms, weights * np.where(arms == 1, 7.0, 0.3))
    pd.testing.assert_frame_equal(found.table, scaled.table, atol=1e-12)
    assert scaled.effective == pytest.approx(found.effective)


def test_weights_of_one_change_nothing_and_rows_may_be_permuted() -> None:
    x, arms = data(1)
    found = balance(x, NAMES, arms, np.ones(len(arms)))
    assert found.table["before"].to_numpy() == pytest.approx(found.table["after"].to_numpy())
    assert found.effective == ((arms == 1).sum(), (arms == 0).sum())
    rows = np.random.default_rng(5).permutation(len(arms))
    other = balance(3 + 10 * x[rows], NAMES, arms[rows], np.ones(len(arms)))
    pd.testing.assert_frame_equal(found.table, other.table, atol=1e-10)
    assert not found.holds
    assert found.worst(1)["covariate"].tolist() == ["a"]


def test_confounders_are_grouped() -> None:
    x, arms = data()
    found = balance(x, NAMES, arms, np.ones(len(arms)), groups={"prompt": (0, 1), "model": (2,)})
    assert found.table["group"].tolist() == ["prompt", "prompt", "model"]
    by_group = found.by_group().set_index("group")
    assert by_group.loc["prompt", "covariates"] == 2
    assert by_group.loc["prompt", "beyond_before"] == 1
    assert by_group.loc["prompt", "largest_after"] == found.table["after"][:2].abs().max()


def test_a_covariate_with_one_value() -> None:
    arms = np.array([1.0, 1.0, 0.0, 0.0])
    x = np.column_stack([np.full(4, 0.1), arms])
    found = balance(x, ["same", "apart"], arms, np.array([0.3, 0.1, 0.2, 0.7])).table
    assert found["after"].tolist() == [0.0, np.inf]
    assert found["variance_ratio_after"].isna().all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("nan", "b: a covariate is missing or infinite, got nan (allowed: a finite number for"),
        ("negative", "weights: a weight is not a number of at least 0, got -1.0"),
        ("empty", "no treated unit has a weight above 0"),
    ],
)
def test_wrong_input_is_refused_in_one_line(change: str, words: str) -> None:
    x, arms = data()
    weights = np.ones(len(arms))
    if change == "nan":
        x[200, 1] = np.nan
    elif change == "negative":
        weights[200] = -1
    else:
        weights[arms == 1] = 0
    with pytest.raises(RatifyError) as caught:
        balance(x, NAMES, arms, weights)
    assert words in str(caught.value)


def many(p: int) -> Balance:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, p))
    arms = (rng.random(400) < 0.3).astype(float)
    x[arms == 1, : p // 2] += 0.4
    names = [f"prompt {k}" for k in range(p)]
    groups = {"prompt": range(p - 3), "model": range(p - 3, p)}
    return balance(x, names, arms, 0.5 + rng.random(400), groups=groups)


@pytest.mark.parametrize("p", [8, 60])
def test_the_figure_shows_every_covariate_and_the_limit(p: int) -> None:
    found = many(p)
    ax = plot_balance(found, weighting="after matching")
    for when in ("before", "after"):
        mark = next(line for line in ax.lines if line.get_gid() == when)
        assert np.asarray(mark.get_xdata()) == pytest.approx(found.table[when].abs())
    text = svg(ax)
    assert "after matching" in text and "0.1" in text
    assert ("prompt (57)" in text) == (p == 60)
    assert svg(plot_balance(found, weighting="after matching")) == text
    assert fit_width(ax, 3.3).figure is not None


def test_an_infinite_difference_is_drawn_at_the_edge() -> None:
    arms = np.array([1.0, 1.0, 0.0, 0.0])
    x = np.column_stack([arms, [0.1, 0.4, 0.2, 0.2]])
    ax = plot_balance(balance(x, ["apart", "b"], arms, np.ones(4)))
    mark = next(line for line in ax.lines if line.get_gid() == "after")
    assert np.isfinite(np.asarray(mark.get_xdata(), dtype=float)).all()
