"""What a server's error means: for one request, for the run, and for the person who reads it."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.llm.bodies import Said
from study.llm.reply import TroubleError, short

# One input that a filter does not let through.
_FLAGGED: Final = re.compile(
    r"content.?(?:policy|filter|management|moderation|violation|exists.risk)|contentpolicyviolation"
    r"|moderation|\bflagged\b|safety.(?:system|filter|setting|polic|reason)|responsible.?ai"
    r"|inappropriate.content|data.?inspection|prohibited.content|(?:usage|content|safety) polic"
    r"|violates? (?:our|the) .{0,20}polic|sensitive.(?:content|words?|information)"
    r"|(?:unsafe|harmful).(?:content|input|prompt)",
    re.IGNORECASE,
)
# No more money: on the account, on the key, in a proxy's budget.
_CREDIT: Final = re.compile(
    r"insufficient[ _](?:balance|credit|fund|quota)|credit balance|budget.{0,20}exceeded"
    r"|exceeded.{0,30}(?:budget|quota|credit|spend)|exceededbudget|\bkey limit\b"
    r"|(?:spend|spending|usage|credit|monthly|hard|billing)[ _](?:hard[ _])?limit"
    r"|(?:out of|not enough|no more|more|purchase|buy) (?:credits?|balance|funds)"
    r"|billing|payment required|in arrears|recharge|top.?up",
    re.IGNORECASE,
)
# The same of a server that says "too many requests"; most of these only ask to slow down.
_CREDIT_AT_429: Final = re.compile(
    r"insufficient[ _](?:quota|balance|credit|fund)|exceeded_current_quota|recharge"
    r"|billing_hard_limit|out of credits?",
    re.IGNORECASE,
)
_KEY: Final = re.compile(
    r"api.?key|authenticat|unauthori[sz]ed|credential|(?:invalid|expired|missing|wrong|bad).{0,12}"
    r"(?:key|token)\b|\btoken .{0,20}(?:invalid|expired)",
    re.IGNORECASE,
)
_MODEL: Final = re.compile(
    r"model_not_found|\bmodel\b.{0,80}(?:not found|not exist|unknown|no longer|decommissioned)"
    r"|(?:no such|unknown|invalid|nonexistent) model|not have access to .{0,20}model",
    re.IGNORECASE,
)
_FORM: Final = re.compile(
    r"response_format|json_schema|guided|structured.output|grammar|json.schema|xgrammar|outlines",
    re.IGNORECASE,
)
# Keys that a server may repeat, whoever's they are.
_SECRETS: Final = re.compile(
    r"(?P<name>\b(?:bearer|basic)\s+|\b(?:api[-_ ]?key|authorization|access[-_ ]?token)\"?\s*[=:]"
    r"\s*\"?(?:(?:bearer|basic)\s+)?)[^\s\",;)}]{6,}|\bsk-[A-Za-z0-9_-]{8,}",
    re.IGNORECASE,
)


def is_about_form(status: int, said: Said) -> bool:
    """Say whether an error names structured output, which the server may not have."""
    return status in {400, 404, 415, 422, 500, 501} and bool(_FORM.search(said.all))


def without_secrets(words: str) -> str:
    """Return words without anything that looks like a key."""
    return _SECRETS.sub(lambda found: f"{found['name'] or ''}[key]", words)


def meaning(
    judge: LLMJudge, status: int, said: Said, *, wait: float | None = None, answered: bool = False
) -> Exception:
    """Return the error that a server's status and words mean.

    Parameters
    ----------
    judge : LLMJudge
    status : int
    said : Said
        Without any key.
    wait : float, optional
        The seconds after which the server asks to come back.
    answered : bool
        Whether this server has answered another request.

    Returns
    -------
    TroubleError or RatifyError
        A `RatifyError` if no other request can be answered either.
    """
    words = _with_status(said, status)
    if status == 402 or _is_about_credit(status, said):
        return _fatal(
            judge, f"the server asks for payment or more credit: {words}", "id", judge.id, "credit"
        )
    if status == 429 or (status == 503 and wait is not None):
        return TroubleError("rate_limited", wait=wait or None, detail=words)
    if status >= 500 or status in {408, 409, 425}:
        return TroubleError("server_error", wait=wait, detail=words)
    if said.code == "content_filter" or _FLAGGED.search(said.all):
        return TroubleError("refused", detail=words, final=True)
    if status == 401 or (status == 403 and not answered and _KEY.search(said.all)):
        return _of_key(judge, words)
    unknown = status == 404 or bool(_MODEL.search(said.all))
    if unknown and not answered:
        return _fatal(
            judge,
            f"the server at {judge.base_url} does not know the model or address: {words}",
            "model",
            judge.model,
            "a model of that server, and its right base_url",
        )
    return TroubleError("rejected", detail=words)


def advice(words: str) -> tuple[str, str]:
    """Return the key of the plan that a rejection is about, and what it may hold."""
    text = words.lower()
    if "logprob" in text:
        return "logprobs", "false, because this model gives none"
    if "max_completion_tokens" in text:
        return "token_parameter", "max_completion_tokens"
    if "temperature" in text:
        return "temperature", "what this model accepts; null sends none"
    if _FORM.search(text):
        return "reply", "text"
    if "context" in text and ("length" in text or "window" in text):
        return "model", "a model with a longer context, or shorter texts"
    if "max_tokens" in text:
        return "max_tokens", "what this model accepts"
    return "parameters", "parameters that this model accepts"


def of_connection(error: BaseException, base_url: str) -> TroubleError | RatifyError:
    """Return what a failed connection means, in one sentence.

    Returns
    -------
    TroubleError or RatifyError
        A `RatifyError` if trying again cannot help.
    """
    host = urlsplit(base_url).netloc
    causes = list(_causes(error))
    names = {type(one).__name__ for one in causes}
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            why = short(one.verify_message or "it cannot be verified")
            return RatifyError(
                f"the certificate of {host} is not accepted: {why}",
                column="base_url",
                value=base_url,
                allowed="a server whose certificate this machine trusts; SSL_CERT_FILE may name "
                "the authority of your institution",
            )
        if isinstance(one, ssl.SSLError) and one.reason in _NO_TLS:
            return RatifyError(
                f"{host} does not speak https",
                column="base_url",
                value=base_url,
                allowed="http:// if the server has no certificate, or its https port",
            )
    if "TooManyRedirects" in names:
        return RatifyError(
            f"{host} redirects from one address to the next without end",
            column="base_url",
            value=base_url,
            allowed="the address at which the server answers, usually one that ends with /v1",
        )
    if "ProxyError" in names:
        said = f"the proxy does not let the call through: {short(str(error.__cause__ or error))}"
        return TroubleError("connection", detail=said, unreachable=True)
    if any(isinstance(one, socket.gaierror) for one in causes):
        said = f"no connection: no machine is called {urlsplit(base_url).hostname} (DNS)"
        return TroubleError("connection", detail=said, unreachable=True)
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        said = f"no connection: nothing listens at {host}"
        return TroubleError("connection", detail=said, unreachable=True)
    if "ConnectError" in names:
        return TroubleError("connection", detail=f"no connection to {host}", unreachable=True)
    return TroubleError("connection", detail="connection lost", lost=True)


# What the client hears where a server on the other end speaks plain HTTP.
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and everything that caused it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _causes(inner)
        error = error.__cause__ or error.__context__


def _is_about_credit(status: int, said: Said) -> bool:
    if status == 429:
        return bool(_CREDIT_AT_429.search(said.all))
    return status in {400, 403} and bool(_CREDIT.search(said.all))


def _of_key(judge: LLMJudge, words: str) -> RatifyError:
    if judge.key_variable is None:
        return _fatal(
            judge,
            f"the server asks for a key: {words}",
            "key_variable",
            None,
            "the name of the environment variable that holds the key",
        )
    problem = f"the server refuses the key: {words}"
    return _fatal(judge, problem, "key_variable", judge.key_variable, "a valid key")


def _fatal(judge: LLMJudge, problem: str, key: str, value: str | None, allowed: str) -> RatifyError:
    return RatifyError(f"{judge.called}: {problem}", column=key, value=value, allowed=allowed)


def _with_status(said: Said, status: int) -> str:
    return f"{said.words} (status {status})" if said.words else f"status {status}"
