"""The progress of an LLM judge's run, its result, and how it is interrupted."""

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
from study.store.faults import no_answer

# Seconds to wait for another run that has the budget (a dead one has it for less), and per check.
BUDGET_WAIT = 30.0
LOOK_AGAIN = 0.5


@dataclass(frozen=True)
class Progress:
    """The progress of a run: its settled requests, the calls and money of all runs, trouble."""

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
        Requests that were settled in this run, and those among them without an answer.
    calls, money
        In all runs under this plan.
    left : int
        Answers that are still missing: they are in a batch, or a batch did not give them.
    taken_over : int
        Answered in this run, and perhaps sent by a process that died, too.
    stopped : str
        Why it ended before everything was asked: `budget`, `interrupted`, `broken` (too many
        failures in a row); otherwise empty.
    """

    settled: int = 0
    unanswered: int = 0
    calls: int = 0
    money: float = 0.0
    left: int = 0
    taken_over: int = 0
    stopped: str = ""


@contextlib.contextmanager
def interruptible(finish: Callable[[], bool]) -> Iterator[None]:
    """On Ctrl-C let a run finish its calls, which are paid for; on the next one, drop them.

    Parameters
    ----------
    finish : callable
        Begins to finish; returns False if the run was finishing already.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def interrupted() -> None:
        if not finish():
            task.cancel()

    added = []
    if threading.current_thread() is threading.main_thread():  # others may not
        for name in (signal.SIGINT, signal.SIGTERM, *_hangup()):
            # if a loop takes no handler (Windows), Ctrl-C arrives as KeyboardInterrupt
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(name, interrupted)
                added.append(name)
    try:
        yield
    finally:
        for name in added:
            loop.remove_signal_handler(name)


def _hangup() -> list[signal.Signals]:
    """Return the signal of a terminal that closes, unless it is to be ignored (`nohup`)."""
    hangup = getattr(signal, "SIGHUP", None)
    return [] if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN else [hangup]


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended a run, out of a group of errors."""
    for error in group.exceptions:
        found = first_error(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, RatifyError):
            return found
    error = group.exceptions[0]
    return first_error(error) if isinstance(error, BaseExceptionGroup) else error


@contextlib.contextmanager
def ending(ledger: Ledger) -> Iterator[None]:
    """End a run in the ledger in any case, and turn errors into those that a user sees."""
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
    """Reserve the judge's budget for this run; two runs at once could exceed it.

    Raises
    ------
    RatifyError
        When another run has it for longer than a dead run could.
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
