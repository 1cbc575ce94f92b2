"""The server: which request goes where, when it is answered, and what is put to its account."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from tests.support.llm_server.accounts import Accounts, body_hash, messages_hash
from tests.support.llm_server.batches import Desk
from tests.support.llm_server.connection import Connection, House, Request, key_hash
from tests.support.llm_server.faults import Case, Plan, Reply, checked, drawn, faulty, too_many
from tests.support.llm_server.opinions import Draw
from tests.support.llm_server.replies import Completion, Rejected, check, complete, error_body
from tests.support.llm_server.settings import Settings

CHAT = "/v1/chat/completions"
ADMIN = "/_admin"
_NOTHING = {"model": "", "messages": []}
_ID = re.compile(r"(?<=/)(?:file-|batch_)\w+")


class Bucket:
    """A token bucket: so many requests a second, and so many at once."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst or max(rate, 1.0)
        self.tokens = self.burst
        self.last = now

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        if not self.rate:
            return True
        self.tokens = min(self.burst, self.tokens + (now - self.last) * self.rate)
        self.last = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Server:
    """An OpenAI-compatible server that answers, fails and counts as it is told."""

    def __init__(self, port: int = 0) -> None:
        self.loop = asyncio.get_running_loop()
        self.settings = Settings()
        self.accounts = Accounts(self.settings.keep)
        self.desk = Desk(self.line)
        self.house = House(self.handle, self._count, port)
        self.office = House(self.handle, lambda name, by: None)
        self.number = 0
        self.revival = self.loop.call_later(0, int)
        self.change({})
        self.loop.set_exception_handler(self._went_wrong)

    def _went_wrong(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Count an error of the server's own, which no test may pass over."""
        self.accounts.counts["internal_errors"] += 1
        loop.default_exception_handler(context)

    def _count(self, name: str, by: int) -> None:
        self.accounts.counts[name] += by

    async def start(self) -> None:
        """Listen, on the port of the clients and on one that never fails."""
        await self.office.start()
        await self.house.start()

    def change(self, values: dict[str, Any]) -> None:
        """Change settings; scripts and windows begin anew."""
        checked(values)
        self.settings = self.settings.changed(values)
        settings, now = self.settings, self.loop.time()
        self.plan = Plan(settings, now)
        self.bucket = Bucket(settings.rate_limit, settings.rate_burst, now)
        self.desk_counts: Counter[str] = Counter()
        self.key = key_hash(settings.key)

    # ---- Requests -------------------------------------------------------------------------------

    def handle(self, connection: Connection, request: Request) -> None:
        """Answer a request, now or later."""
        if request.path == CHAT and request.method == "POST":
            self._chat(connection, request)
        elif request.path.startswith(ADMIN):
            connection.send(self._admin(request))
        else:
            self._count_request(request)
            self._desk(connection, request)

    def _count_request(self, request: Request) -> None:
        self.accounts.paths[f"{request.method} {_ID.sub('*', request.path)}"] += 1
        if request.key:
            self.accounts.keys[request.key] += 1

    def _chat(self, connection: Connection, request: Request) -> None:
        self._count_request(request)
        self.number += 1
        accounts, number = self.accounts, self.number
        accounts.arrive()
        try:
            body = json.loads(request.body)
            messages = messages_hash(body)
            key = body_hash(body, messages)
        except (ValueError, AttributeError, TypeError):
            accounts.in_flight -= 1
            accounts.statuses[400] += 1
            message = "We could not parse the JSON body of your request."
            connection.send(Reply(400, error_body(message, "invalid_request_error")), number)
            return
        place = accounts.ask(key, messages)
        reply = self._decide(request, body, key, messages, place)
        kept = {"number": number, "prompt": key.hex(), "key": request.key, "body": request.body}
        accounts.recent.append({**kept, "status": reply.status, "fault": reply.fault})
        if reply.fault:
            accounts.faults[reply.fault] += 1
        delay = self._delay(reply, key, number)
        finish = partial(self._finish, connection, reply, accounts, place, messages, number)
        if delay <= 0:
            finish()
            return
        timer = self.loop.call_later(delay, finish)
        connection.when_lost = partial(_leave, timer, accounts, place)

    def _decide(
        self, request: Request, body: dict[str, Any], key: bytes, messages: bytes, place: int
    ) -> Reply:
        """Return what a request gets."""
        settings, now = self.settings, self.loop.time()
        refused = self._stranger(request)
        if refused is not None:
            return refused
        over = 0 < settings.max_in_flight < self.accounts.in_flight
        if over or not self.bucket.take(now):
            return too_many(settings, settings.retry_after_as)
        try:
            check(body, settings)
        except Rejected as rejected:
            return Reply(rejected.status, rejected.body)
        prompts = self.accounts.prompts
        fault = self.plan.fault_of(key, prompts.asked[place] - 1, now, body)
        answer = complete(body, settings, messages, prompts.answered[place])
        return faulty(fault, Case(body, answer, settings, self.number))

    def _stranger(self, request: Request) -> Reply | None:
        if not self.key or request.key == self.key:
            return None
        message = "Incorrect API key provided."
        return Reply(401, error_body(message, "invalid_request_error", code="invalid_api_key"))

    def _delay(self, reply: Reply, key: bytes, number: int) -> float:
        """Return how long a reply takes; who is turned away is turned away at once."""
        settings = self.settings
        if reply.then == "hang":
            return settings.hang_seconds
        if 400 <= reply.status < 500:
            return 0.0
        delay = settings.latency
        if settings.latency_spread:
            normal = Draw(settings.seed, key, number).normal("latency")
            delay *= math.exp(settings.latency_spread * normal)
        return delay

    def _finish(
        self,
        connection: Connection,
        reply: Reply,
        accounts: Accounts,
        place: int,
        messages: bytes,
        number: int,
    ) -> None:
        accounts.leave(place)
        if reply.then == "hang":
            connection.when_lost = None
            connection.reset()
        elif connection.send(reply, number):
            accounts.sent(reply.status, good=reply.good)
            accounts.counts["input_tokens"] += reply.tokens[0]
            accounts.counts["output_tokens"] += reply.tokens[1]
            if reply.good:
                accounts.answer(place, messages)
        else:
            accounts.counts["undelivered"] += 1

    def line(self, body: dict[str, Any], key: bytes, messages: bytes, place: int) -> Reply:
        """Answer a line of a batch."""
        settings, prompts = self.settings, self.accounts.prompts
        try:
            check(body, settings)
        except Rejected as rejected:
            return Reply(rejected.status, rejected.body)
        fault = drawn(settings.batch_faults, settings.seed, key, prompts.asked[place] - 1)
        if fault:
            self.accounts.faults[fault] += 1
        answer = complete(body, settings, messages, prompts.answered[place])
        reply = faulty(fault, Case(body, answer, settings, self.number))
        self.accounts.counts["input_tokens"] += reply.tokens[0]
        self.accounts.counts["output_tokens"] += reply.tokens[1]
        return reply

    # ---- Models, files, batches -----------------------------------------------------------------

    def _desk(self, connection: Connection, request: Request) -> None:
        self.number += 1
        fault = self._desk_fault(request)
        case = Case(_NOTHING, Completion(""), self.settings, self.number)
        broken = faulty(fault, case) if fault else None
        if fault:
            self.accounts.faults[fault] += 1
        reply = broken if broken and broken.status else self._desk_reply(request)
        if broken is None or broken.status:
            connection.send(reply, self.number)
        elif broken.then != "hang":
            connection.send(broken, self.number)

    def _desk_fault(self, request: Request) -> str:
        kind = f"{request.method} {_ID.sub('*', request.path)}"
        self.desk_counts[kind] += 1
        script = self.settings.desk_script.get(kind, ())
        if self.desk_counts[kind] <= len(script):
            return script[self.desk_counts[kind] - 1]
        faults, seed = self.settings.desk_faults, self.settings.seed
        return drawn(faults, seed, kind.encode(), self.desk_counts[kind])

    def _desk_reply(self, request: Request) -> Reply:
        refused = self._stranger(request)
        if refused is not None:
            return refused
        if request.path.startswith("/v1/models") and request.method == "GET":
            return self._models(request.path.removeprefix("/v1/models").strip("/"))
        try:
            return self.desk.reply(request, self.settings, self.accounts)
        except (ValueError, AttributeError):
            return Reply(400, error_body("Invalid request.", "invalid_request_error"))

    def _models(self, name: str) -> Reply:
        names = list(self.settings.models) or ["judge-of-the-tests"]
        rows = [
            {"id": each, "object": "model", "created": 1, "owned_by": "tests"} for each in names
        ]
        if not name:
            return _shown({"object": "list", "data": rows})
        found = [row for row in rows if row["id"] == name]
        if not found:
            message = f"The model '{name}' does not exist."
            code = "model_not_found"
            return Reply(404, error_body(message, "invalid_request_error", "model", code))
        return _shown(found[0])

    # ---- Orders ---------------------------------------------------------------------------------

    def _admin(self, request: Request) -> Reply:
        if request.method == "POST":
            try:
                self._order(json.loads(request.body or b"{}"))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                return Reply(400, error_body(str(error), "invalid_request_error"))
        pages: dict[str, Callable[[], Any]] = {
            "": self.accounts.report,
            "prompts": self.accounts.table,
            "recent": self._recent,
            "settings": lambda: asdict(self.settings) | {"originals": len(self.settings.originals)},
        }
        page = pages.get(request.path.removeprefix(ADMIN).strip("/"))
        return _shown(page()) if page else Reply(404, b"{}")

    def _recent(self) -> list[dict[str, Any]]:
        return [
            {**row, "body": row["body"].decode("utf-8", "replace")} for row in self.accounts.recent
        ]

    def _order(self, order: dict[str, Any]) -> None:
        if "reset" in order:
            self.settings = Settings()
            self.desk = Desk(self.line)
            self.change(order["reset"])
        if "set" in order:
            self.change(order["set"])
        if order.get("forget") or "reset" in order:
            failed = self.accounts.counts["internal_errors"]
            self.accounts = Accounts(self.settings.keep)
            self.accounts.counts["internal_errors"] = failed
            self.accounts.counts["open_connections"] = len(self.house.open)
        if "die" in order:
            # After the reply, for the order may have come by the port that dies.
            how, seconds = order.get("how", "refuse"), float(order["die"])
            self.loop.call_soon(self.house.die, how)
            self.revival = self.loop.call_later(seconds, self._revive)
        if order.get("live"):
            self.revival.cancel()
            self._revive()

    def _revive(self) -> None:
        self.house.listen()
        task = self.loop.create_task(self.house.start())
        task.add_done_callback(lambda done: done.result())


def _leave(timer: asyncio.TimerHandle, accounts: Accounts, place: int) -> None:
    """Count a client that left before its reply."""
    timer.cancel()
    accounts.leave(place)
    accounts.counts["disconnected"] += 1


def _shown(page: Any) -> Reply:
    return Reply(200, json.dumps(page).encode())
