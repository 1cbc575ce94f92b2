"""If this failed, Davidson's or Rao-Kupper's scores, errors or room for ties were wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from analysis.ranking import bradley_terry
from analysis.ranking.draws import score_errors
from analysis.ranking.rank_intervals import rank_intervals
from analysis.ranking.tie_fit import Judged, _Problem, fit_ties
from analysis.ranking.tie_models import MODELS, Said, TieModel
from analysis.ranking.ties import TiedRanking, rank_with_ties, score_errors_with_ties
from prereg.errors import RatifyError

R = json.loads((Path(__file__).parents[2] / "reference" / "ties.json").read_text())
BOTH: tuple[TieModel, ...] = ("davidson", "rao_kupper")


def from_cells() -> pd.DataFrame:
    """The judgments that R fitted: one row each, sixty raters in turn."""
    rows = [
        (f"i{left}", f"i{right}", choice)
        for left, right, *counts in R["cells"]
        for choice, count in zip(("left", "tie", "right"), counts, strict=True)
        for _ in range(count)
    ]
    table = pd.DataFrame(rows, columns=["left_id", "right_id", "choice"])
    table = table.sample(frac=1, random_state=3).reset_index(drop=True)
    return table.assign(rater_id=[f"r{n % 60}" for n in range(len(table))])


def simulated(
    rng: np.random.Generator, model: TieModel, *, items: int = 8, n: int = 2_000, side: float = 0.0
) -> tuple[pd.DataFrame, np.ndarray]:
    score = np.linspace(1, -1, items)
    left = rng.integers(items, size=n)
    right = (left + rng.integers(1, items, size=n)) % items
    won, lost, _ = MODELS[model].chances(score[left] - score[right] + side, 0.5)
    drawn = rng.random(n)
    said = np.where(drawn < won, "left", np.where(drawn < won + lost, "right", "tie"))
    return pd.DataFrame(
        {
            "left_id": [f"i{k}" for k in left],
            "right_id": [f"i{k}" for k in right],
            "choice": said,
            "rater_id": [f"r{k}" for k in rng.integers(100, size=n)],
        }
    ), score


def scores(found: TiedRanking) -> np.ndarray:
    return found.frame.set_index("item_id")["score"].sort_index().to_numpy()


@pytest.mark.parametrize("model", BOTH)
def test_scores_and_room_are_those_of_r(model: TieModel) -> None:
    found = rank_with_ties(from_cells(), model=model, ridge=0)
    np.testing.assert_allclose(found.tie + found.tie_bias, R[model]["room"], atol=2e-7)
    relative = scores(found) - scores(found)[0]
    np.testing.assert_allclose(relative, R[model]["scores"], atol=2e-7)
    assert abs(scores(found).mean()) < 1e-9


def test_with_a_side_advantage_too() -> None:
    found = rank_with_ties(from_cells(), model="davidson", ridge=0, side_advantage=True)
    want = R["davidson_with_side"]
    np.testing.assert_allclose(likeliest(found), [want["room"], want["side"]], atol=2e-7)
    np.testing.assert_allclose(scores(found) - scores(found)[0], want["scores"], atol=2e-7)
    found = rank_with_ties(from_cells(), model="rao_kupper", ridge=0, side_advantage=True)
    low, high = R["rao_kupper_with_side"]["thresholds"]
    np.testing.assert_allclose(likeliest(found), [(high - low) / 2, -(high + low) / 2], atol=2e-7)
    relative = scores(found) - scores(found)[0]
    np.testing.assert_allclose(relative, R["rao_kupper_with_side"]["scores"], atol=2e-7)


def likeliest(found: TiedRanking) -> list[float]:
    """The maximum of the likelihood: what was reported, without its correction for bias."""
    assert found.side_advantage is not None
    assert found.side_bias is not None
    return [found.tie + found.tie_bias, found.side_advantage + found.side_bias]


def test_rao_kupper_with_a_side_is_statsmodels_ordered_logit() -> None:
    table = from_cells()
    names = sorted(set(table["left_id"]))
    sides = [table[side].to_numpy()[:, None] == names[1:] for side in ("left_id", "right_id")]
    said = table["choice"].map({"right": 0, "tie": 1, "left": 2}).to_numpy()
    fit = OrderedModel(said, sides[0].astype(float) - sides[1], distr="logit").fit(
        method="newton", disp=False
    )
    found = rank_with_ties(table, model="rao_kupper", ridge=0, side_advantage=True)
    ours = scores(found)
    np.testing.assert_allclose(ours[1:] - ours[0], np.asarray(fit.params)[:5], atol=1e-6)


def brute_force(
    model: TieModel, table: pd.DataFrame, names: list[str]
) -> tuple[Callable, Callable]:
    """The log likelihood written out, of all judgments and of each; parameters: scores, room."""
    left, right = (table[side].map(names.index).to_numpy() for side in ("left_id", "right_id"))
    said = table["choice"].to_numpy()

    def each(x: np.ndarray) -> np.ndarray:
        lead, room = x[left] - x[right], np.exp(x[-1])
        if model == "davidson":
            strength = np.exp(x[:-1])
            top, bottom = strength[left], strength[right]
            middle = room * np.sqrt(top * bottom)
            chance = {"left": top, "right": bottom, "tie": middle}
            whole = top + bottom + middle
            return np.log(np.select([said == k for k in chance], list(chance.values())) / whole)
        won, lost = expit(lead - np.log(room)), expit(-lead - np.log(room))
        neither = np.maximum(1 - won - lost, 1e-300)  # theta below 1 is tried, too
        chance = {"left": won, "right": lost, "tie": neither}
        return np.log(np.select([said == k for k in chance], list(chance.values())))

    return each, lambda x: -each(x).sum() + 0.1 * float(x[:-1] @ x[:-1])


@pytest.mark.parametrize("model", BOTH)
def test_ridge_and_clustered_errors_are_those_of_the_likelihood_written_out(
    model: TieModel,
) -> None:
    table = simulated(np.random.default_rng(2), model, items=4, n=240)[0]
    names = sorted(set(table["left_id"]))
    found = rank_with_ties(table, model=model, ridge=0.2)
    each, worth = brute_force(model, table, names)
    start = np.append(np.zeros(len(names)), 0.5)
    best = minimize(worth, start, method="BFGS", options={"gtol": 1e-8}).x
    np.testing.assert_allclose(scores(found), best[:-1], atol=1e-5)
    np.testing.assert_allclose(found.tie + found.tie_bias, best[-1], atol=1e-5)
    here = np.append(scores(found), found.tie + found.tie_bias)
    pulls = np.column_stack(
        [(each(here + step) - each(here - step)) / 2e-5 for step in 1e-5 * np.eye(len(here))]
    )
    bend = np.array(
        [
            (approx_fprime(here + step, worth, 1e-6) - approx_fprime(here - step, worth, 1e-6))
            / 2e-4
            for step in 1e-4 * np.eye(len(here))
        ]
    )
    sums = pd.DataFrame(pulls).groupby(table["rater_id"].to_numpy()).sum().to_numpy()
    clusters = len(sums)
    inverse = np.linalg.inv(bend)
    errors = np.sqrt(np.diag(inverse @ (sums.T @ sums) @ inverse) * clusters / (clusters - 1))
    ours = found.frame.set_index("item_id")["se"].sort_index().to_numpy()
    np.testing.assert_allclose(np.append(ours, found.tie_se), errors, rtol=2e-3)


@pytest.mark.parametrize("model", BOTH)
def test_derivatives_are_those_of_the_value(model: TieModel) -> None:
    likelihood = MODELS[model]
    said = Said(np.array([3.0, 0, 1]), np.array([1.0, 2, 0]), np.array([2.0, 1, 4]))
    lead, room = np.array([0.7, -1.1, 0.2]), 0.6
    found = likelihood.slopes(said, lead, room)
    for at in range(3):
        one = Said(*(part[at : at + 1] for part in said))

        def worth(x: np.ndarray, one: Said = one) -> float:
            return likelihood.value(one, x[:1], float(x[1]))

        def slope(x: np.ndarray, one: Said = one) -> np.ndarray:
            now = likelihood.slopes(one, x[:1], float(x[1]))
            return np.array([now.lead[0], now.room[0]])

        here = np.array([lead[at], room])
        first = approx_fprime(here, worth, 1e-7)
        np.testing.assert_allclose([found.lead[at], found.room[at]], first, atol=1e-5)
        second = approx_fprime(here, slope, 1e-7)
        ours = [[found.lead2[at], found.both[at]], [found.both[at], found.room2[at]]]
        np.testing.assert_allclose(-np.asarray(ours), second, atol=1e-5)
    chances = likelihood.chances(lead, room)
    np.testing.assert_allclose(sum(chances), 1)
    equal = likelihood.chances(np.zeros(1), room)[2][0]
    assert likelihood.of_equals(room) == pytest.approx(equal)
    assert likelihood.first_guess(equal) == pytest.approx(room)


def test_the_bias_is_the_slope_of_jeffreys_prior() -> None:
    """So it is in an exponential family (Firth 1993), which Davidson's model is."""
    rng = np.random.default_rng(3)
    left = rng.integers(5, size=120)
    right = (left + rng.integers(1, 5, size=120)) % 5
    said = rng.integers(3, size=120)
    group = np.zeros(5, dtype=np.int64)
    judged = Judged(left, right, said == 0, said == 1, np.arange(120), group)
    for side in (False, True):
        fit = fit_ties(judged, MODELS["davidson"], ridge=0, side=side, start=np.zeros(5))
        problem = _Problem(judged, MODELS["davidson"], 0.0, side)
        here = np.concatenate([fit.score, [fit.room], [fit.side] * side])

        def bend(x: np.ndarray, problem: _Problem = problem) -> np.ndarray:
            """Of scores relative to item 0, whose own level means nothing."""
            return problem.slopes(x)[1][1:, 1:]

        steps = 1e-5 * np.eye(len(here))[1:]
        logs = [
            [float(np.linalg.slogdet(bend(here + sign * step))[1]) for sign in (1, -1)]
            for step in steps
        ]
        slope = [(up - down) / 2e-5 for up, down in logs]
        want = -np.linalg.solve(bend(here), slope) / 2
        ours = fit.bias[1:] - np.append(np.full(4, fit.bias[0]), np.zeros(len(here) - 5))
        np.testing.assert_allclose(ours, want, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("model", BOTH)
def test_the_room_is_not_too_large_where_items_have_few_judgments(model: TieModel) -> None:
    rng = np.random.default_rng(21)
    found = [
        rank_with_ties(simulated(rng, model, items=20, n=200)[0], model=model) for _ in range(40)
    ]
    raw = np.array([one.tie + one.tie_bias for one in found])
    corrected = np.array([one.tie for one in found])
    error = corrected.std() / np.sqrt(len(found))
    assert abs(corrected.mean() - 0.5) < 3.5 * error
    assert raw.mean() - 0.5 > 3.5 * error


@pytest.mark.parametrize("model", BOTH)
def test_the_truth_comes_back(model: TieModel) -> None:
    table, truth = simulated(np.random.default_rng(5), model, n=20_000, side=0.3)
    found = rank_with_ties(table, model=model, ridge=0, side_advantage=True)
    np.testing.assert_allclose(scores(found), truth, atol=0.1)
    assert found.tie == pytest.approx(0.5, abs=0.06)
    assert found.side_advantage == pytest.approx(0.3, abs=0.06)
    assert found.tie_low < 0.5 < found.tie_high
    assert found.n_ties == (table["choice"] == "tie").sum()


@pytest.mark.parametrize("model", BOTH)
def test_exchanged_sides_other_names_and_another_order_change_nothing(model: TieModel) -> None:
    table = simulated(np.random.default_rng(8), model, n=400)[0]
    plain = rank_with_ties(table, model=model)
    turned = table.rename(columns={"left_id": "right_id", "right_id": "left_id"}).assign(
        choice=table["choice"].map({"left": "right", "right": "left", "tie": "tie"})
    )
    names = {f"i{k}": f"z{(3 * k) % 8}" for k in range(8)}
    other = table.replace({"left_id": names, "right_id": names})
    shuffled = table.sample(frac=1, random_state=1)
    want = plain.frame.set_index("item_id")[["score", "se", "low", "high"]]
    for again in (turned, shuffled):
        mine = rank_with_ties(again, model=model).frame.set_index("item_id")
        np.testing.assert_allclose(mine.loc[want.index, want.columns], want, rtol=1e-6, atol=1e-8)
    mine = rank_with_ties(other, model=model).frame.set_index("item_id")
    renamed = mine.loc[[names[name] for name in want.index], want.columns]
    np.testing.assert_allclose(renamed, want, rtol=1e-6, atol=1e-8)


def test_scenarios_share_the_room_and_nothing_else() -> None:
    rng = np.random.default_rng(3)
    one, two = (simulated(rng, "davidson", items=5, n=500)[0] for _ in range(2))
    both = pd.concat([one.assign(scenario="a"), two.assign(scenario="b")], ignore_index=True)
    found = rank_with_ties(both)
    assert found.frame.groupby("scenario")["score"].sum().abs().max() < 1e-8
    assert found.frame["component"].tolist() == [1] * 5 + [2] * 5
    for _, part in found.frame.groupby("scenario"):
        assert part["rank"].tolist() == [1, 2, 3, 4, 5]
        assert all(high >= low for high, low in pairwise(part["score"]))
    alone = rank_with_ties(one)
    assert abs(alone.tie - found.tie) < 0.2
    assert found.tie_se < alone.tie_se


def test_the_joint_errors_are_the_errors_and_ranks_have_intervals() -> None:
    table = simulated(np.random.default_rng(6), "rao_kupper", n=1_500)[0]
    errors = score_errors_with_ties(table, model="rao_kupper")
    np.testing.assert_allclose(errors.se, errors.ranking.frame["se"], rtol=1e-10)
    found = rank_intervals(errors, rng=np.random.default_rng(1), resamples=200).frame
    assert (found["rank_low"] <= found["rank"]).all()
    assert (found["rank"] <= found["rank_high"]).all()


def test_half_wins_have_the_joint_errors_of_the_ranking() -> None:
    table = simulated(np.random.default_rng(6), "davidson", n=900)[0]
    errors = score_errors(table, tie="tie")
    np.testing.assert_allclose(errors.se, bradley_terry(table, tie="tie").frame["se"], rtol=1e-8)
    assert "half a win" in errors.method


def test_half_wins_shrink_scores_and_davidson_does_not() -> None:
    table, truth = simulated(np.random.default_rng(9), "davidson", n=20_000)
    half = bradley_terry(table, tie="tie", ridge=0).frame["score"].std()
    decided = bradley_terry(table[table["choice"] != "tie"], ridge=0).frame["score"].std()
    davidson = rank_with_ties(table, ridge=0).frame["score"].std()
    assert half < 0.85 * davidson
    assert davidson == pytest.approx(truth.std(ddof=1), rel=0.05)
    assert decided == pytest.approx(davidson, rel=0.05)


@pytest.mark.parametrize("model", BOTH)
def test_what_has_no_finite_estimate_is_refused_or_named(model: TieModel) -> None:
    table = simulated(np.random.default_rng(1), model, n=200)[0]
    with pytest.raises(RatifyError, match=r"there are no ties, so .*half a win"):
        rank_with_ties(table[table["choice"] != "tie"], model=model)
    with pytest.raises(RatifyError, match=r"there are only ties"):
        rank_with_ties(table.assign(choice="tie"), model=model)
    with pytest.raises(RatifyError, match=r"unknown model, got 'elo'"):
        rank_with_ties(table, model="elo")  # type: ignore[arg-type]
    never = pd.DataFrame(
        {"left_id": "winner", "right_id": ["i1", "i2"], "choice": "left", "rater_id": ["a", "b"]}
    )
    more = pd.concat([table, never], ignore_index=True)
    with_ridge = rank_with_ties(more, model=model).frame.set_index("item_id").loc["winner"]
    assert "never lost: finite only because of the ridge" in with_ridge["note"]
    assert np.isfinite(with_ridge["score"])
    assert np.isnan(with_ridge["se"])
    without = rank_with_ties(more, model=model, ridge=0).frame.set_index("item_id")
    assert np.isnan(without.loc["winner", "score"])
    assert pd.isna(without.loc["winner", "rank"])
    assert without.drop("winner")["se"].notna().all()
    lone = rank_with_ties(table.assign(rater_id="one"), model=model)
    assert lone.frame["se"].isna().all()
    assert lone.frame["note"].str.contains("fewer than 2 clusters").all()
    assert np.isnan(lone.tie_se)
