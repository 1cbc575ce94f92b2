"""If this failed, a row that is new would be taken for a repetition, or the other way round."""

from __future__ import annotations

from study.store.chat_tables import Owed
from study.store.database import Store
from study.store.inserting import insert_new


def test_a_row_is_new_once_on_every_database(database_url: str) -> None:
    store = Store(database_url)
    row = {
        "plan_hash": "p",
        "mode": "bot",
        "session_id": "s",
        "conversation_id": "c",
        "kind": "partner",
        "turn": 1,
        "owed_at": 1.0,
    }
    made = [store.write(lambda connection: insert_new(connection, Owed, row)) for _ in range(2)]
    assert made == [True, False]
    store.close()
