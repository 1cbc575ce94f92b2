"""A careless LLM server, which repeats the caller's key in its reply or says what it is told.

The path is `/<what>/chat/completions`: a status, or the name of a reply of `REPLIES`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[dict[str, Any]], bytes | None]


def answer(body: dict[str, Any]) -> str:
    """Return a well-formed answer, which is always the same."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return json.dumps({name: rule["enum"][0] for name, rule in schema["properties"].items()})


def completion(content: Any, **other: Any) -> bytes:
    """Return a whole chat completion."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"model": "m", "choices": [choice], **other}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    replies: dict[str, Reply]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        what = self.path.split("/")[1]
        if what in self.replies:
            said = self.replies[what](body)
            self._send(400 if said is None else 200, said or b"{}")
        elif what == "200":
            text = json.dumps({"note": key}) + answer(body)
            self._send(200, completion(text, system_fingerprint=key))
        else:
            error = {"message": f"Something is wrong with {key}.", "code": key, "type": key}
            self._send(int(what), json.dumps({"error": error}).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def echoing_server(**replies: Reply) -> Iterator[str]:
    """Run the server in a thread; yield its address."""
    handler = type("Handler", (_Handler,), {"replies": replies})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
