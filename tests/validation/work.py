"""Runs rows in several processes and keeps all of them busy to the end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from threading import Thread

import numpy as np

from analysis.arrays import IntArray
from tests.validation.check import Check, tries
from tests.validation.finished import Finished
from tests.validation.outcome import Outcome, outcome_of
from tests.validation.rows import checks, code_of, modules, name_of, seed_of
from tests.validation.store import UNTRIED, Slice, Store

# A process reports this often, so this much is lost by a stop, and this long the last one works
# while the others have nothing left.
SLICE_SECONDS = 4.0

Span = tuple[int, int]


@dataclass
class Row:
    """A row at work: its results so far, and the spans of data sets that nobody works on.

    `before` is what the table of finished rows says about it. If that was computed by the same code
    from as many data sets, nothing is left to do.
    """

    check: Check
    code: str
    results: IntArray
    hits: IntArray
    open: list[Span] = field(default_factory=list)
    before: Finished | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return name_of(self.check)

    @property
    def kept(self) -> bool:
        """Whether the table of finished rows has it as this code computes it."""
        return self.before is not None and (self.before.code, self.before.runs) == (
            self.code,
            self.check.runs,
        )

    @property
    def left(self) -> int:
        """Data sets without a result."""
        return 0 if self.kept else int((self.results == UNTRIED).sum())

    def outcome(self) -> Outcome:
        """Return the outcome of the data sets so far."""
        if self.kept and self.before is not None:
            return self.before.outcome
        known = self.results != UNTRIED
        return outcome_of(self.check, self.results[known], self.hits[known])

    def take(self, one: Slice) -> None:
        """Fill in the results of a slice."""
        end = one.first + len(one.results)
        self.results[one.first : end] = one.results
        self.hits[one.first : end] = one.hits


def rows_of(
    wanted: Sequence[Check], store: Store, finished: Mapping[str, Finished] | None = None
) -> list[Row]:
    """Return the rows of these checks, with what is stored about them.

    Parameters
    ----------
    wanted : sequence of Check
    store : Store
    finished : mapping of str to Finished, optional
        The table of finished rows.
    """
    made_by = modules()
    found = []
    for check in wanted:
        code = code_of(made_by[name_of(check)])
        results, hits = store.found(name_of(check), code, check.runs)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], results == UNTRIED, [0]])))
        spans = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        row = Row(check, code, results, hits, before=(finished or {}).get(name_of(check)))
        row.open = [] if row.kept else spans
        found.append(row)
    return found


def finish(
    rows: Sequence[Row], store: Store, *, processes: int, told: Callable[[Row, Slice], None]
) -> None:
    """Try what is left of the rows.

    A process keeps its row as long as there is something left of it, because the truth of a row is
    computed once in every process that works on it. If no row is untouched, it helps with another:
    what is left of that is split. `told` hears of every slice.
    """
    fresh = multiprocessing.get_context("spawn")  # the same on every system
    with ExitStack() as stack:
        pools = [
            stack.enter_context(
                ProcessPoolExecutor(
                    1, mp_context=fresh, initializer=_prepare, initargs=(os.getpid(),)
                )
            )
            for _ in range(min(processes, max(1, sum(row.left for row in rows))))
        ]
        at_work: dict[Future[Slice], tuple[int, Row, Span]] = {}
        latest: list[Row | None] = [None] * len(pools)
        idle = list(range(len(pools)))
        try:
            while True:
                for pool_n in list(idle):
                    picked = _next(rows, latest[pool_n], len(idle))
                    if picked is None:
                        break
                    row, span = picked
                    idle.remove(pool_n)
                    latest[pool_n] = row
                    job = pools[pool_n].submit(try_slice, row.name, row.code, span)
                    at_work[job] = (pool_n, row, span)
                if not at_work:
                    return
                done, _ = wait(at_work, return_when=FIRST_COMPLETED)
                for job in done:
                    pool_n, row, (first, last) = at_work.pop(job)
                    idle.append(pool_n)
                    one = job.result()
                    store.add(one)
                    row.take(one)
                    after = first + len(one.results)
                    if after < last:
                        row.open.append((after, last))
                    told(row, one)
        except BaseException:
            for pool in pools:
                pool.shutdown(wait=False, cancel_futures=True)
            raise


def _next(rows: Sequence[Row], latest: Row | None, idle: int) -> tuple[Row, Span] | None:
    """Return the next span for a process, None if nothing is open."""
    untouched = (row for row in rows if row.open and row.left == row.check.runs)
    started = sorted(
        (row for row in rows if row.open), key=lambda row: -sum(b - a for a, b in row.open)
    )
    if latest is not None and latest.open:
        row = latest
    else:
        row = next(untouched, None) or next(iter(started), None)
        if row is None:
            return None
    first, last = row.open.pop()
    others = sum(1 for one in rows if one.open)
    if idle > 1 and not others and last - first > 1:
        # nothing else is open for the others: leave them their part
        cut = first + -(-(last - first) // idle)
        row.open.append((cut, last))
        last = cut
    return row, (first, last)


def _prepare(parent: int) -> None:
    """Leave a stop by the keyboard to the first process, and end when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def try_slice(name: str, code: str, span: Span) -> Slice:
    """Try data sets of a row from the first of a span on, for some seconds."""
    return slice_of(_named()[name], code, span, SLICE_SECONDS)


@cache
def _named() -> dict[str, Check]:
    """Return all checks by name, made once in each process: some prepare their truth."""
    return {name_of(one): one for one in checks()}


def slice_of(check: Check, code: str, span: Span, seconds: float) -> Slice:
    """Try data sets of a check from the first of a span on, until the time is up."""
    found: list[tuple[int, int]] = []
    began = time.perf_counter()
    for one in _timed(tries(check, seed_of(check), range(*span)), seconds):
        found.append(one)
    took = time.perf_counter() - began
    results, hits = (list(each) for each in zip(*found, strict=True))
    return Slice(
        row=name_of(check), code=code, first=span[0], results=results, hits=hits, seconds=took
    )


def _timed(every: Iterator[tuple[int, int]], seconds: float) -> Iterator[tuple[int, int]]:
    until = time.perf_counter() + seconds
    for one in every:
        yield one
        if time.perf_counter() > until:
            return
