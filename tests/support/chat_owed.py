"""Participants whom a partner or a coach owes something, straight in the store."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update

from study.chat.answering import Answering
from study.chat.asking import Retry
from study.chat.owing import owe
from study.chat.spending import worst_case_of
from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit, Conversation, Message, Owed
from study.store.database import Store
from study.store.tables import Slot, Visit
from tests.support.chat import small_chat

MODE = "bot"
AT = "2027-01-15T08:00:00.000Z"
QUICK = Retry(first=0.01, longest=0.05)
# Steps of the small plan before the first conversation.
BEFORE = 2


@dataclass(frozen=True)
class Person:
    """Somebody in the middle of a conversation."""

    session_id: str
    conversation_id: str
    mode: str = MODE


def llm_chat(folder: Path, base_url: str, **changes: Any) -> ChatStudy:
    """Return the small chat with a model for its partner, which gives up after a while."""
    server = {"model": "double", "base_url": base_url, "key_variable": None, "concurrency": 32}
    server |= changes.pop("server", {})
    failure = {"retry_seconds": 20, "give_up_seconds": 60, **changes.pop("failure", {})}
    partner = {"kind": "llm", "server": "main", "on_failure": failure}
    partner |= changes.pop("partner", {})
    return small_chat(folder, servers={"main": server}, partner=partner, **changes)


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """Open a store."""
    store = Store(url)
    try:
        yield store
    finally:
        store.close()


def person(
    store: Store,
    study: ChatStudy,
    number: int,
    *,
    condition: str = "control",
    scenario: str = "job_loss",
    step: int = BEFORE,
) -> Person:
    """Put somebody into the store who has just been shown the opening of a conversation."""
    session, talk = f"s{number:04d}", f"c{number:04d}"
    whose = {"plan_hash": study.root_hash, "mode": MODE, "session_id": session}
    visit = {
        **whose,
        "rater_id": f"r{number}",
        "condition": condition,
        "sequence_id": f"p{number:05d}",
        "consented_at": AT,
        "withdrawal_key": f"key{number}",
        "answered": step,
        "lease_until": time.time() + 3_600,
    }
    aside = worst_case_of(study)
    chat = {
        **whose,
        "scenarios": json.dumps([scenario, "moving"]),
        "reserved_money": aside.money,
        "reserved_calls": aside.calls,
    }
    conversation = {
        **whose,
        "conversation_id": talk,
        "rater_id": f"r{number}",
        "condition": condition,
        "round": 1,
        "scenario": scenario,
        "opened_at": AT,
    }
    opening = study.plan.scenario(scenario).opening

    def put(connection: Any) -> None:
        slot = {**whose, "sequence_id": f"p{number:05d}"}
        connection.execute(insert(Slot).values(slot))
        connection.execute(insert(Visit).values(visit))
        connection.execute(insert(ChatVisit).values(chat))
        connection.execute(insert(Conversation).values(conversation))
        _message(connection, Person(session, talk), 0, "partner", "opening", opening)

    store.write(put)
    return Person(session, talk)


def says(
    store: Store, study: ChatStudy, who: Person, turn: int, text: str, now: float | None = None
) -> None:
    """Store a message, and that a reply is owed, as one transaction."""
    moment = time.time() if now is None else now
    store.write(lambda connection: _says(connection, study, who, turn, text, moment))


def all_say(
    store: Store, study: ChatStudy, people: Sequence[tuple[Person, str]], turn: int
) -> None:
    """Store a message of each of them."""

    def put(connection: Any) -> None:
        for who, text in people:
            _says(connection, study, who, turn, text, time.time())

    store.write(put)


def _says(connection: Any, study: ChatStudy, who: Person, turn: int, text: str, now: float) -> None:
    _message(connection, who, turn, "supporter", "typed", text)
    its = update(Conversation).where(Conversation.conversation_id == who.conversation_id)
    connection.execute(its.values(turn=turn, owes_reply=True))
    owe(connection, study, who, who.conversation_id, "partner", turn, now)


def _message(connection: Any, who: Person, turn: int, speaker: str, source: str, text: str) -> None:
    row = {
        "message_id": f"{who.conversation_id}-{turn}-{speaker}",
        "conversation_id": who.conversation_id,
        "session_id": who.session_id,
        "turn": turn,
        "speaker": speaker,
        "source": source,
        "text": text,
        "sent_at": AT,
    }
    connection.execute(insert(Message).values(row))


def rows(store: Store, table: Any, **wanted: Any) -> list[Any]:
    """Return the rows of a table with these values, in order."""
    query = select(table.__table__)
    for name, value in wanted.items():
        query = query.where(table.__table__.c[name] == value)
    with store.reading() as connection:
        return list(connection.execute(query.order_by(*table.__table__.primary_key.columns)))


def replies(store: Store, **wanted: Any) -> list[Any]:
    """Return the partner's replies, without openings."""
    return [row for row in rows(store, Message, speaker="partner", **wanted) if row.turn]


def statuses(store: Store) -> list[str]:
    """Return the status of everything that is or was owed."""
    return [row.status for row in rows(store, Owed)]


def answered(store: Store) -> int:
    """Return how many things that were owed have been answered."""
    with store.reading() as connection:
        done = select(func.count()).select_from(Owed).where(Owed.status == "answered")
        return connection.scalar(done) or 0


def wait_until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.01)


@contextmanager
def answering(
    study: ChatStudy, store: Store, clock: Callable[[], float] = time.time
) -> Iterator[Answering]:
    """Answer in the background, with short waits."""
    here = Answering(study, store, MODE, clock=clock, retry=QUICK)
    here.start()
    try:
        yield here
    finally:
        here.stop()


def answer_until_killed(folder: str, url: str, base_url: str) -> None:
    """Answer in this process until it is killed; it says when it has begun."""
    with opened(url) as store, answering(llm_chat(Path(folder), base_url), store):
        print("answering", flush=True)
        time.sleep(600)


if __name__ == "__main__":
    answer_until_killed(*sys.argv[1:])
