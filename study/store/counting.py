"""Counts requests for all workers of a study, in its PostgreSQL database.

The counts are in a table that is not part of the store: nothing depends on it, and it is empty
after a crash. It holds no network address, only a keyed hash that is another one in each window,
and a row is deleted when its window is over.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import random
import time

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from study.store.database import Store

_MAKE = text(
    "CREATE UNLOGGED TABLE IF NOT EXISTS ratify_limits "
    "(hash text PRIMARY KEY, hits integer NOT NULL, expires double precision NOT NULL)"
)
_HIT = text(
    "INSERT INTO ratify_limits (hash, hits, expires) VALUES (:hash, 1, :expires) "
    "ON CONFLICT (hash) DO UPDATE SET hits = ratify_limits.hits + 1 RETURNING hits"
)
_CLEAN = text("DELETE FROM ratify_limits WHERE expires < :now")
# One hit in so many deletes the rows whose window is over.
CLEAN_EVERY = 50


class SharedCounter:
    """Counts hits in windows of fixed length.

    Parameters
    ----------
    store : Store
        On PostgreSQL.
    secret : str
        Without it, nobody can find out which address a hash belongs to.
    """

    def __init__(self, store: Store, secret: str) -> None:
        self._store, self._secret = store, secret.encode()
        # an error means that another server has just made the same table
        with contextlib.suppress(SQLAlchemyError):
            store.write(lambda connection: connection.execute(_MAKE))

    def hit(self, most: int, seconds: int, what: str, address: str) -> bool:
        """Count a hit of an address; say whether it is among the `most` first of its window."""
        now = time.time()
        window = int(now // seconds)
        told = f"{window}:{what}:{address}".encode()
        hashed = hmac.new(self._secret, told, hashlib.sha256).hexdigest()[:32]
        row = {"hash": hashed, "expires": (window + 1) * seconds}
        with self._store.engine.begin() as connection:
            hits: int = connection.execute(_HIT, row).scalar_one()
            if random.randrange(CLEAN_EVERY) == 0:  # noqa: S311 - no secret depends on it
                connection.execute(_CLEAN, {"now": now})
        return hits <= most
