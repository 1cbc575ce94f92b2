"""If this failed, a second machine would pay twice, or one that dies would take answers along."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from study.judges.ledger.ledger import SENT_AGAIN
from study.judges.runs.running import BESIDE
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, asking, lab, make_llm_study, said

AT_ONCE = 8
# What a process that is killed has sent and not stored: calls in flight, and answers on their way.
IN_FLIGHT = AT_ONCE + AT_ONCE // BESIDE


def until(what: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def test_two_hosts_share_a_store_and_one_of_them_dies(
    tmp_path: Path, llm_server: LLMServer, postgres_url: str
) -> None:
    """Each host has its own copy of the study folder; only the store is common."""
    llm_server.reset(key=KEY, latency=2.0)
    (tmp_path / "one").mkdir()
    first = make_llm_study(
        tmp_path / "one" / "study", llm_server, raters=40, per_scenario=15, concurrency=AT_ONCE
    )
    second = tmp_path / "two" / "study"
    shutil.copytree(first, second)
    doomed = asking(first, "--only", "fake", url=postgres_url, lease=2.0)
    until(lambda: llm_server.report()["good"] >= 1)
    with lab(first, postgres_url) as study:
        (dead_run,) = (row["run_id"] for row in study.rows("judge_runs"))
        other = asking(second, "--only", "fake", url=postgres_url)
        until(lambda: study.count("judge_runs") == 2)
        llm_server.set(latency=0.1)
        at_least = llm_server.report()["good"] + 60
        until(lambda: llm_server.report()["good"] >= at_least)
        doomed.kill_all()
        assert said(doomed)[0] < 0
        theirs = study.rows("requests", "request_id, status", f"run_id = '{dead_run}'")
        claimed = {row["request_id"] for row in theirs if row["status"] == "claimed"}
        answered = {row["request_id"] for row in theirs if row["status"] == "answered"}
        assert claimed, "it was killed midway"
        assert answered

        code, out, err = said(other)
        assert (code, err) == (0, ""), out + err
        rows = study.rows("requests")
        report = llm_server.report()
        # nothing is lost, and everything wanted is there once
        assert {row["status"] for row in rows} == {"answered"}
        assert len(rows) == report["prompts"] == len({row["request_id"] for row in rows})
        assert study.count("judgments") == 40 * 5
        assert study.count("ratings", "rater_kind = 'llm'") == 30 * 6
        kept = {row["request_id"] for row in rows if row["run_id"] == dead_run}
        assert kept == answered, "what the dead process had stored stays, and is not asked again"
        # only what was in flight at the kill was sent again, and each such request says so
        noted = {row["request_id"] for row in rows if row["note"] == SENT_AGAIN}
        assert noted == claimed
        again = report["requests"] - report["prompts"]
        assert again <= min(IN_FLIGHT, len(noted))
        assert report["most_asked"] <= 2
        assert f"{len(noted):,} were taken over from a process that died" in out
        assert {row["note"] for row in rows if row["request_id"] not in noted} == {None}
    # a host that comes back finds nothing to do
    code, out, err = said(asking(first, "--only", "fake", url=postgres_url))
    assert (code, err) == (0, "")
    assert llm_server.report()["requests"] == report["requests"]
