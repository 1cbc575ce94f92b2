"""If this failed, ranks and P(i beats j) would promise too much, or honest raters be accused."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from analysis.evidence.evidence import Evidence
from analysis.ranking import consistency
from analysis.ranking import rank_intervals as ranks_module
from analysis.ranking.bradley_terry import bradley_terry
from analysis.ranking.disattenuation import Measured, disattenuated, scale_reliability
from analysis.ranking.draws import connected, score_errors
from analysis.ranking.figures import plot_rank_intervals, plot_rater_misfit
from analysis.ranking.misfit import rater_misfit, without_own
from analysis.ranking.rank_correlation import rank_correlation
from analysis.ranking.rank_intervals import rank_intervals
from analysis.ranking.win_probability import pairwise_probability
from analysis.registered.ranking import run_ranking
from prereg.analyses.ranking import RankingAnalysis
from prereg.errors import RatifyError
from tests.validation.ranking import simulate

RIDGE = 0.02
few = settings(deadline=None, max_examples=3)


def choices(n_items: int, raters: int, each: int, seed: int, scenarios: int = 1) -> pd.DataFrame:
    """Return judgments of raters without tastes, items i00, i01, ... best first."""
    rng = np.random.default_rng(seed)
    truth = np.sort(rng.normal(size=n_items))[::-1]
    n = raters * each
    left = rng.integers(n_items, size=n)
    right = (left + rng.integers(1, n_items, size=n)) % n_items
    scenario = rng.integers(scenarios, size=n)
    won = rng.random(n) < expit(truth[left] - truth[right])
    names = np.array([[f"s{s}i{i:02d}" for i in range(n_items)] for s in range(scenarios)])
    return pd.DataFrame(
        {
            "left_id": names[scenario, left],
            "right_id": names[scenario, right],
            "choice": np.where(won, "left", "right"),
            "scenario": [f"s{s}" for s in scenario],
            "rater_id": [f"r{k:03d}" for k in np.repeat(np.arange(raters), each)],
        }
    )


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    return choices(8, 30, 8, 1, scenarios=2)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def by_definition(judgments: pd.DataFrame) -> pd.DataFrame:
    """Return the sandwich over raters of one scenario's scores, term by term."""
    frame = bradley_terry(judgments, ridge=RIDGE).frame.set_index("item_id")["score"]
    items = list(frame.index)
    x = np.array(
        [
            [(i == a) - (i == b) for i in items]
            for a, b in zip(judgments["left_id"], judgments["right_id"], strict=True)
        ],
        dtype=float,
    )
    p = expit(x @ frame.to_numpy())
    weight, excess = p * (1 - p), (judgments["choice"] == "left") - p
    inverse = np.linalg.inv(x.T @ np.diag(weight) @ x + RIDGE * np.eye(len(items)))
    middle = np.zeros((len(items), len(items)))
    for rater in judgments["rater_id"].unique():
        mine = (judgments["rater_id"] == rater).to_numpy()
        pull = x[mine].T @ excess[mine]
        middle += np.outer(pull, pull)
    raters = judgments["rater_id"].nunique()
    covariance = raters / (raters - 1) * inverse @ middle @ inverse
    return pd.DataFrame(covariance, index=items, columns=items)


def test_covariance_is_the_sandwich_and_its_diagonal_the_rankings(study):
    one = study[study["scenario"] == "s0"].reset_index(drop=True)
    found = score_errors(one, ridge=RIDGE)
    block = found.blocks[0]
    covariance = block.influence.T @ block.influence
    expected = by_definition(one).loc[
        found.ranking.frame["item_id"], found.ranking.frame["item_id"]
    ]
    assert covariance == pytest.approx(expected.to_numpy(), abs=1e-9)
    assert found.se == pytest.approx(np.sqrt(np.diag(expected)), abs=1e-9)
    assert found.se == pytest.approx(found.ranking.frame["se"].to_numpy(), abs=1e-7)
    assert block.influence.sum(axis=1) == pytest.approx(np.zeros(len(block.cluster)), abs=1e-9)


@few
@given(st.integers(0, 10_000))
def test_errors_follow_when_sides_swap_and_rows_and_names_change(seed):
    one = choices(5, 8, 6, seed)
    swapped = one.rename(columns={"left_id": "right_id", "right_id": "left_id"})
    swapped["choice"] = one["choice"].map({"left": "right", "right": "left"})
    mixed = swapped.sample(frac=1, random_state=seed).assign(
        rater_id=lambda d: "z" + d["rater_id"].str[::-1]
    )
    first, second = score_errors(one), score_errors(mixed.reset_index(drop=True))
    assert second.se == pytest.approx(first.se, abs=1e-7, nan_ok=True)
    pairs = pairwise_probability(first).frame
    turned = pairs[["scenario", "item_id", "other_id"]].rename(
        columns={"item_id": "other_id", "other_id": "item_id"}
    )
    other = pairwise_probability(second, turned).frame
    assert other["probability"].to_numpy() == pytest.approx(1 - pairs["probability"], abs=1e-7)
    assert other["low"].to_numpy() == pytest.approx(1 - pairs["high"], abs=1e-7, nan_ok=True)
    one_way, other_way = (
        rater_misfit(table, correction="none").frame.set_index("rater_id")["p"].to_numpy()
        for table in (one, swapped)
    )
    assert other_way == pytest.approx(one_way, abs=1e-6, nan_ok=True)


def test_twice_the_raters_halve_the_variance(study):
    again = study.assign(rater_id="again " + study["rater_id"])
    double = score_errors(pd.concat([study, again], ignore_index=True), ridge=0.04)
    single = score_errors(study, ridge=0.02)
    # half, but for the factor R / (R - 1)
    ratio = (double.se / single.se) ** 2
    assert ratio == pytest.approx(np.full(len(ratio), 0.5 * (60 / 59) / (30 / 29)), abs=6e-4)
    wide, narrow = (pairwise_probability(e).frame for e in (single, double))
    assert (narrow["high"] - narrow["low"] < wide["high"] - wide["low"]).all()


def test_draws_have_the_covariance_and_one_rater_moves_all_groups(study):
    errors = score_errors(study)
    drawn = errors.draws(4000, rng())
    assert drawn.mean(axis=0) == pytest.approx(errors.score, abs=0.08)
    assert drawn.std(axis=0) == pytest.approx(errors.se, rel=0.06)
    first, second = errors.blocks
    multiplier = np.zeros((errors.n_clusters, len(first.rows) + len(second.rows)))
    multiplier[first.cluster, : len(first.rows)] = first.influence
    multiplier[second.cluster, len(first.rows) :] = second.influence
    assert np.cov(drawn.T) == pytest.approx(multiplier.T @ multiplier, abs=0.05)


def test_probability_is_that_of_the_difference(study):
    errors = score_errors(study, level=0.9)
    found = pairwise_probability(errors, level=0.9).frame
    assert len(found) == 2 * (8 * 7 // 2)
    row = found.iloc[3]
    part = errors.ranking.frame.set_index("item_id")
    difference = part.loc[row["item_id"], "score"] - part.loc[row["other_id"], "score"]
    assert row["probability"] == pytest.approx(expit(difference))
    covariance = by_definition(study[study["scenario"] == row["scenario"]].reset_index(drop=True))
    i, j = row["item_id"], row["other_id"]
    variance = covariance.loc[i, i] + covariance.loc[j, j] - 2 * covariance.loc[i, j]
    assert row["se"] == pytest.approx(np.sqrt(variance), abs=1e-9)
    clusters = study.loc[study["scenario"] == row["scenario"], "rater_id"].nunique()
    half = {30: 1.69912702653}[clusters] * row["se"]  # qt(.95, 29) in R
    assert (row["low"], row["high"]) == pytest.approx(
        (expit(difference - half), expit(difference + half)), abs=1e-8
    )


def odd_table() -> pd.DataFrame:
    """Return a loop a, b, c; d who never lost to it; and a pair e, f apart from all of them."""
    games = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("d", "b"), ("e", "f"), ("f", "e")]
    rows = [(w, x, "left", f"r{r}") for r in range(4) for w, x in games]
    return pd.DataFrame(rows, columns=["left_id", "right_id", "choice", "rater_id"])


@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_what_has_no_estimate_says_so(ridge):
    errors = score_errors(odd_table(), ridge=ridge)
    found = pairwise_probability(errors).frame.set_index(["item_id", "other_id"])
    note = {tuple(sorted(pair)): text for pair, text in found["note"].items()}
    assert "never compared" in note["a", "e"]
    apart = found[found["note"].str.contains("never compared")]
    assert apart[["difference", "se", "probability", "low", "high", "p"]].isna().all().all()
    word = "ridge" if ridge else "no finite estimate"
    assert word in note["a", "d"]
    with_d = found[[("d" in pair and "e" not in pair and "f" not in pair) for pair in found.index]]
    assert with_d["low"].isna().all()
    assert with_d["probability"].notna().all() == bool(ridge)
    assert note["a", "b"] == ""
    table = rank_intervals(errors, rng=rng()).frame.set_index("item_id")
    assert pd.isna(table.loc["d", "rank_low"])
    # d may stand anywhere, so the last of a, b, c may be fourth where d is ranked at all
    assert table.loc["a", "rank_high"] == (4 if ridge else 3)
    assert table.loc["e", "of"] == 2


def test_one_rater_has_no_intervals(study):
    errors = score_errors(study.assign(rater_id="only"))
    assert np.isnan(errors.se).all()
    assert rank_intervals(errors, rng=rng()).frame["rank_low"].isna().all()
    pairs = pairwise_probability(errors).frame
    assert pairs["note"].str.contains("fewer than 2 clusters").all()
    assert pairs["probability"].notna().all()


def test_pairs_that_cannot_be_are_refused(study):
    errors = score_errors(study)
    for pairs, message in (
        ([("s0i00", "nobody")], "row 2, column other_id: was not ranked"),
        ([("s0i00", "s0i01"), ("s0i02", "s0i02")], "row 3.*compared with itself"),
    ):
        with pytest.raises(RatifyError, match=message):
            pairwise_probability(errors, pd.DataFrame(pairs, columns=["item_id", "other_id"]))
    twice = study.assign(left_id=study["left_id"].str[2:], right_id=study["right_id"].str[2:])
    both = score_errors(twice)
    pair = pd.DataFrame({"item_id": ["i00"], "other_id": ["i01"]})
    with pytest.raises(RatifyError, match="occurs in several scenarios"):
        pairwise_probability(both, pair)
    named = pairwise_probability(both, pair.assign(scenario="s1")).frame
    assert named["scenario"].tolist() == ["s1"]


def test_ranks_are_certain_where_items_are_far_apart():
    games = [
        (f"i{a}", f"i{b}", "left" if n else "right", f"r{r}")
        for a, b in itertools.combinations(range(5), 2)
        for r in range(40)
        for n in ([1] * 8 + [0])
    ]
    table = pd.DataFrame(games, columns=["left_id", "right_id", "choice", "rater_id"])
    table = table.sample(frac=0.9, random_state=2).reset_index(drop=True)
    for coverage in ("average", "each", "all"):
        found = rank_intervals(score_errors(table), rng=rng(), coverage=coverage).frame
        assert found["rank_low"].tolist() == found["rank_high"].tolist() == [1, 2, 3, 4, 5]


def test_rank_intervals_hold_the_rank_and_widen_with_the_promise(study):
    errors = score_errors(study)
    found = {
        name: rank_intervals(errors, rng=rng(), coverage=name).frame
        for name in ("average", "each", "all")
    }
    for frame in found.values():
        assert (frame["rank_low"] <= frame["rank"]).all()
        assert (frame["rank"] <= frame["rank_high"]).all()
    for narrow, wide in (("average", "each"), ("each", "all")):
        assert (found[wide]["rank_low"] <= found[narrow]["rank_low"]).all()
        assert (found[wide]["rank_high"] >= found[narrow]["rank_high"]).all()
    with pytest.raises(RatifyError, match="seeded generator"):
        rank_intervals(errors)
    with pytest.raises(RatifyError, match="unknown coverage"):
        rank_intervals(errors, rng=rng(), coverage="some")  # type: ignore[arg-type]


def test_the_needed_t_is_the_smallest_at_which_the_interval_holds_the_rank():
    draw = rng()
    score = draw.normal(size=6)
    spread = np.full((6, 6), 0.8)
    rank = np.array([3, 1, 6, 2, 5, 4])
    needed = ranks_module._needed(score, spread, rank)
    ahead = (score[None, :] - score[:, None]) / spread
    for item, limit in enumerate(needed):
        for t, holds in ((limit + 1e-9, True), (limit - 1e-9, False)):
            low = 1 + (ahead[item] > t).sum()
            high = 6 - (ahead[item] < -t).sum()
            assert (low <= rank[item] <= high) == holds or limit == 0


def test_scores_without_a_rater_are_those_of_a_fit_without_them(study):
    ranking = bradley_terry(study, ridge=RIDGE)
    groups, _ = connected(study, ranking, cluster="rater_id", ridge=RIDGE, by="scenario")
    odds = np.full(len(study), np.nan)
    for group in groups:
        odds[group.judgment] = without_own(group)
    exact = np.full(len(study), np.nan)
    for rater in study["rater_id"].unique()[:6]:
        mine = (study["rater_id"] == rater).to_numpy()
        rest = bradley_terry(study[~mine].reset_index(drop=True), ridge=RIDGE)
        score = rest.frame.set_index("item_id")["score"]
        left, right = (
            study.loc[mine, side].map(score).to_numpy() for side in ("left_id", "right_id")
        )
        exact[mine] = left - right
    known = np.isfinite(exact)
    full = study["left_id"].map(ranking.frame.set_index("item_id")["score"]) - study[
        "right_id"
    ].map(ranking.frame.set_index("item_id")["score"])
    step = np.abs(odds - exact)[known].mean()
    assert step < 0.15 * np.abs(full - exact)[known].mean()


@pytest.mark.parametrize("agreeing", [0, 1, 3, 6, 7, 10])
def test_the_tail_is_that_of_all_outcomes(agreeing):
    draw = rng()
    size = np.abs(draw.normal(size=10)) + 0.05
    chance = expit(0.7 * size)
    outcomes = np.array(list(itertools.product([0, 1], repeat=10)))
    likely = np.prod(np.where(outcomes, chance, 1 - chance), axis=1)
    observed = np.sort(size)[:agreeing].sum()
    total = outcomes @ size
    below = likely[total < observed - 1e-9].sum()
    exact = below + likely[np.abs(total - observed) < 1e-9].sum()
    agrees = np.isin(np.arange(10), np.argsort(size)[:agreeing])
    asked = consistency.Choices(np.zeros(10, dtype=np.int64), size, agrees, 1)
    node = np.array([0.7])
    got = consistency._tails(asked, asked.log_likelihood(0.7)[:, None], node)[0, 0]
    assert got == pytest.approx((below + exact) / 2, rel=0.1, abs=1e-6) or agreeing == 0
    if agreeing == 0:
        assert got == pytest.approx(exact)


@pytest.fixture(scope="module")
def careless() -> pd.DataFrame:
    """Return judgments where r000 always chooses the other side."""
    table = choices(8, 40, 30, 4)
    mine = table["rater_id"] == "r000"
    other = table["choice"].map({"left": "right", "right": "left"})
    return table.assign(choice=table["choice"].where(~mine, other))


def test_who_chooses_the_other_side_is_found_and_the_rest_are_not(careless):
    found = rater_misfit(careless)
    worst = found.frame.iloc[0]
    assert worst["rater_id"] == "r000"
    assert worst["flagged"]
    assert worst["agreement"] < 0.5 < worst["expected"]
    assert worst["residual"] < -3
    rest = found.frame.iloc[1:]
    assert rest["flagged"].sum() == found.n_flagged - 1 <= 1
    assert abs(rest["residual"].mean()) < 0.4
    assert 0.6 < found.slope <= 1.1
    assert found.n_raters == 40


def test_raters_who_are_less_consistent_are_not_accused_but_one_who_turns_all_is():
    """A test against one common consistency accused somebody in 4 of 10 studies of 50 raters."""
    draw = np.random.default_rng(8)
    accused = 0
    for _ in range(12):
        honest = simulate(draw, taste=0, scenarios=1, raters=40, each=30, unequal=0.5).judgments
        accused += rater_misfit(honest).n_flagged > 0
    assert accused <= 3
    mine = honest["rater_id"] == "r000"
    other = honest["choice"].map({"left": "right", "right": "left"})
    turned = rater_misfit(honest.assign(choice=honest["choice"].where(~mine, other)))
    assert turned.frame.iloc[0]["rater_id"] == "r000"
    assert turned.spread > 0.2


def test_the_tail_is_an_average_over_consistencies():
    """With raters who are all alike the average is that of one slope, which is then known."""
    draw = rng()
    n, each = 300, 40
    size = np.abs(draw.normal(size=n * each)) + 0.1
    rater = np.repeat(np.arange(n), each)
    agrees = draw.random(n * each) < expit(0.8 * size)
    asked = consistency.Choices(rater, size, agrees, n)
    found = consistency.surprise(asked, 0.8)
    known = consistency._tails(asked, asked.log_likelihood(0.8)[:, None], np.array([0.8]))[:, 0]
    assert found.spread < 0.2
    assert np.corrcoef(found.p, known)[0, 1] > 0.99
    assert (found.p <= 0.05).mean() == pytest.approx(0.05, abs=0.03)
    twice = consistency.Choices(rater, 2 * size, agrees, n)
    assert consistency.surprise(twice, 0.4).p == pytest.approx(found.p, abs=1e-8)


def test_raters_without_a_common_order_disagree_with_no_order():
    # each rater turns the loop of the others round: whoever is left out is contradicted
    games = [("a", "b", "r1"), ("b", "a", "r2"), ("c", "d", "r1"), ("d", "c", "r2")]
    table = pd.DataFrame(games, columns=["left_id", "right_id", "rater_id"])
    found = rater_misfit(table.assign(choice="left"))
    assert not found.slope > 0
    assert found.n_flagged == 0
    assert found.frame["p"].isna().all()
    assert found.frame["note"].str.contains("do not agree").all()


def test_an_item_that_one_rater_alone_judged_says_nothing_of_them(careless):
    extra = pd.DataFrame(
        {
            "left_id": "new",
            "right_id": "s0i00",
            "choice": "left",
            "scenario": "s0",
            "rater_id": ["r001"] * 4,
        }
    )
    table = pd.concat([careless, extra], ignore_index=True)
    one, two = (rater_misfit(t).frame.set_index("rater_id").loc["r001"] for t in (careless, table))
    assert two["residual"] == pytest.approx(one["residual"], abs=0.1)
    assert two["n"] == one["n"] + 4


# ---------------------------------------------------------------- correlations


def scores(n: int, error: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    draw = np.random.default_rng(seed)
    truth = draw.normal(size=n)
    ids = [f"i{k:03d}" for k in range(n)]
    x = truth + error * draw.normal(size=n)
    y = 0.8 * truth + 0.6 * draw.normal(size=n)
    return (
        pd.DataFrame({"item_id": ids, "score": x, "se": error}),
        pd.DataFrame({"item_id": ids, "score": y}),
    )


def test_disattenuation_is_spearmans_formula_and_its_interval_a_jackknife():
    one, two = scores(80, 0.6, 2)
    got = rank_correlation(one, two, bootstrap=0, y_reliability=0.9)
    reliability = 1 - 0.36 / one["score"].var(ddof=1)
    assert got.x_reliability == pytest.approx(reliability)
    pearson = 2 * np.sin(np.pi * got.estimate / 6) / np.sqrt(reliability * 0.9)
    assert got.disattenuated == pytest.approx(6 / np.pi * np.arcsin(pearson / 2))
    left_out = []
    for item in range(80):
        x, y = one["score"].drop(item), two["score"].drop(item)
        r = 2 * np.sin(np.pi * x.corr(y, method="spearman") / 6)
        left_out.append(np.arctanh(r * np.sqrt(reliability / (1 - 0.36 / x.var(ddof=1)))))
    half = 1.990450 * np.sqrt(79 / 80 * ((left_out - np.mean(left_out)) ** 2).sum())  # qt(.975, 79)
    root = np.sqrt(reliability * 0.9)
    low, high = (np.tanh(np.arctanh(pearson * root) + side * half) / root for side in (-1, 1))
    ends = 6 / np.pi * np.arcsin([low / 2, high / 2])
    assert (got.disattenuated_low, got.disattenuated_high) == pytest.approx(ends, abs=1e-6)
    assert got.disattenuated_note == "corrected for both scores"
    turned = rank_correlation(two, one, bootstrap=0, x_reliability=0.9)
    assert turned.disattenuated == pytest.approx(got.disattenuated)
    assert turned.disattenuated_low == pytest.approx(got.disattenuated_low)


def test_scores_without_error_need_no_correction():
    one, two = scores(60, 0.5, 3)
    known = rank_correlation(one, two, bootstrap=0, x_reliability=1.0, y_reliability=1.0)
    assert known.disattenuated == pytest.approx(known.estimate)
    neither = rank_correlation(one.drop(columns="se"), two, bootstrap=0)
    assert np.isnan(neither.disattenuated)
    assert "neither" in neither.disattenuated_note
    half = rank_correlation(one, two, bootstrap=0)
    assert "corrected for x only" in half.disattenuated_note
    assert half.disattenuated > half.estimate


def test_a_correlation_above_what_reliabilities_allow_is_flagged():
    one, _ = scores(40, 0.2, 4)
    two = one.assign(score=one["score"] + 0.05 * np.sin(np.arange(40)))
    got = rank_correlation(one, two, bootstrap=0, x_reliability=0.6, y_reliability=0.6)
    assert got.disattenuated > 1
    assert "above 1" in got.disattenuated_note
    noise = rank_correlation(one.assign(se=9.0), two, bootstrap=0, y_reliability=0.9)
    assert np.isnan(noise.disattenuated)
    assert noise.disattenuated_note == (
        "not corrected: the reliability of x is not shown to be above 0"
    )
    same = rank_correlation(one, one, bootstrap=0, x_reliability=0.6, y_reliability=0.6)
    assert np.isnan(same.disattenuated_low)
    with pytest.raises(RatifyError, match="x_reliability is out of range"):
        rank_correlation(one, two, bootstrap=0, x_reliability=1.2)


def test_draws_add_only_errors_that_move_many_items_at_once():
    one, two = scores(60, 0.3, 5)
    draw = rng()
    apart = one["score"].to_numpy() + 0.3 * draw.normal(size=(1500, 60))
    own = rank_correlation(one, two, bootstrap=0, x_draws=apart, rng=draw)
    assert own.both_high - own.both_low == pytest.approx(own.high - own.low, rel=0.05)
    # one taste for what the judge likes moves the whole order
    taste = apart + draw.normal(size=(1500, 1)) * two["score"].to_numpy()
    moved = rank_correlation(one, two, bootstrap=0, x_draws=taste, rng=draw)
    assert moved.both_high - moved.both_low > 1.5 * (moved.high - moved.low)
    assert moved.both_low < moved.estimate < moved.both_high
    assert np.isnan(rank_correlation(one, two, bootstrap=0).both_low)
    with pytest.raises(RatifyError, match="x_draws do not fit the table"):
        rank_correlation(one, two, bootstrap=0, x_draws=apart[:, 1:], rng=draw)


def test_draws_of_a_study_line_up_with_its_table(study):
    errors = score_errors(study)
    people = errors.to_frame()
    judge = people[["item_id", "scenario"]].assign(
        score=people["score"] + 0.3 * np.cos(np.arange(len(people)))
    )
    shuffled = judge.sample(frac=1, random_state=1)
    got = rank_correlation(
        people, shuffled, bootstrap=0, x_draws=errors.draws(300, rng()), rng=rng()
    )
    assert got.both_low <= got.low < got.estimate < got.high <= got.both_high


def test_reliability_has_an_interval():
    one, _ = scores(100, 0.5, 6)
    score = Measured(
        score=one["score"].to_numpy(),
        variance=np.full(100, 0.25),
        group=np.zeros(100, dtype=np.int64),
        reliability=None,
    )
    found = scale_reliability(score, level=0.95)
    assert found.estimate == pytest.approx(1 - 0.25 / one["score"].var(ddof=1))
    # variance of the log of a normal sample's variance is 2 / (n - 1)
    half = (np.log1p(-found.low) - np.log1p(-found.high)) / 2
    assert half == pytest.approx(1.984 * np.sqrt(2 / 99), rel=0.35)
    assert disattenuated(score, score, level=0.95).x_reliability == found.estimate


# ---------------------------------------------------------------- the registered analysis


def evidence(judgments: pd.DataFrame) -> Evidence:
    plan = SimpleNamespace(ranking=SimpleNamespace(ridge=RIDGE))
    judge = SimpleNamespace(trials=judgments.assign(rater_id="judge"))
    return cast(
        Evidence,
        SimpleNamespace(
            people=judgments,
            judges={"judge": judge},
            plan=plan,
            simulated=True,
            raters="simulated raters",
            raters_own="Simulated raters'",
            status="confirmatory",
            rng=lambda purpose: np.random.default_rng(len(purpose)),
        ),
    )


def test_a_registered_ranking_reports_what_its_plan_names(careless):
    analysis = RankingAnalysis(id="order", kind="ranking", resamples=100)
    found = run_ranking(analysis, evidence(careless))
    assert [q.name for q in found.quantities] == analysis.quantity_names(None)
    reliability, misfit = found.quantities
    assert reliability.low is not None
    assert reliability.low < reliability.estimate < reliability.high
    assert misfit.estimate >= 1
    assert [t.name for t in found.tables] == ["order_ranks", "order_pairs", "order_misfit"]
    assert len(found.tables[1].frame) == 7
    assert "8 items" in found.sentence
    assert "disagree" in found.sentence
    assert all("Simulated" in figure.svg for figure in found.figures)


def test_a_judges_ranking_tests_no_raters(study):
    analysis = RankingAnalysis(id="order", kind="ranking", of="judge", pairs="all", resamples=100)
    found = run_ranking(analysis, evidence(study))
    assert [q.name for q in found.quantities] == analysis.quantity_names(None) == ["reliability"]
    assert found.quantities[0].clusters == len(study)
    assert len(found.tables[1].frame) == 56
    assert [f.name for f in found.figures] == ["order_ranks_1", "order_ranks_2"]


def test_figures_mark_what_has_no_interval_and_who_is_flagged(careless):
    frame = rank_intervals(score_errors(odd_table()), rng=rng()).frame
    axes = plot_rank_intervals(frame[frame["component"] == frame["component"].iloc[0]])
    marks = {line.get_gid(): len(line.get_xdata()) for line in axes.lines}
    assert marks["ranks"] == 3
    assert marks["without_interval"] == 1
    drawn = plot_rater_misfit(rater_misfit(careless).frame)
    assert any(text.get_text() == "r000" for text in drawn.texts)
