"""Files and batches: submitted, looked at for a while, collected, and sometimes not whole."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.support.llm_server.accounts import Accounts, body_hash, messages_hash
from tests.support.llm_server.connection import Request
from tests.support.llm_server.faults import Reply
from tests.support.llm_server.replies import error_body
from tests.support.llm_server.settings import Settings

ENDPOINT = "/v1/chat/completions"
FINAL = {"failed", "completed", "expired", "cancelled"}
# Lines that are worked through before other clients have their turn.
AT_ONCE = 250
DAY = 24 * 3600
_NAME = re.compile(r'\bname="([^"]*)"')
_FILENAME = re.compile(r'\bfilename="([^"]*)"')
_UNDONE = {
    "expired": "This request could not be executed before the completion window expired.",
    "cancelled": "This request was not executed because the batch was cancelled.",
}

Answer = Callable[[dict[str, Any], bytes, bytes, int], Reply]


@dataclass
class Line:
    """A line of a batch that is being worked on."""

    custom_id: str
    body: dict[str, Any]
    key: bytes
    messages: bytes
    place: int


@dataclass
class Batch:
    """A batch, as its client sees it, and what is behind it."""

    shown: dict[str, Any]
    settings: Settings
    accounts: Accounts
    lines: list[Line] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0
    is_read: bool = False
    is_working: bool = False

    @property
    def status(self) -> str:
        """Where it stands."""
        return str(self.shown["status"])

    def become(self, status: str) -> None:
        """Enter a status, now."""
        self.shown["status"] = status
        self.shown[f"{status}_at"] = int(time.time())


class Desk:
    """Where files are handed in, batches are run, and results are handed out."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.files: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.batches: dict[str, Batch] = {}
        self.number = 0

    # ---- Requests -------------------------------------------------------------------------------

    def reply(self, request: Request, settings: Settings, accounts: Accounts) -> Reply:
        """Answer a request about files or batches."""
        parts = request.path.removeprefix("/v1/").split("/")
        name = parts[1] if len(parts) > 1 else ""
        match request.method, parts[0], len(parts), parts[-1]:
            case "POST", "files", 1, _:
                return self._upload(request)
            case "GET", "files" | "batches", 1, _:
                return self._list(parts[0], request.query)
            case "GET" | "DELETE", "files", 2 | 3, _ if name in self.files:
                return self._file(request.method, name, content=parts[-1] == "content")
            case "POST", "batches", 1, _:
                return self._create(json.loads(request.body), settings, accounts)
            case "GET", "batches", 2, _ if name in self.batches:
                return _json(self._look(self.batches[name]))
            case "POST", "batches", 3, "cancel" if name in self.batches:
                return self._cancel(self.batches[name])
        message = f"No such object: {request.path}"
        return Reply(404, error_body(message, "invalid_request_error", "id"))

    def _upload(self, request: Request) -> Reply:
        fields = _multipart(request)
        if "file" not in fields or "purpose" not in fields:
            message = "Missing required parameter: 'file' or 'purpose'."
            return Reply(400, error_body(message, "invalid_request_error"))
        filename, content = fields["file"]
        return _json(self._keep(filename, content, fields["purpose"][1].decode()))

    def _keep(self, filename: str, content: bytes, purpose: str) -> dict[str, Any]:
        name = self._id("file-")
        shown = {
            "id": name,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
        }
        self.files[name] = (shown, content)
        return shown

    def _id(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number:08d}"

    def _list(self, what: str, query: str) -> Reply:
        """Return a page, the newest first."""
        asked = parse_qs(query)
        rows = (
            [shown for shown, _ in self.files.values()]
            if what == "files"
            else [batch.shown for batch in self.batches.values()]
        )[::-1]
        ids = [row["id"] for row in rows]
        after = asked.get("after", [""])[0]
        start = ids.index(after) + 1 if after in ids else 0
        page = rows[start : start + int(asked.get("limit", ["20"])[0])]
        more = start + len(page) < len(rows)
        return _json({"object": "list", "data": page, "has_more": more})

    def _file(self, method: str, name: str, *, content: bool) -> Reply:
        shown, data = self.files[name]
        if method == "DELETE":
            del self.files[name]
            return _json({"id": name, "object": "file", "deleted": True})
        if content:
            return Reply(200, data, kind="application/octet-stream")
        return _json(shown)

    def _create(self, asked: dict[str, Any], settings: Settings, accounts: Accounts) -> Reply:
        wrong = asked.get("endpoint") != ENDPOINT or asked.get("completion_window") != "24h"
        if wrong or asked.get("input_file_id") not in self.files:
            message = "Invalid endpoint, completion_window or input_file_id."
            return Reply(400, error_body(message, "invalid_request_error"))
        now = int(time.time())
        timed = ("in_progress", "finalizing", *sorted(FINAL), "cancelling")
        shown = {
            "id": self._id("batch_"),
            "object": "batch",
            "endpoint": ENDPOINT,
            "errors": None,
            "input_file_id": asked["input_file_id"],
            "completion_window": "24h",
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            **{f"{status}_at": None for status in timed},
            "expires_at": now + DAY,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": asked.get("metadata"),
        }
        batch = Batch(shown, settings, accounts)
        self.batches[shown["id"]] = batch
        reply = _json(shown)
        _drive(self._read(batch, self.files[shown["input_file_id"]][1]))
        return reply

    def _cancel(self, batch: Batch) -> Reply:
        if batch.status in FINAL:
            message = f"Cannot cancel a batch with status '{batch.status}'."
            return Reply(409, error_body(message, "invalid_request_error"))
        batch.become("cancelling")
        return _json(batch.shown)

    # ---- The work -------------------------------------------------------------------------------

    def _look(self, batch: Batch) -> dict[str, Any]:
        """Let a batch come as far as it may by now."""
        settings = batch.settings
        batch.looks += 1
        if batch.status in FINAL or batch.is_working or not batch.is_read:
            return batch.shown
        if batch.errors or settings.batch_end == "failed":
            self._fail(batch)
        elif batch.status == "cancelling":
            self._work(batch, "cancelled")
        elif (
            batch.looks > settings.batch_polls
            and time.time() - batch.shown["created_at"] >= settings.batch_seconds
        ):
            self._work(batch, settings.batch_end)
        elif batch.status == "validating":
            batch.become("in_progress")
        return batch.shown

    def _work(self, batch: Batch, end: str) -> None:
        batch.is_working = True
        if batch.status != "cancelling":
            batch.become("finalizing")
        _drive(self._run(batch, end))

    def _fail(self, batch: Batch) -> None:
        limit = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached."}
        batch.shown["errors"] = {"object": "list", "data": batch.errors or [limit]}
        batch.become("failed")
        for line in batch.lines:
            batch.accounts.settle(line.place)
        batch.lines = []

    def _read(self, batch: Batch, content: bytes) -> Iterator[None]:
        """Read the lines; nothing is asked where one of them is wrong."""
        seen: set[str] = set()
        read: list[tuple[str, dict[str, Any]]] = []
        for number, raw in enumerate(content.splitlines(), 1):
            error = _line_error(raw, seen, read)
            if error:
                batch.errors.append({"line": number, "param": None, **error})
            if number % AT_ONCE == 0:
                yield
        if not read and not batch.errors:
            batch.errors.append({"code": "empty_file", "message": "The file is empty."})
        for place, (custom_id, body) in enumerate(read if not batch.errors else ()):
            messages = messages_hash(body)
            key = body_hash(body, messages)
            batch.accounts.counts["batch_requests"] += 1
            asked = batch.accounts.ask(key, messages)
            batch.lines.append(Line(custom_id, body, key, messages, asked))
            if place % AT_ONCE == 0:
                yield
        batch.shown["request_counts"]["total"] = len(batch.lines)
        batch.is_read = True

    def _run(self, batch: Batch, end: str) -> Iterator[None]:
        """Answer the lines, or the share of them that is done before the end."""
        settings, accounts = batch.settings, batch.accounts
        chance = random.Random(f"{settings.seed} {batch.shown['id']}")
        order = list(range(len(batch.lines)))
        if settings.batch_shuffled:
            chance.shuffle(order)
        done = len(order) if end == "completed" else round(settings.batch_share * len(order))
        output: list[bytes] = []
        errors: list[bytes] = []
        for place, which in enumerate(order):
            line = batch.lines[which]
            if place >= done:
                error = {"code": f"batch_{end}", "message": _UNDONE[end]}
                errors.append(_result(line.custom_id, place, None, error))
            else:
                reply = self.answer(line.body, line.key, line.messages, line.place)
                lost = chance.random() < settings.batch_lost or not reply.status
                if not lost:
                    (output if reply.status == 200 else errors).append(
                        _result(line.custom_id, place, reply, None)
                    )
                if reply.good:
                    accounts.answer(line.place, line.messages)
            accounts.settle(line.place)
            if place % AT_ONCE == AT_ONCE - 1:
                yield
        self._end(batch, end, output, errors)

    def _end(
        self, batch: Batch, end: str, output: Sequence[bytes], errors: Sequence[bytes]
    ) -> None:
        for name, lines in (("output", output), ("error", errors)):
            if lines:
                content = b"\n".join(lines) + b"\n"
                name_of = f"{batch.shown['id']}_{name}.jsonl"
                kept = self._keep(name_of, content, "batch_output")
                batch.shown[f"{name}_file_id"] = kept["id"]
        batch.shown["request_counts"] |= {"completed": len(output), "failed": len(errors)}
        batch.lines = []
        batch.become(end)


def _drive(work: Iterator[None]) -> None:
    """Do the first part of some work at once and the others when it is their turn."""
    for _ in work:
        asyncio.get_running_loop().call_soon(_drive, work)
        return


def _json(shown: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(shown).encode())


def _line_error(
    raw: bytes, seen: set[str], read: list[tuple[str, dict[str, Any]]]
) -> dict[str, str] | None:
    """Read a line, or return what is wrong with it."""
    try:
        line = json.loads(raw)
        custom_id, body = line["custom_id"], line["body"]
        model, url, method = body["model"], line["url"], line["method"]
    except (ValueError, KeyError, TypeError):
        return {"code": "invalid_json_line", "message": "This line is not parseable."}
    if custom_id in seen:
        return {"code": "duplicate_custom_id", "message": f"{custom_id!r} is there twice."}
    if (method, url) != ("POST", ENDPOINT):
        return {"code": "url_mismatch", "message": "The URL is not the batch's endpoint."}
    if read and model != read[0][1]["model"]:
        return {"code": "model_mismatch", "message": "A batch is for one model."}
    seen.add(custom_id)
    read.append((custom_id, body))
    return None


def _result(custom_id: str, place: int, reply: Reply | None, error: dict[str, str] | None) -> bytes:
    """Return a line of an output or error file."""
    response = b"null"
    if reply is not None:
        head = json.dumps({"status_code": reply.status, "request_id": f"req_b{place}"}).encode()
        response = head[:-1] + b', "body": ' + reply.body + b"}"
    return b'{"id": "batch_req_%d", "custom_id": %s, "response": %s, "error": %s}' % (
        place,
        json.dumps(custom_id).encode(),
        response,
        json.dumps(error).encode(),
    )


def _multipart(request: Request) -> dict[str, tuple[str, bytes]]:
    """Return the fields of a form: file name, if any, and content."""
    boundary = request.kind.partition("boundary=")[2].strip('"').encode()
    fields: dict[str, tuple[str, bytes]] = {}
    if not boundary:
        return fields
    for part in (b"\r\n" + request.body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head.decode("latin-1"))
        filename = _FILENAME.search(head.decode("latin-1"))
        if name:
            fields[name[1]] = (filename[1] if filename else "", content)
    return fields
