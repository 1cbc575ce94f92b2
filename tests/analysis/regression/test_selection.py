"""If these fail, the report misstates how often people choose what the judge scored higher."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from analysis.agreement.choices import choice_agreement
from analysis.regression.fit import clustered_logit
from analysis.regression.judge_gap import selection_by_gap, trials_with_gap
from prereg.errors import RatifyError

SCORES = pd.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "overall": [5.0, 2.0, 2.0, -4.0],
        "elo": [1000.0, 1100.0, 900.0, 900.0],
        "advice": [1.0, 4.0, 2.0, 5.0],
    }
)
PUBLISHED_BINS = [(1, 3), (4, 6), (7, 9), (10, 12), (13, float("inf"))]


def choices(rows, raters=None, **more) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["left_id", "right_id", "choice"], dtype="str")
    return frame.assign(rater_id=raters if raters is not None else "r", **more)


def test_each_trial_by_hand():
    people = choices(
        [
            ("a", "b", "left"),
            ("b", "a", "left"),
            ("b", "c", "left"),
            ("d", "c", "right"),
            ("a", "d", "right"),
        ]
    )
    trials = trials_with_gap(people, SCORES, dimensions=["advice"])
    nan = np.nan
    expected = pd.DataFrame(
        {
            "gap": [3.0, 3.0, 0.0, 6.0, 9.0],
            "select_higher": [1.0, 0.0, nan, 1.0, 0.0],
            "select_match": [0.0, 1.0, 1.0, nan, 0.0],
            "diff_advice": [-3.0, -3.0, nan, -3.0, -4.0],
        }
    )
    pd.testing.assert_frame_equal(trials.frame[list(expected.columns)], expected)
    assert (trials.n, trials.n_no_gap, trials.n_no_preference) == (5, 1, 1)
    assert trials.frame["left_id"].tolist() == people["left_id"].tolist()


def test_left_minus_right_on_request():
    people = choices([("a", "b", "left"), ("b", "a", "left"), ("b", "c", "right")])
    higher, left = (
        trials_with_gap(people, SCORES, dimensions=["advice"], orientation=one)
        for one in ("higher_minus_lower", "left_minus_right")
    )
    # a is scored higher than b; b and c alike, so that only a side can be named there
    assert higher.frame["diff_advice"].tolist()[:2] == [-3.0, -3.0]
    assert np.isnan(higher.frame["diff_advice"].iloc[2])
    assert left.frame["diff_advice"].tolist() == [-3.0, 3.0, 2.0]
    assert left.frame["chose_left"].tolist() == [1.0, 1.0, 0.0]
    assert left.frame["select_higher"].tolist()[:2] == higher.frame["select_higher"].tolist()[:2]
    assert (higher.orientation, left.orientation) == ("higher_minus_lower", "left_minus_right")
    with pytest.raises(RatifyError, match="unknown orientation"):
        trials_with_gap(people, SCORES, orientation="right")


pairs = st.permutations("abcd").map(lambda p: p[:2])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(pairs, st.booleans()), min_size=1, max_size=20))
def test_swapping_sides_changes_nothing(rows):
    one = [(p[0], p[1], "left" if c else "right") for p, c in rows]
    two = [(p[1], p[0], "right" if c else "left") for p, c in rows]
    names = ["gap", "select_higher", "select_match", "diff_advice"]
    frames = [
        trials_with_gap(choices(x), SCORES, dimensions=["advice"]).frame[names] for x in (one, two)
    ]
    pd.testing.assert_frame_equal(*frames)


def test_no_preference_column_is_allowed():
    trials = trials_with_gap(
        choices([("a", "b", "left")]), SCORES[["item_id", "overall"]], preference=None
    )
    assert trials.frame["select_match"].isna().all()
    assert trials.n_no_preference == 1


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (SCORES.drop(columns="elo"), ("no column 'elo'",)),
        (SCORES.iloc[:3], ("row 3", "right_id", "'d'", "no row in the scores")),
        (SCORES.assign(overall=["1", "2", "x", "4"]), ("row 4", "overall", "not a number", "'x'")),
        (pd.concat([SCORES, SCORES]), ("row 6", "item_id", "occurs more than once")),
    ],
)
def test_bad_scores_are_named(scores, words):
    people = choices([("a", "b", "left"), ("c", "d", "left")])
    with pytest.raises(RatifyError) as caught:
        trials_with_gap(people, scores)
    for word in words:
        assert word in str(caught.value)


def test_logit_on_trials_recovers_the_truth():
    rng = np.random.default_rng(1)
    items = [f"i{k}" for k in range(60)]
    scores = pd.DataFrame({"item_id": items, "overall": rng.integers(-12, 13, 60)})
    left = rng.integers(60, size=4000)
    right = (left + rng.integers(1, 60, size=4000)) % 60
    gap = (scores["overall"].to_numpy()[left] - scores["overall"].to_numpy()[right]).astype(float)
    # 0.1 a point on the signed gap: then select_higher follows 0.1 x gap without an intercept.
    chosen = np.where(rng.random(4000) < expit(0.1 * gap), "left", "right")
    people = pd.DataFrame(
        {
            "left_id": np.array(items)[left],
            "right_id": np.array(items)[right],
            "choice": chosen,
            "rater_id": [f"r{k // 10}" for k in range(4000)],
        }
    )
    trials = trials_with_gap(people, scores, preference=None)
    fit = clustered_logit(trials.frame, "select_higher ~ gap", cluster="rater_id")
    assert fit.n_dropped == trials.n_no_gap > 0
    table = fit.to_frame().set_index("term")
    assert table.loc["gap", "low"] < 0.1 < table.loc["gap", "high"]
    assert table.loc["gap", "low"] > 0.08
    assert table.loc["Intercept", "low"] < 0 < table.loc["Intercept", "high"]


def gaps(values, chosen) -> pd.DataFrame:
    return pd.DataFrame({"gap": values, "select_higher": chosen})


def test_rates_by_gap():
    trials = gaps([1, 3, 3, 4, 6, 20, 0], [1, 0, 1, 1, 1, 0, np.nan])
    table = selection_by_gap(trials, bins=PUBLISHED_BINS, cluster="none")
    assert table["bin"].tolist() == ["1-3", "4-6", "7-9", "10-12", "13 or more"]
    assert table["n"].tolist() == [3, 2, 0, 0, 1]
    assert table["chosen"].tolist() == [2, 2, 0, 0, 0]
    assert table.loc[0, "rate"] == pytest.approx(2 / 3)
    low, high = proportion_confint(2, 3, method="wilson")
    assert (table.loc[0, "low"], table.loc[0, "high"]) == pytest.approx((low, high))
    # Wilson by hand for 2 of 2: high is 1, low is 2 / (2 + z^2).
    assert table.loc[1, "low"] == pytest.approx(2 / (2 + 1.959963984540054**2))
    assert table.loc[[2, 3], ["rate", "low", "high"]].isna().all(axis=None)


def test_a_gap_in_no_bin_is_not_dropped_in_silence():
    table = selection_by_gap(gaps([1, 3.5, 9], [1, 1, 0]), bins=[(1, 3), (4, 6)], cluster="none")
    assert table["bin"].tolist() == ["1-3", "4-6", "outside the bins"]
    assert table["n"].tolist() == [1, 0, 2]


def test_bins_that_touch_count_a_trial_once():
    table = selection_by_gap(gaps([3, 3], [1, 0]), bins=[(1, 3), (3, 6)], cluster="none")
    assert table["n"].tolist() == [2, 0]
    for bad in ([], [(3, 1)], [(1, 4), (3, 6)]):
        with pytest.raises(RatifyError, match="bins"):
            selection_by_gap(gaps([3], [1]), bins=bad, cluster="none")


def random_study(n: int = 400, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    people = choices(
        [(f"i{k}", f"j{k}", c) for k, c in enumerate(rng.choice(["left", "right"], n))],
        [f"r{k // 10}" for k in range(n)],
        scenario="s",
    )
    flip = rng.random(n) < 0.3
    other = people["choice"].map({"left": "right", "right": "left"})
    judge = people.assign(choice=people["choice"].mask(flip, other), rater_id="judge")
    return people, judge


def test_agreement_and_kappa_against_oracles():
    people, judge = random_study()
    got = choice_agreement(people, judge.sample(frac=1, random_state=1), cluster="rater_id")
    same = (people["choice"] == judge["choice"]).astype(float)
    fit = clustered_logit_free_mean(same, people["rater_id"])
    assert got.estimate == pytest.approx(same.mean())
    assert got.se == pytest.approx(fit)
    assert got.kappa == pytest.approx(cohen_kappa_score(people["choice"], judge["choice"]))
    assert (got.n, got.n_clusters, got.n_reversed, got.n_unmatched) == (400, 40, 0, 0)
    assert got.low < got.estimate < got.high


def clustered_logit_free_mean(values: pd.Series, groups: pd.Series) -> float:
    """Return the clustered error of a mean, by statsmodels' OLS on a constant."""
    import statsmodels.api as sm

    fit = sm.OLS(values.to_numpy(), np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(groups)[0]}
    )
    return float(fit.bse[0])  # with one term, statsmodels' factor is R / (R - 1)


def test_kappa_error_is_that_of_leaving_raters_out():
    people, judge = random_study(1000, 5)
    got = choice_agreement(people, judge, cluster="rater_id")
    raters = people["rater_id"].unique()
    left_out = np.array(
        [
            cohen_kappa_score(
                people["choice"][people["rater_id"] != r], judge["choice"][people["rater_id"] != r]
            )
            for r in raters
        ]
    )
    n = len(raters)
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    assert got.kappa_se == pytest.approx(jackknife, rel=0.02)


def test_the_same_trial_first_then_the_pair_turned():
    people = choices(
        [("a", "b", "left"), ("c", "d", "left"), ("e", "f", "left"), ("g", "h", "left")],
        ["r1", "r2", "r3", "r4"],
        scenario="s",
    )
    judge = choices(
        [
            ("a", "b", "left"),
            ("b", "a", "left"),  # same order stands: agrees
            ("d", "c", "left"),  # only turned: judge prefers d, disagrees
            ("e", "f", "left"),
            ("e", "f", "right"),  # undecided
        ],
        scenario="s",
    )
    got = choice_agreement(people, judge)
    assert (got.n, got.n_reversed, got.n_undecided, got.n_unmatched) == (2, 1, 1, 1)
    assert got.estimate == 0.5


def test_same_ids_in_another_scenario_are_another_trial():
    people = choices([("a", "b", "left")] * 2, ["r1", "r2"], scenario=["s", "t"])
    judge = choices([("a", "b", "left"), ("a", "b", "right")], scenario=["s", "t"])
    assert choice_agreement(people, judge).estimate == 0.5
    with pytest.raises(RatifyError, match="none of people's trials"):
        choice_agreement(people, judge.assign(scenario="u"))


def test_one_rater_has_no_interval():
    people = choices([("a", "b", "left"), ("b", "a", "left")])
    got = choice_agreement(people, people)
    assert got.estimate == 1.0
    assert np.isnan([got.se, got.low, got.high]).all()
    frame = got.to_frame()
    assert frame["name"].tolist() == ["agreement", "kappa"]


def test_whoever_always_chooses_the_same_side_has_no_kappa():
    rows = [("a", "b", "left"), ("c", "d", "left"), ("b", "a", "left"), ("d", "c", "left")] * 2
    people = choices(rows, ["r1", "r2", "r3", "r4"] * 2)
    judge = choices(
        [("a", "b", "left"), ("b", "a", "right"), ("c", "d", "right"), ("d", "c", "left")]
    )
    got = choice_agreement(people, judge)
    assert got.estimate == 0.5
    assert np.isnan([got.kappa, got.kappa_se, got.kappa_low, got.kappa_high]).all()


def test_agreement_interval_covers():
    # Raters differ in how often they agree (beta, mean .7): 200 studies of 60 raters x 10.
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(200):
        own = np.repeat(rng.beta(3.5, 1.5, 60), 10)
        same = rng.random(600) < own
        rows = [(f"i{k}", f"j{k}", "left") for k in range(600)]
        people = choices(rows, np.repeat(np.arange(60).astype(str), 10))
        judge = people.assign(choice=np.where(same, "left", "right"), rater_id="judge")
        got = choice_agreement(people, judge)
        hits += got.low <= 0.7 <= got.high
    assert 0.90 < hits / 200 < 0.99


def test_a_trial_with_an_unscored_item_is_kept_apart_and_counted():
    people = choices([("a", "b", "left"), ("c", "d", "left")])
    got = trials_with_gap(people, SCORES.assign(overall=[1, 2, 3, np.nan]))
    assert got.n_unscored == 1
    assert got.frame["select_higher"].isna().tolist() == [False, True]
    assert got.frame["gap"].isna().tolist() == [False, True]


def test_proportions_stay_where_proportions_can_be():
    people = choices([("a", "b", "left")] * 7 + [("a", "b", "right")])
    people["rater_id"] = ["r1"] * 4 + ["r2"] * 4
    got = choice_agreement(people, choices([("a", "b", "left")]), cluster="rater_id")
    assert 0 < got.low < got.estimate == 7 / 8 < got.high < 1
    # a single pair says nothing about other items
    assert np.isnan(choice_agreement(people, choices([("a", "b", "left")])).low)
    alone = choice_agreement(
        people.assign(rater_id="r1"), choices([("a", "b", "left")]), cluster="rater_id"
    )
    assert np.isnan(alone.low)
    assert np.isnan(alone.high)
    everyone = choice_agreement(people.iloc[:7], choices([("a", "b", "left")]), cluster="rater_id")
    assert everyone.estimate == 1
    assert np.isnan(everyone.low)
