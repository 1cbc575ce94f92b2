"""If this failed, the demo would tell its readers a wrong truth to compare the estimate with."""

from __future__ import annotations

import numpy as np
import pytest

from data.demo.turn_pairs import EFFECT, effect_by_raters

SIZES = (1.2, 1.1)


def effect(raters: int, sizes: tuple[float, float] = SIZES) -> float:
    return effect_by_raters(np.random.default_rng(3), raters=raters, sizes=sizes, pairs=6_000)


def test_without_errors_it_is_the_planted_effect() -> None:
    assert effect(1, (0.0, 0.0)) == pytest.approx(EFFECT)


def test_errors_of_raters_make_it_smaller_and_more_raters_less_so() -> None:
    found = [effect(raters) for raters in (1, 3, 30)]
    assert 0 < found[0] < found[1] < found[2] < EFFECT
