"""If this failed, a threshold would be called certain on data that are not what it assumes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.change.diagnosis import (
    CHANGES,
    FAILS,
    HOLDS,
    LAG,
    NARROW,
    SKEW,
    TAILS,
    UNEQUAL,
    UNKNOWN,
)
from analysis.change.reliable_change import ReliableChange, reliable_change
from analysis.change.variance_components import variance_components
from analysis.change.within_people import WithinPeople
from prereg.errors import RatifyError


def table(errors: np.ndarray, missing: float = 0.0, seed: int = 5) -> pd.DataFrame:
    """Return one row per person and occasion of a control group with these errors."""
    rng = np.random.default_rng(seed)
    people, rounds = errors.shape
    values = rng.normal(0, 3, (people, 1)) + errors
    if missing:
        values[rng.random(values.shape) < missing] = np.nan
    return pd.DataFrame(
        {
            "person_id": np.repeat([f"p{i}" for i in range(people)], rounds),
            "condition": "control",
            "round": np.tile([str(at + 1) for at in range(rounds)], people),
            "value": values.ravel(),
        }
    )


def change(data: pd.DataFrame, **more: Any) -> ReliableChange:
    return reliable_change(data, value="value", baseline_rounds=["1"], **more)


def found(errors: np.ndarray, **more: Any) -> pd.DataFrame:
    return change(table(errors), **more).diagnosis.set_index("name")


@pytest.mark.parametrize("occasion_means", [False, True])
def test_weights_count_people_as_copies_do(occasion_means):
    data = table(np.random.default_rng(1).normal(size=(15, 4)), missing=0.2).dropna()
    counts = np.random.default_rng(2).integers(0, 3, 15)
    copies = [
        data[data["person_id"] == f"p{i}"].assign(person_id=f"p{i}_{n}")
        for i, count in enumerate(counts)
        for n in range(count)
    ]
    whole = pd.concat(copies)
    peer = variance_components(whole, value="value", occasion_means=occasion_means)
    sums = WithinPeople.of(
        data["value"].to_numpy(), data["person_id"], data["round"] if occasion_means else None
    )
    weight = counts[[int(name[1:]) for name in sums.names]].astype(float)[None]
    variance, df, excess = sums.variance(weight)
    assert df[0] == peer.df
    low, high = peer.within_interval
    assert (
        variance[0] * df[0]
        == pytest.approx(low * _chi(peer.df, 0.975), rel=1e-9)
        == pytest.approx(high * _chi(peer.df, 0.025), rel=1e-9)
    )
    assert (weight * excess).sum() == pytest.approx(variance[0] * (df - weight @ (sums.size - 1)))


def _chi(df: int, at: float) -> float:
    return float(stats.chi2.ppf(at, df))


def test_the_error_of_the_variance_is_the_spread_over_samples():
    rng = np.random.default_rng(3)
    person = pd.Series(np.repeat(np.arange(150), 3))
    logs, errors = [], []
    for _ in range(400):
        y = rng.gamma(2, 0.5, 150).repeat(3) ** 0.5 * rng.normal(size=450)
        sums = WithinPeople.of(y, person, None)
        logs.append(math.log(sums.variance(np.ones((1, 150)))[0][0]))
        errors.append(sums.log_error())
    assert np.mean(errors) == pytest.approx(np.std(logs), rel=0.1)


def test_each_assumption_is_recovered_from_many_people():
    rng = np.random.default_rng(4)
    skewed = found(rng.exponential(size=(30_000, 3)) - 1)
    assert skewed.loc[SKEW, "estimate"] == pytest.approx(2, abs=0.15)
    assert skewed.loc[TAILS, "estimate"] == pytest.approx(6, abs=0.7)
    # kurtosis 6 adds 3 (n - 1) / n times 6 / 3 to the variance of a person's variance: sqrt(3)
    assert skewed.loc[NARROW, "estimate"] == pytest.approx(math.sqrt(3), abs=0.1)
    unequal = found(rng.gamma(2, 0.5, (30_000, 1)) ** 0.5 * rng.normal(size=(30_000, 5)))
    assert unequal.loc[UNEQUAL, "estimate"] == pytest.approx(math.sqrt(0.5), abs=0.02)
    errors = rng.normal(size=(30_000, 4))
    for at in range(1, 4):
        errors[:, at] = 0.5 * errors[:, at - 1] + 0.75**0.5 * errors[:, at]
    errors[:, 2] += 1  # a drift is no autocorrelation
    lagged = found(errors)
    assert lagged.loc[LAG, "estimate"] == pytest.approx(0.5, abs=0.03)
    pairs = lagged.loc[lagged.index.str.startswith("variance within")]["estimate"]
    assert list(pairs) == pytest.approx([0.5, 0.75, 0.875, 0.5, 0.75, 0.5], abs=0.02)


def test_what_is_as_assumed_is_rejected_as_often_as_the_level_says():
    rng = np.random.default_rng(5)
    p = pd.DataFrame([found(rng.normal(size=(150, 3)))["p_value"] for _ in range(60)])
    for name in (SKEW, NARROW, LAG, CHANGES):
        assert 0.15 < p[name].median() < 0.85, name
        assert (p[name] <= 0.05).sum() <= 8, name  # 9 or more of 60: probability .003


def test_the_report_says_which_assumption_fails_and_what_follows():
    rng = np.random.default_rng(6)
    heavy = table(rng.gamma(2, 0.5, (245, 1)) ** 0.5 * rng.normal(size=(245, 3)))
    plain = change(heavy)
    row = plain.diagnosis.set_index("name")
    assert row.loc[NARROW, "found"] == row.loc[TAILS, "found"] == FAILS
    assert row.loc[LAG, "found"] == HOLDS
    (said,) = plain.cautions
    assert "threshold_interval: bootstrap" in said
    assert f"{row.loc[NARROW, 'estimate']:.2f} times as uncertain" in said
    resampled = change(heavy, threshold_interval="bootstrap", rng=rng)
    assert "the bootstrap interval allows for this" in resampled.cautions[0]
    wider = np.ptp(np.log(resampled.threshold[1:])) / np.ptp(np.log(plain.threshold[1:]))
    assert wider == pytest.approx(row.loc[NARROW, "estimate"], rel=0.25)
    assert resampled.threshold[0] == plain.threshold[0]
    # no end is narrower than Student's t on the log variance, and the upper one is wider
    sums = resampled.components.sums
    half = stats.t.ppf(0.975, 244) * sums.log_error() / 2
    up, down = (abs(math.log(end / plain.threshold[0])) for end in resampled.threshold[:0:-1])
    assert down >= half - 1e-9
    assert up > half + 1e-3

    errors = rng.normal(size=(600, 3))
    for at in (1, 2):
        errors[:, at] = 0.5 * errors[:, at - 1] + 0.75**0.5 * errors[:, at]
    said = " ".join(change(table(errors)).cautions)
    assert "unchanged people are flagged instead of 5.0%" in said
    assert "neighbouring occasions are correlated" in said
    assert change(table(rng.normal(size=(245, 3)))).cautions == ()


def test_what_cannot_be_told_is_not_called_right():
    two = found(np.random.default_rng(7).normal(size=(30, 2)))
    assert two.loc[LAG, "found"] == two.loc[SKEW, "found"] == UNKNOWN
    assert "three do" in two.loc[LAG, "note"]


def test_the_bootstrap_is_repeatable_and_needs_people_and_random_numbers():
    data = table(np.random.default_rng(8).normal(size=(40, 3)))
    more = {"threshold_interval": "bootstrap", "resamples": 300}
    one, two = (change(data, rng=np.random.default_rng(1), **more).threshold for _ in range(2))
    assert one == two
    assert (
        "300 resamples"
        in change(data, rng=np.random.default_rng(1), **more).components.interval_method
    )
    with pytest.raises(RatifyError, match="needs random numbers"):
        change(data, threshold_interval="bootstrap")
    with pytest.raises(RatifyError, match="10 people or more"):
        change(data.head(27), rng=np.random.default_rng(1), **more)


@pytest.mark.parametrize("better", ["up", ""])
def test_only_higher_and_lower_are_directions(better):
    with pytest.raises(RatifyError, match="higher, lower"):
        change(table(np.random.default_rng(9).normal(size=(12, 3))), better=better)


def test_lower_is_better_exchanges_improved_and_declined():
    rng = np.random.default_rng(10)
    errors = rng.normal(size=(60, 3))
    errors[:40, 1:] -= 4
    up, down = (change(table(errors), better=better) for better in ("higher", "lower"))
    swap = {"improved": "declined", "declined": "improved", "neither": "neither"}
    assert list(down.people["outcome"]) == [swap[word] for word in up.people["outcome"]]
    assert (down.people["change"] == up.people["change"]).all()
    shares = [one.shares.set_index("outcome") for one in (up, down)]
    ends = ["count", "share_low", "share_high", "at_low_threshold", "at_high_threshold"]
    pd.testing.assert_frame_equal(
        shares[0].loc[["improved", "declined"], ends].reset_index(drop=True),
        shares[1].loc[["declined", "improved"], ends].reset_index(drop=True),
    )
    mirrored = [one.indices[["improved", "declined"]].to_numpy() for one in (up, down)]
    assert mirrored[0] == pytest.approx(mirrored[1][:, ::-1], nan_ok=True)
