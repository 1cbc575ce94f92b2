"""If these fail, intervals of what a judge does on trials ignore that items come back in others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from analysis.agreement.choices import choice_agreement
from analysis.inference.crossed_errors import crossed_mean, crossed_ols
from analysis.inference.proportions import wilson_interval
from analysis.inference.trial_errors import clusters_of, share_interval
from analysis.regression.fit import clustered_logit
from analysis.regression.judge_gap import selection_by_gap, trials_with_gap
from prereg.errors import RatifyError


def study(rng, raters=40, each=6, items=30, noise=1.0):
    """Return people's trials, a judge's answers to them, and its scores; it errs on items."""
    worth = rng.normal(size=items)
    scored = np.round(3 * (worth + noise * rng.normal(size=items)))
    rater = np.repeat(np.arange(raters), each)
    left = rng.integers(items, size=len(rater))
    right = (left + rng.integers(1, items, size=len(rater))) % items
    chose = rng.random(len(rater)) < expit(worth[left] - worth[right])
    people = pd.DataFrame(
        {
            "rater_id": [f"r{k}" for k in rater],
            "left_id": [f"i{k}" for k in left],
            "right_id": [f"i{k}" for k in right],
            "choice": np.where(chose, "left", "right"),
        }
    )
    ahead = scored[left] + rng.normal(size=items)[left] * 0.01 > scored[right]
    judge = people.assign(rater_id="judge", choice=np.where(ahead, "left", "right"))
    scores = pd.DataFrame({"item_id": [f"i{k}" for k in range(items)], "overall": scored})
    return people, judge.drop_duplicates(["left_id", "right_id"]), scores


def by_pairs_of_rows(pull, people):
    """Return the sum of products over all pairs of trials that share a rater or an item."""
    raters = people["rater_id"].to_numpy()
    ids = people[["left_id", "right_id"]].to_numpy()
    total = 0.0
    for s in range(len(pull)):
        for t in range(len(pull)):
            if raters[s] == raters[t] or set(ids[s]) & set(ids[t]):
                total += pull[s] * pull[t]
    return total


def test_every_pair_of_trials_that_shares_something_counts_once():
    # clusters of little leverage: what CR2 adds is a factor near 1 of each part
    rng = np.random.default_rng(1)
    people, _, _ = study(rng, raters=60, each=5, items=200)
    pull = rng.normal(size=200)[people["left_id"].str[1:].astype(int)] + rng.normal(size=300)
    pull += rng.normal(size=60)[people["rater_id"].str[1:].astype(int)]
    pull -= pull.mean()
    got = crossed_mean(pull, clusters_of(people, "rater_and_items"))
    assert got.se**2 * len(pull) ** 2 == pytest.approx(by_pairs_of_rows(pull, people), rel=0.05)
    # trials that share both items are in the clusters of either: taken off once
    twice = pd.concat([people, people.assign(rater_id=[f"s{k}" for k in range(300)])])
    again = np.concatenate([pull, pull])
    got = crossed_mean(again, clusters_of(twice, "rater_and_items"))
    assert got.se**2 * 600**2 == pytest.approx(by_pairs_of_rows(again, twice), rel=0.05)


def test_parts_are_bias_reduced_sums_by_definition():
    rng = np.random.default_rng(2)
    people, _, _ = study(rng, raters=8, each=4, items=9)
    n = len(people)
    y, X = rng.normal(size=n), np.column_stack([np.ones(n), rng.normal(size=n)])
    clusters = clusters_of(people, "rater_and_items")
    M = np.linalg.inv(X.T @ X)
    H = X @ M @ X.T
    e, lever = y - H @ y, np.array([0.3, 1.0])

    def part(groups):
        total = 0.0
        for mine in groups:
            values, vectors = np.linalg.eigh(np.eye(len(mine)) - H[np.ix_(mine, mine)])
            total += (
                lever @ M @ X[mine].T @ (vectors / np.sqrt(values)) @ vectors.T @ e[mine]
            ) ** 2
        return total

    def alike(*keys):
        names = pd.MultiIndex.from_arrays(keys)
        return [np.flatnonzero(names == name) for name in names.unique()]

    rater, (a, b) = clusters["rater"], clusters["item"].T
    low, high = np.minimum(a, b), np.maximum(a, b)
    items = [np.flatnonzero((a == k) | (b == k)) for k in range(9)]
    within = [mine[rater[mine] == r] for mine in items for r in range(8)]
    by_rater, by_item = part(alike(rater)), part(items) - part(alike(low, high))
    both = -part([w for w in within if len(w)]) + part(alike(rater, low, high))
    got = crossed_ols(y, X, clusters).estimates(lever)[0]
    expected = max(by_rater + by_item + both, by_rater, by_item)
    assert got.se**2 == pytest.approx(expected, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_sides_names_and_order_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    people, judge, _ = study(rng, raters=12, each=5, items=12)
    plain = choice_agreement(people, judge)
    other = {"left": "right", "right": "left"}

    def turned(rows):
        return rows.rename(columns={"left_id": "right_id", "right_id": "left_id"}).assign(
            choice=rows["choice"].map(other)
        )

    def renamed(rows):
        return rows.assign(**{s: "x" + rows[s].str[1:] for s in ("left_id", "right_id")})

    shuffled = people.sample(frac=1, random_state=seed)
    for got in (
        choice_agreement(turned(people), turned(judge)),
        choice_agreement(renamed(shuffled), renamed(judge)),
    ):
        assert (got.estimate, got.kappa) == pytest.approx((plain.estimate, plain.kappa))
        assert (got.low, got.high) == pytest.approx((plain.low, plain.high), rel=1e-9, nan_ok=True)


def test_intervals_hold_for_other_items_and_those_by_rater_do_not():
    # a judge that knows nothing of what people see: its agreement is .5 over items
    rng = np.random.default_rng(3)
    hits = {"rater_and_items": 0, "rater_id": 0}
    studies = 150
    for _ in range(studies):
        people, judge, _ = study(rng, raters=60, each=10, items=30, noise=30.0)
        for cluster in hits:
            got = choice_agreement(people, judge, cluster=cluster)
            hits[cluster] += got.low <= 0.5 <= got.high
    assert hits["rater_and_items"] / studies > 0.9
    assert hits["rater_id"] / studies < 0.75


def test_a_share_of_independent_trials_has_nearly_wilsons_interval():
    rng = np.random.default_rng(4)
    n = 400
    values = (rng.random(n) < 0.7).astype(float)
    clusters = {"rater": np.arange(n), "item": np.arange(2 * n).reshape(n, 2)}
    se, low, high = share_interval(values, clusters)
    assert se == pytest.approx(values.std(ddof=1) / np.sqrt(n), rel=1e-6)
    assert (low, high) == pytest.approx(wilson_interval(values.sum(), n), abs=2e-3)


def test_a_share_without_variation_counts_the_fewest_clusters():
    rater = np.repeat(np.arange(5), 10)
    clusters = {"rater": rater, "item": np.arange(100).reshape(50, 2)}
    se, low, high = share_interval(np.ones(50), clusters)
    assert np.isnan(se)
    assert (low, high) == pytest.approx(wilson_interval(5, 5))
    assert np.isnan(share_interval(np.ones(0), clusters)).all()
    # three pairs have five items, but are only three answers
    _, low, high = share_interval(np.ones(3), {"item": np.array([[0, 1], [1, 2], [3, 4]])})
    assert (low, high) == pytest.approx(wilson_interval(3, 3))


def test_a_logit_and_rates_take_raters_and_items():
    rng = np.random.default_rng(5)
    people, _, scores = study(rng, raters=60, each=10)
    trials = trials_with_gap(people, scores, preference=None).frame
    kept = trials.dropna(subset=["select_higher"])
    by_rater = clustered_logit(kept, "select_higher ~ gap", cluster="rater_id")
    both = clustered_logit(kept, "select_higher ~ gap", cluster="rater_and_items")
    assert both.params.to_numpy() == pytest.approx(by_rater.params.to_numpy())
    assert both.bse["gap"] > 1.1 * by_rater.bse["gap"]
    assert both.distribution == "satterthwaite"
    assert "by rater and by both items of a trial" in both.method
    frame = both.to_frame()
    found = both.combination(np.array([0.0, 1.0]))
    assert frame.loc[1, ["se", "low", "high", "p"]].tolist() == pytest.approx(
        [found.se, found.low, found.high, found.p_value]
    )
    assert np.sqrt(np.diag(both.cov_params)) == pytest.approx(both.bse.to_numpy(), rel=0.1)
    bins = [(1, 4), (5, 30)]
    wide, narrow = (
        selection_by_gap(trials, bins=bins, cluster=one) for one in ("rater_and_items", "none")
    )
    assert wide["rate"].tolist() == narrow["rate"].tolist()
    assert (wide["high"] - wide["low"] > narrow["high"] - narrow["low"]).all()


def test_what_a_clustering_needs_is_named():
    people = pd.DataFrame({"rater_id": ["r1", ""], "left_id": ["a", "b"], "right_id": ["b", "c"]})
    with pytest.raises(RatifyError, match="rater_id"):
        clusters_of(people, "rater_and_items")
    with pytest.raises(RatifyError, match="right_id"):
        clusters_of(people.drop(columns="right_id"), "rater_and_items")
