"""HTTP by hand: requests are bytes, so that they may be broken as no client library allows."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import unescape
from typing import IO
from urllib.parse import quote, urlencode, urlsplit

from tests.support.warm import Process

TIMEOUT = 30.0
FORM = b"application/x-www-form-urlencoded"
# Statuses without a body, whatever Content-Length says.
BODILESS = {204, 304}
Pair = tuple[bytes, bytes]

# ---- HTTP ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One request as it goes over the wire; `valid` says whether it is HTTP at all."""

    method: bytes
    target: bytes
    headers: tuple[Pair, ...] = ()
    body: bytes | None = None
    chunked: bool = False
    valid: bool = True
    raw: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes to send."""
        if self.raw:
            return self.raw
        given = {name.lower() for name, _ in self.headers}
        lines = [b"%s %s HTTP/1.1" % (self.method, self.target)]
        lines += [b"Host: study.example"] if b"host" not in given else []
        lines += [b"%s: %s" % pair for pair in self.headers]
        body = self.body
        if body is None:
            return b"\r\n".join([*lines, b"", b""])
        if self.chunked:
            lines.append(b"Transfer-Encoding: chunked")
            half = len(body) // 2
            parts = [part for part in (body[:half], body[half:]) if part]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        else:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", body])


@dataclass(frozen=True)
class Reply:
    """What came back; status 0 means that the connection ended or stayed silent."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    raw: bytes = b""

    def get(self, name: str) -> str:
        """Return a header, or an empty string if there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Return every header with this name."""
        return [value for key, value in self.headers if key == name]

    @property
    def text(self) -> str:
        """The body of a page."""
        return self.body.decode() if "text/" in self.get("content-type") else ""


class Wire:
    """A keep-alive connection that is opened again when the server has closed it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 80)
        self.is_open = True
        self._socket: socket.socket | None = None
        self._stream: IO[bytes] | None = None

    def send(self, data: bytes) -> None:
        """Send bytes; the server may stop listening before the end."""
        if self._socket is None:
            self._socket = socket.create_connection(self.address, timeout=TIMEOUT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._stream = self._socket.makefile("rb")
        try:
            self._socket.sendall(data)
        except ConnectionError:
            self.is_open = False

    def read(self, *, head: bool = False) -> Reply:
        """Read one reply."""
        assert self._stream is not None
        try:
            reply = self._read(head)
        except (OSError, ValueError, IndexError) as error:
            self.close()
            return Reply(0, body=repr(error).encode())
        if reply.get("connection").lower() == "close" or reply.raw.startswith(b"HTTP/1.0"):
            self.close()
        return reply

    def _read(self, head: bool) -> Reply:
        stream = self._stream
        assert stream is not None
        line = stream.readline()
        status = int(line.split(b" ", 2)[1])
        headers = []
        while (header := stream.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode("latin-1").rstrip("\r\n").partition(": ")
            headers.append((name.lower(), value))
        if status == 100:
            return self._read(head)
        reply = Reply(status, tuple(headers), raw=line)
        if head or status in BODILESS:
            return reply
        if reply.get("transfer-encoding") == "chunked":
            return replace(reply, body=b"".join(_chunks(stream)))
        length = reply.get("content-length")
        body = stream.read(int(length)) if length else stream.read()
        if length and len(body) != int(length):
            raise ValueError("the body is shorter than it says")
        return replace(reply, body=body)

    def exchange(self, request: Request) -> Reply:
        """Send a request and read its reply."""
        self.send(request.encode())
        return self.read(head=request.method.upper() == b"HEAD")

    def close(self) -> None:
        """Close the connection."""
        for opened in (self._stream, self._socket):
            if opened is not None:
                opened.close()
        self._socket = self._stream = None


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while size := int(stream.readline(), 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()


def say(url: str, data: bytes) -> Reply:
    """Send bytes that may not be HTTP, hang up, and read the whole reply."""
    parts = urlsplit(url)
    answer = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT) as wire:
        try:
            wire.sendall(data)
            wire.shutdown(socket.SHUT_WR)
            while got := wire.recv(65536):
                answer += got
        except TimeoutError:
            return Reply(0, body=b"the server neither answered nor hung up", raw=answer)
        except OSError:  # the server has hung up first
            pass
    statuses = [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3})\b", answer)]
    return Reply(max(statuses, default=400), body=answer)


def at_once(url: str, requests: Sequence[Request]) -> list[Reply]:
    """Send requests that all become complete at the same moment, with their last bytes."""
    wires = [Wire(url) for _ in requests]
    whole = [request.encode() for request in requests]
    try:
        for wire, data in zip(wires, whole, strict=True):
            wire.send(data[:-1])
        for wire, data in zip(wires, whole, strict=True):
            wire.send(data[-1:])
        return [wire.read() for wire in wires]
    finally:
        for wire in wires:
            wire.close()


# ---- People -------------------------------------------------------------------------------------

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_ACTION = re.compile(r'<form method="post" action="([^"]*)"')


class Person:
    """A rater's browser: one cookie, and the last form that it was shown."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.cookie = b""
        self.action = b""
        self.fields: dict[str, str] = {}
        self.page = Reply(0)

    def get(self, path: str) -> Reply:
        """Open a page, following redirects."""
        return self.follow(self.exchange(Request(b"GET", path.encode(), self.headers)))

    def post(self, **fields: str | int) -> Reply:
        """Send the last form, following the redirect after it."""
        return self.follow(self.exchange(self.request(**fields)))

    def request(self, **fields: str | int) -> Request:
        """Return the last form, filled in, as a request."""
        body = urlencode({**self.fields, **fields}).encode()
        return Request(b"POST", self.action, (*self.headers, (b"Content-Type", FORM)), body)

    @property
    def headers(self) -> tuple[Pair, ...]:
        """The cookie, if there is one."""
        return ((b"Cookie", self.cookie),) if self.cookie else ()

    def exchange(self, request: Request) -> Reply:
        """Send a request on a new connection; keep the cookie and the form."""
        wire = Wire(self.url)
        try:
            return self.take(wire.exchange(request))
        finally:
            wire.close()

    def take(self, reply: Reply) -> Reply:
        """Keep the cookie and the form of a reply."""
        for cookie in reply.all("set-cookie"):
            self.cookie = cookie.partition(";")[0].encode()
        action = _ACTION.search(reply.text)
        if action is not None:
            self.action = action[1].encode()
            self.fields = {name: unescape(value) for name, value in _HIDDEN.findall(reply.text)}
        self.page = reply
        return reply

    def follow(self, reply: Reply) -> Reply:
        """Follow redirects."""
        for _ in range(5):
            if reply.status != 303:
                return reply
            target = reply.get("location").encode()
            reply = self.exchange(Request(b"GET", target, self.headers))
        raise AssertionError(f"{self.name} is sent around in circles: {reply}")

    def arrive(self) -> Reply:
        """Open the link."""
        return self.get(f"/?rater={quote(self.name, safe='')}")

    def consent(self) -> Reply:
        """Open the link, agree, and go to the first page that asks something."""
        self.arrive()
        assert self.action == b"/consent", self.page
        self.post()
        return self.get("/trial")

    @property
    def visit(self) -> str:
        """The name of this visit in the trial's form."""
        return self.fields["visit"]


@contextmanager
def overheard(process: Process) -> Iterator[list[str]]:
    """Keep what a server prints, so that it never blocks; stop it at the end."""
    assert process.stdout is not None
    said: list[str] = []
    listener = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
    listener.start()
    try:
        yield said
    finally:
        process.kill_all()
        listener.join(TIMEOUT)
