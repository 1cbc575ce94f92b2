"""Measures `ratify turns` on made conversations of WildChat's shape: time and peak memory.

`python -m benchmarks.turns 837989` makes as many conversations as WildChat-1M has (2.8 GB on disk)
and takes several minutes; without a number it makes fewer.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.wildchat import SCHEMA_1M

CONVERSATIONS = 40_000
SHARD, GROUP = 60_000, 1_000
# Rounds of a conversation, and characters of a prompt and a reply: means of geometric and
# exponential distributions.
ROUNDS, PROMPT, REPLY = 2.5, 1_200, 1_800
WORDS = (
    "the a and of to I you my it that feel today work friend think want know people time never "
    "always really maybe because when people house night morning love story walk rain family"
).split()
PLACES = (
    *(("United States", state) for state in ("California", "Texas", "New York", "Idaho")),
    *(("United Kingdom", "England"), ("India", "Kerala"), ("Germany", "Berlin")),
    *(("China", "Beijing"), ("Russia", "Moscow"), (None, None)),
)


def corpus(rng: np.random.Generator, size: int = 8_000_000) -> str:
    """Return a long text of random words, out of which utterances are cut."""
    picked = rng.integers(len(WORDS), size=size // 5)
    return " ".join(WORDS[one] for one in picked)[:size]


def made(rng: np.random.Generator, first: int, count: int, text: str) -> pa.Table:
    """Make conversations as a table in the schema of WildChat-1M, moderation included.

    Parameters
    ----------
    rng : numpy Generator
    first : int
        The `turn_identifier` of the first round.
    count : int
    text : str
        What utterances are cut from.
    """
    rounds = rng.geometric(1 / ROUNDS, size=count)
    offsets = np.concatenate([[0], np.cumsum(2 * rounds)]).astype(np.int32)
    total = int(offsets[-1])
    of = np.repeat(np.arange(count), 2 * rounds)
    user = np.arange(total) % 2 == 0
    length = (rng.exponential(np.where(user, PROMPT, REPLY)) + 1).astype(int)
    start = rng.integers(len(text) - length)
    place = rng.integers(len(PLACES), size=count)
    when = 1_680_000_000_000_000 + np.arange(total) * 1_000_000
    address = [f"{one:064x}" for one in rng.integers(count // 4 + 1, size=count)]
    header = pa.array([{"accept-language": "en", "user-agent": "Browser"}] * count)
    kind = SCHEMA_1M.field("conversation").type.value_type
    columns = {
        "content": pa.array(
            [text[a : a + n] for a, n in zip(start.tolist(), length.tolist(), strict=True)]
        ),
        "role": pa.array(np.where(user, "user", "assistant")),
        "country": _of_users(user, [PLACES[one][0] for one in place[of]]),
        "state": _of_users(user, [PLACES[one][1] for one in place[of]]),
        "hashed_ip": _of_users(user, [address[one] for one in of]),
        "header": pa.array([None] * total, kind.field("header").type),
        "language": pa.array(["English"] * total),
        "redacted": pa.array(np.zeros(total, bool)),
        "toxic": pa.array(np.zeros(total, bool)),
        "timestamp": pa.array(when, mask=user).cast(pa.timestamp("us", "UTC")),
        "turn_identifier": pa.array(first + np.arange(total) // 2),
    }
    said = pa.StructArray.from_arrays(
        [columns[field.name].cast(field.type) for field in kind], fields=list(kind)
    )
    whole = {
        "conversation_hash": pa.array([rng.bytes(16).hex() for _ in range(count)]),
        "model": pa.array(rng.choice(["gpt-3.5-turbo-0301", "gpt-4-0314"], size=count)),
        "timestamp": pa.array(when[offsets[1:] - 1]).cast(pa.timestamp("us", "UTC")),
        "conversation": pa.ListArray.from_arrays(pa.array(offsets), said),
        "turn": pa.array(rounds),
        "language": pa.array(np.where(rng.random(count) < 0.53, "English", "Russian")),
        **{
            name: pa.ListArray.from_arrays(
                pa.array(offsets), _scores(SCHEMA_1M.field(name).type.value_type, total, rng)
            )
            for name in ("openai_moderation", "detoxify_moderation")
        },
        "toxic": pa.array(np.zeros(count, bool)),
        "redacted": pa.array(rng.random(count) < 0.05),
        "state": pa.array([PLACES[one][1] for one in place]),
        "country": pa.array([PLACES[one][0] for one in place]),
        "hashed_ip": pa.array(address),
        "header": header,
    }
    return pa.table(whole).cast(SCHEMA_1M)


def _of_users(user: np.ndarray, values: list[str | None]) -> pa.Array:
    """Return what only the utterances of users have."""
    kept = [value if asked else None for value, asked in zip(values, user.tolist(), strict=True)]
    return pa.array(kept, pa.string())


def _scores(kind: pa.DataType, total: int, rng: np.random.Generator) -> pa.Array:
    """Return values of a type of moderation: objects of scores and flags."""
    if pa.types.is_struct(kind):
        fields = list(kind)
        inside = [_scores(field.type, total, rng) for field in fields]
        return pa.StructArray.from_arrays(inside, fields=fields)
    drawn = rng.random(total)
    return pa.array(drawn if pa.types.is_floating(kind) else drawn > 1)


def write_release(folder: Path, conversations: int) -> int:
    """Write shards, and return their size in bytes."""
    rng = np.random.default_rng(1)
    text = corpus(rng)
    first, size = 1, 0
    for shard, begin in enumerate(range(0, conversations, SHARD)):
        path = folder / f"train-{shard:05d}.parquet"
        with pq.ParquetWriter(path, SCHEMA_1M) as writer:
            for at in range(begin, min(begin + SHARD, conversations), GROUP):
                count = min(GROUP, conversations - at)
                table = made(rng, first, count, text)
                first += int(np.asarray(table.column("turn")).sum())
                writer.write_table(table, row_group_size=GROUP)
        size += path.stat().st_size
    return size


def measured(shards: Path, out: Path, *options: str) -> tuple[float, float, float]:
    """Run the command in a process of its own.

    Returns
    -------
    (float, float, float)
        Seconds by the clock, seconds of processor time, and its peak memory in MB.
    """
    words = [sys.executable, "-m", "ratify", "turns", str(shards), "--out", str(out), *options]
    began = time.perf_counter()
    child = os.posix_spawn(sys.executable, words, os.environ)
    _, status, used = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"ratify turns ended with {os.waitstatus_to_exitcode(status)}")
    seconds = time.perf_counter() - began
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(conversations: int = CONVERSATIONS) -> None:
    """Measure a quarter of the conversations, and all of them."""
    with tempfile.TemporaryDirectory() as place:
        shards = Path(place) / "release"
        shards.mkdir()
        size = write_release(shards, conversations)
        print(f"\nturns: {conversations:,} made conversations, {size / 1e9:.2f} GB")
        for limit in (conversations // 4, conversations):
            options = ("--limit", str(limit), "--sample", "1000", "--seed", "1")
            seconds, busy, peak = measured(shards, Path(place) / "out", *options)
            print(
                f"turns: {limit:,} conversations in {seconds:.1f} s ({busy:.1f} s of processor "
                f"time), peak {peak:,.0f} MB"
            )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
