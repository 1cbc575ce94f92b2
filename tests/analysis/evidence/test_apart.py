"""If these failed, a table in which somebody rated both scales would be analysed as promised."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.evidence.evidence import gather
from analysis.run import analyze_study
from analysis.verify.rows import check_apart
from analysis.verify.study import verify_study
from prereg.errors import RatifyError
from prereg.plan.file import load_plan
from prereg.tables.reader import read_table, write_csv
from study.export.files import export
from study.opening import lock_study, open_study
from study.store.database import open_store
from tests.support.apart_studies import apart_study
from tests.support.collecting import open_places, take_part

RATERS = 12
AGREE = {"id": "agree", "kind": "generalizability"}
Row = dict[str, str]
Change = Callable[[list[Row]], None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with the answers of twelve people, six on each scale."""
    folder = tmp_path_factory.mktemp("apart") / "study"
    apart_study(folder, raters=RATERS, per_sequence=3, analyses=[AGREE])
    lock_study(folder)
    study = open_study(folder, must_be_locked=True)
    with contextlib.closing(open_store(folder, None)) as store:
        open_places(store, study, "live")
        for number in range(RATERS):
            take_part(store, study, "live", f"r{number}")
        export(store, study)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


def edit(folder: Path, change: Change, name: str = "ratings") -> None:
    path = folder / "data" / f"{name}.csv"
    table = read_table(path)
    rows = [dict(row) for row in table.rows]
    change(rows)
    write_csv(path, list(table.columns), rows)


def trial(rows: list[Row], dimension: str) -> Row:
    return next(
        row
        for row in rows
        if row["dimension"] == dimension and row["is_attention_check"] == "false"
    )


def both(rows: list[Row]) -> None:
    """Let a rater have rated one item on the other scale too."""
    rows.append(trial(rows, "warmth") | {"dimension": "depth", "value": "1", "scale_min": "0"})
    rows[-1] |= {"scale_max": "3"}


def other(rows: list[Row]) -> None:
    """Let a whole visit have been about the other scale."""
    for row in rows:
        if row["rater_id"] == "r0":
            row |= {"dimension": "depth", "value": "1", "scale_min": "0", "scale_max": "3"}


def test_the_tables_say_which_scale_each_sequence_asks_for(made: Path) -> None:
    sequences = read_table(made / "data" / "sequences.csv")
    assert "dimension" in sequences.columns
    found = gather(made, mode="live")
    assert found.ratings.groupby("rater_id")["dimension"].nunique().eq(1).all()
    assert sorted(found.ratings["dimension"].unique()) == ["depth", "warmth"]
    check = check_apart(made, load_plan(made))
    assert (check.answer, check.says) == ("yes", "12 raters rated one scale each")


def test_raters_of_one_scale_each_are_analysed(folder: Path) -> None:
    analyze_study(folder, mode="live")
    said = {check.name: check.answer for check in verify_study(folder)}
    assert said["scales apart"] == "yes"
    assert "no" not in said.values()


@pytest.mark.parametrize(("change", "says"), [(both, "dimension"), (other, "dimension")])
def test_a_rating_on_another_scale_is_refused_and_told_by_verify(
    folder: Path, change: Change, says: str
) -> None:
    edit(folder, change)
    with pytest.raises(
        RatifyError, match=r"ratings\.csv, row \d+, column dimension: is not the scale that"
    ) as caught:
        gather(folder, mode="live")
    assert says in str(caught.value)
    said = {check.name: check for check in verify_study(folder)}
    assert said["scales apart"].answer == "no"
    assert "r0" in said["scales apart"].says


def test_two_scales_of_one_id_are_refused_without_a_lock(folder: Path) -> None:
    """Bots need no lock, so the sequences cannot tell; the ratings themselves do."""
    for name in ("ratings", "participants"):
        edit(folder, lambda rows: [row.update(mode="bot") for row in rows], name)  # type: ignore[func-returns-value]
    for path in folder.glob("plan.lock.json*"):
        path.unlink()
    assert len(gather(folder, mode="bot").ratings) == RATERS * 3
    edit(folder, both)
    with pytest.raises(RatifyError, match=r"rater 'r0' rated item .* on both warmth and depth"):
        gather(folder, mode="bot")


def test_one_id_on_two_scales_of_different_items_is_told_by_verify(folder: Path) -> None:
    def renamed(rows: list[Row]) -> None:
        mine: dict[str, Any] = {"r1": "r0"}
        for row in rows:
            row["rater_id"] = mine.get(row["rater_id"], row["rater_id"])

    edit(folder, renamed)
    edit(folder, renamed, "participants")
    check = check_apart(folder, load_plan(folder))
    assert check.answer == "no"
    assert "rater r0 rated" in check.says


def test_without_ratings_nothing_is_said(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "empty"))
    (folder / "data" / "ratings.csv").unlink()
    assert check_apart(folder, load_plan(folder)).answer == "cannot check"
