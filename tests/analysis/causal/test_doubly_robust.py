"""If these failed, the effect of the treatment would be biased, or its interval too short.

The same estimates with the same nuisances come from doubleml and econml: tests/reference/causal.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.causal.arms import Arms, arms_of
from analysis.causal.average import ate, att
from analysis.causal.cate import projection
from analysis.causal.doubly_robust import doubly_robust
from analysis.causal.learners import averaged, r_learner, x_learner
from analysis.causal.nuisances import Predictions, ridge
from analysis.causal.overlap import overlap_effect
from analysis.causal.ridge import Design
from analysis.causal.targeted import tmle_ate, tmle_att
from analysis.causal.units import Cuts
from analysis.causal.worlds import make_world
from prereg.errors import RatifyError
from tests.support.paths import ROOT

REFERENCE = ROOT / "tests" / "reference" / "causal"
NAMES = ["x0", "x1", "x2", "x3"]


@pytest.fixture(scope="module")
def units() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "units.csv")


@pytest.fixture(scope="module")
def values() -> pd.Series:
    return pd.read_csv(REFERENCE / "values.csv").set_index("name")["value"]


@pytest.fixture(scope="module")
def given(units) -> tuple[Arms, Predictions]:
    """Return the reference's units, each a user of its own as there, and its nuisances."""
    column = {name: units[name].to_numpy(float) for name in units}
    design = Design.of(units[NAMES].to_numpy(float), units["fold"].to_numpy())
    every = np.arange(len(units))
    arms = Arms(every, len(units), column["arm"], column["outcome"], every, design)
    names = ("expected", "treated", "control", "chance")
    return arms, Predictions(*(column[name] for name in names))


@pytest.fixture(scope="module")
def world():
    return make_world(np.random.default_rng(1), effect=0.75, units=3_000, users=900)


def estimates(world, rng=0, **settings):
    given = {"treatment": world.treatment, "outcome": world.outcome, **settings}
    frame, cuts = given.pop("frame", world.frame), given.pop("cuts", world.cuts)
    return doubly_robust(frame, cuts, **given, rng=np.random.default_rng(rng))


@pytest.fixture(scope="module")
def found(world):
    return estimates(world, named=("x0", "x3"))


def test_given_the_same_nuisances_the_estimates_are_doublemls(given, values):
    arms, expected = given
    root = np.sqrt(1 - 1 / len(arms))  # doubleml divides by n, not by n - 1
    both = replace(expected, chance=expected.clipped_chance)  # doubleml clips small ones for ATT
    rows = {
        "overlap": overlap_effect(arms, expected),
        "ATT": att(arms, both, trim=0),
        "ATE": ate(arms, expected, trim=0),
    }
    for name, row in rows.items():
        assert row.estimate.value == pytest.approx(values[name], abs=1e-9)
        assert row.estimate.se * root == pytest.approx(values[f"{name} se"], rel=2e-4)
    assert rows["overlap"].estimate.value == pytest.approx(values["econml overlap"], abs=1e-9)


def test_given_the_same_nuisances_the_projection_is_econmls(units, given, values):
    arms, expected = given
    x = units[["x0", "x1"]].to_numpy()
    table = projection(arms, expected, x, ["x0", "x1"], population="all").table
    table = table.set_index("term")
    constant = table["estimate"]["(average)"]
    for at, name in enumerate(("x0", "x1")):
        assert table["estimate"][name] == pytest.approx(values[f"projection {name}"], abs=1e-9)
        assert table["se"][name] == pytest.approx(values[f"projection {name} se"], rel=0.01)
        constant -= table["estimate"][name] * x[:, at].mean()
    assert constant == pytest.approx(values["projection constant"], abs=1e-9)


def test_with_nuisances_of_their_own_the_estimates_are_close_to_doublemls(given, values):
    arms, _ = given
    expected = ridge(arms, np.random.default_rng(0))
    rows = {
        "overlap": overlap_effect(arms, expected),
        "ATT": att(arms, expected, trim=0),
        "ATE": ate(arms, expected, trim=0),
    }
    for name, row in rows.items():
        off = abs(row.estimate.value - values[f"own {name}"])
        assert off < 0.25 * row.estimate.se, name
        assert row.estimate.se == pytest.approx(values[f"own {name} se"], rel=0.05), name


def test_errors_are_clustered_by_user(units, given):
    arms, expected = given
    user = units["user"].to_numpy()
    apart = overlap_effect(arms, expected).estimate
    together = overlap_effect(replace(arms, user=user), expected).estimate
    assert together.value == apart.value
    influence = apart.influence
    without = np.array([influence[user != one].mean() for one in range(200)])
    jackknife = np.sqrt(199 / 200 * ((without - influence.mean()) ** 2).sum())
    assert together.se == pytest.approx(jackknife, rel=1e-9)
    assert together.clusters == 200


def test_tmle_needs_no_correction_and_is_aipw_where_that_is_nothing(given):
    arms, expected = given
    for tmle, aipw in ((tmle_att, att), (tmle_ate, ate)):
        moved, plain = (one(arms, expected, trim=0).estimate for one in (tmle, aipw))
        assert moved.value == pytest.approx(plain.value, abs=0.15 * plain.se)
        assert moved.value != pytest.approx(plain.value, abs=1e-6)
    # the targeted mean of controls, weighted like the treated, is what they have
    odds = expected.chance / (1 - expected.chance)
    row = tmle_att(arms, expected, trim=0)
    influence = row.estimate.influence
    of_controls = influence[arms.arm == 0].sum()
    assert of_controls == pytest.approx(0, abs=1e-6)
    assert row.effective[1] == pytest.approx(
        odds[arms.arm == 0].sum() ** 2 / (odds[arms.arm == 0] ** 2).sum(), rel=1e-6
    )


def test_each_learner_finds_effects_that_differ(given, units):
    arms, expected = given
    truth = 0.6 + 0.5 * units["x1"].to_numpy()
    on_treated = truth[arms.arm == 1].mean()
    for learner in (r_learner, x_learner):
        effects = learner(arms, expected)
        assert np.corrcoef(effects.effect, truth)[0, 1] > 0.8
        row = averaged(arms, expected, effects, trim=0)
        assert row.estimate.low < on_treated < row.estimate.high
        assert row.estimate.value == pytest.approx(
            att(arms, expected, trim=0).estimate.value, abs=row.estimate.se
        )


def test_a_wrong_outcome_model_is_repaired_by_the_chance_and_the_other_way_round():
    rng = np.random.default_rng(7)
    n = 40_000
    x = rng.normal(size=n)
    chance = 1 / (1 + np.exp(0.8 - x))
    arm = (rng.random(n) < chance).astype(float)
    outcome = 2 * x + 0.75 * arm + rng.normal(size=n)
    design = Design.of(x[:, None], np.arange(n) % 3)
    arms = Arms(np.arange(n), n, arm, outcome, np.arange(n), design)
    nothing = np.zeros(n)
    right = Predictions(2 * x + 0.75 * chance, 2 * x + 0.75, 2 * x, chance)
    for wrong in (
        replace(right, treated=nothing, control=nothing, outcome=nothing),
        replace(right, chance=np.full(n, arm.mean())),
    ):
        for row in (
            overlap_effect(arms, wrong) if wrong.chance is chance else None,
            att(arms, wrong, trim=0),
            ate(arms, wrong, trim=0),
            tmle_att(arms, wrong, trim=0),
            tmle_ate(arms, wrong, trim=0),
        ):
            assert row is None or row.estimate.value == pytest.approx(0.75, abs=0.08)
    naive = outcome[arm == 1].mean() - outcome[arm == 0].mean()
    assert naive > 2


def test_the_headline_holds_the_truth_where_the_plain_difference_does_not(world, found):
    arm = world.cuts.arms(world.treatment)
    naive = world.outcome[arm == 1].mean() - world.outcome[arm == 0].mean()
    headline = found.headline.estimate
    assert found.headline.estimand == "overlap"
    assert headline.low < world.effect < headline.high < naive


def test_the_table_says_what_was_left_out(world, found):
    table = found.to_frame().set_index(["estimand", "method"])
    assert list(table.index) == [
        ("overlap", "residual on residual"),
        ("ATT", "AIPW"),
        ("ATE", "AIPW"),
        ("ATT", "TMLE"),
        ("ATE", "TMLE"),
        ("ATT", "R-learner"),
        ("ATT", "X-learner"),
    ]
    arm = world.cuts.arms(world.treatment)
    assert found.left_out == np.isnan(arm).sum()
    headline = table.loc["overlap"].iloc[0]
    assert (headline["treated"], headline["controls"]) == ((arm == 1).sum(), (arm == 0).sum())
    chance = found.chance
    assert np.array_equal(np.isnan(chance), np.isnan(arm))
    assert found.chance_range == (np.nanmin(chance), np.nanmax(chance))
    of_treated = table.loc[("ATT", "AIPW")]
    assert of_treated["trimmed"] == np.nansum(chance > 0.95)
    assert f"{int(np.nansum((chance > 0.95) & (arm == 1)))} treated and" in of_treated["note"]
    of_all = table.loc[("ATE", "AIPW")]
    outside = np.nansum((chance < 0.05) | (chance > 0.95))
    assert of_all["trimmed"] == outside
    assert np.isnan(of_all["estimate"])
    assert of_all["note"].startswith(f"not given: {outside / len(found.arms):.1%} of the units")
    clipped = found.distributions().set_index("learner")["clipped"]
    assert clipped["DR-learner"] == np.nansum((chance < 0.01) | (chance > 0.99))


def test_the_average_effect_is_given_where_little_is_trimmed(world):
    few = estimates(world, trim=0.0).to_frame().set_index(["estimand", "method"])
    row = few.loc[("ATE", "AIPW")]
    assert np.isfinite(row["estimate"])
    assert row["trimmed"] == 0
    assert row["clipped"] > 0


def test_influence_values_have_the_frames_shape_and_the_headlines_error(world, found):
    influence, headline = found.influence, found.headline.estimate
    assert influence.shape == (len(world.frame),)
    assert not influence[np.isnan(found.chance)].any()
    sums = pd.Series(influence).groupby(world.frame.user).sum()
    assert np.sqrt((sums**2).sum()) / len(influence) == pytest.approx(headline.se, rel=0.01)


def test_order_and_names_of_units_do_not_matter(world, found):
    """Rows are permuted and users named anew; folds differ by the draw, so they are given."""
    order = np.random.default_rng(2).permutation(len(found.arms))
    arms = found.arms
    design = Design(arms.design.z[order], arms.design.fold[order])
    user = np.unique(9_999 - arms.user[order], return_inverse=True)[1]
    shuffled = replace(
        arms, arm=arms.arm[order], outcome=arms.outcome[order], user=user, design=design
    )
    expected = ridge(shuffled, np.random.default_rng(0))
    again = overlap_effect(shuffled, expected).estimate
    headline = found.headline.estimate
    assert again.value == pytest.approx(headline.value, abs=1e-7)
    assert (again.low, again.df) == pytest.approx((headline.low, headline.df), rel=1e-5)


def test_points_of_the_outcome_are_points_of_the_effect(world, found):
    twice = estimates(world, outcome=2 * world.outcome + 5, named=("x0", "x3"))
    for new, old in zip(twice.rows, found.rows, strict=True):
        if old.estimate is not None:
            assert new.estimate.value == pytest.approx(2 * old.estimate.value, rel=1e-5)
            assert new.estimate.se == pytest.approx(2 * old.estimate.se, rel=1e-5)


def test_units_without_a_score_are_left_out(world):
    rng = np.random.default_rng(3)
    outcome = np.where(rng.random(len(world.outcome)) < 0.2, np.nan, world.outcome)
    some = estimates(world, outcome=outcome)
    kept = ~np.isnan(outcome + world.cuts.arms(world.treatment))
    assert len(some.arms) == kept.sum()
    alone = doubly_robust(
        world.frame.of(kept),
        world.cuts,
        treatment=world.treatment[kept],
        outcome=world.outcome[kept],
        rng=np.random.default_rng(0),
    )
    assert alone.headline.estimate.value == pytest.approx(some.headline.estimate.value)
    assert alone.headline.estimate.se == pytest.approx(some.headline.estimate.se)


def test_users_of_one_unit_each_are_noted(world):
    alone = replace(world.frame, user=np.arange(len(world.frame)))
    assert estimates(world, frame=alone).notes == (
        "every user has one unit, so nothing is clustered",
    )


def test_forests_leave_more_of_the_confounding_than_ridge():
    """With many weak confounders: true .75, plain difference about 1.4."""
    world = make_world(
        np.random.default_rng(11),
        effect=0.75,
        units=1_200,
        users=500,
        components=40,
        confounding=0.8,
    )
    by = {
        name: estimates(world, nuisances=name, folds=3).headline.estimate
        for name in ("ridge", "forest")
    }
    assert by["forest"].low > world.effect
    assert by["ridge"].low < world.effect < by["ridge"].high


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cuts": Cuts(8, 3)}, "no units are treated (a score of 8 or more), got 0"),
        ({"cuts": Cuts(7, 3)}, "too few units are treated"),
        ({"cuts": Cuts(5, 0)}, "no units are controls (a score of 0 or less)"),
        ({"folds": 2}, "causal.estimators.folds: too few folds, got 2 (allowed: 3 or more)"),
        ({"trim": 0.5}, "causal.estimators.trim: the trim is not allowed, got 0.5"),
        ({"level": 1.0}, "the level is not allowed, got 1.0"),
        ({"named": ("x0", "mood")}, "there is no such covariate, got 'mood' (allowed: x0, x1"),
        ({"outcome": np.ones(3_000)}, "every unit has the same outcome, got 1.0"),
        ({"nuisances": "lasso"}, "there are no such nuisance models, got 'lasso'"),
    ],
)
def test_what_gives_no_effect_is_refused_in_one_line(world, settings, said):
    with pytest.raises(RatifyError) as error:
        estimates(world, **settings)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_frames_that_give_no_effect_are_refused(world):
    one = replace(world.frame, user=np.zeros(len(world.frame), dtype=int))
    with pytest.raises(RatifyError, match="1 user cannot be split into 5 folds"):
        estimates(world, frame=one)
    arm = world.cuts.arms(world.treatment)
    few = replace(world.frame, user=np.where(arm == 1, 0, world.frame.user))
    with pytest.raises(RatifyError, match="the treated units belong to too few users"):
        estimates(world, frame=few)
    covariates = world.frame.covariates.copy()
    at = int(np.flatnonzero(arm == 1)[0])
    covariates[at, 2] = np.nan
    with pytest.raises(RatifyError, match=f"unit u{at}, column x2: .* not a number, got nan"):
        estimates(world, frame=replace(world.frame, covariates=covariates))
    sure = replace(world.frame, covariates=np.nan_to_num(arm)[:, None] * 1e3, names=("x0",))
    never = replace(estimates(world).expected, chance=np.nan_to_num(arm)[~np.isnan(arm)])
    arms = arms_of(
        sure,
        world.cuts,
        treatment=world.treatment,
        outcome=world.outcome,
        folds=3,
        rng=np.random.default_rng(0),
    )
    with pytest.raises(RatifyError, match="treated and controls do not overlap"):
        overlap_effect(arms, never)


def test_what_shrunken_nuisances_leave_in_the_mean_is_taken_up_by_the_constant(given):
    arms, expected = given
    shifted = replace(expected, outcome=expected.outcome - 0.7, chance=expected.chance + 0.02)
    plain = overlap_effect(arms, expected).estimate
    found = overlap_effect(arms, shifted).estimate
    assert found.value == pytest.approx(plain.value, abs=1e-12)
    assert found.se == pytest.approx(plain.se, abs=1e-12)
