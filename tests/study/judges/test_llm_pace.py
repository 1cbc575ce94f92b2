"""If this failed, a judge would be asked faster than its server stands, or slower than it could."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest

from study.llm.pace import DownError, Pace, backoff
from study.llm.server import LONGEST_WAIT, retry_after
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE, lab, make_llm_study


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    llm_server.reset()
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def test_as_many_as_there_is_room_for_and_everybody_gets_a_turn() -> None:
    async def run() -> tuple[int, int]:
        pace, most, done = Pace(7, patience=60), 0, 0
        rng = random.Random(1)

        async def one() -> None:
            nonlocal most, done
            await pace.enter()
            most = max(most, pace.busy)
            await asyncio.sleep(rng.random() / 500)
            rng.choice([pace.succeeded, lambda: pace.limited(0.0, None)])()
            pace.leave()
            done += 1

        async with asyncio.timeout(20):
            await asyncio.gather(*(one() for _ in range(500)))
        assert pace.busy == 0
        return most, done

    assert asyncio.run(run()) == (7, 500)


def test_who_is_cancelled_leaves_the_turn_to_another() -> None:
    """Whenever a task is cancelled, even at the moment when it is its turn."""

    async def run() -> None:
        pace, done = Pace(2, patience=60), []
        rng = random.Random(2)

        async def one(number: int) -> None:
            await pace.enter()
            try:
                await asyncio.sleep(0)
                done.append(number)
            finally:
                pace.leave()

        tasks = [asyncio.create_task(one(number)) for number in range(400)]
        while not all(task.done() for task in tasks):
            for task in rng.sample(tasks, 3):
                task.cancel()
            await asyncio.sleep(0)
        assert pace.busy == 0
        async with asyncio.timeout(20):
            await asyncio.gather(*(one(number) for number in range(1000, 1010)))
        assert len(done) >= 10

    asyncio.run(run())


def test_after_too_many_it_is_fewer_and_then_more_again() -> None:
    async def run() -> None:
        pace = Pace(100, patience=60)
        for _ in range(100):
            await pace.enter()
        began = time.monotonic()
        for _ in range(50):  # all of one round trip say the same thing
            pace.limited(began - 1, None)
            began = time.monotonic() - 1
        assert 60 <= pace.limit <= 75
        limit = pace.limit
        for _ in range(1000):
            pace.succeeded()
        assert limit < pace.limit <= 100

    asyncio.run(run())


def test_stopping_ends_every_wait() -> None:
    async def run() -> None:
        pace = Pace(1, patience=60)
        began = await pace.enter()
        assert began is not None
        waiting = [asyncio.create_task(pace.enter()) for _ in range(5)]
        await asyncio.sleep(0)
        pace.limited(began, 100.0)
        pace.leave()
        sleeping = asyncio.create_task(pace.sleep(100))
        await asyncio.sleep(0.01)
        pace.stop()
        async with asyncio.timeout(20):
            assert await asyncio.gather(*waiting) == [None] * 5
            await sleeping

    asyncio.run(run())


def test_nobody_waits_behind_one_that_gives_up() -> None:
    async def run() -> None:
        pace = Pace(4, patience=0.05)
        turns = [await pace.enter() for _ in range(4)]
        assert all(turns)
        waiting = [asyncio.create_task(pace.enter()) for _ in range(8)]
        await asyncio.sleep(0)
        for number in range(4):
            pace.failed(number, said="broken")
        assert pace.is_down
        await asyncio.sleep(0.1)
        for _ in range(4):
            pace.leave()
        async with asyncio.timeout(20):
            ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [DownError] * 8

    asyncio.run(run())


def test_a_hard_limit_is_found(tmp_path: Path, server: LLMServer) -> None:
    """Sixteen at once are far too many for a server that takes forty a second, five at once."""
    server.set(latency=0.05, rate_limit=40, rate_burst=5, retry_after=0.1)
    folder = make_llm_study(tmp_path / "study", server, raters=30, per_scenario=10, concurrency=16)
    at_once = []
    with lab(folder) as study:
        ran = study.run(progress=lambda progress: at_once.append(progress.at_once))
        assert ran.unanswered == 0
        report = server.report()
        assert report["good"] == ran.settled
        assert report["statuses"]["429"] < 0.35 * ran.settled
        low = min(at_once)
        assert low <= 4
        # when the limit is gone, it goes up again
        server.reset(latency=0.005)
        assert max(at_once[at_once.index(low) :]) > low


def test_backoff_doubles_to_its_end() -> None:
    rng = random.Random(3)
    for attempt, whole in ((1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (30, 60)):
        drawn = [backoff(attempt, first=1, longest=60, rng=rng) for _ in range(200)]
        assert whole / 2 <= min(drawn) < 0.6 * whole
        assert 0.9 * whole < max(drawn) <= whole


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "86400"}, LONGEST_WAIT),
        ({"retry-after": "inf"}, LONGEST_WAIT),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2095 07:28:00 GMT"}, LONGEST_WAIT),
        ({"retry-after": "Wed, 99 Oct 20950 07:28:00 GMT"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    ],
)
def test_what_servers_say_about_waiting(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
