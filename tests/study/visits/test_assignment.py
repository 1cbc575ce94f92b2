"""If this failed, one slot could go to two raters, or an answer be lost or counted twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from prereg.lock import utc_now
from study.folder import Study
from study.opening import open_study
from study.store.database import Store
from study.store.tables import Judgment, Slot, Visit
from study.visits import answers as answering
from study.visits import claims as assignment
from study.visits import places
from study.visits.answers import Given, Outcome
from study.visits.places import Place
from tests.conftest import make_study
from tests.support.raters import MODE, claim, claimed, opened, rows


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(make_study(tmp_path / "study", raters=12))


@pytest.fixture
def store(database_url: str, study: Study) -> Iterator[Store]:
    with opened(database_url, study) as store:
        yield store


def left(position: int) -> Given:
    return Given(position, {"choice": "left"})


def answer(store: Store, study: Study, place: Place, given: Given) -> Outcome:
    outcome = answering.answer(store, study, MODE, place.session_id, given)
    assert outcome is not None
    return outcome


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
    got: dict[int, Place | None] = {}
    together(40, lambda n: got.update({n: claim(store, study, f"rater-{n}")}))
    given = [p.sequence_id for p in got.values() if p is not None]
    assert Counter(given) == Counter(list(study.sequences))
    assert sum(p is None for p in got.values()) == 28


def test_one_rater_in_many_windows_has_one_place(store: Store, study: Study) -> None:
    found: list[Place | None] = []
    together(10, lambda _: found.append(claim(store, study, "same")))
    assert len({p.session_id for p in found if p}) == 1
    assert None not in found
    assert len(rows(store, Visit)) == 1
    assert sum(slot.session_id is not None for slot in rows(store, Slot)) == 1


def test_the_database_itself_refuses_what_must_not_happen(store: Store, study: Study) -> None:
    first, second = claimed(store, study, "first"), claimed(store, study, "second")
    mine = Visit.session_id == second.session_id
    theirs = {"sequence_id": first.sequence_id}
    for forbidden in (
        update(Slot)
        .where(Slot.session_id == second.session_id)
        .values(session_id=first.session_id),
        update(Visit).where(mine).values(rater_id="first"),
        update(Visit).where(mine).values(**theirs),
    ):
        with pytest.raises(IntegrityError):
            store.write(lambda connection, wrong=forbidden: connection.execute(wrong))
    # a visit that has ended holds nothing, so another may hold its slot
    ended = update(Visit).where(mine).values(status="returned", **theirs)
    store.write(lambda connection: connection.execute(ended))


def test_writings_that_wait_together_are_each_whole(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'lock.sqlite3'}")
    store.open_slots("h", "bot", ["S1"])
    failed: list[int] = []

    def work(number: int) -> None:
        def job(connection: Any) -> None:
            seen = connection.scalar(select(Slot.slot))
            connection.execute(update(Slot).values(slot=seen + 1))
            if number % 3 == 0:
                raise ValueError("this one alone is undone")

        try:
            store.write(job)
        except ValueError:
            failed.append(number)

    together(30, work)
    assert sorted(failed) == list(range(0, 30, 3))
    assert rows(store, Slot)[0].slot == 1 + 20
    store.close()


def test_a_database_that_is_locked_elsewhere_fails_nobody_else(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "lock.sqlite3"
    store = Store(f"sqlite:///{path}")
    store.open_slots("h", "bot", ["S1"])
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    done: list[int] = []

    def work(number: int) -> None:
        store.write(lambda connection: connection.execute(update(Slot).values(slot=number)))
        done.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    threads[0].join(timeout=0.3)
    assert not done, "nothing is acknowledged while somebody else holds the lock"
    foreign.execute("COMMIT")
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(5))
    foreign.close()
    store.close()


def test_an_answer_counts_once_and_in_order(store: Store, study: Study) -> None:
    place = claimed(store, study, "r")
    assert answering.answer(store, study, MODE, "somebody-else", left(1)) is None
    assert answering.answer(store, study, "pilot", place.session_id, left(1)) is None
    ahead = answer(store, study, place, left(3))
    assert (ahead.place.position, ahead.kept) == (1, False)
    given = Given(1, {"choice": "right"}, response_ms=1234, hidden_ms=5, shown_at=utc_now())
    after = answer(store, study, place, given)
    assert (after.place.position, after.kept) == (2, True)
    again = answer(store, study, place, left(1))
    assert (again.place.position, again.kept) == (2, False)
    (kept,) = rows(store, Judgment)
    trial = study.sequences[place.sequence_id][0]
    assert (kept.choice, kept.left_id, kept.right_id) == ("right", *trial.item_ids)
    assert (kept.hidden_ms, kept.position) == (5, 1)
    assert 0 <= kept.response_ms < 1234, "the first showing counts, not the browser's own clock"
    assert kept.shown_at <= kept.answered_at
    assert (kept.plan_hash, kept.passed_check) == (study.plan_hash, None)


def test_a_double_click_in_many_threads_counts_once(store: Store, study: Study) -> None:
    place = claimed(store, study, "r")
    ends: list[Outcome] = []
    together(8, lambda _: ends.append(answer(store, study, place, left(1))))
    assert {outcome.place.position for outcome in ends} == {2}
    assert sum(outcome.kept for outcome in ends) == 1
    assert len(rows(store, Judgment)) == 1


def test_the_last_answer_finishes_the_visit(store: Store, study: Study) -> None:
    place = claimed(store, study, "r")
    for position in range(1, 5):
        assert not place.finished
        place = answer(store, study, place, left(position)).place
    assert place.finished
    (visit,) = rows(store, Visit)
    assert visit.status == "finished"
    assert visit.finished_at is not None
    assert places.find_rater(store, study, MODE, "r") == place
    assert places.completion(store, study, place).verified


def test_a_completion_is_believed_only_with_every_answer(store: Store, study: Study) -> None:
    place = claimed(store, study, "r")
    for position in range(1, 5):
        place = answer(store, study, place, left(position)).place
    store.write(lambda c: c.execute(Judgment.__table__.delete().where(Judgment.position == 2)))
    assert not places.completion(store, study, place).verified


def test_kinds_of_data_and_plans_do_not_mix(store: Store, study: Study) -> None:
    store.open_slots(study.plan_hash, "pilot", list(study.sequences))
    bot, pilot = claimed(store, study, "r"), claimed(store, study, "r", "pilot")
    assert bot.session_id != pilot.session_id
    assert places.find_session(store, study, "pilot", bot.session_id) is None


def test_times_that_no_browser_could_measure_are_left_out(store: Store, study: Study) -> None:
    place = claimed(store, study, "r")
    answer(store, study, place, Given(1, {"choice": "left"}, 10**9, 10**9))
    (kept,) = rows(store, Judgment)
    assert kept.response_ms is None
    assert kept.hidden_ms is None


def test_sequences_are_filled_evenly_when_each_has_several_raters(
    store: Store, study: Study
) -> None:
    several = study.plan.model_copy(
        update={"design": study.plan.design.model_copy(update={"raters_per_sequence": 3})}
    )
    shared = Study(**{**study.__dict__, "plan": several})
    names = list(study.sequences)[:4]
    store.open_slots(study.plan_hash, "pilot", names, each=3)
    taken: Counter[str] = Counter()
    for number in range(12):
        taken[claimed(store, shared, f"r{number}", "pilot").sequence_id] += 1
        assert max(taken.values()) - min(taken[name] for name in names) <= 1
        if number == 5:  # one goes: their sequence is the emptiest then, and is filled first
            gone = places.find_rater(store, shared, "pilot", "r0")
            assert gone is not None
            assignment.release(store, shared, "pilot", "r0", "returned")
            taken[gone.sequence_id] -= 1
    assert sum(taken.values()) == 11
    with store.reading() as connection:
        full = select(func.count()).where(Slot.session_id.is_(None), Slot.mode == "pilot")
        assert connection.scalar(full) == 1


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
            assert claim(store, study, rater, mode) is not None
            arrived.append(number)

        together(9, arrive)
        assert sorted(arrived) == list(range(9))
    store.close()
