"""What the server answers to a request for embeddings: vectors that are functions of the texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.support.llm_server.answers import Body, Reply, uniform
from tests.support.llm_server.faults import BREAKS, ERRORS, error

if TYPE_CHECKING:
    from tests.support.llm_server.server import Settings

Row = dict[str, Any]


def vector_of(text: str, dims: int = 8) -> list[float]:
    """Return the vector of a text, which only the text decides."""
    return [uniform(f"component {at}", text.encode()) - 0.5 for at in range(dims)]


def _with(rows: list[Row], change: Callable[[list[float]], Any]) -> list[Row]:
    """Change the last vector."""
    return [*rows[:-1], {**rows[-1], "embedding": change(rows[-1]["embedding"])}]


# Ways in which a list of embeddings is wrong; the faults of `faults.py` work as well.
WRONG: dict[str, Callable[[list[Row]], list[Row]]] = {
    "vectors-short": lambda rows: _with(rows, lambda vector: vector[:-1]),
    "vectors-nan": lambda rows: _with(rows, lambda vector: [float("nan"), *vector[1:]]),
    "vectors-null": lambda rows: _with(rows, lambda vector: [None, *vector[1:]]),
    "vectors-text": lambda rows: _with(rows, lambda _: "AACAPw=="),
    "vectors-missing": lambda rows: rows[:-1],
    "vectors-turned": lambda rows: rows[::-1],
    "vectors-unnumbered": lambda rows: [
        {name: value for name, value in row.items() if name != "index"} for row in rows
    ],
}


def embedded(body: Body, fault: str, settings: Settings) -> Reply:
    """Return the reply to a request for embeddings."""
    texts = body["input"]
    if settings.most_inputs and len(texts) > settings.most_inputs:
        return error(413, "Too many inputs in one request.")
    longest = max(map(len, texts), default=0)
    if settings.longest_input and longest > settings.longest_input:
        return error(
            400, "This model's maximum context length is 99.", code="context_length_exceeded"
        )
    if fault in ERRORS:
        return replace(ERRORS[fault](settings.retry_after), fault=fault)
    rows: list[Row] = [
        {"object": "embedding", "index": at, "embedding": vector_of(text, settings.dims)}
        for at, text in enumerate(texts)
    ]
    if fault in WRONG:
        rows = WRONG[fault](rows)
    tokens = sum(1 + len(text) // 4 for text in texts)
    whole = {
        "object": "list",
        "data": rows,
        "model": body["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    written = json.dumps(whole).encode()
    reply = Reply(200, written, good=not fault, tokens=(tokens, 0), fault=fault)
    return BREAKS[fault](reply) if fault in BREAKS else reply
