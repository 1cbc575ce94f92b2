"""If these failed, an amendment could give a rater a second scale, or a sequence none."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from prereg.errors import RatifyError
from prereg.tables.reader import read_table, write_csv
from study.amending import amend, draft_amendment
from study.opening import lock_study, open_study
from study.store.database import Store, open_store
from tests.support.apart_studies import apart_study
from tests.support.collecting import open_places, take_part
from tests.support.plans import edited_plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A locked study with six raters, whose two scales are asked apart."""
    apart_study(tmp_path / "study")
    lock_study(tmp_path / "study")
    return tmp_path / "study"


def answered(folder: Path) -> Store:
    study = open_study(folder)
    store = open_store(folder, None)
    open_places(store, study, "live")
    take_part(store, study, "live", "ann")
    return store


def scales(folder: Path) -> dict[str, str]:
    """Return the scale of each sequence in the file."""
    rows = read_table(folder / "sequences.csv").rows
    found = {(row["sequence_id"], row["dimension"]) for row in rows}
    assert len(found) == len(dict(found)), "a sequence with two scales"
    return dict(sorted(found))


def test_more_raters_go_on_in_turn_and_keep_what_was_locked(folder: Path) -> None:
    before = scales(folder)
    with closing(answered(folder)) as store:
        with edited_plan(folder) as plan:
            plan["design"]["raters"] = 10
        amend(folder, draft_amendment(folder, store), "More people.")
    after = scales(folder)
    assert list(after.items())[:6] == list(before.items())
    assert Counter(after.values()) == {"warmth": 5, "depth": 5}
    study = open_study(folder, must_be_locked=True)
    assert {name: study.dimension_of(name) for name in study.sequences} == after


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"raters": 9}, r"design\.raters: cannot be split evenly.*such as 8 or 10"),
        ({"apart": False}, r"design\.apart: cannot be amended"),
    ],
)
def test_what_answers_depend_on_stays(folder: Path, change: dict[str, Any], says: str) -> None:
    with closing(answered(folder)) as store:
        with edited_plan(folder) as plan:
            plan["design"] |= change
            if "apart" in change:
                for scale in plan["scales"]:
                    del scale["instructions"]
        with pytest.raises(RatifyError, match=says):
            draft_amendment(folder, store)


def test_before_anybody_answered_other_scales_get_sequences_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    apart_study(folder, attention_checks=[], exclusions=[])
    lock_study(folder)
    with edited_plan(folder) as plan:
        plan["scales"][0]["id"] = "tone"
    amend(folder, draft_amendment(folder, None), "A better name.")
    assert Counter(scales(folder).values()) == {"tone": 3, "depth": 3}
    study = open_study(folder, must_be_locked=True)
    assert study.lock is not None
    assert study.lock.void == (study.root_hash,)


def test_apart_can_be_chosen_before_anybody_answered(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    apart_study(folder)
    with edited_plan(folder) as plan:
        plan["design"]["apart"] = False
        told = [scale.pop("instructions") for scale in plan["scales"]]
    lock_study(folder)
    assert "dimension" not in read_table(folder / "sequences.csv").columns
    with edited_plan(folder) as plan:
        plan["design"]["apart"] = True
        for scale, words in zip(plan["scales"], told, strict=True):
            scale["instructions"] = words
    amend(folder, draft_amendment(folder, None), "Nobody is to rate both.")
    assert Counter(scales(folder).values()) == {"warmth": 3, "depth": 3}
    assert open_study(folder, must_be_locked=True).plan.design.apart


@pytest.mark.parametrize("cell", ["depth", "nothing", ""])
def test_a_scale_that_was_edited_in_the_sequences_is_refused(folder: Path, cell: str) -> None:
    path = folder / "sequences.csv"
    table = read_table(path)
    table.rows[1]["dimension"] = cell
    write_csv(path, list(table.columns), table.rows)
    with pytest.raises(RatifyError, match=r"sequences\.csv.*row 3.*dimension") as caught:
        open_study(folder, must_be_locked=True)
    assert "\n" not in str(caught.value)
    for row in table.rows:  # a whole sequence, whose rows agree: the lock knows better
        if row["sequence_id"] == "S001":
            row["dimension"] = "depth"
    write_csv(path, list(table.columns), table.rows)
    with pytest.raises(RatifyError, match=r"changed since the plan was locked.*sequences"):
        open_study(folder, must_be_locked=True)
