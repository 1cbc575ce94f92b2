"""Answers what scripts owe in a simulation at once, in the request and the time that owe it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from flask import session
from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from study.chat import owing
from study.chat.answering import Answering
from study.chat.asking import RETRY, Asking
from study.chat.owed_rows import OwedTask, is_held
from study.chat.speaking import Speaking
from study.chat.study import ChatStudy
from study.store.chat_tables import Owed
from study.store.database import Store
from study.store.prepared import Prepared

T = TypeVar("T")


class AtOnce(Answering):
    """Answers for one study whose speakers are all scripts, when it is woken.

    Every simulated supporter has a time of their own, so a reply is settled in the time in which it
    was owed. Nothing runs in the background.

    Parameters
    ----------
    study : ChatStudy
    store : Store
    mode : str
    clock : callable
        Of the server.
    """

    def __init__(
        self, study: ChatStudy, store: Store, mode: str, clock: Callable[[], float]
    ) -> None:
        self.study, self.store, self.mode = study, store, mode
        self.run_id = secrets.token_hex(16)
        here, self._within = _Here(), _Within()
        asking = Asking(study, store, mode, clock=clock, retry=RETRY, pool=here)
        self._speaking = Speaking(study, self._within, asking, here)
        self._own_loop = asyncio.new_event_loop()
        self._one = threading.Lock()

    def start(self) -> None:
        """Begin nothing."""

    def stop(self) -> None:
        """End nothing."""
        self._own_loop.close()

    def wake(self) -> None:
        """Answer what is owed to the supporter whose request this is, in one transaction."""
        whose = {"of_session": str(session.get("session_id"))}
        with self.store.reading() as connection:
            owed = _OWED.every(connection, whose)
        if owed:
            self.store.write(lambda connection: self._reply_to_all(connection, owed))

    def _reply_to_all(self, connection: Connection, owed: Sequence[Any]) -> None:
        with self._one:  # on SQLite, only one transaction writes at a time anyway
            self._reply_to(connection, owed)

    def _reply_to(self, connection: Connection, owed: Sequence[Any]) -> None:
        self._within.connection = connection
        for row in owed:
            its = update(Owed).where(Owed.owed_id == row.owed_id, Owed.status == "owed")
            mine = {"status": "claimed", "run_id": self.run_id}
            if connection.execute(its.values(mine)).rowcount:
                task = OwedTask(**{name: getattr(row, name) for name in _NAMES}, run_id=self.run_id)
                reply = self._own_loop.run_until_complete(self._speaking.reply(task))
                owing.settle(self._within, self.study, task, reply, task.owed_at)


_OWED = Prepared(
    select(Owed.__table__)
    .where(Owed.session_id == bindparam("of_session"), Owed.status == "owed", ~is_held())
    .order_by(Owed.owed_id)
)
_NAMES = ("owed_id", "session_id", "conversation_id", "kind", "turn", "owed_at", "attempts")


class _Within(Store):
    """A store within one transaction that is under way: what is written is committed with it.

    What is read includes what the transaction has written, also in jobs that share it.
    """

    connection: Connection

    def __init__(self) -> None:
        """Wait for a transaction."""

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield the connection of the transaction."""
        yield self.connection

    def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in the transaction."""
        return job(self.connection)


class _Here(Executor):
    """Runs a job at once, in the thread that brings it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a job."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
