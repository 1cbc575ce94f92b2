"""If this failed, raters who failed attention checks would not be replaced, or would be lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from prereg.errors import RatifyError
from study.export.files import export
from study.export.progress import progress
from study.folder import Study
from study.opening import open_study
from study.store.database import Store, open_store
from study.store.tables import Slot, Visit
from study.visits.answers import Given, answer
from study.visits.claims import Arrival, claim
from study.visits.places import completion
from study.visits.withdrawal import withdraw_rater
from tests.support.collecting import RIGHT, WRONG, study_of_kind
from tests.support.plans import edited_plan

MODE = "pilot"
Opened = tuple[Study, Store]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    study_of_kind(tmp_path, "pairwise", raters=2)
    with edited_plan(tmp_path) as plan:
        plan["recruitment"]["replace"] = "failed_attention"
    study = open_study(tmp_path)
    with contextlib.closing(open_store(tmp_path, None)) as store:
        open_slots(study, store)
        yield study, store


def open_slots(study: Study, store: Store) -> None:
    store.open_slots(study.root_hash, MODE, list(study.sequences), each=1)


def takes_part(opened: Opened, rater: str, *, attentive: bool = True) -> Any:
    study, store = opened
    place = claim(store, study, MODE, Arrival(rater))
    if place is None:
        return None
    for trial in study.sequences[place.sequence_id]:
        said = RIGHT if attentive or not trial.is_attention_check else WRONG
        given = Given(position=trial.position, answers=said["pairwise"])
        outcome = answer(store, study, MODE, place.session_id, given)
        assert outcome is not None
        assert outcome.kept
    return outcome.place


def slots(store: Store) -> list[tuple[str, int, bool]]:
    with store.reading() as connection:
        rows = connection.execute(select(Slot.sequence_id, Slot.slot, Slot.session_id))
        return sorted((row[0], row[1], row[2] is None) for row in rows)


def test_a_newcomer_gets_the_sequence_of_a_rater_who_failed(opened: Opened) -> None:
    study, store = opened
    failed = takes_part(opened, "fails", attentive=False)
    attentive = takes_part(opened, "attentive")
    second = takes_part(opened, "second", attentive=False)
    third = takes_part(opened, "third")
    assert takes_part(opened, "late") is None
    assert failed.sequence_id == second.sequence_id == third.sequence_id != attentive.sequence_id
    # the one who failed keeps the place, and so the code for what they did
    assert completion(store, study, failed).verified
    assert completion(store, study, failed).failed_checks == 1
    assert slots(store) == [
        (failed.sequence_id, 1, False),
        (failed.sequence_id, 1001, False),
        (failed.sequence_id, 2001, False),
        (attentive.sequence_id, 1, False),
    ]
    counted = progress(store, study).modes[0]
    assert counted.visits["finished"] == 4
    assert (counted.doubled, counted.astray) == ((), 0)
    export(store, study)
    rows = (study.folder / "data" / "judgments.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + 4 * 4


def test_a_free_further_place_outlives_a_restart(opened: Opened) -> None:
    study, store = opened
    failed = takes_part(opened, "fails", attentive=False)
    before = slots(store)
    open_slots(study, store)
    assert slots(store) == before
    assert (failed.sequence_id, 1001, True) in before


@pytest.mark.parametrize("taken", [False, True])
def test_a_withdrawal_gives_no_place_out_twice(opened: Opened, taken: bool) -> None:
    study, store = opened
    takes_part(opened, "fails", attentive=False)
    takes_part(opened, "attentive")
    if taken:
        takes_part(opened, "newcomer")
    assert withdraw_rater(store, study, MODE, "fails")
    open_slots(study, store)
    assert (takes_part(opened, "another") is None) == taken
    assert takes_part(opened, "one too many") is None
    counted = progress(store, study).modes[0]
    assert sum(fill.free for fill in counted.sequences) == 0
    assert counted.visits["finished"] == 2
    with store.reading() as connection:
        assert "fails" not in connection.scalars(select(Visit.rater_id)).all()


def test_nobody_is_replaced_unless_the_plan_says_so(tmp_path: Path) -> None:
    study = study_of_kind(tmp_path, "pairwise", raters=2)
    with contextlib.closing(open_store(tmp_path, None)) as store:
        open_slots(study, store)
        takes_part((study, store), "fails", attentive=False)
        assert [slot for _, slot, _ in slots(store)] == [1, 1]


def test_a_replacement_needs_its_rule(tmp_path: Path) -> None:
    study_of_kind(tmp_path, "pairwise")
    with edited_plan(tmp_path) as plan:
        plan["recruitment"]["replace"] = "failed_attention"
        plan["exclusions"] = [{"rule": "incomplete_session"}]
    with pytest.raises(RatifyError, match="a rule that the plan does not have"):
        open_study(tmp_path)
