"""If this failed, how often two people choose the same would be held against a wrong truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.validation.beside_people import LAW, _found, same_choice
from tests.validation.trials_truth import Design, truth

STUDIES = 30


def test_people_without_values_or_tastes_agree_by_chance() -> None:
    assert same_choice(replace(LAW, liking=0.0, taste=0.0)) == pytest.approx(0.5, abs=1e-3)
    # tastes alone make a rater steady, and do not make two raters agree
    assert same_choice(replace(LAW, liking=0.0)) == pytest.approx(0.5, abs=1e-3)


def test_the_truth_is_the_mean_over_studies() -> None:
    wide = Design(raters=200, trials=4, scenarios=2, items=30)
    streams = np.random.SeedSequence(1).spawn(STUDIES)
    found = [_found(np.random.default_rng(stream), LAW, wide) for stream in streams]
    for at, true in (("people", same_choice(LAW)), ("judge", truth(LAW).agreement)):
        values = np.array([getattr(one, at)[0] for one in found])
        error = values.std(ddof=1) / np.sqrt(STUDIES)
        assert abs(values.mean() - true) < 3.5 * error, at
        assert error < 0.01
