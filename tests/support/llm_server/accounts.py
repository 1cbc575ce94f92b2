"""What was asked and what was answered, counted by the server and by nobody else."""

from __future__ import annotations

import hashlib
import json
import time
from array import array
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

# Names of prompts in a report, so that a report of a bad run stays readable.
NAMED = 20
COUNTED = (
    "requests",
    "batch_requests",
    "good",
    "asked_after_answer",
    "asked_while_pending",
    "connections",
    "open_connections",
    "disconnected",
    "undelivered",
    "protocol_errors",
    "internal_errors",
    "input_tokens",
    "output_tokens",
)


def messages_hash(body: Mapping[str, Any]) -> bytes:
    """Return the digest of a request's model and messages."""
    digest = hashlib.blake2b(digest_size=12)
    digest.update(repr(body.get("model")).encode())
    for message in body.get("messages") or ():
        content = message.get("content")
        if not isinstance(content, str):
            content = json.dumps(content, sort_keys=True)
        digest.update(f"\0{message.get('role')}\0{content}".encode())
    return digest.digest()


def body_hash(body: Mapping[str, Any], messages: bytes) -> bytes:
    """Return the digest of a request: its messages' and every parameter's, in any order."""
    rest = {name: value for name, value in body.items() if name != "messages"}
    whole = messages + json.dumps(rest, sort_keys=True).encode()
    return hashlib.blake2b(whole, digest_size=12).digest()


def prompt_hash(body: Mapping[str, Any]) -> str:
    """Return the name a request has in the server's accounts."""
    return body_hash(body, messages_hash(body)).hex()


class Tally:
    """How often each prompt was asked and answered, in about a hundred bytes each."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}
        self.asked = array("I")
        self.answered = array("I")
        self.pending = array("I")

    def place(self, key: bytes) -> int:
        """Return where a prompt is counted."""
        place = self.places.setdefault(key, len(self.asked))
        if place == len(self.asked):
            for counts in (self.asked, self.answered, self.pending):
                counts.append(0)
        return place

    def more_than_once(self) -> list[str]:
        """Return the prompts that were answered twice or more."""
        return [key.hex() for key, place in self.places.items() if self.answered[place] > 1]


class Accounts:
    """Every count of one server, from its start or from when it last forgot."""

    def __init__(self, keep: int) -> None:
        self.prompts = Tally()
        self.messages = Tally()
        self.counts: Counter[str] = Counter()
        self.paths: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self.keys: Counter[str] = Counter()
        self.seconds: dict[int, list[int]] = {}
        self.recent: deque[dict[str, Any]] = deque(maxlen=keep)
        self.in_flight = 0
        self.most_in_flight = 0
        self.started = time.monotonic()
        self.first = self.last = 0.0

    def ask(self, key: bytes, messages: bytes) -> int:
        """Count a request that has come in; return the place of its prompt."""
        prompts = self.prompts
        place = prompts.place(key)
        if prompts.answered[place]:
            self.counts["asked_after_answer"] += 1
        elif prompts.pending[place]:
            self.counts["asked_while_pending"] += 1
        prompts.asked[place] += 1
        prompts.pending[place] += 1
        self.messages.asked[self.messages.place(messages)] += 1
        return place

    def arrive(self) -> None:
        """Count a request as being in flight."""
        self.counts["requests"] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.last = now = time.monotonic() - self.started
        self.first = self.first or now
        self.seconds.setdefault(int(now), [0, 0, 0])[0] += 1

    def leave(self, place: int) -> None:
        """Count a request as no longer in flight."""
        self.in_flight -= 1
        self.settle(place)

    def settle(self, place: int) -> None:
        """Count a prompt as no longer being worked on."""
        self.prompts.pending[place] -= 1

    def answer(self, place: int, messages: bytes) -> None:
        """Count a good answer that was sent."""
        self.counts["good"] += 1
        self.prompts.answered[place] += 1
        self.messages.answered[self.messages.place(messages)] += 1

    def sent(self, status: int, *, good: bool) -> None:
        """Count a reply by its status; 0 for one that broke off."""
        self.statuses[status] += 1
        self.last = now = time.monotonic() - self.started
        row = self.seconds.setdefault(int(now), [0, 0, 0])
        row[1] += good
        row[2] += status == 429

    def report(self) -> dict[str, Any]:
        """Return the counts; see `LLMServer.report`."""
        prompts, twice = self.prompts, self.prompts.more_than_once()
        answered = sum(1 for count in prompts.answered if count)
        span = self.last - self.first
        return {
            **{name: self.counts[name] for name in COUNTED},
            "prompts": len(prompts.asked),
            "answered": answered,
            "unanswered": len(prompts.asked) - answered,
            "answered_more_than_once": len(twice),
            "answered_more_than_once_named": twice[:NAMED],
            "most_asked": max(prompts.asked, default=0),
            "messages": len(self.messages.asked),
            "messages_answered_more_than_once": len(self.messages.more_than_once()),
            "in_flight": self.in_flight,
            "max_in_flight": self.most_in_flight,
            "paths": dict(self.paths),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "faults": dict(self.faults),
            "keys": dict(self.keys),
            "seconds": span,
            "good_per_second": self.counts["good"] / span if span else 0.0,
            "by_second": [[second, *row] for second, row in sorted(self.seconds.items())],
        }

    def table(self) -> list[tuple[str, int, int]]:
        """Return every prompt: its hash, how often it was asked, how often answered."""
        tally = self.prompts
        return [
            (key.hex(), tally.asked[place], tally.answered[place])
            for key, place in tally.places.items()
        ]
