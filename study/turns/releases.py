"""Recognises which release of WildChat a Parquet file holds, and which of its columns are read.

Sources: the dataset cards of WildChat, WildChat-1M and WildChat-4.8M, and the script that
released them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from prereg.errors import RatifyError

# What the utterances of WildChat-4.8M have, and those of WildChat-1M have not.
_ONLY_IN_4_8M = frozenset({"openai_id", "token_counter", "temperature", "top_p"})
CONVERSATION, HASH, TIMESTAMP = "conversation", "conversation_hash", "timestamp"
HEADER = "header"
AGENT = "user-agent"


@dataclass(frozen=True)
class Release:
    """A release of WildChat that is read.

    Attributes
    ----------
    name : str
        What its publishers call it; the gated version with toxic conversations (`-Full`) has the
        same columns.
    note : str
        What it lacks, what was assumed, or what its publishers say of it, as part of a sentence.
    """

    name: str
    note: str


WILDCHAT_1M = Release(
    "WildChat-1M", "toxic conversations were removed from the open release in 2024"
)
WILDCHAT_4_8M = Release(
    "WildChat-4.8M", "its times lack a time zone and are read as UTC, as its dataset card says"
)


def _text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _list_of_structs(kind: pa.DataType) -> bool:
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(listed and pa.types.is_struct(kind.value_type))


_Check = Callable[[pa.DataType], bool]
# The columns that are read, whether a type is the right one, and its name in a message.
_COLUMNS: dict[str, tuple[_Check, str]] = {
    HASH: (_text, "text"),
    "model": (_text, "text"),
    CONVERSATION: (_list_of_structs, "a list of utterances"),
    "language": (_text, "text"),
    "toxic": (pa.types.is_boolean, "true or false"),
    "redacted": (pa.types.is_boolean, "true or false"),
    "hashed_ip": (_text, "text"),
    HEADER: (pa.types.is_struct, "an object with user-agent"),
}
_SAID: dict[str, tuple[_Check, str]] = {
    "role": (_text, "text"),
    "content": (_text, "text"),
    "turn_identifier": (pa.types.is_integer, "a whole number"),
    TIMESTAMP: (pa.types.is_timestamp, "a time"),
    "country": (_text, "text"),
    "state": (_text, "text"),
}


def release_of(schema: pa.Schema, path: Path) -> Release:
    """Return the release whose schema this is.

    Parameters
    ----------
    schema : pyarrow.Schema
    path : Path
        The file, for messages.

    Raises
    ------
    RatifyError
        When it is a release that cannot be used (named), lacks a column, has one of another type,
        or has times without a time zone that are not documented to be UTC.
    """
    _refuse_known(schema, path)
    _require({field.name: field.type for field in schema}, _COLUMNS, path, "")
    said = schema.field(CONVERSATION).type.value_type
    inside = {field.name: field.type for field in said}
    _require(inside, _SAID, path, f"{CONVERSATION}.")
    header = {field.name: field.type for field in schema.field(HEADER).type}
    _require(header, {AGENT: (_text, "text")}, path, f"{HEADER}.")
    newer = set(inside) >= _ONLY_IN_4_8M
    if not newer:
        _refuse_naive(inside[TIMESTAMP], f"{CONVERSATION}.{TIMESTAMP}", path)
        # not read, but a file in which one of the two lacks its zone is no file as released
        if TIMESTAMP in schema.names:
            _refuse_naive(schema.field(TIMESTAMP).type, TIMESTAMP, path)
    return WILDCHAT_4_8M if newer else WILDCHAT_1M


def _refuse_naive(kind: pa.DataType, column: str, path: Path) -> None:
    """Refuse times without a time zone."""
    if pa.types.is_timestamp(kind) and kind.tz is None:
        raise RatifyError(
            "holds times without a time zone",
            file=path,
            column=column,
            value=str(kind),
            allowed="times in UTC, as in WildChat-1M, or the files of WildChat-4.8M as released",
        )


def leaves(paths: list[str]) -> list[str]:
    """Return the leaf columns of a Parquet file that are read; moderation is never among them.

    Parameters
    ----------
    paths : list of str
        Dotted paths of all its leaves, such as `conversation.list.element.content`; writers name
        the levels between differently.
    """
    whole = set(_COLUMNS) - {CONVERSATION, HEADER}
    return [path for path in paths if path in whole or _nested(path.split("."))]


def _nested(names: list[str]) -> bool:
    """Say whether a leaf inside another column is read."""
    inside_talk = names[0] == CONVERSATION and names[-1] in _SAID
    return inside_talk or names == [HEADER, AGENT]


def _refuse_known(schema: pa.Schema, path: Path) -> None:
    """Refuse by name what is known and cannot be used."""
    names = set(schema.names)
    if "conversation_id" not in names or HASH in names:
        return
    if TIMESTAMP in names:
        raise RatifyError(
            "is the first WildChat (conversation_id), which lacks addresses, turn_identifier and "
            "the time of each reply, so that nobody can tell its users apart",
            file=path,
            allowed="WildChat-1M or WildChat-4.8M",
        )
    raise RatifyError(
        "looks like LMSYS-Chat-1M (conversation_id without times), which lacks users and times",
        file=path,
        allowed="WildChat-1M or WildChat-4.8M",
    )


def _require(
    there: dict[str, pa.DataType], wanted: dict[str, tuple[_Check, str]], path: Path, within: str
) -> None:
    """Refuse a schema that lacks columns, or has one of another type."""
    missing = [f"{within}{name}" for name in wanted if name not in there]
    if missing:
        raise RatifyError(
            f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}",
            file=path,
            allowed="the columns of WildChat-1M or WildChat-4.8M",
        )
    for name, (fits, words) in wanted.items():
        if not fits(there[name]):
            raise RatifyError(
                "has another type",
                file=path,
                column=f"{within}{name}",
                value=str(there[name]),
                allowed=words,
            )
