"""If this failed, ties, or a table's own words for a choice, would rank items wrongly."""

from __future__ import annotations

from pathlib import Path

import choix
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.ranking import bradley_terry, elo
from analysis.ranking.from_table import rank_table
from analysis.ranking.table_choices import Words
from prereg.errors import RatifyError
from prereg.tables.reading import Reading

NAMES = ["ada", "bob", "cy", "dee"]


def choices(n: int = 240, ties: float = 0.25) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    left = rng.integers(4, size=n)
    right = (left + rng.integers(1, 4, size=n)) % 4
    won = rng.random(n) < 1 / (1 + np.exp(0.5 * (left - right)))
    said = np.where(rng.random(n) < ties, "tie", np.where(won, "left", "right"))
    who = [f"r{k}" for k in rng.integers(30, size=n)]
    ids = np.array(NAMES)
    return pd.DataFrame(
        {"left_id": ids[left], "right_id": ids[right], "choice": said, "rater_id": who}
    )


def design(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    sides = [table[side].to_numpy()[:, None] == NAMES for side in ("left_id", "right_id")]
    outcome = table["choice"].map({"left": 1.0, "right": 0.0, "tie": 0.5}).to_numpy()
    return sides[0].astype(float) - sides[1], outcome


@pytest.mark.parametrize("cluster", ["rater_id", None])
def test_scores_and_errors_are_those_of_a_logit_with_the_outcome_one_half(
    cluster: str | None,
) -> None:
    table = choices()
    x, y = design(table)
    groups = pd.factorize(table[cluster])[0] if cluster else np.arange(len(table))
    fit = sm.GLM(y, x[:, 1:], family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    centre = np.vstack([np.zeros(3), np.eye(3)])
    centre = centre - centre.mean(axis=0)
    count = len(set(groups))
    errors = np.sqrt(np.diag(centre @ fit.cov_params() @ centre.T) * count / (count - 1))
    ours = bradley_terry(table, cluster=cluster, ridge=0, tie="tie").frame.set_index("item_id")
    np.testing.assert_allclose(ours.loc[NAMES, "score"], centre @ fit.params, atol=1e-7)
    np.testing.assert_allclose(ours.loc[NAMES, "se"], errors, rtol=1e-6)
    assert ours["n"].sum() == 2 * len(table)


def test_the_penalty_is_that_of_choix_on_every_judgment_twice() -> None:
    table = choices()
    pairs = []
    for a, b, said in zip(table["left_id"], table["right_id"], table["choice"], strict=True):
        one, two = NAMES.index(a), NAMES.index(b)
        won, lost = (one, two), (two, one)
        pairs += {"left": [won, won], "right": [lost, lost], "tie": [won, lost]}[said]
    theirs = choix.opt_pairwise(4, pairs, alpha=0.02, tol=1e-12)
    ours = bradley_terry(table, ridge=0.02, tie="tie").frame.set_index("item_id")
    np.testing.assert_allclose(ours.loc[NAMES, "score"], theirs - theirs.mean(), atol=1e-6)


def test_resamples_spread_as_the_sandwich_does() -> None:
    table = choices()
    plain = bradley_terry(table, tie="tie").frame.set_index("item_id")["se"]
    rng = np.random.default_rng(1)
    drawn = bradley_terry(table, tie="tie", bootstrap=200, rng=rng).frame.set_index("item_id")["se"]
    np.testing.assert_allclose(drawn, plain[drawn.index], rtol=0.25)


def test_elo_moves_by_half_a_win() -> None:
    table = choices(40)
    rating = dict.fromkeys(NAMES, 1000.0)
    points = {"left": 1.0, "right": 0.0, "tie": 0.5}
    for a, b, said in zip(table["left_id"], table["right_id"], table["choice"], strict=True):
        gain = 32 * (points[said] - 1 / (1 + 10 ** ((rating[b] - rating[a]) / 400)))
        rating[a] += gain
        rating[b] -= gain
    ours = elo(table, tie="tie").frame.set_index("item_id")["score"]
    np.testing.assert_allclose(ours[NAMES], [rating[name] for name in NAMES])


def test_a_tie_connects_items_in_both_directions() -> None:
    table = pd.DataFrame({"left_id": ["a"], "right_id": ["b"], "choice": ["tie"]})
    ranked = bradley_terry(table, cluster=None, ridge=0, tie="tie")
    assert ranked.strongly_connected
    assert ranked.frame["score"].tolist() == [0, 0]
    assert ranked.frame["wins"].tolist() == [0.5, 0.5]


# --- a table with its own names and words --------------------------------------------------------

THEIRS = {"left_id": "model_a", "right_id": "model_b", "choice": "winner", "rater_id": "judge"}


def written(folder: Path, table: pd.DataFrame, words: dict[str, str] | None = None) -> Path:
    path = folder / "arena.csv"
    own = table.assign(choice=table["choice"].replace(words or {})).rename(columns=THEIRS)
    own.to_csv(path, index=False)
    return path


def ranked(path: Path, values: str = "", ties: tuple[str, ...] = ("tie",)) -> pd.DataFrame:
    words = Words(tuple(values.split(",")) if values else (), ties)
    return rank_table(path, reading=Reading(columns=THEIRS), words=words).table


@pytest.mark.parametrize(
    ("values", "left", "right"),
    [
        ("", "left", "right"),
        ("", "model_a", "model_b"),
        ("model_a,model_b", "model_a", "model_b"),
        ("A,B", "a", "B"),
        ("1,2", "1", "2.0"),
        ("1,0", "1", "0"),
    ],
)
def test_every_spelling_of_the_sides_gives_the_same_ranks(
    tmp_path: Path, values: str, left: str, right: str
) -> None:
    table = choices()
    expected = bradley_terry(table, tie="tie").frame
    found = ranked(written(tmp_path, table, {"left": left, "right": right}), values)
    np.testing.assert_allclose(found["score"], expected["score"])
    assert found["item_id"].tolist() == expected["item_id"].tolist()
    ties = table[table["choice"] == "tie"]
    for name, count in zip(found["item_id"], found["ties"], strict=True):
        assert count == (ties["left_id"] == name).sum() + (ties["right_id"] == name).sum()
    assert (found["wins"] + found["losses"] + found["ties"] == found["n"]).all()


@pytest.mark.parametrize("values", ["", "ids"])
def test_a_choice_may_be_the_id_of_the_winner(tmp_path: Path, values: str) -> None:
    table = choices()
    won = np.where(table["choice"] == "left", table["left_id"], table["right_id"])
    own = table.assign(choice=np.where(table["choice"] == "tie", "tie", won))
    expected = bradley_terry(table, tie="tie").frame["score"]
    np.testing.assert_allclose(ranked(written(tmp_path, own), values)["score"], expected)


def test_a_tie_that_is_not_declared_names_the_option(tmp_path: Path) -> None:
    path = written(tmp_path, choices(), {"tie": "both bad"})
    with pytest.raises(RatifyError, match=r"column winner: is not a choice.*--ties 'both bad'"):
        ranked(path)


def test_words_that_can_mean_two_things_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match="means two things"):
        Words(("1", "1.0"))
    with pytest.raises(RatifyError, match="means two things"):
        Words(("a", "b"), ("B",))
    with pytest.raises(RatifyError, match="does not name two sides"):
        Words(("a",))
    table = pd.DataFrame({"left_id": ["left", "left"], "right_id": ["right", "x"]})
    path = written(tmp_path, pd.DataFrame({**table, "choice": ["left", "left"], "rater_id": "r"}))
    assert ranked(path)["wins"].sum() == 2  # both readings give the same
    table = pd.DataFrame({"left_id": ["right"], "right_id": ["left"], "choice": ["left"]})
    with pytest.raises(RatifyError, match=r"--values left,right or --values ids"):
        ranked(written(tmp_path, table.assign(rater_id="r")))


# --- whose judgments ------------------------------------------------------------------------------


def study_table(folder: Path, *extra: dict[str, str]) -> Path:
    rows = []
    for kind, who, mode, choice in (
        ("human", "p1", "live", "left"),
        ("human", "p2", "live", "left"),
        ("human", "p3", "pilot", "right"),
        ("llm", "gpt", "live", "right"),
        ("baseline", "length", "live", "right"),
    ):
        rows.append(
            {"rater_kind": kind, "rater_id": who, "mode": mode, "choice": choice}
            | {"left_id": "a", "right_id": "b"}
        )
    path = folder / "judgments.csv"
    pd.DataFrame([*rows, *({**rows[0], **one} for one in extra)]).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("raters", "mode", "wins", "says"),
    [
        ((), None, 2, "left out: LLM judges (1), baselines (1) (--raters)"),
        ((), "pilot", 0, "left out: 2 of mode live (--mode)"),
        (("llm",), None, 0, "left out: people (3), baselines (1)"),
        (("human", "gpt"), None, 2, "these ranks mix judgments by people (3), LLM judges (1)"),
        (("llm", "baseline"), None, 0, "these ranks mix the judges gpt, length"),
        (("p1",), None, 1, "people (1)"),
    ],
)
def test_kinds_and_modes_are_never_mixed_unsaid(
    tmp_path: Path, raters: tuple[str, ...], mode: str | None, wins: int, says: str
) -> None:
    found = rank_table(study_table(tmp_path), raters=raters, mode=mode)
    assert found.table.set_index("item_id").loc["a", "wins"] == wins
    assert any(says in note for note in found.notes), found.notes


def test_a_judge_called_human_is_told_from_people(tmp_path: Path) -> None:
    path = study_table(tmp_path, {"rater_kind": "llm", "rater_id": "human", "choice": "right"})
    with pytest.raises(RatifyError, match="kind:human or id:human"):
        rank_table(path, raters=["human"])
    assert rank_table(path, raters=["id:human"]).table["n"].tolist() == [1, 1]
    assert rank_table(path).table["n"].tolist() == [2, 2]
    with pytest.raises(RatifyError, match="no judgments by these raters"):
        rank_table(path, raters=["nobody"])


def test_a_foreign_column_mode_or_kind_is_about_something_else(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "left_id,right_id,choice,mode,rater_kind\na,b,left,fast,gold\nb,a,left,slow,x\n"
    )
    assert rank_table(path).table["n"].tolist() == [2, 2]
