"""If these failed, effects would be said to differ between units when they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.causal.arms import arms_of
from analysis.causal.average import att, scores
from analysis.causal.cate import Effects, dr_learner, heterogeneity, projection
from analysis.causal.doubly_robust import doubly_robust
from analysis.causal.figures import plot_effects, plot_overlap
from analysis.causal.learners import averaged, r_learner, x_learner
from analysis.causal.nuisances import Predictions
from analysis.causal.worlds import make_world
from analysis.results.figure_style import svg
from prereg.errors import RatifyError


def units(seed: int, differ: float, size: int = 1_500):
    """Return units whose effect rises with the first covariate, and their true nuisances."""
    rng = np.random.default_rng(seed)
    world = make_world(rng, effect=0.0, units=size, users=size // 3, components=4)
    x = world.frame.covariates
    chance = 1 / (1 + np.exp(0.8 - 0.6 * x[:, 1]))
    arm = (rng.random(size) < chance).astype(float)
    own = 0.4 * rng.normal(size=size // 3)[world.frame.user]
    effect = 0.75 + differ * x[:, 0]
    outcome = 3 + 0.5 * x[:, 1] + own + effect * arm + 0.7 * rng.normal(size=size)
    arms = arms_of(
        world.frame, world.cuts, treatment=1 + 6 * arm, outcome=outcome, folds=3, rng=rng
    )
    control = 3 + 0.5 * x[:, 1]
    expected = Predictions(control + chance * effect, control + effect, control, chance)
    return arms, expected, x, effect


@pytest.mark.parametrize("learner", [dr_learner, r_learner, x_learner])
def test_learners_find_the_effects_of_units_they_did_not_see(learner):
    arms, expected, _, effect = units(1, 0.6)
    found = learner(arms, expected)
    assert np.corrcoef(found.effect, effect)[0, 1] > 0.95
    assert found.effect.mean() == pytest.approx(0.75, abs=0.12)
    assert found.effect.std() == pytest.approx(0.6, abs=0.12)
    line = found.line()
    assert line["p5"] < line["p25"] < line["p50"] < line["p75"] < line["p95"]
    assert line["share_positive"] == np.mean(found.effect > 0)


def test_heterogeneity_is_found_where_it_is_and_its_slope_is_one():
    arms, expected, _, effect = units(2, 0.6)
    found = heterogeneity(arms, expected, dr_learner(arms, expected))
    assert found.p_value < 1e-6
    assert found.low < 1 < found.high
    true = heterogeneity(arms, expected, Effects("truth", effect))
    assert true.slope == pytest.approx(1, abs=3 * true.se)
    half = heterogeneity(arms, expected, Effects("half", 0.5 * effect + 4))
    assert half.slope == pytest.approx(2 * true.slope, rel=1e-9)
    assert half.p_value == pytest.approx(true.p_value, rel=1e-6)


def test_a_level_of_its_own_that_a_fold_has_does_not_change_the_test():
    arms, expected, _, effect = units(2, 0.6)
    level = np.array([0.4, -0.3, 0.9])[arms.design.fold]
    shifted = replace(expected, outcome=expected.outcome + level)
    plain, found = (heterogeneity(arms, one, Effects("", effect)) for one in (expected, shifted))
    assert (found.slope, found.se) == pytest.approx((plain.slope, plain.se), rel=1e-9)


def test_true_effects_imply_the_true_outcome_of_controls():
    arms, expected, _, effect = units(2, 0.6)
    row = averaged(arms, expected, Effects("truth", effect), trim=0.05)
    plain = att(arms, expected, trim=0.05)
    assert row.estimate.value == pytest.approx(plain.estimate.value, abs=1e-12)
    assert row.estimate.se == pytest.approx(plain.estimate.se, rel=1e-9)
    assert f"{effect[arms.arm == 1].mean():.3f}" in row.note


def test_effects_that_are_alike_are_seldom_said_to_differ():
    p = []
    for seed in range(120):
        arms, expected, _, _ = units(seed, 0.0, size=600)
        p.append(heterogeneity(arms, expected, dr_learner(arms, expected)).p_value)
    assert np.mean(np.array(p) < 0.05) < 0.12
    assert 0.3 < np.mean(p) < 0.7


def test_the_test_of_predictions_that_do_not_vary_is_not_given():
    arms, expected, _, _ = units(3, 0.0, size=600)
    found = heterogeneity(arms, expected, Effects("flat", np.full(len(arms), 0.75)))
    assert np.isnan(found.p_value)
    assert np.isnan(found.slope)


@pytest.mark.parametrize("population", ["overlap", "all"])
def test_a_projection_is_a_clustered_weighted_regression_of_the_units_scores(population):
    arms, expected, x, _ = units(4, 0.4)
    found = projection(arms, expected, x[:, :2], ["x0", "x1"], population=population)
    weight = expected.chance * (1 - expected.chance) if population == "overlap" else np.ones(len(x))
    centred = x[:, :2] - np.average(x[:, :2], 0, weight)
    peer = sm.WLS(scores(arms, expected), sm.add_constant(centred), weight).fit()
    users = int(arms.user.max()) + 1
    robust = peer.get_robustcov_results(
        "cluster", groups=arms.user, use_correction=False, use_t=False
    )
    table = found.table
    assert table["estimate"].to_numpy() == pytest.approx(peer.params, rel=1e-9)
    root = np.sqrt(users / (users - 1))
    assert table["se"].to_numpy() == pytest.approx(robust.bse * root, rel=0.01)  # no jackknife
    assert list(table["term"]) == ["(average)", "x0", "x1"]
    slope = table.set_index("term").loc["x0"]
    assert slope["low"] < 0.4 < slope["high"]
    assert found.p_value < 1e-6
    assert table.set_index("term").loc["x1", "p"] > 0.001


def test_covariates_that_determine_each_other_are_refused():
    arms, expected, x, _ = units(4, 0.4, size=600)
    for columns in (np.column_stack([x[:, 0], 2 * x[:, 0]]), np.ones((len(x), 1))):
        with pytest.raises(RatifyError, match="a named covariate does not vary"):
            projection(arms, expected, columns, ["a", "b"][: columns.shape[1]])


@pytest.fixture(scope="module")
def found():
    world = make_world(np.random.default_rng(6), effect=0.75, units=2_000, users=700)
    return doubly_robust(
        world.frame,
        world.cuts,
        treatment=world.treatment,
        outcome=world.outcome,
        rng=np.random.default_rng(0),
    )


def test_the_figure_of_effects_shows_the_headline_and_every_unit(found):
    ax = plot_effects(found)
    [line] = [one for one in ax.lines if one.get_gid() == "headline"]
    estimate = found.headline.estimate
    assert line.get_xdata()[0] == estimate.value
    [bars] = [one for one in ax.patches if one.get_gid() == "effects"]
    assert bars.get_data().values.sum() == len(found.arms)
    [dots] = [one for one in ax.lines if one.get_gid() == "quartiles"]
    assert dots.get_xdata() == pytest.approx(
        np.quantile(found.effects[0].effect, [0.25, 0.5, 0.75])
    )
    assert f"{estimate.value:.2f}" in svg(ax)
    # the line is not the mean of the bars, so both are named in the picture
    [mean] = [one for one in ax.lines if one.get_gid() == "mean"]
    assert mean.get_xdata() == pytest.approx([found.effects[0].effect.mean()])
    words = " ".join(text.get_text() for text in ax.texts)
    assert f"their mean {found.effects[0].effect.mean():.2f}" in words
    assert f"line: overlap-weighted effect {estimate.value:.2f}" in words
    assert "X-learner" in svg(plot_effects(found, learner=2))


def test_the_figure_of_effects_that_are_all_alike_can_be_drawn(found):
    flat = Effects("DR-learner", np.full(len(found.arms), 0.75))
    assert "0.00" in svg(plot_effects(replace(found, effects=(flat,))))


def test_the_figure_of_overlap_shows_both_arms(found):
    ax = plot_overlap(found)
    by = {one.get_gid(): one.get_data().values for one in ax.patches if one.get_gid()}
    arm, chance = found.arms.arm, found.expected.chance
    counts = np.histogram(chance[arm == 1], np.linspace(0, 1, 41))[0]
    assert by["treated"] == pytest.approx(counts / counts.max())
    assert by["controls"].min() == -1
    text = svg(ax)
    assert f"{int((arm == 0).sum()):,} controls" in text
    outside = np.mean((chance < 0.05) | (chance > 0.95))
    assert f"{outside:.1%} of the units" in text
