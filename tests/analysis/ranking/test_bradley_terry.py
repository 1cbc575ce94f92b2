"""If these fail, a ranking of people's choices is wrong, overconfident, or invents a number."""

from __future__ import annotations

import json

import choix
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from analysis.ranking import bradley_terry, curvature, elo, rank_correlation
from analysis.ranking import newton as newton_module
from analysis.ranking import pair_counts as paircounts
from analysis.ranking import standard_errors as bt_errors
from analysis.ranking.pair_counts import Comparisons
from analysis.ranking.pair_scores import fit_codes
from prereg.errors import RatifyError
from tests.support.paths import REFERENCE

REFERENCE = json.loads((REFERENCE / "bradley_terry.json").read_text("utf-8"))
few = settings(deadline=None, max_examples=12)


def table(games, raters=None) -> pd.DataFrame:
    frame = pd.DataFrame(games, columns=["left_id", "right_id", "choice"], dtype="str")
    return frame.assign(rater_id=raters if raters is not None else "r1")


def column(ranking, name: str = "score") -> pd.Series:
    return ranking.frame.set_index("item_id")[name].sort_index()


def values(ranking, name: str = "score") -> np.ndarray:
    return column(ranking, name).to_numpy(dtype=float)


def simulated(n_items: int, n: int, seed: int, *, per_rater: int = 10, side: float = 0.0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n_items)
    left = rng.integers(n_items, size=n)
    right = (left + rng.integers(1, n_items, size=n)) % n_items
    won = rng.random(n) < expit(truth[left] - truth[right] + side)
    frame = pd.DataFrame(
        {
            "left_id": [f"i{k:05d}" for k in left],
            "right_id": [f"i{k:05d}" for k in right],
            "choice": np.where(won, "left", "right"),
            "rater_id": [f"r{k // per_rater}" for k in range(n)],
        }
    )
    return truth, frame


def reference_table() -> pd.DataFrame:
    rows = REFERENCE["judgments"]
    return table(
        [(f"i{a}", f"i{b}", "left" if won else "right") for a, b, won, _ in rows],
        [f"r{row[3]}" for row in rows],
    )


def test_stored_references():
    data = reference_table()
    opt = bradley_terry(data, ridge=0.02)
    assert values(opt) == pytest.approx(REFERENCE["choix_opt_pairwise_alpha_0_01"], abs=1e-8)
    plain = bradley_terry(data, ridge=0.0)
    assert values(plain) == pytest.approx(REFERENCE["choix_ilsr_pairwise"], abs=1e-7)
    assert values(plain) == pytest.approx(REFERENCE["statsmodels"]["score"], abs=1e-8)
    assert values(plain, "se") == pytest.approx(REFERENCE["statsmodels"]["se"], abs=1e-8)
    expected = REFERENCE["statsmodels_with_side"]
    side = bradley_terry(data, ridge=0.0, side_advantage=True)
    assert values(side) == pytest.approx(expected["score"], abs=1e-8)
    assert values(side, "se") == pytest.approx(expected["se"], abs=1e-8)
    assert side.side_advantage == pytest.approx(expected["side"], abs=1e-8)
    assert side.side_advantage_se == pytest.approx(expected["side_se"], abs=1e-8)


@pytest.mark.parametrize("alpha", [0.01, 0.5])
def test_ridge_is_twice_choix_alpha(alpha):
    _, data = simulated(20, 300, 1)
    pairs = [
        (int(w[1:]), int(b[1:]))
        for w, b in np.where(
            (data["choice"] == "left").to_numpy()[:, None],
            data[["left_id", "right_id"]],
            data[["right_id", "left_id"]],
        )
    ]
    expected = choix.opt_pairwise(20, pairs, alpha=alpha, tol=1e-12)
    assert values(bradley_terry(data, ridge=2 * alpha)) == pytest.approx(expected, abs=1e-7)
    # The published fit regularises otherwise; on study-like data it orders items the same.
    published = pd.Series(choix.ilsr_pairwise(20, pairs, alpha=0.01))
    ours = column(bradley_terry(data)).reset_index(drop=True)
    assert published.corr(ours, method="spearman") > 0.995


@pytest.mark.parametrize("side", [False, True])
def test_errors_equal_statsmodels(side):
    _, data = simulated(15, 600, 2, side=0.4)
    n, items = len(data), sorted(set(data["left_id"]))
    design = np.zeros((n, 15))
    design[np.arange(n), data["left_id"].map(items.index)] = 1
    design[np.arange(n), data["right_id"].map(items.index)] = -1
    X = np.column_stack([design[:, 1:], np.ones(n)])[:, : None if side else -1]
    fit = sm.Logit((data["choice"] == "left").astype(float).to_numpy(), X).fit(
        disp=0,
        tol=1e-14,
        cov_type="cluster",
        cov_kwds={"groups": pd.factorize(data["rater_id"])[0]},
    )
    k = X.shape[1]
    covariance = fit.cov_params() * (n - k) / (n - 1)  # leaves the factor R / (R - 1)
    contrast = np.zeros((15, k))
    contrast[:, :14] = np.vstack([np.zeros(14), np.eye(14)]) - 1 / 15
    ranking = bradley_terry(data, ridge=0.0, side_advantage=side)
    expected = np.sqrt(np.diag(contrast @ covariance @ contrast.T))
    assert values(ranking, "se") == pytest.approx(expected, abs=1e-6)
    if side:
        assert ranking.side_advantage_se == pytest.approx(np.sqrt(covariance[-1, -1]), abs=1e-6)
        assert ranking.side_advantage_low < 0.4 < ranking.side_advantage_high
    else:
        assert ranking.side_advantage is None


def test_interval_is_t_with_raters_minus_one():
    _, data = simulated(6, 200, 3, per_rater=25)
    frame = bradley_terry(data, level=0.9).frame
    quantile = 1.894578605061305  # t, 7 degrees of freedom, 0.95: eight raters
    assert (frame["high"] - frame["score"]).to_numpy() == pytest.approx(
        quantile * frame["se"].to_numpy()
    )
    assert (frame["score"] - frame["low"]).to_numpy() == pytest.approx(
        quantile * frame["se"].to_numpy()
    )


def test_clustering_by_rater_is_not_by_judgment():
    _, data = simulated(6, 400, 4, per_rater=20)
    same_opinion = pd.concat([data] * 3, ignore_index=True)  # each judgment said three times
    by_rater = column(bradley_terry(same_opinion, ridge=0), "se")
    by_judgment = column(bradley_terry(same_opinion, ridge=0, cluster=None), "se")
    assert by_rater.to_numpy() == pytest.approx(values(bradley_terry(data, ridge=0), "se"))
    assert (by_judgment < 0.75 * by_rater).all()


# Properties.

names = st.sampled_from("abcde")
game = st.tuples(names, names, st.sampled_from(["left", "right"])).filter(lambda g: g[0] != g[1])
games_of = st.lists(game, min_size=1, max_size=30)


def close(one, two, name="score", tolerance=1e-6):
    a, b = column(one, name).to_numpy(float), column(two, name).to_numpy(float)
    assert a == pytest.approx(b, abs=tolerance, nan_ok=True)


@few
@given(games_of, st.sampled_from([0.0, 0.02]), st.randoms(use_true_random=False))
def test_order_of_rows_and_sides_do_not_matter(games, ridge, random):
    raters = [f"r{k % 4}" for k in range(len(games))]
    data = table(games, raters)
    one = bradley_terry(data, ridge=ridge)
    order = list(range(len(games)))
    random.shuffle(order)
    two = bradley_terry(data.iloc[order], ridge=ridge)
    swapped = [(r, le, "right" if c == "left" else "left") for le, r, c in games]
    three = bradley_terry(table(swapped, raters), ridge=ridge)
    for other in (two, three):
        for name in ("score", "se", "low", "high"):
            close(one, other, name)
        assert column(one, "rank").equals(column(other, "rank"))
        assert column(one, "note").equals(column(other, "note"))
        assert column(one, "component").equals(column(other, "component"))


@few
@given(games_of, st.permutations("abcde"))
def test_names_do_not_matter(games, names):
    new = dict(zip("abcde", names, strict=True))
    one = column(bradley_terry(table(games)))
    two = column(bradley_terry(table([(new[a], new[b], c) for a, b, c in games])))
    assert two[[new[i] for i in one.index]].to_numpy() == pytest.approx(one.to_numpy(), abs=1e-6)


@few
@given(games_of)
def test_saying_everything_twice_with_twice_the_ridge(games):
    raters = [f"r{k % 3}" for k in range(len(games))]
    one = bradley_terry(table(games, raters), ridge=0.02)
    two = bradley_terry(table(games * 2, raters * 2), ridge=0.04)
    close(one, two)
    close(one, two, "se")
    assert (column(two, "n") == 2 * column(one, "n")).all()


@few
@given(games_of)
def test_scores_solve_the_equations_and_have_mean_zero(games):
    data = table(games)
    ranking = bradley_terry(data, ridge=0.02)
    score = column(ranking)
    pull = dict.fromkeys(score.index, 0.0)
    for left, right, choice in games:
        winner, loser = (left, right) if choice == "left" else (right, left)
        surprise = expit(score[loser] - score[winner])
        pull[winner] += surprise
        pull[loser] -= surprise
    assert (pd.Series(pull) - 0.02 * score).abs().max() < 1e-7
    assert ranking.frame.groupby("component")["score"].mean().abs().max() < 1e-9


@few
@given(games_of)
def test_large_solver_agrees_with_small(games):
    data = table(games, [f"r{k % 4}" for k in range(len(games))])
    one = bradley_terry(data, side_advantage=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curvature, "DENSE_ITEMS", 1)
        patch.setattr(curvature, "STEP_ITEMS", 1)
        two = bradley_terry(data, side_advantage=False)
    close(one, two)
    close(one, two, "se")


# Ford's condition.

CYCLE = [("a", "b", "left"), ("b", "c", "left"), ("c", "a", "left")]


def test_never_lost_without_a_ridge_has_no_estimate():
    data = table([*CYCLE, ("top", "a", "left"), ("top", "b", "left"), ("c", "low", "left")])
    ranking = bradley_terry(data, ridge=0)
    frame = ranking.frame.set_index("item_id")
    assert not ranking.strongly_connected
    assert frame.loc["top", "note"].startswith("never lost: no finite estimate without a ridge")
    assert frame.loc["low", "note"].startswith("never won: no finite estimate")
    assert frame.loc[["top", "low"], ["score", "se", "low", "high", "rank"]].isna().all(axis=None)
    assert frame.loc[["a", "b", "c"], "score"].to_numpy() == pytest.approx(0, abs=1e-9)
    assert frame.loc["a", "rank"] == 1
    assert frame.loc["a", "note"] == "no standard error: fewer than 2 clusters"
    assert frame["component"].nunique() == 1


def test_with_a_ridge_the_score_is_finite_and_said_to_be_the_ridges():
    data = table([*CYCLE, ("top", "a", "left"), ("top", "b", "left")], ["r1", "r2"] * 2 + ["r1"])
    ranking = bradley_terry(data, ridge=0.02)
    frame = ranking.frame.set_index("item_id")
    assert frame.loc["top", "note"] == "never lost: finite only because of the ridge"
    assert ranking.n_by_ridge == 1
    assert ranking.n_apart == bradley_terry(data, ridge=0).n_by_ridge == 0
    assert frame.loc["top", "rank"] == 1
    assert np.isfinite(frame["score"]).all()
    assert frame.loc["a", "note"] == ""
    far = bradley_terry(data, ridge=1e-6).frame.set_index("item_id")
    assert far.loc["top", "score"] > frame.loc["top", "score"] + 3


def test_groups_above_and_below_the_main_one():
    upper = [("x", "y", "left"), ("y", "x", "left")]
    data = table([*CYCLE, *upper, ("x", "a", "left")])
    frame = bradley_terry(data, ridge=0).frame.set_index("item_id")
    assert frame.loc[["x", "y"], "score"].isna().all()
    for item in ("x", "y"):
        assert frame.loc[item, "note"].startswith("never loses to the main group")
    below = table([*CYCLE, *upper, ("a", "x", "left")])
    notes = bradley_terry(below, ridge=0).frame.set_index("item_id")["note"]
    assert notes["y"].startswith("never beats the main group")


def test_one_game_has_no_estimate_at_all():
    ranking = bradley_terry(table([("a", "b", "left")]), ridge=0, side_advantage=True)
    assert ranking.frame["score"].isna().all()
    assert np.isnan(ranking.reliability)
    assert ranking.side_advantage is None
    line = bradley_terry(table([("a", "b", "left"), ("b", "c", "left")]), ridge=0)
    notes = column(line, "note")
    assert notes["b"].startswith("no two items beat each other")


def test_groups_never_compared_share_no_scale():
    other = [("x", "y", "left"), ("y", "x", "left"), ("x", "y", "left")]
    ranking = bradley_terry(table([*CYCLE, ("a", "b", "right"), *other]), ridge=0)
    frame = ranking.frame
    assert ranking.strongly_connected
    assert frame.groupby("component")["rank"].min().tolist() == [1, 1]
    assert frame.groupby("component")["score"].mean().to_numpy() == pytest.approx(0, abs=1e-9)
    assert frame["note"].str.contains("2 groups never compared").all()
    assert ranking.n_apart == len(frame)
    log_two = np.log(2) / 2
    assert column(ranking)["x"] == pytest.approx(log_two, abs=1e-8)


def test_a_side_that_always_wins_is_an_error():
    data = table([("a", "b", "left"), ("b", "a", "left"), ("a", "b", "left"), ("b", "a", "left")])
    with pytest.raises(RatifyError, match="no finite estimate"):
        bradley_terry(data, side_advantage=True)


def test_scenarios_are_fitted_apart_and_share_the_side():
    _, one = simulated(6, 300, 5, side=0.5)
    _, two = simulated(6, 300, 6, side=0.5)
    both = pd.concat([one.assign(scenario="s"), two.assign(scenario="t")], ignore_index=True)
    frame = bradley_terry(both).frame
    alone = column(bradley_terry(one))
    in_both = frame[frame["scenario"] == "s"].set_index("item_id")["score"].sort_index()
    assert in_both.to_numpy() == pytest.approx(alone.to_numpy(), abs=1e-7)
    pooled = bradley_terry(both, by=None)
    assert pooled.n_items == 6
    assert len(frame) == 12
    shared = bradley_terry(both, side_advantage=True)
    sides = [bradley_terry(d, side_advantage=True).side_advantage for d in (one, two)]
    assert min(sides) < shared.side_advantage < max(sides)


def test_a_large_sparse_graph_and_a_chain():
    truth, data = simulated(1500, 60_000, 7)
    ranking = bradley_terry(data, cluster=None, ridge=0.02, errors=False)
    assert np.corrcoef(column(ranking), truth)[0, 1] > 0.95
    assert ranking.frame["se"].isna().all()
    assert ranking.frame["note"].eq("").all()
    games = [
        (f"{k:05d}", f"{k + 1:05d}", c) for k in range(1500) for c in ("left", "right", "left")
    ]
    chain = bradley_terry(table(games), ridge=0, errors=False)
    # Every link is won 2 to 1, so neighbours lie log 2 apart.
    assert -np.diff(column(chain)) == pytest.approx(np.log(2), abs=1e-6)
    assert chain.strongly_connected


# Uncertainty.


def test_bootstrap_agrees_with_the_sandwich_and_is_seeded():
    _, data = simulated(8, 1200, 8)
    plain = bradley_terry(data)
    one = bradley_terry(data, bootstrap=300, rng=np.random.default_rng(1))
    two = bradley_terry(data, bootstrap=300, rng=np.random.default_rng(1))
    close(one, plain)
    assert column(one, "low").equals(column(two, "low"))
    ratio = column(one, "se") / column(plain, "se")
    assert ratio.between(0.85, 1.2).all()
    assert (column(one, "low") < column(one)).all()
    assert "300 resamples" in one.method
    with pytest.raises(RatifyError, match="generator"):
        bradley_terry(data, bootstrap=10)


def test_drawing_clusters_one_by_one_is_the_same_bootstrap(monkeypatch):
    drawn = {}
    for most in (10_000, 0):
        monkeypatch.setattr(bt_errors, "_MANY_CLUSTERS", most)
        drawn[most] = bt_errors._drawn_clusters(50, 4000, np.random.default_rng(2))
        assert (drawn[most].sum(axis=1) == 50).all()
    # Counts of one cluster: mean 1, variance 1 - 1/50.
    for counts in drawn.values():
        assert counts.mean(axis=0) == pytest.approx(1, abs=0.08)
        assert counts.var(axis=0).mean() == pytest.approx(0.98, abs=0.02)


@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_the_short_evaluation_is_the_careful_one(monkeypatch, ridge):
    _, data = simulated(12, 400, 31, side=0.3)
    short = bradley_terry(data, ridge=ridge, side_advantage=True)
    monkeypatch.setattr(newton_module, "_NEAR", 0.0)
    careful = bradley_terry(data, ridge=ridge, side_advantage=True)
    close(short, careful, tolerance=1e-9)
    close(short, careful, "se", tolerance=1e-9)


def test_bootstrap_counts_resamples_without_an_estimate():
    # a's only loss is one rater's: a resample without this rater has no finite estimate.
    data = table(
        [("a", "b", "left")] * 6 + [("a", "b", "right")], [f"r{k}" for k in range(6)] + ["r6"]
    )
    ranking = bradley_terry(data, ridge=0, bootstrap=200, rng=np.random.default_rng(0))
    lost = int(ranking.method.partition("of which ")[2].split()[0])
    assert 45 < lost < 100  # (6/7)^7 of 200 is 68
    assert ranking.frame["low"].notna().all()


def test_reliability_is_the_stated_ratio():
    _, data = simulated(8, 800, 9)
    ranking = bradley_terry(data)
    frame = ranking.frame
    expected = 1 - (frame["se"] ** 2).mean() / frame["score"].var(ddof=1)
    assert ranking.reliability == pytest.approx(expected)
    assert 0.5 < ranking.reliability < 1


def test_intervals_cover_at_study_size():
    # 150 raters x 10, 30 items: 40 studies x 30 intervals, measured .94 (600 and more: .942).
    hits = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=30)
        truth -= truth.mean()
        pairs = np.concatenate([rng.permutation(30).reshape(15, 2) for _ in range(20)])
        won = rng.random(300) < expit(truth[pairs[:, 0]] - truth[pairs[:, 1]])
        games = [
            (f"{a:02d}", f"{b:02d}", "left" if w else "right")
            for (a, b), w in zip(pairs, won, strict=True)
        ]
        frame = bradley_terry(table(games, np.arange(300) // 2)).frame.sort_values("item_id")
        hits.append(((frame["low"] <= truth) & (truth <= frame["high"])).mean())
    assert 0.92 < np.mean(hits) < 0.97


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"ridge": -1.0}, "ridge"),
        ({"ridge": float("nan")}, "ridge"),
        ({"level": 1.0}, "level"),
        ({"bootstrap": -1}, "bootstrap"),
        ({"cluster": "judge"}, "no column 'judge'"),
    ],
)
def test_settings_out_of_range(bad, word):
    with pytest.raises(RatifyError, match=word):
        bradley_terry(table(CYCLE), **bad)


def test_missing_rater_is_named():
    with pytest.raises(RatifyError, match="row 3, column rater_id"):
        bradley_terry(table(CYCLE, ["r1", None, "r2"]))


# Ways in: text, categories, numbers, codes.


def coded(data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    names = sorted(set(data["left_id"]) | set(data["right_id"]))
    left, right = (data[c].map(names.index).to_numpy() for c in ("left_id", "right_id"))
    return left, right, (data["choice"] == "left").to_numpy(), names


def test_every_way_in_gives_the_same_ranking():
    _, data = simulated(12, 200, 21)
    expected = bradley_terry(data).frame
    names = pd.CategoricalDtype([f"i{k:05d}" for k in range(14)][::-1])
    categories = data.astype(
        {"left_id": names, "right_id": names, "choice": "category", "rater_id": "category"}
    )
    pd.testing.assert_frame_equal(bradley_terry(categories).frame, expected)
    left, right, won, ids = coded(data)
    rater = pd.factorize(data["rater_id"])[0] + 5
    # An item that nobody compared gets no place.
    codes = Comparisons.from_codes(left, right, won, names=[*ids, "unseen"], cluster=rater)
    pd.testing.assert_frame_equal(bradley_terry(codes).frame, expected)
    pd.testing.assert_frame_equal(elo(codes).frame, elo(data).frame)
    numbers = data.assign(left_id=left * 7, right_id=right * 7, rater_id=rater)
    got = bradley_terry(numbers).frame.assign(item_id=lambda f: f["item_id"].astype(int) // 7)
    assert got["score"].to_numpy() == pytest.approx(expected["score"].to_numpy(), abs=1e-9)
    assert got["se"].to_numpy() == pytest.approx(expected["se"].to_numpy(), abs=1e-9)
    assert [f"i{k:05d}" for k in got["item_id"]] == expected["item_id"].tolist()
    both = pd.concat([data.assign(scenario=s) for s in ("t", "s")], ignore_index=True)
    pd.testing.assert_frame_equal(
        bradley_terry(both.astype({"scenario": "category"})).frame, bradley_terry(both).frame
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"left": [0, 1, 5]}, "left has a code out of range"),
        ({"right": [1, 2, -1]}, "right has a code out of range"),
        ({"right": [1, 1, 2]}, "an item is compared with itself"),
        ({"right": [1, 2]}, "right has the wrong length"),
        ({"left": [0.0, 1.0, 2.0]}, "left is not a 1-d array of integer codes"),
        ({"left_won": [1, 0, 1]}, "left_won does not have one truth value"),
        ({"left": [], "right": [], "left_won": []}, "there are no judgments"),
    ],
)
def test_codes_that_cannot_be_ranked(change, words):
    given_codes = {"left": [0, 1, 2], "right": [1, 2, 0], "left_won": [True, False, True]} | change
    types = {"left_won": bool if not change.get("left_won") else int}
    arrays = {
        k: np.array(v, dtype=types.get(k, None if v else np.int64)) for k, v in given_codes.items()
    }
    with pytest.raises(RatifyError, match=words):
        Comparisons.from_codes(**arrays, names=["a", "b", "c"])
    with pytest.raises(RatifyError, match=words):
        fit_codes(**arrays, n_items=3)


def test_names_and_raters_of_codes_are_checked():
    left, right, won = np.array([0, 1]), np.array([1, 0]), np.array([True, False])
    with pytest.raises(RatifyError, match="a name occurs more than once"):
        Comparisons.from_codes(left, right, won, names=["a", "a"])
    with pytest.raises(RatifyError, match="cluster has the wrong length"):
        Comparisons.from_codes(left, right, won, names=["a", "b"], cluster=np.array([1]))


@pytest.mark.parametrize("absent", [None, ""])
def test_an_empty_category_is_named(absent):
    kind = pd.CategoricalDtype(["a", "b", "c", ""])
    data = table(CYCLE).astype({"left_id": kind, "right_id": kind})
    data.loc[1, "right_id"] = absent
    with pytest.raises(RatifyError, match="row 3, column right_id: is empty"):
        bradley_terry(data)
    numbers = pd.CategoricalDtype([1.5, 2.5])
    with pytest.raises(RatifyError, match="read the id as a number"):
        bradley_terry(
            pd.DataFrame({"left_id": [1.5], "right_id": [2.5], "choice": ["left"]}).astype(
                {"left_id": numbers, "right_id": numbers}
            ),
            cluster=None,
        )


@pytest.mark.parametrize("side", [False, True])
def test_the_bare_fit_is_the_ranking_and_its_gradient_is_nothing(side):
    _, data = simulated(12, 400, 22)
    left, right, won, ids = coded(data)
    bare = fit_codes(left, right, won, len(ids) + 1, side_advantage=side)
    whole = bradley_terry(data, side_advantage=side)
    assert bare.score[:-1] == pytest.approx(values(whole), abs=1e-10)
    assert np.isnan(bare.score[-1])  # an item never played has no score, rather than 0
    assert bare.component[-1] == -1
    surprise = won - expit(bare.score[left] - bare.score[right] + bare.side)
    pull = np.bincount(left, surprise, len(ids)) - np.bincount(right, surprise, len(ids))
    assert np.abs(pull - 0.02 * bare.score[:-1]).max() < 1e-8
    assert not side or abs(surprise.sum()) < 1e-8


def test_the_bare_fit_says_what_has_no_estimate():
    left, right = np.array([0, 1, 2, 3]), np.array([1, 2, 0, 0])
    won = np.ones(4, dtype=bool)
    assert np.isnan(fit_codes(left, right, won, 4, ridge=0).score).tolist() == [False] * 3 + [True]
    ridged = fit_codes(left, right, won, 4)
    assert ridged.only_ridge.tolist() == [False] * 3 + [True]
    assert np.isfinite(ridged.score).all()


def test_large_tables_are_counted_and_summed_the_same(monkeypatch):
    _, data = simulated(12, 300, 23)
    both = pd.concat([data.assign(scenario=s) for s in ("s", "t")], ignore_index=True)
    for side in (False, True):
        expected = bradley_terry(both, side_advantage=side).frame
        with monkeypatch.context() as patch:
            patch.setattr(paircounts, "_TABLE_CELLS", 0)
            patch.setattr(paircounts, "_CHUNK", 64)
            patch.setattr(bt_errors, "_CHUNK", 16)
            patch.setattr(bt_errors, "_DENSER", 0 if side else 1e9)
            patch.setattr(curvature, "_SYMMETRIC_CELLS", 0)
            patch.setattr(curvature, "STEP_ITEMS", 1)
            got = bradley_terry(both, side_advantage=side).frame
        pd.testing.assert_frame_equal(got, expected, rtol=1e-8)


def test_every_judgment_its_own_cluster_equals_white():
    _, data = simulated(6, 300, 24)
    left, right, won, _ = coded(data)
    design = np.zeros((300, 6))
    design[np.arange(300), left], design[np.arange(300), right] = 1, -1
    fit = sm.Logit(won.astype(float), design[:, 1:]).fit(disp=0, tol=1e-14, cov_type="HC0")
    contrast = np.vstack([np.zeros(5), np.eye(5)]) - 1 / 6
    expected = np.sqrt(np.diag(contrast @ fit.cov_params() @ contrast.T) * 300 / 299)
    got = values(bradley_terry(data, ridge=0, cluster=None), "se")
    assert got == pytest.approx(expected, abs=1e-6)


def test_a_bootstrap_without_errors_is_refused():
    with pytest.raises(RatifyError, match="a bootstrap is only for errors"):
        bradley_terry(table(CYCLE), errors=False, bootstrap=2, rng=np.random.default_rng(0))


# How two rankings agree.


def scored(values, scenario, name="score") -> pd.DataFrame:
    ids = [f"i{k:03d}" for k in range(len(values))]
    return pd.DataFrame({"item_id": ids, "scenario": scenario, name: values})


def test_rank_correlation_equals_scipy_and_aligns_by_id():
    rng = np.random.default_rng(3)
    x = rng.normal(size=60)
    y = x + rng.normal(size=60)
    scenario = np.repeat(["s", "t"], 30)
    one = scored(x, scenario)
    two = scored(y, scenario, "elo").sample(frac=1, random_state=1)
    got = rank_correlation(one, two, y_score="elo", rng=rng)
    expected = pd.Series(x).corr(pd.Series(y), method="spearman")
    assert got.estimate == pytest.approx(expected, abs=1e-12)
    half = 1.959963984540054 * np.sqrt((1 + expected**2 / 2) / 57)  # Bonett and Wright (2000)
    assert got.low == pytest.approx(np.tanh(np.arctanh(expected) - half), abs=1e-9)
    halves = [
        pd.Series(x[k : k + 30]).corr(pd.Series(y[k : k + 30]), method="spearman") for k in (0, 30)
    ]
    assert got.frame["estimate"].to_numpy() == pytest.approx(halves, abs=1e-12)
    assert got.within == pytest.approx(np.tanh(np.mean(np.arctanh(halves))), abs=1e-9)
    assert got.boot_low < got.estimate < got.boot_high
    assert abs((got.boot_high - got.boot_low) - (got.high - got.low)) < 0.12
    assert got.n == 60
    assert got.n_unmatched == 0


def test_pooling_scores_with_other_levels_is_told_by_the_second_number():
    x = np.concatenate([np.arange(10.0), np.arange(10.0) + 100])
    y = np.concatenate([np.arange(10.0) + 100, np.arange(10.0)])
    scenario = np.repeat(["s", "t"], 10)
    got = rank_correlation(scored(x, scenario), scored(y, scenario), bootstrap=0)
    assert got.within == pytest.approx(1.0)
    assert got.estimate < 0
    assert np.isnan(got.boot_low)


def test_rank_correlation_counts_what_it_leaves_out():
    one = scored([1.0, 2.0, 3.0, 4.0, np.nan], "s")
    two = scored([1.0, 2.0, 4.0, 3.0, 5.0, 6.0], "s")
    got = rank_correlation(one, two, bootstrap=0)
    assert (got.n, got.n_unmatched) == (4, 2)
    with pytest.raises(RatifyError, match="too few"):
        rank_correlation(one, two.assign(item_id="z" + two["item_id"]), bootstrap=0)
    with pytest.raises(RatifyError, match="no order"):
        rank_correlation(one, two.assign(score=1.0), bootstrap=0)
    with pytest.raises(RatifyError, match="row 3, column item_id: occurs more than once"):
        rank_correlation(one.assign(item_id="a"), two, bootstrap=0)


def test_two_rankings_of_one_truth_agree():
    _, people = simulated(30, 2000, 12)
    _, judge = simulated(30, 2000, 12)
    got = rank_correlation(bradley_terry(people).frame, elo(judge).frame, bootstrap=0)
    assert got.estimate > 0.8


def test_what_only_the_ridge_makes_finite_has_no_interval() -> None:
    rows = [("a", "b", "left"), ("b", "c", "left"), ("c", "b", "left"), ("a", "c", "left")] * 3
    judgments = pd.DataFrame(rows, columns=["left_id", "right_id", "choice"])
    judgments["rater_id"] = [f"r{i % 4}" for i in range(len(judgments))]
    frame = bradley_terry(judgments, ridge=0.02).frame.set_index("item_id")
    assert "never lost" in frame.loc["a", "note"]
    assert frame.loc["a", "score"] > frame.loc["b", "score"]
    assert frame.loc["a", ["se", "low", "high"]].isna().all()
    assert frame.loc["b", ["se", "low", "high"]].notna().all()
