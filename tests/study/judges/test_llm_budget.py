"""If this failed, a judge would cost more than its plan allows, or than was said beforehand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import ratify
from prereg.errors import RatifyError
from study.judges.ledger.ledger import Ledger
from study.judges.runs import progress
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE, lab, make_llm_study, stop_after

PRICES = {"input": 3.0, "output": 15.0}


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    llm_server.reset(latency=0.003)
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def spent(server: LLMServer) -> float:
    """Return what the server's own count of tokens costs."""
    report = server.report()
    return (report["input_tokens"] * 3.0 + report["output_tokens"] * 15.0) / 1e6


def by_command(folder: Path, *options: str) -> tuple[int, str]:
    """Run `ratify judge` in this process, where no terminal is."""
    done = CliRunner().invoke(ratify.main, ["judge", str(folder), "--only", "fake", *options])
    return done.exit_code, done.output


FAULTS = {"500": 0.1, "drop-body": 0.1, "prose": 0.1, "truncated-json": 0.1}


@pytest.mark.parametrize("faults", [{}, FAULTS])
def test_calls_are_never_more_than_the_budget(
    tmp_path: Path, server: LLMServer, faults: dict[str, float]
) -> None:
    server.set(faults=faults)
    folder = make_llm_study(tmp_path / "study", server, budget={"calls": 60}, attempts=3)
    with lab(folder) as study:
        for _ in range(3):  # what earlier runs have sent counts, whatever came of it
            ran = study.run()
            assert ran.stopped == "budget"
            assert ran.calls == server.report()["requests"] == 60
    assert by_command(folder) == (1, by_command(folder)[1])
    assert "stopped: the plan's budget is spent" in by_command(folder)[1]
    assert server.report()["requests"] == 60


@pytest.mark.parametrize("faults", [{}, FAULTS])
def test_money_is_never_more_than_the_budget(
    tmp_path: Path, server: LLMServer, faults: dict[str, float]
) -> None:
    server.set(faults=faults)
    budget = {"money": 0.1}
    folder = make_llm_study(
        tmp_path / "study", server, prices=PRICES, budget=budget, concurrency=16, max_tokens=100
    )
    with lab(folder) as study:
        for _ in range(3):
            ran = study.run()
            assert ran.stopped == "budget"
            assert spent(server) <= ran.money + 1e-9
            assert ran.money <= 0.1
        if not faults:
            assert ran.money == pytest.approx(spent(server))
            # the last call must fit at its most, which is several times what it costs
            assert ran.money > 0.1 - 0.012
        assert study.rows("requests", "sum(cost) AS n")[0]["n"] == pytest.approx(ran.money)


def test_two_processes_do_not_spend_one_budget(
    tmp_path: Path, server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "BUDGET_WAIT", 0.2)
    monkeypatch.setattr(progress, "LOOK_AGAIN", 0.05)
    folder = make_llm_study(tmp_path / "study", server, budget={"calls": 60})
    with lab(folder) as study:
        other = Ledger(study.store, study.study.plan_hash, "fake")
        other.begin(again=False)
        assert other.hold("")
        with pytest.raises(RatifyError, match="another process is spending it"):
            study.run()
        assert server.report()["requests"] == 0
        other.end()
        assert study.run().calls == 60


def numbers(line: str) -> tuple[float, ...]:
    """Return calls, tokens in, tokens out, cost and cost at most of an estimate."""
    found = re.search(
        r"([\d,]+) calls, about ([\d,]+) tokens in and ([\d,]+) out .*?"
        r"about ([\d,.]+) USD, at most ([\d,.]+)$",
        line,
    )
    assert found, line
    return tuple(float(number.replace(",", "")) for number in found.groups())


def test_a_dry_run_sends_nothing_and_is_close(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(
        tmp_path / "study",
        server,
        prices={"input": 3000.0, "output": 15000.0},
        habits={"pairs": 5, "items": 3, "perturbations": ["leetspeak"]},
        both_orders=True,
        pairs={"scheme": "random", "per_scenario": 30},
    )
    code, line = by_command(folder, "--dry-run")
    calls, given, made, cost, most = numbers(line.strip())
    assert code == 0
    assert server.report()["requests"] == 0
    with lab(folder) as study:
        ran = study.run()
    report = server.report()
    # a pair that the ranking shares with the trials is asked once for both
    assert ran.settled <= calls <= ran.settled + 60
    a_call = report["input_tokens"] / ran.settled, report["output_tokens"] / ran.settled
    assert given / calls == pytest.approx(a_call[0], rel=0.25)
    assert made / calls == pytest.approx(a_call[1], rel=0.6)
    assert cost == pytest.approx((given * 3000 + made * 15000) / 1e6, rel=0.01)
    assert spent(server) * 1000 <= most
    code, line = by_command(folder, "--dry-run")
    assert numbers(line.strip())[0] == 0


def test_after_the_first_answers_it_is_measured(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "study", server, prices={"input": 3000.0, "output": 15000.0})
    with lab(folder) as study:
        stop_after(study, study.count("judgments") + 90)
        before = server.report()
        code, line = by_command(folder, "--dry-run")
        assert (code, "as measured so far" in line) == (0, True)
        calls, given, made, cost, _ = numbers(line.strip())
        study.run()
        after = server.report()
        assert calls == after["requests"] - before["requests"]
        assert given == pytest.approx(after["input_tokens"] - before["input_tokens"], rel=0.3)
        assert cost == pytest.approx((given * 3000 + made * 15000) / 1e6, rel=0.01)


def test_above_a_limit_it_asks(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(
        tmp_path / "study",
        server,
        raters=3,
        per_scenario=4,
        prices=PRICES,
        budget={"ask_above": 0.01},
    )
    code, out = by_command(folder)
    assert code == 2
    assert "more than its ask_above of 0.01 (allowed: --yes" in out
    assert server.report()["requests"] == 0
    code, out = by_command(folder, "--yes")
    assert code == 0
    assert "requests answered" in out
    code, out = by_command(folder)  # nothing is left, and nothing costs nothing
    assert code == 0
