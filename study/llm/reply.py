"""The reply of a judge's server to one request, and the final outcome of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Why a request may stay unanswered. The next run asks again after a reason of the first kind, which
# may pass, but not after one of the second kind.
PASSING = ("server_error", "rate_limited", "timeout", "connection")
LASTING = ("refused", "unreadable", "cut_off", "rejected")
# Characters of a server's words that are kept.
KEPT = 300


@dataclass(frozen=True)
class Reply:
    """The reply that a server sent.

    Attributes
    ----------
    text : str
        What the judge wrote.
    refused : bool
        Whether the server says that the judge or a filter declined to answer.
    cut : bool
        Whether the reply was cut off because it was too long.
    ended : str
        Why the reply is no answer whatever it says, because of how it ended; empty if it ended as
        usual.
    thoughts : str
        What the judge thought before its answer, if the server sends it in a field of its own.
    model, fingerprint : str or None
        The model that answered, as the server reports it.
    input_tokens, output_tokens : int or None
    tokens : sequence of (str, mapping)
        Every token with the log-probabilities of its alternatives, if they were asked for.
    """

    text: str
    refused: bool = False
    cut: bool = False
    ended: str = ""
    thoughts: str = field(default="", repr=False)
    model: str | None = None
    fingerprint: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    tokens: Sequence[tuple[str, Mapping[str, float]]] = field(default=(), repr=False)


class TroubleError(Exception):
    """A request that failed.

    Attributes
    ----------
    reason : str
        One of `PASSING` or `LASTING`.
    wait : float or None
        Seconds to wait before the next attempt, if the server says so.
    detail : str
        What the server said, in short.
    unreachable : bool
        Whether nothing was sent, because there was no connection.
    lost : bool
        Whether it may have been answered, and charged for, although no reply arrived.
    plainly : bool
        Whether to ask again at once, without structured output.
    final : bool
        Whether the same words would fail again, so that the request has had all its attempts.
    """

    def __init__(
        self,
        reason: str,
        *,
        wait: float | None = None,
        detail: str = "",
        unreachable: bool = False,
        lost: bool = False,
        plainly: bool = False,
        final: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.detail = detail
        self.unreachable = unreachable
        self.lost = lost
        self.plainly = plainly
        self.final = final or reason == "rejected"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a request after all its attempts, with their total tokens and cost.

    Attributes
    ----------
    answers : mapping or None
        What was read from the reply; None if the request stays unanswered.
    reason : str or None
        Why it stays unanswered.
    note : str or None
        What the server said, or what was wrong with the reply, if it stays unanswered; what was
        left out of the reply, if it was answered.
    reply : str or None
        The last raw reply.
    interrupted : bool
        Whether the run ended before the last attempt; the next run continues, for any reason.
    """

    answers: Mapping[str, int | str] | None
    reason: str | None
    reply: str | None
    note: str | None = None
    model: str | None = None
    fingerprint: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    attempts: int
    cost: float | None = None
    p_left: float | None = None
    asked_at: str
    answered_at: str
    interrupted: bool = False

    def stored(self) -> dict[str, Any]:
        """Return the changed fields of the ledger's row, for `ledger._UPDATE`."""
        answers = None if self.answers is None else json.dumps(dict(self.answers))
        values = {
            "status": "unanswered" if answers is None else "answered",
            "reason": self.reason,
            "note": _storable(self.note),
            "reply": _storable(self.reply),
            "answers": answers,
            "model": _storable(self.model),
            "fingerprint": _storable(self.fingerprint),
            "input_tokens": _whole(self.input_tokens),
            "output_tokens": _whole(self.output_tokens),
            "latency_ms": self.latency_ms,
            "attempts": self.attempts,
            "cost": self.cost,
            "p_left": self.p_left,
            "asked_at": self.asked_at,
            "answered_at": self.answered_at,
        }
        return {f"new_{name}": value for name, value in values.items()}


def short(said: str) -> str:
    """Return words on one line, cut off where they become too long to show."""
    line = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return line if len(line) <= KEPT else line[: KEPT - 1] + "…"


def _storable(text: str | None) -> str | None:
    """Return a reply that a database can store: without NUL characters and broken characters."""
    if text is None:
        return None
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _whole(count: int | None) -> int | None:
    """Return a count that fits into a database's whole numbers."""
    return None if count is None else min(count, 2**31 - 1)
