"""Use a server's batch API: upload requests, make a batch, read its state, download replies."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from prereg.errors import RatifyError
from study.llm.reply import PASSING, TroubleError

if TYPE_CHECKING:
    from study.llm.server import ChatServer

ENDPOINT: Final = "/v1/chat/completions"
WINDOW: Final = "24h"
TICKET_KEY = "ratify"
# How many of the server's batches are searched for one of ours.
LOOKED_THROUGH = 2_000
T = TypeVar("T")
_TOO_LARGE: Final = re.compile(
    r"token_limit_exceeded|enqueued token|token limit reached|too many requests in .{0,20}batch"
    r"|batch .{0,40}too large|maximum .{0,30}(?:batch|file) size",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class BatchState:
    """The state of a batch, as the server reports it.

    Attributes
    ----------
    batch_id, status : str
    done, total : int
        Numbers of requests.
    files : tuple of str
        Ids of the files that the batch wrote: answers and errors.
    trouble : str
        Why the whole batch failed; empty if it did not.
    too_large : bool
        Whether it failed because the server holds too much for this account already.
    """

    batch_id: str
    status: str
    done: int
    total: int
    files: tuple[str, ...]
    trouble: str
    too_large: bool = False


class TooLargeError(RatifyError):
    """The server takes a batch only if it is smaller, or if others have ended."""


class UnsureError(RatifyError):
    """It is not known whether the server did what it was asked."""


class BatchServer:
    """Batches on one judge's server; a call is repeated after an error that may pass.

    Parameters
    ----------
    server : ChatServer
    first_wait : float
        Seconds before the first repeat; the wait doubles each time.
    """

    def __init__(self, server: ChatServer, *, first_wait: float = 1.0) -> None:
        self.server = server
        self._first_wait = first_wait

    async def submit(self, lines: bytes, ticket: str) -> str:
        """Upload requests, one JSON object per line, and make a batch of them; return its id.

        After an attempt that failed, the batch is made again only if the server does not have it.
        """
        client = self.server.client

        def upload() -> Awaitable[Any]:
            return client.files.create(file=("requests.jsonl", lines), purpose="batch")

        file_id = (await self._repeated(upload)).id

        async def make() -> str:
            found = await self._listed(ticket) if makes else None
            makes.append(ticket)
            if found is not None:
                return found
            made = await client.batches.create(
                input_file_id=file_id,
                endpoint=ENDPOINT,
                completion_window=WINDOW,
                metadata={TICKET_KEY: ticket},
            )
            return str(made.id)

        makes: list[str] = []
        return await self._repeated(make)

    async def find(self, ticket: str) -> str | None:
        """Return the id of the batch that carries a ticket, or None if there is none."""
        return await self._repeated(lambda: self._listed(ticket))

    async def _listed(self, ticket: str) -> str | None:
        looked_at = 0
        async for batch in self.server.client.batches.list(limit=100):
            if (batch.metadata or {}).get(TICKET_KEY) == ticket:
                return str(batch.id)
            looked_at += 1
            if looked_at >= LOOKED_THROUGH:
                break
        return None

    async def state(self, batch_id: str) -> BatchState:
        """Return the state of a batch; a batch that the server no longer knows has failed."""
        client = self.server.client
        batch = await self._repeated(lambda: self.server.found(client.batches.retrieve(batch_id)))
        if batch is None:
            return BatchState(batch_id, "failed", 0, 0, (), "the server no longer knows it")
        counts, errors = batch.request_counts, batch.errors
        said = [error.message for error in (errors.data if errors else None) or () if error.message]
        files = tuple(name for name in (batch.output_file_id, batch.error_file_id) if name)
        return BatchState(
            str(batch.id),
            str(batch.status),
            counts.completed if counts else 0,
            counts.total if counts else 0,
            files,
            self.server.without_key("; ".join(said)),
            any(_TOO_LARGE.search(f"{e.code} {e.message}") for e in (errors and errors.data) or ()),
        )

    async def download(self, file_id: str) -> bytes:
        """Return the content of a file."""
        found = await self._repeated(lambda: self.server.client.files.content(file_id))
        return bytes(found.content)

    async def _repeated(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call until it succeeds; a repeat must not do anything a second time."""
        judge = self.server.judge
        for attempt in range(1, judge.attempts + 1):
            try:
                return await self.server.guarded(call())
            except TroubleError as trouble:
                if _TOO_LARGE.search(trouble.detail):
                    raise TooLargeError(
                        f"judge '{judge.id}': the server refuses the batch: {trouble.detail}",
                        allowed="ask without --batch",
                    ) from trouble
                if trouble.reason not in PASSING or attempt == judge.attempts:
                    kind = UnsureError if trouble.reason in PASSING else RatifyError
                    raise kind(
                        f"judge '{judge.id}': the server's batch API fails "
                        f"({trouble.reason.replace('_', ' ')}) {trouble.detail}".rstrip(),
                        allowed="run it again (nothing is lost), or ask without --batch",
                    ) from trouble
                wait = trouble.wait or min(60.0, self._first_wait * 2.0 ** (attempt - 1))
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")  # attempts are at least one
