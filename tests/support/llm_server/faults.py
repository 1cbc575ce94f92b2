"""The server's faults: which request a fault hits, and what it looks like on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from time import time

from tests.support.llm_server.answers import Answer, Body, Reply, uniform, write


def error(status: int, message: str, kind: str = "invalid_request_error", code: str = "") -> Reply:
    """Return an error in the form of the protocol."""
    said = {"message": message, "type": kind, "param": None, "code": code or None}
    return Reply(status, json.dumps({"error": said}).encode())


def too_many(seconds: float, way: str = "") -> Reply:
    """Return a 429 that says when to come back, in one of the ways that servers use."""
    headers = {
        "seconds": ("retry-after", f"{seconds:g}"),
        "milliseconds": ("retry-after-ms", f"{seconds * 1000:.0f}"),
        # in whole seconds, rounded up, because a date in the past asks for no wait
        "date": ("retry-after", formatdate(int(time() + seconds) + 1, usegmt=True)),
    }
    reply = error(429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded")
    return replace(reply, headers=(headers[way],) if way else ())


def _wrong_letter(answer: Answer) -> Answer:
    """Answer C instead of A or B, and a number that is off every scale instead of a rating."""
    content = answer.content or ""
    wrong = re.sub(r"(?<![A-Za-z])[AB](?![A-Za-z])", "C", content)
    return Answer(wrong if wrong != content else re.sub(r"\d+", "99", content))


# Replies instead of the answer; called with the seconds after which to come back.
ERRORS: dict[str, Callable[[float], Reply]] = {
    "429": too_many,
    "429-seconds": lambda seconds: too_many(seconds, "seconds"),
    "429-milliseconds": lambda seconds: too_many(seconds, "milliseconds"),
    "429-date": lambda seconds: too_many(seconds, "date"),
    "quota": lambda _: error(
        429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"
    ),
    "500": lambda _: error(500, "The server had an error.", "server_error"),
    "503": lambda _: error(503, "The engine is currently overloaded.", "server_error"),
    "502-html": lambda _: Reply(502, b"<html><body>nginx: 502 Bad Gateway</body></html>"),
    "401": lambda _: error(401, "Incorrect API key provided.", code="invalid_api_key"),
    "403": lambda _: error(403, "Your country is not supported.", "request_forbidden"),
    "404": lambda _: error(404, "The model does not exist.", code="model_not_found"),
    "400": lambda _: error(400, "Invalid request.", code="invalid_value"),
    "400-context": lambda _: error(
        400, "This model's maximum context length is 99 tokens.", code="context_length_exceeded"
    ),
    "400-flagged": lambda _: error(400, "The prompt was flagged by our content policy."),
    "400-budget": lambda _: error(400, "Budget has been exceeded! Current cost: 9.1, max 9."),
    "402": lambda _: error(402, "Insufficient credits."),
    "403-limit": lambda _: error(403, "Key limit exceeded (total limit)."),
    "400-form": lambda _: error(400, "'response_format.type' must be 'text'"),
    "200-error": lambda _: error(200, "Upstream failed.", "upstream_error"),
}
# Answers that replace the right one.
ANSWERS: dict[str, Callable[[Answer], Answer]] = {
    "length": lambda answer: Answer((answer.content or "")[:8], finish="length"),
    "refusal": lambda _: Answer(None, refusal="I'm sorry, I can't help with that."),
    "content-filter": lambda _: Answer(None, finish="content_filter"),
    "letter-c": _wrong_letter,
    "both": lambda _: Answer("Both"),
    "empty": lambda _: Answer(""),
    "null": lambda _: Answer(None),
    "prose": lambda _: Answer("Both have their merits; A is warmer, while B asks more."),
}
# Ways in which the right answer does not arrive whole.
BREAKS: dict[str, Callable[[Reply], Reply]] = {
    "hang": lambda reply: replace(reply, sent="nothing", ending="hang", tokens=(0, 0)),
    "drop-before": lambda reply: replace(reply, sent="nothing", ending="reset"),
    "drop-headers": lambda reply: replace(reply, sent="head", ending="close"),
    "drop-body": lambda reply: replace(reply, sent="half", ending="close"),
    "reset-body": lambda reply: replace(reply, sent="half", ending="reset"),
    "truncated-json": lambda reply: replace(reply, body=reply.body[: len(reply.body) * 2 // 3]),
}


def drawn(rates: Mapping[str, float], key: bytes, ask: int) -> str:
    """Return the fault when a request is asked for the n-th time, which is always the same."""
    number = uniform(f"fault|{ask}", key)
    for name, rate in rates.items():
        number -= rate
        if number < 0:
            return name
    return ""


def faulty(name: str, answer: Answer, body: Body, number: int, *, retry_after: float) -> Reply:
    """Return the reply to a request with this fault, or without one."""
    if not name:
        return write(answer, body, number)
    if name in ERRORS:
        return replace(ERRORS[name](retry_after), fault=name)
    reply = write(ANSWERS[name](answer) if name in ANSWERS else answer, body, number)
    reply = BREAKS[name](reply) if name in BREAKS else reply
    return replace(reply, good=False, fault=name)
