"""Ask a judge through the server's batch API, which is cheaper and slower.

A batch is recorded in the ledger before it is submitted, and carries its ticket as metadata. After
a process has died, the next one finds the batch by its ticket, so nothing is paid for twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from prereg.errors import RatifyError
from prereg.lock import utc_now
from prereg.plan.judging import LLMJudge
from study.folder import Study
from study.judges.ledger.ledger import Ledger
from study.judges.runs.hopeless import refuse_hopeless
from study.judges.runs.progress import Ran, ending, keep_to_budget
from study.judges.runs.spending import Purse
from study.judges.wanted.asked import Asked
from study.judges.wanted.probes import everything
from study.judges.wanted.wanted import Wanted
from study.llm.batch_api import ENDPOINT, BatchServer, BatchState, TooLargeError, UnsureError
from study.llm.bodies import ErrorInside, Said, read_error
from study.llm.reply import LASTING, Outcome, Reply, TroubleError
from study.store.database import Store

# What one batch may hold; servers allow 50,000 requests and 200 MB.
MOST_REQUESTS = 10_000
MOST_BYTES = 100_000_000
OVER = ("completed", "expired", "cancelled", "failed")
TICKET = "batch:"
NEW = f"{TICKET}new:"


def run_batch(
    store: Store,
    study: Study,
    judge: LLMJudge,
    *,
    say: Callable[[str], None],
    again: bool = False,
    every: float = 30.0,
) -> Ran:
    """Submit all that is known beforehand, wait, and store the answers.

    A ranking cannot be asked in batches, because its next pair depends on the last reply; `run_llm`
    asks it. Requests that a batch leaves unanswered for a reason that may pass are freed.

    Parameters
    ----------
    store : Store
    study : Study
    judge : LLMJudge
    say : callable
        Takes lines about the progress, one at a time.
    again : bool
        Whether to ask again what the judge refused or answered unreadably.
    every : float
        Seconds between two checks of the batches.

    Raises
    ------
    RatifyError
        When the server has no batch API, or refuses the batch.
    """
    from study.llm.server import ChatServer

    asked = Asked.of(study, judge)
    server = ChatServer(judge)
    ledger = Ledger(store, study.root_hash, judge.id)
    ledger.begin(again=again)
    with ending(ledger):
        keep_to_budget(ledger, judge)
        ran = asyncio.run(_Batches(asked, ledger, server, say, every).whole())
        if not ran.left:
            refuse_hopeless(ledger, judge)
        return ran


class _Batches:
    """Submits, waits for and collects the batches of one process."""

    def __init__(
        self, asked: Asked, ledger: Ledger, server: Any, say: Callable[[str], None], every: float
    ) -> None:
        self.asked = asked
        self.ledger = ledger
        self.server = server
        self.batches = BatchServer(server, first_wait=min(1.0, every))
        self.say = say
        self.every = every
        self.ran = Ran()
        self.aside: dict[str, float] = {}
        self.submitted: set[str] = set()  # not submitted again in this run, except for a reason
        self.most_requests = min(MOST_REQUESTS, asked.judge.batch_size or MOST_REQUESTS)
        self.one_by_one = False  # the server's queue is limited
        self.more = False  # something is left to submit
        self.plainly: set[str] = set()  # rejected because of structured output
        self.error: RatifyError | None = None
        spent = ledger.spent()
        self.purse = Purse(asked.judge, calls=spent.calls, money=spent.money)

    async def whole(self) -> Ran:
        """Collect what was submitted before, submit the rest, and collect that."""
        try:
            await self._adopt()
            self._set_aside()
            self.more = True
            while self.more and self.error is None:
                self.more = False
                await self._submit_all()
                await self._collect_all()
                self._ask_plainly()
        finally:
            await self.server.close()
        if self.error is not None:
            raise self.error
        self.ran.calls, self.ran.money = self.purse.calls, self.purse.money
        return self.ran

    def _ask_plainly(self) -> None:
        """Submit again, without structured output, what the server rejected because of it."""
        if not self.plainly:
            return
        self.server.ask_plainly()
        self.submitted -= self.plainly
        self.ran.left -= len(self.plainly)
        self.plainly.clear()
        self.more = True

    def _split(self, requests: set[str]) -> None:
        """Submit requests again in smaller batches, each after the one before it has ended."""
        self.submitted -= requests
        self.most_requests = max(1, len(requests) // 2)
        self.one_by_one = self.more = True
        self.say(
            f"judge {self.asked.judge.id}: the server's queue is too small for "
            f"{len(requests):,} requests; the next batches have {self.most_requests:,}"
        )

    async def _adopt(self) -> None:
        """Find the batches of a process that died before it knew their ids."""
        for ticket in self.ledger.tickets():
            if not ticket.startswith(NEW) or self.ledger.is_alive(ticket.split(":")[2]):
                continue  # a living process has submitted it, or is about to
            batch_id = await self.batches.find(ticket)
            if batch_id is None:
                self.ledger.free(ticket)
            else:
                self.ledger.rename(ticket, f"{TICKET}{batch_id}")

    def _set_aside(self) -> None:
        """Set aside the calls and the money of batches under way."""
        under_way = self.ledger.in_batches()
        for one in self._once_each() if under_way else ():
            if one.request_id in under_way:
                self.aside[one.request_id] = self.purse.set_aside(one.ask(), anyway=True) or 0.0

    async def _submit_all(self) -> None:
        wanted = iter(self._left())
        number = 0
        while part := self._part(wanted):
            ticket = f"{NEW}{self.ledger.run_id}:{(number := number + 1)}"
            mine = self.ledger.announce([one for one, _ in part], ticket)
            lines = [line for one, line in part if one.request_id in mine]
            for key in {one.request_id for one, _ in part} - mine:  # another run was faster
                self.purse.put_back(self.aside.pop(key))
            if not lines:
                continue
            try:
                batch_id = await self.batches.submit(b"\n".join(lines) + b"\n", ticket)
            except TooLargeError:
                self._let_go(ticket)
                if len(lines) == 1:
                    raise
                self._split(mine)
                return
            except RatifyError as error:
                unsure = isinstance(error, UnsureError)
                if not unsure or await self.batches.find(ticket) is None:
                    self.ledger.free(ticket)
                raise
            self.ledger.rename(ticket, f"{TICKET}{batch_id}")
            self.say(f"judge {self.asked.judge.id}: batch {batch_id}, {len(lines):,} requests")
            if self.one_by_one:
                self.more = True
                return

    def _let_go(self, ticket: str) -> set[str]:
        """Free the requests of a batch that it has not answered; return their ids."""
        before = self.ledger.in_batches()
        self.ledger.free(ticket)
        free = before - self.ledger.in_batches()
        for key in free & self.aside.keys():
            self.purse.put_back(self.aside.pop(key))
        return free

    def _left(self) -> Iterator[Wanted]:
        """Yield one wanted answer for each request that is not known to the ledger."""
        known = self.ledger.known()
        yield from (one for one in self._once_each() if one.request_id not in known)

    def _once_each(self) -> Iterator[Wanted]:
        """Yield one wanted answer for each request."""
        seen = set()
        for one in everything(self.asked):
            if one.request_id not in seen:
                seen.add(one.request_id)
                yield one

    def _part(self, wanted: Iterator[Wanted]) -> list[tuple[Wanted, bytes]]:
        """Return the requests of the next batch, within the server's limits and the budget."""
        part: list[tuple[Wanted, bytes]] = []
        size = 0
        while len(part) < self.most_requests and size < MOST_BYTES:
            one = next(wanted, None)
            if one is None:
                break
            if one.request_id in self.submitted or one.request_id in self.aside:
                continue  # in a batch that is under way, or was in one
            question = one.ask()
            aside = self.purse.set_aside(question)
            if aside is None:
                self.ran.stopped = "budget"
                break
            self.aside[one.request_id] = aside
            self.submitted.add(one.request_id)
            line = {
                "custom_id": one.request_id,
                "method": "POST",
                "url": ENDPOINT,
                "body": self.server.body(question),
            }
            part.append((one, json.dumps(line, ensure_ascii=False).encode()))
            size += len(part[-1][1])
        return part

    async def _collect_all(self) -> None:
        """Wait for every batch of this judge, whoever submitted it."""
        wanting: dict[str, list[Wanted]] | None = None
        while tickets := self.ledger.tickets():
            for ticket in tickets:
                if ticket.startswith(NEW):
                    await self._adopt()
                    continue
                state = await self.batches.state(ticket.removeprefix(TICKET))
                if state.status not in OVER:
                    self.say(
                        f"judge {self.asked.judge.id}: batch {state.batch_id} {state.status}, "
                        f"{state.done:,} of {state.total:,}"
                    )
                    continue
                if wanting is None:
                    wanting = self._wanting()
                await self._collect(ticket, state, wanting)
            if self.ledger.tickets():
                await asyncio.sleep(self.every)

    def _wanting(self) -> dict[str, list[Wanted]]:
        """Return everything that wants the answer of a request, by its id."""
        wanting: dict[str, list[Wanted]] = {}
        for one in everything(self.asked):
            wanting.setdefault(one.request_id, []).append(one)
        return wanting

    async def _collect(
        self, ticket: str, state: BatchState, wanting: dict[str, list[Wanted]]
    ) -> None:
        """Store the answers of a batch, and free the requests that it did not answer."""
        for name in state.files:
            content = await self.batches.download(name)
            outcomes = [
                (wanting[key][0], wanting[key], outcome)
                for key, outcome in self._outcomes(content, wanting)
            ]
            for start in range(0, len(outcomes), 500):
                part = outcomes[start : start + 500]
                self.ledger.settle(part)
                self.ran.settled += len(part)
                self.ran.unanswered += sum(o.answers is None for _, _, o in part)
        free = self._let_go(ticket)
        if state.too_large and len(free) > 1:
            self._split(free)
            return
        self.ran.left += len(free & wanting.keys())  # others were withdrawn meanwhile
        if state.trouble:
            raise RatifyError(f"judge '{self.asked.judge.id}': the batch failed: {state.trouble}")

    def _outcomes(
        self, content: bytes, wanting: dict[str, list[Wanted]]
    ) -> Iterator[tuple[str, Outcome]]:
        for line in content.splitlines():
            try:
                entry = json.loads(line)
                key = str(entry["custom_id"])
                response = dict(entry["response"] or {})
                if not response and entry.get("error"):
                    said = read_error(entry["error"])
                    late = said.code in {"batch_expired", "batch_cancelled"}
                    response = {} if late else {"status_code": 400, "body": entry["error"]}
            except (ValueError, KeyError, TypeError, RecursionError):
                continue  # its request is freed, and asked again
            if key not in wanting:
                continue
            outcome = self._outcome(wanting[key][0], response)
            if outcome is not None:
                yield key, outcome

    def _outcome(self, wanted: Wanted, response: dict[str, Any]) -> Outcome | None:
        """Return the outcome of one request, or None if it must be asked again."""
        from study.judges.runs.requesting import read_reply, words_of

        reply: Reply | None = None
        answers, reason, note = None, None, ""
        question = wanted.ask()
        try:
            reply = self._reply(response)
            answers, note = read_reply(question, reply)
        except TroubleError as trouble:
            reason, note = trouble.reason, words_of(trouble, self.asked.judge)
            if trouble.plainly:
                self.plainly.add(wanted.request_id)
            if trouble.plainly or reason not in LASTING or (reply is None and not trouble.final):
                return None
        except RatifyError as error:
            self.error = self.error or error
            return None
        cost = self.purse.pay(self.aside.pop(wanted.request_id, None), reply)
        return Outcome(
            answers=answers,
            reason=reason,
            reply=reply.text if reply else None,
            note=note or None,
            model=reply.model if reply else None,
            fingerprint=reply.fingerprint if reply else None,
            input_tokens=reply.input_tokens if reply else None,
            output_tokens=reply.output_tokens if reply else None,
            attempts=1,
            cost=cost,
            p_left=question.p_left(reply.tokens) if reply and question.letters else None,
            asked_at=utc_now(),
            answered_at=utc_now(),
        )

    def _reply(self, response: dict[str, Any]) -> Reply:
        """Return the reply of one line; raise what the server's error means, as online."""
        status, body = response.get("status_code"), response.get("body")
        if status == 200:
            try:
                reply: Reply = self.server.read(json.dumps(body).encode())
            except ErrorInside as error:
                raise self._trouble(error.status, error.said) from error
            self.server.note_answer()
            return reply
        if not isinstance(status, int) or status < 400:
            raise TroubleError("server_error", detail="no reply")
        raise self._trouble(status, read_error(body))

    def _trouble(self, status: int, said: Said) -> Exception:
        found: Exception = self.server.trouble(
            status, self.server.clean(said), structured=self.server.is_structured
        )
        return found
