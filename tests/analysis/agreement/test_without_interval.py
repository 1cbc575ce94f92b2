"""If this failed, a coefficient would be said to lack an interval for a reason that is not so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.agreement.quantities import Measured
from analysis.agreement.sample import Sample

X = np.random.default_rng(1).exponential(size=20)
# the variance of a skewed sample: the jackknife's correction for bias moves the whole interval
SKEWED = Sample(
    float(X.var()),
    np.array([np.delete(X, at).var() for at in range(20)]),
    np.ones(20, dtype=bool),
    compared=True,
)


def test_an_interval_beside_its_value_is_not_blamed_on_the_items() -> None:
    assert SKEWED.interval[0] < SKEWED.value < SKEWED.interval[1]
    narrow = Measured("j", "kappa", "d", "J", replace(SKEWED, level=0.05), "m")
    for one in (narrow.quantity(name="x", analysis="a", kinds=of) for of in ("ratings", "labels")):
        assert one.low is None
        assert one.note.startswith("No interval at 0.05: corrected for bias, it lies beside")


def test_the_usual_reason_is_said_where_no_level_has_an_interval() -> None:
    still = Sample(1.0, np.ones(9), np.ones(9, dtype=bool), bound=1.0, fisher=True)
    one = Measured("j", "kappa", "d", "J", still, "m").quantity(name="x", analysis="a")
    assert one.note == (
        "No interval: no item changes the value, so the items do not show how uncertain it is."
    )
