"""If this failed, a report would call a hypothesis refuted that the data leave open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analysis.registered.hypotheses import NOT_SUPPORTED, OPEN, decided
from analysis.results.quantities import Quantity
from prereg.plan.model import Hypothesis


def number(low: float, high: float, p: float, unit: str) -> Quantity:
    return Quantity(
        analysis="a",
        name="spearman",
        label="correlation",
        estimate=(low + high) / 2,
        low=low,
        high=high,
        n=12,
        unit_of_n="items",
        method="m",
        unit=unit,
        p_value=p,
        hypothesis="H1",
        status="confirmatory",
    )


@pytest.mark.parametrize(
    ("ends", "p", "unit", "direction", "said"),
    [
        (
            (-0.46, 0.44),
            0.9,
            "correlation",
            "positive",
            "This is no evidence against it: the interval ",
        ),
        ((-0.46, 0.04), 0.2, "correlation", "negative", "[−0.46, 0.04] leaves open negative"),
        ((-0.46, 0.04), 0.2, "correlation", "positive", ""),
        ((-0.03, 0.04), 0.8, "correlation", "positive", ""),
        ((-0.59, 0.28), 0.5, "log-odds per point", "positive", "leaves open positive effects"),
        ((-5.0, 7.0), 0.8, "minutes", "positive", "positive effects up to 7 minutes are left"),
        ((-0.46, -0.2), 0.001, "correlation", "positive", ""),
    ],
)
def test_a_wide_interval_decides_nothing(
    ends: tuple[float, float], p: float, unit: str, direction: Any, said: str
) -> None:
    hypothesis = Hypothesis(id="H1", text="It matters.", direction=direction)
    found = decided(hypothesis, [number(*ends, p, unit)])
    assert found.verdict == NOT_SUPPORTED  # as registered
    assert said in found.how
    assert bool(said) == ("open" in found.how)


def test_several_intervals_are_named() -> None:
    hypothesis = Hypothesis(id="H1", text="It matters.", direction="positive")
    tests = [number(-0.46, high, 0.9, "correlation") for high in (0.44, 0.41)]
    how = decided(hypothesis, tests).how
    assert "the intervals [−0.46, 0.44] and [−0.46, 0.41] leave open positive effects" in how


def test_the_numbers_of_several_tests_have_the_same_decimals() -> None:
    hypothesis = Hypothesis(id="H1", text="It matters.", direction="positive")
    tests = [
        number(0.141, 0.238, 0.0001, "log-odds per point"),
        number(0.15, 0.26, 0.0001, "log-odds per point"),
    ]
    how = decided(hypothesis, tests).how
    assert "0.19 [0.14, 0.24]" in how
    assert "[0.15, 0.26]" in how


def test_numbers_that_describe_are_told_where_no_test_is() -> None:
    hypothesis = Hypothesis(id="H1", text="It explains little.")
    described = replace(number(0.0, 0.04, 0.5, "proportion of variance"), p_value=None)
    found = decided(hypothesis, [described])
    assert found.verdict == OPEN
    assert (
        "none of its registered numbers has a test (correlation 0.020 [0.000, 0.040])" in found.how
    )
    assert "could run" in decided(hypothesis, []).how
