"""Were this broken, the report would round a number to something it is not."""

from __future__ import annotations

import math

import pytest

from analysis import numbers


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (0.1438, 3, "0.144"),
        (-0.0871, 2, "−0.09"),
        (1523.4, 0, "1,523"),
        (12345.678, 1, "12,345.7"),
        (1500, None, "1,500"),
        (0.0, 2, "0.00"),
        (0.004, 2, "< 0.01"),
        (-0.004, 2, "> −0.01"),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "−∞"),
        (math.nan, 2, "—"),
        (None, 2, "—"),
    ],
)
def test_number(value: float | None, decimals: int | None, shown: str) -> None:
    assert numbers.number(value, decimals) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "< .001"),
        (0.00099, "< .001"),
        (0.001, ".001"),
        (0.034, ".034"),
        (0.6, ".600"),
        (0.9995, "> .999"),
        (1.0, "> .999"),
        (None, "—"),
        (math.nan, "—"),
    ],
)
def test_p_value(value: float | None, shown: str) -> None:
    assert numbers.p_value(value) == shown


@pytest.mark.parametrize(
    ("estimate", "low", "high", "decimals"),
    [
        (0.1438, 0.1089, 0.1787, 3),  # the interval is 0.07 wide: two digits of it
        (0.56, 0.41, 0.68, 2),
        (12.3, 10.1, 15.1, 1),
        (1523.4, 1400.0, 1610.0, 0),
        (0.849, None, None, 3),
        (5.5712, None, None, 2),
        (0.000012, None, None, 4),
        (0.5, 0.5, 0.5, 3),  # an interval without width says nothing about precision
        (0.0, None, None, 2),
        (None, None, None, 2),
    ],
)
def test_decimals_follow_the_precision(
    estimate: float | None, low: float | None, high: float | None, decimals: int
) -> None:
    assert numbers.decimals_for(estimate, low, high) == decimals


def test_an_interval_has_one_number_of_decimals() -> None:
    assert numbers.interval(0.1089, 0.1787) == "[0.109, 0.179]"
    assert numbers.interval(-1, 2.5, 2) == "[−1.00, 2.50]"
    assert numbers.interval(None, 0.5, 2) == "[—, 0.50]"
    assert numbers.interval(None, None) == "—"


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([1.0, 2.0, None], 0),
        ([0.51, 0.25], 3),
        ([-2.5, 0.1], 2),
        ([1034.2, 15.0], 0),
        ([150.5, 3.0], 1),
        ([0.0004, 0.0012], 4),
        ([None, math.nan], 0),
    ],
)
def test_a_column_shares_its_decimals(values: list[float | None], decimals: int) -> None:
    assert numbers.column_decimals(values) == decimals


def test_count() -> None:
    assert numbers.count(57480) == "57,480"
    assert numbers.count(-3) == "−3"
    assert numbers.count(None) == "—"
