"""If this failed, a server's fault would spoil vectors, cost a run, or be told in a traceback."""

from __future__ import annotations

import json
import os
import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prereg.errors import RatifyError
from ratify.embed import embed_frame
from study.encoders import door
from study.encoders.encoder import TextFaultError
from study.encoders.served import BATCH, Served, Waits
from study.llm.reply import TroubleError
from study.llm.vectors import KEY_VARIABLE, NO_VECTORS, read_vectors
from tests.support.encoders import make_frame
from tests.support.llm_server import LLMServer
from tests.support.llm_server.embeddings import vector_of

QUICK = Waits(0.01, 0.05)
TEXTS = [f"text number {at}" for at in range(3 * BATCH + 5)]


def served(server: LLMServer, **settings: Any) -> Served:
    return Served(server.base_url, "embed-1", **{"waits": QUICK, "attempts": 4} | settings)


def right(texts: list[str]) -> Any:
    return np.array([vector_of(text) for text in texts], dtype=np.float32)


def test_vectors_come_in_the_order_of_the_texts(llm_server: LLMServer) -> None:
    encoder = served(llm_server)
    found = encoder.encode(TEXTS)
    np.testing.assert_array_equal(found, right(TEXTS))
    report = llm_server.report()
    assert report["inputs"] == len(TEXTS)
    assert (encoder.count.requests, encoder.count.tokens) == (4, report["input_tokens"])
    assert report["requests"] == 4
    sent = json.loads(llm_server.recent()[0])
    assert set(sent) == {"model", "input"}


@pytest.mark.parametrize("fault", ["vectors-turned", "vectors-unnumbered"])
def test_other_forms_of_the_protocol_are_read(llm_server: LLMServer, fault: str) -> None:
    llm_server.set(faults={fault: 1.0})
    np.testing.assert_array_equal(served(llm_server).encode(TEXTS[:9]), right(TEXTS[:9]))


@pytest.mark.parametrize(
    "fault", ["500", "503", "429-milliseconds", "drop-body", "truncated-json", "vectors-missing"]
)
def test_a_fault_that_passes_costs_time_only(llm_server: LLMServer, fault: str) -> None:
    llm_server.set(script=[fault, fault], retry_after=0.02)
    encoder = served(llm_server)
    np.testing.assert_array_equal(encoder.encode(TEXTS), right(TEXTS))
    assert encoder.count.requests == 6


def test_many_faults_at_once_spoil_no_vector(llm_server: LLMServer) -> None:
    faults = {"500": 0.2, "429": 0.1, "drop-before": 0.1, "vectors-missing": 0.05}
    llm_server.set(faults=faults, faults_per_prompt=2)
    texts = [f"{text} again" for text in TEXTS * 3]
    np.testing.assert_array_equal(served(llm_server).encode(texts), right(texts))


def test_a_server_that_takes_fewer_texts_gets_fewer(llm_server: LLMServer) -> None:
    llm_server.set(most_inputs=20)
    np.testing.assert_array_equal(served(llm_server).encode(TEXTS), right(TEXTS))
    assert llm_server.report()["statuses"]["413"] == 3 + 6


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"longest_input": 99}, "maximum context length is 99"),
        ({"matching": [{"pattern": "a bad one", "fault": "400-flagged"}]}, "content policy"),
    ],
)
def test_the_text_that_is_refused_is_named(
    llm_server: LLMServer, settings: dict[str, Any], said: str
) -> None:
    llm_server.set(**settings)
    texts = [*TEXTS[:70], "a bad one " * 20, *TEXTS[70:]]
    with pytest.raises(TextFaultError, match=rf"text 71: encoder embed-1 refuses.*{said}"):
        served(llm_server).encode(texts)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("401", rf"{KEY_VARIABLE}: encoder embed-1: the server asks for a key.*holds the key"),
        ("404", r"encoder\.model: encoder embed-1: .*does not know the model.*got 'embed-1'"),
        ("402", r"encoder: encoder embed-1: the server asks for payment"),
        ("vectors-text", NO_VECTORS),
        ("vectors-null", NO_VECTORS),
        ("vectors-missing", r"the server sent \d+ embeddings for \d+ texts"),
        ("vectors-short", "vectors of mixed length, got 7 .allowed: 8 numbers"),
        ("vectors-nan", "column e0: encoder server:embed-1 gave a vector with a value"),
        ("502-html", r"no embeddings came: a web page .*is kept"),
    ],
)
def test_a_fault_that_stays_is_told_in_one_line(
    llm_server: LLMServer, fault: str, said: str
) -> None:
    llm_server.set(faults={fault: 1.0})
    with pytest.raises(RatifyError, match=said) as raised:
        served(llm_server).encode(TEXTS[: BATCH + 9])
    assert "judge" not in str(raised.value)


def test_a_server_that_is_gone_is_told_in_one_line(llm_server: LLMServer) -> None:
    llm_server.die(30)
    with pytest.raises(RatifyError, match=r"server has not answered for .*run the command again"):
        served(llm_server, patience_minutes=0.005).encode(TEXTS)
    llm_server.live()
    with pytest.raises(RatifyError, match=r"encoder\.server: encoder m: is not an address"):
        Served("http://127.0.0.1:99999/v1", "m").encode(["a"])


def test_a_server_that_never_answered_is_not_waited_for_in_silence(llm_server: LLMServer) -> None:
    llm_server.die(30)
    said: list[str] = []
    encoder = served(llm_server, first_minutes=0.02)
    encoder.tell = said.append
    began = time.monotonic()
    with pytest.raises(RatifyError, match=r"server has not answered for .*nothing listens at"):
        encoder.encode(TEXTS)
    assert time.monotonic() - began < 15, "not the 15 minutes of a server that has answered"
    assert re.fullmatch(
        r"encoder embed-1: no connection: nothing listens at [^;]+; trying again for 1 second",
        said[0],
    )
    assert len(said) == 1


def test_a_server_that_answered_before_is_waited_for_longer(
    llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("study.encoders.served.SAID_EVERY", 0.2)
    said: list[str] = []
    encoder = served(llm_server, first_minutes=0.001)
    encoder.tell = said.append
    encoder.encode(TEXTS[:2])
    assert said == []
    llm_server.die(1.5)
    np.testing.assert_array_equal(encoder.encode(TEXTS[:3]), right(TEXTS[:3]))
    assert said[0].endswith("trying again for 15 minutes")
    assert len(said) > 2
    assert said[-1] == "encoder embed-1: the server answers again"


def test_the_command_says_that_it_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = partial(Served, waits=QUICK, first_minutes=0.01)
    monkeypatch.setattr(door, "Served", quick)
    door.encoder_of.cache_clear()
    make_frame(tmp_path, TEXTS[:3])
    setting = {"server": "http://127.0.0.1:9/v1", "model": "embed-9"}
    with pytest.raises(RatifyError, match="the server has not answered for"):
        embed_frame(tmp_path, "frame.csv", "prompt", setting)
    assert "encoder embed-9: no connection: nothing listens at 127.0.0.1:9; trying again for" in (
        capsys.readouterr().err
    )
    door.encoder_of.cache_clear()


def test_the_key_is_sent_and_never_shown(
    llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm_server.set(key="sk-right-key-of-the-test")
    monkeypatch.setenv(KEY_VARIABLE, "sk-right-key-of-the-test")
    assert len(served(llm_server).encode(TEXTS[:2])) == 2
    monkeypatch.setenv(KEY_VARIABLE, "sk-wrong-key-of-the-test")
    with pytest.raises(RatifyError, match="the server refuses the key") as raised:
        served(llm_server).encode(TEXTS[:2])
    assert "sk-wrong" not in str(raised.value)


@pytest.mark.parametrize("body", [b"[]", b'{"data": 3}', b'{"data": [{"index": 0}]}', b"3"])
def test_a_body_of_another_protocol_is_unreadable(body: bytes) -> None:
    with pytest.raises(TroubleError) as raised:
        read_vectors(body, 1)
    assert (raised.value.reason, raised.value.detail) == ("unreadable", NO_VECTORS)


def test_a_run_that_the_server_stops_goes_on_and_pays_once(
    tmp_path: Path, llm_server: LLMServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bad text is the last one in order, so the chunks before it are finished and kept."""
    setting = {"server": llm_server.base_url, "model": "embed-2"}
    texts = [f"text number {at:05}" for at in range(Served.at_once + 70)]
    make_frame(tmp_path, [*texts, "zz " * 50])
    llm_server.set(longest_input=99)
    with pytest.raises(RatifyError) as raised:
        embed_frame(tmp_path, "frame.csv", "prompt", setting)
    assert str(raised.value).startswith(
        f"{tmp_path}{os.sep}frame.csv, row {len(texts) + 2}, column prompt: unit "
        f"unit-{len(texts)}: encoder embed-2 refuses the text: This model's maximum"
    )
    llm_server.set(longest_input=0)
    llm_server.forget()
    door.encoder_of.cache_clear()  # as in another process
    embed_frame(tmp_path, "frame.csv", "prompt", setting)
    assert llm_server.report()["inputs"] == 71
    llm_server.forget()
    embed_frame(tmp_path, "frame.csv", "prompt", setting)
    assert llm_server.report()["requests"] == 0
    out = capsys.readouterr().out
    assert f"583 different texts, {Served.at_once} of them kept from before" in out
    assert "2 requests, " in out
    door.encoder_of.cache_clear()
