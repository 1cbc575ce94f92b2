"""Answer what is owed, in the background of a server: one thread with its own event loop.

It is woken by `wake`, and looks for itself a few times a second, because another server may have
made a row. No fault of a model or of the store ends it: it says so in one line and goes on.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from study.chat import owing
from study.chat.asking import BUDGET, RETRY, Asking, NoReplyError, Retry
from study.chat.owing import Kind, OwedTask, SettledReply
from study.chat.screens import note_hit
from study.chat.speaking import GoneError, HeldError, Speaking, WithheldError
from study.chat.study import ChatStudy
from study.llm.reply import short
from study.store.database import Store

T = TypeVar("T")
log = logging.getLogger("ratify")
# Seconds between two looks at the queue, two looks for visits that wait for too long, and two signs
# of life for what is claimed.
POLL, GIVE_UP_EVERY, BEAT = 0.25, 1.0, owing.CLAIM_SECONDS / 5
# How many claims are held for each call that may be made at once: some wait to ask again.
CLAIMS_PER_CALL = 2
SCRIPTS_AT_ONCE = 32
THREADS = 8
# Seconds before a store that failed is used again, and how long a stop waits for calls under way.
STORE_PAUSE, STOP_SECONDS = 0.5, 5.0
WITHHELD = "withheld"


class Answering:
    """Answers for one study in one server process.

    Parameters
    ----------
    study : ChatStudy
    store : Store
    mode : str
    clock : callable
        Seconds since 1970.
    retry : Retry
        Waits between attempts at a model.

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
        clock: Callable[[], float] = time.time,
        retry: Retry = RETRY,
    ) -> None:
        self.study, self.store, self.mode = study, store, mode
        self.run_id = secrets.token_hex(16)
        self._clock = clock
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ratify-chat-store")
        self._asking = Asking(study, store, mode, clock=clock, retry=retry, pool=self._pool)
        self._speaking = Speaking(study, store, self._asking, self._pool)
        self._queues = _queues(study)
        self._tasks: dict[asyncio.Task[None], OwedTask] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._stopping = False
        self._begun = threading.Event()
        self._gave_up_at = self._beat_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="ratify-chat", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Claim nothing more, let calls under way end for a few seconds, and give back the rest."""
        self._stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown()

    def wake(self) -> None:
        """Look at the queue at once: something is owed now."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._woken.set)
            except RuntimeError:  # it has closed meanwhile
                return

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun.set()
        while not self._stopping:
            self._woken.clear()
            try:
                await self._look()
            except SQLAlchemyError as error:
                log.warning("the store does not answer the partner: %s", short(str(error)))
                await asyncio.sleep(STORE_PAUSE)
            except Exception as error:  # a fault of ours must not end every conversation
                log.exception("answering: %s", type(error).__name__)
                await asyncio.sleep(STORE_PAUSE)
            await self._sleep(POLL)
        await self._end()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        """Do what is due: give up, show signs of life, and claim what is owed."""
        moment = time.monotonic()
        if moment >= self._gave_up_at + GIVE_UP_EVERY:
            self._gave_up_at = moment
            ended = await self._stored(
                owing.give_up, self.store, self.study, self.mode, self._clock()
            )
            if ended:
                log.warning("visits that ended because no reply came in time: %d", ended)
        if self._tasks and moment >= self._beat_at + BEAT:
            self._beat_at = moment
            mine = list(self._tasks.values())
            await self._stored(owing.keep_claims, self.store, mine, self._clock())
        for kinds, most in self._queues:
            room = most - sum(one.kind in kinds for one in self._tasks.values())
            if room > 0:
                await self._claim(kinds, room)

    async def _claim(self, kinds: Sequence[Kind], room: int) -> None:
        claim = partial(owing.claim_owed, kinds=kinds)
        asked = (self.store, self.study, self.mode, self.run_id, room, self._clock())
        for task in await self._stored(claim, *asked):
            doing = asyncio.create_task(self._answer(task))
            self._tasks[doing] = task
            doing.add_done_callback(self._done)

    def _done(self, doing: asyncio.Task[None]) -> None:
        self._tasks.pop(doing, None)
        self._woken.set()  # there is room for another one

    async def _answer(self, task: OwedTask) -> None:
        """Answer one thing that is owed, whatever happens; a claim that is left ends by itself."""
        try:
            await self._outcome(task)
        except SQLAlchemyError as error:
            log.warning("the store does not answer the partner: %s", short(str(error)))
        except Exception as error:  # a fault of ours must not end every conversation
            log.exception("answering: %s", type(error).__name__)

    async def _outcome(self, task: OwedTask) -> None:
        try:
            await self._surely(task, await self._speaking.reply(task))
        except HeldError as held:
            whose = (task, held.turn, held.speaker, held.hit, self._clock())
            await self._stored(owing.hold, self.store, *whose)
        except WithheldError as withheld:
            await self._stored(self._fail_withheld, task, withheld)
        except GoneError:
            await self._put_off(task, "gone", "")
        except NoReplyError as failure:
            await self._fail(task, failure)

    async def _surely(self, task: OwedTask, reply: SettledReply) -> None:
        """Store a reply; a store that is busy or gone is tried again, as the reply is paid for."""
        patience = self.study.plan.partner.on_failure.give_up_seconds
        while True:
            settle = partial(owing.settle, self.store, self.study, task, reply)
            try:
                await self._stored(settle, self._clock())
            except SQLAlchemyError as error:
                if self._clock() > task.owed_at + patience:
                    raise
                log.warning("a reply is not stored yet: %s", short(str(error)))
                await asyncio.sleep(STORE_PAUSE)
            else:
                return

    async def _fail(self, task: OwedTask, failure: NoReplyError) -> None:
        """Note why there is no reply; a participant whose calls are used up waits no longer."""
        log.warning(
            "no reply (%s, %s): %s", task.kind, failure.reason, short(failure.detail) or "-"
        )
        if failure.reason == BUDGET:
            fail = partial(owing.fail, reason=BUDGET, now=self._clock())
            await self._stored(fail, self.store, self.study, task)
        else:
            await self._put_off(task, failure.reason, failure.detail)

    def _fail_withheld(self, task: OwedTask, withheld: WithheldError) -> None:
        """Note that no reply may be shown, and end the visit kindly."""
        now, hit = self._clock(), withheld.hit
        speaker = "partner" if task.kind == "partner" else "coach"
        whose = (task.session_id, task.conversation_id, task.turn, speaker)
        self.store.write(lambda connection: note_hit(connection, *whose, hit, now))
        note = "\n\n".join(withheld.texts)
        owing.fail(self.store, self.study, task, WITHHELD, now, note=note)

    async def _put_off(self, task: OwedTask, reason: str, note: str) -> None:
        """Leave the row to `give_up`, or to a server that is started again."""
        put_off = partial(owing.put_off, reason=reason, note=short(note) or None)
        await self._stored(put_off, self.store, task)

    async def _stored(self, job: Callable[..., T], *given: object) -> T:
        """Run a job of the store in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(job, *given))

    async def _end(self) -> None:
        """Let calls under way end, give back the rest, and close every connection."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        self._asking.stop()
        left = list(self._tasks)
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        try:
            await self._stored(owing.release_claims, self.store, self.run_id)
        except SQLAlchemyError as error:  # the claims end by themselves
            log.warning("claims were not given back: %s", short(str(error)))
        await self._asking.close()


def _queues(study: ChatStudy) -> list[tuple[tuple[Kind, ...], int]]:
    """Return which kinds share a server, and how many of them are claimed at once."""
    plan, coach = study.plan, study.plan.feedback.coach
    shared: dict[str | None, list[Kind]] = defaultdict(list)
    shared[plan.partner.server].append("partner")
    if coach is not None:
        shared[coach.server] += ["feedback", "answer"]
    return [
        (
            tuple(kinds),
            SCRIPTS_AT_ONCE if name is None else CLAIMS_PER_CALL * plan.servers[name].concurrency,
        )
        for name, kinds in shared.items()
    ]
