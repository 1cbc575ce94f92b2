"""If this failed, a judge could feed a causal estimate that people's ratings do not support."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from time import process_time

import numpy as np
import pytest

from analysis.causal.clustered import from_influence
from analysis.causal.rooms.asking import Asking, Names
from analysis.causal.rooms.closeness import distances, person_leads
from analysis.causal.rooms.condition import FAIL, OPEN, PASS, decided, more_labels
from analysis.causal.rooms.gate import AGREEMENT, ESTIMAND, HUMAN_FLOOR, three_rooms
from analysis.causal.rooms.quantity import Interval, at_looks, share
from analysis.causal.rooms.sampled import sampled
from analysis.causal.rooms.thresholds import Thresholds
from analysis.causal.sequential import at_every_look
from analysis.causal.units import Frame
from analysis.inference.families import adjust
from prereg.errors import RatifyError
from tests.support.causal_gates import (
    AS_A_PERSON,
    EXCELLENT,
    MEDIOCRE,
    POOR,
    Study,
    contrast,
    simulated,
)

INF = math.inf


def study_of(judge, seed=0, **settings):
    return simulated(np.random.default_rng(seed), judge, **settings)


def only(gate, name, about=""):
    [one] = [c for c in gate.conditions if c.name == name and about in c.about]
    return one


@pytest.mark.parametrize(
    ("interval", "least", "most", "verdict"),
    [
        ((0.6, 0.5, 0.7), 0.5, INF, PASS),
        ((0.6, 0.49, 0.7), 0.5, INF, OPEN),
        ((0.4, 0.3, 0.49), 0.5, INF, FAIL),
        ((0.05, 0.0, 0.1), -INF, 0.1, PASS),
        ((0.2, 0.11, 0.3), -INF, 0.1, FAIL),
        ((0.0, -0.3, 0.3), -0.35, 0.35, PASS),
        ((0.2, 0.1, 0.4), -0.35, 0.35, OPEN),
        ((-0.6, -0.8, -0.4), -0.35, 0.35, FAIL),
        ((0.0, -0.5, 0.5), -0.35, 0.35, OPEN),
        ((0.9, math.nan, math.nan), 0.5, INF, OPEN),
    ],
)
def test_an_interval_decides(interval, least, most, verdict):
    assert decided(Interval(*interval), least, most) == verdict


@pytest.mark.parametrize(
    ("interval", "least", "most"),
    [
        ((0.55, 0.45, 0.65), 0.5, INF),
        ((0.45, 0.35, 0.55), 0.5, INF),
        ((0.0, -0.5, 0.4), -0.35, 0.35),
        ((0.4, 0.2, 0.6), -0.35, 0.35),
    ],
)
def test_so_many_more_labels_take_the_interval_off_the_threshold(interval, least, most):
    estimate, low, high = interval
    more = more_labels(Interval(*interval), least, most, 400)
    for labels, verdicts in ((400 + more, {PASS, FAIL}), (400 + more - 2, {OPEN})):
        shrunk = math.sqrt(400 / labels)
        ends = (estimate - shrunk * (estimate - low), estimate + shrunk * (high - estimate))
        assert decided(Interval(estimate, *ends), least, most) in verdicts


def test_at_the_threshold_no_number_of_labels_is_promised():
    assert more_labels(Interval(0.5, 0.4, 0.6), 0.5, INF, 400) is None
    assert more_labels(Interval(0.5001, 0.4, 0.6), 0.5, INF, 400) is None


@pytest.mark.parametrize(("tests", "needed"), [(1, 1), (2, 2), (6, 4)])
def test_the_level_is_that_of_benjamini_and_yekutieli(tests, needed):
    asking = Asking(None, Thresholds(), Names(), from_influence, (), ())
    alpha = (1 - asking.level(tests, needed)) / 2
    for p, rejected in ((0.999 * alpha, needed), (1.001 * alpha, 0)):
        p_values = [p] * needed + [0.9] * (tests - needed)
        assert (adjust(p_values, "benjamini_yekutieli") <= 0.05).sum() == rejected


def test_an_excellent_judge_passes_and_a_poor_one_does_not():
    """The rates at this size are in docs/validation.md: .93 and 0 of all studies."""
    excellent = [study_of(EXCELLENT, seed).gate().verdict for seed in range(12)]
    assert excellent.count(PASS) >= 9 and FAIL not in excellent
    poor = [study_of(POOR, seed).gate().verdict for seed in range(12)]
    assert poor.count(FAIL) >= 11 and PASS not in poor
    mediocre = [study_of(MEDIOCRE, seed).gate().verdict for seed in range(12)]
    assert mediocre.count(FAIL) >= 8 and PASS not in mediocre


def test_a_judge_at_human_parity_agrees_and_is_more_than_half_a_point_off():
    """It adds a point to the outcome of most of what it calls treated; the effect is zero."""
    study = study_of(
        AS_A_PERSON, effect=0.0, bump=0.7, stratified=2_200, random=600, units=9_000, users=3_000
    )
    gate = study.gate()
    assert gate.room(HUMAN_FLOOR).verdict == PASS
    assert gate.room(AGREEMENT).verdict == PASS
    assert gate.room(ESTIMAND).verdict == FAIL
    found = gate.room(ESTIMAND).conditions[0]
    assert found.low > 0.5
    assert gate.verdict == FAIL


@pytest.mark.parametrize(("judge", "verdict"), [(EXCELLENT, PASS), (POOR, FAIL)])
def test_the_naive_number_is_never_the_headline(judge, verdict):
    gate = study_of(judge, stratified=800, random=200).gate()
    assert gate.verdict == verdict
    assert gate.may_print == {
        "naive_headline": False,
        "judge_only_figures": verdict == PASS,
        "corrected_estimate": True,
    }
    assert any("never the headline" in line for line in gate.lines())
    word = "may be printed" if gate.passed else "may not be printed"
    assert any(f"judge's scores alone {word}" in line for line in gate.lines())


def test_under_a_hundred_units_nothing_is_decided():
    gate = study_of(POOR, stratified=60, random=20).gate()
    assert gate.n < 100
    assert {one.verdict for one in gate.conditions} == {OPEN}
    for one in gate.conditions:
        assert f"Only {gate.n} units have two ratings or more of each score" in one.why
        assert one.more is None or one.more >= 100 - gate.n


def test_under_twenty_treated_units_only_the_human_floor_is_decided():
    gate = study_of(POOR, stratified=0, random=180, shares=(0, 0, 0)).gate()
    assert gate.treated < 20 <= 100 <= gate.n
    assert gate.room(AGREEMENT).verdict == gate.room(ESTIMAND).verdict == OPEN
    assert "and 20 are asked for" in only(gate, "halo").why
    assert not any(one.why for one in gate.room(HUMAN_FLOOR).conditions)
    enough = math.ceil(gate.n * 20 / gate.treated) - gate.n
    assert only(gate, "halo").more >= enough


def test_a_stratum_without_a_rated_unit_decides_nothing():
    study = study_of(EXCELLENT)
    gone = study.labels.stratum == 0
    ratings = replace(
        study.ratings, treatment=np.where(gone[:, None], np.nan, study.ratings.treatment)
    )
    gate = Study(study.world, study.frame, study.labels, ratings).gate()
    assert gate.verdict == OPEN
    assert f"{gone.sum():,} units of the frame are in strata" in only(gate, "halo").why


def test_with_one_rating_a_unit_nothing_is_decided():
    study = study_of(EXCELLENT)
    ratings = replace(
        study.ratings,
        treatment=study.ratings.treatment[:, :1],
        outcome=study.ratings.outcome[:, :1],
    )
    found = contrast(study.frame, study.labels, study.ratings)
    gate = three_rooms(study.frame, study.labels, ratings, found)
    assert (gate.n, gate.verdict) == (0, OPEN)
    assert [len(room.conditions) for room in gate.rooms] == [1, 1, 1]
    assert "Only 0 units" in "\n".join(gate.lines())


def test_every_interval_is_made_by_the_maker():
    study, levels = study_of(EXCELLENT), []

    def twice_as_wide(value, influence, user, *, level):
        levels.append(round(level, 4))
        found = from_influence(value, influence, user, level=level)
        half = found.high - value
        return replace(found, low=value - 2 * half, high=value + 2 * half)

    plain, wide = study.gate(), study.gate(maker=twice_as_wide)
    for one, other in zip(plain.conditions, wide.conditions, strict=True):
        assert other.estimate == pytest.approx(one.estimate)
        assert other.high - other.low > 1.5 * (one.high - one.low)
    assert set(levels) == {0.9, round(1 - 0.1 / 1.5, 4)}


def test_intervals_for_every_look_are_those_of_the_confidence_sequence():
    study = study_of(AS_A_PERSON)
    gate = study.gate(maker=at_looks(395, 400))
    found = contrast(study.frame, study.labels, study.ratings)
    once = from_influence(found.value, found.influence, study.frame.user, level=0.9)
    expected = at_every_look(once, labels=395, planned=400)
    one = gate.room(ESTIMAND).conditions[0]
    assert (one.low, one.high) == pytest.approx((expected.low, expected.high))
    assert one.high - one.low > 1.3 * (once.high - once.low)


def test_three_fixed_people_are_tested_one_by_one():
    study = study_of(AS_A_PERSON, seed=3)
    worse = study.ratings.treatment.copy()
    worse[:, 0] = np.where(np.isnan(worse[:, 0]), np.nan, 8 - worse[:, 0])
    ratings = replace(study.ratings, treatment=worse, same_people=True)
    gate = Study(study.world, study.frame, study.labels, ratings).gate()
    one = only(gate, "alternative annotator", "treatment")
    assert one.level == pytest.approx(1 - 0.1 * 4 / (6 * 2.45))
    assert "rank 2 of 3" in one.beside
    sample = sampled(study.frame, study.labels, ratings)
    near = distances(worse[sample.rows], study.frame.treatment[sample.rows])
    leads = [quantity.value for quantity in person_leads(near, sample, same_people=True)]
    assert leads[0] == min(leads)
    absent = np.column_stack([worse, np.full(len(worse), np.nan)])
    near = distances(absent[sample.rows], study.frame.treatment[sample.rows])
    assert len(person_leads(near, sample, same_people=True)) == 3
    assert one.estimate == pytest.approx(sorted(leads)[1])


def test_rows_in_another_order_and_users_with_other_numbers_change_nothing():
    study = study_of(AS_A_PERSON)
    found = contrast(study.frame, study.labels, study.ratings)
    plain = three_rooms(study.frame, study.labels, study.ratings, found)
    rng = np.random.default_rng(9)
    order = rng.permutation(len(study.frame))
    names = rng.permutation(study.frame.users)
    frame, labels, ratings = study.frame, study.labels, study.ratings
    frame = Frame(
        frame.unit[order],
        names[frame.user[order]],
        frame.covariates[order],
        frame.names,
        frame.treatment[order],
        frame.outcome[order],
    )
    labels = replace(
        labels,
        **{
            name: getattr(labels, name)[order]
            for name in ("treatment", "outcome", "inclusion", "stratum")
        },
    )
    ratings = replace(ratings, treatment=ratings.treatment[order], outcome=ratings.outcome[order])
    found = replace(found, influence=found.influence[order])
    moved = three_rooms(frame, labels, ratings, found)
    for one, other in zip(plain.conditions, moved.conditions, strict=True):
        ends = (other.estimate, other.low, other.high)
        assert ends == pytest.approx((one.estimate, one.low, one.high))


def test_units_of_one_user_are_one_cluster():
    """Every unit twice, by the same user: that is no more than every unit once."""
    study = study_of(AS_A_PERSON)
    twice = np.tile(np.arange(len(study.frame)), 2)
    frame = study.frame.of(twice)
    labels = replace(
        study.labels,
        **{
            name: getattr(study.labels, name)[twice]
            for name in ("treatment", "outcome", "inclusion", "stratum")
        },
    )
    ratings = replace(
        study.ratings,
        treatment=study.ratings.treatment[twice],
        outcome=study.ratings.outcome[twice],
    )
    plain, doubled = study.gate(), Study(study.world, frame, labels, ratings).gate()
    assert doubled.clusters == plain.clusters
    for one, other in zip(plain.conditions, doubled.conditions, strict=True):
        assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.02)


def test_if_all_cases_go_the_same_way_the_bound_is_that_of_a_mixture():
    found = share(1.0, np.zeros(5), 30.0).interval(np.arange(5), 0.9, from_influence)
    assert found.high == 1
    # the mean over all p of the likelihood ratio of 30 hits is 1 / alpha at the bound
    assert 1 / 31 / found.low**30 == pytest.approx(1 / 0.05)
    none = share(0.0, np.zeros(5), 30.0).interval(np.arange(5), 0.9, from_influence)
    assert (none.low, none.high) == pytest.approx((0.0, 1 - found.low))


def test_everything_can_be_written_as_json_and_as_a_table():
    gate = study_of(EXCELLENT).gate(names=Names("empathy", "attachment"))
    whole = json.loads(json.dumps(gate.to_json(), allow_nan=False))
    assert whole["verdict"] == gate.verdict
    assert [room["name"] for room in whole["rooms"]] == [HUMAN_FLOOR, AGREEMENT, ESTIMAND]
    frame = gate.to_frame()
    assert len(frame) == len(gate.conditions) == 12
    assert set(frame["about"]) == {"empathy", "attachment", "empathy and attachment"}
    text = "\n".join(gate.lines())
    assert all(one.says in text for one in gate.conditions)
    assert "treatment" not in "".join(one.says for one in gate.conditions)


def test_a_gate_of_default_size_takes_a_moment():
    study = study_of(AS_A_PERSON)
    found = contrast(study.frame, study.labels, study.ratings)
    times = []
    for _ in range(3):
        began = process_time()
        three_rooms(study.frame, study.labels, study.ratings, found)
        times.append(process_time() - began)
    assert min(times) < 0.3


def test_a_contrast_of_another_frame_is_refused():
    study = study_of(EXCELLENT)
    found = contrast(study.frame, study.labels, study.ratings)
    with pytest.raises(RatifyError, match="not those of the frame"):
        three_rooms(
            study.frame, study.labels, study.ratings, replace(found, influence=found.influence[:-1])
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("human_alpha", 1.0),
        ("epsilon", 1.0),
        ("non_inferiority", 0.0),
        ("bias_margin", -0.1),
        ("sensitivity", 1.0),
        ("predictive_value", -0.1),
        ("halo", 1.1),
        ("margin", 0.0),
        ("items", 9),
        ("treated", 1),
        ("level", 0.5),
    ],
)
def test_a_threshold_out_of_range_is_refused(name, value):
    with pytest.raises(RatifyError, match=rf"causal\.gate\.{name}"):
        Thresholds(**{name: value})


def test_every_condition_asks_for_its_own_threshold():
    thresholds = Thresholds(
        human_alpha=0.51,
        epsilon=0.12,
        non_inferiority=0.13,
        bias_margin=0.14,
        sensitivity=0.41,
        predictive_value=0.16,
        halo=0.17,
        margin=0.18,
    )
    gate = study_of(EXCELLENT).gate(thresholds=thresholds)
    assert {one.name: (one.least, one.most) for one in gate.conditions} == {
        "people's alpha": (0.51, INF),
        "alternative annotator": (-INF, 0.12),
        "not worse than a person": (-INF, 0.13),
        "bias": (-0.14, 0.14),
        "sensitivity": (0.41, INF),
        "predictive value": (0.16, INF),
        "halo": (-INF, 0.17),
        "error between the arms": (-0.18, 0.18),
    }
