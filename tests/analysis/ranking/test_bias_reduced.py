"""If this failed, an item that never lost would have an invented score, or no interval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit

from analysis.ranking.bias_reduced import MOST_PROFILED, bias_reduced, bias_reduced_errors
from analysis.ranking.draws import score_errors
from analysis.ranking.from_table import rank_table
from analysis.ranking.rank_intervals import rank_intervals
from analysis.ranking.win_probability import pairwise_probability
from prereg.errors import RatifyError
from tests.reference.firth import COUNTS, FOUND


def table(counts: list[tuple[str, str, int, int]], raters: int = 1) -> pd.DataFrame:
    rows = [
        (first, second, choice)
        for first, second, ahead, behind in counts
        for choice, times in (("left", ahead), ("right", behind))
        for _ in range(times)
    ]
    frame = pd.DataFrame(rows, columns=["left_id", "right_id", "choice"])
    return frame.assign(rater_id=[f"r{k % raters}" for k in range(len(frame))])


def simulated(items: int, n: int, raters: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=items)
    left = rng.integers(items, size=n)
    right = (left + rng.integers(1, items, size=n)) % items
    won = rng.random(n) < expit(truth[left] - truth[right])
    return pd.DataFrame(
        {
            "left_id": [f"i{k:03d}" for k in left],
            "right_id": [f"i{k:03d}" for k in right],
            "choice": np.where(won, "left", "right"),
            "rater_id": [f"r{k % raters}" for k in range(n)],
        }
    )


def test_scores_and_profiles_are_those_of_r() -> None:
    frame = bias_reduced(table(COUNTS), cluster=None).frame.set_index("item_id")
    expected = pd.DataFrame(FOUND, index=["score", "se", "low", "high"]).T.loc[frame.index]
    assert frame["score"].to_numpy() == pytest.approx(expected["score"].to_numpy(), abs=2e-6)
    assert frame["low"].to_numpy() == pytest.approx(expected["low"].to_numpy(), abs=1e-3)
    assert frame["high"].to_numpy() == pytest.approx(expected["high"].to_numpy(), abs=1e-3)
    assert frame.loc["w", "note"] == "never lost: finite because of the penalty"
    assert frame.loc["l", "note"] == "never won: finite because of the penalty"
    above, below = frame["high"] - frame["score"], frame["score"] - frame["low"]
    assert above["w"] > 2 * below["w"]
    assert below["l"] > 2 * above["l"]


@pytest.mark.parametrize(("won", "lost"), [(5, 0), (3, 2), (0, 1)])
def test_two_items_have_half_a_win_more_each(won: int, lost: int) -> None:
    """A closed form: Jeffreys' prior of one proportion adds 1/2 to both counts (Firth 1993)."""
    frame = bias_reduced(table([("a", "b", won, lost)]), cluster=None).frame.set_index("item_id")
    expected = np.log((won + 0.5) / (lost + 0.5))
    assert frame.loc["a", "score"] - frame.loc["b", "score"] == pytest.approx(expected, abs=1e-8)


def test_the_error_of_what_is_not_one_way_is_the_sandwich() -> None:
    data = simulated(8, 400, 20, 1)
    found = bias_reduced(data).frame.set_index("item_id")
    items = sorted(found.index)
    x = np.array(
        [
            [(i == a) - (i == b) for i in items]
            for a, b in zip(data["left_id"], data["right_id"], strict=True)
        ],
        dtype=float,
    )
    p = expit(x @ found.loc[items, "score"].to_numpy())
    inverse = np.linalg.pinv(x.T @ (x * (p * (1 - p))[:, None]))
    pulls = pd.DataFrame(x * ((data["choice"] == "left") - p).to_numpy()[:, None])
    pulls = pulls.groupby(data["rater_id"]).sum().to_numpy()
    variance = np.diag(inverse @ pulls.T @ pulls @ inverse) * 20 / 19
    assert found.loc[items, "se"].to_numpy() == pytest.approx(np.sqrt(variance), rel=1e-6)
    plain = sm.Logit((data["choice"] == "left").astype(float), x[:, 1:]).fit(disp=0).params
    plain = np.append(0, plain) - np.append(0, plain).mean()
    # bias reduction moves scores towards each other
    assert np.abs(found.loc[items, "score"]).max() < np.abs(plain).max()


def test_one_way_judgments_have_the_models_variance() -> None:
    """Item w won all: its error is then nearly the model's, not that of what is left over."""
    own = bias_reduced(table(COUNTS, raters=9)).frame.set_index("item_id")["se"]
    for item in ("w", "l"):
        assert own[item] == pytest.approx(FOUND[item][1], rel=0.1)


def test_sides_rows_and_names_do_not_matter() -> None:
    data = simulated(6, 40, 8, 2)
    turned = data.rename(columns={"left_id": "right_id", "right_id": "left_id"})
    turned["choice"] = data["choice"].map({"left": "right", "right": "left"})
    turned = turned.sample(frac=1, random_state=1).reset_index(drop=True)
    for name in ("left_id", "right_id"):
        turned[name] = "z" + turned[name]
    one, two = (bias_reduced(d).frame.set_index("item_id").sort_index() for d in (data, turned))
    for name in ("score", "se", "low", "high"):
        assert two[name].to_numpy() == pytest.approx(one[name].to_numpy(), abs=1e-3)
    other = data.assign(choice=turned["choice"].iloc[0])
    other["choice"] = data["choice"].map({"left": "right", "right": "left"})
    mirrored = bias_reduced(other).frame.set_index("item_id").sort_index()
    assert mirrored["score"].to_numpy() == pytest.approx(-one["score"].to_numpy(), abs=1e-8)
    assert mirrored["low"].to_numpy() == pytest.approx(-one["high"].to_numpy(), abs=1e-3)


def test_with_many_judgments_it_is_the_plain_ranking() -> None:
    data = simulated(6, 20_000, 200, 3)
    found, plain = bias_reduced_errors(data), score_errors(data, ridge=0)
    assert found.ranking.frame["item_id"].tolist() == plain.ranking.frame["item_id"].tolist()
    assert found.score == pytest.approx(plain.score, abs=2e-3)
    assert found.se == pytest.approx(plain.se, rel=1e-2)
    frame = found.ranking.frame
    wide = plain.ranking.frame
    # the design effect is that of the whole group, so intervals differ a little
    assert frame["low"].to_numpy() == pytest.approx(wide["low"].to_numpy(), abs=0.02)


def test_ranks_and_pairs_include_who_never_lost() -> None:
    errors = bias_reduced_errors(table(COUNTS, raters=9))
    assert errors.known.all()
    assert errors.se == pytest.approx(errors.ranking.frame["se"].to_numpy())
    assert errors.n_clusters == 9
    assert all(block.freedom == 8 for block in errors.blocks)
    rng = np.random.default_rng(1)
    ranks = rank_intervals(errors, rng=rng, resamples=200).frame.set_index("item_id")
    assert ranks["rank_low"].notna().all()
    assert ranks.loc["w", "rank_low"] == 1
    pairs = pairwise_probability(errors).frame
    assert pairs["low"].notna().all()
    drawn = errors.draws(2000, rng)
    assert drawn.std(axis=0) == pytest.approx(errors.se, rel=0.1)


def test_ties_are_half_wins_and_groups_apart_stay_apart() -> None:
    data = table([("a", "b", 2, 1), ("b", "c", 2, 2), ("e", "f", 3, 0)], raters=4)
    tied = pd.concat(
        [data, pd.DataFrame([("a", "c", "tie", "r1")] * 2, columns=data.columns)], ignore_index=True
    )
    halves = table([("a", "b", 2, 1), ("b", "c", 2, 2), ("a", "c", 1, 1), ("e", "f", 3, 0)])
    one, two = bias_reduced(tied, tie="tie"), bias_reduced(halves)
    assert one.frame["score"].to_numpy() == pytest.approx(two.frame["score"].to_numpy())
    assert one.frame["component"].nunique() == 2
    assert bias_reduced(table([("a", "b", 1, 0)])).frame["low"].isna().all()


def test_large_groups_have_intervals_from_their_errors() -> None:
    data = simulated(MOST_PROFILED + 10, 3000, 60, 4)
    found = bias_reduced(data)
    assert "by profile in small groups" in found.method
    middle = (found.frame["low"] + found.frame["high"]) / 2
    assert middle.to_numpy() == pytest.approx(found.frame["score"].to_numpy())


def test_the_command_line_gives_it(tmp_path: Path) -> None:
    path = tmp_path / "choices.csv"
    table(COUNTS, raters=9).to_csv(path, index=False)
    found = rank_table(path, penalty="firth")
    expected = bias_reduced(table(COUNTS, raters=9)).frame
    assert found.table["high"].tolist() == pytest.approx(expected["high"].tolist())
    assert "some scores are finite only because of the penalty" in found.notes[-1]
    plain = rank_table(path).table.set_index("item_id")
    assert np.isnan(plain.loc["w", "high"])
    leaning = rank_table(path, side_advantage=True)
    assert any(note.startswith("advantage of the left side: ") for note in leaning.notes)
    for other in ({"check": True}, {"side_advantage": True}):
        with pytest.raises(RatifyError, match="does not go with --penalty firth"):
            rank_table(path, penalty="firth", **other)
