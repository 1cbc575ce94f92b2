"""If these failed, a withdrawal would leave something, or take what is not the person's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from study.chat import leaving, talking
from study.chat.places import ChatPlace, find_rater
from study.chat.screens import Hit
from study.chat.spending import cost
from study.chat.study import ChatStudy
from study.store.chat_tables import CHAT_TABLES, Call, Coaching, Conversation, SurveyAnswer
from study.store.database import Store
from study.store.tables import Slot, Visit, Withdrawal
from tests.support.chat_engine import MODE, NOW, chat_store, claimed, rows


@pytest.fixture
def place_in(tmp_path: Path, database_url: str) -> Iterator[tuple[Store, ChatStudy]]:
    surveys = {"before": None, "after_each": None}
    with chat_store(database_url, tmp_path, surveys=surveys) as found:
        yield found


def took_part(store: Store, study: ChatStudy, rater_id: str) -> ChatPlace:
    """Leave something in every table of a chat."""
    place = claimed(store, study, rater_id)
    talk = talking.open_conversation(store, study, place, NOW).conversation_id
    sent = talking.Sent(1, f"the words of {rater_id}")
    talking.send(store, study, place, sent, NOW, lambda text: Hit("lexicon", "harm"))
    hit = talking.pending(store, place)
    assert hit is not None
    talking.choose(store, study, place, hit, "went_on", NOW)
    own = {"session_id": place.session_id}
    coaching = {"conversation_id": talk, "round": 1, "position": 0, "kind": "feedback"}
    coaching |= {"source": "llm", "text": "Good.", "sent_at": "t"}
    call = {"request_id": f"q-{rater_id}", "plan_hash": study.root_hash, "mode": MODE}
    call |= {"owed_id": 1, "purpose": "partner", "status": "answered", "cost": 0.25}
    survey = {"survey": "end", "question": "used_ai", "value": "no help", "answered_at": "t"}

    def leave(connection: object) -> None:
        connection.execute(insert(Coaching).values(**own, **coaching))  # type: ignore[attr-defined]
        connection.execute(insert(Call).values(**own, **call, asked_at="t"))  # type: ignore[attr-defined]
        connection.execute(insert(SurveyAnswer).values(**own, **survey))  # type: ignore[attr-defined]

    store.write(leave)
    return place


def test_a_withdrawal_deletes_everything_of_one_person_and_nothing_else(
    place_in: tuple[Store, ChatStudy],
) -> None:
    store, study = place_in
    gone, stays = took_part(store, study, "gone"), took_part(store, study, "stays")
    before = {table: rows(store, table) for table in CHAT_TABLES}
    assert all({row.session_id for row in before[t]} >= {gone.session_id} for t in CHAT_TABLES)
    derived: list[str] = []
    talks = [t.conversation_id for t in before[Conversation] if t.session_id == gone.session_id]
    assert leaving.find_place(store, study, MODE, gone.withdrawal_key) is not None
    forget = lambda connection, ids: derived.extend(ids)  # noqa: E731
    assert leaving.withdraw(store, study, MODE, gone.withdrawal_key, forget)
    assert derived == talks
    for table in CHAT_TABLES:
        left = rows(store, table)
        assert gone.session_id not in {row.session_id for row in left}
        kept = [row for row in before[table] if row.session_id == stays.session_id]
        assert [row for row in left if row.session_id == stays.session_id] == kept
    assert [visit.rater_id for visit in rows(store, Visit)] == ["stays"]
    assert sum(slot.session_id is not None for slot in rows(store, Slot)) == 1
    assert len(rows(store, Withdrawal)) == 1
    assert not leaving.withdraw(store, study, MODE, gone.withdrawal_key)
    assert not leaving.withdraw(store, study, MODE, "no key")
    assert leaving.find_place(store, study, MODE, gone.withdrawal_key) is None
    assert claimed(store, study, "next").place_id == gone.place_id


def test_what_was_spent_stays_in_the_sum_without_saying_on_whom(
    place_in: tuple[Store, ChatStudy],
) -> None:
    store, study = place_in
    took_part(store, study, "gone")
    assert leaving.withdraw_rater(store, study, MODE, "gone")
    assert not leaving.withdraw_rater(store, study, MODE, "gone")
    (call,) = rows(store, Call)
    assert (call.session_id, call.owed_id, call.cost) == ("", 0, 0.25)
    assert "gone" not in call.request_id
    assert len(call.asked_at) == 10
    assert cost(store, study, MODE).spent == 0.25


def test_the_words_are_gone_from_the_file_as_well(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    surveys = {"before": None, "after_each": None}
    with chat_store(f"sqlite:///{path}", tmp_path, surveys=surveys) as (store, study):
        took_part(store, study, "gone")
        assert leaving.withdraw_rater(store, study, MODE, "gone")
        assert store.has_erased(10)
        files = [one.read_bytes() for one in tmp_path.glob("store.sqlite3*")]
    assert not any(b"the words of gone" in content for content in files)


def test_a_silent_visit_is_not_ended_once_it_is_heard_of(place_in: tuple[Store, ChatStudy]) -> None:
    store, study = place_in
    place = took_part(store, study, "back")

    def end(silent: bool, now: float) -> bool:
        session = {"status": "timed_out", "because": "left", "now": now, "silent": silent}
        return store.write(lambda c: leaving.end_visit(c, place.session_id, **session))  # type: ignore[arg-type]

    assert not end(True, NOW + 60)
    past = update(Visit).values(lease_until=NOW - 1)
    store.write(lambda connection: connection.execute(past))
    assert end(True, NOW)
    assert not end(False, NOW)
    found = find_rater(store, study, MODE, "back")
    assert found is not None
    assert (found.status, found.ended_because) == ("timed_out", "left")
