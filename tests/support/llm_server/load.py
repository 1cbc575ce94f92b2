"""How fast is the server? A client that does nothing but ask: `python -m tests.llm_server.load`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from study.judges.prompts.fences import fence
from tests.support.llm_server.handle import running_llm_server

SCHEMA = {
    "type": "object",
    "properties": {"choice": {"type": "string", "enum": ["A", "B"]}},
    "required": ["choice"],
    "additionalProperties": False,
}


def requests(count: int, words: int) -> Iterator[bytes]:
    """Yield pairwise requests, each with two texts of so many words."""
    for number in range(count):
        texts = [f"Supporter: [[quality={number * k % 7}.5]] " + "word " * words for k in (1, 2)]
        prompt = "\n".join(
            fence(f"conversation {letter}", text, f"{number:016x}")
            for letter, text in zip("AB", texts, strict=True)
        )
        body = json.dumps(
            {
                "model": "judge",
                "messages": [
                    {"role": "system", "content": f"Compare, {number}."},
                    {"role": "user", "content": prompt},
                ],
                "temperature": 0,
                "max_tokens": 20,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
                },
            }
        ).encode()
        yield (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        ) + body


class _Asker(asyncio.Protocol):
    def __init__(self, ready: Iterator[bytes], done: asyncio.Event) -> None:
        self.ready, self.done = ready, done
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        request = next(self.ready, None)
        if request is None:
            self.transport.close()
            self.done.set()
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]) if found else 0
        if found and len(body) >= length:
            assert head.startswith(b"HTTP/1.1 200"), head
            self.buffer = b""
            self._ask()


async def ask_all(base_url: str, ready: list[bytes], connections: int) -> float:
    """Send requests over keep-alive connections; return how many were answered a second."""
    parts, each = urlsplit(base_url), iter(ready)
    host, port = parts.hostname or "", parts.port or 80
    loop = asyncio.get_running_loop()
    ended = [asyncio.Event() for _ in range(connections)]
    began = time.perf_counter()
    for event in ended:
        await loop.create_connection(partial(_Asker, each, event), host, port)
    for event in ended:
        await event.wait()
    return len(ready) / (time.perf_counter() - began)


def main() -> None:
    """Print the rate without latency, and the share of what the concurrency allows with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=400)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.0)
    options = parser.parse_args()
    ready = list(requests(options.requests, options.words))
    with running_llm_server(latency=options.latency) as server:
        rate = asyncio.run(ask_all(server.base_url, ready, options.connections))
        report = server.report()
        ticks = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
        busy = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    print(f"{len(ready) / busy:,.0f} requests per second of the server's own CPU time")
    print(f"{rate:,.0f} requests/s, {len(ready[0]):,} bytes each, {report['good']:,} good")
    if options.latency:
        print(f"{rate * options.latency / options.connections:.1%} of what the latency allows")


if __name__ == "__main__":
    main()
