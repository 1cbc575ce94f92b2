"""The queue of what is owed: claimed by one server at a time, stored once, given up kindly."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import update

from study.chat import owing
from study.chat.owing import SettledReply
from study.chat.screens import Hit
from study.chat.study import ChatStudy
from study.serving import server
from study.serving.command import Serving, serve_study
from study.store.chat_tables import ChatVisit, Conversation, Message, Owed, SafetyEvent
from study.store.database import Store
from study.store.tables import Slot, Visit
from tests.support.chat import small_chat
from tests.support.chat_owed import MODE, opened, person, replies, rows, says, statuses

NOW = 1_800_000_000.0
HELLO = SettledReply("Hello again.", "llm", request_id="r1", latency_ms=12)


@pytest.fixture
def study(tmp_path: Path) -> ChatStudy:
    return small_chat(
        tmp_path, conversation={"typing": {"characters_per_second": 4, "at_least": 1, "at_most": 6}}
    )


def claim(store: Store, study: ChatStudy, run: str, now: float = NOW, limit: int = 100):
    return owing.claim_owed(store, study, MODE, run, limit, now)


def test_two_servers_never_claim_the_same(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        for number in range(40):
            says(store, study, person(store, study, number), 1, "I hear you.", NOW)
        claimed: list[tuple[str, int]] = []
        gate = threading.Barrier(4)

        def serve(run: str) -> None:
            gate.wait()
            while mine := claim(store, study, run, limit=3):
                claimed.extend((run, task.owed_id) for task in mine)

        threads = [threading.Thread(target=serve, args=(f"run{n}",)) for n in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        counts = Counter(owed for _, owed in claimed)
        assert len(counts) == 40
        assert set(counts.values()) == {1}


def test_a_reply_is_stored_once_by_the_holder(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        who = person(store, study, 1)
        says(store, study, who, 1, "How are you?", NOW)
        [dead] = claim(store, study, "dead")
        assert not claim(store, study, "second", NOW + owing.CLAIM_SECONDS - 1)
        owing.keep_claims(store, [dead], NOW + 10)
        assert not claim(store, study, "second", NOW + owing.CLAIM_SECONDS + 1)
        [alive] = claim(store, study, "second", NOW + 40)
        assert alive.attempts == 2
        late = NOW + 41
        assert not owing.settle(store, study, dead, SettledReply("From the dead.", "llm"), late)
        assert owing.settle(store, study, alive, HELLO, late)
        assert not owing.settle(store, study, alive, HELLO, late)
        [reply] = replies(store)
        assert (reply.text, reply.turn, reply.request_id) == ("Hello again.", 1, "r1")
        [talk] = rows(store, Conversation)
        assert not talk.owes_reply
        assert statuses(store) == ["answered"]


def test_a_reply_is_shown_after_its_typing_delay(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        for number, (after, shown) in enumerate([(0.5, 3.0), (5.0, 5.0)]):
            who = person(store, study, number)
            says(store, study, who, 1, "Hm?", NOW)
            [task] = claim(store, study, "run")
            owing.settle(store, study, task, HELLO, NOW + after)  # 12 characters, 3 seconds
            [reply] = replies(store, conversation_id=who.conversation_id)
            assert reply.show_from == NOW + shown


def test_owing_again_changes_nothing(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        who = person(store, study, 1)
        says(store, study, who, 1, "Hm?", NOW)
        whose = (study, who, who.conversation_id, "partner", 1, NOW + 5)
        assert not store.write(lambda connection: owing.owe(connection, *whose))
        [row] = rows(store, Owed)
        assert row.owed_at == NOW


def test_giving_up_ends_the_visit_kindly(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        who, other = person(store, study, 1), person(store, study, 2)
        says(store, study, who, 1, "Hm?", NOW)
        says(store, study, other, 1, "Hm?", NOW + 60)
        task = claim(store, study, "slow")[0]
        assert owing.give_up(store, study, MODE, NOW + 119) == 0
        assert owing.give_up(store, study, MODE, NOW + 121) == 1
        visit, left = rows(store, Visit)
        assert (visit.status, left.status) == ("partner_failure", "active")
        assert [row.session_id for row in rows(store, Slot)] == [None, other.session_id]
        assert rows(store, ChatVisit)[0].ended_because == "partner_failure"
        talk = rows(store, Conversation)[0]
        assert (talk.status, talk.ended_because, talk.owes_reply) == (
            "failed",
            "partner_failure",
            False,
        )
        # the reply that comes after all is nobody's any more
        assert not owing.settle(store, study, task, HELLO, NOW + 122)
        assert not replies(store)
        assert statuses(store)[0] == "failed"


def test_what_nobody_waits_for_is_dropped(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        gone, over = person(store, study, 1), person(store, study, 2)
        for who in (gone, over):
            says(store, study, who, 1, "Hm?", NOW)
        tasks = claim(store, study, "run")
        returned = update(Visit).where(Visit.session_id == gone.session_id)
        store.write(lambda c: c.execute(returned.values(status="returned")))
        ended = update(Conversation).where(Conversation.conversation_id == over.conversation_id)
        store.write(lambda c: c.execute(ended.values(status="over")))
        assert not any(owing.settle(store, study, task, HELLO, NOW + 1) for task in tasks)
        assert statuses(store) == ["dropped", "dropped"]
        says(store, study, gone, 2, "Hm?", NOW)
        assert not claim(store, study, "run")
        assert owing.give_up(store, study, MODE, NOW + 1) == 0
        assert statuses(store)[-1] == "dropped"


def test_an_answer_of_the_coach_that_was_left_behind_ends_no_visit(
    database_url: str, study: ChatStudy
) -> None:
    # survey, survey, talk, survey, coach, talk
    for number, (step, status, ends) in enumerate(
        [(4, "failed", 1), (5, "dropped", 0), (3, "owed", 0)]
    ):
        with opened(database_url) as store:
            who = person(store, study, number, condition="coach", step=step)
            whose = (study, who, who.conversation_id, "answer", 2, NOW + number * 1_000)
            store.write(lambda connection, whose=whose: owing.owe(connection, *whose))
            assert owing.give_up(store, study, MODE, NOW + number * 1_000 + 121) == ends
            assert statuses(store)[-1] == status


def test_a_hit_is_held_until_the_participant_goes_on(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        who = person(store, study, 1)
        says(store, study, who, 1, "Hm?", NOW)
        [task] = claim(store, study, "run")
        owing.hold(store, task, 1, "supporter", Hit("moderation", "self_harm"), NOW + 1)
        [event] = rows(store, SafetyEvent)
        assert (event.screen, event.category, event.choice) == ("moderation", "self_harm", "")
        assert rows(store, ChatVisit)[0].safety_flags == 1
        assert not claim(store, study, "run", NOW + 60)
        assert owing.give_up(store, study, MODE, NOW + 300) == 0

        def go_on(connection) -> None:
            connection.execute(update(SafetyEvent).values(choice="went_on"))
            owing.resume(connection, who.conversation_id, NOW + 300)

        store.write(go_on)
        assert owing.give_up(store, study, MODE, NOW + 301) == 0
        assert claim(store, study, "run", NOW + 301)


def test_a_restart_frees_what_was_claimed_and_what_was_put_off(
    database_url: str, study: ChatStudy
) -> None:
    with opened(database_url) as store:
        for number in range(2):
            says(store, study, person(store, study, number), 1, "Hm?", NOW)
        first, _ = claim(store, study, "dead")
        assert owing.put_off(store, first, reason="fatal", note="no key")
        assert not claim(store, study, "new", NOW + 14)
        owing.reset_claims(store, study, MODE)
        assert len(claim(store, study, "new")) == 2


def test_what_was_given_up_while_its_call_was_under_way_keeps_the_reason(
    database_url: str, study: ChatStudy
) -> None:
    with opened(database_url) as store:
        says(store, study, person(store, study, 1), 1, "Hm?", NOW)
        [task] = claim(store, study, "run")
        assert owing.give_up(store, study, MODE, NOW + 301) == 1
        assert not owing.put_off(store, task, reason="fatal", note="no key")
        assert not owing.put_off(store, task, reason="time", note="a second reason")
        [row] = rows(store, owing.Owed)
        assert (row.status, row.reason, row.note) == ("failed", "fatal", "no key")


def test_a_claim_given_back_is_free_at_once(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        says(store, study, person(store, study, 1), 1, "Hm?", NOW)
        claim(store, study, "stopping")
        owing.release_claims(store, "stopping")
        assert claim(store, study, "next")


def test_a_role_break_is_counted_with_its_message(database_url: str, study: ChatStudy) -> None:
    with opened(database_url) as store:
        who = person(store, study, 1)
        says(store, study, who, 1, "Hm?", NOW)
        [task] = claim(store, study, "run")
        broken = SettledReply("As an AI ...", "llm", flag="role_break", role_break=True)
        owing.settle(store, study, task, broken, NOW + 1)
        assert rows(store, Conversation)[0].role_breaks == 1
        assert rows(store, Message, turn=1, speaker="partner")[0].flag == "role_break"


@pytest.mark.parametrize("answered_by", ["one server", "another server, too"])
def test_a_server_that_starts_takes_up_what_was_put_off(
    database_url: str, study: ChatStudy, monkeypatch: pytest.MonkeyPatch, answered_by: str
) -> None:
    monkeypatch.setattr(server, "serve", lambda app, listener, *, ready: listener.close())
    now = time.time()
    with opened(database_url) as store:
        says(store, study, person(store, study, 1), 1, "Hm?", now)
        [task] = claim(store, study, "of before", now)
        if answered_by == "one server":
            assert owing.put_off(store, task, reason="fatal", note="no key")
        nothing = {"ready": lambda _address, _token: None, "say": lambda _line: None}
        serve_study(study, Serving(MODE, "127.0.0.1", 0), url=database_url, **nothing)
        # with PostgreSQL, the server that claimed it may still be there
        free = answered_by == "one server" or store.is_sqlite
        assert len(claim(store, study, "new", now)) == free
