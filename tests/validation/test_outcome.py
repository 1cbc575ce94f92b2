"""If this failed, docs/validation.md would call a miss "holds", or a promise that holds a miss."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtri

from tests.validation.check import Check
from tests.validation.outcome import Outcome, correlation, goal_of, outcome_of, run


def check(kind: str = "size", runs: int = 600, once: object = None) -> Check:
    return Check(
        area="a",
        function="f",
        what="w",
        design="d",
        kind=kind,  # type: ignore[arg-type]
        promised=0.05 if kind == "size" else 0.95,
        once=once,  # type: ignore[arg-type]
        runs=runs,
    )


def outcome(share: float, sets: int, kind: str = "size") -> Outcome:
    hits = (np.arange(sets) < round(share * sets)).astype(int)
    return outcome_of(check(kind), np.ones(sets, dtype=int), hits)


def test_the_error_is_the_promised_shares_not_the_found_ones() -> None:
    found = outcome(0.0833, 600)
    assert found.error == pytest.approx(math.sqrt(0.05 * 0.95 / 600))
    assert (found.share - 0.05) / found.error == pytest.approx(3.7, abs=0.1)
    assert found.verdict == "misses"


@pytest.mark.parametrize(
    ("kind", "share", "sets", "verdict", "goal"),
    [
        ("size", 0.05, 1000, "holds", "within"),
        ("size", 0.068, 1000, "holds", "unclear"),
        ("size", 0.068, 4000, "misses", "outside"),
        ("size", 0.02, 1000, "cautious", "outside"),
        ("coverage", 0.92, 500, "misses", "unclear"),
        ("coverage", 0.93, 500, "holds", "within"),
        ("coverage", 0.90, 500, "misses", "outside"),
        ("coverage", 0.99, 500, "cautious", "outside"),
    ],
)
def test_verdict_and_goal_are_two_questions(
    kind: str, share: float, sets: int, verdict: str, goal: str
) -> None:
    found = outcome(share, sets, kind)
    assert (found.verdict, found.goal) == (verdict, goal)


def test_the_goal_of_a_test_is_in_proportion_to_its_level() -> None:
    assert goal_of("size", 0.05) == pytest.approx((0.04, 0.06))
    assert goal_of("size", 0.025) == pytest.approx((0.02, 0.03))
    assert goal_of("coverage", 0.95) == pytest.approx((0.93, 0.97))


def dependent(rng: np.random.Generator, sets: int, r: float, share: float) -> np.ndarray:
    """Return 12 results of each data set, from normal numbers with a correlation."""
    common, own = rng.normal(size=(sets, 1)), rng.normal(size=(sets, 12))
    return np.sqrt(r) * common + np.sqrt(1 - r) * own < ndtri(share)


@pytest.mark.parametrize("r", [0.0, 0.3, 0.9])
def test_results_of_one_data_set_that_depend_on_each_other_make_the_error_larger(r: float) -> None:
    rng = np.random.default_rng(4)
    many = dependent(rng, 40_000, r, 0.05)
    # what such a share really varies by, if the promise is true
    true = many.mean(axis=1).std() / math.sqrt(500)
    errors, sizes = [], np.full(500, 12)
    for part in np.split(many, 80):
        errors.append(outcome_of(check(), sizes, part.sum(axis=1)).error)
    assert np.mean(errors) == pytest.approx(true, rel=0.06)
    # the design effect is taken from a share twice as large, and still near the truth
    doubled = dependent(rng, 20_000, r, 0.1)
    found = outcome_of(check(), np.full(20_000, 12), doubled.sum(axis=1))
    assert found.error * math.sqrt(20_000 / 500) == pytest.approx(true, rel=0.2)
    assert found.verdict == "misses"


def test_results_that_exclude_each_other_do_not_make_the_error_smaller() -> None:
    n, hit = np.full(400, 10.0), np.full(400, 1.0)
    assert correlation(n, hit) == 0.0


@pytest.mark.parametrize("every", [0, 1])
def test_a_share_of_nought_or_one_has_an_error(every: int) -> None:
    found = outcome_of(check("coverage"), np.full(500, 3), np.full(500, 3 * every))
    assert found.error == pytest.approx(math.sqrt(0.05 * 0.95 / 1500))
    assert found.verdict == ("cautious" if every else "misses")


def test_data_sets_without_a_result_are_counted_and_not_used() -> None:
    found = outcome_of(check(), np.array([1, 0, 1, 0]), np.array([1, 0, 0, 0]))
    assert (found.share, found.tried, found.without) == (0.5, 2, 2)
    nothing = outcome_of(check(), np.zeros(3, dtype=int), np.zeros(3, dtype=int))
    assert nothing.tried == 0
    assert nothing.verdict == "misses"
    assert nothing.goal == "outside"


def test_a_true_promise_holds_and_a_doubled_size_does_not() -> None:
    for rate, verdict in ((0.05, "holds"), (0.1, "misses")):
        one = check(runs=1000, once=lambda rng, rate=rate: [rng.random() < rate])
        assert run(one, seed=1).verdict == verdict


def test_an_error_says_which_data_set_it_was() -> None:
    def once(rng: np.random.Generator) -> list[bool]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        run(check(once=once), seed=1)
    assert caught.value.__notes__ == ["data set 0 of f: w: d"]
