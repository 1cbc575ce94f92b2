"""Ask an LLM judge all that the plan wants from it: many requests at once, each paid for once."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.folder import Study
from study.judges.ledger.ledger import Ledger
from study.judges.runs.breaker import Breaker
from study.judges.runs.hopeless import refuse_hopeless
from study.judges.runs.progress import Progress, Ran, ending, keep_to_budget
from study.judges.runs.requesting import RETRY, Requesting, Retry
from study.judges.runs.running import Run
from study.judges.runs.spending import Purse
from study.judges.wanted.asked import Asked
from study.store.database import Store


def run_llm(
    store: Store,
    study: Study,
    judge: LLMJudge,
    *,
    again: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
    retry: Retry = RETRY,
) -> Ran:
    """Ask one LLM judge everything that is not answered yet.

    Parameters
    ----------
    store : Store
    study : Study
    judge : LLMJudge
        Of the study's plan.
    again : bool
        Whether to ask again what the judge refused or answered unreadably.
    progress : callable
        Called after every commit.
    retry : Retry
        How long to wait between attempts.

    Raises
    ------
    RatifyError
        When the key or the model is wrong, when too many requests in a row fail for a reason that
        does not pass, or when the server stays down for longer than the plan's patience. The
        answers until then are kept.
    """
    from study.llm.server import ChatServer

    asked = Asked.of(study, judge)
    server = ChatServer(judge)
    ledger = Ledger(store, study.root_hash, judge.id)
    if ledger.tickets():
        raise RatifyError(
            f"judge '{judge.id}' has a batch under way",
            allowed="`ratify judge --batch` collects it",
        )
    ledger.begin(again=again)
    with ending(ledger):
        keep_to_budget(ledger, judge)
        spent = ledger.spent()
        purse = Purse(judge, calls=spent.calls, money=spent.money)
        requesting = Requesting(
            server,
            judge,
            purse,
            breaker=Breaker(judge, ledger.prompts_answered()),
            retry=retry,
            rng=random.Random(),  # noqa: S311
        )
        requesting.has_worked = bool(ledger.count("answered"))
        gc.freeze()  # the study stays in memory, so the collector need not look through it
        try:
            ran = asyncio.run(Run(asked, ledger, requesting, progress).whole())
        finally:
            gc.unfreeze()
        ran.taken_over = len(ledger.taken_over)
        if requesting.breaker.is_open:
            ledger.leave_open(requesting.breaker.blamed())
            raise requesting.breaker.error()
        if not ran.stopped:
            refuse_hopeless(ledger, judge)
        return ran
