"""If this failed, what a server says would be lost or misread, or a key would be kept."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.llm.bodies import ErrorInside, read_body, read_error
from study.llm.errors import advice, meaning, of_connection, without_secrets
from study.llm.proxies import check_proxies
from study.llm.reply import KEPT, TroubleError
from study.llm.server import ChatServer
from study.llm.tokens import about_tokens

JUDGE = LLMJudge.model_validate(
    {"id": "j", "kind": "llm", "model": "m", "base_url": "https://lab.example/v1"}
)


def completion(finish: Any = "stop", content: Any = "A", **message: Any) -> bytes:
    choice = {"message": {"content": content, **message}, "finish_reason": finish}
    return json.dumps({"choices": [choice]}).encode()


@pytest.mark.parametrize(
    ("finish", "cut", "refused", "ended"),
    [
        ("stop", False, False, ""),
        ("STOP", False, False, ""),
        ("end_turn", False, False, ""),
        ("eos", False, False, ""),
        (None, False, False, ""),
        ("length", True, False, "cut off"),
        ("MAX_TOKENS", True, False, "cut off"),
        ("model_length", True, False, "cut off"),
        ("content_filter", False, True, "filter"),
        ("SAFETY", False, True, "filter"),
        ("tool_calls", False, False, "called a tool"),
        ("whatever", False, False, "ended the reply with 'whatever'"),
    ],
)
def test_only_a_regular_end_is_an_end(finish: Any, cut: bool, refused: bool, ended: str) -> None:
    reply = read_body(completion(finish))
    assert (reply.cut, reply.refused) == (cut, refused)
    assert ended in reply.ended
    assert bool(ended) == bool(reply.ended)


@pytest.mark.parametrize(
    ("body", "reason", "said"),
    [
        (b"<!doctype html><title>Sign in</title>", "unreadable", "a web page ('Sign in')"),
        (b'data: {"choices": []}\n\ndata: [DONE]', "unreadable", "streams its reply"),
        (b": ping\n\ndata: {}", "unreadable", "streams its reply"),
        (b'{"choices": [{"message": {"content": "caf\xe9"}}]}', "unreadable", "not in UTF-8"),
        (b"", "server_error", "is empty"),
        (b'{"choices": [{"mess', "server_error", "not a chat completion"),
        (b'{"choices": []}', "unreadable", "not a chat completion"),
        (b"[1]", "unreadable", "not a chat completion"),
        (completion("error"), "server_error", "broke off"),
    ],
)
def test_what_is_no_reply_has_a_sentence(body: bytes, reason: str, said: str) -> None:
    with pytest.raises(TroubleError) as caught:
        read_body(body)
    assert caught.value.reason == reason
    assert said in caught.value.detail


def test_a_declared_encoding_is_read() -> None:
    body = completion(content="caf\u00e9").decode("unicode_escape").encode("latin-1")
    assert read_body(body, charset="iso-8859-1").text == "caf\u00e9"


@pytest.mark.parametrize(
    ("body", "words", "status"),
    [
        ({"error": {"message": "Slow down.", "code": 429}}, "Slow down.", 429),
        ({"error": {"message": "Provider failed", "code": 502}}, "Provider failed", 502),
        ({"error": "no such thing"}, "no such thing", 500),
        ({"object": "error", "message": "No model x", "code": 404}, "No model x", 404),
        ([{"error": {"message": "In a list", "code": 400}}], "In a list", 400),
        ({"detail": [{"msg": "field required"}]}, '[{"msg": "field required"}]', 500),
        ({"choices": [{"error": {"message": "inside", "code": 503}}]}, "inside", 503),
    ],
)
def test_an_error_inside_a_good_status(body: Any, words: str, status: int) -> None:
    with pytest.raises(ErrorInside) as caught:
        read_body(json.dumps(body).encode())
    assert (caught.value.said.words, caught.value.status) == (words, status)


def of(status: int, message: str, *, answered: bool = False, **error: Any) -> Exception:
    said = read_error(json.dumps({"error": {"message": message, **error}}))
    return meaning(JUDGE, status, said, answered=answered)


FATAL = [
    (401, "Bad key.", "refuses the key: Bad key. (status 401)"),
    (403, "Invalid API key", "refuses the key"),
    (402, "Pay.", "asks for payment or more credit: Pay."),
    (403, "Key limit exceeded (monthly limit).", "more credit: Key limit"),
    (400, "Your credit balance is too low to access the API.", "more credit: Your credit"),
    (400, "Billing hard limit has been reached", "more credit"),
    (404, "model 'x' not found", "does not know the model or address: model 'x' not found"),
    (403, "Project `p` does not have access to model `m`", "does not know the model"),
]
ROWS = [
    (400, "The prompt triggered the content management policy.", "refused"),
    (403, "Your input was flagged: violence.", "refused"),
    (400, "ContentPolicyViolationError: no", "refused"),
    (400, "This model's maximum context length is 8192 tokens.", "rejected"),
    (403, "You are not allowed to request logprobs from this model", "rejected"),
    (403, "Your country is not supported.", "rejected"),
    (429, "You exceeded your current quota. Please retry in 3 s.", "rate_limited"),
    (500, "Internal", "server_error"),
]


@pytest.mark.parametrize(("status", "message", "says"), FATAL)
def test_what_ends_the_run(status: int, message: str, says: str) -> None:
    found = of(status, message)
    assert isinstance(found, RatifyError)
    assert says in str(found)


@pytest.mark.parametrize(("status", "message", "reason"), ROWS)
def test_what_is_one_requests_row(status: int, message: str, reason: str) -> None:
    found = of(status, message)
    assert isinstance(found, TroubleError)
    assert found.reason == reason
    assert found.detail == f"{message} (status {status})"
    assert found.final == (reason in {"refused", "rejected"})


def test_where_others_were_answered_it_is_not_the_key_or_the_model() -> None:
    for status, message in ((403, "Invalid API key"), (404, "no endpoint for this")):
        found = of(status, message, answered=True)
        assert isinstance(found, TroubleError)
        assert found.reason == "rejected"


def test_a_rejection_names_the_key_of_the_plan() -> None:
    assert advice("logprobs are not supported")[0] == "logprobs"
    said = "'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    assert advice(said) == ("token_parameter", "max_completion_tokens")
    assert advice("temperature must be 1")[0] == "temperature"
    assert advice("response_format is unavailable")[0] == "reply"


def test_no_key_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "geheim-0123456789")
    server = ChatServer(JUDGE)
    long = "x" * (KEPT - 10) + " geheim-0123456789"
    for said in (
        "key geheim-0123456789 is bad",
        "Authorization: Bearer abcdefghijklmnop",
        "api_key=abcdefgh12345678 is wrong",
        "Incorrect key sk-abcdefgh12345678",
        long,
    ):
        clean = server.without_key(said)
        assert "geheim" not in clean
        assert "abcdefgh" not in clean
        assert len(clean) <= KEPT
    assert without_secrets("the token count is 12") == "the token count is 12"


def of_cause(cause: BaseException) -> Any:
    outer = OSError("outer")
    outer.__cause__ = cause
    return of_connection(outer, JUDGE.base_url)


def test_a_connection_that_fails_has_a_sentence() -> None:
    import socket

    bad = ssl.SSLCertVerificationError("certificate verify failed")
    bad.verify_message = "self-signed certificate"
    found = of_cause(bad)
    assert isinstance(found, RatifyError)
    assert "the certificate of lab.example is not accepted: self-signed certificate" in str(found)
    plain = ssl.SSLError(1, "wrong version number")
    plain.reason = "WRONG_VERSION_NUMBER"
    assert "lab.example does not speak https" in str(of_cause(plain))
    assert "no machine is called lab.example" in of_cause(socket.gaierror(-2, "no")).detail
    assert "nothing listens at lab.example" in of_cause(ConnectionRefusedError()).detail
    circle = type("TooManyRedirects", (Exception,), {})
    assert "redirects from one address to the next" in str(of_cause(circle()))


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://proxy.example:port", "its port is not a number"),
        ("http://me:secret@proxy.example:99999", "its port is not a number from 0 to 65535"),
        ("socks5://proxy.example:1080", "socks5:// is not supported"),
        ("http://", "names no machine"),
    ],
)
def test_a_proxy_that_cannot_be_one(
    monkeypatch: pytest.MonkeyPatch, address: str, problem: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(RatifyError) as caught:
        check_proxies()
    assert str(caught.value).startswith("HTTPS_PROXY: is not the address of a proxy: ")
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    check_proxies()


@pytest.mark.parametrize("port", ["99999", "abc"])
def test_a_port_that_cannot_be_one(port: str) -> None:
    with pytest.raises(ValueError, match="port from 1 to 65535"):
        LLMJudge.model_validate({**JUDGE.model_dump(), "base_url": f"http://127.0.0.1:{port}/v1"})


def test_who_somebody_is_at_openai_goes_to_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-tests")
    assert "org-secret" not in str(ChatServer(JUDGE).client.default_headers)
    openai = JUDGE.model_copy(update={"base_url": "https://api.openai.com/v1"})
    assert "org-secret" in str(ChatServer(openai).client.default_headers)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("Thank you, that helps me a lot. " * 20, 7 * 20, 9.5 * 20),
        ("谢谢你，这对我很有帮助。" * 20, 12 * 20, 20 * 20),
        ("Спасибо, это мне очень помогает. " * 20, 10 * 20, 25 * 20),
        ("شكرا لك، هذا يساعدني كثيرا. " * 20, 15 * 20, 30 * 20),
        ("धन्यवाद, इससे मुझे मदद मिलती है। " * 20, 30 * 20, 70 * 20),
    ],
)
def test_an_estimate_knows_the_script(text: str, low: float, high: float) -> None:
    assert low <= about_tokens(text) <= high
    assert about_tokens(text) <= len(text.encode()) * 1.1
