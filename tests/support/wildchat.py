"""Makes conversations in the schemas of WildChat's releases, and writes them as Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

UTC_TIME = pa.timestamp("us", "UTC")
HEADER = pa.struct([("accept-language", pa.string()), ("user-agent", pa.string())])
_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "self-harm",
    "self_harm",
    "sexual",
    "violence",
)
_MODERATION = pa.struct(
    [
        ("categories", pa.struct([(name, pa.bool_()) for name in _CATEGORIES])),
        ("category_scores", pa.struct([(name, pa.float64()) for name in _CATEGORIES])),
        ("flagged", pa.bool_()),
    ]
)
_DETOXIFY = pa.struct([(name, pa.float64()) for name in ("insult", "obscene", "toxicity")])


def utterance_type(time: pa.DataType = UTC_TIME, *more: tuple[str, pa.DataType]) -> pa.DataType:
    """Return the type of an utterance."""
    return pa.struct(
        [
            ("content", pa.string()),
            ("country", pa.string()),
            ("hashed_ip", pa.string()),
            ("header", HEADER),
            ("language", pa.string()),
            ("redacted", pa.bool_()),
            ("role", pa.string()),
            ("state", pa.string()),
            ("timestamp", time),
            ("toxic", pa.bool_()),
            ("turn_identifier", pa.int64()),
            *more,
        ]
    )


def _schema(time: pa.DataType, *more: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema(
        [
            ("conversation_hash", pa.string()),
            ("model", pa.string()),
            ("timestamp", time),
            ("conversation", pa.list_(utterance_type(time, *more))),
            ("turn", pa.int64()),
            ("language", pa.string()),
            ("openai_moderation", pa.list_(_MODERATION)),
            ("detoxify_moderation", pa.list_(_DETOXIFY)),
            ("toxic", pa.bool_()),
            ("redacted", pa.bool_()),
            ("state", pa.string()),
            ("country", pa.string()),
            ("hashed_ip", pa.string()),
            ("header", HEADER),
        ]
    )


NAIVE = pa.timestamp("us")
SCHEMA_1M = _schema(UTC_TIME)
SCHEMA_4_8M = _schema(
    NAIVE,
    ("created", pa.int64()),
    ("openai_id", pa.string()),
    ("temperature", pa.float64()),
    ("token_counter", pa.int64()),
    ("top_p", pa.float64()),
)
SCHEMA_FIRST = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("model", pa.string()),
        ("timestamp", pa.timestamp("s", "UTC")),
        (
            "conversation",
            pa.list_(
                pa.struct(
                    [
                        ("content", pa.string()),
                        ("language", pa.string()),
                        ("redacted", pa.bool_()),
                        ("role", pa.string()),
                        ("toxic", pa.bool_()),
                    ]
                )
            ),
        ),
        ("turn", pa.int64()),
        ("language", pa.string()),
        ("toxic", pa.bool_()),
        ("redacted", pa.bool_()),
    ]
)
BEGAN = datetime(2023, 6, 1, 12, 30, tzinfo=UTC)


def talk(
    said: Sequence[tuple[str, str]],
    *,
    first: int = 1,
    hash_: str = "0123456789abcdef0123456789abcdef",
    minutes: int = 0,
    **changed: Any,
) -> dict[str, Any]:
    """Return a conversation as the release has it.

    Parameters
    ----------
    said : sequence of (str, str)
        Each round: what the user wrote, and the reply.
    first : int
        The `turn_identifier` of the first round; the others follow.
    hash_ : str
    minutes : int
        When the first reply came, after 12:30 on 1 June 2023; the others follow at one a minute.
    **changed
        Columns of the conversation with other values.
    """
    header = {"accept-language": "en", "user-agent": "Browser 1"}
    place = {"country": "United Kingdom", "state": "England", "hashed_ip": "ab12", "header": header}
    place |= {name: changed[name] for name in place if name in changed}
    utterances: list[dict[str, Any]] = []
    for at, (asked, replied) in enumerate(said):
        both = {
            "language": "English",
            "redacted": False,
            "toxic": False,
            "turn_identifier": first + at,
        }
        when = BEGAN + timedelta(minutes=minutes + at)
        utterances.append({"role": "user", "content": asked, **place, **both})
        utterances.append({"role": "assistant", "content": replied, "timestamp": when, **both})
    scores = {"categories": dict.fromkeys(_CATEGORIES, False), "flagged": False}
    return {
        "conversation_hash": hash_,
        "model": "gpt-3.5-turbo-0301",
        "timestamp": utterances[-1]["timestamp"] if utterances else BEGAN,
        "conversation": utterances,
        "turn": len(said),
        "language": "English",
        "openai_moderation": [scores if one["content"] else {} for one in utterances],
        "detoxify_moderation": [{"insult": 0.0} if one["content"] else {} for one in utterances],
        "toxic": False,
        "redacted": False,
        **place,
        **changed,
    }


def small_talk(rounds: int = 3, **more: Any) -> dict[str, Any]:
    """Return a conversation that passes every filter."""
    said = [(f"I feel low today, number {at}.", f"I hear you, {at}.") for at in range(rounds)]
    return talk(said, **more)


def write_shard(
    path: Path,
    talks: Sequence[Mapping[str, Any]],
    *,
    schema: pa.Schema = SCHEMA_1M,
    group: int = 1_000,
) -> Path:
    """Write conversations as a shard with row groups of some size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(talks), schema=schema), path, row_group_size=group)
    return path
