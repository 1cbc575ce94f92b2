"""Raters who take places directly in a store, and raters whose browser has no JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from sqlalchemy import select

from study.bots import answer_all, arrive
from study.folder import Study
from study.store.database import Store
from study.visits import claims as assignment
from study.visits.claims import Arrival
from study.visits.places import Place

MODE = "bot"


@contextmanager
def opened(url: str, study: Study) -> Iterator[Store]:
    """Open a store with the study's slots."""
    store = Store(url)
    store.open_slots(study.plan_hash, MODE, list(study.sequences))
    yield store
    store.close()


def claim(store: Store, study: Study, rater: str, mode: str = MODE) -> Place | None:
    """Take a place, or return the one that the rater has."""
    return assignment.claim(store, study, mode, Arrival(rater))


def claimed(store: Store, study: Study, rater: str, mode: str = MODE) -> Place:
    """Take a place, which must be free."""
    place = claim(store, study, rater, mode)
    assert place is not None
    return place


def rows(store: Store, table: Any) -> list[Any]:
    """Return every row of a table."""
    with store.reading() as connection:
        return list(connection.execute(select(table.__table__)))


def take_part(client: httpx.Client, rater_id: str, choose: Callable[[str, str], str]) -> bool:
    """Take part as a browser without script would; say whether a completion code was handed out."""
    page = arrive(client, rater_id)
    if page is not None:
        answer_all(client, page, choose)
    return page is not None
