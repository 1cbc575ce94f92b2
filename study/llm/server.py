"""Ask a judge behind any OpenAI-compatible server; only this module imports `openai` and `httpx2`.

It is imported only when a judge is asked: the import is slow, and nothing else needs it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Protocol, TypeVar

import httpx2
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
    NotFoundError,
)

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.llm.headers import headers_of
from study.llm.reply import Reply, TroubleError

# The longest wait that a server may ask for.
LONGEST_WAIT = 120.0
TOP_LOGPROBS = 5
# After this many rejections before any answer, all requests are wrong, not one item.
REJECTED_FROM_THE_START = 3
# A shorter key is only a placeholder, and a reply may contain it by chance.
SHORTEST_KEY = 8
T = TypeVar("T")


class ChatRequest(Protocol):
    """A question to a server, without model and parameters."""

    @property
    def messages(self) -> Sequence[Mapping[str, str]]:
        """The messages, each with `role` and `content`."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of the reply, for structured output."""

    @property
    def letters(self) -> Sequence[str]:
        """The one-letter replies whose log-probabilities are wanted, if any."""


class ChatServer:
    """One judge's server.

    Parameters
    ----------
    judge : LLMJudge

    Raises
    ------
    RatifyError
        When the plan names a variable for the key, and the environment does not have it.
    """

    def __init__(self, judge: LLMJudge) -> None:
        self.judge = judge
        self._key = _key(judge)
        self._headers = headers_of(judge)
        self._secret = (self._key or "").encode() if len(self._key or "") >= SHORTEST_KEY else b""
        self._structured = judge.reply != "text"
        self._answered = False
        self._formed = False  # a structured reply has come
        self._under_way = 0
        self._rejections = 0
        self._rejected_first: list[asyncio.Future[None]] = []
        # a client searches its whole pool at every call: one client for each call at once is faster
        self._trust = httpx2.create_ssl_context()
        self._clients = [self._client() for _ in range(judge.concurrency)]
        self._free = deque(self._clients)
        self.client = self._clients[0]

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients:
            await client.close()

    def _client(self) -> AsyncOpenAI:
        limits = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
        return AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self.judge.base_url,
            timeout=self.judge.timeout_seconds,
            default_headers=self._headers.sent,
            default_query=self.judge.query,
            max_retries=0,  # only `requesting` decides when to ask again
            http_client=DefaultAsyncHttpxClient(limits=limits, verify=self._trust),
        )

    def body(self, question: ChatRequest, *, structured: bool = True) -> dict[str, Any]:
        """Return the body of a request."""
        judge = self.judge
        body: dict[str, Any] = {
            "model": judge.model,
            "messages": list(question.messages),
            judge.token_parameter: judge.max_tokens,
        }
        if judge.temperature is not None:
            body["temperature"] = judge.temperature
        if structured and self._structured:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": question.schema},
            }
        if judge.logprobs and question.letters:
            body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        return body | judge.parameters

    async def ask(self, question: ChatRequest, *, plainly: bool = False) -> Reply:
        """Send one question, once.

        Parameters
        ----------
        question : ChatRequest
        plainly : bool
            Whether to ask without structured output, which the server has just refused.

        Raises
        ------
        TroubleError
            When the question was not answered; the reason says whether to ask again.
        RatifyError
            When no question can be answered, for example because of a wrong key or model name.
        """
        structured = self._structured and not plainly
        self._under_way += 1
        try:
            reply = await self._send(self.body(question, structured=structured))
        except APIStatusError as error:
            self._done(answered=False)
            if structured and self._is_about_form(error):
                raise TroubleError("rejected", detail=self._plain(error), plainly=True) from error
            raise await self._judged(self._refusal(error)) from error
        except BaseException:
            self._done(answered=False)
            raise
        if plainly:  # the server cannot do structured output: no request needs to try it again
            self._structured = False
        self._formed |= structured
        self._done(answered=True)
        return reply

    def _done(self, *, answered: bool) -> None:
        """Note that a call has returned; wake rejected calls that wait for any answer."""
        self._under_way -= 1
        self._answered |= answered
        if answered or not self._under_way:
            for one in self._rejected_first:
                if not one.done():
                    one.set_result(None)
            self._rejected_first.clear()

    async def _judged(self, found: Exception) -> Exception:
        """Return the error for one item, or for the run if the server rejects every request."""
        if not isinstance(found, TroubleError) or found.reason != "rejected" or self._answered:
            return found
        self._rejections += 1
        if self._under_way:  # others may still be answered
            told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._rejected_first.append(told)
            await told
        if self._answered or self._rejections < REJECTED_FROM_THE_START:
            return found
        return self._fatal(
            f"the server rejects every request: {found.detail}",
            "parameters",
            self.judge.model,
            "parameters that this model accepts",
        )

    async def guarded(self, call: Awaitable[T]) -> T:
        """Return the result of a client's call, with its errors turned into ours.

        Raises
        ------
        TroubleError, RatifyError
            As `ask` does.
        """
        try:
            return await _in_time(call, self.judge.timeout_seconds)
        except APIStatusError as error:
            raise self._refusal(error) from error

    async def found(self, call: Awaitable[T]) -> T | None:
        """Return the result of a client's call, or None if the server does not have the thing."""
        try:
            return await call
        except NotFoundError:
            return None

    async def _send(self, body: dict[str, Any]) -> Reply:
        # take the raw body, without the client's types: servers leave out different fields, and
        # checking every message of every request against the types takes a third of the time
        client = self._free.popleft()
        call = client.post("/chat/completions", cast_to=httpx2.Response, body=body)
        try:
            content = (await _in_time(call, self.judge.timeout_seconds)).content
        finally:
            self._free.append(client)
        if self._secret and self._secret in content:  # a server may repeat the key
            content = content.replace(self._secret, b"[key]")
        for secret in self._headers.secrets:
            if len(secret) >= SHORTEST_KEY:
                content = content.replace(secret.encode(), b"[key]")
        return read_body(content)

    def _is_about_form(self, error: APIStatusError) -> bool:
        """Say whether to ask in plain text, because the server may lack structured output."""
        if self.judge.reply != "auto" or error.status_code not in {400, 404, 415, 422, 501}:
            return False
        if "response_format" in error.message or "json_schema" in error.message:
            return True
        # servers say this in many ways; structured output that has worked once is not the cause
        return error.status_code != 404 and not self._formed

    def _refusal(self, error: APIStatusError) -> Exception:
        """Return the error that a status means, for the whole run or for one request."""
        status, said = error.status_code, self._plain(error)
        if status == 401 or (status == 403 and not self._answered):
            where = self.judge.key_variable or "the server's settings"
            return self._fatal("the server refuses the key", "key_variable", where, "a valid key")
        if status == 404:
            return self._fatal(
                f"the server at {self.judge.base_url} does not know the model or address: {said}",
                "model",
                self.judge.model,
                "a model of that server, and its right base_url",
            )
        if status == 402 or error.code == "insufficient_quota":
            return self._fatal(
                f"the server asks for payment or more credit: {said}", "id", self.judge.id, "credit"
            )
        wait = retry_after(error.response.headers)
        if status == 429 or (status == 503 and wait is not None):
            return TroubleError("rate_limited", wait=wait or None, detail=said)
        if status >= 500 or status in {408, 409, 425}:
            return TroubleError("server_error", wait=wait, detail=said)
        if error.code == "content_filter":
            return TroubleError("refused", detail=said)
        return TroubleError("rejected", detail=said)

    def _fatal(self, problem: str, key: str, value: str, allowed: str) -> RatifyError:
        return RatifyError(
            f"judge '{self.judge.id}': {problem}", column=key, value=value, allowed=allowed
        )

    def _plain(self, error: APIStatusError) -> str:
        """Return what the server said in one short line, without the key."""
        body = error.body
        message = body.get("message") if isinstance(body, dict) else None
        return self.without_key(" ".join(str(message or f"status {error.status_code}").split()))

    def without_key(self, said: str) -> str:
        """Return a server's line so that it can be shown: short, and without the key."""
        for secret in (self._key, *self._headers.secrets):
            said = said.replace(secret, "[key]") if secret else said
        return said[:200]


async def _in_time(call: Awaitable[T], seconds: float) -> T:
    """Return the result of a call within a time limit, even if the server keeps sending bytes."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except (TimeoutError, APITimeoutError) as error:
        unreachable = isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
        raise TroubleError("timeout", unreachable=unreachable, lost=not unreachable) from error
    except (APIConnectionError, httpx2.HTTPError) as error:
        unreachable = isinstance(error.__cause__ or error, httpx2.ConnectError)
        said = "no connection" if unreachable else "connection lost"
        raise TroubleError(
            "connection", detail=said, unreachable=unreachable, lost=not unreachable
        ) from error


def _key(judge: LLMJudge) -> str | None:
    if judge.key_variable is None:
        return None
    key = os.environ.get(judge.key_variable, "").strip()
    if not key:
        raise RatifyError(
            f"judge '{judge.id}' needs a key",
            file=judge.key_variable,
            allowed="an environment variable of this name, or `key_variable: null` in the plan if "
            "the server needs no key",
        )
    if not key.isascii() or not key.isprintable():
        raise RatifyError(
            "contains characters that a key cannot contain",
            file=judge.key_variable,
            allowed="the key",
        )
    return key


def read_body(content: bytes) -> Reply:
    """Read the body of a reply with status 200.

    Raises
    ------
    TroubleError
        When it does not follow the protocol, for example because it is cut off.
    """
    try:
        body = json.loads(content)
        choice = body["choices"][0]
        message = choice["message"]
        text = _said(message.get("content"))
        finish, refusal = choice.get("finish_reason"), message.get("refusal")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise TroubleError(
            "server_error", detail="the reply is not a chat completion", lost=True
        ) from error
    usage = body.get("usage") or {}
    return Reply(
        text=str(refusal or "") if text is None else text,
        refused=bool(refusal) or finish == "content_filter",
        cut=finish == "length",
        model=_text(body.get("model")),
        fingerprint=_text(body.get("system_fingerprint")),
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        tokens=_tokens(choice.get("logprobs")),
    )


def _said(content: Any) -> str | None:
    """Return a message's text; some servers send it in parts, together with the reasoning."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else None


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) else None


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and 0 <= value < 2**31 else None


def _tokens(logprobs: Any) -> Sequence[tuple[str, Mapping[str, float]]]:
    """Return the tokens with the log-probabilities of their alternatives; none if unreadable."""
    try:
        return [
            (
                str(token["token"]),
                {str(other["token"]): float(other["logprob"]) for other in token["top_logprobs"]},
            )
            for token in (logprobs or {}).get("content") or ()
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a server asks to wait, or None if it does not say.

    Reads `retry-after-ms`, and `retry-after` in seconds or as a date; at most `LONGEST_WAIT`.
    """
    try:
        wait = float(headers["retry-after-ms"]) / 1000
    except (KeyError, ValueError):
        said = headers.get("retry-after", "")
        try:
            wait = float(said)
        except ValueError:
            try:
                wait = parsedate_to_datetime(said).timestamp() - time()
            except (TypeError, ValueError, OverflowError):
                return None
    return min(max(wait, 0.0), LONGEST_WAIT) if wait == wait else None
