"""If these failed, a place would be lost or given twice, or the arms of a trial would drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from prereg.chat.allocation import allocated, place_ids
from study.chat import claims, spending
from study.chat.places import ChatPlace, find_rater, find_session, is_verified
from study.chat.spending import Reservation
from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit, Owed
from study.store.database import Store
from study.store.tables import Slot, Visit
from study.visits.claims import Arrival
from tests.support.chat_engine import MODE, NOW, chat_store, claimed, rows


@pytest.fixture
def place_in(tmp_path: Path, database_url: str) -> Iterator[tuple[Store, ChatStudy]]:
    with chat_store(database_url, tmp_path) as found:
        yield found


def claim(store: Store, study: ChatStudy, rater_id: str, now: float = NOW) -> ChatPlace | None:
    return claims.claim_chat(store, study, MODE, Arrival(rater_id), now)


def note_first_message(store: Store, place: ChatPlace) -> None:
    """Note that a participant has written, as their first message does."""
    visit = update(ChatVisit).where(ChatVisit.session_id == place.session_id)
    store.write(lambda c: c.execute(visit.values(first_message_at="2027-01-15T08:00:00.000Z")))


def test_places_are_given_out_in_order_with_what_the_plan_allocates(
    place_in: tuple[Store, ChatStudy],
) -> None:
    store, study = place_in
    for place_id in place_ids(study.plan):
        place = claimed(store, study, f"rater-{place_id}")
        own = allocated(study.plan, place_id)
        assert (place.place_id, place.condition) == (place_id, own.condition)
        assert place.scenarios == own.scenarios
        assert place == find_session(store, study, MODE, place.session_id)
    assert claim(store, study, "too late") is None
    assert not claims.has_room(store, study, MODE, NOW)
    again = claimed(store, study, "rater-p00003")
    assert again.place_id == "p00003", "who comes back finds their place"


def test_who_leaves_gives_the_place_to_the_next_one(place_in: tuple[Store, ChatStudy]) -> None:
    store, study = place_in
    first = [claimed(store, study, f"r{n}") for n in range(4)]
    assert claims.release(store, study, MODE, "r1", "returned", NOW) == "active"
    assert claims.release(store, study, MODE, "r1", "returned", NOW) == "returned"
    assert claims.release(store, study, MODE, "nobody", "returned", NOW) == "unknown"
    gone = find_rater(store, study, MODE, "r1")
    assert gone is not None
    assert (gone.status, gone.ended_because) == ("returned", "left")
    following = claimed(store, study, "r9")
    assert (following.place_id, following.condition) == (first[1].place_id, first[1].condition)
    assert not is_verified(store, study, following)


def test_silence_frees_a_place_at_once_only_before_the_first_message(
    place_in: tuple[Store, ChatStudy],
) -> None:
    store, study = place_in
    silent, written = claimed(store, study, "silent"), claimed(store, study, "written")
    note_first_message(store, written)
    owed = {"plan_hash": study.root_hash, "mode": MODE, "session_id": silent.session_id}
    row = Owed(**owed, conversation_id="c", kind="partner", turn=1, owed_at=NOW)
    values = {c.name: getattr(row, c.name) for c in Owed.__table__.columns if c.name != "owed_id"}
    values = {name: value for name, value in values.items() if value is not None}
    store.write(lambda c: c.execute(Owed.__table__.insert().values(values)))  # type: ignore[attr-defined]
    in_time = NOW + 60 * study.plan.design.first_lease_minutes - 1
    assert claimed(store, study, "third", in_time).place_id == "p00003"
    late = NOW + 60 * study.plan.design.lease_minutes + 1
    assert claimed(store, study, "fourth", late).place_id == silent.place_id
    assert [one.status for one in rows(store, Owed)] == ["dropped"], "nobody waits any more"
    assert claimed(store, study, "fifth", late).place_id == "p00003", "its lease is over, too"
    for number in range(13):
        claimed(store, study, f"more-{number}", late)
    last = claimed(store, study, "last", late)
    assert last.place_id == written.place_id, "all others are taken"
    evicted = find_rater(store, study, MODE, "written")
    assert evicted is not None
    assert evicted.status == "timed_out"


def test_a_sign_of_life_keeps_a_place(place_in: tuple[Store, ChatStudy]) -> None:
    store, study = place_in
    place = claimed(store, study, "r0")
    claims.keep(store, study, place, NOW + 60)
    assert find_rater(store, study, MODE, "r0").lease_until == place.lease_until  # type: ignore[union-attr]
    claims.keep(store, study, place, NOW + 600)
    assert claimed(store, study, "r1", NOW + 1200).place_id == "p00002"


def test_claims_at_the_same_moment_take_different_places(place_in: tuple[Store, ChatStudy]) -> None:
    store, study = place_in
    names = [f"r{n % 20}" for n in range(40)]  # each of 20 people twice; there are 16 places
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda name: claim(store, study, name), names))
    held = {place.rater_id: place.place_id for place in found if place is not None}
    assert len(held) == 16
    assert sorted(held.values()) == place_ids(study.plan)
    assert len(rows(store, Visit)) == len(rows(store, ChatVisit)) == 16


def test_the_budget_is_never_exceeded_however_many_come_at_once(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spending, "worst_case_of", lambda study: Reservation(2.0, 10))
    with chat_store(database_url, tmp_path, budget={"money": 11.0}) as (store, study):
        with ThreadPoolExecutor(12) as pool:
            found = list(pool.map(lambda n: claim(store, study, f"r{n}"), range(12)))
        assert sum(place is not None for place in found) == 5
        assert sum(one.reserved_money for one in rows(store, ChatVisit)) == 10.0
        assert not claims.has_room(store, study, MODE, NOW)
        taken = [slot for slot in rows(store, Slot) if slot.session_id]
        assert len(taken) == 5, "no place is lost to somebody who was not let in"


def test_arms_stay_within_half_a_block_while_a_thousand_come_and_some_leave(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    rng = np.random.default_rng(5)
    with chat_store(url, tmp_path, design={"supporters": 900}) as (store, study):
        half = study.plan.design.allocation.block / 2
        arms: Counter[str] = Counter()
        pending: list[tuple[int, ChatPlace]] = []
        for number in range(1000):
            place = claimed(store, study, f"r{number}", NOW + number)
            arms[place.condition] += 1
            counts = [arms[name] for name in study.plan.design.conditions]
            assert max(counts) - min(counts) <= half
            if rng.random() < 0.15:
                pending.append((number + int(rng.integers(1, 4)), place))
            for _, gone in [one for one in pending if one[0] <= number]:
                claims.release(store, study, MODE, gone.rater_id, "returned", NOW + number)
                arms[gone.condition] -= 1
            pending = [one for one in pending if one[0] > number]
        assert sum(arms.values()) > 800
