"""Raters' pseudonyms: r417 instead of a platform's id, the same in every export of a store.

A pseudonym is drawn from a seed that only the store holds, so it says nothing about the id, the
order of arrival or the answers. The store keeps it under a keyed hash of the id, and forgets it
when the rater withdraws.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.engine import Connection

from study.store import settings
from study.store.database import Store
from study.store.tables import Setting

SEED = "pseudonym_seed"
PREFIX = "pseudonym:"
# Numbers are drawn from so many times as many as there are raters, but have at least 3 digits.
ROOM, DIGITS = 4, 3


def pseudonyms_of(store: Store, rater_ids: Iterable[str], *, places: int) -> dict[str, str]:
    """Return each rater's pseudonym; raters who have none yet get theirs.

    Parameters
    ----------
    store : Store
    rater_ids : iterable of str
    places : int
        How many raters the study has; a number has as many digits as they need.
    """
    wanted = sorted(set(rater_ids))

    def give(connection: Connection) -> dict[str, str]:
        settings.put_first(connection, SEED, secrets.token_urlsafe(32))
        seed = settings.read(connection, SEED) or ""
        rows = connection.execute(
            select(Setting.name, Setting.value).where(Setting.name.startswith(PREFIX))
        )
        kept: dict[str, str] = {row.name: row.value for row in rows}
        digits = max(DIGITS, len(str(ROOM * max(places, len(wanted)))))
        found = {}
        for rater_id in wanted:
            key = _key(seed, rater_id)
            if key not in kept:
                kept[key] = _draw(seed, rater_id, digits, set(kept.values()))
                settings.put(connection, key, kept[key])
            found[rater_id] = kept[key]
        return found

    return store.write(give)


def forget_pseudonym(connection: Connection, rater_id: str) -> None:
    """Delete the pseudonym of a rater who withdraws, if there is one."""
    seed = settings.read(connection, SEED)
    if seed is not None:
        settings.drop(connection, _key(seed, rater_id))


def _draw(seed: str, rater_id: str, digits: int, taken: set[str]) -> str:
    """Return the first number of a rater that nobody else has."""
    attempt = 0
    while True:
        told = f"{attempt}:{rater_id}"
        number = 1 + int(_digest(seed, told), 16) % (10**digits - 1)
        if (name := f"r{number:0{digits}d}") not in taken:
            return name
        attempt += 1


def _key(seed: str, rater_id: str) -> str:
    return PREFIX + _digest(seed, rater_id)[:48]


def _digest(seed: str, told: str) -> str:
    return hmac.new(seed.encode(), told.encode(), hashlib.sha256).hexdigest()
