"""If these failed, a lab would buy labels that do not give the width it was told."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.causal.clustered import from_influence
from analysis.causal.correction.estimates import ThreeEstimates, three_estimates
from analysis.causal.correction.more_labels import Prediction, prediction, width_curve
from analysis.causal.worlds import World, draw_labels, make_world
from prereg.errors import RatifyError

SO_FAR = Prediction(labels=400, units=6_000, se=0.2, df=60.0, share=0.1)


def test_so_many_labels_as_there_are_give_the_width_that_there_is() -> None:
    rng = np.random.default_rng(1)
    influence, user = rng.normal(size=6_000), rng.integers(0, 900, size=6_000)
    estimate = from_influence(0.4, influence, user)
    found = prediction(estimate, 500.0, 400, 6_000)
    assert found.width_at(400) == pytest.approx(estimate.width)
    assert found.se_at(400) == pytest.approx(estimate.se)


def test_with_every_unit_labelled_only_the_units_own_error_is_left() -> None:
    # a simple random sample of all units: its error is that of e effective labels by sqrt(e / n)
    assert SO_FAR.se_at(6_000) == pytest.approx(0.2 * math.sqrt(0.1))


def test_the_part_of_the_labels_falls_as_in_a_sample_without_replacement() -> None:
    assert SO_FAR.se_at(400) ** 2 - SO_FAR.se_at(6_000) ** 2 == pytest.approx(0.04 * 0.9)
    left = [SO_FAR.se_at(m) ** 2 - SO_FAR.se_at(6_000) ** 2 for m in (400, 1_500)]
    # the variance of a mean of m of n units: S^2 (1 - m / n) / m
    expected = (1 - 400 / 6_000) / 400 / ((1 - 1_500 / 6_000) / 1_500)
    assert left[0] / left[1] == pytest.approx(expected)


def test_the_fewest_labels_for_a_width() -> None:
    labels = SO_FAR.labels_for(0.4)
    assert labels is not None
    assert SO_FAR.width_at(labels) <= 0.4 < SO_FAR.width_at(labels - 1)
    narrowest = SO_FAR.width_at(6_000)
    assert SO_FAR.labels_for(narrowest) == 6_000
    assert SO_FAR.labels_for(narrowest - 0.001) is None


def test_what_cannot_be_predicted_is_refused() -> None:
    estimate = from_influence(0.0, np.arange(10.0), np.arange(10))
    with pytest.raises(RatifyError, match="every unit of the frame is labelled"):
        prediction(estimate, 8.0, 10, 10)
    alone = from_influence(0.0, np.arange(10.0), np.zeros(10, dtype=np.int64))
    with pytest.raises(RatifyError, match="no standard error"):
        prediction(alone, 8.0, 5, 10)


def test_twice_the_labels_give_the_width_that_was_predicted() -> None:
    predicted, found = [], []
    for seed in range(40):
        rng = np.random.default_rng([3, seed])
        world = make_world(rng, effect=0.5)
        first = _estimates(rng, world, 400)
        so_far = prediction(first.corrected, first.effective_labels, 400, len(world.frame))
        predicted.append(so_far.width_at(800))
        found.append(_estimates(rng, world, 800).corrected.width)
    assert np.mean(predicted) == pytest.approx(np.mean(found), rel=0.08)


def _estimates(rng: np.random.Generator, world: World, labels: int) -> ThreeEstimates:
    return three_estimates(world.frame, draw_labels(rng, world, labels), world.cuts, rng)


def test_the_curve_goes_through_widths_that_follow_it() -> None:
    labels = np.array([200.0, 400.0, 600.0, 1_200.0])
    widths = np.sqrt(0.05 + 300 / labels)
    for order in (slice(None), slice(None, None, -1)):
        curve = width_curve(labels[order].tolist(), widths[order].tolist(), 6_000)
        assert curve.stays == pytest.approx(0.05)
        assert curve.falls == pytest.approx(300)
    # w^2 = .16 at 300 / .11 labels
    assert curve.labels_for(0.4) == math.ceil(300 / 0.11)
    assert curve.labels_for(0.3) is None  # .05 + 300 / 6,000 is more than .09
    assert width_curve(labels.tolist(), widths.tolist(), 2_000).labels_for(0.4) is None


@pytest.mark.parametrize("widths", [(2.0, 0.5), (1.0, 1.2)])
def test_no_part_of_the_curve_is_negative(widths: tuple[float, float]) -> None:
    curve = width_curve([100, 200], widths, 1_000)
    assert min(curve.stays, curve.falls) == 0
    assert max(curve.stays, curve.falls) > 0
    curve.labels_for(0.7)
