"""If this failed, one sequence could go to two raters, or an answer be lost or counted twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from study import assignment
from study.assignment import Answer
from study.folder import Study, open_study
from study.store import Judgment, Slot, Store, Visit
from tests.conftest import make_study

MODE = "bot"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(make_study(tmp_path / "study", raters=12))


@pytest.fixture
def store(database_url: str, study: Study) -> Iterator[Store]:
    opened = Store(database_url)
    opened.open_slots(study.plan_hash, MODE, list(study.sequences))
    yield opened
    opened.close()


def together(count: int, work: object) -> None:
    """Run `work(number)` in many threads that start at the same moment."""
    barrier = threading.Barrier(count)

    def go(number: int) -> None:
        barrier.wait()
        work(number)  # type: ignore[operator]

    threads = [threading.Thread(target=go, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_rush_gives_every_sequence_to_one_rater(store: Store, study: Study) -> None:
    places = {}

    def arrive(number: int) -> None:
        places[number] = assignment.claim(store, study, MODE, f"rater-{number}")

    together(40, arrive)
    given = [p.sequence_id for p in places.values() if p is not None]
    assert Counter(given) == Counter(list(study.sequences))
    assert sum(p is None for p in places.values()) == 28


def test_one_rater_in_many_windows_has_one_place(store: Store, study: Study) -> None:
    found = []
    together(10, lambda _: found.append(assignment.claim(store, study, MODE, "same")))
    assert len({p.session_id for p in found if p}) == 1
    assert None not in found
    with store.reading() as session:
        assert len(session.scalars(select(Visit)).all()) == 1
        taken = select(Slot).where(Slot.session_id.is_not(None))
        assert len(session.scalars(taken).all()) == 1


def test_the_database_itself_refuses_a_second_rater(store: Store, study: Study) -> None:
    first = assignment.claim(store, study, MODE, "first")
    second = assignment.claim(store, study, MODE, "second")
    assert first is not None
    assert second is not None
    with pytest.raises(IntegrityError), store.writing() as session:
        taken = session.scalars(select(Slot).where(Slot.session_id == second.session_id)).one()
        taken.session_id = first.session_id
    with pytest.raises(IntegrityError), store.writing() as session:
        session.get_one(Visit, second.session_id).rater_id = "first"


def test_a_writing_transaction_sees_no_other_beside_it(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'lock.sqlite3'}")
    inside, waiting = threading.Event(), []

    def write() -> None:
        inside.wait()
        with store.writing():
            waiting.append("second")

    thread = threading.Thread(target=write)
    thread.start()
    with store.writing():
        inside.set()
        thread.join(timeout=0.5)
        assert thread.is_alive()
        waiting.append("first")
    thread.join()
    store.close()
    assert waiting == ["first", "second"]


def test_an_answer_counts_once_and_in_order(store: Store, study: Study) -> None:
    place = assignment.claim(store, study, MODE, "r")
    assert place is not None
    assignment.show(store, place)
    assignment.show(store, place)
    assert assignment.answer(store, study, MODE, "somebody-else", Answer(1, "left")) is None
    assert assignment.answer(store, study, "pilot", place.session_id, Answer(1, "left")) is None
    ahead = assignment.answer(store, study, MODE, place.session_id, Answer(3, "left"))
    assert ahead.position == 1
    given = Answer(1, "right", response_ms=1234, hidden_ms=5)
    after = assignment.answer(store, study, MODE, place.session_id, given)
    assert after.position == 2
    again = assignment.answer(store, study, MODE, place.session_id, Answer(1, "left"))
    assert again.position == 2
    with store.reading() as session:
        kept = session.scalars(select(Judgment)).one()
    trial = study.sequences[place.sequence_id][0]
    assert (kept.choice, kept.left_id, kept.right_id) == ("right", trial.left_id, trial.right_id)
    assert (kept.hidden_ms, kept.position) == (5, 1)
    assert kept.response_ms is not None
    assert 0 <= kept.response_ms < 1234, "the first showing counts, not the browser's own clock"
    assert kept.shown_at is not None
    assert kept.shown_at <= kept.answered_at
    assert kept.plan_hash == study.plan_hash


def test_a_double_click_in_two_threads_counts_once(store: Store, study: Study) -> None:
    place = assignment.claim(store, study, MODE, "r")
    assert place is not None
    ends = []
    together(
        8,
        lambda _: ends.append(
            assignment.answer(store, study, MODE, place.session_id, Answer(1, "left"))
        ),
    )
    assert {p.position for p in ends} == {2}
    with store.reading() as session:
        assert len(session.scalars(select(Judgment)).all()) == 1


def test_the_last_answer_finishes_the_visit(store: Store, study: Study) -> None:
    place = assignment.claim(store, study, MODE, "r")
    assert place is not None
    for position in range(1, 5):
        assert not place.finished
        place = assignment.answer(store, study, MODE, place.session_id, Answer(position, "left"))
    assert place.finished
    with store.reading() as session:
        visit = session.scalars(select(Visit)).one()
    assert visit.status == "finished"
    assert visit.finished_at is not None
    assert assignment.find_rater(store, study, MODE, "r") == place


def test_kinds_of_data_and_plans_do_not_mix(store: Store, study: Study) -> None:
    store.open_slots(study.plan_hash, "pilot", list(study.sequences))
    live = assignment.claim(store, study, MODE, "r")
    pilot = assignment.claim(store, study, "pilot", "r")
    assert live is not None
    assert pilot is not None
    assert live.session_id != pilot.session_id
    assert assignment.find_session(store, study, "pilot", live.session_id) is None


def test_times_that_no_browser_could_measure_are_left_out(store: Store, study: Study) -> None:
    place = assignment.claim(store, study, MODE, "r")
    assert place is not None
    assignment.answer(store, study, MODE, place.session_id, Answer(1, "left", 10**9, 10**9))
    with store.reading() as session:
        kept = session.scalars(select(Judgment)).one()
    assert kept.response_ms is None
    assert kept.hidden_ms is None


def test_servers_that_start_together_on_a_new_database_all_start(database_url: str) -> None:
    opened: list[Store] = []
    together(6, lambda _: opened.append(Store(database_url)))
    assert len(opened) == 6
    for store in opened:
        store.close()


def test_a_double_click_never_makes_the_study_look_full(postgres_url: str, study: Study) -> None:
    store = Store(postgres_url)
    for mode in ("m1", "m2", "m3", "m4", "m5"):
        store.open_slots(study.plan_hash, mode, list(study.sequences)[:2])

        arrived: list[int] = []

        def arrive(number: int, mode: str = mode, arrived: list[int] = arrived) -> None:
            rater = "clicker" if number < 8 else "other"
            assert assignment.claim(store, study, mode, rater) is not None
            arrived.append(number)

        together(9, arrive)
        assert sorted(arrived) == list(range(9))
    store.close()
