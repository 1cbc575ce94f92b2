"""Ask a judge behind any OpenAI-compatible server; only this module imports `openai` and `httpx2`.

It is imported only when a judge is asked: the import is slow, and nothing else needs it.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

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
from study.llm.bodies import ErrorInside, Said, read_body, read_error
from study.llm.errors import is_about_form, meaning, of_connection, without_secrets
from study.llm.headers import headers_of
from study.llm.proxies import check_proxies
from study.llm.reply import Reply, TroubleError, short

# The longest wait that a server may ask for.
LONGEST_WAIT = 120.0
TOP_LOGPROBS = 5
# A shorter key is only a placeholder, and a reply may contain it by chance.
SHORTEST_KEY = 8
# Only this host may read who somebody is at OpenAI (OPENAI_ORG_ID, OPENAI_PROJECT_ID).
OPENAI = "api.openai.com"
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
        When the plan names a variable for the key, and the environment does not have it; when the
        address, or that of a proxy, cannot be one.
    """

    def __init__(self, judge: LLMJudge) -> None:
        self.judge = judge
        self._key = _key(judge)
        self._headers = headers_of(judge)
        every = (self._key or "", *self._headers.secrets)
        self._secrets = [secret.encode() for secret in every if len(secret) >= SHORTEST_KEY]
        self._structured = judge.reply != "text"
        self.has_answered = False
        self._formed = False  # a structured reply has come
        check_proxies()
        # a client searches its whole pool at every call: one client for each call at once is faster
        self._trust = _trust()
        self._clients = [self._client() for _ in range(judge.concurrency)]
        self._free = deque(self._clients)
        self.client = self._clients[0]

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients:
            await client.close()

    def _client(self) -> AsyncOpenAI:
        limits = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
        try:
            client = AsyncOpenAI(
                api_key=self._key or "none",
                base_url=self.judge.base_url,
                timeout=self.judge.timeout_seconds,
                default_headers=self._headers.sent,
                default_query=self.judge.query,
                max_retries=0,  # only `requesting` decides when to ask again
                http_client=DefaultAsyncHttpxClient(limits=limits, verify=self._trust),
            )
        except (httpx2.InvalidURL, ValueError) as error:
            raise self._no_address(error) from error
        if urlsplit(self.judge.base_url).hostname != OPENAI:
            client.organization = client.project = None
        return client

    def _no_address(self, error: Exception) -> RatifyError:
        return RatifyError(
            f"{self.judge.called}: is not an address ({short(str(error))})",
            column="base_url",
            value=self.judge.base_url,
            allowed="for example http://127.0.0.1:8000/v1, with a port from 1 to 65535",
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
        body = self.body(question, structured=structured)
        reply = await self.post("/chat/completions", body, read_body, structured=structured)
        if plainly:  # the server cannot do structured output: no request needs to try it again
            self._structured = False
        self.note_answer(structured=structured)
        return reply

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        read: Callable[[bytes, str | None], T],
        *,
        structured: bool = False,
    ) -> T:
        """Send a body to a path of the server, once, and return what is read from the reply.

        Parameters
        ----------
        path : str
            Below the judge's `base_url`.
        body : mapping
        read : callable
            Takes the reply's body, without the key, and its declared encoding.
        structured : bool
            Whether structured output was asked for.

        Raises
        ------
        TroubleError, RatifyError
            As `ask` does.
        """
        try:
            response = await self._send(path, body)
            return read(self._blanked(response.content), response.charset_encoding)
        except APIStatusError as error:
            said = self._said(error)
            wait = retry_after(error.response.headers)
            raise self.trouble(error.status_code, said, wait=wait, structured=structured) from error
        except ErrorInside as error:
            said = self.clean(error.said)
            raise self.trouble(error.status, said, structured=structured) from error

    def note_answer(self, *, structured: bool | None = None) -> None:
        """Note that the server has answered, with structured output if that was asked for."""
        self._formed |= self._structured if structured is None else structured
        self.has_answered = True

    def trouble(
        self, status: int, said: Said, *, wait: float | None = None, structured: bool = False
    ) -> Exception:
        """Return the error that a server's status and words mean.

        Parameters
        ----------
        status : int
        said : Said
        wait : float, optional
            The seconds after which the server asks to come back.
        structured : bool
            Whether structured output was asked for.

        Returns
        -------
        TroubleError or RatifyError
            A `RatifyError` if no other request can be answered either.
        """
        found = meaning(self.judge, status, said, wait=wait, answered=self.has_answered)
        if structured and self._is_about_form(status, said, found):
            return TroubleError("rejected", detail=said.words or f"status {status}", plainly=True)
        return found

    def ask_plainly(self) -> None:
        """Ask for no structured output any more; a batch has shown that the server has none."""
        self._structured = False

    @property
    def is_structured(self) -> bool:
        """Whether structured output is asked for."""
        return self._structured

    async def guarded(self, call: Awaitable[T]) -> T:
        """Return the result of a client's call, with its errors turned into ours.

        Raises
        ------
        TroubleError, RatifyError
            As `ask` does.
        """
        try:
            return await self._in_time(call)
        except APIStatusError as error:
            wait = retry_after(error.response.headers)
            raise self.trouble(error.status_code, self._said(error), wait=wait) from error

    async def found(self, call: Awaitable[T]) -> T | None:
        """Return the result of a client's call, or None if the server does not have the thing."""
        try:
            return await call
        except NotFoundError:
            return None

    async def _send(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        # take the raw body, without the client's types: servers leave out different fields, and
        # checking every message of every request against the types takes a third of the time
        client = self._free.popleft()
        call = client.post(path, cast_to=httpx2.Response, body=body)
        try:
            return await self._in_time(call)
        finally:
            self._free.append(client)

    def read(self, content: bytes, *, charset: str | None = None) -> Reply:
        """Read the body of a reply, as `bodies.read_body` does, without the key."""
        content = self._blanked(content)
        return read_body(content, charset)

    async def _in_time(self, call: Awaitable[T]) -> T:
        """Return the result of a call in time; errors of the connection become ours."""
        try:
            return await _in_time(call, self.judge.timeout_seconds)
        except (httpx2.InvalidURL, OverflowError) as error:
            raise self._no_address(error) from error
        except (APIConnectionError, httpx2.HTTPError, ExceptionGroup) as error:
            if isinstance(error, ExceptionGroup) and error.subgroup(OverflowError):
                raise self._no_address(error.exceptions[0]) from error
            found = of_connection(error, self.judge.base_url)
            if isinstance(found, RatifyError):
                found = self._of_judge(found)
            raise found from error

    def _is_about_form(self, status: int, said: Said, found: Exception) -> bool:
        """Say whether to ask in plain text, because the server may lack structured output."""
        if self.judge.reply != "auto":
            return False
        if is_about_form(status, said):
            return True
        # servers say this in many ways; structured output that has worked once is not the cause
        plainly_wrong = isinstance(found, TroubleError) and found.reason == "rejected"
        return plainly_wrong and status in {400, 415, 422, 501} and not self._formed

    def _of_judge(self, error: RatifyError) -> RatifyError:
        return RatifyError(
            f"{self.judge.called}: {error.problem}",
            column=error.column,
            value=error.value,
            allowed=error.allowed,
        )

    def _said(self, error: APIStatusError) -> Said:
        """Return what the server said, without the key."""
        try:
            content = error.response.content
        except httpx2.StreamError:  # the client has read it already
            return self.clean(read_error(error.body))
        return self.clean(read_error(self._blanked(content)))

    def _blanked(self, content: bytes) -> bytes:
        """Return a body without keys: a server may repeat what it was sent."""
        for secret in self._secrets:
            content = content.replace(secret, b"[key]")
        return content

    def clean(self, said: Said) -> Said:
        """Return what a server said, without a key."""
        clean = self.without_key
        return Said(clean(said.words), clean(said.code), clean(said.kind), clean(said.param))

    def without_key(self, said: str) -> str:
        """Return a server's words so that they can be kept and shown: short, and without a key."""
        for secret in (self._key, *self._headers.secrets):
            said = said.replace(secret, "[key]") if secret else said
        return short(without_secrets(said))


def _trust() -> Any:
    """Return the certificates that are trusted."""
    try:
        return httpx2.create_ssl_context()
    except (OSError, ValueError) as error:  # ssl's errors are of OSError
        raise RatifyError(
            f"the certificates cannot be read: {short(str(error))}",
            file="SSL_CERT_FILE or SSL_CERT_DIR",
            allowed="a file or folder of certificates, or neither variable",
        ) from error


async def _in_time(call: Awaitable[T], seconds: float) -> T:
    """Return the result of a call within a time limit, even if the server keeps sending bytes."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except (TimeoutError, APITimeoutError) as error:
        unreachable = isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
        raise TroubleError(
            "timeout",
            detail=f"no reply within {seconds:g} seconds",
            unreachable=unreachable,
            lost=not unreachable,
        ) from error


def _key(judge: LLMJudge) -> str | None:
    if judge.key_variable is None:
        return None
    key = os.environ.get(judge.key_variable, "").strip()
    if not key:
        raise RatifyError(
            f"{judge.called} needs a key",
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
