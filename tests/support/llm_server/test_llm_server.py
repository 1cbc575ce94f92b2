"""If this failed, the tests of judges would rely on a server that does not speak the real protocol.

The test double of a judge's server is asked through the client that judges use.
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from study.items import Item
from study.judges.prompts.chosen import Question, ask_pairwise, load_prompt
from study.judges.prompts.replies import Unreadable
from tests.support.llm_server import LLMServer, running_llm_server
from tests.support.llm_server.faults import ANSWERS, BREAKS, ERRORS
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def started() -> Iterator[LLMServer]:
    with running_llm_server() as server:
        yield server


@pytest.fixture
def server(started: LLMServer) -> LLMServer:
    started.reset()
    return started


def pair(first: float = 1.0, second: float = 0.0) -> Question:
    """A pairwise question about two texts of known quality."""
    texts = [Item("", "", f"I hear you. [[quality={q:.3f}]]") for q in (first, second)]
    return ask_pairwise(load_prompt("pairwise", Path()), "Which?", *texts)


def asked(question: Question, *, schema: bool = True, **more: Any) -> dict[str, Any]:
    """A request's body."""
    body = {"model": "judge", "messages": list(question.messages), **more}
    if schema:
        wanted = {"name": "answer", "strict": True, "schema": question.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    return body


def replies(server: LLMServer, *bodies: dict[str, Any], timeout: float = 20) -> list[Any]:
    """Ask all requests at once; return the completions, or the exceptions of the client."""

    async def ask() -> list[Any]:
        options: dict[str, Any] = {"base_url": server.base_url, "max_retries": 0}
        async with AsyncOpenAI(api_key="any", timeout=timeout, **options) as client:
            calls = (client.chat.completions.create(**body) for body in bodies)
            return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(ask())


def content(server: LLMServer, body: dict[str, Any]) -> str:
    return str(replies(server, body)[0].choices[0].message.content)


def statuses(server: LLMServer, *bodies: dict[str, Any]) -> list[int]:
    """Ask one after the other; return the statuses, or 0 if no reply came."""
    got = [replies(server, body)[0] for body in bodies]
    return [
        200 if not isinstance(one, Exception) else getattr(one, "status_code", 0) for one in got
    ]


def test_answers_as_the_protocol_says(server: LLMServer) -> None:
    server.set(sharpness=1.2)
    question = pair(1.0, 0.0)
    for schema in (True, False):
        body = asked(question, schema=schema, logprobs=True, top_logprobs=5)
        answer = replies(server, body)[0]
        choice = answer.choices[0]
        assert (choice.finish_reason, choice.message.refusal) == ("stop", None)
        assert question.read(choice.message.content)["choice"] in {"left", "right"}
        tokens = [
            (t.token, {o.token: o.logprob for o in t.top_logprobs}) for t in choice.logprobs.content
        ]
        assert question.p_left(tokens) == pytest.approx(1 / (1 + math.exp(-1.2)))
        assert content(server, body) == choice.message.content
    report, usage = server.report(), answer.usage
    assert report["output_tokens"] > usage.completion_tokens > 0
    assert (report["prompts"], report["answered_more_than_once"], report["good"]) == (2, 2, 4)
    cut = replies(server, asked(question, max_tokens=2))[0].choices[0]
    assert (cut.finish_reason, cut.message.content) == ("length", '{"choice')
    server.set(structured=False)
    assert statuses(server, asked(question), asked(question, schema=False)) == [400, 200]
    server.set(key="another")
    assert statuses(server, asked(question)) == [401]


RAISED = {
    openai.RateLimitError: ["429", "429-seconds", "429-milliseconds", "429-date", "quota"],
    openai.InternalServerError: ["500", "503", "502-html"],
    openai.AuthenticationError: ["401"],
    openai.PermissionDeniedError: ["403", "403-limit"],
    openai.NotFoundError: ["404"],
    openai.BadRequestError: ["400", "400-context", "400-flagged", "400-form", "400-budget"],
    openai.APIStatusError: ["402"],
    openai.APITimeoutError: ["hang"],
    openai.APIConnectionError: ["drop-before", "drop-headers", "drop-body", "reset-body"],
    json.JSONDecodeError: ["truncated-json"],
}
SAID = {
    "length": ('{"choice', "length"),
    "refusal": (None, "stop"),
    "null": (None, "stop"),
    "content-filter": (None, "content_filter"),
    "letter-c": ('{"choice": "C"}', "stop"),
    "both": ("Both", "stop"),
    "empty": ("", "stop"),
    "prose": ("Both have their merits; A is warmer, while B asks more.", "stop"),
}


def test_every_fault_is_what_the_client_makes_of_it(server: LLMServer) -> None:
    raised = {name: kind for kind, names in RAISED.items() for name in names}
    assert {*raised, *SAID, "200-error"} == {*ERRORS, *ANSWERS, *BREAKS}
    question = pair()
    body = asked(question)
    waits = {"429-seconds": ("retry-after", "7"), "429-milliseconds": ("retry-after-ms", "7000")}
    for name, kind in raised.items():
        server.reset(script=[name], retry_after=7)
        error = replies(server, body, timeout=0.4 if name == "hang" else 20)[0]
        assert type(error) is kind, name
        header, value = waits.get(name, ("", None))
        assert not header or error.response.headers[header] == value
        assert name != "429-date" or "GMT" in error.response.headers["retry-after"]
        assert server.report()["faults"] == {name: 1}
        assert server.report()["good"] == 0
        assert statuses(server, body) == [200]
        assert server.report()["most_asked"] == 2
    for name, said in SAID.items():
        server.reset(script={1: name})
        choice = replies(server, body)[0].choices[0]
        assert (choice.message.content, choice.finish_reason) == said
        assert (choice.message.refusal is not None) == (name == "refusal")
        with pytest.raises(Unreadable):
            question.read(choice.message.content or "")
        assert server.report()["good"] == 0
    server.reset(script=["200-error"])
    assert replies(server, body)[0].choices is None


def test_counts_exactly_what_a_client_saw(server: LLMServer) -> None:
    faults = dict.fromkeys(["429", "500", "drop-body", "truncated-json", "drop-before"], 0.06)
    server.set(faults=faults, faults_per_prompt=4, latency=0.01)
    left = [asked(pair(k / 10)) for k in range(60)]
    sent = 0
    while left:
        sent += len(left)
        got = zip(left, replies(server, *left), strict=True)
        left = [body for body, one in got if isinstance(one, Exception)]
    report = server.report()
    assert (report["good"], report["prompts"], report["answered_more_than_once"]) == (60, 60, 0)
    assert report["requests"] == sent == 60 + sum(report["faults"].values())
    assert set(report["faults"]) == set(faults)
    assert 1 < report["most_asked"] <= 5
    assert 1 < report["max_in_flight"] <= 60
    assert sum(report["good_by_second"]) == 60
    assert len(server.recent()) == sent
    server.set(faults={})
    server.forget()
    statuses(server, asked(pair()), asked(pair()))
    assert (server.report()["requests"], server.report()["asked_after_answer"]) == (2, 1)


def test_a_client_that_has_left_was_not_answered(server: LLMServer) -> None:
    server.set(latency=4)
    error = replies(server, asked(pair()), timeout=0.1)[0]
    assert type(error) is openai.APITimeoutError
    assert server.report()["in_flight"] == 1
    server.set(latency=0)
    again = replies(server, asked(pair()))[0]
    assert again.choices
    report = server.report()
    while report["in_flight"]:
        time.sleep(0.1)
        report = server.report()
    assert (report["asked_while_pending"], report["good"], report["in_flight"]) == (1, 1, 0)


def test_a_rate_limit_and_a_pattern_hit_whom_they_should(server: LLMServer) -> None:
    server.set(rate_limit=0.001, rate_burst=5)
    got = Counter(type(one) for one in replies(server, *(asked(pair(k)) for k in range(20))))
    assert got[openai.RateLimitError] == 15
    server.reset(matching=[{"pattern": r"quality=2", "fault": "500"}])
    assert statuses(server, *(asked(pair(k)) for k in (1, 2, 2))) == [200, 500, 500]
    with pytest.raises(ValueError, match="latencies"):
        server.set(latencies=1)


def test_dies_for_a_while_and_comes_back_on_its_port(server: LLMServer) -> None:
    server.die(3600)
    assert statuses(server, asked(pair())) == [0]
    server.live()
    assert statuses(server, asked(pair())) == [200]
    server.die(0.01)
    while statuses(server, asked(pair())) != [200]:
        pass


def by_batch(server: LLMServer, count: int) -> tuple[Any, list[dict[str, Any]]]:
    """Submit `count` requests, wait, and return the batch and every line of its files."""
    rows = [{"custom_id": f"r{k}", "body": asked(pair(k / 9))} for k in range(count)]
    content = "\n".join(map(json.dumps, rows)).encode()

    async def whole() -> tuple[Any, list[dict[str, Any]]]:
        async with AsyncOpenAI(base_url=server.base_url, api_key="any", max_retries=2) as client:
            file = await client.files.create(file=("r.jsonl", content), purpose="batch")
            path: Any = "/v1/chat/completions"
            given = {"input_file_id": file.id, "completion_window": "24h", "metadata": {"t": "x"}}
            batch: Any = await client.batches.create(endpoint=path, **given)
            assert (await client.batches.list(limit=100)).data[0].metadata == {"t": "x"}
            while batch.status in {"validating", "in_progress"}:
                batch = await client.batches.retrieve(batch.id)
            files = [name for name in (batch.output_file_id, batch.error_file_id) if name]
            texts = [(await client.files.content(name)).text for name in files]
            return batch, [json.loads(line) for text in texts for line in text.splitlines()]

    return asyncio.run(whole())


def test_a_batch_brings_what_it_is_told_to(server: LLMServer) -> None:
    server.set(batch_faults={"500": 0.2}, batch_lost=0.2)
    batch, lines = by_batch(server, 60)
    failed = [line for line in lines if line["response"]["status_code"] == 500]
    assert (batch.status, batch.request_counts.failed) == ("completed", len(failed))
    assert 0 < len(failed) < len(lines) < 60
    assert [line["custom_id"] for line in lines] != sorted(line["custom_id"] for line in lines)
    report = server.report()
    assert (report["batch_requests"], report["requests"], report["prompts"]) == (60, 0, 60)
    assert report["good"] == 60 - report["faults"]["500"]
    server.reset(batch_end="expired", batch_share=0.25, desk_script={"POST /v1/files": ["500"]})
    batch, lines = by_batch(server, 40)
    assert batch.status == "expired"
    assert sum(line["error"] is not None for line in lines) == 30
    server.reset(batch_end="failed", desk_script={"POST /v1/batches": ["drop-headers"]})
    batch, lines = by_batch(server, 2)
    assert (batch.status, batch.errors.data[0].code, lines) == (
        "failed",
        "token_limit_exceeded",
        [],
    )
    assert server.report()["batch_requests"] == 4  # a lost reply does not undo a request
    server.reset(desk_faults={"404": 1.0})
    with pytest.raises(openai.NotFoundError):
        by_batch(server, 1)


def test_ends_with_the_process_that_started_it() -> None:
    line = [sys.executable, "-m", "tests.support.llm_server"]
    ended = subprocess.run(line, input="", capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (ended.returncode, ended.stdout.startswith("http://127.0.0.1:")) == (0, True)
