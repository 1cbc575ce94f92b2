"""Read the bodies that a server sends: a chat completion, an error, or something else altogether.

Servers say the same thing in many forms. This module knows the forms, but no client and no judge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from study.llm.reply import Reply, TroubleError, short

# How a reply ends, in the words of different servers. Any other word is not a regular end.
REGULAR: Final = frozenset(
    {
        *("stop", "eos", "eos_token", "end", "end_turn", "end_of_turn", "end_of_text", "eot"),
        *("stop_sequence", "stop_token", "stop_str", "complete", "completed", "done", "finished"),
        *("finish", "finish_reason_stop", "endoftext", "im_end", "normal", "success"),
    }
)
CUT: Final = frozenset(
    {
        *("length", "max_tokens", "max_output_tokens", "max_completion_tokens", "max_length"),
        *("model_length", "model_context_window_exceeded", "context_length", "token_limit"),
        *("limit", "truncated", "incomplete", "finish_reason_max_tokens", "max_new_tokens"),
    }
)
FILTERED: Final = frozenset(
    {
        *("content_filter", "content_filtered", "safety", "refusal", "recitation", "blocklist"),
        *("prohibited_content", "spii", "sensitive", "moderation", "guardrail_intervened"),
        *("content_policy", "language", "finish_reason_safety"),
    }
)
BROKEN: Final = frozenset(
    {
        *("error", "network_error", "abort", "aborted", "cancelled", "canceled", "timeout"),
        *("insufficient_system_resource", "interrupted", "abnormal"),
    }
)


NO_COMPLETION: Final = "the reply is not a chat completion"


@dataclass(frozen=True)
class Said:
    """What a server says about an error.

    Attributes
    ----------
    words : str
        Its message on one line; empty if it has none.
    code, kind, param : str
        Its own name for the error, the kind of error, and the parameter that is wrong; empty if it
        does not say.
    """

    words: str
    code: str = ""
    kind: str = ""
    param: str = ""

    @property
    def all(self) -> str:
        """Everything in one text, to look for words in."""
        return f"{self.words} {self.code} {self.kind}"


def read_error(body: object) -> Said:
    """Return what the body of an error says, in any of the forms in use.

    Parameters
    ----------
    body : object
        The body, or the part of it called `error`: JSON that has been read, or text.
    """
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace")
    if isinstance(body, str):
        try:
            return read_error(json.loads(body)) if body[:1] in "[{" and body else _plain(body)
        except (ValueError, RecursionError):
            return _plain(body)
    if isinstance(body, list):
        return read_error(body[0]) if body else Said("")
    if not isinstance(body, dict):
        return Said("")
    inner = body.get("error") or body.get("errors")
    if inner:
        found = read_error(inner)
        return found if found.words else Said(_words(body) or found.words, found.code, found.kind)
    code, kind = body.get("code"), body.get("type") or body.get("status")
    return Said(
        short(_words(body)),
        _name(code) or _name(body.get("error_code")),
        _name(kind),
        _name(body.get("param")),
    )


def read_body(content: bytes, charset: str | None = None) -> Reply:
    """Read the body of a reply with status 200.

    Parameters
    ----------
    content : bytes
    charset : str, optional
        The encoding that the server declares, if it is not UTF-8.

    Raises
    ------
    ErrorInside
        When it is the body of an error, although the status is 200.
    TroubleError
        When it does not follow the protocol: with a reason that may pass if it is only cut off.
    """
    body = read_json(content, charset, NO_COMPLETION)
    try:
        choice = body["choices"][0]
        if choice.get("error"):
            raise ErrorInside(read_error(choice["error"]))
        message = choice["message"]
        said, refusal = _said(message.get("content")), message.get("refusal")
        thoughts = _thoughts(message)
    except (LookupError, TypeError, AttributeError) as error:
        raise TroubleError("unreadable", detail=NO_COMPLETION, lost=True) from error
    finish = choice.get("finish_reason")
    end = str(finish).lower() if finish is not None else ""
    if end in BROKEN:
        raise TroubleError("server_error", detail=f"the server broke off ({end})", lost=True)
    usage = body.get("usage") or {}
    return Reply(
        text=str(refusal or "") if said is None else said,
        refused=bool(refusal) or end in FILTERED,
        cut=end in CUT,
        ended=_irregular(end, message),
        thoughts=thoughts,
        model=_text(body.get("model")),
        fingerprint=_text(body.get("system_fingerprint")),
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        tokens=_tokens(choice.get("logprobs")),
    )


def read_json(content: bytes, charset: str | None, otherwise: str) -> Any:
    """Return what the body of a reply with status 200 holds.

    Parameters
    ----------
    content : bytes
    charset : str or None
        As in `read_body`.
    otherwise : str
        What to say of a body that is not JSON.

    Raises
    ------
    ErrorInside, TroubleError
        As `read_body` does.
    """
    text = _decoded(content, charset)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_json(text, otherwise) from error
    if isinstance(body, list | dict) and _is_error(body):
        raise ErrorInside(read_error(body))
    return body


class ErrorInside(Exception):  # noqa: N818 - the error is the server's
    """The body of an error, in a reply whose status says that all is well."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.words)
        self.said = said

    @property
    def status(self) -> int:
        """The status that the server should have sent; 500 if it names none."""
        code = self.said.code
        return int(code) if code.isdigit() and 400 <= int(code) < 600 else 500


def _is_error(body: list[Any] | dict[str, Any]) -> bool:
    if isinstance(body, list):
        return bool(body) and isinstance(body[0], dict) and _is_error(body[0])
    if body.get("error"):
        return not body.get("choices")
    return body.get("object") == "error" or ("detail" in body and "choices" not in body)


def _irregular(end: str, message: Mapping[str, Any]) -> str:
    """Return why a reply that ended so is no answer; a server that does not say ended it well."""
    if end in CUT:
        return "the reply was cut off"
    if end in FILTERED:
        return f"the server's filter ended the reply ({end})"
    if end in {"tool_calls", "function_call", "tool_use"} or (
        message.get("tool_calls") and not message.get("content")
    ):
        return "the judge called a tool instead of answering"
    return "" if not end or end in REGULAR else f"the server ended the reply with '{end[:40]}'"


def _decoded(content: bytes, charset: str | None) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if charset and charset.lower().replace("_", "-") not in {"utf-8", "utf8"}:
            try:
                return content.decode(charset)
            except (LookupError, UnicodeDecodeError):
                pass
        at = f"byte 0x{content[error.start]:02x} at place {error.start + 1:,}"
        raise TroubleError(
            "unreadable", detail=f"the server's reply is not in UTF-8 ({at})", lost=True
        ) from error


def _not_json(text: str, otherwise: str) -> TroubleError:
    """Return what a body that is not JSON is; a cut body may be whole the next time."""
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<head", "<body", "<?xml")):
        return TroubleError(
            "unreadable",
            detail=f"the server sent a web page{_title(text)} instead of a reply: look at "
            "base_url, and for a proxy or a sign-in page in between",
            lost=True,
        )
    if re.match(r"(?::[^\n]*\n\s*)?(?:data|event|id):", start):
        return TroubleError(
            "unreadable",
            detail="the server streams its reply (server-sent events), although it was not asked "
            "to: turn streaming off in the server's settings",
            lost=True,
        )
    if not start:
        return TroubleError("server_error", detail="the server's reply is empty", lost=True)
    return TroubleError("server_error", detail=otherwise, lost=True)


def _plain(text: str) -> Said:
    """Return what an error in plain text or HTML says."""
    if text.lstrip()[:1] == "<":
        return Said(f"a web page{_title(text)}")
    return Said(short(text))


def _title(text: str) -> str:
    found = re.search(r"<title[^>]{0,200}>([^<]{1,200})", text[:20_000], re.IGNORECASE)
    return f" ('{short(found[1])}')" if found and found[1].strip() else ""


def _words(body: Mapping[str, Any]) -> str:
    """Return the message of an error, whatever the server calls it."""
    for name in ("message", "detail", "error_message", "msg", "reason", "title", "error_msg"):
        value = body.get(name)
        if isinstance(value, str) and value.strip():
            return _with_upstream(value, body)
        if isinstance(value, list | dict) and value:
            return json.dumps(value, ensure_ascii=False)
    return ""


def _with_upstream(words: str, body: Mapping[str, Any]) -> str:
    """Add what the provider behind the server said, where the server only says that it failed."""
    beside = body.get("metadata")
    raw = beside.get("raw") if isinstance(beside, dict) else None
    return f"{words}: {raw}" if isinstance(raw, str) and raw.strip() else words


def _name(value: object) -> str:
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value)[:80] if plain else ""


def _thoughts(message: Mapping[str, Any]) -> str:
    """Return what the judge thought, where a server sends it in a field of its own."""
    for name in ("reasoning_content", "reasoning", "thinking"):
        value = _said(message.get(name))
        if value:
            return value
    return ""


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
