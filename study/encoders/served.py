"""Has texts embedded by a server: several batches at once, repeated as long as that can help."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prereg.errors import RatifyError
from study.encoders.encoder import TextFaultError, Vectors, checked
from study.llm.pace import Pace, backoff
from study.llm.reply import PASSING, TroubleError
from study.llm.vectors import EmbeddingModel, VectorServer, embedding_model

# Texts in one request: far below what servers accept.
BATCH = 64
# Requests at once.
AT_ONCE = 8
# Minutes that a server may be out of reach that has never answered: most likely its address is
# wrong, or nobody started it.
FIRST_MINUTES = 1.0
# Seconds between two lines about a server that cannot be reached.
SAID_EVERY = 15.0
# How often a reply that cannot be read is asked for.
READ_ATTEMPTS = 3


@dataclass(frozen=True)
class Waits:
    """Seconds to wait after the first failed attempt, and at most."""

    first: float = 1.0
    longest: float = 60.0


@dataclass
class Count:
    """What a server was asked so far.

    Attributes
    ----------
    requests : int
        Sent, the repeated ones included.
    tokens : int
        What the server counted.
    heard : bool
        Whether the server has answered at all, if only with a refusal.
    """

    requests: int = 0
    tokens: int = 0
    heard: bool = False


class Served:
    """An encoder behind an OpenAI-compatible server.

    Parameters
    ----------
    url, model : str
    waits : Waits
        Between attempts.
    patience_minutes : float
        How long the server may be down.
    attempts : int
        At a request that fails for a reason that may pass.
    first_minutes : float
        How long it may be out of reach before its first answer.

    Attributes
    ----------
    tell : callable
        Hears a line now and then while the server cannot be reached.
    """

    lexical = False
    together = False
    at_once = BATCH * AT_ONCE
    dims = None

    def __init__(
        self,
        url: str,
        model: str,
        *,
        waits: Waits = Waits(),
        patience_minutes: float = 15,
        attempts: int = 8,
        first_minutes: float = FIRST_MINUTES,
    ) -> None:
        self.name = f"server:{model}"
        self.version = f"{model} at {url}"
        self.count = Count()
        self._url, self._model = url, model
        self._waits = waits
        self.tell: Callable[[str], None] = lambda _: None
        self._first = first_minutes
        self._limits = {"patience_minutes": patience_minutes, "attempts": attempts}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors; see `Encoder.encode`.

        Raises
        ------
        TextFaultError
            When the server refuses one of the texts.
        RatifyError
            When no text can be embedded, or the server stays down.
        """
        model = embedding_model(self._url, self._model, concurrency=AT_ONCE, **self._limits)
        asking = _Asking(model, self._waits, self.count, self.tell, self._first)
        found = asyncio.run(asking.all(texts))
        return checked(found, len(texts), self.name)


@dataclass
class _Asking:
    """One round of requests."""

    model: EmbeddingModel
    waits: Waits
    count: Count
    tell: Callable[[str], None]
    first_minutes: float
    said: float | None = None  # when it last told that the server cannot be reached
    rng: random.Random = field(default_factory=random.Random)  # of waits only

    async def all(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the vectors of all texts."""
        self.server = VectorServer(self.model)
        self.pace = Pace(AT_ONCE, patience=self.model.patience_minutes * 60)
        places = range(0, len(texts), BATCH)
        try:
            async with asyncio.TaskGroup() as group:
                parts = [group.create_task(self._part(texts[at : at + BATCH], at)) for at in places]
        except ExceptionGroup as errors:
            # not `except*`: before Python 3.11.4 what it raises is put into another group
            ours, others = errors.split(RatifyError)
            if ours is None or others is not None:
                raise
            raise _first(ours) from None
        finally:
            await self.server.close()
        return [row for part in parts for row in part.result()]

    async def _part(self, texts: Sequence[str], first: int) -> list[list[float]]:
        """Return the vectors of a batch; one that is refused is halved, to find out for what."""
        try:
            return await self._attempts(texts)
        except TroubleError as trouble:
            if trouble.reason in PASSING or trouble.reason == "unreadable":
                raise RatifyError(
                    f"{self.model.called}: no embeddings came: {_words(trouble)}",
                    allowed="check the server and run the command again; what is finished is kept",
                ) from trouble
            if len(texts) == 1:
                raise TextFaultError(
                    f"{self.model.called} refuses the text: {_words(trouble)}", place=first
                ) from trouble
        half = len(texts) // 2
        left = await self._part(texts[:half], first)
        return left + await self._part(texts[half:], first + half)

    async def _attempts(self, texts: Sequence[str]) -> list[list[float]]:
        began, sent, unread = time.monotonic(), 0, 0
        while True:
            sent += 1
            try:
                return await self._once(texts)
            except TroubleError as trouble:
                if trouble.final or trouble.reason == "refused":
                    raise
                if trouble.reason not in PASSING:
                    unread += 1
                    if unread >= READ_ATTEMPTS:
                        raise
                    continue
                limited = trouble.reason == "rate_limited"
                over = time.monotonic() - began > self.model.patience_minutes * 60
                if over if limited else not self.pace.is_down and sent >= self.model.attempts:
                    raise
                await self._wait(trouble, sent)

    async def _once(self, texts: Sequence[str]) -> list[list[float]]:
        began = await self.pace.enter()
        assert began is not None  # nobody stops this pace
        try:
            self.count.requests += 1
            reply = await self.server.embed(texts)
        except TroubleError as trouble:
            if trouble.reason == "rate_limited":
                self.pace.limited(began, trouble.wait, said=trouble.detail)
            elif trouble.reason in PASSING:
                self._wait_for_server(trouble)
                self.pace.failed(id(texts), unreachable=trouble.unreachable, said=_words(trouble))
            else:
                self.pace.succeeded()  # the server answers, although not this request
            self._hear(trouble)
            raise
        finally:
            self.pace.leave()
        self._hear()
        self.pace.succeeded()
        self.count.tokens += reply.tokens or 0
        return reply.vectors

    def _hear(self, trouble: TroubleError | None = None) -> None:
        """Note that the server answered, unless the trouble is that no answer came."""
        if trouble is not None and trouble.reason in {"connection", "timeout"}:
            return
        self.count.heard = True
        if self.said is not None:
            self.said = None
            self.tell(f"{self.model.called}: the server answers again")

    def _wait_for_server(self, trouble: TroubleError) -> None:
        """Decide how long a server may be down, and say so while it cannot be reached."""
        whole = self.model.patience_minutes
        if not trouble.unreachable:
            self.pace.patience = whole * 60
            return
        minutes = whole if self.count.heard else min(whole, self.first_minutes)
        self.pace.patience = minutes * 60
        now = time.monotonic()
        if self.said is None or now - self.said >= SAID_EVERY:
            since = now if self.pace.down_since is None else self.pace.down_since
            left = max(0.0, minutes * 60 - (now - since))
            self.said = now
            self.tell(f"{self.model.called}: {_words(trouble)}; trying again for {_long(left)}")

    async def _wait(self, trouble: TroubleError, sent: int) -> None:
        seconds = backoff(
            min(sent, 30), first=self.waits.first, longest=self.waits.longest, rng=self.rng
        )
        if trouble.wait is not None:
            seconds = trouble.wait + min(seconds, 1.0) * self.rng.random()
        await self.pace.sleep(seconds)


def _long(seconds: float) -> str:
    """Return a time in words."""
    if seconds >= 120:
        return f"{seconds / 60:,.0f} minutes"
    return f"{seconds:.0f} second{'s' * (round(seconds) != 1)}"


def _words(trouble: TroubleError) -> str:
    return trouble.detail or trouble.reason.replace("_", " ")


def _first(errors: ExceptionGroup[RatifyError]) -> RatifyError:
    """Return the one error to show: that of the first text, if texts are to blame."""
    found = [
        _first(error) if isinstance(error, ExceptionGroup) else error for error in errors.exceptions
    ]
    return min(found, key=lambda one: one.place if isinstance(one, TextFaultError) else -1)
