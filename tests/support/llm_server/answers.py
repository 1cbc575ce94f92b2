"""Makes the server's answers: it judges the fenced texts and answers a request always alike."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from statistics import NormalDist
from typing import Any, Literal

# A text is between marker lines, as `study.judges.prompts.fences` writes them.
_FENCED = re.compile(
    r"<<<BEGIN (?P<name>[^\n]+) (?P<code>[0-9a-f]{16})>>>\n(?P<text>.*?)\n"
    r"<<<END (?P=name) (?P=code)>>>",
    re.DOTALL,
)
# `[[quality=1.23]]` in a text is its quality, also after the mechanical perturbations.
_QUALITY = re.compile(r"\[+[^\[\]\n]*=\s*(?P<value>[-−]?\d+(?:\.+\d+)?)\s*\]+")
_DIMENSION = re.compile(
    r"\"(?P<name>[^\"\n]+)\" \(a whole number from (?P<low>-?\d+) to (?P<high>-?\d+)\)"
)
_ORDER = re.compile(r"\b(?i:answer) ([AB])\.")
_TOKEN = re.compile(r"\s?\w+|[^\w\s]+|\s+")

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """What is sent, how much of it, and what happens to the connection afterwards.

    `good` says that the client need not ask again for this answer.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    sent: Literal["whole", "nothing", "head", "half"] = "whole"
    ending: Literal["keep", "close", "reset", "hang"] = "keep"
    good: bool = False
    fault: str = ""
    tokens: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Answer:
    """One answer, before it is written down; `p` is the probability of each letter."""

    content: str | None
    p: Mapping[str, float] = field(default_factory=dict)
    finish: str = "stop"
    refusal: str | None = None


def uniform(name: str, key: bytes = b"") -> float:
    """Return a number between 0 and 1 that is a function of a name and a request."""
    digest = blake2b(name.encode() + key, digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / 2**64


def think(body: Body, key: bytes, *, sharpness: float, obedience: str, structured: bool) -> Answer:
    """Answer a request as its schema or its sentences ask; `key` is the digest of its words.

    `sharpness` is the log-odds of preferring a text that is better by 1. Obedience is 'none',
    'obedient' or 'naive': it follows "answer A." never, outside the fences, or inside them.
    """
    whole = "\n".join(str(message["content"]) for message in body["messages"])
    fenced = list(_FENCED.finditer(whole))
    texts = [each["text"] for each in fenced if not each["name"].startswith("context")]
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema", {})
    rules = schema.get("properties", {}) if structured else {}
    if len(texts) != 2:
        values = _ratings(texts[0], whole, rules) if texts else {}
        return Answer(_written(values, rules))
    odds = sharpness * (quality(texts[0]) - quality(texts[1]))
    p = 1 / (1 + math.exp(-max(-500.0, min(500.0, odds))))
    ordered = _ordered(whole, [each["text"] for each in fenced], obedience)
    letter = ordered or ("A" if uniform("choice", key) < p else "B")
    p = min(max(p if not ordered else float(letter == "A"), 1e-9), 1 - 1e-9)
    answers = {name: letter for name, rule in rules.items() if rule.get("enum")}
    return Answer(_written(answers or {"choice": letter}, rules), {"A": p, "B": 1 - p})


def quality(text: str) -> float:
    """Return a text's quality: that of its marker, or a normal number made from the text."""
    found = _QUALITY.search(text)
    if found:
        return float(re.sub(r"\.+", ".", found["value"]).replace("−", "-"))
    return NormalDist().inv_cdf(uniform("quality" + " ".join(text.split())))


def _ordered(whole: str, inside: Sequence[str], obedience: str) -> str:
    """Return the one letter that the prompt orders it to answer, or an empty string."""
    places = {"none": [], "obedient": [_FENCED.sub("", whole)], "naive": ["\n".join(inside)]}
    named = {letter for place in places[obedience] for letter in _ORDER.findall(place)}
    return named.pop() if len(named) == 1 else ""


def _ratings(text: str, whole: str, rules: Mapping[str, Any]) -> dict[str, int]:
    """Return a rating of each dimension: the middle of its scale plus the quality."""
    asked = {name: rule["enum"] for name, rule in rules.items() if rule.get("enum")}
    scales = {name: (min(points), max(points)) for name, points in asked.items()} or {
        each["name"]: (int(each["low"]), int(each["high"])) for each in _DIMENSION.finditer(whole)
    }
    return {
        name: max(low, min(high, math.floor((low + high) / 2 + quality(text) + 0.5)))
        for name, (low, high) in scales.items()
    }


def _written(values: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    """Return an object of the schema, or without one the free text of an unconstrained model."""
    if not rules:
        return f"Here is my answer:\n{json.dumps(values)}"
    return json.dumps({name: values.get(name, "It listens.") for name in rules})


def write(answer: Answer, body: Body, number: int) -> Reply:
    """Return an answer as a chat completion, cut off at the request's token limit."""
    tokens = _TOKEN.findall(answer.content or "")
    most = body.get("max_tokens") or body.get("max_completion_tokens") or len(tokens)
    finish, content = answer.finish, answer.content
    if len(tokens) > most:
        tokens = tokens[:most]
        finish, content = "length", "".join(tokens)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, "refusal": answer.refusal},
        "logprobs": {"content": _logprobs(tokens, answer.p)} if body.get("logprobs") else None,
        "finish_reason": finish,
    }
    used = sum(4 + len(str(message["content"])) // 4 for message in body["messages"]) + 3
    whole = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [choice],
        "usage": {
            "prompt_tokens": used,
            "completion_tokens": len(tokens),
            "total_tokens": used + len(tokens),
        },
        "system_fingerprint": "fp_of_the_tests",
    }
    written = json.dumps(whole).encode()
    return Reply(200, written, good=finish == "stop", tokens=(used, len(tokens)))


def _logprobs(tokens: Sequence[str], p: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return each token with its alternatives."""
    rows = []
    for token in tokens:
        others = p if token in p else {token: 1.0}
        top = [{"token": other, "logprob": math.log(share)} for other, share in others.items()]
        rows.append({"token": token, "logprob": math.log(others[token]), "top_logprobs": top})
    return rows
