"""A chat completion: what the request asks for, and the body that answers it."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.llm_server.opinions import Draw, choose, draw_of, pick, rate
from tests.support.llm_server.settings import Settings
from tests.support.llm_server.trial import (
    Trial,
    content_of,
    ordered_letter,
    ordered_number,
    read_trial,
)

_TOKEN = re.compile(r"\s?\w+|[^\w\s]+|\s+")
_LEAST = re.compile(r"least|worst|lowest", re.IGNORECASE)


class Rejected(Exception):  # noqa: N818 - a thing that requests are
    """A request that is an error of its own, with what the server says about it."""

    def __init__(self, status: int, message: str, param: str = "", code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, "invalid_request_error", param, code)


def error_body(message: str, kind: str, param: str = "", code: str = "") -> bytes:
    """Return an error as the protocol words it."""
    error = {"message": message, "type": kind, "param": param or None, "code": code or None}
    return json.dumps({"error": error}).encode()


@dataclass
class Completion:
    """One answer, before it is written down."""

    content: str | None
    p: Mapping[str, float] = field(default_factory=dict)
    finish: str = "stop"
    refusal: str | None = None


def check(body: Any, settings: Settings) -> None:
    """Raise what a server would say about a request that it does not take."""
    if not isinstance(body, dict):
        raise Rejected(400, "We could not parse the JSON body of your request.")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Rejected(400, "you must provide a model parameter", "model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise Rejected(400, "Invalid type for 'messages'.", "messages", "invalid_type")
    if not messages:
        raise Rejected(400, "Invalid 'messages': empty array.", "messages", "empty_array")
    _check_parameters(body, settings)
    if settings.models and body["model"] not in settings.models:
        message = f"The model `{body['model']}` does not exist or you do not have access to it."
        raise Rejected(404, message, code="model_not_found")
    tokens = prompt_tokens(body) if settings.context_tokens else 0
    if tokens > settings.context_tokens:
        raise too_long(tokens, settings.context_tokens)


def too_long(tokens: int, limit: int) -> Rejected:
    """Return the error of a prompt that does not fit."""
    message = (
        f"This model's maximum context length is {limit} tokens. "
        f"However, your messages resulted in {tokens} tokens."
    )
    return Rejected(400, message, "messages", "context_length_exceeded")


def _check_parameters(body: Mapping[str, Any], settings: Settings) -> None:
    rejected = [name for name in settings.rejects if name in body]
    if settings.logprobs == "rejected":
        rejected += [name for name in ("logprobs", "top_logprobs") if body.get(name)]
    if body.get("stream"):
        rejected.append("stream")
    for name in rejected:
        message = f"Unsupported parameter: '{name}' is not supported with this model."
        raise Rejected(400, message, name, "unsupported_parameter")
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        if settings.structured is False:
            message = (
                "Invalid parameter: 'response_format' of type 'json_schema' is not supported "
                "with this model."
            )
            raise Rejected(400, message, "response_format")
        if not isinstance((wanted.get("json_schema") or {}).get("schema"), dict):
            message = "Missing required parameter: 'response_format.json_schema.schema'."
            raise Rejected(
                400, message, "response_format.json_schema", "missing_required_parameter"
            )


def prompt_tokens(body: Mapping[str, Any]) -> int:
    """Return about how many tokens a request's messages have."""
    return sum(4 + len(content_of(message)) // 4 for message in body["messages"]) + 3


# ---- The answer ---------------------------------------------------------------------------------


def complete(body: Mapping[str, Any], settings: Settings, key: bytes, attempt: int) -> Completion:
    """Answer a request.

    Parameters
    ----------
    body : mapping
        A request that `check` let pass.
    settings : Settings
    key : bytes
        What the opinion depends on besides the settings: the digest of model and messages.
    attempt : int
        How often the prompt was answered before.

    Returns
    -------
    Completion
    """
    trial = read_trial(body, settings)
    draw = draw_of(settings, key, attempt)
    schema = _schema(body, settings)
    if schema is None:
        return _in_words(trial, settings, draw)
    if not trial.texts:
        return Completion(json.dumps(_filled(schema, {}, "")))
    kind = _kind(schema, trial)
    if kind == "rating":
        values = _rating(trial, _scales_of(schema), settings, draw)
        return Completion(json.dumps(_filled(schema, values, "")))
    if kind == "best_worst":
        return Completion(json.dumps(_filled(schema, _extremes(schema, trial, settings, draw), "")))
    letter, p = _letter(trial, settings, draw)
    return Completion(json.dumps(_filled(schema, {}, letter)), _shares(letter, p, trial))


def _schema(body: Mapping[str, Any], settings: Settings) -> Mapping[str, Any] | None:
    wanted = body.get("response_format") or {}
    if settings.structured is not True or wanted.get("type") != "json_schema":
        return None
    schema: Mapping[str, Any] = wanted["json_schema"]["schema"]
    return schema


def _kind(schema: Mapping[str, Any], trial: Trial) -> str:
    if len(trial.texts) == 1:
        return "rating"
    picks = [name for name in schema.get("properties", {}) if _LEAST.search(name)]
    return "best_worst" if picks else "pairwise"


def _scales_of(schema: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return the ends of every number that a schema asks for."""
    scales = {}
    for name, rule in schema.get("properties", {}).items():
        levels = [level for level in rule.get("enum", ()) if isinstance(level, int)]
        if levels:
            scales[name] = (min(levels), max(levels))
        elif rule.get("type") in {"integer", "number"}:
            scales[name] = (int(rule.get("minimum", 1)), int(rule.get("maximum", 5)))
    return scales


def _filled(schema: Mapping[str, Any], values: Mapping[str, Any], letter: str) -> dict[str, Any]:
    """Return an object of this schema with these values, the letter, and a word for the rest."""
    filled: dict[str, Any] = {}
    for name, rule in schema.get("properties", {}).items():
        if name in values:
            filled[name] = values[name]
        elif letter and rule.get("enum"):
            filled[name] = letter
        else:
            filled[name] = rule["enum"][0] if rule.get("enum") else "It listens."
    return filled


def _letter(trial: Trial, settings: Settings, draw: Draw) -> tuple[str, float]:
    order = ordered_letter(trial, settings)
    return (order, float(order == "A")) if order else choose(trial, settings, draw)


def _shares(letter: str, p: float, trial: Trial) -> dict[str, float]:
    first, second = trial.letters[:2]
    return {letter: 1e-9, first: p, second: 1 - p}


def _rating(
    trial: Trial, scales: Mapping[str, tuple[int, int]], settings: Settings, draw: Draw
) -> dict[str, int]:
    order = ordered_number(trial, settings)
    if order:
        return dict.fromkeys(scales, int(order))
    return rate(trial.texts[0], scales, settings, draw)


def _extremes(
    schema: Mapping[str, Any], trial: Trial, settings: Settings, draw: Draw
) -> dict[str, Any]:
    places = pick(trial.texts, settings, draw)
    picks: dict[str, Any] = {}
    for name, rule in schema.get("properties", {}).items():
        place = places[bool(_LEAST.search(name))]
        if rule.get("enum"):
            picks[name] = rule["enum"][place]
        elif rule.get("type") == "integer":
            picks[name] = place + 1
    return picks


def _in_words(trial: Trial, settings: Settings, draw: Draw) -> Completion:
    """Answer without a schema, as the number of texts suggests."""
    if not trial.texts:
        return Completion("What would you like me to compare?")
    if len(trial.texts) == 2:
        letter, p = _letter(trial, settings, draw)
        content = _dressed({"choice": letter}, settings.style, letter)
        return Completion(content, _shares(letter, p, trial))
    answer: dict[str, Any]
    if len(trial.texts) == 1:
        scales = {
            found["name"]: (int(found["low"]), int(found["high"]))
            for found in re.finditer(settings.dimension, trial.outside)
        }
        answer = _rating(trial, scales, settings, draw)
    else:
        most, least = pick(trial.texts, settings, draw)
        answer = {"most": trial.letters[most], "least": trial.letters[least]}
    return Completion(_dressed(answer, settings.style))


def _dressed(answer: Mapping[str, Any], style: str, letter: str = "") -> str:
    """Return an answer as a model may put it when nothing forces it to anything."""
    words = {"letter": "{}", "sentence": "Answer: {}", "bold": "**{}**", "lower": "{}"}
    if letter and style in words:
        return words[style].format(letter.lower() if style == "lower" else letter)
    written = json.dumps(answer)
    if style == "code_block":
        return f"```json\n{written}\n```"
    if style == "lead":
        return f"Here is my answer:\n{written}"
    if style == "thinking":
        return f"<think>\nA is warm, but B asks.\n</think>\n\n{written}"
    return written


# ---- The body -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """A completion as it is sent, its tokens in and out, and why it ended."""

    body: bytes
    used: int
    made: int
    finish: str


def write(answer: Completion, body: Mapping[str, Any], settings: Settings, number: int) -> Written:
    """Write a completion down, cut off where the request's token limit is."""
    tokens = _TOKEN.findall(answer.content or "")
    most = body.get("max_tokens") or body.get("max_completion_tokens")
    finish, content = answer.finish, answer.content
    if most and len(tokens) > most:
        tokens = tokens[:most]
        finish, content = "length", "".join(tokens)
    shown = None
    if body.get("logprobs") and settings.logprobs == "given":
        top = body.get("top_logprobs") or 0
        spread = settings.split_tokens
        logprobs = [_token(token, _alternatives(token, answer.p, spread), top) for token in tokens]
        shown = {"content": logprobs, "refusal": None}
    used = prompt_tokens(body)
    whole = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": answer.refusal},
                "logprobs": shown,
                "finish_reason": finish,
            }
        ],
        "usage": {
            "prompt_tokens": used,
            "completion_tokens": len(tokens),
            "total_tokens": used + len(tokens),
        },
        "system_fingerprint": settings.fingerprint,
    }
    return Written(json.dumps(whole).encode(), used, len(tokens), finish)


def _alternatives(token: str, p: Mapping[str, float], spread: bool) -> Mapping[str, float]:
    """Return what could have stood in a token's place, and how likely it was.

    Models spread a letter over the tokens with and without a space before it.
    """
    if token.strip() not in p:
        return {token: 1.0}
    own, other = (" ", "") if token.startswith(" ") else ("", " ")
    if not spread:
        return {own + letter: share for letter, share in p.items()}
    plain = {own + letter: 0.9 * share for letter, share in p.items()}
    return plain | {other + letter: 0.1 * share for letter, share in p.items()}


def _token(token: str, alternatives: Mapping[str, float], top: int) -> dict[str, Any]:
    likeliest = sorted(alternatives.items(), key=lambda pair: -pair[1])[:top]
    return {
        **_logprob(token, alternatives[token]),
        "top_logprobs": [_logprob(name, p) for name, p in likeliest],
    }


def _logprob(token: str, p: float) -> dict[str, Any]:
    logprob = math.log(p) if p > 0 else -9999.0
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
