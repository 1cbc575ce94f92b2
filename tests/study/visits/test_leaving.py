"""If this failed, a place would be lost with its rater, or a withdrawal leave traces."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from study.folder import Study
from study.opening import open_study
from study.store.database import Store, open_store
from study.store.tables import Base, Judgment, Slot, Visit, Withdrawal
from study.visits import answers as answering
from study.visits import claims as assignment
from study.visits import places, withdrawal
from study.visits.answers import Given
from study.visits.places import Place
from tests.conftest import make_study
from tests.support.raters import MODE, claim, claimed, opened, rows


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(make_study(tmp_path / "study", raters=3))


@pytest.fixture
def store(database_url: str, study: Study) -> Iterator[Store]:
    with opened(database_url, study) as store:
        yield store


def answer(store: Store, study: Study, place: Place, position: int) -> answering.Outcome:
    given = Given(position, {"choice": "left"})
    outcome = answering.answer(store, study, MODE, place.session_id, given)
    assert outcome is not None
    return outcome


def let_lease_run_out(store: Store, *raters: str) -> None:
    long_ago = update(Visit).where(Visit.rater_id.in_(raters)).values(lease_until=time.time() - 1)
    store.write(lambda connection: connection.execute(long_ago))


def test_three_who_leave_are_followed_by_three_others(store: Store, study: Study) -> None:
    first = [claimed(store, study, f"early-{n}") for n in range(3)]
    answer(store, study, first[0], 1)
    assert claim(store, study, "too-soon") is None
    let_lease_run_out(store, "early-0", "early-1", "early-2")
    second = [claimed(store, study, f"late-{n}") for n in range(3)]
    assert {p.sequence_id for p in second} == {p.sequence_id for p in first}
    assert claim(store, study, "too-late") is None
    status = {visit.rater_id: visit.status for visit in rows(store, Visit)}
    assert {status[f"early-{n}"] for n in range(3)} == {"timed_out"}
    assert len(rows(store, Judgment)) == 1, "the answer of who left is kept"
    # who comes back finds the place gone, and no answer of theirs is taken any more
    late = answer(store, study, first[0], 2)
    assert (late.kept, late.place.status) == (False, "timed_out")
    assert len(rows(store, Judgment)) == 1


def test_a_lease_that_ran_out_costs_nothing_while_nobody_else_comes(
    store: Store, study: Study
) -> None:
    place = claimed(store, study, "slow")
    let_lease_run_out(store, "slow")
    assert answer(store, study, place, 1).kept
    (visit,) = rows(store, Visit)
    assert visit.lease_until > time.time() + 3000, "an answer renews the lease"


def test_a_free_place_is_given_before_a_silent_raters(store: Store, study: Study) -> None:
    slow = claimed(store, study, "slow")
    let_lease_run_out(store, "slow")
    assert claimed(store, study, "new").sequence_id != slow.sequence_id
    assert places.find_rater(store, study, MODE, "slow") == slow


def test_a_new_trial_on_screen_renews_the_lease(store: Store, study: Study) -> None:
    place = claimed(store, study, "r")
    assignment.keep(store, study, place)
    assert rows(store, Visit)[0].lease_until == place.lease_until, "no commit before half of it"
    let_lease_run_out(store, "r")
    place = places.find_rater(store, study, MODE, "r")
    assert place is not None
    assignment.keep(store, study, place)
    (visit,) = rows(store, Visit)
    assert visit.lease_until > time.time()


def test_who_has_finished_never_loses_the_slot(store: Store, study: Study) -> None:
    for n in range(3):
        place = claimed(store, study, f"r{n}")
        for position in range(1, 5):
            answer(store, study, place, position)
    let_lease_run_out(store, "r0", "r1", "r2")
    assert claim(store, study, "next") is None


def test_a_returned_place_goes_to_the_next_and_answers_stay(store: Store, study: Study) -> None:
    gone, *_ = [claimed(store, study, f"r{n}") for n in range(3)]
    answer(store, study, gone, 1)
    assert assignment.release(store, study, MODE, "r0", "returned") == "active"
    assert assignment.release(store, study, MODE, "r0", "returned") == "returned"
    assert assignment.release(store, study, MODE, "nobody", "returned") == "unknown"
    assert claimed(store, study, "next").sequence_id == gone.sequence_id
    assert len(rows(store, Judgment)) == 1
    assert not answer(store, study, gone, 2).kept


def test_releasing_leaves_the_finished_alone(store: Store, study: Study) -> None:
    place = claimed(store, study, "r")
    for position in range(1, 5):
        answer(store, study, place, position)
    assert assignment.release(store, study, MODE, "r", "timed_out") == "finished"
    found = places.find_rater(store, study, MODE, "r")
    assert found is not None
    assert places.completion(store, study, found).verified


@pytest.mark.parametrize("answered", [0, 2, 4])
def test_withdrawing_leaves_nothing_but_that_it_happened(
    store: Store, study: Study, answered: int
) -> None:
    place = claimed(store, study, "secret-rater")
    claimed(store, study, "other")
    for position in range(1, answered + 1):
        answer(store, study, place, position)
    assert withdrawal.is_known(store, study, MODE, place.withdrawal_key)
    assert not withdrawal.withdraw(store, study, "pilot", place.withdrawal_key)
    assert withdrawal.withdraw(store, study, MODE, place.withdrawal_key)
    assert not withdrawal.withdraw(store, study, MODE, place.withdrawal_key)
    assert not withdrawal.is_known(store, study, MODE, place.withdrawal_key)
    with store.reading() as connection:
        everything = str([list(connection.execute(select(t))) for t in Base.metadata.sorted_tables])
    for trace in ("secret-rater", place.session_id, place.withdrawal_key):
        assert trace not in everything
    (kept,) = rows(store, Withdrawal)
    assert (kept.mode, len(kept.withdrawn_on)) == (MODE, len("2026-11-21"))
    assert sum(slot.session_id is None for slot in rows(store, Slot)) == 2
    assert (
        answering.answer(store, study, MODE, place.session_id, Given(1, {"choice": "left"})) is None
    )


def test_what_was_withdrawn_is_in_no_file_of_the_store(tmp_path: Path, study: Study) -> None:
    store = Store(f"sqlite:///{tmp_path / 'file.sqlite3'}")
    store.open_slots(study.plan_hash, MODE, list(study.sequences))
    place = claimed(store, study, "known-by-this-name")
    answer(store, study, place, 1)
    assert withdrawal.withdraw(store, study, MODE, place.withdrawal_key)
    for path in tmp_path.glob("file.sqlite3*"):
        content = path.read_bytes()
        assert b"known-by-this-name" not in content, path.name
        assert place.session_id.encode() not in content, path.name
    store.close()


def test_a_rater_who_writes_can_be_withdrawn(
    study: Study, ratify: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    with contextlib.closing(open_store(study.folder, None)) as store:
        store.open_slots(study.plan_hash, MODE, list(study.sequences))
        answer(store, study, claimed(store, study, "writes"), 1)
        wrong = ratify("withdraw", study.folder, "writes")
        assert (wrong.returncode, "--mode" in wrong.stderr) == (2, True)
        done = ratify("withdraw", study.folder, "writes", "--mode", MODE)
        assert done.returncode == 0, done.stderr
        assert (rows(store, Judgment), rows(store, Visit)) == ([], [])


@pytest.mark.parametrize("key", ["", "x", "a\x00b" * 12, "é" * 32, "' OR 1=1 --" * 3])
def test_a_key_that_is_none_finds_nothing(store: Store, study: Study, key: str) -> None:
    claimed(store, study, "r")
    assert not withdrawal.is_known(store, study, MODE, key)
    assert not withdrawal.withdraw(store, study, MODE, key)
