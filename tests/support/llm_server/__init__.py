"""A test double of a judge's server: it speaks OpenAI's protocol and misbehaves on command.

    with running_llm_server(latency=0.2, faults={"500": 0.05}) as server:
        client = AsyncOpenAI(base_url=server.base_url, api_key="any")
        ...
        assert server.report()["answered_more_than_once"] == 0

The settings are in `server.Settings`, and the faults are in `faults.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.paths import ROOT


@dataclass
class LLMServer:
    """A running server in its own process, as a test uses it.

    Attributes
    ----------
    base_url : str
        The address for clients, `http://127.0.0.1:<port>/v1`.
    process : Popen
    """

    base_url: str
    process: subprocess.Popen[str]

    def _order(self, order: dict[str, Any]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        if "error" in reply:
            raise ValueError(reply["error"])
        return reply["said"]

    def report(self) -> dict[str, Any]:
        """Return the accounts.

        Returns
        -------
        dict
            `requests` by chat and `batch_requests` by batch; `good` answers sent; different
            `prompts`; `most_asked`, how often one was asked at most; prompts
            `answered_more_than_once`, and messages with any parameters; requests
            `asked_after_answer` of the same prompt and `asked_while_pending`; `in_flight` and
            `max_in_flight`; `inputs` of embeddings; `input_tokens` and `output_tokens`; `statuses`
            and `faults`; `good_by_second`.
        """
        report: dict[str, Any] = self._order({})
        return report

    def recent(self) -> list[str]:
        """Return the bodies of the last requests by chat."""
        bodies: list[str] = self._order({"recent": True})
        return bodies

    def set(self, **settings: Any) -> None:
        """Change settings; a script starts now."""
        self._order({"set": settings})

    def reset(self, **settings: Any) -> None:
        """Start again, with these settings and the defaults for the others."""
        self._order({"reset": settings})

    def forget(self) -> None:
        """Clear the accounts."""
        self._order({"forget": True})

    def die(self, seconds: float) -> None:
        """Cut every connection, and refuse new ones for this many seconds."""
        self._order({"die": seconds})

    def live(self) -> None:
        """Listen again before the time is up."""
        self._order({"live": True})


@contextmanager
def running_llm_server(**settings: Any) -> Iterator[LLMServer]:
    """Run the server in its own process, which ends with this block or with this process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.llm_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        server = LLMServer(process.stdout.readline().strip(), process)
        server.set(**settings)
        yield server
        assert not server.report()["internal_errors"], "the server of the tests has an error"
    finally:
        process.terminate()
        process.communicate(timeout=20)
