"""One process's run: a feeder claims requests, workers ask them, and one writer stores answers.

There are as many workers as the plan allows calls at once, and some more whose answers are being
stored. A worker takes its next request only when its last answer is stored. So if the process is
killed, at most one request per worker has to be sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from prereg.errors import RatifyError
from study.judges.ledger.ledger import ELSEWHERE, Ledger, Standing
from study.judges.runs.progress import Progress, Ran, first_error, interruptible
from study.judges.runs.ranking import RankingRun
from study.judges.runs.requesting import LATER, SECOND, Later, Requesting
from study.judges.wanted.asked import Asked
from study.judges.wanted.probes import everything
from study.judges.wanted.wanted import Wanted
from study.llm.reply import Outcome

# Requests claimed in one transaction: at most, and per worker.
CLAIMED_AT_ONCE = 200
CLAIMED_A_CALL = 4
# One more worker for this many calls at once: while an answer is stored, it makes another call.
BESIDE = 4
# Seconds between two checks of what another process is asking.
LOOK_AGAIN = 0.5
# Seconds that calls under way have to return, after an error that ends the run.
GRACE = 10.0


@dataclass
class _Settling:
    """An answer on its way into the store."""

    wanted: Wanted
    outcome: Outcome
    kept: asyncio.Future[None] = field(repr=False)


class Run:
    """One process's run: a feeder, workers, and one writer."""

    def __init__(
        self,
        asked: Asked,
        ledger: Ledger,
        requesting: Requesting,
        progress: Callable[[Progress], None],
    ) -> None:
        self.asked = asked
        self.ledger = ledger
        self.requesting = requesting
        self.ran = Ran()
        self._progress = progress
        self._queue: asyncio.Queue[Wanted | None] = asyncio.Queue(asked.judge.concurrency)
        # everything that wants the answer of a request under way
        self._wanting: dict[str, list[Wanted]] = {}
        self._elsewhere: list[Wanted] = []
        # claimed, tried, and put off until others are answered
        self._put_off: dict[Later, list[Wanted]] = {LATER: [], SECOND: []}
        self._settling: list[_Settling] = []
        self._to_settle = asyncio.Event()
        self._all_settled = False
        self._asking: list[asyncio.Task[None]] = []
        self._error: RatifyError | None = None
        self._changed = asyncio.Event()
        self._rankings: dict[str, RankingRun] = {}
        self._given_back: set[str] = set()
        self._outputs: set[str] = set()
        self._rated: set[tuple[str, str]] = set()

    async def whole(self) -> Ran:
        """Run until everything is asked, the budget is spent, or somebody stops it."""
        most = self.asked.judge.concurrency
        workers = most + max(1, most // BESIDE)
        try:
            with interruptible(self._finish):
                async with asyncio.TaskGroup() as tasks:
                    writer = tasks.create_task(self._write())
                    feeder = tasks.create_task(self._feed(workers))
                    self._asking = [tasks.create_task(self._work()) for _ in range(workers)]
                    await asyncio.wait(self._asking)
                    feeder.cancel()
                    self._settle_later()
                    self._all_settled = True
                    self._to_settle.set()
                    await writer
        except BaseExceptionGroup as group:
            raise first_error(group) from None
        finally:
            await self.requesting.close()
        if self._error is not None:
            raise self._error
        self.ran.stopped = self.requesting.stopped
        self.ran.calls, self.ran.money = self.requesting.purse.calls, self.requesting.purse.money
        return self.ran

    def _settle_later(self) -> None:
        """Store the attempts so far of requests that were put off when the run stopped."""
        for wanted in chain(*self._put_off.values()):
            outcome = self.requesting.so_far(wanted)
            if wanted.request_id in self._wanting and outcome is not None:
                kept = asyncio.get_running_loop().create_future()
                self._settling.append(_Settling(wanted, outcome, kept))

    def _finish(self) -> bool:
        """Begin to end the run on Ctrl-C; return False if it is ending already."""
        began = not self.requesting.stopped
        self.requesting.stop("interrupted")
        return began

    def _fail(self, error: RatifyError) -> None:
        """End the run after an error that every request would meet; paid calls may still return."""
        if self._error is None:
            self._error = error
            self.requesting.stop("failed")
            asyncio.get_running_loop().call_later(GRACE, self._drop)

    def _drop(self) -> None:
        for task in self._asking:
            task.cancel()

    # ---- The feeder -----------------------------------------------------------------------------

    async def _feed(self, workers: int) -> None:
        """Claim requests and hand them out; at the end, stop the workers."""
        self._outputs = await asyncio.to_thread(self.ledger.outputs)
        self._rated = await asyncio.to_thread(self.ledger.rated)
        left = (one for one in everything(self.asked) if not self._is_there(one))
        at_once = min(CLAIMED_AT_ONCE, CLAIMED_A_CALL * workers)
        while not self._stopped and (part := list(islice(left, at_once))):
            await self._offer(part)
        await self._rank()
        while not self._stopped and (self._elsewhere or self._wanting):
            await self._look_again()
        for _ in range(workers):
            await self._queue.put(None)

    @property
    def _stopped(self) -> bool:
        return bool(self.requesting.stopped)

    def _is_there(self, wanted: Wanted) -> bool:
        """Say whether an answer is in its table."""
        if wanted.scales and not wanted.probe:
            item_id = wanted.items[0].item_id
            return all((item_id, scale.id) in self._rated for scale in wanted.scales)
        return wanted.output_id in self._outputs

    async def _offer(self, wanted: Sequence[Wanted]) -> None:
        """Hand out requests, or take over answers that were already paid for."""
        new = []
        for one in wanted:
            if one.request_id in self._wanting:
                self._wanting[one.request_id].append(one)
            else:
                new.append(one)
        if not new:
            return
        standing = await asyncio.to_thread(self.ledger.claim, new)
        there: list[tuple[Wanted, Standing]] = []
        for one in new:
            key, how = one.request_id, standing[one.request_id]
            if key in self._wanting:
                self._wanting[key].append(one)
            elif how.state == "mine":
                self._wanting[key] = [one]
                await self._queue.put(one)
                # it may be answered before there is room; then the ledger has the answer
                standing[key] = ELSEWHERE
            elif how.state == "elsewhere":
                self._elsewhere.append(one)
            elif how.state == "batch":
                self.ran.left += 1
            else:
                there.append((one, how))
        await self._take_over(there)

    async def _take_over(self, there: Sequence[tuple[Wanted, Standing]]) -> None:
        """Store the answers of requests that were settled before."""
        derived = []
        for one, how in there:
            if how.answers is not None:
                derived.append((self._placed(one), how.answers))
            self._record(one, how.answers)
        if derived:
            await asyncio.to_thread(self.ledger.derive, derived)

    async def _rank(self) -> None:
        """Ask the pairs of every scenario's ranking, several scenarios at once."""
        sampling = self.asked.judge.pairs
        if sampling is None:
            return
        waiting = {
            name: items for name, items in self.asked.study.by_scenario().items() if len(items) > 1
        }
        most = 2 * self.asked.judge.concurrency
        while not self._stopped and (waiting or self._open_rankings()):
            for name in list(waiting):
                if await asyncio.to_thread(self.ledger.hold, name):
                    run = RankingRun(self.asked, name, waiting.pop(name), sampling)
                    await asyncio.to_thread(run.resume, self.ledger)
                    self._rankings[name] = run
            await self._let_go()
            pairs = self._next_pairs(most - len(self._wanting))
            if pairs:
                self.requesting.is_last = False
                await self._offer(pairs)
            else:
                await self._look_again()

    async def _let_go(self) -> None:
        """Free finished rankings; otherwise two runs would wait for each other's for ever."""
        for name, run in self._rankings.items():
            if run.is_over and name not in self._given_back:
                await asyncio.to_thread(self.ledger.let_go, name)
                self._given_back.add(name)

    async def _look_again(self) -> None:
        """Take up requests that were put off, and check on those that other runs are asking."""
        self.requesting.is_last = self._queue.empty()
        later = list(chain(*self._put_off.values()))
        for one in self._put_off.values():
            one.clear()
        for wanted in later:
            await self._queue.put(wanted)
        part, self._elsewhere = self._elsewhere, []
        await self._offer([one for one in part if not self._is_there(one)])
        await self._change(LOOK_AGAIN)

    def _open_rankings(self) -> list[RankingRun]:
        return [run for run in self._rankings.values() if not run.finished]

    def _next_pairs(self, room: int) -> list[Wanted]:
        """Return the next pairs of all rankings, which take turns."""
        pairs: list[Wanted] = []
        open_ones = self._open_rankings()
        while open_ones and len(pairs) < room:
            still = []
            for run in open_ones:
                pair = run.next()
                if pair is not None:
                    pairs.append(pair)
                    still.append(run)
            open_ones = still
        return pairs

    async def _change(self, seconds: float) -> None:
        """Wait until something is settled, or for this long."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    # ---- The workers ----------------------------------------------------------------------------

    async def _next(self) -> Wanted | None:
        """Return the next request: one that was put off for a moment, or a new one."""
        waiting = self._put_off[SECOND]
        for number, one in enumerate(waiting):
            if self.requesting.may_repeat(one):
                return waiting.pop(number)
        return await self._queue.get()

    async def _work(self) -> None:
        """Ask one request after the other, each until it is settled and stored."""
        while (wanted := await self._next()) is not None:
            try:
                outcome = await self.requesting.outcome(wanted)
            except RatifyError as error:
                self._fail(error)
                outcome = None
            if isinstance(outcome, Later):
                self._put_off[outcome].append(wanted)
                continue
            if outcome is None:  # stopped: the claim is given back at the end
                self._wanting.pop(wanted.request_id, None)
                self._changed.set()
                continue
            kept = asyncio.get_running_loop().create_future()
            self._settling.append(_Settling(wanted, outcome, kept))
            self._to_settle.set()
            await kept

    # ---- The writer -----------------------------------------------------------------------------

    async def _write(self) -> None:
        """Store the outcomes of requests, all that wait at once in one transaction."""
        while self._settling or not self._all_settled:
            await self._to_settle.wait()
            self._to_settle.clear()
            part, self._settling = self._settling, []
            entries = [(one.wanted, self._wanted_by(one), one.outcome) for one in part]
            late = await asyncio.to_thread(self.ledger.settle, entries)
            for one, (_, wanting, outcome) in zip(part, entries, strict=True):
                if one.wanted.request_id in late:
                    self._elsewhere += wanting
                elif not outcome.interrupted:
                    for other in wanting:
                        self._record(other, outcome.answers)
                    self.ran.settled += 1
                    self.ran.unanswered += outcome.answers is None
                if not one.kept.done():
                    one.kept.set_result(None)
            self._changed.set()
            self._tell()

    def _wanted_by(self, one: _Settling) -> list[Wanted]:
        """Return everything that wants the answer of a request."""
        wanting = self._wanting.pop(one.wanted.request_id)
        if one.outcome.answers is None:
            return wanting
        return [self._placed(other) for other in wanting]

    def _placed(self, wanted: Wanted) -> Wanted:
        """Return what is stored; an answered pair of a ranking gets its position now."""
        if wanted.purpose != "ranking":
            return wanted
        return self._rankings[wanted.scenario].placed(wanted)

    def _record(self, wanted: Wanted, answers: object) -> None:
        if wanted.purpose == "ranking":
            self._rankings[wanted.scenario].record(wanted, answers)  # type: ignore[arg-type]

    def _tell(self) -> None:
        purse, pace = self.requesting.purse, self.requesting.pace
        with contextlib.suppress(OSError):  # nobody reads it any more, but the run continues
            self._progress(
                Progress(
                    self.ran.settled,
                    self.ran.unanswered,
                    purse.calls,
                    purse.money,
                    int(pace.limit),
                    pace.is_down,
                )
            )
