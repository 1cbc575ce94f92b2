"""If this failed, the corrected effect, or its error, would not be what the documents say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from analysis.causal.clustered import from_influence
from analysis.causal.correction.checks import difference_sentence, frame_differences
from analysis.causal.correction.estimates import (
    corrected_estimate,
    judge_side,
    people_alone,
    people_score,
    solved,
    three_estimates,
)
from analysis.causal.correction.nuisances import PRIOR_UNITS, components, fitted
from analysis.causal.correction.raters import by_raters, raters_frame
from analysis.causal.correction.score import filled, own_weight
from analysis.causal.units import Cuts, Labels
from analysis.causal.worlds import Judge, draw_labels, make_world, person_ratings
from prereg.errors import RatifyError

RNG = np.random.default_rng
WORLD = make_world(RNG(0), effect=0.75, judge=Judge(0.6, 0.5))
LABELS = draw_labels(RNG(1), WORLD, 400)
FRAME, CUTS = WORLD.frame, WORLD.cuts
N = len(FRAME)
EVERYONE = Labels(WORLD.treatment, WORLD.outcome, np.ones(N), np.zeros(N, dtype=np.int64))


def test_three_estimates_side_by_side():
    found = three_estimates(FRAME, LABELS, CUTS, RNG(2))
    assert found.naive.low > 0.75  # errors that go together
    for one in (found.people, found.corrected):
        assert one.low < 0.75 < one.high
        assert one.width > 2 * found.naive.width
    table = found.to_frame().set_index("estimate")
    assert list(table.index) == ["naive", "people", "corrected"]
    assert table.loc["corrected", "value"] == found.corrected.value
    assert list(table["labels"]) == [0, 400, 400]
    assert list(table["n"]) == [N, 400, N]
    assert (table["clusters"] == FRAME.users).all()
    assert 0 < found.judge_weight < 1
    assert found.treated == (LABELS.treatment >= 5).sum()


def test_the_naive_effect_is_residual_on_residual():
    """Another package's regression of one residual on the other, with clustered errors."""
    side = judge_side(FRAME, CUTS, RNG(2))
    kept = ~np.isnan(side.arm)
    moved = (FRAME.outcome - side.nuisances.outcome)[kept]
    treated = (side.arm - side.nuisances.treated)[kept]
    reference = sm.OLS(moved, treated).fit(
        cov_type="cluster", cov_kwds={"groups": FRAME.user[kept]}
    )
    found = side.naive()
    assert found.value == pytest.approx(reference.params[0])
    assert found.se == pytest.approx(reference.bse[0], rel=1e-3)


def test_with_all_labels_it_is_ordinary_regression():
    """With nuisances that are nearly linear it is nearly the coefficient of the treatment."""
    side = judge_side(FRAME, CUTS, RNG(2))
    found = people_alone(side, EVERYONE)
    arm = CUTS.arms(WORLD.treatment)
    kept = ~np.isnan(arm)
    design = np.column_stack([np.ones(kept.sum()), arm[kept], FRAME.covariates[kept]])
    ols = sm.OLS(WORLD.outcome[kept], design).fit(
        cov_type="cluster", cov_kwds={"groups": FRAME.user[kept]}
    )
    assert found.value == pytest.approx(ols.params[1], abs=0.02)
    assert found.se == pytest.approx(ols.bse[1], rel=0.12)
    assert corrected_estimate(side, EVERYONE)[0].value == pytest.approx(found.value, abs=0.015)


def test_the_error_is_that_of_a_stratified_sample():
    """Textbook variance of a stratified mean, with its finite population."""
    value = np.where(LABELS.labelled, LABELS.outcome, np.nan)
    found = filled(value, np.zeros(N), LABELS)
    sizes = np.bincount(LABELS.stratum)
    mean = variance = 0.0
    for stratum, size in enumerate(sizes):
        here = value[LABELS.labelled & (LABELS.stratum == stratum)]
        mean += size / N * here.mean()
        variance += (size / N) ** 2 * (1 - len(here) / size) * here.var(ddof=1) / len(here)
    assert found.each.mean() == pytest.approx(mean)
    alone = from_influence(mean, found.spread, np.arange(N))
    # what the sample adds to the error that all units have
    everyone = float(LABELS.weights @ (np.nan_to_num(value) - mean) ** 2) / N**2
    assert alone.se**2 == pytest.approx(variance + everyone, rel=0.02)


def test_a_guess_that_is_right_leaves_no_error_of_sampling():
    value = np.where(LABELS.labelled, WORLD.outcome, np.nan)
    weight = own_weight(value, WORLD.outcome, LABELS, FRAME.user % 5)
    assert weight == pytest.approx(np.full(N, 400 / 410), rel=1e-6)
    found = filled(value, WORLD.outcome, LABELS)
    assert found.each == pytest.approx(WORLD.outcome)
    assert own_weight(value, RNG(3).normal(size=N), LABELS, FRAME.user % 5) == pytest.approx(
        0, abs=0.25
    )


def test_the_error_of_few_labels_is_a_jackknifes():
    """Without each of 80 labels in turn, of which a few are treated."""
    labels = draw_labels(RNG(22), WORLD, 80, stratified=False)
    alone = replace(FRAME, user=np.arange(N))
    side = judge_side(alone, CUTS, RNG(23))
    score = people_score(side, labels, start=side.nuisances)
    found, _ = solved(score, None, labels, side)
    without = []
    for unit in np.flatnonzero(labels.labelled):
        gone = replace(
            labels, treatment=at(labels.treatment, unit, np.nan), inclusion=np.full(N, 79 / N)
        )
        without.append(solved(score, None, gone, side)[0].value)
    jackknife = np.sqrt(79 / 80 * ((np.array(without) - np.mean(without)) ** 2).sum())
    assert found.se == pytest.approx(jackknife, rel=0.02)


def test_a_stratum_with_one_label_is_not_taken_for_certain():
    labels = Labels(
        np.array([3.0, np.nan, 5.0, 3.0, np.nan]),
        np.array([2.0, np.nan, 4.0, 6.0, np.nan]),
        np.array([0.5, 0.5, 2 / 3, 2 / 3, 2 / 3]),
        np.array([0, 0, 1, 1, 1]),
    )
    found = filled(labels.outcome, np.zeros(5), labels)
    assert found.each[:2] == pytest.approx([4.0, 0.0])
    assert found.each[2:].sum() == pytest.approx(15.0)


def test_rows_in_another_order():
    order = RNG(4).permutation(N)
    again = Labels(
        LABELS.treatment[order],
        LABELS.outcome[order],
        LABELS.inclusion[order],
        LABELS.stratum[order],
    )
    shuffled = replace(FRAME.of(order), user=FRAME.user[order])
    one = three_estimates(FRAME, LABELS, CUTS, RNG(5))
    two = three_estimates(shuffled, again, CUTS, RNG(5))
    assert two.corrected.value == pytest.approx(one.corrected.value, abs=1e-8)
    assert two.corrected.se == pytest.approx(one.corrected.se, abs=1e-8)


def test_users_with_other_numbers_and_strata_with_other_names():
    users = RNG(6).permutation(FRAME.users)[FRAME.user]
    names = RNG(7).permutation(9)[LABELS.stratum]
    one = three_estimates(FRAME, LABELS, CUTS, RNG(5)).corrected
    two = three_estimates(
        replace(FRAME, user=users), replace(LABELS, stratum=names), CUTS, RNG(5)
    ).corrected
    # other users share a fold, nothing else differs
    assert two.value == pytest.approx(one.value, abs=0.35 * one.se)
    assert two.se == pytest.approx(one.se, rel=0.15)


def test_another_unit_of_the_outcome():
    other = replace(FRAME, outcome=10 * FRAME.outcome + 3)
    labels = replace(LABELS, outcome=10 * LABELS.outcome + 3)
    one = three_estimates(FRAME, LABELS, CUTS, RNG(5)).corrected
    two = three_estimates(other, labels, CUTS, RNG(5)).corrected
    assert two.value == pytest.approx(10 * one.value, rel=1e-6)
    assert two.width == pytest.approx(10 * one.width, rel=1e-6)


def test_units_of_one_user_are_one_cluster():
    frame = replace(FRAME, user=FRAME.user // 20)
    one, two = (three_estimates(each, LABELS, CUTS, RNG(5)) for each in (FRAME, frame))
    assert two.corrected.clusters == 98
    assert two.corrected.df < one.corrected.df + 40
    assert two.corrected.se != one.corrected.se


def test_effective_labels_of_a_random_sample_are_its_labels():
    found = []
    for seed in range(6):
        world = make_world(RNG([8, seed]), effect=0.3, judge=Judge(0.5, 0.0))
        labels = draw_labels(RNG([9, seed]), world, 600, stratified=False)
        found.append(three_estimates(world.frame, labels, world.cuts, RNG(seed)))
    assert np.mean([one.effective_labels for one in found]) == pytest.approx(600, rel=0.15)
    assert three_estimates(FRAME, LABELS, CUTS, RNG(5)).effective_labels > 430


def test_nuisances_find_what_made_the_world():
    rng = RNG(10)
    x = rng.normal(size=(20_000, 3))
    chance = expit(-1.5 + x[:, 0] - 0.5 * x[:, 1])
    arm = (rng.random(20_000) < chance).astype(float)
    expected = 2 + 0.6 * x[:, 0] + 0.3 * x[:, 2] + 0.7 * chance
    outcome = expected + 0.7 * (arm - chance) + rng.normal(size=20_000)
    found = fitted(components(x), arm, outcome, np.arange(20_000) % 5)
    assert np.abs(found.treated - chance).mean() < 0.01
    assert np.abs(found.outcome - expected).mean() < 0.03
    # the same ridge, by another package
    reference = LogisticRegression(C=4 / PRIOR_UNITS, tol=1e-8).fit(x, arm)
    assert np.abs(found.treated - reference.predict_proba(x)[:, 1]).mean() < 0.01


def test_nuisances_are_recalibrated_where_labels_say_so():
    rng = RNG(11)
    x = rng.normal(size=(6_000, 3))
    fold = np.arange(6_000) % 5
    theirs = (rng.random(6_000) < expit(x[:, 0])).astype(float)
    start = fitted(x, theirs, 5 + x[:, 1] + rng.normal(size=6_000), fold)
    ours = (rng.random(6_000) < expit(-2 + x[:, 0])).astype(float)
    moved = 3 + x[:, 1] + rng.normal(size=6_000)
    weights = np.where(rng.random(6_000) < 0.1, 10.0, 0.0)
    found = fitted(x, ours, moved, fold, weights=weights, start=start)
    assert found.treated.mean() == pytest.approx(expit(-2 + x[:, 0]).mean(), abs=0.03)
    assert np.corrcoef(found.treated, expit(-2 + x[:, 0]))[0, 1] > 0.97
    assert found.outcome.mean() == pytest.approx(3, abs=0.12)
    assert np.corrcoef(found.outcome, x[:, 1])[0, 1] > 0.97


def test_few_labels_leave_the_shape_that_the_judge_knows():
    rng = RNG(20)
    x = rng.normal(size=(6_000, 5))
    fold = np.arange(6_000) % 5
    arm = (rng.random(6_000) < expit(1.5 * x[:, 0])).astype(float)
    outcome = 3 + x[:, 1] + rng.normal(size=6_000)
    start = fitted(x, arm, outcome, fold)
    weights = np.where(np.arange(6_000) < 40, 150.0, 0.0)
    found = fitted(x, arm, outcome, fold, weights=weights, start=start)
    alone = fitted(x, arm, outcome, fold, weights=weights)
    for name, truth in (("treated", expit(1.5 * x[:, 0])), ("outcome", x[:, 1])):
        with_judge, without = (
            np.corrcoef(getattr(one, name), truth)[0, 1] for one in (found, alone)
        )
        assert with_judge > 0.96
        assert without < with_judge - 0.03


def test_nuisances_of_a_fold_do_not_know_its_own_scores():
    rng = RNG(21)
    x = rng.normal(size=(600, 3))
    arm, outcome = (rng.random(600) < 0.3).astype(float), rng.normal(size=600)
    fold = np.arange(600) % 5
    here = fold == 2
    one = fitted(x, arm, outcome, fold)
    two = fitted(x, np.where(here, 1 - arm, arm), np.where(here, 9.0, outcome), fold)
    assert np.array_equal(one.treated[here], two.treated[here])
    assert np.array_equal(one.outcome[here], two.outcome[here])
    assert not np.array_equal(one.outcome[~here], two.outcome[~here])


def test_components_are_uncorrelated_and_at_most_ten():
    x = RNG(12).normal(size=(500, 4)) @ RNG(13).normal(size=(4, 25))
    found = components(np.column_stack([x, np.ones(500)]))
    assert found.shape == (500, 4)
    assert np.cov(found.T, bias=True) == pytest.approx(np.eye(4), abs=1e-8)
    assert components(RNG(14).normal(size=(500, 30))).shape == (500, 10)


def test_estimates_by_number_of_raters():
    first, second = person_ratings(RNG(15), WORLD, 3)
    labels = draw_labels(RNG(16), WORLD, 1_000)
    for ratings in (first, second):
        ratings[~labels.labelled] = np.nan
    side = judge_side(FRAME, CUTS, RNG(17))
    found = by_raters(side, first, second, labels.inclusion, labels.stratum)
    assert [one.raters for one in found] == [1, 2, 3]
    assert [one.choices for one in found] == [3, 3, 1]
    assert found[0].treated > 1.5 * found[2].treated
    said = Labels(first.mean(axis=1), second.mean(axis=1), labels.inclusion, labels.stratum)
    assert found[2].corrected.value == corrected_estimate(side, said)[0].value
    assert list(raters_frame(found)["raters"]) == [1, 2, 3]
    # one rating less for one unit leaves two raters
    first[np.flatnonzero(labels.labelled)[0], 0] = np.nan
    fewer = by_raters(side, first, second, labels.inclusion, labels.stratum, aggregate="median")
    assert [one.raters for one in fewer] == [1, 2]


def test_the_same_person_twice_is_one_rater():
    first, second = (
        np.where(LABELS.labelled, each, np.nan) for each in (WORLD.treatment, WORLD.outcome)
    )
    side = judge_side(FRAME, CUTS, RNG(17))
    found = by_raters(
        side,
        np.column_stack([first, first]),
        np.column_stack([second, second]),
        LABELS.inclusion,
        LABELS.stratum,
    )
    alone = corrected_estimate(side, LABELS)[0]
    for one in found:
        assert one.corrected.value == pytest.approx(alone.value)
        assert one.corrected.width == pytest.approx(alone.width)


def broken(**what):
    return replace(LABELS, **what)


def at(values, place, value):
    changed = values.copy()
    changed[place] = value
    return changed


FIRST = int(np.flatnonzero(LABELS.labelled)[0])
NEW = np.where(np.arange(N) < 5, 9, LABELS.stratum)
UNLABELLED = np.where(np.arange(N) < 5, np.nan, LABELS.treatment)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (broken(inclusion=at(LABELS.inclusion, 7, np.nan)), "u7 has no inclusion probability"),
        (broken(inclusion=at(LABELS.inclusion, 7, 0.0)), "u7 is not a probability.*got 0.0"),
        (broken(inclusion=at(LABELS.inclusion, 7, 1.5)), "allowed: above 0, at most 1"),
        (broken(inclusion=LABELS.inclusion[1:]), "of 5999 units, but the frame has 6000"),
        (broken(stratum=NEW, treatment=UNLABELLED), "stratum 9 has 5 units and no label"),
        (
            broken(treatment=np.where(LABELS.treatment >= 5, 4.0, LABELS.treatment)),
            "people gave no unit a score of at least 5",
        ),
        (
            broken(treatment=np.where(LABELS.treatment <= 3, 4.0, LABELS.treatment)),
            "people gave no unit a score of at most 3",
        ),
    ],
)
def test_wrong_labels_are_refused_in_one_line(labels, words):
    with pytest.raises(RatifyError, match=words) as error:
        three_estimates(FRAME, labels, CUTS, RNG(0))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("frame", "cuts", "words"),
    [
        (replace(FRAME, user=np.zeros(N, dtype=np.int64)), CUTS, "1 user cannot be split into 5"),
        (replace(FRAME, outcome=at(FRAME.outcome, 3, np.nan)), CUTS, "u3 has no value"),
        (replace(FRAME, covariates=at(FRAME.covariates, (2, 4), np.inf)), CUTS, "x4: unit u2"),
        (
            replace(FRAME, treatment=np.minimum(FRAME.treatment, 4)),
            CUTS,
            "the judge gave no unit a score of at least 5",
        ),
        (FRAME, Cuts(8.0, 3.0), "gave no unit a score of at least 8"),
    ],
)
def test_wrong_frames_are_refused_in_one_line(frame, cuts, words):
    with pytest.raises(RatifyError, match=words) as error:
        three_estimates(frame, LABELS, cuts, RNG(0))
    assert "\n" not in str(error.value)


def test_users_may_all_have_one_unit():
    found = three_estimates(replace(FRAME, user=np.arange(N)), LABELS, CUTS, RNG(0))
    assert found.corrected.clusters == N
    assert np.isfinite(found.corrected.width)


def test_labels_unlike_their_frame_are_said():
    assert {one.se for one in frame_differences(FRAME, EVERYONE)} == {0.0}
    accused = [difference_sentence(FRAME, draw_labels(RNG([18, n]), WORLD, 400)) for n in range(40)]
    assert sum(map(bool, accused)) <= 3
    # the half with the larger first covariate answered more often than was promised
    rng = RNG(19)
    labels = draw_labels(rng, WORLD, 1_000)
    gone = (FRAME.covariates[:, 0] < 0) & (rng.random(N) < 0.6)
    some = replace(labels, treatment=np.where(gone, np.nan, labels.treatment))
    said = difference_sentence(FRAME, some)
    assert "most in x0 (by 0." in said
    assert "\n" not in said


def test_rare_levels_that_a_sample_happened_to_miss_are_not_accused():
    """With errors from the sample's own values, 37 of these 60 samples are."""
    rare = (RNG(21).random((N, 60)) < 0.03).astype(np.float64)
    frame = replace(FRAME, covariates=rare, names=tuple(f"level {n}" for n in range(60)))
    accused = [difference_sentence(frame, draw_labels(RNG([20, n]), WORLD, 400)) for n in range(60)]
    assert sum(map(bool, accused)) <= 6
