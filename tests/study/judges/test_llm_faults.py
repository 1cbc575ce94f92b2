"""If this failed, a fault of the server would lose an answer, invent one, or end a run."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from prereg.errors import RatifyError
from study.llm.reply import LASTING, PASSING
from tests.support.llm_echo import answer, completion, echoing_server
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE, Lab, asking_all, lab, make_llm_study, said

# What a fault is called when it does not pass.
REASONS = {
    "429": "rate_limited",
    "429-seconds": "rate_limited",
    "429-milliseconds": "rate_limited",
    "429-date": "rate_limited",
    "500": "server_error",
    "503": "server_error",
    "502-html": "server_error",
    "200-error": "server_error",
    "truncated-json": "server_error",
    "hang": "timeout",
    "drop-before": "connection",
    "drop-headers": "connection",
    "drop-body": "connection",
    "reset-body": "connection",
    "400": "rejected",
    "400-context": "rejected",
    "length": "cut_off",
    "refusal": "refused",
    "content-filter": "refused",
    "letter-c": "unreadable",
    "both": "unreadable",
    "empty": "unreadable",
    "null": "unreadable",
    "prose": "unreadable",
}
ONCE = [name for name, reason in REASONS.items() if reason != "rejected"]
TROUBLED = "number 3"  # what the texts of one item of each scenario hold


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    llm_server.reset(retry_after=0.05)
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def nothing_is_missing(study: Lab) -> None:
    """Check that every request is answered, with its rows, or says why it is not."""
    for row in study.rows("requests"):
        answered = row["status"] == "answered"
        assert answered or row["status"] == "unanswered"
        assert (row["reason"] is None) == answered
        assert (row["answers"] is not None) == answered
        assert row["attempts"] >= 1
        rows = study.rows("judgments", "request_id", f"request_id = '{row['request_id']}'")
        rows += study.rows("ratings", "request_id", f"request_id = '{row['request_id']}'")
        assert bool(rows) == answered


@pytest.mark.parametrize("fault", ONCE)
def test_a_fault_passes(tmp_path: Path, server: LLMServer, fault: str) -> None:
    """Each request meets the fault with a chance of a third, for two times at most."""
    server.set(faults={fault: 0.3}, faults_per_prompt=2)
    folder = make_llm_study(
        tmp_path / "study",
        server,
        raters=4,
        trials=4,
        per_scenario=4,
        concurrency=16,
        timeout_seconds=1 if fault == "hang" else 20,
    )
    with lab(folder) as study:
        ran = study.run()
        report = server.report()
        assert report["faults"][fault] > 3
        assert (ran.unanswered, ran.stopped) == (0, "")
        if fault != "hang":  # there, an answer may be late when the machine is busy
            assert report["answered_more_than_once"] == 0
        assert sum(row["attempts"] for row in study.rows("requests")) == report["requests"]
        nothing_is_missing(study)


def test_what_does_not_pass_stays_unanswered_with_its_reason(
    tmp_path: Path, server: LLMServer
) -> None:
    """One fault for each item, as often as it is asked; the others are answered."""
    names = [name for name in REASONS if not name.startswith("429")]
    texts = {
        f"job-{n}": f"Seeker: text {n}.\nSupporter: the {name}!" for n, name in enumerate(names, 1)
    }
    server.set(matching=[{"pattern": f"the {name}!", "fault": name} for name in names])
    folder = make_llm_study(
        tmp_path / "study",
        server,
        raters=1,
        trials=1,
        per_scenario=len(names),
        texts=texts,
        timeout_seconds=2,  # on a busy machine an answer takes a while
        attempts=2,
        concurrency=8,
        reply="schema",
        patience_minutes=0.16,
        failures_in_a_row=0,  # nearly everything fails here
    )
    with lab(folder) as study:
        study.run()
        nothing_is_missing(study)
        found = {
            json.loads(row["item_ids"])[0]: row
            for row in study.rows("requests")
            if row["purpose"] == "rating"
        }
        for number, name in enumerate(names, 1):
            row = found[f"job-{number}"]
            if name in {"both", "prose", "letter-c", "length"} and row["status"] == "answered":
                continue  # says nothing wrong where scores are asked
            assert row["reason"] == REASONS[name], name
            assert row["attempts"] >= (1 if REASONS[name] == "rejected" else 2), name

        server.forget()
        lasting = study.count("requests", f"reason IN {LASTING}")
        passing = study.count("requests", f"reason IN {PASSING}")
        study.run()  # asks what passes again, and nothing else
        assert study.count("requests", f"reason IN {LASTING}") == lasting
        assert study.count("requests", f"reason IN {PASSING}") == passing
        assert server.report()["prompts"] == passing
        # what was tried in both runs is counted in both
        assert study.count("requests", "reason = 'timeout' AND attempts >= 4")

        server.reset()
        study.run()
        assert study.count("requests", "status = 'unanswered'") == lasting
        assert server.report()["requests"] == passing
        study.run(again=True)
        assert study.count("requests", "status = 'unanswered'") == 0
        assert server.report()["answered_more_than_once"] == 0
        nothing_is_missing(study)


def test_limits_that_never_end(tmp_path: Path, server: LLMServer) -> None:
    server.set(faults={"429": 1.0})
    folder = make_llm_study(tmp_path / "study", server, patience_minutes=0.01)
    with lab(folder) as study:
        with pytest.raises(RatifyError, match=r"not answered for .*Rate limit"):
            study.run()
        server.reset()
        assert study.run().unanswered == 0
        nothing_is_missing(study)


def test_what_ends_a_run_at_once(tmp_path: Path, server: LLMServer) -> None:
    """A wrong key, no model, no money; nothing at all, and something else where the server is."""
    ends = {
        "401": "key_variable: judge 'fake': the server refuses the key: Incorrect API key",
        "403": "rejects every request: Your country is not supported",
        "404": "does not know the model or address: The model does not exist.",
        "quota": "asks for payment or more credit: You exceeded your current quota.",
        "400": "rejects every request: Invalid request.",
    }
    folders = []
    with echoing_server(page=lambda _: b"<html>a page</html>") as other:
        for name in ends:
            server.reset(script=[name] * 500)
            url = server.base_url
            folders.append(make_llm_study(tmp_path / name, url, locked=True, reply="schema"))
        for name, url in {"page": f"{other}/page", "nobody": "http://127.0.0.1:9/v1"}.items():
            folders.append(make_llm_study(tmp_path / name, url, patience_minutes=0.01))
        for folder, name in zip(folders, ends, strict=False):
            server.reset(script=[name] * 500)
            with lab(folder) as study, pytest.raises(RatifyError, match=ends[name]):
                study.run()
            assert server.report()["requests"] <= 10
            with lab(folder) as study:
                assert study.count("requests", "run_id IS NOT NULL") == 0
        code, out, err = said(asking_all(folders[-2:], "--only", "fake"))
        assert out.count("ended with 2") == 2, err
        lines = [line for line in err.splitlines() if line]
        assert len(lines) == 2
        assert "the server sent a web page instead of a reply" in lines[0]
        assert "(no connection: nothing listens at 127.0.0.1:9)" in lines[1]
        server.reset()
        code, out, err = said(asking_all(folders[:1], "--only", "fake", key=None))
        assert code == 2
        assert err.strip().count("\n") == 0
        assert f"{VARIABLE}: judge 'fake' needs a key" in err
        assert server.report()["requests"] == 0


def test_an_item_that_is_refused_from_the_start_is_no_reason_to_stop(
    tmp_path: Path, server: LLMServer
) -> None:
    server.set(latency=0.1, matching=[{"pattern": TROUBLED, "fault": "400-context"}])
    folder = make_llm_study(tmp_path / "study", server, per_scenario=4, concurrency=6)
    with lab(folder) as study:
        ran = study.run()
        assert ran.unanswered == study.count("requests", "reason = 'rejected'") > 3
        nothing_is_missing(study)


def test_a_moderated_item_is_no_wrong_key(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "study", server, concurrency=1, raters=2, per_scenario=3)
    server.set(script={5: "403"})
    with lab(folder) as study:
        assert study.run().unanswered == 1
        assert study.count("requests", "reason = 'rejected'") == 1


def test_without_structured_output_it_goes_on_in_text(tmp_path: Path, server: LLMServer) -> None:
    server.set(structured=False)
    folder = make_llm_study(tmp_path / "study", server)
    with lab(folder) as study:
        ran = study.run()
        report = server.report()
        assert ran.unanswered == 0
        refused = report["statuses"]["400"]
        assert 1 <= refused <= 8
        assert report["requests"] == ran.settled + refused == ran.calls
        nothing_is_missing(study)


def test_a_server_may_have_other_words_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    sent: list[bool] = []

    def picky(body: dict[str, Any]) -> bytes | None:
        sent.append("response_format" in body)
        if sent[-1]:
            return None  # a 400 that says nothing
        scores = re.findall(r'"(\w+)" \(a whole number', body["messages"][-1]["content"])
        return completion(json.dumps(dict.fromkeys(scores, 3) or {"choice": "A"}))

    with echoing_server(picky=picky) as url:
        folder = make_llm_study(tmp_path / "study", f"{url}/picky", raters=4)
        with lab(folder) as study:
            assert study.run().unanswered == 0
            assert 1 <= sum(sent) <= 8
            nothing_is_missing(study)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_server_that_dies_for_a_while(
    tmp_path: Path, server: LLMServer, concurrency: int
) -> None:
    server.set(latency=0.005)
    folder = make_llm_study(
        tmp_path / "study", server, raters=20, concurrency=concurrency, attempts=2, both_orders=True
    )
    dead = []

    def kill(progress: Any) -> None:
        if progress.settled >= 30 and not dead:
            server.die(1.0)
            dead.append(time.monotonic())

    with lab(folder) as study:
        ran = study.run(progress=kill)
        assert dead
        assert time.monotonic() - dead[0] > 1
        assert (ran.unanswered, ran.stopped) == (0, "")
        assert study.count("requests", "status <> 'answered'") == 0
        # only what was under way may have been answered without our hearing of it
        assert server.report()["answered_more_than_once"] <= concurrency


def test_a_server_that_dies_for_too_long(tmp_path: Path, server: LLMServer) -> None:
    server.set(latency=0.005)
    folder = make_llm_study(tmp_path / "study", server, patience_minutes=0.03)

    def kill(progress: Any) -> None:
        if progress.settled >= 20:
            server.die(60)

    with lab(folder) as study:
        with pytest.raises(RatifyError, match=r"has not answered for .* minutes \(.*connection"):
            study.run(progress=kill)
        kept = study.count("requests", "status = 'answered'")
        assert kept >= 20
        server.live()
        server.forget()
        ran = study.run()
        assert (ran.unanswered, study.count("requests", "status <> 'answered'")) == (0, 0)
        assert ran.settled == study.count("requests") - kept
        assert server.report()["answered_more_than_once"] == 0
        nothing_is_missing(study)


def test_the_last_requests_may_be_the_bad_ones(tmp_path: Path, server: LLMServer) -> None:
    """When only they are left, nothing tells a bad request from a dead server: they end as rows."""
    server.set(matching=[{"pattern": TROUBLED, "fault": "500"}])
    folder = make_llm_study(
        tmp_path / "study", server, patience_minutes=0.05, attempts=2, concurrency=16
    )
    with lab(folder) as study:
        ran = study.run()
        assert ran.unanswered == study.count("requests", "reason = 'server_error'") > 5
        nothing_is_missing(study)


def test_answers_of_every_odd_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts, without usage, huge, with NUL and half characters in every field, nested deep."""
    monkeypatch.setenv(VARIABLE, KEY)

    def odd(body: dict[str, Any]) -> bytes:
        return completion(
            [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": answer(body)}],
            model="m\x00\ud800",
            system_fingerprint="\udfff\x00",
            usage=None,
        )

    def huge(body: dict[str, Any]) -> bytes:
        usage = {"prompt_tokens": 2**31 - 1, "completion_tokens": -1}
        return completion(" " * 1_000_000 + answer(body) + "\n" * 100, usage=usage)

    def deep(_: dict[str, Any]) -> bytes:
        return b'{"choices":' + b"[" * 100_000

    replies = {"odd": odd, "huge": huge, "deep": deep, "nul": lambda _: completion("\x00\ud800")}
    with echoing_server(**replies) as url:
        for name in replies:
            folder = make_llm_study(
                tmp_path / name,
                f"{url}/{name}",
                raters=2,
                trials=2,
                per_scenario=3,
                attempts=2,
                patience_minutes=0.01,
                parameters={"extra": {"nested": [1, {"deep": None}]}},
                temperature=None,
            )
            with lab(folder) as study:
                if name == "deep":
                    with pytest.raises(RatifyError, match="not a chat completion"):
                        study.run()
                    continue
                if name == "nul":
                    with pytest.raises(RatifyError, match="cannot be read"):
                        study.run()
                else:
                    assert study.run().unanswered == 0
                nothing_is_missing(study)
