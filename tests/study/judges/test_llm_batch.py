"""If this failed, a batch would be paid for twice, or forgotten at the server."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from prereg.errors import RatifyError
from study.judges.ledger.ledger import Ledger
from study.judges.runs.batch import run_batch
from study.judges.runs.progress import Ran
from tests.support import warm
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE, Lab, collect_until, lab, make_llm_study, said


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    llm_server.reset()
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def by_batch(study: Lab, said: list[str] | None = None, **options: Any) -> Ran:
    """Ask by batch, with short waits."""
    say = (said if said is not None else []).append
    return run_batch(study.store, study.study, study.judge, say=say, every=0.02, **options)


def all_is_well(study: Lab, server: LLMServer) -> None:
    """Check that everything is answered, and nothing was paid for twice."""
    assert study.count("requests", "status <> 'answered'") == 0
    assert study.count("judgments") == 100
    assert study.count("ratings", "rater_kind = 'llm'") == 16 * 6
    report = server.report()
    assert report["answered_more_than_once"] == 0
    assert report["prompts"] == study.count("requests")


def test_a_batch_brings_every_answer_in_whatever_order(
    tmp_path: Path, server: LLMServer, database_url: str
) -> None:
    folder = make_llm_study(
        tmp_path / "study", server, prices={"input": 1.0, "output": 2.0}, logprobs=True
    )
    with lab(folder, database_url) as study:
        lines: list[str] = []
        ran = by_batch(study, lines)
        all_is_well(study, server)
        assert ran.settled == server.report()["batch_requests"] == study.count("requests")
        assert server.report()["requests"] == 0
        assert (ran.unanswered, ran.left, ran.stopped) == (0, 0, "")
        assert "requests" in lines[0]
        row = study.rows("requests", where="purpose = 'trial'")[0]
        assert row["p_left"] is not None
        assert row["cost"] > 0
        assert row["reply"]
        again = by_batch(study)
        assert again.settled == 0
        assert study.run().settled == 0


def test_what_a_batch_does_not_bring_is_asked_again(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    server.set(batch_end="expired", batch_share=0.4)
    with lab(folder) as study:
        ran = by_batch(study)
        assert ran.left > 30
        assert study.count("requests") == ran.settled
        server.set(batch_end="completed", batch_lost=0.2, batch_faults={"500": 0.2})
        ran = by_batch(study)
        lost = server.report()["good"] - study.count("requests")
        assert ran.left > 5
        server.set(batch_lost=0.0, batch_faults={})
        assert by_batch(study).left == 0
        assert study.count("requests", "status <> 'answered'") == 0
        # what the server answered and lost had to be asked again, nothing else
        assert server.report()["answered_more_than_once"] == lost


def test_a_batch_that_fails_says_so_and_frees_what_it_held(
    tmp_path: Path, server: LLMServer
) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    server.set(batch_end="failed")
    with lab(folder) as study:
        with pytest.raises(RatifyError, match="the batch failed: Enqueued token limit"):
            by_batch(study)
        assert study.count("requests") == 0
        study.run()
        all_is_well(study, server)


def test_refusals_and_rejections_are_rows(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    server.set(batch_faults={"refusal": 0.1, "400": 0.1, "prose": 0.1, "truncated-json": 0.1})
    with lab(folder) as study:
        ran = by_batch(study)
        reasons = {row["reason"] for row in study.rows("requests") if row["reason"]}
        assert {"refused", "rejected"} <= reasons <= {"refused", "rejected", "unreadable"}
        assert ran.unanswered == study.count("requests", "status = 'unanswered'")
        server.set(batch_faults={})
        by_batch(study)
        assert study.count("requests", "status = 'unanswered'") == ran.unanswered
        by_batch(study, again=True)
        assert study.count("requests", "status = 'unanswered'") == 0


def test_a_batch_answers_as_online(tmp_path: Path, server: LLMServer) -> None:
    """Without structured output it goes on in text, and a flagged text is one refusal."""
    folder = make_llm_study(tmp_path / "study", server)
    server.set(batch_faults={"400-flagged": 0.1}, structured=True)
    with lab(folder) as study:
        ran = by_batch(study)
        assert 0 < ran.unanswered < 30
        rows = study.rows("requests", "reason, note", "status = 'unanswered'")
        assert {row["reason"] for row in rows} == {"refused"}
        assert all("content policy" in row["note"] for row in rows)


def test_a_batch_whose_every_line_is_rejected_is_no_success(
    tmp_path: Path, server: LLMServer
) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    server.set(batch_faults={"400": 1.0})
    with lab(folder) as study:
        for _ in range(2):  # the second run asks them again
            with pytest.raises(RatifyError, match=r"rejects every request: Invalid request"):
                by_batch(study)
        server.set(batch_faults={"400-form": 1.0})
        with pytest.raises(RatifyError, match="must be 'text'"):
            by_batch(study)
        server.set(batch_faults={"402": 0.1})
        with pytest.raises(RatifyError, match="more credit: Insufficient credits"):
            by_batch(study)
        assert study.count("requests", "status = 'answered'") > 50
        server.set(batch_faults={})
        by_batch(study)
        assert study.count("requests", "status <> 'answered'") == 0


def test_a_queue_that_is_too_small_gets_smaller_batches(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    server.set(batch_most=40)
    with lab(folder) as study:
        lines: list[str] = []
        ran = by_batch(study, lines)
        assert any("queue is too small" in line for line in lines)
        assert (ran.left, ran.unanswered) == (0, 0)
        assert study.count("requests", "status <> 'answered'") == 0
        assert server.report()["answered_more_than_once"] == 0


STEPS = [
    ("ledger.announce", "after"),
    ("server.submit", "before"),
    ("server.submit", "after"),
    ("ledger.rename", "after"),
    ("server.download", "after"),
    ("ledger.settle", "after"),
    ("ledger.free", "before"),
]


@pytest.mark.parametrize(("step", "when"), STEPS)
def test_killed_at_any_step_it_goes_on(
    tmp_path: Path, server: LLMServer, step: str, when: str
) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    process = warm.Process(collect_until, (folder, step, when))
    code, _, err = said(process)
    assert code == -signal.SIGKILL, err
    with lab(folder) as study:
        dead = Ledger(study.store, study.study.plan_hash, "fake")
        if dead.tickets():
            with pytest.raises(RatifyError, match="has a batch under way"):
                study.run()
        # the lease of the one that was killed is over by now, or soon
        study.store.write(
            lambda connection: connection.exec_driver_sql("UPDATE judge_runs SET alive_until = 0")
        )
        by_batch(study)
        all_is_well(study, server)


def test_another_process_leaves_what_is_about_to_be_submitted(
    tmp_path: Path, server: LLMServer
) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    with lab(folder) as study:
        from study.judges.wanted.asked import Asked

        wanted = list(Asked.of(study.study, study.judge).trials())[:10]
        other = Ledger(study.store, study.study.plan_hash, "fake")
        other.begin(again=False)
        ticket = f"batch:new:{other.run_id}:1"
        mine = other.announce(wanted, ticket)
        assert mine
        from study.judges.runs import batch

        class EnoughError(Exception):
            """The other one has been waited for."""

        waits = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                raise EnoughError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batch.asyncio, "sleep", sleep)
            with pytest.raises(EnoughError):
                by_batch(study)
        assert other.tickets() == [ticket]
        assert server.report()["prompts"] == study.count("requests") - len(mine)
        other.free(ticket)
        other.end()
        by_batch(study)
        all_is_well(study, server)


@pytest.mark.parametrize("fault", ["drop-headers", "500", "hang"])
def test_whether_a_batch_was_made_is_looked_up(
    tmp_path: Path, server: LLMServer, fault: str
) -> None:
    """The order for it gets lost on the way back: it may stand at the server, or not."""
    desk = {"POST /v1/batches": [fault], "POST /v1/files": ["500"], "GET /v1/batches/*": ["503"]}
    server.set(desk_script=desk)
    folder = make_llm_study(tmp_path / "study", server, timeout_seconds=1)
    with lab(folder) as study:
        by_batch(study)
        all_is_well(study, server)


def test_a_server_without_batches(tmp_path: Path, server: LLMServer) -> None:
    server.set(desk_faults={"404": 1.0})
    folder = make_llm_study(tmp_path / "study", server)
    with lab(folder) as study:
        with pytest.raises(RatifyError, match="does not know the model or address"):
            by_batch(study)
        server.reset()
        study.run()
        all_is_well(study, server)


def test_a_batch_keeps_to_the_budget(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "study", server, budget={"calls": 30})
    with lab(folder) as study:
        for _ in range(2):
            ran = by_batch(study)
            assert (ran.stopped, ran.calls) == ("budget", 30)
        assert server.report()["batch_requests"] == 30


def test_an_interrupted_batch_is_collected_by_the_next_run(
    tmp_path: Path, server: LLMServer
) -> None:
    from tests.study.judges.test_llm_stop import until
    from tests.support.llm_studies import asking

    server.set(batch_seconds=2.0)
    folder = make_llm_study(tmp_path / "study", server)
    process = asking(folder, "--only", "fake", "--batch")
    until(lambda: server.report()["batch_requests"] > 0)
    process.send_signal(signal.SIGINT)
    code, _, err = said(process)
    assert code == 1
    assert "Traceback" not in err
    with lab(folder) as study:
        assert study.count("requests", "status = 'batch'") == study.count("requests") > 0
        by_batch(study)
        all_is_well(study, server)
