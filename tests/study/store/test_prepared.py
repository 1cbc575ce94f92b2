"""If this failed, a page would read or change something else than its statement says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from sqlalchemy import Table, bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from study.store.database import Store
from study.store.prepared import Prepared
from study.store.tables import Visit

VISITS = cast(Table, Visit.__table__)
BY_RATER = select(VISITS).where(VISITS.c.rater_id == bindparam("rater"))
MOVED = (
    update(VISITS)
    .where(VISITS.c.rater_id == bindparam("of_rater"), VISITS.c.status == "active")
    .values(status=bindparam("then"), comprehended=bindparam("understood"))
)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    row = {
        "session_id": "s1",
        "plan_hash": "p",
        "mode": "pilot",
        "rater_id": "r1",
        "sequence_id": "q",
        "slot": 1,
        "consented_at": "2026-01-01T00:00:00Z",
        "status": "active",
        "lease_until": 12.5,
        "withdrawal_key": "k1",
        "comprehended": False,
    }
    second = {"session_id": "s2", "rater_id": "r2", "slot": 2, "withdrawal_key": "k2"}
    rows = [row, row | second]
    store.write(lambda connection: connection.execute(insert(VISITS), rows))
    yield store
    store.close()


def test_a_row_is_what_sqlalchemy_returns(store: Store) -> None:
    prepared = Prepared(BY_RATER)
    with store.reading() as connection:
        for rater in ("r1", "r2", "r1"):
            wanted = connection.execute(BY_RATER, {"rater": rater}).one()
            found = prepared.one(connection, {"rater": rater})
            assert found is not None
            assert dict(found._asdict()) == dict(wanted._mapping)
            assert [type(cell) for cell in found] == [type(cell) for cell in wanted]
        assert prepared.one(connection, {"rater": "nobody"}) is None


def test_every_row_is_what_sqlalchemy_returns(store: Store) -> None:
    statement = select(VISITS).where(VISITS.c.mode == bindparam("in_mode")).order_by("rater_id")
    prepared = Prepared(statement)
    with store.reading() as connection:
        wanted = connection.execute(statement, {"in_mode": "pilot"}).all()
        found = prepared.every(connection, {"in_mode": "pilot"})
        assert [dict(row._asdict()) for row in found] == [dict(row._mapping) for row in wanted]
        assert len(found) == 2
        assert prepared.every(connection, {"in_mode": "live"}) == []


def test_a_change_is_part_of_its_transaction(store: Store) -> None:
    prepared = Prepared(MOVED)
    given = {"of_rater": "r1", "then": "finished", "understood": True}

    def fails(connection: Any) -> None:
        assert prepared.change(connection, given) == 1
        raise KeyError

    with pytest.raises(KeyError):
        store.write(fails)
    with store.reading() as connection:
        kept = Prepared(BY_RATER).one(connection, {"rater": "r1"})
        assert kept is not None
        assert (kept.status, kept.comprehended) == ("active", False)
    assert store.write(lambda connection: prepared.change(connection, given)) == 1
    assert store.write(lambda connection: prepared.change(connection, given)) == 0, "not active"
    with store.reading() as connection:
        kept = Prepared(BY_RATER).one(connection, {"rater": "r1"})
        assert kept is not None
        assert (kept.status, kept.comprehended) == ("finished", True)


def test_errors_are_those_of_sqlalchemy(store: Store) -> None:
    key = update(VISITS).where(VISITS.c.rater_id == bindparam("rater")).values(session_id="s2")
    with pytest.raises(IntegrityError):
        store.write(lambda connection: Prepared(key).change(connection, {"rater": "r1"}))
    drop = text("DROP TABLE visits")
    store.write(lambda connection: connection.execute(drop))
    with store.reading() as connection, pytest.raises((OperationalError, ProgrammingError)):
        Prepared(BY_RATER).one(connection, {"rater": "r1"})
