"""If this failed, a correction known to be wrong would pass for the one that is right.

Four turns that look as good as the right one until they meet a world whose effect is known.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.causal.correction.estimates import (
    corrected_estimate,
    judge_side,
    people_alone,
    people_score,
    solved,
)
from analysis.causal.correction.score import score_of
from analysis.causal.worlds import Judge, draw_labels, make_world, person_ratings

LENIENT = Judge(reliability=0.6, error_correlation=0.5, leniency=0.5)


def tried(once, sets: int = 16, **given):
    """Return each estimate's error, width, and whether its interval holds the truth, by name."""
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for seed in range(sets):
        rng = np.random.default_rng([7, seed])
        effect = given.get("effect", 0.75)
        world = make_world(rng, effect=effect, judge=given.get("judge", LENIENT))
        for name, one in once(rng, world).items():
            held = bool(one.low <= effect <= one.high)
            found.setdefault(name, []).append((one.value - effect, one.width, held))
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def test_nuisances_of_the_judge_as_they_are():
    """The judge's chance of treatment and expected outcome describe the judge's arms."""

    def once(rng, world):
        labels = draw_labels(rng, world, 400)
        side = judge_side(world.frame, world.cuts, rng, labels=labels)
        arm = world.cuts.arms(labels.treatment)
        wrong = score_of(arm, labels.outcome, side.nuisances)
        return {
            "right": corrected_estimate(side, labels)[0],
            "wrong": solved(wrong, side.score, labels, side)[0],
        }

    found = tried(once)
    assert abs(found["right"][0]) < 0.2
    assert found["wrong"][0] > 0.4
    assert found["wrong"][2] < 0.7 < found["right"][2]


def test_people_only_for_the_outcome():
    """Prediction-powered inference for the outcome keeps the judge's treatment."""

    def once(rng, world):
        labels = draw_labels(rng, world, 400)
        side = judge_side(world.frame, world.cuts, rng, labels=labels)
        theirs = np.where(labels.labelled, world.frame.treatment, np.nan)
        wrong = replace(labels, treatment=theirs)
        return {
            "right": corrected_estimate(side, labels)[0],
            "wrong": corrected_estimate(side, wrong)[0],
        }

    found = tried(once)
    assert abs(found["right"][0]) < 0.2
    assert found["wrong"][0] < -0.3
    assert found["wrong"][2] < 0.7 < found["right"][2]


def test_the_judge_taken_at_its_word():
    """Lambda = 1 subtracts more noise than it explains, and is wider than people alone."""

    def once(rng, world):
        labels = draw_labels(rng, world, 400)
        side = judge_side(world.frame, world.cuts, rng, labels=labels)
        score = people_score(side, labels, start=side.nuisances)
        whole = np.ones(len(world.frame))
        return {
            "right": solved(score, side.score, labels, side)[0],
            "people": people_alone(side, labels),
            "wrong": solved(score, side.score, labels, side, weight=whole)[0],
        }

    found = tried(once, sets=8, judge=Judge(0.6, 0.5))
    assert found["wrong"][1] > 1.1 * found["people"][1]
    assert found["right"][1] < 1.05 * found["people"][1]


@pytest.mark.parametrize(("raters", "made"), [(1, 0.35), (3, 0.1)])
def test_one_person_rates_both_scores(raters, made):
    """People have halo too: their own errors that go together make an effect from nothing."""

    def once(rng, world):
        found = {}
        for name, apart in (("right", True), ("wrong", False)):
            first, second = person_ratings(rng, world, raters, apart=apart)
            said = (first.mean(axis=1), second.mean(axis=1))
            labels = draw_labels(rng, world, 1_000, said=said)
            side = judge_side(world.frame, world.cuts, rng, labels=labels)
            found[name] = corrected_estimate(side, labels)[0]
        return found

    found = tried(once, effect=0.0, judge=Judge(0.6, 0.5))
    assert abs(found["right"][0]) < 0.1
    assert found["wrong"][0] > made
    assert found["right"][2] > 0.8
