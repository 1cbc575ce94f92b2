"""What goes wrong, on command: which request it hits, and what it looks like on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from hashlib import blake2b
from time import time
from typing import Any, Literal

from tests.support.llm_server.replies import Completion, error_body, prompt_tokens, too_long, write
from tests.support.llm_server.settings import Settings
from tests.support.llm_server.trial import content_of

Then = Literal["keep", "close", "reset", "hang"]
Header = tuple[str, str]


@dataclass(frozen=True)
class Reply:
    """What is sent, how much of it, and what becomes of the connection.

    `cut` is where the message breaks off: at once, after the headers, or amid the body. `good` says
    that an answer was given which nobody needs to ask for again.
    """

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()
    then: Then = "keep"
    cut: Literal["", "all", "body", "half"] = ""
    kind: str = "application/json"
    good: bool = False
    fault: str = ""
    tokens: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Case:
    """The request a fault hits, and the answer it would have got."""

    body: Mapping[str, Any]
    answer: Completion
    settings: Settings
    number: int

    def reply(self, answer: Completion) -> Reply:
        """Return an answer as a whole reply."""
        written = write(answer, self.body, self.settings, self.number)
        tokens = (written.used, written.made)
        return Reply(200, written.body, good=written.finish == "stop", tokens=tokens)


Fault = Callable[[Case], Reply]


def retry_headers(seconds: float, way: str) -> tuple[Header, ...]:
    """Return when to come back, in one of the ways in which servers say so."""
    if way == "seconds":
        return (("retry-after", f"{seconds:g}"),)
    if way == "milliseconds":
        return (("retry-after-ms", f"{seconds * 1000:.0f}"),)
    if way == "date":
        # Whole seconds: rounded up, for a date that has passed is no wish.
        return (("retry-after", formatdate(int(time() + seconds) + 1, usegmt=True)),)
    return ()


def too_many(settings: Settings, way: str) -> Reply:
    """Return a 429."""
    body = error_body("Rate limit reached for requests.", "requests", code="rate_limit_exceeded")
    return Reply(429, body, retry_headers(settings.retry_after, way))


def _error(status: int, message: str, kind: str, code: str = "", param: str = "") -> Fault:
    return lambda case: Reply(status, error_body(message, kind, param, code))


def _limited(way: str) -> Fault:
    return lambda case: too_many(case.settings, way)


def _content(content: str | None) -> Fault:
    return lambda case: case.reply(Completion(content))


def _broken(cut: Literal["all", "body", "half"], then: Then) -> Fault:
    def fault(case: Case) -> Reply:
        return replace(case.reply(case.answer), status=0, then=then, cut=cut)

    return fault


def _truncated(case: Case) -> Reply:
    whole = case.reply(case.answer)
    return replace(whole, body=whole.body[: len(whole.body) * 2 // 3])


def _length(case: Case) -> Reply:
    content = case.answer.content or ""
    return case.reply(Completion(content[: len(content) // 2], finish="length"))


def _refusal(case: Case) -> Reply:
    return case.reply(Completion(None, refusal="I'm sorry, I can't help with that."))


def _filtered(case: Case) -> Reply:
    return case.reply(Completion(None, finish="content_filter"))


def _letter(letter: str) -> Fault:
    """Answer with another letter where a letter is asked, else with a number off every scale."""

    def fault(case: Case) -> Reply:
        content = case.answer.content or ""
        wrong = re.sub(r"(?<![A-Za-z])[A-B](?![A-Za-z])", letter, content)
        if wrong == content:
            wrong = re.sub(r"\d+", "99", content) or letter
        return case.reply(Completion(wrong))

    return fault


def _prose(case: Case) -> Reply:
    return case.reply(Completion("Both have their merits; A is warmer, while B asks more."))


def _too_long(case: Case) -> Reply:
    limit = max(prompt_tokens(case.body) - 1, 1)
    return Reply(400, too_long(limit + 1, limit).body)


def _gateway(case: Case) -> Reply:
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return Reply(502, page, kind="text/html")


FAULTS: dict[str, Fault] = {
    "429": _limited("none"),
    "429-seconds": _limited("seconds"),
    "429-milliseconds": _limited("milliseconds"),
    "429-date": _limited("date"),
    "quota": _error(
        429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"
    ),
    "500": _error(500, "The server had an error.", "server_error"),
    "503": _error(503, "The engine is currently overloaded.", "server_error"),
    "502-html": _gateway,
    "401": _error(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    "403": _error(403, "Your country is not supported.", "request_forbidden"),
    "404": _error(404, "The model does not exist.", "invalid_request_error", "model_not_found"),
    "400": _error(400, "Invalid request.", "invalid_request_error", "invalid_value"),
    "400-context": _too_long,
    "200-error": lambda case: Reply(200, error_body("Upstream failed.", "upstream_error")),
    "hang": lambda case: Reply(0, b"", then="hang"),
    "drop-before": _broken("all", "reset"),
    "drop-headers": _broken("body", "close"),
    "drop-body": _broken("half", "close"),
    "reset-body": _broken("half", "reset"),
    "truncated-json": _truncated,
    "length": _length,
    "refusal": _refusal,
    "content-filter": _filtered,
    "letter-c": _letter("C"),
    "both": _content("Both"),
    "empty": _content(""),
    "null": _content(None),
    "prose": _prose,
}


def faulty(name: str, case: Case) -> Reply:
    """Return what a request gets that is hit by this fault, or by none."""
    if not name:
        return case.reply(case.answer)
    return replace(FAULTS[name](case), good=False, fault=name)


def checked(values: Mapping[str, Any]) -> None:
    """Raise if settings name a fault that does not exist."""
    script = values.get("script", ())
    named = [
        *values.get("faults", {}),
        *values.get("batch_faults", {}),
        *values.get("desk_faults", {}),
        *(name for names in values.get("desk_script", {}).values() for name in names),
        *values.get("each_prompt", ()),
        *(script.values() if isinstance(script, Mapping) else script),
        *(row["fault"] for row in values.get("windows", ())),
        *(row["fault"] for row in values.get("matching", ())),
    ]
    unknown = sorted(set(named) - {"", *FAULTS})
    if unknown:
        raise ValueError(f"there is no fault {unknown[0]!r}; there are {sorted(FAULTS)}")


def drawn(rates: Mapping[str, float], seed: int, key: bytes, ask: int) -> str:
    """Return the fault of a prompt's n-th request, the same whenever and whoever asks."""
    if not rates:
        return ""
    data = f"{seed}|fault|{ask}".encode() + key
    number = int.from_bytes(blake2b(data, digest_size=8).digest()) / 2**64
    for name, rate in rates.items():
        number -= rate
        if number < 0:
            return name
    return ""


class Plan:
    """Which request is hit; it starts to count when the settings change."""

    def __init__(self, settings: Settings, now: float) -> None:
        self.settings = settings
        self.since = now
        self.number = 0
        script = settings.script
        self.script = (
            {int(number): name for number, name in script.items()}
            if isinstance(script, Mapping)
            else dict(enumerate(script, 1))
        )
        self.hits = [0] * len(settings.matching)

    def fault_of(self, key: bytes, ask: int, now: float, body: Mapping[str, Any]) -> str:
        """Return the fault of a request, empty for none.

        Parameters
        ----------
        key : bytes
            The digest of the prompt.
        ask : int
            How often it was asked before.
        now : float
        body : mapping

        Returns
        -------
        str
        """
        settings = self.settings
        self.number += 1
        if self.number in self.script:
            return self.script[self.number]
        if ask < len(settings.each_prompt):
            return settings.each_prompt[ask]
        return (
            self._matching(body)
            or self._window(key, ask, now - self.since)
            or self._random(key, ask)
        )

    def _matching(self, body: Mapping[str, Any]) -> str:
        text = "\n".join(map(content_of, body["messages"])) if self.hits else ""
        for place, row in enumerate(self.settings.matching):
            fresh = self.hits[place] < row.get("times", 10**9)
            if fresh and re.search(row["pattern"], text):
                self.hits[place] += 1
                return str(row["fault"])
        return ""

    def _window(self, key: bytes, ask: int, age: float) -> str:
        for row in self.settings.windows:
            if row.get("start", 0) <= age < row.get("end", float("inf")):
                rates = {row["fault"]: row.get("rate", 1.0)}
                return drawn(rates, self.settings.seed, b"window" + key, ask)
        return ""

    def _random(self, key: bytes, ask: int) -> str:
        most = self.settings.faults_per_prompt
        if most is not None and ask >= most:
            return ""
        return drawn(self.settings.faults, self.settings.seed, key, ask)
