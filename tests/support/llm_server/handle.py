"""The server as a test holds it: started in a process of its own, ordered about, and read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.support.paths import ROOT


@dataclass
class LLMServer:
    """A running server.

    Attributes
    ----------
    base_url : str
        What a client is told, `http://127.0.0.1:<port>/v1`.
    admin_url : str
        Where orders are taken, on a port that never dies.
    process : Popen
    """

    base_url: str
    admin_url: str
    process: subprocess.Popen[str]

    def _call(self, page: str = "", order: dict[str, Any] | None = None) -> Any:
        parts = urlsplit(self.admin_url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            method = "GET" if order is None else "POST"
            body = None if order is None else json.dumps(order, default=list)
            connection.request(method, parts.path + page, body)
            reply = connection.getresponse()
            said = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != 200:
            raise ValueError(said["error"]["message"])
        return said

    def report(self) -> dict[str, Any]:
        """Return the accounts.

        Returns
        -------
        dict
            `requests` by chat and `batch_requests` by batch; `good` answers sent; `prompts` asked,
            of which `answered`; `answered_more_than_once` prompts; requests `asked_after_answer`
            of the same prompt and `asked_while_pending`; `messages...` the same for the messages
            alone, whatever the parameters; `statuses` (0: broken off) and `faults`;
            `max_in_flight`, `connections`; clients that `disconnected` before their reply;
            `input_tokens` and `output_tokens` of all replies with status 200; digests of `keys`;
            `by_second` [second, requests, good, 429].
        """
        report: dict[str, Any] = self._call()
        return report

    def prompts(self) -> dict[str, tuple[int, int]]:
        """Return by prompt (`prompt_hash`) how often it was asked and how often answered."""
        return {name: (asked, answered) for name, asked, answered in self._call("/prompts")}

    def recent(self) -> list[dict[str, Any]]:
        """Return the last requests: number, prompt, key (digest), body, status, fault."""
        rows: list[dict[str, Any]] = self._call("/recent")
        return rows

    def set(self, **settings: Any) -> None:
        """Change settings; a script counts, and a window begins, from now."""
        self._call(order={"set": settings})

    def reset(self, **settings: Any) -> None:
        """Begin anew, with these settings and the defaults for the others."""
        self._call(order={"reset": settings})

    def forget(self) -> None:
        """Begin the accounts anew."""
        self._call(order={"forget": True})

    def die(self, seconds: float, how: str = "refuse") -> None:
        """Cut every connection, and `refuse` or `reset` new ones for some seconds."""
        self._call(order={"die": seconds, "how": how})

    def live(self) -> None:
        """Listen again, before the time is up."""
        self._call(order={"live": True})


@contextmanager
def running_llm_server(port: int = 0, **settings: Any) -> Iterator[LLMServer]:
    """Run the server in a process of its own, which ends with this block or with this process.

    Parameters
    ----------
    port : int
        0 for a free one.
    **settings
        See `Settings`.

    Yields
    ------
    LLMServer
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.llm_server", "--port", str(port), "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        said = [process.stdout.readline().strip() for _ in range(2)]
        if not said[1]:
            raise AssertionError("the server of the tests did not start")
        server = LLMServer(said[0], said[1], process)
        server.set(**settings)
        yield server
        assert not server.report()["internal_errors"], "the server of the tests has an error"
    finally:
        process.terminate()
        process.communicate(timeout=20)
