"""If this failed, a server killed in the middle of its work would lose what it acknowledged.

The server is killed with SIGKILL, all its processes at once, at random moments under load, and
started again on the same database. A loss of power is not tried here: that is the database's
promise (synchronous=FULL, synchronous_commit=on).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Row, create_engine, text

from study.folder import SERVING_FILE
from study.opening import lock_study
from tests.conftest import Serve, make_study
from tests.support import warm
from tests.support.crowd import Browser, Rater, at_random, visit, walk

SLOTS, TRIALS, AT_ONCE = 150, 8, 20
IN_ALL = 300  # answers between all the kills
PATIENCE, LONGEST = 40.0, 240.0
RATERS = "SELECT session_id, rater_id, sequence_id, status FROM visits"
ANSWERS = "SELECT session_id, rater_id, position, choice FROM judgments"
HELD = "SELECT session_id, sequence_id FROM slots WHERE session_id IS NOT NULL"


@dataclass
class Mortal:
    """`ratify serve` on one port, killed and started again."""

    folder: Path
    database: str
    workers: int
    port: int = 0
    process: warm.Process | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, on the port it had before, and wait until it has answered a request."""
        words = ("serve", self.folder, "--port", self.port, "--workers", self.workers)
        environment = {
            **os.environ,
            "RATIFY_DATABASE_URL": self.database,
            "RATIFY_CONSENTS_PER_HOUR": "100000",
        }
        self.process = warm.Process(warm.ratify, words, environment=environment, merged=True)
        line = self.process.stdout.readline()
        assert "http://" in line, line + self.process.stdout.read()
        port = int(line.partition("http://")[2].partition("/")[0].rpartition(":")[2])
        assert self.port in {0, port}
        self.port = port
        assert (
            httpx.get(f"http://127.0.0.1:{port}/?rater=first", timeout=PATIENCE).status_code == 200
        )

    def kill(self) -> None:
        """Kill the server and all its workers, with no chance to put anything in order."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate(timeout=20)


async def _live_through(server: Mortal, kills: int) -> list[Rater]:
    """Let raters come and go while the server is killed; the last ones stay to the end."""
    over = asyncio.Event()
    came: list[Rater] = []

    def arriving() -> Iterator[str]:
        for number in range(SLOTS):
            if over.is_set():
                return
            yield f"p{number}"

    async def take_part(name: str) -> Rater:
        browser = Browser(
            f"http://127.0.0.1:{server.port}",
            name,
            patience=PATIENCE,
            reopens=random.random() < 0.5,
        )
        came.append(browser.rater)
        return await walk(browser, at_random, pause=0.01)

    def acknowledged() -> int:
        return sum(len(rater.acknowledged) for rater in came)

    async def kill_again_and_again() -> None:
        for _ in range(kills):
            enough = acknowledged() + round(IN_ALL / kills * random.uniform(0.7, 1.3))
            while acknowledged() < enough and len(came) < SLOTS:
                await asyncio.sleep(0.01)
            await asyncio.sleep(random.uniform(0.0, 0.05))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        over.set()

    raters, _ = await asyncio.gather(
        visit(arriving(), take_part, at_once=AT_ONCE), kill_again_and_again()
    )
    return raters


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database_url", "workers", "kills"),
    [("sqlite", 1, 20), ("postgresql", 2, 4)],
    indirect=["database_url"],
)
def test_what_was_acknowledged_outlives_the_server(
    tmp_path: Path, database_url: str, workers: int, kills: int
) -> None:
    folder = make_study(tmp_path / "study", raters=SLOTS, trials=TRIALS)
    study, _ = lock_study(folder)
    server = Mortal(folder, database_url, workers)
    server.start()
    try:
        raters = asyncio.run(asyncio.wait_for(_live_through(server, kills), LONGEST))
    finally:
        server.kill()

    broken = [sent for rater in raters for sent in rater.sent if not sent.status]
    assert broken, "no request was ever in the way of a kill: this tested nothing"
    assert len(raters) > AT_ONCE, "too few raters came: this tested little"
    engine = create_engine(database_url)
    with engine.connect() as connection:
        visits = connection.execute(text(RATERS)).all()
        answers = connection.execute(text(ANSWERS)).all()
        held = connection.execute(text(HELD)).all()
        slots = connection.scalar(text("SELECT count(*) FROM slots"))
    engine.dispose()

    for rater in raters:
        assert rater.consented and rater.code and not rater.full and not rater.in_doubt, rater.name
        # nobody lost their place: the next trial is the one after the last acknowledged answer
        assert all(position == before + 1 for position, before in rater.shown), rater.shown
        _check_answers(rater, [row for row in answers if row.rater_id == rater.name])
    # nobody is there twice, and nobody who never came
    assert Counter(v.rater_id for v in visits) == Counter(rater.name for rater in raters)
    assert {v.status for v in visits} == {"finished"}
    assert len(answers) == TRIALS * len(raters)
    # no slot was lost or given twice
    assert slots == len(study.sequences) == SLOTS
    assert Counter((v.session_id, v.sequence_id) for v in visits) == Counter(map(tuple, held))


def _check_answers(rater: Rater, rows: list[Row[tuple[str, str, int, str]]]) -> None:
    """Check that every acknowledged answer of a rater is in the store, once, and nothing else."""
    said = Counter((position, made["choice"]) for position, made in rater.acknowledged.items())
    assert Counter((row.position, row.choice) for row in rows) == said
    assert sorted(rater.acknowledged) == list(range(1, TRIALS + 1))


def test_a_worker_that_dies_is_replaced_and_takes_nothing_with_it(
    tmp_path: Path, serve: Serve, postgres_url: str
) -> None:
    folder = make_study(tmp_path / "study", raters=AT_ONCE)
    lock_study(folder)
    server = serve(folder, "--workers", "2", database=postgres_url)
    assert httpx.get(f"{server.url}/?rater=first", timeout=60).status_code == 200
    first = _both_workers(server.process.pid)
    for worker in first:
        os.kill(worker, signal.SIGKILL)

    async def all_take_part() -> list[Rater]:
        browsers = [Browser(server.url, f"p{n}", patience=PATIENCE) for n in range(AT_ONCE)]
        return list(await asyncio.gather(*map(walk, browsers)))

    assert all(rater.code for rater in asyncio.run(all_take_part()))
    assert not set(_both_workers(server.process.pid)) & set(first)
    assert (folder / SERVING_FILE).exists(), "a worker put away the mark of the whole server"


def _both_workers(process: int) -> list[int]:
    """Return the two workers, once the second is there too: the first answers before it."""
    until = time.monotonic() + 20
    while len(found := _workers(process)) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    assert len(found) == 2
    return found


def _workers(process: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in listed.stdout.split()]
