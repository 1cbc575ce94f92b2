"""A test double of a partner's model server: it speaks OpenAI's protocol and misbehaves as told.

    with running_chat_model(delay=3) as model:
        ...  # base_url: model.base_url
        assert model.report()["calls"] <= 20

It is a process of its own (`python -m tests.support.chat_model`), so that what it counts survives
whatever is killed. Modes:

- `ok`: an answer with the prompt's mark (a word like MARK-...) and the last message; to a coach's
  question for scores, feedback as JSON.
- `500`, `429` (with Retry-After), `hang` (no answer while the connection lasts), `garbage` (no
  JSON), `empty`, `long` (5,000 words), `language` (Arabic), `script` (markup and a script),
  `role` (says that it is a program), `error_text` (status 200, words of an error, no choices).
- `flaky`: a 500 for the first call of each conversation's turn, then ok.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.paths import ROOT

MARK = re.compile(r"MARK-\w+")
SCORE = re.compile(r'"(score_[\w.-]+)" \(a whole number from (\d+) to')
ECHO = "I hear: "
LONG = "word " * 5_000
ARABIC = "لا أعرف ماذا أفعل الآن، كل شيء تغيّر منذ ذلك اليوم."
SCRIPT = '<script>document.title="stolen"</script><img src=x onerror="alert(1)"> **bold** [x](y)'
ROLE = "As an AI language model, I cannot have feelings."
SECRET = "secret-of-the-server-7f3a"  # the text of an error, which nobody but the log may see
FIXED = {"empty": "", "long": LONG, "language": ARABIC, "script": SCRIPT, "role": ROLE}
REASONS = {429: "Too Many Requests", 500: "Internal Server Error"}


@dataclass
class Settings:
    """How it behaves: `delay` in seconds before each answer; `flags` marks for moderation."""

    mode: str = "ok"
    delay: float = 0.0
    retry_after: float = 1.0
    flags: tuple[str, ...] = ()


@dataclass
class Server:
    """The double; see the module."""

    settings: Settings = field(default_factory=Settings)
    calls: Counter[str] = field(default_factory=Counter)
    prompts: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    async def answer(
        self, method: str, path: str, body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and further headers."""
        if path == "/report":
            return 200, json.dumps(self.report()).encode(), {}
        if path == "/bodies":
            return 200, json.dumps(self.bodies).encode(), {}
        asked = json.loads(body or b"{}")
        if path == "/set":
            for name, value in asked.items():
                setattr(self.settings, name, value)
            return 200, b"{}", {}
        if path.endswith("/moderations"):
            return 200, json.dumps(self._moderated(asked)).encode(), {}
        if not path.endswith("/chat/completions") or method != "POST":
            return 404, b"{}", {}
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._completed(asked)
        finally:
            self.in_flight -= 1

    def report(self) -> dict[str, Any]:
        """Return what was counted."""
        return {
            "calls": self.calls["chat"],
            "good": self.calls["good"],
            "moderations": self.calls["moderation"],
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "prompts": len(self.prompts),
            "asked_again": sum(self.prompts.values()) - len(self.prompts),
        }

    def _moderated(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.calls["moderation"] += 1
        words = asked.get("input", "")
        texts = words if isinstance(words, list) else [words]
        results = []
        for text in texts:
            hit = any(flag in str(text) for flag in self.settings.flags)
            results.append(
                {
                    "flagged": hit,
                    "categories": {"self-harm": hit, "violence": False},
                    "category_scores": {"self-harm": 0.9 if hit else 0.0, "violence": 0.0},
                    "category_applied_input_types": {"self-harm": ["text"], "violence": ["text"]},
                }
            )
        return {"id": "modr-1", "model": "omni-moderation", "results": results}

    async def _completed(self, asked: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        self.calls["chat"] += 1
        self.bodies.append(asked)
        prompt = json.dumps(asked.get("messages", []), sort_keys=True)
        self.prompts[prompt] += 1
        mode = self.settings.mode
        if mode == "hang":
            await asyncio.sleep(3_600)
        await asyncio.sleep(self.settings.delay)
        if mode == "flaky":
            mode = "500" if self.prompts[prompt] == 1 else "ok"
        if mode in {"500", "429"}:
            said = {"error": {"message": f"{SECRET} {mode}", "type": "server_error", "code": mode}}
            more = {"Retry-After": f"{self.settings.retry_after:g}"} if mode == "429" else {}
            return int(mode), json.dumps(said).encode(), more
        if mode == "garbage":
            return 200, f"<html>{SECRET}</html>".encode(), {"Content-Type": "text/html"}
        if mode == "error_text":
            return 200, json.dumps({"error": {"message": SECRET}}).encode(), {}
        self.calls["good"] += 1
        return 200, json.dumps(self._completion(asked, mode)).encode(), {}

    def _completion(self, asked: dict[str, Any], mode: str) -> dict[str, Any]:
        messages = asked.get("messages", [])
        words = FIXED.get(mode) if mode in FIXED else feedback(messages) or echo(messages)
        before = sum(len(str(one.get("content", ""))) for one in messages) // 4
        return {
            "id": f"chatcmpl-{self.calls['chat']}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": asked.get("model", "double"),
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": words},
                    "finish_reason": "length" if mode == "long" else "stop",
                }
            ],
            "usage": {
                "prompt_tokens": before,
                "completion_tokens": len(words) // 4 + 1,
                "total_tokens": before + len(words) // 4 + 1,
            },
        }


def feedback(messages: list[dict[str, Any]]) -> str:
    """Return a coach's feedback as JSON, if the last message asks for it; else nothing."""
    last = str(messages[-1].get("content", "")) if messages else ""
    scores = {name: int(low) + 1 for name, low in SCORE.findall(last)}
    return json.dumps({"text": "You listened. Ask more.", **scores}) if scores else ""


def echo(messages: list[dict[str, Any]]) -> str:
    """Return the mark of the prompt and the words of the last message, up to 200 characters."""
    mark = MARK.search(" ".join(str(one.get("content", "")) for one in messages[:1]))
    last = str(messages[-1].get("content", "")) if messages else ""
    return f"{mark.group(0) if mark else 'no mark'} {ECHO}{last[:200]}"


async def serve_one(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of one connection."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ", 2)
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            status, said, more = await server.answer(method, path, body)
            wanted = {
                "Content-Type": "application/json",
                "Content-Length": str(len(said)),
                "x-request-id": f"req-{server.calls['chat']}",
                **more,
            }
            lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'OK')}"]
            lines += [f"{name}: {value}" for name, value in wanted.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + said)
            await writer.drain()
    writer.close()


async def main() -> None:
    """Serve on a free port, print the address, and end with the process that reads it."""
    server = Server()
    listening = await asyncio.start_server(
        lambda reader, writer: serve_one(server, reader, writer),
        "127.0.0.1",
        0,
        limit=2**24,
        backlog=1_000,
    )
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    orders = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(orders)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    await orders.read()


@dataclass(frozen=True)
class ChatModel:
    """A running double, as a test uses it; `base_url` is for the plan."""

    address: str

    @property
    def base_url(self) -> str:
        """The address for clients."""
        return f"{self.address}/v1"

    def set(self, **settings: Any) -> None:
        """Change how it behaves from now on."""
        self._post("/set", settings)

    def report(self) -> dict[str, Any]:
        """Return what it counted."""
        return dict(self._post("/report", {}))

    def bodies(self) -> list[dict[str, Any]]:
        """Return every request for a completion."""
        return list(self._post("/bodies", {}))

    def _post(self, path: str, said: Any) -> Any:
        request = urllib.request.Request(f"{self.address}{path}", json.dumps(said).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def running_chat_model(**settings: Any) -> Iterator[ChatModel]:
    """Run the double in its own process, which ends with this block or with this process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.chat_model"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        model = ChatModel(process.stdout.readline().strip())
        model.set(**settings)
        yield model
    finally:
        process.terminate()
        process.communicate(timeout=20)


if __name__ == "__main__":
    asyncio.run(main())
