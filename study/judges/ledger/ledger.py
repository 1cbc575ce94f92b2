"""The ledger of requests: who asks what, and what was answered, so that nothing is paid for twice.

A request is claimed in the store before it is sent. Its answer is stored, together with its rows,
before the next request takes its turn. A run reports every few seconds that it is alive; the claims
of a run that no longer does are freed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from study.judges.ledger.leases import AT_A_TIME, LedgerRuns
from study.judges.wanted.wanted import KIND, Rows, Wanted
from study.llm.reply import Outcome
from study.store.tables import Request
from study.tasks.base import Row


@dataclass(frozen=True)
class Standing:
    """The state of a request.

    Attributes
    ----------
    state : {'mine', 'elsewhere', 'answered', 'unanswered', 'open', 'batch'}
        Claimed by this run; being asked by another run; answered; tried, and left unanswered;
        tried by an earlier run, and to be asked again; in a batch that has not come back yet.
    answers : mapping or None
        The answers, if there are any.
    """

    state: str
    answers: dict[str, Any] | None = None


OPEN = Standing("open")
ELSEWHERE = Standing("elsewhere")
# Of an answered request: no server says whether it has answered, and charged for, the first one.
SENT_AGAIN = "a process that died may have sent this request too"


class Ledger(LedgerRuns):
    """The requests of one judge under one plan, as one run sees and changes them.

    Parameters
    ----------
    store : Store
    plan_hash, judge_id : str
    """

    def claim(self, wanted: Sequence[Wanted]) -> dict[str, Standing]:
        """Claim requests, all in one transaction.

        Returns
        -------
        dict
            The state of each request, by its id.
        """
        # always in the same order: on PostgreSQL two runs could otherwise wait for each other
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
        """Store the outcomes of requests, with the rows of their answers, all in one transaction.

        Parameters
        ----------
        settled : iterable of (Wanted, sequence of Wanted, Outcome)
            The request, everything that wants its answer, and its outcome.

        Returns
        -------
        set of str
            Ids of requests that another run has answered meanwhile, because this run counted as
            dead. The answer in the store counts.

        Raises
        ------
        RatifyError
            When another run has taken over a ranking.
        """
        entries = {entry[0].request_id: entry for entry in settled}

        def keep(connection: Connection) -> set[str]:
            ranked = {
                one.scenario
                for _, wanting, _ in entries.values()
                for one in wanting
                if one.purpose == "ranking"
            }
            self._require_holds(connection, ranked)
            there = self._statuses(connection, list(entries))
            late = {key for key, status in there.items() if status == "answered"}
            mine = [entry for key, entry in entries.items() if key not in late]
            # freed because this run counted as dead; what was paid for is kept all the same
            freed = [
                self._claimed(e[0].request_id, e[0]) for e in mine if e[0].request_id not in there
            ]
            if freed:
                connection.execute(insert(Request), freed)
            if mine:
                connection.execute(
                    _UPDATE,
                    [
                        {"plan": self.plan_hash, "key": asked.request_id}
                        | self._noted(asked.request_id, outcome).stored()
                        for asked, _, outcome in mine
                    ],
                )
            open_ones = [asked.request_id for asked, _, outcome in mine if outcome.interrupted]
            if open_ones:
                rows = update(Request).where(*self._mine, Request.request_id.in_(open_ones))
                connection.execute(rows.values(run_id=None))
            self._insert(
                connection,
                [
                    row
                    for _, wanting, outcome in mine
                    if outcome.answers is not None
                    for one in wanting
                    for row in one.rows(outcome.answers)
                ],
            )
            return late

        return self._write(keep)

    @property
    def taken_over(self) -> frozenset[str]:
        """Requests that this run has answered, and that a process which died may have sent too."""
        return frozenset(self._again)

    def _noted(self, key: str, outcome: Outcome) -> Outcome:
        """Return an outcome whose note says that the request may have been sent by a dead run."""
        if key not in self._orphans or outcome.answers is None:
            return outcome
        self._again.add(key)
        return replace(outcome, note="; ".join(filter(None, (outcome.note, SENT_AGAIN))))

    def derive(self, answered: Sequence[tuple[Wanted, dict[str, Any]]]) -> None:
        """Store the rows of answers that another request has paid for already."""
        rows = [row for wanted, answers in answered for row in wanted.rows(answers)]
        self._write(lambda connection: self._insert(connection, rows))

    def announce(self, wanted: Sequence[Wanted], ticket: str) -> set[str]:
        """Claim requests for a batch that is about to be submitted; return the claimed ids."""
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
        """Note the server's name for a batch."""
        held = (*self._mine, Request.status == "batch", Request.run_id == ticket)
        self.store.write(
            lambda connection: connection.execute(update(Request).where(*held).values(run_id=name))
        )

    def free(self, ticket: str) -> int:
        """Free the requests that a batch has not answered; return how many there are."""
        held = (*self._mine, Request.status == "batch", Request.run_id == ticket)

        def let_go(connection: Connection) -> int:
            count = connection.scalar(select(func.count()).select_from(Request).where(*held))
            self._release(connection, *held)
            return int(count or 0)

        return self._write(let_go)

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

    def _claimed(self, key: str, wanted: Wanted) -> dict[str, Any]:
        ids = [item.item_id for item in wanted.items]
        return {
            "request_id": key,
            "plan_hash": self.plan_hash,
            "version_hash": wanted.version_hash,
            "rater_id": self.judge_id,
            "rater_kind": KIND,
            "purpose": wanted.purpose,
            "scenario": wanted.scenario,
            "item_ids": json.dumps(ids, ensure_ascii=False),
            "prompt": wanted.prompt.name,
            "status": "claimed",
            "run_id": self.run_id,
            "attempts": 0,
        }

    def _insert(self, connection: Connection, rows: Rows) -> None:
        """Insert rows; a row that another run has stored meanwhile is the same, and is kept."""
        fresh = sqlite.insert if self.store.is_sqlite else postgresql.insert
        alike: dict[Any, list[Row]] = {}
        for table, row in rows:
            alike.setdefault((table, tuple(row)), []).append(row)
        for (table, _), mine in alike.items():
            connection.execute(fresh(table).on_conflict_do_nothing(), mine)


def _more(name: str, kind: type[Float[Any]] | type[Integer]) -> ColumnElement[Any]:
    """Return the sum of a column and a new value; two unknown values stay unknown."""
    column, new = getattr(Request, name), bindparam(f"new_{name}", type_=kind())
    return func.coalesce(column + new, new, column)


# Attempts, tokens and cost add up over all runs that have tried.
_UPDATE = (
    update(Request)
    .where(Request.plan_hash == bindparam("plan"), Request.request_id == bindparam("key"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "status",
                "reason",
                "note",
                "reply",
                "answers",
                "model",
                "fingerprint",
                "latency_ms",
                "p_left",
                "asked_at",
                "answered_at",
            )
        }
        | {name: _more(name, Integer) for name in ("input_tokens", "output_tokens", "attempts")}
        | {"cost": _more("cost", Float)}
    )
)
