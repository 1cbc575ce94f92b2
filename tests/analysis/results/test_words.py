"""If this failed, one of something would be printed as several."""

from __future__ import annotations

import pytest

from analysis.results.coverage import coverage_label, said_of
from analysis.results.quantities import Quantity


@pytest.mark.parametrize(("n", "said"), [(1, "1 of 1 pair"), (1200, "1,200 of 1,200 pairs")])
def test_what_a_judge_answered_is_counted_in_words(n: int, said: str) -> None:
    coverage = Quantity(
        analysis="a",
        name="judge: coverage",
        label=coverage_label("pairs", "judge"),
        estimate=1.0,
        n=n,
        unit_of_n="pairs",
        method="",
        unit="proportion",
    )
    assert said_of(coverage) == ("judge answered", said)
