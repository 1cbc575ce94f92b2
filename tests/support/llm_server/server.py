"""The server: how and when it replies and what it counts; its HTTP/1.1 is written by hand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
import struct
import traceback
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from tests.support.llm_server.answers import Body, Reply, think
from tests.support.llm_server.batches import Desk
from tests.support.llm_server.embeddings import embedded
from tests.support.llm_server.faults import BREAKS, ERRORS, drawn, error, faulty, too_many

CHAT = "POST /v1/chat/completions"
EMBEDDINGS = "POST /v1/embeddings"
# How long a hanging request is kept if its client does not leave.
HANG_SECONDS = 30.0
_ID = re.compile(r"(?<=/)(?:file-|batch_)\w+")
# A socket with this linger option sends a reset when it is closed.
_ABRUPT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Settings:
    """What the server answers, how fast, and with which faults; their names are in `faults.py`."""

    key: str = ""  # the right key; any other gets a 401. Empty: every key is right
    structured: bool = True  # whether `response_format` is honoured or gets a 400
    sharpness: float = 1.0  # see `answers.think`
    obedience: str = "none"
    dims: int = 8  # of an embedding
    most_inputs: int = 0  # the most texts in a request for embeddings, 0 for no limit
    longest_input: int = 0  # the most characters of such a text, 0 for no limit
    latency: float = 0.0  # seconds until the reply
    # The rate of each fault, drawn by prompt and by how often it was asked, not by the clock; and
    # how many of a prompt's first requests may have a fault.
    faults: Mapping[str, float] = field(default_factory=dict)
    faults_per_prompt: int | None = None
    # The fault of the n-th request from now on, "" for none; a mapping counts from 1.
    script: Sequence[str] | Mapping[str, str] = ()
    # `{"pattern": regex, "fault": name}` for prompts that contain the pattern.
    matching: Sequence[Mapping[str, str]] = ()
    retry_after: float = 1.0  # the seconds that a 429 says to wait
    rate_limit: float = 0.0  # requests per second, above which there are 429s; 0 for no limit
    rate_burst: float = 1.0  # requests that may come at once
    batch_seconds: float = 0.0  # how old a batch must be to end; it never ends at the first look
    batch_end: str = "completed"  # or "expired" or "failed"
    batch_share: float = 0.5  # the share of its lines that is done before it expires
    batch_faults: Mapping[str, float] = field(default_factory=dict)  # rates for its lines
    batch_most: int = 0  # the most lines in a batch, above which it fails; 0 for no limit
    batch_lost: float = 0.0  # the share of lines that are in neither file
    # Faults of files and batches: rates, and by kind of request the fault of the first, second, ...
    # (`{"GET /v1/batches/*": ["503"]}`). A request whose reply is lost is still carried out.
    desk_faults: Mapping[str, float] = field(default_factory=dict)
    desk_script: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Accounts:
    """Everything that was asked and answered; `LLMServer.report` says what is counted."""

    def __init__(self, now: float) -> None:
        self.began = now
        self.counts, self.faults = Counter[str](), Counter[str]()
        self.statuses = Counter[int]()
        self.asked, self.pending = Counter[bytes](), Counter[bytes]()
        self.answered, self.messages_answered = Counter[bytes](), Counter[bytes]()
        self.good_by_second = Counter[int]()
        self.recent: deque[str] = deque(maxlen=2000)
        self.in_flight = self.max_in_flight = 0

    def ask(self, key: bytes) -> None:
        """Count a request, by chat or by batch."""
        self.counts["asked_after_answer"] += bool(self.answered[key])
        self.asked[key] += 1

    def arrive(self, key: bytes) -> None:
        """Count a request by chat as being in flight."""
        self.counts["asked_while_pending"] += bool(self.pending[key])
        self.ask(key)
        self.pending[key] += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def leave(self, key: bytes) -> None:
        """Count a request by chat as no longer in flight."""
        self.pending[key] -= 1
        self.in_flight -= 1

    def sent(self, reply: Reply, key: bytes, messages: bytes, now: float) -> None:
        """Count a reply whose client was still there."""
        self.statuses[reply.status] += 1
        self.counts["input_tokens"] += reply.tokens[0]
        self.counts["output_tokens"] += reply.tokens[1]
        if reply.good:
            self.counts["good"] += 1
            self.answered[key] += 1
            self.messages_answered[messages] += 1
            self.good_by_second[int(now - self.began)] += 1

    def report(self) -> dict[str, Any]:
        """Return the counts."""
        seconds = range(max(self.good_by_second, default=-1) + 1)
        names = ("requests", "batch_requests", "good", "asked_after_answer", "asked_while_pending")
        names += ("input_tokens", "output_tokens", "internal_errors", "inputs")
        return {
            **{name: self.counts[name] for name in names},
            "prompts": len(self.asked),
            "most_asked": max(self.asked.values(), default=0),
            "answered_more_than_once": sum(n > 1 for n in self.answered.values()),
            "messages_answered_more_than_once": sum(n > 1 for n in self.messages_answered.values()),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "statuses": {str(status): n for status, n in self.statuses.items()},
            "faults": self.faults,
            "good_by_second": [self.good_by_second[second] for second in seconds],
        }


class Server:
    """An OpenAI-compatible server that answers and fails as it is told, and counts."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        # bound but never listening: it keeps the port reserved while the server is dead
        self.keeper = _bound(0)
        self.url = f"http://127.0.0.1:{self.keeper.getsockname()[1]}/v1"
        self.listening: asyncio.Server | None = None
        self.revival = self.loop.call_later(0, int)
        self.open: set[asyncio.StreamWriter] = set()
        self.number = 0
        self.order({"reset": {}})

    # ---- Orders ---------------------------------------------------------------------------------

    def order(self, order: dict[str, Any]) -> Any:
        """Do what a test orders, and return what it asks for."""
        if "reset" in order:
            self.settings = Settings()
            self.desk = Desk(self._ask_line, self._answer_line)
        if "reset" in order or "forget" in order:
            self.accounts = Accounts(self.loop.time())
        changes = order.get("reset", order.get("set"))
        if changes is not None:
            self.settings = replace(self.settings, **changes)
            script = self.settings.script
            numbered = script if isinstance(script, Mapping) else dict(enumerate(script, 1))
            self.script = {int(number): name for number, name in numbered.items()}
            self.since_change = 0
            self.desk_counts = Counter[str]()
            self.tokens, self.refilled = self.settings.rate_burst, self.loop.time()
        if "die" in order:
            self._die(order["die"])
        if "recent" in order:
            return list(self.accounts.recent)
        return self.accounts.report()

    def _die(self, seconds: float) -> None:
        if self.listening is not None:
            self.listening.close()
            self.listening = None
        for writer in self.open:
            _reset(writer)
        self.revival.cancel()
        self.revival = self.loop.call_later(seconds, lambda: self.loop.create_task(self.live()))

    async def live(self) -> None:
        """Accept connections from now on."""
        self.revival.cancel()
        if self.listening is None:
            here = _bound(int(self.url.split(":")[2].removesuffix("/v1")))
            self.listening = await asyncio.start_server(self._converse, sock=here, backlog=2048)

    # ---- Connections ----------------------------------------------------------------------------

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client, request after request."""
        self.open.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (EOFError, ConnectionError, asyncio.CancelledError):
            pass  # the client has left, or the server is ending
        except Exception:
            self.accounts.counts["internal_errors"] += 1
            traceback.print_exc()
        finally:
            self.open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether another may follow."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        kind = first.split("?")[0].removesuffix(" HTTP/1.1")
        self.number += 1
        settings, accounts, key, messages = self.settings, self.accounts, b"", b""
        if settings.key and headers.get("authorization") != f"Bearer {settings.key}":
            reply = error(401, "Incorrect API key provided.", code="invalid_api_key")
            accounts.counts["requests"] += kind in {CHAT, EMBEDDINGS}
        elif kind in {CHAT, EMBEDDINGS}:
            body = json.loads(content)
            key, messages = digests(body)
            accounts.counts["requests"] += 1
            accounts.counts["inputs"] += len(body.get("input", ()))
            accounts.arrive(key)
            accounts.recent.append(content.decode())
            try:
                reply = self._decide(body, key, messages)
                refused = 400 <= reply.status < 500  # at once
                await asyncio.sleep(0.0 if refused else settings.latency)
                if reply.ending == "hang":
                    await asyncio.sleep(HANG_SECONDS)
            finally:
                accounts.leave(key)
        else:
            reply = self._desk(kind, content)
            if reply.ending == "hang":
                await asyncio.sleep(HANG_SECONDS)
        if reader.at_eof() or reader.exception() or writer.is_closing():
            return False
        if kind in {CHAT, EMBEDDINGS}:
            accounts.sent(reply, key, messages, self.loop.time())
        return _send(writer, reply)

    # ---- Replies --------------------------------------------------------------------------------

    def _decide(self, body: Body, key: bytes, messages: bytes) -> Reply:
        """Return the reply to a request."""
        settings = self.settings
        if settings.rate_limit:
            now, since = self.loop.time(), self.refilled
            room = self.tokens + (now - since) * settings.rate_limit
            self.tokens, self.refilled = min(settings.rate_burst, room), now
            if self.tokens < 1:
                return too_many(settings.retry_after, "seconds")
            self.tokens -= 1
        if not settings.structured and "response_format" in body:
            return error(400, "Invalid parameter: 'response_format' of type 'json_schema'.")
        self.since_change += 1
        ask = self.accounts.asked[key] - 1
        fault = self._fault(body, key, ask)
        if "input" in body:
            self.accounts.faults[fault] += bool(fault)
            return embedded(body, fault, settings)
        return self._answer(body, messages, fault)

    def _fault(self, body: Body, key: bytes, ask: int) -> str:
        settings = self.settings
        if self.since_change in self.script:
            return self.script[self.since_change]
        text = "\n".join(words_of(body)) if settings.matching else ""
        for row in settings.matching:
            if re.search(row["pattern"], text):
                return row["fault"]
        most = settings.faults_per_prompt
        return drawn(settings.faults, key, ask) if most is None or ask < most else ""

    def _answer(self, body: Body, messages: bytes, fault: str) -> Reply:
        settings = self.settings
        if fault:
            self.accounts.faults[fault] += 1
        answer = think(
            body,
            messages,
            sharpness=settings.sharpness,
            obedience=settings.obedience,
            structured=settings.structured,
        )
        return faulty(fault, answer, body, self.number, retry_after=settings.retry_after)

    def _ask_line(self, body: Body) -> None:
        self.accounts.counts["batch_requests"] += 1
        self.accounts.ask(digests(body)[0])

    def _answer_line(self, body: Body) -> Reply:
        key, messages = digests(body)
        fault = drawn(self.settings.batch_faults, key, self.accounts.asked[key] - 1)
        reply = self._answer(body, messages, fault)
        self.accounts.sent(reply, key, messages, self.loop.time())
        return reply

    def _desk(self, kind: str, content: bytes) -> Reply:
        """Answer a request about files and batches."""
        settings = self.settings
        found, kind = _ID.search(kind), _ID.sub("*", kind)
        place = self.desk_counts[kind]
        self.desk_counts[kind] += 1
        script = settings.desk_script.get(kind, ())
        scripted = script[place] if place < len(script) else ""
        fault = scripted or drawn(settings.desk_faults, kind.encode(), place)
        if fault in ERRORS:
            return ERRORS[fault](settings.retry_after)
        reply = self.desk.reply(kind, found[0] if found else "", content, settings)
        return BREAKS[fault](reply) if fault else reply


def digests(body: Body) -> tuple[bytes, bytes]:
    """Return the digest of a request, and the digest of only its model and messages."""
    parts = json.dumps(body, sort_keys=True), json.dumps([body["model"], words_of(body)])
    whole, words = (hashlib.blake2b(part.encode(), digest_size=12).digest() for part in parts)
    return whole, words


def words_of(body: Body) -> list[str]:
    """Return the texts of a request."""
    if "input" in body:
        return list(body["input"])
    return [message["content"] for message in body["messages"]]


def _send(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Send a reply, or the part that it asks for; return whether another request may follow."""
    lines = [
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        "content-type: application/json",
        f"content-length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    half = reply.body[: len(reply.body) // 2]
    sent = {"whole": head + reply.body, "nothing": b"", "head": head, "half": head + half}
    writer.write(sent[reply.sent])
    if reply.ending in {"reset", "hang"}:
        _reset(writer)
    return reply.ending == "keep"


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection abruptly."""
    if not writer.is_closing():
        connected = writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)
        writer.transport.abort()


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound
