"""If this failed, `ratify rank` would treat ties otherwise than it says."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analysis.ranking import bradley_terry, elo
from analysis.ranking.bias_reduced import bias_reduced
from analysis.ranking.from_table import rank_table
from analysis.ranking.table_choices import Words
from analysis.ranking.table_ties import TIES, Ties
from analysis.ranking.ties import rank_with_ties
from prereg.errors import RatifyError
from ratify.command_line import main
from tests.analysis.ranking.test_ties import choices


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "votes.csv"
    choices().to_csv(file, index=False)
    return file


def scores(table: pd.DataFrame) -> np.ndarray:
    return table.set_index("item_id")["score"].sort_index().to_numpy()


def test_a_tie_is_half_a_win_where_nothing_is_said(path: Path) -> None:
    found = rank_table(path)
    expected = bradley_terry(choices(), tie="tie").frame
    np.testing.assert_allclose(scores(found.table), scores(expected))
    n = int((choices()["choice"] == "tie").sum())
    assert f"{n} of 240 judgments are ties: half a win for each item (--ties half)" in found.notes


@pytest.mark.parametrize("model", ["davidson", "rao_kupper"])
def test_a_model_of_ties_is_named_with_how_often_equals_tie(path: Path, model: str) -> None:
    found = rank_table(path, ties=model)  # type: ignore[arg-type]
    expected = rank_with_ties(choices(), model=model)  # type: ignore[arg-type]
    np.testing.assert_allclose(scores(found.table), scores(expected.frame))
    share = f"two equal items tie in {expected.tie_of_equals:.1%} of comparisons ["
    assert any(share in note for note in found.notes), found.notes
    sequential = elo(choices(), tie="tie").frame.set_index("item_id")["score"].sort_index()
    np.testing.assert_allclose(found.table.set_index("item_id")["elo"].sort_index(), sequential)
    with pytest.raises(RatifyError, match="choix has no model of ties"):
        rank_table(path, ties=model, check=True)  # type: ignore[arg-type]


def test_dropping_ties_says_how_many_and_how_far_scores_stretch(path: Path) -> None:
    found = rank_table(path, ties="drop", check=True)
    table = choices()
    kept = table[table["choice"] != "tie"]
    half, dropped = bradley_terry(table, tie="tie").frame, bradley_terry(kept).frame
    np.testing.assert_allclose(scores(found.table), scores(dropped))
    assert "ties" not in found.table
    stretch = scores(dropped).std() / scores(half).std()
    n = len(table) - len(kept)
    said = (
        f"{n} of 240 judgments are ties and are dropped: the scores spread {stretch:.2f} times as "
        "far as with half a win for each item"
    )
    assert any(said in note for note in found.notes), found.notes
    only = table[table["choice"] == "tie"]
    only.to_csv(path, index=False)
    with pytest.raises(RatifyError, match="judgments other than ties"):
        rank_table(path, ties="drop")


def test_dropping_ties_is_compared_with_the_same_model(path: Path) -> None:
    table = choices()
    kept = table[table["choice"] != "tie"]
    for options, fit in (
        ({"side_advantage": True}, partial(bradley_terry, side_advantage=True)),
        ({"penalty": "firth"}, bias_reduced),
    ):
        found = rank_table(path, ties="drop", **options)  # type: ignore[arg-type]
        half, dropped = fit(table, tie="tie").frame, fit(kept).frame
        assert f"spread {scores(dropped).std() / scores(half).std():.2f} times" in str(found.notes)


@pytest.mark.parametrize(("penalty", "by"), [("ridge", "the ridge"), ("firth", "Firth's penalty")])
def test_a_spread_that_a_penalty_makes_is_not_compared(
    path: Path, penalty: Literal["ridge", "firth"], by: str
) -> None:
    table = choices()
    best = table["left_id"].iloc[0]
    for side in ("left", "right"):
        table.loc[(table[f"{side}_id"] == best) & (table["choice"] != "tie"), "choice"] = side
    table.to_csv(path, index=False)
    [said] = [
        note
        for note in rank_table(path, ties="drop", penalty=penalty).notes
        if "are dropped" in note
    ]
    assert said.endswith(f"is not said, because some are finite only by {by}")
    assert "times" not in said


@pytest.mark.parametrize(
    ("ties", "says"),
    [
        ("davidson", ["no judgment is a tie, so --ties davidson fits no parameter for ties"]),
        ("rao_kupper", ["no judgment is a tie, so --ties rao_kupper fits no parameter for ties"]),
        ("drop", ["no judgment is a tie, so --ties drop leaves none out"]),
        ("half", []),
    ],
)
def test_a_choice_about_ties_that_does_nothing_is_said(
    tmp_path: Path, ties: Ties, says: list[str]
) -> None:
    choices(ties=0).to_csv(tmp_path / "votes.csv", index=False)
    notes = rank_table(tmp_path / "votes.csv", ties=ties).notes
    assert [note.partition(":")[0] for note in notes if "tie" in note] == says


def test_without_ties_every_choice_is_the_same(tmp_path: Path) -> None:
    table = choices(ties=0)
    table.to_csv(tmp_path / "votes.csv", index=False)
    found = [rank_table(tmp_path / "votes.csv", ties=one).table for one in TIES]  # type: ignore[arg-type]
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0], other)


def test_usual_words_are_ties_unless_they_are_items_or_sides(tmp_path: Path) -> None:
    file = tmp_path / "votes.csv"
    words = ["tie", "Tie (bothbad)", "both bad", "no difference"]
    rows = [("a", "b", word, f"r{n}") for n, word in enumerate(["left", "right", *words] * 3)]
    names = ["left_id", "right_id", "choice", "rater_id"]
    pd.DataFrame(rows, columns=names).to_csv(file, index=False)
    assert rank_table(file).table["ties"].tolist() == [12, 12]
    named = Words(ties=("tie",))
    with pytest.raises(RatifyError, match=r"is not a choice, got 'Tie \(bothbad\)'"):
        rank_table(file, words=named)
    rows = [("tie", "b", "tie", "r1"), ("tie", "b", "b", "r2"), ("b", "tie", "tie", "r3")]
    pd.DataFrame(rows, columns=names).to_csv(file, index=False)
    assert rank_table(file).table.set_index("item_id").loc["tie", "wins"] == 2


def test_the_option_takes_a_model_words_or_both(path: Path) -> None:
    run = CliRunner()

    def rank(*options: str) -> str:
        return run.invoke(main, ["rank", str(path), *options], catch_exceptions=False).output

    plain = rank("--ties", "half")
    assert plain == rank() == rank("--ties", "tie") == rank("--ties", "tie", "--ties", "half")
    assert "Davidson 1970" in rank("--ties", "davidson", "--ties", "tie,draw")
    assert "are dropped" in rank("--ties", "drop")
    choices().replace({"choice": {"tie": "draw"}}).to_csv(path, index=False)
    result = run.invoke(main, ["rank", str(path), "--ties", "rao_kupper", "--ties", "draw"])
    assert "Rao and Kupper 1967" in result.output
    twice = run.invoke(main, ["rank", str(path), "--ties", "half", "--ties", "drop"])
    assert twice.exit_code == 2
    assert "says twice what a tie is" in twice.output


@pytest.mark.parametrize("given", ["draw,davidson", "Rao-Kupper, draw"])
def test_a_model_of_ties_among_words_is_refused(path: Path, given: str) -> None:
    result = CliRunner().invoke(main, ["rank", str(path), "--ties", given])
    model = "davidson" if "davidson" in given else "rao_kupper"
    assert result.exit_code == 2
    assert f"--ties {model} --ties 'draw'" in result.output
