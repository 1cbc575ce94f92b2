"""If this failed, requests at the same moment would lock each other out, or leave what none would.

People talk, are answered, stop, leave and withdraw, all at once: no request may fail, and nothing
may be left of who withdrew.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path

import pytest

from study.chat import claims, leaving, talking
from study.chat.giving_up import give_up
from study.chat.owing import SettledReply, claim_owed, settle
from study.chat.places import ChatPlace, find_rater
from study.chat.screens import Hit
from study.chat.study import ChatStudy
from study.store.chat_tables import CHAT_TABLES, Conversation, Message, Owed
from study.store.database import Store
from study.store.tables import Slot, Visit
from study.visits.claims import Arrival
from tests.support.chat_engine import MODE, NOW, chat_store, rows

PEOPLE, REQUESTS, THREADS = 4, 40, 8


def screen(text: str) -> Hit | None:
    return Hit("lexicon", "harm") if "3" in text else None


def request(store: Store, study: ChatStudy, rng: random.Random, *, gives_up: bool) -> None:
    """Send any request of any of the people, from any of their windows."""
    rater_id, now = f"r{rng.randrange(PEOPLE)}", NOW + rng.random() * 100
    what = rng.choices(
        ["look", "send", "answer", "choose", "leave", "withdraw", "release", "give up"],
        [6, 8, 6, 3, 1, 1, 1, int(gives_up)],
    )[0]
    if what == "answer":
        for task in claim_owed(store, study, MODE, f"run-{rng.random()}", 2, now):
            hit = Hit("moderation", "harm") if rng.random() < 0.1 else None
            settle(store, study, task, SettledReply("Yes.", "scripted", hit=hit), now)
        return
    if what == "give up":
        give_up(store, study, MODE, NOW + 110)
        return
    place = find_rater(store, study, MODE, rater_id)
    if place is None:
        claims.claim_chat(store, study, MODE, Arrival(rater_id), now)
    elif what in ("withdraw", "release", "leave"):
        go(store, study, place, what, now)
    else:
        talk(store, study, place, what, now, rng)


def go(store: Store, study: ChatStudy, place: ChatPlace, how: str, now: float) -> None:
    if how == "withdraw":
        leaving.withdraw(store, study, MODE, place.withdrawal_key)
    elif how == "release":
        claims.release(store, study, MODE, place.rater_id, "returned", now)
    else:
        talking.leave_conversation(store, study, place, now)


def talk(
    store: Store, study: ChatStudy, place: ChatPlace, what: str, now: float, rng: random.Random
) -> None:
    if what == "choose":
        event = talking.pending(store, place)
        if event is not None:
            choice = rng.choice(("went_on", "went_on", "stopped"))
            talking.choose(store, study, place, event, choice, now)
    elif what == "look":
        talking.look(store, study, place, now, talking.Beat(visible=rng.random() < 0.7))
    else:
        shown = talking.look(store, study, place, now)
        sent = talking.Sent(shown.turn, f"words {rng.randrange(9)}")
        talking.send(store, study, place, sent, now, screen)


# giving up also drops what nobody waits for, and so hides what others have forgotten to drop
@pytest.mark.parametrize("gives_up", [True, False])
def test_no_request_fails_whatever_happens_at_the_same_moment(
    tmp_path: Path, database_url: str, gives_up: bool
) -> None:
    failed: list[BaseException] = []
    parts = {"design": {"supporters": 8}, "surveys": {"before": None, "after_each": None}}
    with chat_store(database_url, tmp_path, **parts) as (store, study):

        def work(number: int) -> None:
            rng = random.Random(number)
            for _ in range(REQUESTS):
                try:
                    request(store, study, rng, gives_up=gives_up)
                except talking.NoConversationError:
                    continue
                except Exception as error:
                    failed.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed, failed[:3]
        sessions = {visit.session_id for visit in rows(store, Visit)}
        for table in CHAT_TABLES:
            assert {row.session_id for row in rows(store, table)} <= sessions, table
        active = {v.session_id for v in rows(store, Visit) if v.status in ("active", "finished")}
        held = [slot.session_id for slot in rows(store, Slot) if slot.session_id is not None]
        assert sorted(held) == sorted(active)
        spoken = Counter(m.conversation_id for m in rows(store, Message) if m.speaker[0] == "s")
        for one in rows(store, Conversation):
            assert spoken[one.conversation_id] == one.turn
        open_owed = Counter(
            o.session_id for o in rows(store, Owed) if o.status in ("owed", "claimed")
        )
        assert all(count <= 1 for count in open_owed.values())
        assert set(open_owed) <= active
