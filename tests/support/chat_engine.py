"""People in a small chat, straight in its store: with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from prereg.chat.model import ChatPlan
from study.chat import claims
from study.chat.places import ChatPlace
from study.chat.study import ChatStudy
from study.store.database import Store
from study.visits.claims import Arrival
from tests.support.chat import PLAN, merged, small_chat

MODE = "bot"
NOW = 1_800_000_000.0


def chat_plan(*, replaced: dict[str, Any] | None = None, **changes: Any) -> ChatPlan:
    """Return the small plan with changes that reach into its parts, and with parts replaced."""
    return ChatPlan.model_validate({**merged(PLAN, changes), **(replaced or {})})


@contextmanager
def chat_store(url: str, folder: Path, **changes: Any) -> Iterator[tuple[Store, ChatStudy]]:
    """Open a store with the places of a small chat."""
    study = small_chat(folder, **changes)
    store = Store(url)
    claims.open_places(store, study, MODE)
    yield store, study
    store.close()


def claimed(store: Store, study: ChatStudy, rater_id: str, now: float = NOW) -> ChatPlace:
    """Take a place, which must be free."""
    place = claims.claim_chat(store, study, MODE, Arrival(rater_id), now)
    assert place is not None
    return place


def rows(store: Store, table: Any) -> list[Any]:
    """Return every row of a table."""
    with store.reading() as connection:
        return list(connection.execute(select(table.__table__)))
