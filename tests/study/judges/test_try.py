"""If these failed, a judge could not be tried before it costs money, nor repaired later."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from prereg.transport_log import LOG_FILE, changes_since_lock
from ratify import main
from study.judges.runs import batch
from study.llm.pace import Pace
from study.opening import lock_study, open_study
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE, lab, make_llm_study
from tests.support.plans import edited_plan

PRICES = {"input": 1.0, "output": 2.0, "currency": "EUR"}


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="ratify")


def test_a_try_shows_everything_and_keeps_nothing(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "s", server, locked=False, prices=PRICES)
    with edited_plan(folder) as plan:  # other parts may still be wrong
        plan["analyses"] = [{"id": "x", "kind": "nothing"}]
        plan["design"]["raters"] = "many"
        del plan["recruitment"]
        plan["judges"] = plan["judges"][:1]
    (folder / "consent.md").unlink()
    shown = run("judge", folder, "--try", 3)
    assert shown.exit_code == 0, shown.output
    for words in (
        "the plan has another fault",
        "[system]",
        "job, number 1.",
        "[reply]",
        "read as: choice = ",
        "read as: validating_emotions = ",
        "tokens: ",
        "EUR",
        "3 of 3 replies could be read",
        "nothing was kept",
    ):
        assert words in shown.output
    assert server.report()["requests"] == 3
    assert KEY not in shown.output
    assert sorted(path.name for path in folder.iterdir()) == [
        "instructions.md",
        "items.csv",
        "plan.schema.json",
        "plan.yaml",
    ]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"key": "another"}, "nothing could be read"),
        ({"faults": {"refusal": 1.0}}, "NOT read: refused"),
    ],
)
def test_nothing_read_is_exit_code_2(
    tmp_path: Path, server: LLMServer, settings: dict[str, Any], says: str
) -> None:
    folder = make_llm_study(tmp_path / "s", server, locked=True)
    before = sorted(folder.iterdir())
    server.set(**settings)
    shown = run("judge", folder, "--try", 2)
    assert shown.exit_code == 2
    assert says in shown.output
    assert sorted(folder.iterdir()) == before


def test_a_plan_without_llm_or_with_a_bad_one_cannot_be_tried(tmp_path: Path) -> None:
    folder = make_llm_study(tmp_path / "s", "http://127.0.0.1:9/v1", locked=False)
    assert "allowed: fake" in run("judge", folder, "--try", 1, "--only", "length").output
    with edited_plan(folder) as plan:
        plan["gate"] = [{"analysis": "none"}]
        plan["judges"][0]["temprature"] = 0
    shown = run("judge", folder, "--try", 1)
    assert shown.exit_code == 2
    assert "judges.0.temprature (fake): unknown key" in shown.output


def test_transport_is_repaired_after_the_lock_and_every_change_is_logged(
    tmp_path: Path, server: LLMServer
) -> None:
    folder = make_llm_study(tmp_path / "s", "http://127.0.0.1:9/v1", raters=2, trials=2)
    locked = open_study(folder).plan_hash
    with edited_plan(folder) as plan:
        plan["judges"][0] |= {"base_url": server.base_url, "concurrency": 2, "timeout_seconds": 9}
        plan["judges"][0] |= {"headers": {"X-Study": "one"}, "requests_per_minute": 60000}
    study = open_study(folder)
    assert study.plan_hash == locked
    pending = changes_since_lock(folder, study.plan, study.lock)
    assert {change.key for change in pending if not change.at} == {
        "base_url",
        "concurrency",
        "timeout_seconds",
        "headers",
        "requests_per_minute",
    }
    assert "base_url is" in run("check", folder).output
    assert not (folder / LOG_FILE).exists()  # nobody has asked with these yet
    asked = run("judge", folder)
    assert asked.exit_code == 0, asked.output
    assert 'changed since the lock: judge fake: base_url is "http://127.0.0.1' in asked.output
    logged = json.loads((folder / LOG_FILE).read_text())
    (url,) = [entry for entry in logged if entry["key"] == "base_url"]
    assert (url["old"], url["new"]) == ("http://127.0.0.1:9/v1", server.base_url)
    with edited_plan(folder) as plan:
        plan["judges"][0] |= {"base_url": "http://127.0.0.1:9/v1"}
    lock_study(folder)  # back again: a change as well
    again = json.loads((folder / LOG_FILE).read_text())
    assert again[: len(logged)] == logged
    assert [(entry["key"], entry["old"]) for entry in again[len(logged) :]] == [
        ("base_url", server.base_url)
    ]
    with edited_plan(folder) as plan:
        plan["judges"][0]["temperature"] = 1
    with pytest.raises(RatifyError, match=r"changed since the plan was locked.*: judges"):
        open_study(folder)


class _Echo(BaseHTTPRequestHandler):
    seen: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_POST(self) -> None:
        self.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        self.rfile.read(int(self.headers["content-length"]))
        said = {"message": f"no entry for {self.headers['api-key']}"}
        body = json.dumps({"error": said}).encode()
        self.send_response(400)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    _Echo.seen.clear()
    served = HTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}/v1"
    served.shutdown()
    thread.join()
    served.server_close()


def test_headers_and_query_are_sent_and_their_secrets_are_not_shown(
    tmp_path: Path, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_TESTS", "a-secret-of-the-tests")
    headers = {
        "api-key": "${SECRET_OF_THE_TESTS}",
        "authorization": "Token ${SECRET_OF_THE_TESTS}",
        "X-Title": 7,
    }
    folder = make_llm_study(
        tmp_path / "s",
        echo,
        key_variable=None,
        headers=headers,
        query={"api-version": "2024-10-21"},
        locked=False,
    )
    plan = folder / "plan.yaml"  # unquoted, YAML reads a date
    plan.write_text(plan.read_text().replace("'2024-10-21'", "2024-10-21"))
    shown = run("judge", folder, "--try", 1)
    path, sent = _Echo.seen[0]
    assert path == "/v1/chat/completions?api-version=2024-10-21"
    assert sent["api-key"] == "a-secret-of-the-tests"
    assert sent["authorization"] == "Token a-secret-of-the-tests"
    assert sent["x-title"] == "7"
    assert "a-secret" not in shown.output
    assert "[key]" in shown.output
    monkeypatch.delenv("SECRET_OF_THE_TESTS")
    assert "SECRET_OF_THE_TESTS" in run("judge", folder, "--try", 1).output


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"headers": {"api-key": "sk-123"}}, "looks like a secret"),
        ({"headers": {"Host": "other"}}, "cannot be set here"),
        ({"headers": {"X-A": "a\nb"}}, "cannot be sent"),
        ({"headers": {"X A": "a"}}, "cannot be the name"),
        ({"headers": {"X-A": "a", "x-a": "b"}}, "more than once"),
        ({"headers": {"X-A": "${1}"}}, "not a variable"),
        ({"base_url": "http://host:99999/v1"}, "is not an address"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_the_plan(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LLMJudge.model_validate({"id": "j", "kind": "llm", "model": "m", **keys})


def test_requests_begin_at_the_plans_rate() -> None:
    async def started() -> list[float]:
        pace = Pace(50, patience=60, per_minute=1200)  # one in 50 ms
        begun = await asyncio.gather(*(pace.enter() for _ in range(6)))
        return sorted(time.monotonic() - 0 if one is None else one for one in begun)

    times = asyncio.run(started())
    assert times[-1] - times[0] >= 5 * 0.05 - 0.01


def test_a_batch_has_at_most_as_many_requests_as_the_plan_says(
    tmp_path: Path, server: LLMServer
) -> None:
    folder = make_llm_study(tmp_path / "s", server, raters=2, trials=2, batch_size=7)
    said: list[str] = []
    with lab(folder) as study:
        batch.run_batch(study.store, study.study, study.judge, say=said.append, every=0.02)
    sizes = [int(line.split()[-2]) for line in said if line.endswith(" requests")]
    assert len(sizes) > 1
    assert max(sizes) == 7
