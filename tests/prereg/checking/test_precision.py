"""If this failed, a lab would plan its raters by a precision that its study does not have."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from prereg.checking.precision import expected_precision, information_of_a_choice, pair_errors
from prereg.plan.assumptions import RaterAssumptions
from tests.prereg.checking.test_cautions import plan_of

STUDIES, ITEMS, SHOWN = 150, 8, 12


def fitted(wins: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return Bradley and Terry's scores, about their mean, by maximum likelihood."""
    left, right = pairs.T

    def loss(scores: np.ndarray) -> float:
        ahead = scores[left] - scores[right]
        return float(np.logaddexp(0, np.where(wins == 1, -ahead, ahead)).sum()) + 1e-6 * float(
            scores @ scores
        )

    def slope(scores: np.ndarray) -> np.ndarray:
        over = expit(scores[left] - scores[right]) - wins
        out = 2e-6 * scores
        np.add.at(out, left, over)
        np.add.at(out, right, -over)
        return out

    found = minimize(loss, np.zeros(ITEMS), jac=slope, method="BFGS").x
    return found - found.mean()


@pytest.mark.parametrize(
    "people",
    [
        RaterAssumptions(sensitivity=0.8, spread=0, taste=0, side=0),
        RaterAssumptions(sensitivity=0.9, spread=0.4, taste=0.5, side=0.2, careless=0.1),
    ],
)
def test_the_expected_error_is_that_of_simulated_studies(people: RaterAssumptions) -> None:
    """Each answer comes from a rater of its own, so nothing is clustered."""
    rng = np.random.default_rng(7)
    pairs = np.array([*combinations(range(ITEMS), 2)] * SHOWN)
    counts = Counter((f"i{a}", f"i{b}") for a, b in pairs)
    information, variance = information_of_a_choice(people)
    expected = list((pair_errors(counts, information) or {}).values())
    errors, spreads = [], []
    for _ in range(STUDIES):
        quality = rng.standard_normal(ITEMS)
        n = len(pairs)
        sensitivity = people.sensitivity * np.exp(people.spread * rng.standard_normal(n))
        noise = math.sqrt(2 * people.taste**2 + people.side**2) * rng.standard_normal(n)
        ahead = sensitivity * (quality[pairs[:, 0]] - quality[pairs[:, 1]]) + noise
        careless = rng.random(n) < people.careless
        wins = (rng.random(n) < np.where(careless, 0.5, expit(ahead))).astype(float)
        scores = fitted(wins, pairs)
        slope = float(quality @ scores / (quality @ quality - quality.sum() ** 2 / ITEMS))
        centred = slope * (quality - quality.mean())
        errors.append(np.mean((scores - centred) ** 2))
        spreads.append(scores.var(ddof=1) - np.mean((scores - centred) ** 2))
    # the slope of the crowd's log-odds is estimated too, which takes one degree of freedom
    simulated = math.sqrt(np.mean(errors) * (ITEMS - 1) / (ITEMS - 2))
    assert simulated == pytest.approx(np.mean(expected), rel=0.06)
    assert np.mean(spreads) == pytest.approx(variance, rel=0.15)


def test_the_half_width_of_a_mean_rating_is_that_of_simulated_ratings() -> None:
    rng = np.random.default_rng(8)
    plan = plan_of("empathy_rating", assumptions={"raters": {"reliability": 0.3}})
    shown = {f"S{n}": [("a",), ("b",)] for n in range(6)}
    found = expected_precision(plan, {}, shown)
    assert found is not None
    quality = math.sqrt(0.3) * rng.standard_normal(20_000)
    ratings = quality[:, None] + math.sqrt(0.7) * rng.standard_normal((20_000, 6))
    means = ratings.mean(axis=1)
    assert found.error == pytest.approx(1.96 * (means - quality).std(), rel=0.02)
    assert found.reliability == pytest.approx(np.corrcoef(means, quality)[0, 1] ** 2, abs=0.02)
    assert "about 6 ratings" in found.sentence


def test_people_who_leave_make_an_item_less_certain() -> None:
    shown = {f"S{n}": [("a", "b"), ("b", "c"), ("c", "a")] for n in range(30)}
    sure = expected_precision(plan_of(), dict.fromkeys("abc", "job"), shown)
    leaving = {"raters": {"no_shows": 0.5, "drop_out": 0.5}}
    less = expected_precision(plan_of(assumptions=leaving), dict.fromkeys("abc", "job"), shown)
    assert sure is not None
    assert less is not None
    assert less.error == pytest.approx(sure.error / math.sqrt(0.5 * 0.75))
    apart = {"S1": [("a", "b"), ("c", "d")]}
    assert expected_precision(plan_of(), dict.fromkeys("abcd", "job"), apart) is None


def test_no_number_is_given_for_what_the_formula_does_not_cover() -> None:
    shown = {"S1": [("a", "b", "c", "d")]}
    assert expected_precision(plan_of("best_response"), {}, shown) is None
