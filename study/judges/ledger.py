"""The ledger of requests: who asks what, what was answered; nothing is paid for twice.

A request is claimed in the store before it is sent, and its answer is stored, together with the
rows that it leaves, before the next one takes its turn. A run says every few seconds that it is
alive; the claims of one that no longer does are free again.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    bindparam,
    cast,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from prereg.errors import RatifyError
from study.judges.chat_reply import PASSING, Outcome
from study.judges.ledger_reading import LedgerReading
from study.judges.wanted import KIND, Rows, Wanted
from study.store import Store
from study.tables import JudgeRun, RankingHold, Request
from study.tasks.base import Row

# A run that has not said for so long that it is alive is dead.
LEASE_SECONDS = 15.0
BEAT_SECONDS = 3.0
# One that has been dead for so long will not wake up again.
FORGOTTEN_SECONDS = 7 * 86_400.0
AT_A_TIME = 500  # keys in one statement: PostgreSQL and SQLite both take more
T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """How a request stands.

    Attributes
    ----------
    state : {'mine', 'elsewhere', 'answered', 'unanswered', 'open', 'batch'}
        Mine to ask; being asked by another run; answered; tried, and left unanswered; tried by an
        earlier run, and to be asked again; in a batch that is still to come back.
    answers : mapping or None
        What was answered.
    """

    state: str
    answers: dict[str, Any] | None = None


OPEN = Standing("open")
ELSEWHERE = Standing("elsewhere")


class Ledger(LedgerReading):
    """The requests of one judge under one plan, as one run sees and changes them.

    Parameters
    ----------
    store : Store
    plan_hash, judge_id : str
    """

    def __init__(self, store: Store, plan_hash: str, judge_id: str) -> None:
        super().__init__(store, plan_hash, judge_id)
        self.run_id = secrets.token_hex(16)
        self._buried = -BEAT_SECONDS
        self._stopped = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)

    def begin(self, *, again: bool) -> None:
        """Take up the run; what stayed unanswered for a reason that passes may be asked again.

        Parameters
        ----------
        again : bool
            Whether everything unanswered may be: refusals and unreadable replies too.
        """

        def start(connection: Connection) -> None:
            alive = {"run_id": self.run_id, "alive_until": self._now() + LEASE_SECONDS}
            connection.execute(insert(JudgeRun).values(alive))
            long_dead = JudgeRun.alive_until < self._now() - FORGOTTEN_SECONDS
            connection.execute(delete(JudgeRun).where(long_dead))
            self._bury(connection)
            left = [*self._mine, Request.status == "unanswered"]
            if not again:
                left.append(Request.reason.in_(PASSING))
            connection.execute(update(Request).where(*left).values(run_id=None))

        self._write(start)
        self._beating.start()

    def end(self) -> None:
        """Give back what was claimed and not answered."""
        self._stopped.set()
        self._beating.join()

        def stop(connection: Connection) -> None:
            self._release(connection, Request.run_id == self.run_id, Request.status == "claimed")
            connection.execute(delete(RankingHold).where(RankingHold.run_id == self.run_id))
            connection.execute(delete(JudgeRun).where(JudgeRun.run_id == self.run_id))

        self._write(stop)

    def claim(self, wanted: Sequence[Wanted]) -> dict[str, Standing]:
        """Claim requests, all in one transaction.

        Returns
        -------
        dict
            How each stands, by its id.
        """
        # in one order: on PostgreSQL two runs would otherwise wait for each other
        first = {one.request_id: one for one in sorted(wanted, key=lambda one: one.request_id)}

        def take(connection: Connection) -> dict[str, Standing]:
            self._bury(connection)
            standing = self._standing(connection, list(first))
            rows = [self._claimed(key, one) for key, one in first.items() if key not in standing]
            if rows:
                connection.execute(insert(Request), rows)
            mine = [row["request_id"] for row in rows]
            mine += self._taken_up(connection, [k for k, how in standing.items() if how is OPEN])
            standing = {key: ELSEWHERE if how is OPEN else how for key, how in standing.items()}
            return standing | dict.fromkeys(mine, Standing("mine"))

        return self._write(take)

    def settle(self, settled: Iterable[tuple[Wanted, Sequence[Wanted], Outcome]]) -> set[str]:
        """Store what came of requests, with the rows they leave, all in one transaction.

        Parameters
        ----------
        settled : iterable of (Wanted, sequence of Wanted, Outcome)
            What was asked, everything that wants its answer, and what came of it.

        Returns
        -------
        set of str
            Ids of requests that another run has answered meanwhile, having taken this one for dead:
            the answer that counts is the one in the store.

        Raises
        ------
        RatifyError
            Where another run has taken over a ranking.
        """
        entries = {entry[0].request_id: entry for entry in settled}

        def keep(connection: Connection) -> set[str]:
            self._check_holds(connection, entries.values())
            there = self._statuses(connection, list(entries))
            late = {key for key, status in there.items() if status == "answered"}
            mine = [entry for key, entry in entries.items() if key not in late]
            # taken for dead, and freed: what was paid for is kept all the same
            freed = [self._claimed(e[0].request_id, e[0]) for e in mine
                     if e[0].request_id not in there]  # fmt: skip
            if freed:
                connection.execute(insert(Request), freed)
            if mine:
                connection.execute(_UPDATE, [
                    {"plan": self.plan_hash, "key": asked.request_id, **outcome.stored()}
                    for asked, _, outcome in mine
                ])  # fmt: skip
            open_ones = [asked.request_id for asked, _, outcome in mine if outcome.interrupted]
            if open_ones:
                rows = update(Request).where(*self._mine, Request.request_id.in_(open_ones))
                connection.execute(rows.values(run_id=None))
            self._insert(connection, [
                row
                for _, wanting, outcome in mine if outcome.answers is not None
                for one in wanting for row in one.rows(outcome.answers)
            ])  # fmt: skip
            return late

        return self._write(keep)

    def derive(self, answered: Sequence[tuple[Wanted, dict[str, Any]]]) -> None:
        """Store the rows of answers that another request has paid for already."""
        rows = [row for wanted, answers in answered for row in wanted.rows(answers)]
        self._write(lambda connection: self._insert(connection, rows))

    def announce(self, wanted: Sequence[Wanted], ticket: str) -> set[str]:
        """Claim requests for a batch that is about to be submitted; return the ids it got."""
        standing = self.claim(wanted)
        mine = [key for key, how in standing.items() if how.state == "mine"]

        def mark(connection: Connection) -> None:
            for start in range(0, len(mine), AT_A_TIME):
                part = Request.request_id.in_(mine[start : start + AT_A_TIME])
                rows = update(Request).where(*self._mine, part, Request.run_id == self.run_id)
                connection.execute(rows.values(status="batch", run_id=ticket))

        self._write(mark)
        return set(mine)

    def rename(self, ticket: str, name: str) -> None:
        """Note under which name the server knows a batch."""
        held = (*self._mine, Request.status == "batch", Request.run_id == ticket)
        self.store.write(
            lambda connection: connection.execute(update(Request).where(*held).values(run_id=name))
        )

    def free(self, ticket: str) -> int:
        """Let go of what a batch holds and has not answered; return how many those are."""
        held = (*self._mine, Request.status == "batch", Request.run_id == ticket)

        def let_go(connection: Connection) -> int:
            count = connection.scalar(select(func.count()).select_from(Request).where(*held))
            self._release(connection, *held)
            return int(count or 0)

        return self._write(let_go)

    def is_alive(self, run_id: str) -> bool:
        """Return whether a run, maybe another one, still says that it lives."""
        with self.store.reading() as connection:
            return run_id in list(connection.scalars(self._alive()))

    def hold(self, scenario: str) -> bool:
        """Take a scenario's ranking for this run, or '' for its budget; False if another has it."""

        def take(connection: Connection) -> None:
            self._bury(connection)
            connection.execute(
                insert(RankingHold).values(
                    plan_hash=self.plan_hash, rater_id=self.judge_id, scenario=scenario,
                    run_id=self.run_id,
                )
            )  # fmt: skip

        try:
            self.store.write(take)
        except IntegrityError:
            return False
        return True

    def _standing(self, connection: Connection, keys: list[str]) -> dict[str, Standing]:
        found = {}
        for start in range(0, len(keys), AT_A_TIME):
            wanted = select(
                Request.request_id, Request.status, Request.answers, Request.run_id
            ).where(*self._mine, Request.request_id.in_(keys[start : start + AT_A_TIME]))
            for key, status, answers, run_id in connection.execute(wanted):
                if status == "unanswered" and run_id is None:
                    found[key] = OPEN
                elif status == "claimed":
                    found[key] = ELSEWHERE
                else:
                    found[key] = Standing(status, json.loads(answers) if answers else None)
        return found

    def _taken_up(self, connection: Connection, keys: list[str]) -> list[str]:
        """Claim requests that an earlier run has left open; return those that this run got."""
        taken: list[str] = []
        for start in range(0, len(keys), AT_A_TIME):
            part = Request.request_id.in_(keys[start : start + AT_A_TIME])
            rows = update(Request).where(
                *self._mine, part, Request.status == "unanswered", Request.run_id.is_(None)
            )
            claimed = rows.values(status="claimed", run_id=self.run_id)
            taken += connection.scalars(claimed.returning(Request.request_id))
        return taken

    def _statuses(self, connection: Connection, keys: list[str]) -> dict[str, str]:
        rows = select(Request.request_id, Request.status).where(
            *self._mine, Request.request_id.in_(keys)
        )
        return {row.request_id: row.status for row in connection.execute(rows.with_for_update())}

    def _check_holds(
        self, connection: Connection, entries: Iterable[tuple[Wanted, Sequence[Wanted], Outcome]]
    ) -> None:
        """Raise where this run was taken for dead, and another one has gone on with a ranking."""
        ranked = {
            w.scenario for _, wanting, _ in entries for w in wanting if w.purpose == "ranking"
        }
        if not ranked:
            return
        mine = select(RankingHold.scenario).where(
            RankingHold.plan_hash == self.plan_hash, RankingHold.run_id == self.run_id
        )
        if not ranked <= set(connection.scalars(mine)):
            raise RatifyError(
                f"judge '{self.judge_id}': this process stood still, and another has taken over",
                allowed="run it again",
            )

    def _claimed(self, key: str, wanted: Wanted) -> dict[str, Any]:
        ids = [item.item_id for item in wanted.items]
        return {
            "request_id": key, "plan_hash": self.plan_hash, "rater_id": self.judge_id,
            "rater_kind": KIND, "purpose": wanted.purpose, "scenario": wanted.scenario,
            "item_ids": json.dumps(ids, ensure_ascii=False), "prompt": wanted.prompt.name,
            "status": "claimed", "run_id": self.run_id, "attempts": 0,
        }  # fmt: skip

    def _insert(self, connection: Connection, rows: Rows) -> None:
        """Insert rows; one that another run has stored meanwhile is the same, and stays."""
        fresh = sqlite.insert if self.store.is_sqlite else postgresql.insert
        alike: dict[Any, list[Row]] = {}
        for table, row in rows:
            alike.setdefault((table, tuple(row)), []).append(row)
        for (table, _), mine in alike.items():
            connection.execute(fresh(table).on_conflict_do_nothing(), mine)

    def _bury(self, connection: Connection) -> None:
        """Free what dead runs have claimed; this one is not dead, however long it has slept."""
        if time.monotonic() - self._buried < BEAT_SECONDS:
            return
        self._buried = time.monotonic()
        alive = or_(Request.run_id.in_(self._alive()), Request.run_id == self.run_id)
        self._release(connection, Request.status == "claimed", not_(alive))
        alive = or_(RankingHold.run_id.in_(self._alive()), RankingHold.run_id == self.run_id)
        connection.execute(delete(RankingHold).where(not_(alive)))

    def _release(self, connection: Connection, *claimed: ColumnElement[bool]) -> None:
        """Give claims back: what had been tried before stays, with its attempts and its reason."""
        tried = Request.reason.is_not(None)
        connection.execute(delete(Request).where(*self._mine, *claimed, not_(tried)))
        rows = update(Request).where(*self._mine, *claimed, tried)
        connection.execute(rows.values(status="unanswered", run_id=None))

    def _now(self) -> ColumnElement[float] | float:
        """Return the time that all processes share: on PostgreSQL, the database's."""
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
            with contextlib.suppress(SQLAlchemyError):  # a database that is gone shows elsewhere
                self.store.write(live)

    def _write(self, job: Callable[[Connection], T]) -> T:
        """Write; where another run has done the same at the same moment, look again."""
        for last in (False,) * 19 + (True,):
            try:
                return self.store.write(job)
            except IntegrityError:
                if last:
                    raise
            except OperationalError as error:
                if last or "deadlock" not in str(error.orig):
                    raise
        raise AssertionError("unreachable")


def _more(name: str, kind: type[Float[Any]] | type[Integer]) -> ColumnElement[Any]:
    """Return what a column holds and what is to be added; nothing known stays nothing known."""
    column, new = getattr(Request, name), bindparam(f"new_{name}", type_=kind())
    return func.coalesce(column + new, new, column)


# Attempts, tokens and cost are of all runs that have tried.
_UPDATE = (
    update(Request)
    .where(Request.plan_hash == bindparam("plan"), Request.request_id == bindparam("key"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "status", "reason", "reply", "answers", "model", "fingerprint", "latency_ms",
                "p_left", "asked_at", "answered_at",
            )
        }
        | {name: _more(name, Integer) for name in ("input_tokens", "output_tokens", "attempts")}
        | {"cost": _more("cost", Float)}
    )
)  # fmt: skip
