"""The rows of turns.parquet: one turn-pair each, with who wrote, when and where."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from prereg.tables.conversations import conversation
from study.turns.places import known_places
from study.turns.releases import AGENT, HEADER
from study.turns.unfolding import Ints, Unfolded

SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("text", pa.string()),
        ("prompt", pa.string()),
        ("reply", pa.string()),
        ("next_turn", pa.string()),
        ("user_id", pa.string()),
        ("model", pa.string()),
        ("turn", pa.int64()),
        ("turns", pa.int64()),
        ("timestamp", pa.string()),
        ("local_hour", pa.int64()),
        ("country", pa.string()),
        ("state", pa.string()),
        ("language", pa.string()),
        ("conversation_hash", pa.string()),
    ]
)
# The first letter of a user's id: a user, or a conversation whose address is not known.
USER, NOBODY = "u", "c"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Characters of a hash that are kept: 64 bits for a user; of a conversation enough to find it.
_USER_DIGITS, _HASH_DIGITS = 16, 12


def rows_of(unfolded: Unfolded, pairs: Ints) -> pa.Table:
    """Return turn-pairs as rows.

    Parameters
    ----------
    unfolded : Unfolded
    pairs : ndarray of int64, shape (p,)
        Places in `unfolded.said` of their prompts.

    Returns
    -------
    pyarrow.Table
        p rows with the columns of `SCHEMA`.
    """
    of, depth = unfolded.of[pairs], unfolded.depth[pairs]
    prompts, replies, later = (unfolded.said.take(pa.array(pairs + step)) for step in range(3))
    texts = [_cells(said, "content") for said in (prompts, replies, later)]
    times = [_time(one) for one in _microseconds(replies)]
    where = list(zip(_cells(prompts, "country"), _cells(prompts, "state"), strict=True))
    hour = known_places().hour
    talks = unfolded.rows.take(pa.array(of))
    hashes = talks.column("conversation_hash").to_pylist()
    columns = {
        "item_id": [
            f"{(one or '')[:_HASH_DIGITS]}-{turn}-{identifier}"
            for one, turn, identifier in zip(
                hashes, depth, unfolded.identifiers[pairs], strict=True
            )
        ],
        "text": [_shown(*three) for three in zip(*texts, strict=True)],
        **dict(zip(("prompt", "reply", "next_turn"), texts, strict=True)),
        "user_id": _users(unfolded, of),
        "model": talks.column("model"),
        "turn": depth,
        "turns": unfolded.rounds[of],
        "timestamp": [None if one is None else _iso(one) for one in times],
        "local_hour": [
            None if when is None else hour(country, state, when)
            for when, (country, state) in zip(times, where, strict=True)
        ],
        "country": pc.struct_field(prompts, "country"),
        "state": pc.struct_field(prompts, "state"),
        "language": talks.column("language"),
        "conversation_hash": hashes,
    }
    return pa.table(
        {name: pa.array(columns[name]).cast(SCHEMA.field(name).type) for name in SCHEMA.names}
    )


def _cells(said: pa.StructArray, name: str) -> list[str]:
    return [one or "" for one in pc.struct_field(said, name).to_pylist()]


def _shown(prompt: str, reply: str, later: str) -> str:
    """Return what raters read."""
    turns = (("user", prompt), ("assistant", reply), ("user", later))
    return conversation([{"role": role, "content": content} for role, content in turns])


def _microseconds(said: pa.StructArray) -> list[int | None]:
    """Return times in microseconds since 1970, in UTC; a time without a zone is UTC."""
    times = pc.struct_field(said, "timestamp")
    found: list[int | None] = (
        times.cast(pa.timestamp("us", times.type.tz), safe=False).cast(pa.int64()).to_pylist()
    )
    return found


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def _iso(when: datetime) -> str:
    """Return a time as tidy tables have it, to the second."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _users(unfolded: Unfolded, of: Ints) -> list[str]:
    """Return the id of the user of each pair's conversation.

    A user is an address and a browser: the most frequent `hashed_ip` of the conversation, and the
    `user-agent` of its header. Without an address, the conversation is a user of its own, named
    by its first turn.
    """
    addresses = unfolded.rows.column("hashed_ip").to_pylist()
    agents = pc.struct_field(unfolded.rows.column(HEADER), AGENT).to_pylist()
    first = unfolded.identifiers[unfolded.of.searchsorted(of)]
    return [
        USER + _digest(f"{addresses[one]}\n{agents[one] or ''}")
        if addresses[one]
        else NOBODY + _digest(f"turn {identifier}")
        for one, identifier in zip(of, first, strict=True)
    ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_USER_DIGITS]
