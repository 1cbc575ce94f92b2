"""If this failed, an estimate would use what is not the plan's, or be refused without a place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from analysis.estimating.reading import EMBEDDINGS_FILE, read_inputs
from analysis.gate import CAUSAL_FOLDER
from prereg.errors import RatifyError
from prereg.files import sha256
from prereg.frame.texts import TEXT_HASH
from prereg.tables.manifest import Manifest
from ratify import main
from tests.support.answered_causal_study import make_causal_study
from tests.support.plans import edited_plan

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_causal_study(tmp_path_factory.mktemp("wrong") / "study")


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "study"))


def edited(path: Path, change: Change) -> None:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    change(table).to_csv(path, index=False)


def refused(study: Path) -> RatifyError:
    with pytest.raises(RatifyError) as caught:
        read_inputs(study, mode="bot")
    assert caught.value.file is not None
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(("key", "other"), [("encoder", "use"), ("text", "reply")])
def test_embeddings_of_something_else_than_the_plan_says_are_refused(
    study: Path, key: str, other: str
) -> None:
    with edited_plan(study) as plan:
        plan["causal"]["confounders"][key] = other
    error = refused(study)
    assert Path(str(error.file)).name == EMBEDDINGS_FILE
    assert error.column == f"causal.confounders.{key}"
    assert other in str(error.allowed)


def test_a_unit_without_an_embedding_is_named(study: Path) -> None:
    path = study / EMBEDDINGS_FILE
    table = pd.read_parquet(path)
    lost = str(table["item_id"].iloc[4])
    table.drop(index=4).to_parquet(path)
    error = refused(study)
    assert (error.file, error.value) == (str(path), lost)


def test_a_text_that_changed_after_it_was_embedded_is_named(study: Path) -> None:
    changed = []

    def other(rows: pd.DataFrame) -> pd.DataFrame:
        changed.extend(rows.loc[[7, 9, 30], "item_id"])
        rows.loc[[7, 9, 30], "prompt"] += " "  # a space is another text
        return rows

    edited(study / "frame.csv", other)
    error = refused(study)
    assert Path(str(error.file)).name == EMBEDDINGS_FILE
    assert error.problem == (
        "3 texts of frame.csv are others than when the vectors were made; "
        f"first that of unit {changed[0]}"
    )
    assert (error.row, error.column) == (f"unit {changed[0]}", "prompt")
    assert "run `ratify embed` again" in str(error.allowed)
    done = CliRunner().invoke(main, ["causal", str(study), "--mode", "bot"])
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert CliRunner().invoke(main, ["embed", str(study)]).exit_code == 0
    assert not any("which texts" in note for note in read_inputs(study, mode="bot").notes)


def test_the_order_of_the_frame_and_other_columns_are_no_other_text(study: Path) -> None:
    edited(study / "frame.csv", lambda rows: rows.iloc[::-1].assign(reply=rows["reply"] + "."))
    read_inputs(study, mode="bot")


def test_vectors_that_do_not_say_of_which_texts_they_are_are_used_and_said(study: Path) -> None:
    path = study / EMBEDDINGS_FILE
    table = pd.read_parquet(path)
    table.drop(columns=TEXT_HASH).to_parquet(path)
    assert any("does not say which texts" in note for note in read_inputs(study, mode="bot").notes)


@pytest.mark.parametrize("hashes", [None, 7])
def test_hashes_that_are_none_are_refused(study: Path, hashes: int | None) -> None:
    path = study / EMBEDDINGS_FILE
    table = pd.read_parquet(path)
    if hashes is None:
        table.loc[3, TEXT_HASH] = None
    else:
        table[TEXT_HASH] = hashes
    table.to_parquet(path)
    error = refused(study)
    assert (error.column, Path(str(error.file)).name) == (TEXT_HASH, EMBEDDINGS_FILE)


def test_a_stratum_that_people_left_out_is_named(study: Path) -> None:
    items = pd.read_csv(study / "items.csv", dtype=str)
    name = items["stratum"].iloc[0]
    lost = set(items.loc[items["stratum"] == name, "item_id"])
    edited(study / "data" / "ratings.csv", lambda rows: rows[~rows["item_id"].isin(lost)])
    error = refused(study)
    assert (error.column, error.value) == ("stratum", name)
    assert str(error.file).endswith("ratings.csv")


def test_an_empty_inclusion_probability_is_asked_for_as_a_probability(study: Path) -> None:
    def emptied(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[3, "inclusion_probability"] = ""
        return rows

    edited(study / "items.csv", emptied)
    error = refused(study)
    assert error.column == "inclusion_probability"
    assert "above 0" in str(error.allowed)


@pytest.mark.parametrize(
    ("scale", "low", "high", "words"),
    [
        ("empathy", 1, 4, "at least 5"),
        ("empathy", 4, 7, "at most 3"),
        ("attachment", 2, 2, "the same score"),
    ],
)
def test_people_who_leave_an_arm_empty_or_never_differ_are_refused(
    study: Path, scale: str, low: int, high: int, words: str
) -> None:
    def clipped(rows: pd.DataFrame) -> pd.DataFrame:
        mine = rows["dimension"] == scale
        value = rows.loc[mine, "value"].astype(int).clip(low, high)
        rows.loc[mine, "value"] = value.astype(str)
        return rows

    edited(study / "data" / "ratings.csv", clipped)
    error = refused(study)
    assert words in error.problem
    assert (error.column, Path(str(error.file)).name) == (scale, "ratings.csv")


def test_one_user_cannot_be_split(study: Path) -> None:
    edited(study / "frame.csv", lambda rows: rows.assign(user_id="u"))
    error = refused(study)
    assert (error.column, error.value, Path(str(error.file)).name) == ("user_id", 1, "frame.csv")


def test_a_user_for_each_unit_is_a_note_of_the_report(study: Path) -> None:
    said = "has a user of its own in user_id, so nothing is clustered"
    assert not any(said in note for note in read_inputs(study, mode="bot").notes)
    edited(
        study / "frame.csv", lambda rows: rows.assign(user_id=[f"u{at}" for at in range(len(rows))])
    )
    assert any(said in note for note in read_inputs(study, mode="bot").notes)


def test_ratings_that_were_edited_are_a_note_of_the_report(study: Path) -> None:
    said = "ratings.csv is not as `ratify export` wrote it"
    path = study / "data" / "ratings.csv"
    Manifest(
        tool="",
        plan_hash="",
        rows={},
        sha256={path.name: sha256(path.read_bytes())},
        answered={},
        requests={},
        withdrawals={},
    ).write(path.parent)
    assert not any(note.startswith(said) for note in read_inputs(study, mode="bot").notes)
    path.write_bytes(path.read_bytes() + b"\n")
    assert any(note.startswith(said) for note in read_inputs(study, mode="bot").notes)


def test_a_wrong_input_is_one_line_and_leaves_nothing_behind(study: Path) -> None:
    edited(study / "frame.csv", lambda rows: rows.assign(user_id="u"))
    done = CliRunner().invoke(main, ["causal", str(study), "--mode", "bot"])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert not (study / CAUSAL_FOLDER).exists()
