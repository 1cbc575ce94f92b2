"""If this failed, stopping a judge, or pulling the plug, would lose answers, or pay twice."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from prereg.errors import RatifyError
from study.judges.ledger import leases as ledger_runs
from study.judges.ledger.ledger import Ledger, Standing
from study.judges.runs.running import BESIDE
from study.judges.wanted.asked import Asked
from study.judges.wanted.probes import everything
from study.llm.reply import Outcome
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import (
    KEY,
    VARIABLE,
    Lab,
    ask_under_nohup,
    asking,
    lab,
    make_llm_study,
    said,
    settled,
)

AT_ONCE = 16
# What one kill can lose: calls in flight, and answers on their way into the store.
LOST = AT_ONCE + AT_ONCE // BESIDE


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    llm_server.reset(key=KEY)
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def until(what: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def test_two_kills_and_faults_leave_exactly_what_was_wanted(
    tmp_path: Path, server: LLMServer
) -> None:
    faults = {"500": 0.02, "429": 0.01, "drop-body": 0.01, "truncated-json": 0.01}
    server.set(faults=faults, latency=0.01)
    folder = make_llm_study(
        tmp_path / "study", server, raters=60, trials=20, per_scenario=25, concurrency=AT_ONCE
    )
    rng = random.Random(5)
    for part in (1, 2):
        process = asking(folder, "--only", "fake", lease=2.0)
        goal = 250 * part + rng.randrange(100)
        until(lambda goal=goal: settled(folder) >= goal)
        process.kill_all()
        said(process)
    code, out, err = said(asking(folder, "--only", "fake"))
    assert code == 0, out + err
    with lab(folder) as study:
        assert study.count("judgments") == 1200
        assert study.count("requests", "status <> 'answered'") == 0
        assert study.count("requests") == server.report()["prompts"]
        assert study.count("ratings", "rater_kind = 'llm'") == 50 * 6
        assert study.run().settled == 0
    report = server.report()
    assert report["answered_more_than_once"] <= 2 * LOST
    assert report["asked_after_answer"] <= 2 * LOST
    assert report["asked_while_pending"] <= 2 * LOST


def test_the_first_signal_lets_it_finish_and_the_second_does_not(
    tmp_path: Path, server: LLMServer
) -> None:
    server.set(latency=1.0)
    folder = make_llm_study(tmp_path / "study", server)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        before = settled(folder)
        server.forget()
        process = asking(folder, "--only", "fake")
        until(lambda: server.report()["in_flight"] == 8)
        process.send_signal(name)
        code, out, err = said(process)
        assert (code, err) == (1, "")
        assert "stopped; run it again to go on" in out
        report = server.report()
        assert settled(folder) - before == report["good"] == report["requests"] >= 8
        with lab(folder) as study:
            assert study.count("requests", "status = 'claimed'") == 0
            assert study.count("judge_runs") == 0
    server.set(latency=30.0)
    server.forget()
    process = asking(folder, "--only", "fake")
    until(lambda: server.report()["in_flight"] == 1)  # the first call goes alone
    process.send_signal(signal.SIGINT)
    time.sleep(2)  # two signals at once would be one
    process.send_signal(signal.SIGINT)
    code, out, err = said(process, timeout=25)
    assert code == 1
    assert "Traceback" not in err
    with lab(folder) as study:
        assert study.count("requests", "status = 'claimed'") == 0
        server.set(latency=0.0)
        assert study.run().unanswered == 0


def test_under_nohup_a_terminal_that_closes_ends_nothing(tmp_path: Path, server: LLMServer) -> None:
    server.set(latency=0.3)
    folder = make_llm_study(tmp_path / "study", server, raters=4)
    process = asking(folder, "--only", "fake", how=ask_under_nohup)
    until(lambda: server.report()["in_flight"] >= 1)
    process.send_signal(signal.SIGHUP)
    code, out, err = said(process)
    assert (code, err) == (0, "")
    assert "stopped" not in out
    assert settled(folder) == server.report()["requests"] > 8


def test_a_signal_ends_every_wait(tmp_path: Path, server: LLMServer) -> None:
    """While a server wants to be left alone for a minute; what was tried is counted."""
    server.set(retry_after=60, faults={"429-seconds": 1.0})
    folder = make_llm_study(tmp_path / "study", server)
    process = asking(folder, "--only", "fake")
    until(lambda: server.report()["requests"] >= 1)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    code, out, _ = said(process, timeout=25)
    assert code == 1
    assert "stopped" in out
    tried = server.report()["requests"]
    with lab(folder) as study:
        assert study.rows("requests", "sum(attempts) AS n")[0]["n"] == tried
        assert study.statuses() == {("unanswered", "rate_limited"): study.count("requests")}
        server.reset()
        assert study.run().unanswered == 0
        assert study.count("requests", "status <> 'answered'") == 0


def answered(text: str = "left", **other: Any) -> Outcome:
    """Return the outcome of a comparison that went well."""
    return Outcome(
        answers={"choice": text},
        reason=None,
        reply="A",
        attempts=1,
        cost=0.5,
        asked_at="2030-01-01T00:00:00.000Z",
        answered_at="2030-01-01T00:00:01.000Z",
        **other,
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds that are to be added to the time; nobody says that it lives."""
    added = [0.0]
    real = time.time
    monkeypatch.setattr(ledger_runs.time, "time", lambda: real() + added[0])
    monkeypatch.setattr(ledger_runs, "BEAT_SECONDS", 1000.0)
    yield added


def later_by(study: Lab, clock: list[float], seconds: float) -> None:
    """Let time pass; where the database has the clock, let the leases be older."""
    if study.store.is_sqlite:
        clock[0] += seconds
        return
    from sqlalchemy import text

    study.store.write(
        lambda connection: connection.execute(
            text(f"UPDATE judge_runs SET alive_until = alive_until - {seconds}")
        )
    )


def test_a_run_that_stood_still_doubles_nothing_and_loses_nothing(
    tmp_path: Path, server: LLMServer, database_url: str, clock: list[float]
) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    with lab(folder, database_url) as study:
        asked = Asked.of(study.study, study.judge)
        wanted = {one.request_id: one for one in asked.trials()}
        keys = sorted(wanted)[:3]
        part = [wanted[key] for key in keys]
        sleeper, other = (Ledger(study.store, study.study.plan_hash, "fake") for _ in range(2))
        sleeper.begin(again=False)
        assert {how.state for how in sleeper.claim(part).values()} == {"mine"}
        later_by(study, clock, 100)
        # itself it does not take for dead
        sleeper._buried = -1e9
        assert {how.state for how in sleeper.claim(part).values()} == {"elsewhere"}
        other.begin(again=False)
        assert other.claim(part[:2]) == dict.fromkeys(keys[:2], Standing("mine"))
        assert other.settle([(part[0], [part[0]], answered("left"))]) == set()
        # the first is answered, the second being asked by the other, the third free
        late = sleeper.settle([(one, [one], answered("right")) for one in part])
        assert late == {keys[0]}
        assert sleeper.claim([part[0]])[keys[0]].answers == {"choice": "left"}
        assert other.settle([(part[1], [part[1]], answered("left"))]) == {keys[1]}
        rows = {row["request_id"]: row["choice"] for row in study.rows("judgments")}
        assert rows == {keys[0]: "left", keys[1]: "right", keys[2]: "right"}
        assert study.count("judgments") == 3
        for one in (sleeper, other):
            one.end()
        assert study.count("requests") == 3
        assert study.count("judge_runs") == 0


def test_what_two_runs_claim_at_once_one_gets(
    tmp_path: Path, server: LLMServer, database_url: str
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    folder = make_llm_study(tmp_path / "study", server)
    with lab(folder, database_url) as study:
        asked = Asked.of(study.study, study.judge)
        wanted = list({one.request_id: one for one in everything(asked)}.values())
        runs = [Ledger(study.store, study.study.plan_hash, "fake") for _ in range(6)]
        for run in runs:
            run.begin(again=False)

        def claim(number: int) -> list[str]:
            rng = random.Random(number)
            mine = []
            for _ in range(5):
                part = rng.sample(wanted, 20)
                standing = runs[number].claim(part)
                mine += [key for key, how in standing.items() if how.state == "mine"]
            return mine

        with ThreadPoolExecutor(6) as pool:
            got = [key for mine in pool.map(claim, range(6)) for key in mine]
        assert len(got) == len(set(got)) == study.count("requests") > 30
        for run in runs:
            run.end()
        assert study.count("requests") == 0


def test_a_store_that_fails_ends_the_run_in_one_line(
    tmp_path: Path, server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    real, left = Ledger.settle, [3]

    def settle(self: Ledger, entries: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise OperationalError("UPDATE", {}, Exception("disk I/O error\nand more"))
        return real(self, entries)

    monkeypatch.setattr(Ledger, "settle", settle)
    with lab(folder) as study:
        with pytest.raises(RatifyError, match="does not answer: disk I/O error") as caught:
            study.run()
        assert "\n" not in str(caught.value)
        monkeypatch.setattr(Ledger, "settle", real)
        assert study.run().unanswered == 0
        assert study.count("requests", "status <> 'answered'") == 0


def test_nobody_reads_what_it_says(tmp_path: Path, server: LLMServer) -> None:
    """A closed pipe is no reason to stop; a mistake in what shows progress ends the run."""

    def closed(_: Any) -> None:
        raise BrokenPipeError

    def wrong(_: Any) -> None:
        raise ZeroDivisionError

    folder = make_llm_study(tmp_path / "study", server)
    with lab(folder) as study:
        with pytest.raises(ZeroDivisionError):
            study.run(progress=wrong)
        assert study.count("requests", "status = 'claimed'") == 0
        study.run(progress=closed)
        assert study.count("requests", "status <> 'answered'") == 0
        # one for each worker, which asks on only when its answer is stored: the plan's 8 calls at
        # once, and the workers that prepare the next ones
        workers = 8 + max(1, 8 // BESIDE)
        assert server.report()["answered_more_than_once"] <= workers
