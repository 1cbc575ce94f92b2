"""Ask a model of a chat until it answers, in its server's pace and within the participant's budget.

Every call has a row in `chat_calls` before it is sent, with the most that it may cost; the row then
gets what it did cost. So a process that is killed leaves a call that counts in full.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.chat.chat_models import PURPOSES, Purpose, Question, model_for, server_for
from study.chat.owing import OwedTask
from study.chat.screens import iso
from study.chat.study import ChatStudy
from study.llm.moderation import PATH, Moderated, read_moderation
from study.llm.pace import Pace, backoff
from study.llm.prices import most_tokens, price
from study.llm.reply import LASTING, PASSING, Reply, TroubleError, short
from study.store.chat_tables import Call, ChatVisit
from study.store.database import Store

if TYPE_CHECKING:
    from study.llm.server import ChatServer

T = TypeVar("T")
log = logging.getLogger("ratify")
# How often a model is asked in all whose replies say nothing; each of them is paid for. With the
# waits in between, a hiccup of some seconds ends no visit.
READ_ATTEMPTS = 5
BUDGET = "budget"


@dataclass(frozen=True)
class Retry:
    """Seconds to wait after the first failed attempt, and at most; the wait doubles in between."""

    first: float = 1.0
    longest: float = 8.0


RETRY = Retry()


class NoReplyError(Exception):
    """There is no reply, and asking has ended.

    Attributes
    ----------
    reason : str
        One of `study.llm.reply`, `fatal` (no request can be answered), `busy` or `budget`.
    detail : str
        What the server said, for the log and the store; no participant may read it.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Asked(Generic[T]):
    """What was read from a reply, and the call that brought it."""

    value: T
    request_id: str
    latency_ms: int


class Asking:
    """Asks the models of a plan.

    Parameters
    ----------
    study : ChatStudy
    store : Store
    mode : str
    clock : callable
    retry : Retry
    pool : Executor
        Threads for the store.

    Raises
    ------
    RatifyError
        When a server's key is missing, or its address cannot be one.
    """

    def __init__(
        self,
        study: ChatStudy,
        store: Store,
        mode: str,
        *,
        clock: Callable[[], float],
        retry: Retry,
        pool: Executor,
    ) -> None:
        self._study, self._store, self._mode = study, store, mode
        self._clock, self._retry, self._pool = clock, retry, pool
        self._rng = random.Random()  # noqa: S311
        self._models: dict[Purpose, LLMJudge] = {}
        self._servers: dict[Purpose, ChatServer] = {}
        self._paces: dict[str, Pace] = {}
        for purpose in PURPOSES:
            model, name = model_for(study.plan, purpose), server_for(study.plan, purpose)
            if model is not None and name is not None:
                from study.llm.server import ChatServer  # the client is slow to import

                self._models[purpose] = model
                self._servers[purpose] = ChatServer(model)
                self._paces.setdefault(name, _pace(model))

    async def close(self) -> None:
        """Close every connection."""
        for server in self._servers.values():
            await server.close()

    def stop(self) -> None:
        """Begin no more calls."""
        for pace in self._paces.values():
            pace.stop()

    async def ask(
        self, task: OwedTask, purpose: Purpose, question: Question, read: Callable[[Reply], T]
    ) -> Asked[T]:
        """Ask until there is an answer that can be read, as long as the plan says.

        Parameters
        ----------
        task : OwedTask
        purpose : {'partner', 'feedback', 'answer'}
        question : Question
        read : callable
            Reads the reply; raises `TroubleError` where it says nothing.

        Raises
        ------
        NoReplyError
        """
        server = self._servers[purpose]

        async def once(*, plainly: bool) -> tuple[T, Reply]:
            reply = await server.ask(question, plainly=plainly)
            return _read(read, reply), reply

        most = most_tokens(question.messages)
        return await self._persist(task, purpose, most, once)

    async def moderate(self, task: OwedTask, text: str) -> Moderated:
        """Ask the moderation endpoint about a text.

        Raises
        ------
        NoReplyError
        """
        server, model = self._servers["moderation"], self._models["moderation"]
        body = {"model": model.model, "input": text}

        async def once(*, plainly: bool) -> tuple[Moderated, None]:
            del plainly
            found = await server.post(PATH, body, read_moderation)
            server.note_answer(structured=False)
            return found, None

        most = len(text.encode())
        return (await self._persist(task, "moderation", most, once)).value

    async def _persist(
        self,
        task: OwedTask,
        purpose: Purpose,
        most: int,
        once: Callable[..., Awaitable[tuple[T, Reply | None]]],
    ) -> Asked[T]:
        """Make one call after the other until one succeeds, or asking ends."""
        failure = self._study.plan.partner.on_failure
        until = task.owed_at + failure.retry_seconds
        calls = unread = 0
        plainly = False
        while True:
            calls += 1
            try:
                call = partial(once, plainly=plainly)
                return await self._call(task, purpose, most, call)
            except TroubleError as trouble:
                if trouble.plainly and not plainly:
                    plainly = True
                    continue
                unread += trouble.reason not in PASSING
                over = trouble.final or unread >= READ_ATTEMPTS
                wait = self._wait(trouble, calls, unread)
                if over or self._clock() + wait > until:
                    raise NoReplyError(trouble.reason, trouble.detail) from trouble
                await asyncio.sleep(wait)
            except RatifyError as error:
                raise NoReplyError("fatal", str(error)) from error

    def _wait(self, trouble: TroubleError, calls: int, unread: int) -> float:
        """Return how long to wait before the next attempt; one bad reply needs no wait."""
        if trouble.reason not in PASSING and unread == 1:
            return 0.0
        first, longest = self._retry.first, self._retry.longest
        seconds = backoff(min(calls, 30), first=first, longest=longest, rng=self._rng)
        if trouble.wait is None:
            return seconds
        # a little longer, so that requests do not all return at once
        return trouble.wait + min(seconds, 1.0) * self._rng.random()

    async def _call(
        self,
        task: OwedTask,
        purpose: Purpose,
        most: int,
        once: Callable[[], Awaitable[tuple[T, Reply | None]]],
    ) -> Asked[T]:
        """Make one call in its turn, with its row in the store."""
        pace = self._paces[server_for(self._study.plan, purpose) or ""]
        began = await self._turn(task, pace)
        try:
            row = await self._note_asked(task, purpose, most)
            done: dict[str, Any] = {"status": "failed", "reason": "connection"}
            try:
                value, reply = await once()
                pace.succeeded()
                done = self._answered(purpose, reply, row)
            except _UnreadError as unread:  # answered and paid for, but it says nothing
                pace.succeeded()
                done = self._answered(purpose, unread.reply, row)
                done |= {"status": "failed", "reason": unread.trouble.reason}
                raise unread.trouble from unread
            except TroubleError as trouble:
                done = {"status": "failed", "reason": trouble.reason}
                done |= {} if trouble.lost else {"cost": self._nothing(purpose)}
                _note(pace, trouble, task, began)
                raise
            except RatifyError:
                done = {"status": "failed", "reason": "fatal", "cost": self._nothing(purpose)}
                raise
            finally:
                done["latency_ms"] = round((time.monotonic() - began) * 1000)
                await asyncio.shield(self._in_thread(partial(self._note_done, row, done)))
            return Asked(value, row["request_id"], done["latency_ms"])
        finally:
            pace.leave()

    async def _turn(self, task: OwedTask, pace: Pace) -> float:
        """Wait for a turn at the server, but no longer than the participant waits."""
        patience = self._study.plan.partner.on_failure.give_up_seconds
        left = max(0.05, task.owed_at + patience - self._clock())
        try:
            async with asyncio.timeout(left):
                began = await pace.enter()
        except TimeoutError:
            raise NoReplyError("busy", "no turn at the server in time") from None
        if began is None:
            raise asyncio.CancelledError  # this server stops
        return began

    async def _note_asked(self, task: OwedTask, purpose: Purpose, most: int) -> dict[str, Any]:
        model = self._models[purpose]
        output = 0 if purpose == "moderation" else model.max_tokens
        row = {
            "request_id": secrets.token_hex(16),
            "plan_hash": self._study.root_hash,
            "mode": self._mode,
            "session_id": task.session_id,
            "owed_id": task.owed_id,
            "purpose": purpose,
            "model": model.model,
            "status": "asked",
            "cost": price(model, most, output),
            "asked_at": iso(self._clock()),
        }
        if not await self._in_thread(partial(self._store.write, partial(self._fit_in, row))):
            raise NoReplyError(BUDGET, "what was set aside for this participant is used up")
        return row

    def _fit_in(self, row: dict[str, Any], connection: Connection) -> bool:
        """Store a call that is about to be made; return False if the participant's are used up."""
        its = select(ChatVisit.reserved_money).where(ChatVisit.session_id == row["session_id"])
        aside = connection.scalar(its.with_for_update()) or 0.0
        so_far = select(func.count(), func.coalesce(func.sum(Call.cost), 0.0))
        calls, money = connection.execute(so_far.where(Call.session_id == row["session_id"])).one()
        budget = self._study.plan.budget
        if calls >= budget.per_participant.calls:
            return False
        if budget.money is not None and (money or 0.0) + (row["cost"] or 0.0) > aside:
            return False
        connection.execute(insert(Call).values(row))
        return True

    def _note_done(self, row: dict[str, Any], done: dict[str, Any]) -> None:
        its = update(Call).where(Call.request_id == row["request_id"]).values(done)
        try:
            self._store.write(lambda connection: connection.execute(its))
        except SQLAlchemyError as error:  # the reply is worth more than its row, which stays asked
            log.warning("a call's cost was not noted: %s", short(str(error)))

    def _answered(self, purpose: Purpose, reply: Reply | None, row: dict[str, Any]) -> Any:
        """Return what a call's row says once it is answered; the most, where tokens are unknown."""
        if reply is None or reply.input_tokens is None or reply.output_tokens is None:
            return {"status": "answered", "cost": row["cost"]}
        tokens = (reply.input_tokens, reply.output_tokens)
        return {
            "status": "answered",
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "cost": price(self._models[purpose], *tokens),
        }

    def _nothing(self, purpose: Purpose) -> float | None:
        return price(self._models[purpose], 0, 0)

    async def _in_thread(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, job)


class _UnreadError(Exception):
    """A reply that says nothing."""

    def __init__(self, reply: Reply, trouble: TroubleError) -> None:
        super().__init__(trouble.reason)
        self.reply, self.trouble = reply, trouble


def _read(read: Callable[[Reply], T], reply: Reply) -> T:
    if reply.refused:
        raise _UnreadError(reply, TroubleError("refused", detail="the model declines"))
    try:
        return read(reply)
    except TroubleError as trouble:
        raise _UnreadError(reply, trouble) from trouble


def _pace(model: LLMJudge) -> Pace:
    # the patience of a chat is that of its participants, and is counted for each of them
    return Pace(model.concurrency, patience=float("inf"), per_minute=model.requests_per_minute)


def _note(pace: Pace, trouble: TroubleError, task: OwedTask, began: float) -> None:
    """Tell the pace what a failure says about the server."""
    if trouble.reason == "rate_limited":
        pace.limited(began, trouble.wait, said=trouble.detail)
    elif trouble.reason in LASTING:
        pace.succeeded()  # the server answers, although not this request
    else:
        said = short(trouble.detail or trouble.reason)
        pace.failed(task.owed_id, unreachable=trouble.unreachable, said=said)
