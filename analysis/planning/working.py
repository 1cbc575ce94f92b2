"""Simulates the studies that are left, in several processes or on several machines."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from threading import Thread
from typing import Any, Protocol

from analysis.planning.kept import Kept
from analysis.planning.one_study import STUDY, Record, simulate_once, study_rng
from analysis.planning.points import Setup
from prereg.executor import Executor

Task = tuple[str, int]


class Keyed(Protocol):
    """What studies of one size have in common, under the key of that size."""

    @property
    def key(self) -> str:
        """The name in the file of finished studies."""


# Returns the record of the study with a number. Another process finds it by its name.
Once = Callable[[Any, int], Record]
# Studies that wait for a process, so that none is idle; a stop loses no more than this for each.
_AHEAD = 2
_SETUPS: dict[str, Keyed] = {}
_ONCE: list[Once] = []


def whole_study(setup: Setup, number: int) -> Record:
    """Return the record of a whole study of a plan."""
    return simulate_once(setup, study_rng(setup.plan, setup.key, number))


class Studies(ABC):
    """Studies to be simulated, those that are kept among them.

    Attributes
    ----------
    wanted : mapping of str to int
        How many studies of each size.
    kept : Kept
    """

    wanted: Mapping[str, int]
    kept: Kept

    @property
    @abstractmethod
    def _sizes(self) -> Sequence[Keyed]:
        """The set-ups of all sizes."""

    @property
    def _once(self) -> Once:
        """What simulates one study."""
        return whole_study

    @property
    def left(self) -> list[Task]:
        """The studies that are not finished."""
        return tasks_left(self.wanted, self.kept)

    @property
    def total(self) -> int:
        """How many studies are wanted in all."""
        return sum(self.wanted.values())

    def finish(
        self, *, processes: int, told: Callable[[Task], None], executor: Executor | None = None
    ) -> None:
        """Simulate what is left, in processes or by an executor; `told` hears of every study."""
        if executor is not None:
            finish_on(executor, self._sizes, self.left, self.kept, told=told, once=self._once)
            return
        finish(self._sizes, self.left, self.kept, processes=processes, told=told, once=self._once)


def tasks_left(wanted: Mapping[str, int], kept: Kept) -> list[Task]:
    """Return the studies that are not finished, point by point.

    Parameters
    ----------
    wanted : mapping of str to int
        How many studies of each point.
    kept : Kept
    """
    return [
        (point, number)
        for point, count in wanted.items()
        for number in range(count)
        if (point, number) not in kept.records
    ]


def finish(
    setups: Sequence[Keyed],
    tasks: Sequence[Task],
    kept: Kept,
    *,
    processes: int,
    told: Callable[[Task], None],
    once: Once = whole_study,
) -> None:
    """Simulate studies and keep each as soon as it is finished.

    Parameters
    ----------
    setups : sequence of Keyed
        Of all points.
    tasks : sequence of (point, number)
        The studies to simulate.
    kept : Kept
    processes : int
        With one, this process does all.
    told : callable
        Hears of every finished study.
    once : callable
        Simulates the study with a number, of a set-up.
    """
    by_key = {setup.key: setup for setup in setups}
    if processes <= 1 or len(tasks) <= 1:
        for task in tasks:
            kept.add(*task, _simulated(by_key[task[0]], task[1], once))
            told(task)
        return
    fresh = multiprocessing.get_context("spawn")  # the same on every system
    waiting = deque(tasks)
    pool = ProcessPoolExecutor(
        min(processes, len(tasks)),
        mp_context=fresh,
        initializer=_prepare,
        initargs=(by_key, once, os.getpid()),
    )
    at_work: dict[Future[Record], Task] = {}
    try:
        while waiting or at_work:
            while waiting and len(at_work) < _AHEAD * processes:
                task = waiting.popleft()
                with _stops_held_back():
                    at_work[pool.submit(_simulated_here, task)] = task
            done, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for job in done:
                task = at_work.pop(job)
                kept.add(*task, job.result())
                told(task)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


@contextlib.contextmanager
def _stops_held_back() -> Iterator[None]:
    """Hold a stop by the keyboard back while a process may start.

    A process inherits this, so a stop that reaches it too does not end it with a traceback before
    `_prepare` leaves stops to the first process.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def finish_on(
    executor: Executor,
    setups: Sequence[Keyed],
    tasks: Sequence[Task],
    kept: Kept,
    *,
    told: Callable[[Task], None],
    once: Once = whole_study,
) -> None:
    """Have studies simulated by an executor, and keep each as soon as it is finished.

    Parameters
    ----------
    executor : Executor
    setups, tasks, kept, told, once
        As in `finish`.

    Raises
    ------
    RatifyError
        As the executor does. What is finished is kept.
    """
    by_key = {setup.key: setup for setup in setups}
    named = {f"{kept.key}-{point}-{number}": (point, number) for point, number in tasks}
    chunks = ((key, (by_key[task[0]], task[1], once)) for key, task in named.items())
    for key, record in executor.map(simulate_chunk, chunks):
        kept.add(*named[key], record)
        told(named[key])


def simulate_chunk(chunk: tuple[Keyed, int, Once]) -> Record:
    """Return the record of a study; any process may do this."""
    return _simulated(*chunk)


def _simulated(setup: Keyed, number: int, once: Once) -> Record:
    """Return the record of a study; whatever goes wrong in it is counted and named."""
    try:
        return once(setup, number)
    except Exception as error:
        return {"failed": {STUDY: f"{type(error).__name__}: {error}"}}


def _simulated_here(task: Task) -> Record:
    return _simulated(_SETUPS[task[0]], task[1], _ONCE[0])


def _prepare(setups: Mapping[str, Keyed], once: Once, parent: int) -> None:
    """Take the set-ups, leave a stop by the keyboard to the first process, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _SETUPS.update(setups)
    _ONCE[:] = [once]
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
