"""HTTP/1.1 by hand: keep-alive, one request at a time on a connection, and broken on command."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus

from tests.support.llm_server.faults import Reply

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_KEY = re.compile(rb"\r\nauthorization:[ \t]*(?:bearer[ \t]+)?([^\r]*)", re.IGNORECASE)
_KIND = re.compile(rb"\r\ncontent-type:[ \t]*([^\r]*)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_HEAD_MOST = 64 * 1024
_BACKLOG = 2048
_REASONS = {status.value: status.phrase for status in HTTPStatus}
# Closing with this sends a reset instead of a farewell.
_ABRUPT = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Request:
    """One request; of its key, only the digest."""

    method: str
    path: str
    query: str
    key: str
    kind: str
    body: bytes
    close: bool


def key_hash(key: str) -> str:
    """Return what is kept of a key."""
    return sha256(key.encode()).hexdigest()[:16] if key else ""


def _request(head: bytes, body: bytes) -> Request:
    method, target, _ = head.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
    path, _, query = target.partition("?")
    key, kind = _KEY.search(head), _KIND.search(head)
    return Request(
        method,
        path,
        query,
        key_hash(key[1].decode("latin-1").strip()) if key else "",
        kind[1].decode("latin-1") if kind else "",
        body,
        _CLOSE.search(head) is not None,
    )


def head_of(reply: Reply, number: int, *, close: bool) -> bytes:
    """Return the status line and headers of a reply."""
    status = reply.status or 200
    lines = [
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}",
        f"content-type: {reply.kind}",
        f"content-length: {len(reply.body)}",
        f"x-request-id: req_{number}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    if close:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, handle: Callable[[Connection, Request], None], house: House) -> None:
        self.handle = handle
        self.house = house
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.needed = 0
        self.head = b""
        self.busy = False
        self.close_after = False
        self.when_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.house.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.house.leave(self)
        if self.when_lost is not None:
            lost, self.when_lost = self.when_lost, None
            lost()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._next()

    def _next(self) -> None:
        """Take the next whole request out of the buffer."""
        if self.busy or (not self.head and not self._take_head()):
            return
        if len(self.buffer) < self.needed:
            return
        body = bytes(self.buffer[: self.needed])
        del self.buffer[: self.needed]
        head, self.head, self.busy = self.head, b"", True
        try:
            request = _request(head, body)
        except ValueError:
            self._refuse()
            return
        self.close_after = request.close
        self.handle(self, request)

    def _take_head(self) -> bool:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > _HEAD_MOST:
                self._refuse()
            return False
        self.head = bytes(self.buffer[: end + 2])
        del self.buffer[: end + 4]
        if _CHUNKED.search(self.head):
            self._refuse()
            return False
        length = _LENGTH.search(self.head)
        self.needed = int(length[1]) if length else 0
        return True

    def _refuse(self) -> None:
        self.house.count("protocol_errors")
        self.head = b""
        self.buffer.clear()
        if self.transport is not None:
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()

    def send(self, reply: Reply, number: int = 0) -> bool:
        """Send a reply, or as much of it as it says; return whether anybody was there."""
        transport, self.when_lost = self.transport, None
        if transport is None or transport.is_closing():
            return False
        close = self.close_after and reply.then == "keep"
        if reply.cut != "all":
            message = head_of(reply, number, close=close)
            body = reply.body if not reply.cut else reply.body[: len(reply.body) // 2]
            transport.write(message if reply.cut == "body" else message + body)
        if reply.then == "reset":
            self.reset()
        elif close or reply.then == "close":
            transport.close()
        else:
            self.busy = False
            if self.buffer:
                asyncio.get_running_loop().call_soon(self._next)
        return True

    def reset(self) -> None:
        """End the connection abruptly."""
        if self.transport is not None:
            connected = self.transport.get_extra_info("socket")
            if connected is not None:
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)
            self.transport.abort()


class House:
    """A port that connections come in by, which can close for a while and open again."""

    def __init__(
        self,
        handle: Callable[[Connection, Request], None],
        count: Callable[[str, int], None],
        port: int = 0,
    ) -> None:
        self.handle = handle
        self._count = count
        self.open: set[Connection] = set()
        self.resets = False
        self._server: asyncio.Server | None = None
        self._listener: socket.socket | None = None
        # Bound and never listening: it keeps the port ours while nobody listens.
        self._keeper = _bound(port)
        self.port: int = self._keeper.getsockname()[1]

    def count(self, name: str, by: int = 1) -> None:
        """Count something that happened here."""
        self._count(name, by)

    def enter(self, connection: Connection) -> None:
        """Let a connection in, or throw it out."""
        if self.resets:
            connection.reset()
            return
        self.open.add(connection)
        self.count("connections")
        self.count("open_connections")

    def leave(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        if connection in self.open:
            self.open.discard(connection)
            self.count("open_connections", -1)

    def listen(self) -> None:
        """Take connections from now on; `start` lets them in."""
        self.resets = False
        if self._listener is None:
            self._listener = _bound(self.port)
            self._listener.listen(_BACKLOG)

    async def start(self) -> None:
        """Let connections in."""
        self.listen()
        if self._server is None and self._listener is not None:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Connection(self.handle, self), sock=self._listener, backlog=_BACKLOG
            )

    def die(self, how: str) -> None:
        """Cut every connection, and refuse new ones or reset them."""
        self.resets = how == "reset"
        if not self.resets and self._server is not None:
            self._server.close()
            self._server = self._listener = None
        for connection in list(self.open):
            connection.reset()


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound
