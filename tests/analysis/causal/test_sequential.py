"""If this failed, a lab that looks after every batch would reject true nulls too often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.causal.clustered import from_influence
from analysis.causal.sequential import at_every_look, cost, reach
from prereg.errors import RatifyError

RNG = np.random.default_rng


def margin(t: float, rho2: float, alpha: float) -> float:
    """Return the conjugate mixture margin of unit variance at t observations."""
    return float(
        np.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * np.log(np.sqrt(t * rho2 + 1) / alpha))
    )


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_it_is_the_published_margin(level):
    """With rho2 found by search: narrowest at 400 of all choices."""
    grid = np.geomspace(1e-3, 1, 4_000)
    rho2 = grid[np.argmin([margin(400, one, 1 - level) for one in grid])]
    for t in (50, 200, 400, 2_000):
        assert reach(t / 400, level) == pytest.approx(
            margin(t, rho2, 1 - level) * np.sqrt(t), rel=5e-4
        )


def test_what_it_costs():
    """The figures of the documents."""
    assert [round(cost(share), 2) for share in (0.125, 0.25, 0.5, 1.0, 2.0)] == [
        1.86,
        1.66,
        1.57,
        1.55,
        1.56,
    ]
    assert cost(1.0, 0.9) > cost(1.0, 0.95)


def test_every_look_together_rejects_less_often_than_promised():
    values = RNG(0).normal(size=(4_000, 1_000))
    looks = np.arange(50, 1_001, 50)
    z = values.cumsum(axis=1)[:, looks - 1] / np.sqrt(looks)
    ever = (np.abs(z) > [reach(one / 1_000) for one in looks]).any(axis=1).mean()
    assert 0.002 < ever < 0.05
    # what looking does to an interval for one look
    assert (np.abs(z) > 1.96).any(axis=1).mean() > 0.2


def test_fewer_degrees_of_freedom_reach_further():
    user = np.arange(400)
    light = from_influence(1.0, RNG(1).normal(size=400), user)
    heavy = from_influence(1.0, RNG(1).standard_t(3, size=400), user)
    for one in (light, heavy):
        found = at_every_look(one, labels=400, planned=400)
        assert found.value - found.low == pytest.approx(found.high - found.value)
        assert (found.value, found.se, found.df) == (one.value, one.se, one.df)
        assert found.width > 1.5 * one.width
    wide = [at_every_look(one, labels=400, planned=400).width / one.se for one in (light, heavy)]
    assert heavy.df < light.df
    assert wide[1] > wide[0] > 2 * reach(1.0)


def test_without_an_interval_there_is_none_at_any_look():
    nothing = from_influence(1.0, np.zeros(5), np.arange(5))
    assert np.isnan(at_every_look(nothing, labels=50, planned=400).low)
    with pytest.raises(RatifyError, match="need labels, got 0"):
        at_every_look(replace(nothing, se=1.0), labels=0, planned=400)
