"""The server's files and batches: submitted, polled, collected, and sometimes incomplete."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.llm_server.answers import Body, Reply
from tests.support.llm_server.faults import error

if TYPE_CHECKING:
    from tests.support.llm_server.server import Settings

Line = tuple[str, Body]


@dataclass
class Batch:
    """A batch as its client sees it, and the lines that wait for an answer."""

    shown: dict[str, Any]
    lines: list[Line]
    created: float
    looks: int = 0


class Desk:
    """Takes in files, runs batches and hands out results.

    Parameters
    ----------
    ask : callable
        Called with every line when it arrives.
    answer : callable
        Answers a line.
    """

    def __init__(self, ask: Callable[[Body], None], answer: Callable[[Body], Reply]) -> None:
        self.ask = ask
        self.answer = answer
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}

    def reply(self, kind: str, name: str, content: bytes, settings: Settings) -> Reply:
        """Answer a request about files or batches; `kind` has `*` for the id `name`."""
        if kind == "POST /v1/files":
            # the one file of the form, between the head of its part and the next boundary
            boundary = content.split(b"\r\n", 1)[0]
            part = next(p for p in content.split(boundary) if b'name="file"' in p)
            return _json({"id": self._keep(part.partition(b"\r\n\r\n")[2][:-2])})
        if kind == "POST /v1/batches":
            return _json(self._create(json.loads(content)))
        if kind == "GET /v1/batches":
            newest_first = [batch.shown for batch in self.batches.values()][::-1]
            return _json({"object": "list", "data": newest_first, "has_more": False})
        if kind == "GET /v1/batches/*" and name in self.batches:
            return _json(self._look(self.batches[name], settings))
        if kind == "GET /v1/files/*/content" and name in self.files:
            return Reply(200, self.files[name])
        return error(404, f"No such object: {name}")

    def _keep(self, content: bytes) -> str:
        name = f"file-{len(self.files):08d}"
        self.files[name] = content
        return name

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        rows = map(json.loads, self.files[asked["input_file_id"]].splitlines())
        lines = [(row["custom_id"], row["body"]) for row in rows]
        for _, body in lines:
            self.ask(body)
        shown = {
            "id": f"batch_{len(self.batches):08d}",
            "object": "batch",
            "status": "validating",
            "errors": None,
            "output_file_id": None,
            "error_file_id": None,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "metadata": asked.get("metadata"),
        }
        self.batches[shown["id"]] = Batch(shown, lines, time.monotonic())
        return shown

    def _look(self, batch: Batch, settings: Settings) -> dict[str, Any]:
        """Bring a batch to its present state, and return it."""
        batch.looks += 1
        if batch.shown["status"] not in {"validating", "in_progress"}:
            return batch.shown
        age = time.monotonic() - batch.created
        crowded = settings.batch_most and len(batch.lines) > settings.batch_most
        if settings.batch_end == "failed" or crowded:
            said = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached."}
            batch.shown |= {"status": "failed", "errors": {"object": "list", "data": [said]}}
        elif batch.looks > 1 and age >= settings.batch_seconds:
            self._work(batch, settings)
        else:
            batch.shown["status"] = "in_progress"
        return batch.shown

    def _work(self, batch: Batch, settings: Settings) -> None:
        """Answer the lines in any order, or only the share done before the batch expires."""
        chance = random.Random(batch.shown["id"])
        chance.shuffle(batch.lines)
        whole = settings.batch_end == "completed"
        done = len(batch.lines) if whole else round(settings.batch_share * len(batch.lines))
        output, errors = [], []
        for custom_id, body in batch.lines[:done]:
            reply = self.answer(body)
            if chance.random() >= settings.batch_lost and reply.sent == "whole":
                (output if reply.status == 200 else errors).append(_line(custom_id, reply))
        errors += [_line(custom_id, None) for custom_id, _ in batch.lines[done:]]
        for name, lines in (("output_file_id", output), ("error_file_id", errors)):
            batch.shown[name] = self._keep(b"\n".join(lines) + b"\n") if lines else None
        batch.shown["request_counts"] |= {"completed": len(output), "failed": len(errors)}
        batch.shown["status"] = settings.batch_end


def _json(shown: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(shown).encode())


def _line(custom_id: str, reply: Reply | None) -> bytes:
    """Return a line of an output or error file; its body may be broken."""
    if reply is None:
        late = {"code": "batch_expired", "message": "The completion window expired."}
        return json.dumps({"custom_id": custom_id, "response": None, "error": late}).encode()
    head = json.dumps({"custom_id": custom_id, "error": None})[:-1].encode()
    return head + b', "response": {"status_code": %d, "body": %b}}' % (reply.status, reply.body)
