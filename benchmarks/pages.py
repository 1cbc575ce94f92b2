"""Measures the rater pages under load, over HTTP with durable answers, and in a rush for places.

The crowd is one process on the same cores as the server. Its raters are browsers without
JavaScript: see `tests/support/crowd.py`.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from study.opening import lock_study
from study.scaffold import new_study
from tests.conftest import POSTGRES, running
from tests.support.crowd import Browser, Rater, rush, visit, walk

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
WITHOUT_PAUSE, ROUNDS = 30, 5
WITH_PAUSE, PAUSE, ARRIVING = 200, 1.5, 5.0
CROWD, PLACES, RUSHES = 500, 150, 20
WORKERS = 4
RATIFY, BARE = "Ratify", "bare Flask, waitress and SQLite, same page"
ALTERNATIONS = 3


@dataclass(frozen=True)
class Served:
    """A study that is being served, and its database."""

    url: str
    database: str
    where: str
    pid: int


def main() -> None:
    """Print requests per second, latencies, and how raters fared who rushed for places."""
    # the whole crowd comes from one address
    os.environ["RATIFY_ARRIVALS_PER_MINUTE"] = "1000000"
    os.environ["RATIFY_CONSENTS_PER_HOUR"] = "1000000"
    databases = [SQLITE, POSTGRESQL] if _answers(POSTGRES) else [SQLITE]
    print("\nRater pages; the crowd is another process on the same cores.")
    if POSTGRESQL not in databases:
        print(f"No PostgreSQL answers at {POSTGRES} (set RATIFY_TEST_POSTGRES).")
    for database in databases:
        with _served(database, raters=ROUNDS * WITHOUT_PAUSE) as here:
            _without_pause(here)
    with _served(SQLITE, raters=WITH_PAUSE) as here:
        _with_pause(here)
    for database in databases:
        with _served(database, raters=PLACES) as here:
            _rushes(here)
    _against_bare()


def _against_bare() -> None:
    """Compare processor time per request with a bare application, in turns."""
    spent: dict[str, list[float]] = {RATIFY: [], BARE: []}
    rates: dict[str, list[float]] = {RATIFY: [], BARE: []}
    for _ in range(ALTERNATIONS):
        for name, serving in ((RATIFY, _ratify), (BARE, _bare)):
            with serving(raters=ROUNDS * WITHOUT_PAUSE) as (url, pid):
                before, start = _processor_seconds(pid), time.perf_counter()
                raters = _crowd(url)
                span = time.perf_counter() - start
                sent = sum(len(rater.sent) for rater in raters)
                spent[name].append(1000 * (_processor_seconds(pid) - before) / sent)
                rates[name].append(sent / span)
    print(
        f"Processor time of the server per request, {WITHOUT_PAUSE} raters without a pause, "
        f"SQLite, one process, {ALTERNATIONS} runs in turns (medians):"
    )
    for name in (RATIFY, BARE):
        milliseconds, rate = statistics.median(spent[name]), statistics.median(rates[name])
        print(f"  {name:<42} {milliseconds:5.2f} ms   {rate:4.0f} requests/s")
    ratio = statistics.median(spent[RATIFY]) / statistics.median(spent[BARE])
    print(f"  ratio of the processor times {ratio:.2f}")


def _crowd(url: str) -> list[Rater]:
    names = [f"rater-{n}" for n in range(ROUNDS * WITHOUT_PAUSE)]

    async def take_part(name: str) -> Rater:
        return await walk(Browser(url, name))

    raters = asyncio.run(visit(names, take_part, at_once=WITHOUT_PAUSE))
    assert all(rater.code for rater in raters)
    return raters


@contextmanager
def _ratify(*, raters: int) -> Iterator[tuple[str, int]]:
    with _served(SQLITE, raters=raters) as here:
        yield here.url, here.pid


@contextmanager
def _bare(*, raters: int) -> Iterator[tuple[str, int]]:
    """Serve the bare peer with the items of the worked study."""
    with tempfile.TemporaryDirectory() as place:
        new_study(Path(place) / "study")
        items = Path(place) / "study" / "items.csv"
        words = [
            sys.executable,
            "-m",
            "benchmarks.bare_pages",
            items,
            f"{place}/bare.sqlite3",
            "10",
        ]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield process.stdout.readline().strip().rstrip("/"), process.pid
            process.terminate()


def _processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, as Linux counts it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _without_pause(here: Served) -> None:
    start = time.perf_counter()
    raters = _crowd(here.url)
    span = time.perf_counter() - start
    sent = sum(len(rater.sent) for rater in raters)
    print(f"{WITHOUT_PAUSE} raters without a pause, {here.where}: {sent / span:.0f} requests/s")
    _latencies(raters)


def _with_pause(here: Served) -> None:
    names = [f"rater-{n}" for n in range(WITH_PAUSE)]

    async def take_part(name: str) -> Rater:
        await asyncio.sleep(random.uniform(0, ARRIVING))
        return await walk(Browser(here.url, name), pause=PAUSE)

    start = time.perf_counter()
    raters = asyncio.run(visit(names, take_part, at_once=WITH_PAUSE))
    span = time.perf_counter() - start
    assert all(rater.code for rater in raters)
    sent = sum(len(rater.sent) for rater in raters)
    print(
        f"{WITH_PAUSE} raters who arrive within {ARRIVING:g} s and think {PAUSE} s before each "
        f"answer, {here.where}: {sent / span:.0f} requests/s"
    )
    _latencies(raters)


def _latencies(raters: Sequence[Rater]) -> None:
    for kind in ("page", "answer", "consent"):
        taken = [1000 * s.seconds for rater in raters for s in rater.sent if s.kind == kind]
        cuts = statistics.quantiles(taken, n=100)
        print(
            f"  {kind:<8} {len(taken):>5}   p50 {cuts[49]:5.0f} ms   p95 {cuts[94]:5.0f} ms"
            f"   p99 {cuts[98]:5.0f} ms   max {max(taken):5.0f} ms"
        )


def _rushes(here: Served) -> None:
    """Let a crowd rush for too few places, empty the study, and repeat."""
    engine = create_engine(here.database)
    ends: Counter[str] = Counter()
    span = 0.0
    for _ in range(RUSHES):
        start = time.perf_counter()
        raters = asyncio.run(rush(here.url, [f"rater-{n}" for n in range(CROWD)]))
        span += time.perf_counter() - start
        with engine.begin() as connection:
            held = connection.scalars(text("SELECT sequence_id FROM visits")).all()
            ends["claimed"] += len(held)
            ends["given twice"] += len(held) - len(set(held))
            ends["told in"] += sum(rater.consented for rater in raters)
            ends["told full"] += sum(rater.full for rater in raters)
            connection.execute(text("UPDATE slots SET session_id = NULL"))
            connection.execute(text("DELETE FROM visits"))
    engine.dispose()
    told = ", ".join(f"{what} {count}" for what, count in ends.items())
    print(
        f"{CROWD} raters at once for {PLACES} places, {here.where}, {RUSHES} times:\n"
        f"  {told}; {span / RUSHES:.1f} s each, from the first link to the last consent"
    )


@contextmanager
def _served(database: str, *, raters: int) -> Iterator[Served]:
    """Serve the worked study, locked, from its own database."""
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory())
        folder = Path(place) / "study"
        new_study(folder)
        path = folder / "plan.yaml"
        plan = yaml.safe_load(path.read_text(encoding="utf-8"))
        plan["design"]["raters"] = raters
        path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
        lock_study(folder)
        workers, url = 1, f"sqlite:///{place}/store.sqlite3"
        if database == POSTGRESQL:
            workers, url = WORKERS, stack.enter_context(_new_postgresql())
        server = stack.enter_context(running(folder, "--workers", str(workers), database=url))
        where = f"{database}, {workers} process{'es' if workers > 1 else ''}"
        yield Served(server.url, url, where, server.process.pid)


@contextmanager
def _new_postgresql() -> Iterator[str]:
    """Make a database that is dropped afterwards."""
    name = f"ratify_benchmark_{secrets.token_hex(4)}"
    admin = create_engine(f"{POSTGRES}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield f"{POSTGRES}/{name}"
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def _answers(url: str) -> bool:
    engine = create_engine(f"{url}/postgres")
    try:
        with engine.connect():
            return True
    except OperationalError:
        return False
    finally:
        engine.dispose()
