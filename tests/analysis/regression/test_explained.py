"""If these failed, the share of variance that a trait explains would be wrong, or too certain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy.stats import binom

from analysis.regression.explained import explained_variance
from prereg.errors import RatifyError

DATA_SETS = 600


def drawn(
    rng: np.random.Generator, people: int, each: int, share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, y and person; half of the variance of both is the person's own."""
    who = np.repeat(np.arange(people), each)
    x, error = (
        (rng.normal(size=people)[who] + rng.normal(size=len(who))) / np.sqrt(2) for _ in range(2)
    )
    return x, np.sqrt(share) * x + np.sqrt(1 - share) * error, who


def test_it_is_r_squared_of_a_regression() -> None:
    x, y, who = drawn(np.random.default_rng(3), 50, 2, 0.3)
    x, y = x * 7 + 1000, y * 3 - 500
    x[4] = np.nan
    found = explained_variance(x, y, who)
    fitted = smf.ols("y ~ x", pd.DataFrame({"x": x, "y": y})).fit()
    assert found.r2 == pytest.approx(fitted.rsquared, rel=1e-10)
    assert found.slope == pytest.approx(fitted.params["x"], rel=1e-10)
    assert (found.n, found.clusters) == (99, 50)


def test_the_jackknife_leaves_each_person_out() -> None:
    x, y, who = drawn(np.random.default_rng(4), 12, 3, 0.3)
    left = [np.corrcoef(x[who != one], y[who != one])[0, 1] for one in range(12)]
    z = np.arctanh(left)
    error = np.sqrt(11 / 12 * ((z - z.mean()) ** 2).sum())
    found = explained_variance(x, y, who)
    assert np.arctanh(found.r_high) - np.arctanh(found.r) == pytest.approx(2.200985 * error)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
def test_its_interval_covers(share: float) -> None:
    rng = np.random.default_rng(int(100 * share) + 1)
    held = 0
    for _ in range(DATA_SETS):
        found = explained_variance(*drawn(rng, 60, 2, share))
        held += found.low <= share <= found.high
    assert binom.cdf(held, DATA_SETS, 0.95) > 0.001, held / DATA_SETS
    if share:
        assert binom.sf(held, DATA_SETS, 0.95) > 0.001, held / DATA_SETS


def test_an_interval_contains_zero_where_that_of_the_correlation_does() -> None:
    found = explained_variance([1, 2, 3, 4, 5, 6], [1, 3, 2, 2, 3, 1], list("abcdef"))
    assert found.r_low < 0 < found.r_high
    assert found.low == 0


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([1, 1, 1, 1], [1, 2, 3, 4], "the predictor does not vary"),
        ([1, 2, 3, 4], [2, 2, 2, 2], "the outcome does not vary"),
        ([1, 2, np.nan, np.nan], [1, 2, 3, 4], "there are 2 clusters with both numbers"),
    ],
)
def test_what_cannot_be_computed_is_said(x: list[float], y: list[float], said: str) -> None:
    with pytest.raises(RatifyError, match=said):
        explained_variance(x, y, list("abcd"))
