"""If this failed, simulations would be of worlds kinder, or other, than the documents say."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.causal.units import Labels
from analysis.causal.worlds import Judge, draw_labels, make_world, person_ratings, strata_of


def world(seed: int = 0, **given):
    return make_world(np.random.default_rng(seed), **{"effect": 0.3, **given})


@pytest.mark.parametrize("reliability", [0.5, 0.8])
def test_a_judge_calls_as_many_units_treated_as_are(reliability):
    one = world(judge=Judge(reliability, 0.5))
    ours, theirs = one.cuts.arms(one.treatment), one.cuts.arms(one.frame.treatment)
    assert 0.06 < (ours == 1).mean() < 0.1
    assert (ours == 1).sum() == (theirs == 1).sum()
    assert np.isnan(ours).sum() == np.isnan(theirs).sum()
    between = np.corrcoef(one.treatment, one.frame.treatment)[0, 1] ** 2
    assert between == pytest.approx(reliability, abs=0.05)


def test_errors_go_together_as_far_as_the_judge_says():
    def shown(correlation):
        one = world(judge=Judge(0.6, correlation))
        return np.corrcoef(one.treatment - one.frame.treatment, one.outcome - one.frame.outcome)[
            0, 1
        ]

    assert shown(0.0) == pytest.approx(0, abs=0.06)
    assert 0.35 < shown(0.5) < 0.5 < shown(0.67) + 0.05


def test_a_lenient_judge_gives_more_points_and_treats_more():
    fair, lenient = world(judge=Judge(0.6, 0.5)), world(judge=Judge(0.6, 0.5, leniency=0.5))
    assert (lenient.frame.treatment - fair.frame.treatment).mean() == pytest.approx(0.5, abs=0.03)
    assert (lenient.frame.outcome - fair.frame.outcome).mean() == pytest.approx(0.5, abs=0.03)
    assert (lenient.frame.treatment >= 5).mean() > 2 * (fair.frame.treatment >= 5).mean()


def test_the_effect_is_there_and_confounded():
    one = world(effect=0.75, units=40_000, users=15_000)
    arm = one.cuts.arms(one.treatment)
    apart = one.outcome[arm == 1].mean() - one.outcome[arm == 0].mean()
    assert apart > 0.75 + 0.2
    kept = ~np.isnan(arm)
    design = np.column_stack([np.ones(kept.sum()), arm[kept], one.frame.covariates[kept]])
    adjusted = np.linalg.lstsq(design, one.outcome[kept], rcond=None)[0][1]
    assert adjusted == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize("count", [120, 400, 1_000])
def test_half_of_the_labels_are_where_the_judge_says_the_middle(count):
    one = world()
    labels = draw_labels(np.random.default_rng(1), one, count)
    assert labels.labelled.sum() == count
    middle = np.isnan(one.cuts.arms(one.frame.treatment))
    assert labels.labelled[middle].sum() == pytest.approx(count / 2, abs=4)
    assert labels.weights.sum() == pytest.approx(len(one.frame))
    assert np.array_equal(labels.stratum, strata_of(one.frame, one.cuts))


def test_every_unit_of_a_stratum_is_drawn_as_often():
    one = world(units=600, users=300)
    rng = np.random.default_rng(2)
    drawn = np.mean([draw_labels(rng, one, 200).labelled for _ in range(600)], axis=0)
    promised = draw_labels(rng, one, 200).inclusion
    error = np.sqrt(promised * (1 - promised) / 600)
    assert (np.abs(drawn - promised) < 4.5 * np.maximum(error, 1e-9)).all()


def test_a_simple_random_sample_has_one_stratum_and_what_was_said():
    one = world()
    said = (np.full(6_000, 3.0), np.full(6_000, 2.0))
    labels = draw_labels(np.random.default_rng(3), one, 300, stratified=False, said=said)
    assert isinstance(labels, Labels)
    assert set(labels.inclusion) == {300 / 6_000}
    assert labels.labelled.sum() == 300
    assert set(labels.treatment[labels.labelled]) == {3.0}
    assert set(labels.outcome[labels.labelled]) == {2.0}


def test_three_people_together_call_fewer_units_treated():
    one = world()
    first, second = person_ratings(np.random.default_rng(4), one, 3)
    assert first.shape == second.shape == (6_000, 3)
    alone, together = (first[:, 0] >= 5).mean(), (first.mean(axis=1) >= 5).mean()
    assert together < 0.6 * alone
    errors = np.corrcoef(first[:, 0] - one.treatment, second[:, 0] - one.outcome)[0, 1]
    assert errors == pytest.approx(0, abs=0.05)
