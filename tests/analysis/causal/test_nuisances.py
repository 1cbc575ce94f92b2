"""If these failed, nuisance models would see whom they predict, or not be what they are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as Peer

from analysis.causal import nuisances
from analysis.causal.arms import Arms, arms_of
from analysis.causal.logit import chances
from analysis.causal.nuisances import predictions
from analysis.causal.ridge import PENALTIES, Design, Ridge
from analysis.causal.worlds import make_world
from prereg.errors import RatifyError


@pytest.fixture(scope="module")
def arms() -> Arms:
    rng = np.random.default_rng(1)
    world = make_world(rng, effect=0.75, units=2_000, users=500, components=20)
    return arms_of(
        world.frame, world.cuts, treatment=world.treatment, outcome=world.outcome, folds=4, rng=rng
    )


@pytest.mark.parametrize("kind", ["all", "one arm", "weights"])
def test_a_fold_is_predicted_by_the_ridge_of_the_others(arms, kind):
    weights = {
        "all": np.ones(len(arms)),
        "one arm": arms.arm,
        "weights": np.random.default_rng(2).uniform(0.01, 3, size=len(arms)),
    }[kind]
    design = arms.design
    fit = Ridge(design, weights).fit(arms.outcome)
    found = fit.predict(design)
    for fold in range(design.folds):
        old, new = design.fold != fold, design.fold == fold
        alpha = fit.penalties[fold] * weights[old].sum()
        peer = Peer(alpha=alpha).fit(design.z[old], arms.outcome[old], weights[old])
        assert found[new] == pytest.approx(peer.predict(design.z[new]), abs=1e-9)


def test_the_penalty_predicts_best_in_the_other_folds(arms):
    design, fold = arms.design, 1
    weights = np.random.default_rng(2).uniform(0.2, 3, size=len(arms))
    chosen = Ridge(design, weights).fit(arms.outcome).penalties[fold]
    errors = np.zeros(len(PENALTIES))
    for other in {0, 2, 3}:
        old = (design.fold != fold) & (design.fold != other)
        new = design.fold == other
        for at, penalty in enumerate(PENALTIES):
            peer = Peer(alpha=penalty * weights[old].sum())
            peer.fit(design.z[old], arms.outcome[old], weights[old])
            errors[at] += weights[new] @ (peer.predict(design.z[new]) - arms.outcome[new]) ** 2
    assert chosen == PENALTIES[errors.argmin()]


def test_an_undersmoothed_ridge_leaves_the_eighth_power_of_what_the_best_leaves(arms):
    design, weights = arms.design, arms.everyone.weights
    best = arms.everyone.fit(arms.outcome).penalties
    found = arms.everyone.undersmoothed(arms.outcome)
    assert found.penalties / (1 + found.penalties) == pytest.approx(
        np.maximum((best / (1 + best)) ** 8, PENALTIES[0]), rel=1e-3
    )
    for fold in range(design.folds):
        old, new = design.fold != fold, design.fold == fold
        peer = Peer(alpha=found.penalties[fold] * weights[old].sum())
        peer.fit(design.z[old], arms.outcome[old])
        assert found.predict(design)[new] == pytest.approx(peer.predict(design.z[new]), abs=1e-9)


def test_covariates_that_repeat_each_other_do_not_break_the_smallest_penalty(arms):
    z, fold = arms.design.z, arms.design.fold
    twice = Ridge(Design.of(np.column_stack([z, z]), fold), np.ones(len(z)))
    exact = z @ np.linspace(-1, 1, z.shape[1])  # nothing to smooth away: the smallest penalty
    fit = twice.undersmoothed(exact)
    assert (fit.penalties == PENALTIES[0]).all()
    assert fit.predict(twice.design) == pytest.approx(exact, abs=2e-3)


def test_a_unit_of_weight_0_teaches_a_logit_nothing(arms):
    kept = np.random.default_rng(5).random(len(arms)) < 0.7
    ridge = Ridge(arms.design, kept.astype(np.float64))
    turned = np.where(kept, arms.arm, 1 - arms.arm)
    assert chances(ridge, turned) == pytest.approx(chances(ridge, arms.arm), abs=1e-9)
    fold = arms.design.fold
    linear = ridge.fit(arms.arm).penalties
    old, new = (fold != 1) & kept, fold == 1
    share = arms.arm[old].mean()
    peer = LogisticRegression(
        C=1 / (linear[1] * share * (1 - share) * old.sum()), tol=1e-10, max_iter=5000
    ).fit(arms.design.z[old], arms.arm[old])
    assert chances(ridge, arms.arm)[new] == pytest.approx(
        peer.predict_proba(arms.design.z[new])[:, 1], abs=1e-6
    )


def test_an_arm_of_one_part_of_the_users_is_refused(arms):
    only = np.where(arms.design.fold == 2, arms.arm, 0.0)
    with pytest.raises(RatifyError, match="outside part 3 of 4 of the users, one arm is empty"):
        chances(arms.everyone, only)


def test_a_chance_is_that_of_the_logit_of_the_other_folds(arms):
    design = arms.design
    found = chances(arms.everyone, arms.arm)
    linear = arms.everyone.fit(arms.arm).penalties
    for fold in range(design.folds):
        old, new = design.fold != fold, design.fold == fold
        share = arms.arm[old].mean()
        strength = 1 / (linear[fold] * share * (1 - share) * old.sum())
        peer = LogisticRegression(C=strength, tol=1e-10, max_iter=5000)
        peer.fit(design.z[old], arms.arm[old])
        assert found[new] == pytest.approx(peer.predict_proba(design.z[new])[:, 1], abs=1e-6)


def test_the_penalty_of_the_logit_loses_little_against_the_best_of_all(arms):
    design = arms.design

    def loss(chance):
        return -np.mean(np.log(np.where(arms.arm == 1, chance, 1 - chance)))

    ours = loss(chances(arms.everyone, arms.arm))
    best = np.inf
    for strength in np.logspace(-4, 3, 15):
        peer = np.empty(len(arms))
        for fold in range(design.folds):
            old, new = design.fold != fold, design.fold == fold
            model = LogisticRegression(C=strength).fit(design.z[old], arms.arm[old])
            peer[new] = model.predict_proba(design.z[new])[:, 1]
        best = min(best, loss(peer))
    assert ours < best + 0.004


def test_no_prediction_sees_the_outcome_or_arm_of_its_own_fold(arms):
    before = nuisances.ridge(arms, np.random.default_rng(0))
    inside = arms.design.fold == 2
    rng = np.random.default_rng(3)
    changed = replace(
        arms,
        outcome=np.where(inside, rng.permutation(arms.outcome), arms.outcome),
        arm=np.where(inside, rng.permutation(arms.arm), arms.arm),
    )
    after = nuisances.ridge(changed, np.random.default_rng(0))
    for name in ("outcome", "treated", "control", "chance"):
        old, new = getattr(before, name), getattr(after, name)
        assert new[inside] == pytest.approx(old[inside], abs=1e-7)
        assert np.abs(new[~inside] - old[~inside]).max() > 1e-3


def test_a_constant_covariate_and_a_shifted_one_change_nothing(arms):
    z, fold = arms.design.z, arms.design.fold
    more = Design.of(np.column_stack([1e6 + 3 * z[:, 0], np.full(len(z), 4.2), z[:, 1:]]), fold)
    found = [
        Ridge(one, np.ones(len(z))).fit(arms.outcome).predict(one) for one in (arms.design, more)
    ]
    assert found[1] == pytest.approx(found[0], abs=1e-6)


def test_forests_are_scikit_learns_at_their_defaults(arms):
    rows = np.random.default_rng(4).permutation(len(arms))[:300]
    few = replace(
        arms,
        rows=rows,
        arm=arms.arm[rows],
        outcome=arms.outcome[rows],
        design=Design(arms.design.z[rows, :2], arms.design.fold[rows]),
    )
    found = predictions(few, "forest", np.random.default_rng(9))
    seed = int(np.random.default_rng(9).integers(2**31))
    inside = few.design.fold == 0
    peer = RandomForestRegressor(random_state=seed)
    peer.fit(few.design.z[~inside], few.outcome[~inside])
    assert found.outcome[inside] == pytest.approx(peer.predict(few.design.z[inside]))
    assert found.chance.min() == 0
    assert found.clipped_chance.min() == 0.01


def test_unknown_models_are_refused(arms):
    with pytest.raises(RatifyError, match=r"nuisances: .*got 'lasso' \(allowed: ridge, forest\)"):
        predictions(arms, "lasso", np.random.default_rng(0))
