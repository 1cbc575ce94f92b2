"""Read the ledger of requests: what has been answered, and what a judge has cost so far."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select

from study.judges.wanted.wanted import KIND
from study.llm.reply import LASTING
from study.store.database import Store
from study.store.tables import BestWorst, Judgment, Probe, Rating, Request


@dataclass(frozen=True)
class Spent:
    """What a judge has cost so far: calls, and money in the plan's currency."""

    calls: int
    money: float


@dataclass(frozen=True)
class Unanswered:
    """The requests that one reason leaves unanswered: how many, and one example of the words."""

    prompt: str
    reason: str
    count: int
    example: str


class LedgerReading:
    """Reads the requests of one judge under one plan.

    Parameters
    ----------
    store : Store
    plan_hash, judge_id : str
    """

    def __init__(self, store: Store, plan_hash: str, judge_id: str) -> None:
        self.store = store
        self.plan_hash = plan_hash
        self.judge_id = judge_id
        self._mine = (Request.plan_hash == plan_hash, Request.rater_id == judge_id)

    def outputs(self) -> set[str]:
        """Return the `Wanted.output_id` of every answer that is stored."""
        done: set[str] = set()
        with self.store.reading() as connection:
            for table, column in (
                (Judgment, Judgment.judgment_id),
                (BestWorst, BestWorst.trial_id),
                (Probe, Probe.probe_id),
            ):
                done.update(
                    name.partition(":")[0]
                    for name in connection.scalars(select(column).where(*self._of(table)))
                )
        return done

    def rated(self) -> set[tuple[str, str]]:
        """Return the items and dimensions that are rated already."""
        with self.store.reading() as connection:
            rows = connection.execute(
                select(Rating.item_id, Rating.dimension).where(*self._of(Rating))
            )
            return {(item_id, dimension) for item_id, dimension in rows}

    def ranked(self, session_id: str) -> list[tuple[int, str, str, str]]:
        """Return place, left, right and choice of a ranking so far, in order."""
        with self.store.reading() as connection:
            rows = connection.execute(
                select(Judgment.position, Judgment.left_id, Judgment.right_id, Judgment.choice)
                .where(*self._of(Judgment), Judgment.session_id == session_id)
                .order_by(Judgment.position)
            )
            return [(place, left, right, choice) for place, left, right, choice in rows]

    def abandoned(self, scenario: str) -> list[tuple[str, str]]:
        """Return left and right of a ranking's pairs that will stay unanswered."""
        with self.store.reading() as connection:
            listed = connection.scalars(
                select(Request.item_ids).where(
                    *self._mine,
                    Request.status == "unanswered",
                    Request.run_id.is_not(None),
                    Request.purpose == "ranking",
                    Request.scenario == scenario,
                )
            )
            return [tuple(json.loads(ids)) for ids in listed]

    def tickets(self) -> list[str]:
        """Return the batches that are under way, announced or submitted."""
        with self.store.reading() as connection:
            held = select(Request.run_id).where(*self._mine, Request.status == "batch").distinct()
            return sorted(ticket for ticket in connection.scalars(held) if ticket is not None)

    def in_batches(self) -> set[str]:
        """Return the ids of requests in batches that are under way."""
        with self.store.reading() as connection:
            held = select(Request.request_id).where(*self._mine, Request.status == "batch")
            return set(connection.scalars(held))

    def spent(self) -> Spent:
        """Return what the judge has cost under this plan, according to the store."""
        with self.store.reading() as connection:
            calls, money = connection.execute(
                select(func.sum(Request.attempts), func.sum(Request.cost)).where(*self._mine)
            ).one()
        return Spent(int(calls or 0), float(money or 0.0))

    def count(self, status: str) -> dict[str, int]:
        """Return how many requests have a status, by reason ('' if there is none)."""
        with self.store.reading() as connection:
            rows = connection.execute(
                select(Request.reason, func.count())
                .where(*self._mine, Request.status == status)
                .group_by(Request.reason)
            )
            return {reason or "": count for reason, count in rows}

    def prompts_answered(self) -> set[str]:
        """Return the prompts of which any request has been answered."""
        with self.store.reading() as connection:
            found = select(Request.prompt).where(*self._mine, Request.status == "answered")
            return set(connection.scalars(found.distinct()))

    def unanswered(self) -> list[Unanswered]:
        """Return how many requests are unanswered, by prompt and reason, each with an example."""
        with self.store.reading() as connection:
            rows = connection.execute(
                select(Request.prompt, Request.reason, func.count(), func.max(Request.note))
                .where(*self._mine, Request.status == "unanswered")
                .group_by(Request.prompt, Request.reason)
                .order_by(func.count().desc(), Request.reason, Request.prompt)
            )
            return [Unanswered(p, reason or "", n, note or "") for p, reason, n, note in rows]

    def failed(self, prompts: Collection[str]) -> set[str]:
        """Return the ids of requests of some prompts that failed for a reason that lasts."""
        with self.store.reading() as connection:
            found = select(Request.request_id).where(
                *self._mine,
                Request.status == "unanswered",
                Request.reason.in_(LASTING),
                Request.prompt.in_(prompts),
            )
            return set(connection.scalars(found))

    def mean_tokens(self) -> dict[str, tuple[float, float]]:
        """Return the mean tokens in and out of answered requests so far, by prompt."""
        with self.store.reading() as connection:
            rows = connection.execute(
                select(
                    Request.prompt, func.avg(Request.input_tokens), func.avg(Request.output_tokens)
                )
                .where(*self._mine, Request.status == "answered", Request.attempts == 1)
                .group_by(Request.prompt)
            )
            return {
                prompt: (float(given), float(made or 0))
                for prompt, given, made in rows
                if given is not None
            }

    def known(self, *, again: bool = False) -> set[str]:
        """Return the ids of requests that need not be sent again.

        Parameters
        ----------
        again : bool
            Whether refusals and unreadable replies are asked again.
        """
        over = Request.status == "answered"
        if not again:
            unanswered = (Request.status == "unanswered") & Request.run_id.is_not(None)
            over = or_(over, unanswered & Request.reason.in_(LASTING))
        with self.store.reading() as connection:
            return set(connection.scalars(select(Request.request_id).where(*self._mine, over)))

    def _of(self, table: type[Judgment | Rating | BestWorst | Probe]) -> tuple[Any, ...]:
        return (
            table.plan_hash == self.plan_hash,
            table.rater_id == self.judge_id,
            table.rater_kind == KIND,
        )
