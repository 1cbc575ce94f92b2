"""If this failed, the gate would misjudge a judge on a sample that is not a copy of its frame."""

from __future__ import annotations

from dataclasses import replace

import krippendorff
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score

from analysis.agreement.alternative_annotator import alternative_annotator
from analysis.agreement.panel import panel
from analysis.causal.rooms.alpha import weighted_alpha
from analysis.causal.rooms.at_cut import against_people, beside_a_person
from analysis.causal.rooms.closeness import bias, distances, excess_error, person_leads
from analysis.causal.rooms.halo import error_correlation
from analysis.causal.rooms.sampled import Sampled, sampled
from analysis.causal.worlds import person_ratings
from prereg.errors import RatifyError
from tests.support.causal_gates import AS_A_PERSON, POOR, mean_of, simulated

UNITS = 120


def given(seed: int = 0, units: int = UNITS, raters: int = 3, missing: float = 0.2):
    """Return ratings with gaps, a judge and a second judge."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 8, units).astype(float)
    ratings = np.clip(truth[:, None] + rng.integers(-1, 2, (units, raters)), 1, 7)
    gaps = rng.random(ratings.shape) < missing
    gaps[gaps.sum(axis=1) > raters - 2] = False
    ratings[gaps] = np.nan
    judges = [np.clip(truth + rng.integers(-2, 3, units), 1, 7) for _ in range(2)]
    return ratings, *judges


def all_of(units: int = UNITS, weight: np.ndarray | None = None) -> Sampled:
    """Return a sample of a frame of which every unit is rated, one stratum, a user per unit."""
    codes = np.arange(units)
    ones = np.ones(units) if weight is None else weight
    return Sampled(codes, ones, np.zeros(units, int), codes, np.zeros(units, int))


def uneven(seed: int = 1, units: int = UNITS) -> Sampled:
    return all_of(units, np.random.default_rng(seed).integers(1, 6, units).astype(float))


@pytest.mark.parametrize("metric", ["ordinal", "interval"])
def test_alpha_with_equal_weights_is_that_of_the_package(metric):
    ratings, *_ = given(raters=4)
    found = weighted_alpha(ratings, all_of(), metric).value
    assert found == pytest.approx(krippendorff.alpha(ratings.T, level_of_measurement=metric))


@pytest.mark.parametrize("metric", ["ordinal", "interval"])
def test_a_unit_of_weight_three_counts_as_three_units(metric):
    ratings, *_ = given(units=900)
    sample = uneven(units=900)
    copies = np.repeat(ratings, sample.weight.astype(int), axis=0)
    expected = krippendorff.alpha(copies.T, level_of_measurement=metric)
    # only the correction for a finite number of ratings differs
    assert weighted_alpha(ratings, sample, metric).value == pytest.approx(expected, abs=3e-4)


def test_leads_with_equal_weights_are_those_of_the_alternative_annotator_test():
    ratings, judge, _ = given()
    rows = [
        (f"i{item}", f"p{at}", "d", value)
        for (item, at), value in np.ndenumerate(ratings)
        if not np.isnan(value)
    ]
    rows += [(f"i{item}", "judge", "d", value) for item, value in enumerate(judge)]
    table = pd.DataFrame(rows, columns=["item_id", "rater_id", "dimension", "value"])
    table["rater_kind"] = np.where(table["rater_id"] == "judge", "llm", "human")
    table["scale_min"], table["scale_max"] = 1, 7
    expected = {
        one.human: one.human_wins - one.judge_wins
        for one in alternative_annotator(panel(table, scale=(1, 7)), epsilon=0.1).humans
    }
    found = person_leads(distances(ratings, judge), all_of(), same_people=True)
    assert [one.value for one in found] == pytest.approx([expected[f"p{at}"] for at in range(3)])


def test_excess_error_and_bias_are_weighted_sums_over_units():
    ratings, judge, _ = given()
    sample = uneven()
    more, spread, apart = 0.0, [], 0.0
    middle = np.average(np.nanmean(ratings, axis=1), weights=sample.weight)
    for row, score, weight in zip(ratings, judge, sample.weight, strict=True):
        people = row[~np.isnan(row)]
        rest = [np.delete(people, at).mean() for at in range(len(people))]
        own = [
            (score - other) ** 2 - (one - other) ** 2
            for one, other in zip(people, rest, strict=True)
        ]
        more += weight * np.mean(own)
        spread.append(weight * np.mean((people - middle) ** 2))
        apart += weight * (score - people.mean())
    found = excess_error(distances(ratings, judge), ratings, sample)
    assert found.value == pytest.approx(more / sum(spread))
    people = np.nanmean(ratings, axis=1)
    assert bias(people, judge, sample).value == pytest.approx(apart / sample.weight.sum())


def test_shares_at_the_cut_are_weighted_recall_and_precision():
    ratings, judge, _ = given()
    sample, people = uneven(), np.nanmean(ratings, axis=1)
    found = against_people(people, judge, 5, sample)
    for quantity, score in zip(found, (recall_score, precision_score), strict=True):
        expected = score(people >= 5, judge >= 5, sample_weight=sample.weight)
        assert quantity.value == pytest.approx(expected)


@pytest.mark.parametrize("aggregate", ["mean", "median"])
def test_a_person_and_the_judge_face_the_same_others(aggregate):
    ratings, judge, _ = given(raters=4)
    sample = uneven()
    truth, person, judged, weights = [], [], [], []
    for row, score, weight in zip(ratings, judge, sample.weight, strict=True):
        for at in np.flatnonzero(~np.isnan(row)):
            rest = np.delete(row, at)
            truth.append(getattr(np, f"nan{aggregate}")(rest) >= 5)
            person.append(row[at] >= 5)
            judged.append(score >= 5)
            weights.append(weight)
    found = beside_a_person(ratings, judge, 5, aggregate, sample)
    for beside, said in ((found.person, person), (found.judge, judged)):
        for quantity, score in zip(beside, (recall_score, precision_score), strict=True):
            assert quantity.value == pytest.approx(score(truth, said, sample_weight=weights))


def test_halo_is_the_weighted_correlation():
    _, first, second = given()
    sample = uneven()
    expected = np.cov(first, second, aweights=sample.weight, ddof=0)
    expected = expected[0, 1] / np.sqrt(expected[0, 0] * expected[1, 1])
    assert error_correlation(first, second, sample).value == pytest.approx(expected)


STATISTICS = {
    "alpha": lambda r, j, k, s: weighted_alpha(r, s),
    "alpha, interval": lambda r, j, k, s: weighted_alpha(r, s, "interval"),
    "lead": lambda r, j, k, s: person_leads(distances(r, j), s, same_people=False)[0],
    "lead of one": lambda r, j, k, s: person_leads(distances(r, j), s, same_people=True)[2],
    "excess": lambda r, j, k, s: excess_error(distances(r, j), r, s),
    "bias": lambda r, j, k, s: bias(np.nanmean(r, axis=1), j, s),
    "sensitivity": lambda r, j, k, s: against_people(np.nanmean(r, axis=1), j, 5, s).sensitivity,
    "person": lambda r, j, k, s: beside_a_person(r, j, 5, "mean", s).person.predictive_value,
    "halo": lambda r, j, k, s: error_correlation(j, k, s),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_influence_is_the_change_by_a_unit_that_weighs_more(name):
    data, sample = given(units=600), uneven(units=600)
    whole = STATISTICS[name](*data, sample)
    share = sample.weight / sample.weight.sum()
    # weights of a frame of one stratum lift a unit by its weight
    influence = whole.influence / (sample.weight * np.sqrt(600 / 599))
    for unit in range(0, 600, 37):
        heavier = sample.weight.copy()
        heavier[unit] *= 1.001
        moved = STATISTICS[name](*data, all_of(600, heavier))
        change = whole.forward(moved.value) - whole.forward(whole.value)
        step = heavier[unit] / heavier.sum() - share[unit]
        expected = change / step * (1 - share[unit])
        # alpha's influence comes from leaving a unit out, which is not a small step
        assert influence[unit] == pytest.approx(
            expected, rel=0.08, abs=0.02 if "alpha" in name else 0.005
        )


def test_lifted_values_keep_the_mean_and_know_the_strata():
    rng = np.random.default_rng(2)
    study = simulated(rng, AS_A_PERSON)
    sample = sampled(study.frame, study.labels, study.ratings)
    sizes = np.bincount(study.labels.stratum)
    assert np.bincount(sample.stratum, sample.weight) == pytest.approx(sizes)
    # what a stratum determines has no error of sampling: the frame knows it
    level = rng.normal(size=len(sizes))
    known = sample.lift(level[sample.stratum] - sample.mean(level[sample.stratum]))
    expected = level[study.labels.stratum] - sample.mean(level[sample.stratum])
    assert known == pytest.approx(expected)
    noise = rng.normal(size=len(sample))
    noise -= sample.mean(noise)
    assert sample.lift(noise).mean() == pytest.approx(0, abs=1e-12)


def test_the_only_unit_of_a_stratum_counts_with_its_whole_value():
    sample = Sampled(
        np.array([0, 1, 4]),
        np.array([2.0, 2.0, 3.0]),
        np.array([0, 0, 1]),
        np.arange(7),
        np.array([0, 0, 0, 0, 1, 1, 1]),
    )
    lifted = sample.lift(np.array([1.0, -1.0, 0.5]))
    assert lifted == pytest.approx([2 * np.sqrt(2), -2 * np.sqrt(2), 0, 0, 1.5, 0, 0])


def test_on_a_stratified_sample_statistics_without_weights_lie():
    """The truth is what people, three a unit, and the judge say of all units of the frame."""
    truth, weighted, plain = [], [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        study = simulated(rng, POOR)
        every = mean_of(person_ratings(rng, study.world, 3)[0])
        judge = study.frame.treatment
        truth.append(recall_score(every >= 5, judge >= 5))
        sample = sampled(study.frame, study.labels, study.ratings)
        people = study.labels.treatment[sample.rows]
        rated = judge[sample.rows]
        weighted.append(against_people(people, rated, 5, sample).sensitivity.value)
        equal = replace(sample, weight=np.ones(len(sample)))
        plain.append(against_people(people, rated, 5, equal).sensitivity.value)
    truth, weighted, plain = (np.array(x) for x in (truth, weighted, plain))
    off, error = (weighted - truth).mean(), (weighted - truth).std() / 5
    assert abs(off) < 3 * error
    assert (plain - truth).mean() > 0.1


def test_all_ratings_alike_have_no_alpha():
    found = weighted_alpha(np.full((30, 3), 4.0), all_of(30))
    assert np.isnan(found.value)
    assert np.isnan(found.interval(np.arange(30), 0.9, None).low)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inclusion": lambda x: np.where(x > 0, 0.0, x)}, "probability that this unit is"),
        ({"inclusion": lambda x: x + 1}, "probability that this unit is"),
        ({"treatment": lambda x: np.full_like(x, np.nan)}, "no aggregate of people's"),
        ({"stratum": lambda x: x[:-1]}, "another length than the frame"),
    ],
)
def test_labels_that_cannot_be_weighted_are_refused(change, said):
    study = simulated(np.random.default_rng(0), AS_A_PERSON)
    [(name, how)] = change.items()
    labels = replace(study.labels, **{name: how(getattr(study.labels, name))})
    with pytest.raises(RatifyError, match=said):
        sampled(study.frame, labels, study.ratings)


def test_a_rated_unit_without_a_judges_score_is_refused():
    study = simulated(np.random.default_rng(0), AS_A_PERSON)
    frame = replace(study.frame, outcome=np.full(len(study.frame), np.nan))
    with pytest.raises(RatifyError, match="no score by the judge"):
        sampled(frame, study.labels, study.ratings)
