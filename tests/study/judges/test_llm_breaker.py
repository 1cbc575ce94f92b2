"""If this failed, a server that turned bad for good would cost hundreds of calls, in silence."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import ratify
from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.judges.runs.breaker import Breaker, Failure
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE, lab, make_llm_study

# How a server turns bad for good, and what is printed of its words.
WAYS = {
    "403-limit": "asks for payment or more credit: Key limit exceeded (total limit). (status 403)",
    "400-budget": "asks for payment or more credit: Budget has been exceeded!",
    "402": "asks for payment or more credit: Insufficient credits.",
    "404": "The model does not exist.",
    "400": "rejects every request: Invalid request.",
    "length": "the reply was cut off at max_tokens (300)",
    "empty": "the reply cannot be read: empty",
    "prose": "the last reply begins 'Both have their merits",
    "refusal": "refuses: the judge declines; the last reply begins 'I'm sorry",
    "400-flagged": "refuses: The prompt was flagged by our content policy. (status 400)",
}
AFTER = 25
CONCURRENCY = 8  # of `make_llm_study`


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, started_llm_server: LLMServer) -> Path:
    """A locked study that nobody has asked yet."""
    folder = tmp_path_factory.mktemp("breaker") / "study"
    return make_llm_study(folder, started_llm_server, raters=8, per_scenario=6)


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    llm_server.reset()
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def asked(folder: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(ratify.main, ["judge", str(folder), "--only", "fake", *options])
    return done.exit_code, done.output


@pytest.mark.parametrize("first", [1, AFTER + 1])
@pytest.mark.parametrize("way", WAYS)
def test_it_stops_within_ten_calls_and_is_finished_later(
    tmp_path: Path, server: LLMServer, made: Path, way: str, first: int
) -> None:
    folder = shutil.copytree(made, tmp_path / "study")
    server.reset(script=dict.fromkeys(range(first, 400), way))
    for repeat in (0, 1):  # the next run does not find everything settled
        server.forget()
        code, out = asked(folder)
        assert code == 2
        assert WAYS[way] in out
        sent = server.report()["requests"]
        # calls that were under way together when the server turned bad arrived there in any order
        together = CONCURRENCY - 1 if first > 1 else 0
        assert sent <= (10 if repeat else first - 1 + 10 + together)
        server.set(script=dict.fromkeys(range(1, 400), way))
    server.reset()
    code, out = asked(folder)
    assert code == 0, out
    assert "unanswered" not in out
    with lab(folder) as study:
        assert study.count("requests", "status <> 'answered'") == 0
        assert study.count("judgments") == 40
        assert study.count("ratings", "rater_kind = 'llm'") == 12 * 6


def test_answers_on_their_way_hide_nothing(tmp_path: Path, server: LLMServer) -> None:
    """Errors come at once, while slow answers of before still arrive."""
    folder = make_llm_study(
        tmp_path / "study", server, raters=30, concurrency=32, reply="schema", both_orders=True
    )
    server.reset(latency=0.3, script=dict.fromkeys(range(61, 900), "400"))
    with lab(folder) as study:
        with pytest.raises(RatifyError, match="rejects every request: Invalid request"):
            study.run()
        assert server.report()["requests"] <= 60 + 32 + 10
        assert study.count("requests", "status = 'answered'") == 60


def test_a_few_that_fail_are_rows(tmp_path: Path, server: LLMServer, made: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "study")
    server.reset(
        matching=[
            {"pattern": "lost my job, number 1", "fault": "400-flagged"},
            {"pattern": "lost my home, number 2", "fault": "refusal"},
        ]
    )
    code, out = asked(folder)
    assert code == 0, out
    with lab(folder) as study:
        flagged = study.rows("requests", where="note LIKE '%flagged%'")
        assert {(row["reason"], row["attempts"]) for row in flagged} == {("refused", 1)}
        assert len(flagged) > 3
        declined = study.rows("requests", where="note = 'the judge declines'")
        assert {row["attempts"] for row in declined} == {3}
        lacking = study.count("requests", "status = 'unanswered'")
        assert f"{lacking:,} unanswered, refused, for example: " in out
        assert asked(folder)[0] == 0
        server.forget()
        study.run()  # nothing is open
        assert server.report()["requests"] == 0
        # they are refused again: that stops the run, and leaves them as they were
        if lacking >= 10:
            with pytest.raises(RatifyError, match="failed"):
                study.run(again=True)
        assert study.count("requests", "status = 'unanswered' AND run_id IS NULL") == 0


def test_one_kind_of_question_that_always_fails(
    tmp_path: Path, server: LLMServer, made: Path
) -> None:
    folder = shutil.copytree(made, tmp_path / "study")
    server.reset(matching=[{"pattern": "a whole number from", "fault": "400"}])
    code, out = asked(folder)
    assert code == 2
    assert "Invalid request. (status 400)" in out
    with lab(folder) as study:
        assert study.count("requests", "status = 'answered'") > 20
        assert 3 <= study.count("requests", "reason = 'rejected'") <= 10
        server.reset()
        assert study.run().unanswered == 0


def judge(**keys: object) -> LLMJudge:
    return LLMJudge.model_validate({"id": "j", "kind": "llm", "model": "m", **keys})


def test_rows_are_counted_in_the_order_of_sending() -> None:
    breaker = Breaker(judge(failures_in_a_row=3))
    numbers = [breaker.sent("p")]
    assert not breaker.has_room("p")  # the first goes alone
    breaker.answered(numbers[0], "p")
    numbers += [breaker.sent("p"), breaker.sent("p")]
    assert breaker.has_room("p")
    breaker.failed("p", Failure(numbers[2], "b", "rejected", "no"))
    breaker.answered(numbers[1], "p")  # sent before the failure: it ends nothing
    assert not breaker.is_calm("p")
    late = breaker.sent("p")
    assert breaker.has_room("p")
    breaker.answered(late, "p")
    assert breaker.is_calm("p")
    for name in "cde":
        assert not breaker.is_open
        breaker.failed("p", Failure(breaker.sent("p"), name, "cut_off", "cut off"))
    assert breaker.is_open
    assert breaker.blamed() == {"b", "c", "d", "e"}, "b may have met the same server"
    assert "max_tokens" in str(breaker.error())


@dataclass
class Sent:
    """A call of the simulation below."""

    number: int
    request: int
    good: bool | None = None  # it has not reached the server yet


@given(
    concurrency=st.integers(1, 40),
    good=st.integers(0, 60),
    seed=st.integers(0, 2**32),
    spread=st.integers(1, 40),
)
def test_no_order_of_calls_and_replies_costs_more(
    concurrency: int, good: int, seed: int, spread: int
) -> None:
    rng = np.random.default_rng(seed)
    breaker = Breaker(judge(concurrency=concurrency))
    under_way: list[Sent] = []
    put_off: list[tuple[int, int]] = []  # a request, and how many calls were sent when it failed
    attempts: Counter[int] = Counter()
    requests = arrived = 0
    while not breaker.is_open:
        while len(under_way) < concurrency and breaker.has_room("p"):
            again = [one for one in put_off if breaker.is_calm("p", one[1])]
            if again:
                put_off.remove(again[0])
                request = again[0][0]
            else:
                request, requests = requests, requests + 1
            under_way.append(Sent(breaker.sent("p"), request))
        call = under_way[rng.integers(min(spread, len(under_way)))]
        if call.good is None:
            arrived += 1
            call.good = arrived <= good
            continue
        under_way.remove(call)
        if call.good:
            breaker.answered(call.number, "p")
            continue
        breaker.failed("p", Failure(call.number, str(call.request), "refused", "no"))
        attempts[call.request] += 1
        if attempts[call.request] < 3:
            put_off.append((call.request, breaker.calls))
    # the last good call may have been sent after others that were under way
    assert breaker.calls <= good + concurrency - 1 + max(10, concurrency)


def test_a_request_that_failed_while_others_were_answered_is_odd() -> None:
    breaker = Breaker(judge())
    for name in range(9):
        breaker.failed("p", Failure(breaker.sent("p"), f"odd {name}", "cut_off", "cut off"))
    breaker.answered(breaker.sent("p"), "p")
    for name in [*range(9)] * 2:  # only these are left, and are asked again
        breaker.failed("p", Failure(breaker.sent("p"), f"odd {name}", "cut_off", "cut off"))
    assert breaker.is_calm("p")
    for name in range(10):
        assert not breaker.is_open
        breaker.failed("p", Failure(breaker.sent("p"), f"new {name}", "cut_off", "cut off"))
    assert breaker.is_open


def test_what_failed_beside_the_last_answer_is_asked_again() -> None:
    breaker = Breaker(judge(concurrency=4))
    breaker.answered(breaker.sent("p"), "p")
    breaker.failed("p", Failure(breaker.sent("p"), "long ago", "refused", "no"))
    for _ in range(20):
        breaker.answered(breaker.sent("p"), "p")
    early, late = breaker.sent("p"), breaker.sent("p")
    breaker.failed("p", Failure(early, "beside", "refused", "no"))
    breaker.answered(late, "p")  # it reached the server before the call that was sent first
    for name in range(10):
        breaker.failed("p", Failure(breaker.sent("p"), f"new {name}", "refused", "no"))
    assert breaker.is_open
    assert breaker.blamed() == {"beside", *(f"new {name}" for name in range(10))}


@pytest.mark.parametrize(("reason", "calls"), [("refused", 50), ("rejected", 10)])
def test_one_item_that_is_refused_ends_nothing(reason: str, calls: int) -> None:
    breaker = Breaker(judge())
    breaker.answered(breaker.sent("p"), "p")
    for sent in range(calls):
        assert not breaker.is_open
        items = frozenset({"refused", f"other {sent}"})
        breaker.failed("p", Failure(breaker.sent("p"), str(sent), reason, "no", "", items))
    assert breaker.is_open


def test_refusals_of_one_item_and_of_another_count_together() -> None:
    breaker = Breaker(judge())
    breaker.answered(breaker.sent("p"), "p")
    for sent in range(10):
        assert not breaker.is_open
        items = frozenset({"one" if sent < 9 else "another"})
        breaker.failed("p", Failure(breaker.sent("p"), str(sent), "refused", "no", "", items))
    assert breaker.is_open


def test_without_a_limit_nothing_stops_it() -> None:
    breaker = Breaker(judge(failures_in_a_row=0))
    for number in range(100):
        breaker.failed("p", Failure(breaker.sent("p"), str(number), "refused", "no"))
    assert breaker.has_room("p")
    assert not breaker.is_open
