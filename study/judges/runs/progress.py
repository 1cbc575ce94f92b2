"""Where a run of an LLM judge stands, what it did, and how it is stopped from outside."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.judges.ledger.ledger import Ledger
from study.store.database import no_answer

# Seconds to wait for the run that has the budget, a look at a time: a dead one has it for less.
BUDGET_WAIT = 30.0
LOOK_AGAIN = 0.5


@dataclass(frozen=True)
class Progress:
    """Where a run stands: requests settled in it, calls and money in all runs, trouble."""

    settled: int
    unanswered: int
    calls: int
    money: float
    at_once: int
    waiting: bool


@dataclass
class Ran:
    """What a run did.

    Attributes
    ----------
    settled, unanswered : int
        Requests that came to an end in this run, and those among them without an answer.
    calls, money
        In all runs under this plan.
    left : int
        Answers that are still to come: from a batch, or because a batch did not bring them.
    stopped : str
        Why it ended before everything was asked: `budget`, `interrupted`; empty where it did not.
    """

    settled: int = 0
    unanswered: int = 0
    calls: int = 0
    money: float = 0.0
    left: int = 0
    stopped: str = ""


@contextlib.contextmanager
def interruptible(finish: Callable[[], bool]) -> Iterator[None]:
    """On Ctrl-C let a run finish what is under way, for it is paid for; on the next one, drop it.

    Parameters
    ----------
    finish : callable
        Begins to finish; returns False where the run was finishing already.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def interrupted() -> None:
        if not finish():
            task.cancel()

    added = []
    if threading.current_thread() is threading.main_thread():  # no other one may
        for name in (signal.SIGINT, signal.SIGTERM):
            # where a loop takes none (Windows), Ctrl-C arrives as KeyboardInterrupt
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(name, interrupted)
                added.append(name)
    try:
        yield
    finally:
        for name in added:
            loop.remove_signal_handler(name)


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended a run, of all that came with it."""
    for error in group.exceptions:
        found = first_error(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, RatifyError):
            return found
    error = group.exceptions[0]
    return first_error(error) if isinstance(error, BaseExceptionGroup) else error


@contextlib.contextmanager
def ending(ledger: Ledger) -> Iterator[None]:
    """End a run in the ledger however it ends, its errors as a user sees them."""
    try:
        yield
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except SQLAlchemyError as error:
        raise RatifyError(no_answer(error), allowed="run `ratify judge` again") from error
    finally:
        with contextlib.suppress(SQLAlchemyError):
            ledger.end()


def keep_to_budget(ledger: Ledger, judge: LLMJudge) -> None:
    """Have the judge's budget for this run alone: two that spend it at once would exceed it.

    Raises
    ------
    RatifyError
        When another run has it, for longer than a dead one could.
    """
    if judge.budget.calls is None and judge.budget.money is None:
        return
    patience = time.monotonic() + BUDGET_WAIT
    while not ledger.hold(""):
        if time.monotonic() > patience:
            raise RatifyError(
                f"judge '{judge.id}' has a budget, and another process is spending it",
                allowed="one process at a time; without a budget, as many as you like",
            )
        time.sleep(LOOK_AGAIN)
