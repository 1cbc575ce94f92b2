"""If this fails, a report shows an interval that misses its estimate, or a value out of range."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.agreement.intervals import coefficient_intervals
from analysis.inference.resampling import within


@pytest.mark.parametrize(
    ("value", "ends", "expected"),
    [
        (0.5, (0.2, 1.4), (0.2, 1.0)),
        (-1.0, (-1.3, -1.041), (np.nan, np.nan)),
        (1.0, (1.0408, 1.0408), (np.nan, np.nan)),
        (0.1, (0.2, 0.4), (np.nan, np.nan)),
        (1.0, (0.8, 1 - 1e-12), (0.8, 1.0)),
        (np.nan, (np.nan, np.nan), (np.nan, np.nan)),
    ],
)
def test_an_interval_is_in_the_range_and_contains_its_estimate(value, ends, expected):
    assert np.array_equal(within(value, ends, 1.0), expected, equal_nan=True)


def test_every_coefficient_of_two_who_always_differ_is_in_its_interval():
    found = coefficient_intervals([1.0] * 50, [3.0] * 50, scale=(1, 5))
    for one in found:
        assert np.isnan(one.low) or one.low <= one.estimate <= one.high
        assert one.coefficient == "bias" or np.isnan(one.estimate) or abs(one.estimate) <= 1
    with_width = {one.coefficient for one in found if one.low < one.high}
    assert {"exact", "kappa_quadratic", "alpha_ordinal"} <= with_width
