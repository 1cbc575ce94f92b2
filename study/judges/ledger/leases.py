"""Runs in the ledger: which are alive, what dead runs have claimed, who holds which ranking."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    cast,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from prereg.errors import RatifyError
from study.judges.ledger.reading import LedgerReading
from study.llm.reply import LASTING, PASSING
from study.store.database import Store
from study.store.tables import JudgeRun, RankingHold, Request

# A run that has not reported for this long counts as dead.
LEASE_SECONDS = 15.0
BEAT_SECONDS = 3.0
# A run that has been dead for this long will not wake up again.
FORGOTTEN_SECONDS = 7 * 86_400.0
# The code (SQLSTATE) of a deadlock in PostgreSQL.
DEADLOCK = "40P01"
AT_A_TIME = 500  # keys in one statement: PostgreSQL and SQLite both allow more
T = TypeVar("T")


class LedgerRuns(LedgerReading):
    """One run of a judge under one plan, among others that may be running.

    Parameters
    ----------
    store : Store
    plan_hash, judge_id : str
    """

    def __init__(self, store: Store, plan_hash: str, judge_id: str) -> None:
        super().__init__(store, plan_hash, judge_id)
        self.run_id = secrets.token_hex(16)
        self._buried = -BEAT_SECONDS
        self._asked_again: list[str] = []
        self._orphans: set[str] = set()  # claimed by runs that have died
        self._again: set[str] = set()
        self._stopped = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)

    def begin(self, *, again: bool) -> None:
        """Begin the run; requests without an answer may be asked again if the reason may pass.

        Parameters
        ----------
        again : bool
            Whether all of them may be asked again, including refusals and unreadable replies.
        """

        def start(connection: Connection) -> None:
            alive = {"run_id": self.run_id, "alive_until": self._now() + LEASE_SECONDS}
            connection.execute(insert(JudgeRun).values(alive))
            long_dead = JudgeRun.alive_until < self._now() - FORGOTTEN_SECONDS
            connection.execute(delete(JudgeRun).where(long_dead))
            self._bury(connection)
            left = [*self._mine, Request.status == "unanswered"]
            if not self._has_answers(connection):
                pass  # something is wrong with the judge, not with these requests
            elif again:
                settled = (Request.run_id.is_not(None), Request.reason.in_(LASTING))
                closed = select(Request.request_id).where(*left, *settled)
                self._asked_again = list(connection.scalars(closed))
            else:
                left.append(Request.reason.in_(PASSING))
            connection.execute(update(Request).where(*left).values(run_id=None))

        self._write(start)
        self._beating.start()

    def leave_open(self, requests: Collection[str]) -> None:
        """Let the next run ask requests again that failed for a reason that is not their own.

        A request that had failed before, and was only repeated because somebody asked for it, stays
        as it was.
        """
        again = set(self._asked_again)

        def leave(connection: Connection) -> None:
            unanswered = (*self._mine, Request.status == "unanswered")
            for part in _parts(sorted(set(requests) - again)):
                rows = update(Request).where(*unanswered, Request.request_id.in_(part))
                connection.execute(rows.values(run_id=None))
            for part in _parts(self._asked_again):
                held = or_(Request.run_id.is_(None), Request.run_id == self.run_id)
                tried = (Request.status != "answered", Request.request_id.in_(part))
                rows = update(Request).where(*self._mine, held, *tried)
                connection.execute(rows.values(status="unanswered", run_id=self.run_id))

        self._write(leave)

    def end(self) -> None:
        """Free the requests that were claimed but not answered, and end the run."""
        self._stopped.set()
        self._beating.join()

        def stop(connection: Connection) -> None:
            self._release(connection, Request.run_id == self.run_id, Request.status == "claimed")
            connection.execute(delete(RankingHold).where(RankingHold.run_id == self.run_id))
            connection.execute(delete(JudgeRun).where(JudgeRun.run_id == self.run_id))

        self._write(stop)

    def is_alive(self, run_id: str) -> bool:
        """Say whether a run, maybe another one, is still alive."""
        with self.store.reading() as connection:
            return run_id in list(connection.scalars(self._alive()))

    def hold(self, scenario: str) -> bool:
        """Take a scenario's ranking (or the budget, ''); return False if another run has it."""

        def take(connection: Connection) -> None:
            self._bury(connection)
            connection.execute(
                insert(RankingHold).values(
                    plan_hash=self.plan_hash,
                    rater_id=self.judge_id,
                    scenario=scenario,
                    run_id=self.run_id,
                )
            )

        try:
            self.store.write(take)
        except IntegrityError:
            return False
        return True

    def let_go(self, scenario: str) -> None:
        """Free a finished ranking, so that a run that waits for it can see that it is finished."""
        mine = RankingHold.run_id == self.run_id, RankingHold.scenario == scenario
        self.store.write(lambda connection: connection.execute(delete(RankingHold).where(*mine)))

    def _require_holds(self, connection: Connection, scenarios: set[str]) -> None:
        """Raise if this run counted as dead, and another run has taken over a ranking."""
        mine = select(RankingHold.scenario).where(
            RankingHold.plan_hash == self.plan_hash, RankingHold.run_id == self.run_id
        )
        if scenarios and not scenarios <= set(connection.scalars(mine)):
            raise RatifyError(
                f"judge '{self.judge_id}': this process stood still, so another process took over",
                allowed="run it again",
            )

    def _bury(self, connection: Connection) -> None:
        """Free what dead runs have claimed; this run is not dead, however long it has slept."""
        if time.monotonic() - self._buried < BEAT_SECONDS:
            return
        self._buried = time.monotonic()
        alive = or_(Request.run_id.in_(self._alive()), Request.run_id == self.run_id)
        claimed = (Request.status == "claimed", not_(alive))
        freed = select(Request.request_id).where(*self._mine, *claimed)
        self._orphans.update(connection.scalars(freed))
        self._release(connection, *claimed)
        alive = or_(RankingHold.run_id.in_(self._alive()), RankingHold.run_id == self.run_id)
        connection.execute(delete(RankingHold).where(not_(alive)))

    def _release(self, connection: Connection, *claimed: ColumnElement[bool]) -> None:
        """Free claims; requests that were tried before keep their attempts and their reason."""
        tried = Request.reason.is_not(None)
        connection.execute(delete(Request).where(*self._mine, *claimed, not_(tried)))
        rows = update(Request).where(*self._mine, *claimed, tried)
        connection.execute(rows.values(status="unanswered", run_id=None))

    def _has_answers(self, connection: Connection) -> bool:
        """Say whether the judge has answered anything under this plan."""
        answered = select(Request.row_id).where(*self._mine, Request.status == "answered").limit(1)
        return connection.scalar(answered) is not None

    def _now(self) -> ColumnElement[float] | float:
        """Return the time that all processes share; on PostgreSQL, the database's time."""
        if self.store.is_sqlite:
            return time.time()
        return cast(func.extract("epoch", func.clock_timestamp()), Float)

    def _alive(self) -> Select[Any]:
        return select(JudgeRun.run_id).where(JudgeRun.alive_until >= self._now())

    def _beat(self) -> None:
        def live(connection: Connection) -> None:
            life = update(JudgeRun).where(JudgeRun.run_id == self.run_id)
            connection.execute(life.values(alive_until=self._now() + LEASE_SECONDS))

        while not self._stopped.wait(BEAT_SECONDS):
            with contextlib.suppress(SQLAlchemyError):  # other writes report a lost database
                self.store.write(live)

    def _write(self, job: Callable[[Connection], T]) -> T:
        """Write; if another run has done the same at the same moment, try again."""
        for last in (False,) * 19 + (True,):
            try:
                return self.store.write(job)
            except IntegrityError:
                if last:
                    raise
            except OperationalError as error:
                if last or getattr(error.orig, "sqlstate", None) != DEADLOCK:
                    raise
        raise AssertionError("unreachable")


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the keys, as many at a time as one statement takes."""
    for start in range(0, len(keys), AT_A_TIME):
        yield keys[start : start + AT_A_TIME]
