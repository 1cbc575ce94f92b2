"""If these failed, many weak confounders would stay in an effect, and nobody would be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.causal.correction.estimates import corrected_estimate, judge_side
from analysis.causal.doubly_robust import doubly_robust
from analysis.causal.worlds import Judge, World, draw_labels, make_world

EFFECT = 0.75
COVARIATES = 430
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    """Return worlds in which each of 430 covariates confounds a little."""
    return [
        make_world(RNG(seed), effect=EFFECT, judge=Judge(0.6, 0.5), components=COVARIATES)
        for seed in range(6)
    ]


def test_the_headline_comes_near_the_truth(worlds):
    """With the penalties that predict best, the mean of these is .87."""
    found = []
    for world in worlds:
        rows = doubly_robust(
            world.frame, world.cuts, treatment=world.treatment, outcome=world.outcome, rng=RNG(0)
        ).rows[:2]
        found.append([row.estimate.value for row in rows if row.estimate is not None])
    overlap, treated = np.mean(found, axis=0)
    assert abs(overlap - EFFECT) < 0.06
    assert abs(treated - EFFECT) < 0.08


def test_the_judges_own_effect_and_the_corrected_one_see_all_confounders(worlds):
    """With ten components, scores without error give 1.08, and so does the corrected estimate."""
    naive, corrected = [], []
    for seed, world in enumerate(worlds):
        frame = replace(world.frame, treatment=world.treatment, outcome=world.outcome)
        naive.append(judge_side(frame, world.cuts, RNG(1)).naive().value)
        labels = draw_labels(RNG(seed), world, 1_000)
        side = judge_side(world.frame, world.cuts, RNG(1), labels=labels)
        corrected.append(corrected_estimate(side, labels)[0].value)
    assert abs(np.mean(naive) - EFFECT) < 0.06
    assert abs(np.mean(corrected) - EFFECT) < 0.12


def test_units_in_the_middle_teach_the_judges_nuisances_nothing(worlds):
    world = worlds[0]
    frame, middle = world.frame, np.isnan(world.cuts.arms(world.frame.treatment))
    other = replace(frame, outcome=np.where(middle, 8 - frame.outcome, frame.outcome))
    one, two = (judge_side(given, world.cuts, RNG(1)).nuisances for given in (frame, other))
    assert two.outcome == pytest.approx(one.outcome, abs=1e-9)
    assert two.treated == pytest.approx(one.treated, abs=1e-9)
