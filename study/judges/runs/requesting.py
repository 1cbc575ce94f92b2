"""Make one request, with all its attempts, within the server's pace and the budget."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prereg.lock import utc_now
from prereg.plan.judging import LLMJudge
from study.judges.prompts.chosen import Question
from study.judges.prompts.replies import Unreadable
from study.judges.runs.breaker import Breaker, Failure
from study.judges.runs.spending import Purse
from study.judges.wanted.wanted import Wanted
from study.llm.pace import DownError, Pace, backoff
from study.llm.reply import LASTING, PASSING, Outcome, Reply, TroubleError

if TYPE_CHECKING:
    from study.llm.server import ChatServer

# How often a request is sent in all if the judge declines or its replies are unreadable; to the
# same words it mostly says the same.
READ_ATTEMPTS = 3


@dataclass(frozen=True)
class Retry:
    """Seconds to wait after the first failed attempt, and at most; the wait doubles in between."""

    first: float = 1.0
    longest: float = 60.0


RETRY = Retry()


class Later:
    """The result of a request that is put off until other requests show why it failed."""


# Until the server works again, or only such requests are left.
LATER = Later()
# Until another request is answered, which shows that the judge answers at all.
SECOND = Later()


@dataclass
class _Attempts:
    """The result of the attempts at one request so far."""

    began: float
    asked_at: str
    calls: int = 0
    failed: int = 0
    unread: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency_ms: int | None = None
    reply: Reply | None = None
    trouble: str = ""
    said: str = ""
    number: int = 0
    failed_at: int = 0  # how many calls of the run had been sent when the last one failed
    reached: bool = False
    plainly: bool = False
    put_off_at: int = 0

    def add(self, reply: Reply | None, cost: float | None, seconds: float) -> None:
        """Add the reply and the cost of a call."""
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost
        if reply is None:
            return
        self.reply = reply
        self.latency_ms = round(seconds * 1000)
        self.tokens_in = _sum(self.tokens_in, reply.input_tokens)
        self.tokens_out = _sum(self.tokens_out, reply.output_tokens)

    def outcome(
        self,
        answers: dict[str, int | str] | None,
        reason: str | None,
        *,
        p: float | None = None,
        note: str = "",
        interrupted: bool = False,
    ) -> Outcome:
        """Return the outcome of the request."""
        reply = self.reply
        return Outcome(
            answers=answers,
            reason=reason,
            reply=None if reply is None else reply.text,
            note=(self.said if answers is None else note) or None,
            model=reply.model if reply else None,
            fingerprint=reply.fingerprint if reply else None,
            input_tokens=self.tokens_in,
            output_tokens=self.tokens_out,
            latency_ms=self.latency_ms,
            attempts=self.calls,
            cost=self.cost,
            p_left=p,
            asked_at=self.asked_at,
            answered_at=utc_now(),
            interrupted=interrupted,
        )


class Requesting:
    """Sends requests to one judge's server, within its pace and its budget.

    Parameters
    ----------
    server : ChatServer
    judge : LLMJudge
    purse : Purse
    breaker : Breaker
    retry : Retry
    rng : random.Random
        For the random part of waits.
    """

    def __init__(
        self,
        server: ChatServer,
        judge: LLMJudge,
        purse: Purse,
        *,
        breaker: Breaker,
        retry: Retry,
        rng: random.Random,
    ) -> None:
        self.judge = judge
        self.purse = purse
        self.breaker = breaker
        self.pace = Pace(
            judge.concurrency,
            patience=judge.patience_minutes * 60,
            per_minute=judge.requests_per_minute,
        )
        self.stopped = ""
        self.is_last = False  # no request is left beyond those under way
        self.has_worked = False  # the server has answered, now or in an earlier run
        self._put_off: dict[str, _Attempts] = {}
        self._server = server
        self._retry = retry
        self._rng = rng
        self._paid = asyncio.Event()

    def stop(self, why: str) -> None:
        """Send nothing more; calls under way may still return."""
        self.stopped = self.stopped or why
        self.pace.stop()
        self.breaker.wake()
        self._paid.set()

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    def may_repeat(self, wanted: Wanted) -> bool:
        """Say whether a request that was put off after a bad reply may be asked again now."""
        return not self.pace.is_down and self._is_calm(wanted, self._put_off[wanted.request_id])

    def _is_calm(self, wanted: Wanted, so_far: _Attempts) -> bool:
        return self.breaker.is_calm(wanted.prompt.name, so_far.failed_at)

    def so_far(self, wanted: Wanted) -> Outcome | None:
        """Return the outcome so far of a request that was put off, when the run has ended."""
        so_far = self._put_off.pop(wanted.request_id, None)
        if so_far is None or not so_far.calls:
            return None
        return so_far.outcome(None, so_far.trouble, interrupted=True)

    async def outcome(self, wanted: Wanted) -> Outcome | Later | None:
        """Ask until there is an answer, or a reason why there will be none.

        Returns
        -------
        Outcome, Later or None
            None if the run was stopped before anything was sent.

        Raises
        ------
        RatifyError
            When no request can be answered, for example because of a wrong key.
        """
        if self.stopped:
            return self.so_far(wanted)
        question = wanted.ask()
        so_far = self._put_off.pop(wanted.request_id, None)
        so_far = so_far or _Attempts(time.monotonic(), utc_now())
        try:
            return await self._attempts(wanted, question, so_far)
        except DownError:
            # if nothing else is left to show whether the server works, these requests are to
            # blame; the next run asks them again in any case
            if (
                self.is_last
                and self.has_worked
                and so_far.calls >= self.judge.attempts
                and so_far.reached
            ):
                return so_far.outcome(None, so_far.trouble)
            raise

    async def _attempts(
        self, wanted: Wanted, question: Question, so_far: _Attempts
    ) -> Outcome | Later | None:
        while not self.stopped:
            try:
                reply = await self._once(wanted, question, so_far)
                if reply is None:
                    break
                answers, note = read_reply(question, reply)
            except TroubleError as trouble:
                so_far.trouble, so_far.said = trouble.reason, words_of(trouble, self.judge)
                self._blame(trouble, wanted, so_far)
                if trouble.plainly and not so_far.plainly:
                    so_far.plainly = True
                    continue
                if self._is_over(trouble, so_far):
                    return so_far.outcome(None, trouble.reason)
                later = self._later(trouble, wanted, so_far)
                if later is not None:
                    so_far.put_off_at = so_far.calls
                    self._put_off[wanted.request_id] = so_far
                    return later
                await self._wait(trouble, so_far)
            else:
                self.breaker.answered(so_far.number, wanted.prompt.name)
                p = question.p_left(reply.tokens) if question.letters else None
                return so_far.outcome(answers, None, p=p, note=note)
        if not so_far.calls:
            return None
        return so_far.outcome(None, so_far.trouble, interrupted=True)

    def _blame(self, trouble: TroubleError, wanted: Wanted, so_far: _Attempts) -> None:
        """Tell the breaker of a failure; the run stops if there have been too many in a row."""
        prompt, so_far.failed_at = wanted.prompt.name, self.breaker.calls
        if trouble.reason not in LASTING:
            self.breaker.back(so_far.number, prompt)
            return
        text = so_far.reply.text if so_far.reply and not trouble.final else ""
        failure = Failure(
            so_far.number,
            wanted.request_id,
            trouble.reason,
            so_far.said,
            text,
            frozenset(item.item_id for item in wanted.items),
        )
        self.breaker.failed(prompt, failure)
        if self.breaker.is_open:
            self.stop("broken")

    async def _turn(self, prompt: str) -> float | None:
        """Wait for a turn at the server, and until the breaker lets one more call through."""
        while (began := await self.pace.enter()) is not None:
            if self.breaker.has_room(prompt):
                return began
            self.pace.leave()
            await self.breaker.change()
        return None

    async def _once(self, wanted: Wanted, question: Question, so_far: _Attempts) -> Reply | None:
        """Make one call, in its turn; return None if the run has been stopped."""
        prompt = wanted.prompt.name
        began = await self._turn(prompt)
        if began is None:
            return None
        reply, lost = None, False
        so_far.number = self.breaker.sent(prompt)
        try:
            aside = await self._set_aside(question)
            if aside is None:
                self.breaker.back(so_far.number, prompt)
                return None
            so_far.calls += 1
            try:
                reply = await self._server.ask(question, plainly=so_far.plainly)
                self.pace.succeeded()
                self.has_worked = True
            except TroubleError as trouble:
                lost = trouble.lost
                self._note(trouble, wanted, began)
                so_far.reached = not trouble.unreachable
                raise
            finally:
                cost = self.purse.pay(aside, reply, lost=lost)
                self._paid.set()
                so_far.add(reply, cost, time.monotonic() - began)
            return reply
        finally:
            self.pace.leave()

    async def _set_aside(self, question: Question) -> float | None:
        """Set aside what a call may cost at most; return None if the budget is spent."""
        while not self.stopped:
            aside = self.purse.set_aside(question)
            if aside is not None:
                return aside
            if not self.purse.may_grow:
                self.stop("budget")
                break
            self._paid.clear()  # calls under way mostly cost less than was set aside for them
            await self._paid.wait()
        return None

    def _note(self, trouble: TroubleError, wanted: Wanted, began: float) -> None:
        """Tell the pace what a failure says about the server."""
        if trouble.reason == "rate_limited":
            self.pace.limited(began, trouble.wait, said=trouble.detail)
        elif trouble.reason in LASTING:
            self.pace.succeeded()  # the server answers, although not this request
        else:
            said = trouble.detail or trouble.reason.replace("_", " ")
            self.pace.failed(wanted.request_id, unreachable=trouble.unreachable, said=said)

    def _is_over(self, trouble: TroubleError, so_far: _Attempts) -> bool:
        """Say whether a request has had all its attempts."""
        if trouble.final:
            return True
        if trouble.reason not in PASSING:
            so_far.unread += 1
            return so_far.unread >= min(READ_ATTEMPTS, self.judge.attempts)
        if trouble.reason == "rate_limited":  # repeated until the patience ends
            return time.monotonic() - so_far.began > self.judge.patience_minutes * 60
        if not self.pace.is_down:  # while the server is down, no request is to blame
            so_far.failed += 1
        return so_far.failed >= self.judge.attempts

    def _later(self, trouble: TroubleError, wanted: Wanted, so_far: _Attempts) -> Later | None:
        """Say whether to let other requests try: the server is down, or these requests are bad."""
        if self.is_last:
            return None
        if trouble.reason in LASTING:
            return None if self._is_calm(wanted, so_far) else SECOND
        tried = so_far.calls - so_far.put_off_at >= self.judge.attempts
        return LATER if tried and self.pace.is_down and so_far.reached else None

    async def _wait(self, trouble: TroubleError, so_far: _Attempts) -> None:
        """Wait before the next attempt, but not after a reply that was refused or unreadable."""
        if trouble.reason not in PASSING:
            return
        seconds = backoff(
            min(so_far.calls, 30),
            first=self._retry.first,
            longest=self._retry.longest,
            rng=self._rng,
        )
        if trouble.wait is not None:  # a little longer, so that requests do not all return at once
            seconds = trouble.wait + min(seconds, 1.0) * self._rng.random()
        await self.pace.sleep(seconds)


def words_of(trouble: TroubleError, judge: LLMJudge) -> str:
    """Return what is kept of a failure: what the server said, or what is wrong with the reply."""
    if trouble.reason == "cut_off":
        return f"the reply was cut off at {judge.token_parameter} ({judge.max_tokens})"
    return trouble.detail or trouble.reason.replace("_", " ")


def read_reply(question: Question, reply: Reply) -> tuple[dict[str, int | str], str]:
    """Return the answers in a reply, and a note on what was left out of it.

    Raises
    ------
    TroubleError
        When the reply declines, was cut off, ended in another odd way, or cannot be read.
    """
    if reply.refused:
        raise TroubleError("refused", detail=reply.ended or "the judge declines")
    if reply.cut:
        raise TroubleError("cut_off", detail=reply.ended)
    if reply.ended:
        raise TroubleError("unreadable", detail=reply.ended)
    notes: list[str] = []
    try:
        answers = dict(question.read(reply.text, thoughts=reply.thoughts, notes=notes))
    except Unreadable as error:
        reason = "refused" if error.refused else "unreadable"
        raise TroubleError(reason, detail=error.reason) from error
    return answers, "; ".join(notes)


def read_answers(question: Question, reply: Reply) -> dict[str, int | str]:
    """Return the answers in a reply, as `read_reply` does."""
    return read_reply(question, reply)[0]


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)
