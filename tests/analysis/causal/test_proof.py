"""Were this broken, a headline would be printed although the estimator or the data cannot carry it.

Each check is seen to fail on what it is there for: an estimator that adjusts for nothing, one whose
intervals are too narrow, arms that do not overlap, arms that differ, a placebo with an effect.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.causal.balance import balance
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.planted import Planted, plant
from analysis.causal.proof import (
    Proof,
    balance_check,
    null_check,
    overlap_checks,
    planted_checks,
    prove,
)
from analysis.causal.units import Cuts, Frame
from analysis.causal.worlds import make_world
from prereg.errors import RatifyError

RNG = np.random.default_rng


def adjusted(frame: Frame, arms: np.ndarray, y: np.ndarray, _: Any) -> Estimate:
    """Return the residual-on-residual estimate by two linear regressions."""
    x = sm.add_constant(frame.covariates)
    d_left, y_left = (v - x @ np.linalg.lstsq(x, v, rcond=None)[0] for v in (arms, y))
    spread = float(d_left @ d_left) / len(y)
    value = float(d_left @ y_left) / len(y) / spread
    return from_influence(value, d_left * (y_left - value * d_left) / spread, frame.user)


def unadjusted(frame: Frame, arms: np.ndarray, y: np.ndarray, _: Any) -> Estimate:
    """Return the plain difference of the arms: an estimator that is broken by confounding."""
    return adjusted(replace(frame, covariates=np.ones((len(frame), 1))), arms, y, None)


def too_sure(frame: Frame, arms: np.ndarray, y: np.ndarray, rng: Any) -> Estimate:
    """Return the right estimate with a third of its interval."""
    found = adjusted(frame, arms, y, rng)
    reach = found.width / 6
    return replace(found, low=found.value - reach, high=found.value + reach)


def failing(*_: Any) -> Estimate:
    raise RatifyError("no estimate")


def study(confounding: float = 0.6) -> dict[str, Any]:
    """Return a world's units with fitted propensities and outcomes of controls."""
    return dict(_fitted(confounding))


@cache
def _fitted(confounding: float) -> dict[str, Any]:
    world = make_world(RNG(1), effect=0.5, units=2_000, users=700, confounding=confounding)
    frame = world.frame
    # more treated units than the world has, so that small samples suffice
    arms = Cuts(4, 3).arms(world.treatment)
    known = ~np.isnan(arms)
    x = sm.add_constant(frame.covariates)
    logit = sm.Logit(arms[known], x[known]).fit(disp=0)
    control = sm.OLS(world.outcome[arms == 0], x[arms == 0]).fit()
    return {
        "frame": frame,
        "arms": arms,
        "outcome": world.outcome,
        "propensity": logit.predict(x),
        "baseline": control.predict(x),
    }


def proof_of(estimator: Any, data: dict[str, Any], **more: Any) -> Proof:
    return prove(**data, estimator=estimator, rng=RNG(7), **more)


def failed(proof: Proof) -> set[str]:
    return {check.name for check in proof.broken}


def test_a_sound_estimator_holds() -> None:
    proof = proof_of(adjusted, study())
    assert proof.holds, proof.sentence
    assert proof.sentence == "All 5 checks hold, so the estimate is printed."
    assert proof.to_frame()["passed"].all()
    assert proof.planted.effect == pytest.approx(0.5 * study()["outcome"].std(), rel=0.05)


def test_an_estimator_that_adjusts_for_nothing_fails() -> None:
    proof = proof_of(unadjusted, study())
    assert failed(proof) == {"planted effect in its interval", "planted effect on average"}
    assert proof.sentence.startswith("No headline is printed, because the proof is broken. An ")
    assert "was planted in 20 data sets" in proof.sentence


def test_it_would_do_without_confounding() -> None:
    """Else the test above would only show that it always fails."""
    data = study(confounding=0.0)
    data["baseline"] = np.full(len(data["arms"]), data["outcome"].mean())
    assert not failed(proof_of(unadjusted, data)) & {"planted effect in its interval"}


def test_intervals_that_are_too_narrow_fail() -> None:
    assert failed(proof_of(too_sure, study())) == {"planted effect in its interval"}


def test_an_estimator_without_an_estimate_fails() -> None:
    proof = proof_of(failing, study(), draws=3)
    assert {"planted effect in its interval", "planted effect on average"} <= failed(proof)
    assert "3 data sets gave no estimate" in proof.sentence


def test_arms_that_do_not_overlap_fail() -> None:
    data = study()
    x = data["frame"].covariates[:, 0]
    data["arms"] = (x > 0.8).astype(float)
    for sharp in (40.0, np.inf):
        with np.errstate(over="ignore", invalid="ignore"):
            chance = 1 / (1 + np.exp(-sharp * (x - 0.8)))
        data["propensity"] = np.where(np.isnan(chance), 0.5, chance)
        proof = proof_of(adjusted, data, draws=2)
        assert "overlap: treatment left" in failed(proof)
        assert "hardly overlap" in proof.sentence


def test_few_effective_units_fail() -> None:
    arms = np.repeat([1.0, 0.0, np.nan], [30, 400, 10])
    size, left = overlap_checks(arms, np.full(440, 0.07), (30.0, 400.0))
    assert not size.passed and left.passed
    assert "worth 30 treated and 400 control units" in size.sentence
    assert "0% of the units" in size.sentence
    rare = overlap_checks(arms, np.full(440, 0.04), (60.0, 400.0))
    assert rare[0].passed and "100% of the units have a propensity below 0.05" in rare[0].sentence


def test_arms_that_differ_are_named() -> None:
    data = study()
    data["propensity"] = np.full(len(data["arms"]), 0.3)
    proof = proof_of(adjusted, data, draws=2)
    [check] = [check for check in proof.checks if check.name == "balance"]
    assert not check.passed and check.allowed == 0.1
    assert check.found == pytest.approx(proof.balance.largest)
    assert f"{proof.balance.worst(1)['covariate'].iloc[0]} (" in check.sentence
    assert "of 10 covariates" in check.sentence and "By chance alone" in check.sentence


def test_the_check_of_balance_says_how_many_covariates_chance_would_move() -> None:
    """With 300 covariates that differ in nothing, some are beyond 0.1 in samples of this size."""
    rng = RNG(4)
    arms = np.repeat([1.0, 0.0], [300, 2_000])
    x, names = rng.normal(size=(2_300, 300)), [f"x{k}" for k in range(300)]
    found = balance(x, names, arms, np.ones(2_300))
    beyond = int((found.table["after"].abs() >= 0.1).sum())
    strict = balance_check(found)
    assert beyond > 5 and not strict.passed and strict.allowed == 0.1
    expected = float(strict.sentence.split("about ")[1].split(" of")[0])
    assert beyond == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert f"and {beyond - 5} more" in strict.sentence


def null(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, 0.1, low, high, 99.0, 100, 100, 0.95, np.zeros(1))


def test_placebo_and_negative_control() -> None:
    for value, low, high in ((0.1, -0.1, 0.3), (-0.1, -0.3, 0.1)):
        check = null_check(
            "placebo treatment", "a treatment that cannot matter", null(value, low, high)
        )
        assert check.passed and check.found == pytest.approx(0.1)
        assert check.allowed == pytest.approx(0.2)
    wrong = null_check("placebo treatment", "a treatment that cannot matter", null(0.3, 0.1, 0.5))
    assert not wrong.passed and wrong.found > wrong.allowed
    nothing = null_check("placebo treatment", "a treatment", null(0.3, math.nan, math.nan))
    assert not nothing.passed
    proof = proof_of(
        adjusted, study(), draws=2, placebo=null(0.0, -1, 1), negative_control=null(0.5, 0.1, 0.9)
    )
    assert failed(proof) == {"negative-control outcome"}
    assert "an outcome that cannot be moved is 0.50 [0.10, 0.90]" in proof.sentence


def test_planted_data_are_what_they_are_said_to_be() -> None:
    data = study()
    seen: list[tuple[Frame, np.ndarray, np.ndarray]] = []

    def spy(frame: Frame, arms: np.ndarray, y: np.ndarray, rng: Any) -> Estimate:
        seen.append((frame, arms, y))
        return adjusted(frame, arms, y, rng)

    told: list[int] = []
    plant(**data, estimator=spy, rng=RNG(1), effect=2.0, draws=15, told=lambda n, _: told.append(n))
    assert told == list(range(1, 16))
    kept = ~np.isnan(data["arms"])
    chance, base = data["propensity"][kept], data["baseline"][kept]
    assert len(seen[0][0]) == kept.sum()
    share = np.mean([arms for _, arms, _ in seen], axis=0)
    assert np.corrcoef(share, chance)[0, 1] > 0.7
    assert share.mean() == pytest.approx(chance.mean(), abs=0.015)
    left = np.array([y - base - 2.0 * arms for _, arms, y in seen])
    # each unit keeps the size of its residual, and all units of a user flip together
    assert np.allclose(np.abs(left), np.abs(left[0]))
    user = seen[0][0].user
    flips = np.sign(
        left[:, np.argsort(user, kind="stable")] / left[0, np.argsort(user, kind="stable")]
    )
    ordered = np.sort(user)
    assert (flips[:, 1:] == flips[:, :-1])[:, ordered[1:] == ordered[:-1]].all()
    assert abs(flips.mean()) < 0.1


def test_fewer_units_are_whole_users() -> None:
    data = study()
    sizes: list[int] = []

    def spy(frame: Frame, arms: np.ndarray, y: np.ndarray, rng: Any) -> Estimate:
        sizes.append(len(frame))
        counts = np.bincount(frame.user)
        assert len(counts) == frame.users
        return adjusted(frame, arms, y, rng)

    found = plant(**data, estimator=spy, rng=RNG(1), draws=4, most_units=500)
    assert all(500 <= size < 560 for size in sizes)
    assert found.covered >= 3
    again = plant(**data, estimator=adjusted, rng=RNG(1), draws=4, most_units=500)
    assert again.value.tolist() == found.value.tolist()


def test_a_sound_estimator_rarely_fails_and_one_that_is_off_by_two_errors_rarely_passes() -> None:
    rng = RNG(3)
    passed = {0.0: 0, 2.0: 0}
    for off in passed:
        for _ in range(400):
            value = 1 + off + rng.normal(size=20)
            found = Planted(1.0, value, value - 1.96, value + 1.96, 0.95)
            passed[off] += all(check.passed for check in planted_checks(found))
    assert passed[0.0] / 400 > 0.96
    assert passed[2.0] / 400 < 0.01


@pytest.mark.parametrize("name", ["propensity", "baseline", "outcome"])
def test_a_missing_value_is_refused_in_one_line(name: str) -> None:
    data = study()
    data[name] = data[name].copy()
    data[name][np.flatnonzero(data["arms"] == 1)[0]] = np.nan
    with pytest.raises(RatifyError, match=f"{name}: a unit in either arm has no such value"):
        plant(**data, estimator=adjusted, rng=RNG(1))
    with pytest.raises(RatifyError, match=r"draws: is too few, got 1 \(allowed: 2 or more\)"):
        plant(**study(), estimator=adjusted, rng=RNG(1), draws=1)
