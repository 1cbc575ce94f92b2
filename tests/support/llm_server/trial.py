"""What a prompt asks: the texts between the fences, and what stands outside of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.llm_server.settings import Settings

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_REPEATED = re.compile(r"([^\W\d_])\1\1|[!?]{2}")
_LOOKALIKE = re.compile(r"[\u0370-\u03ff\u0400-\u04ff]")
_LEET = re.compile(r"[^\W\d_][0134579@$][^\W\d_]")
_REWRITTEN = re.compile(r"\[\[(shortened|elevated|casual)\]\]")

_TO = r"(?:\s+(?:with|only|just|always|the|letter|option|conversation))*"
_LETTER_ORDER = re.compile(
    rf"(?i:answer|choose|reply|respond|say|pick|output|print|return|select)(?i:{_TO})\s+[\"'`*]*"
    r"(?P<letter>[A-Z])\b(?![\"'`*]*\s*(?:,|/|\||or\b|and\b|if\b|when\b))"
)
_NUMBER_ORDER = re.compile(
    r"\b(?i:answer|rate|score|give|return|output)\b[^.\n\d]{0,40}?(?P<number>\d+)\b"
    r"(?!\s*(?:-|–|to\b|if\b|when\b|or\b|=|:))"
)


@dataclass(frozen=True)
class Trial:
    """The texts a prompt asks about, in their order; all that is fenced, and all that is not."""

    texts: tuple[str, ...]
    letters: tuple[str, ...]
    inside: str
    outside: str


def content_of(message: Mapping[str, Any]) -> str:
    """Return a message's text, also where it comes in parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content or ())


def read_trial(body: Mapping[str, Any], settings: Settings) -> Trial:
    """Find the texts in a request's messages."""
    whole = "\n".join(map(content_of, body["messages"]))
    fence = re.compile(settings.fence)
    texts: list[str] = []
    letters: list[str] = []
    inside, outside, end = [], [], 0
    while found := fence.search(whole, end):
        closing = settings.fence_end.format(**found.groupdict())
        close = whole.find(closing, found.end())
        if close < 0:
            break
        text, name = whole[found.end() : close], found["name"]
        outside.append(whole[end : found.start()])
        inside.append(text)
        end = close + len(closing)
        if not re.match(settings.context, name):
            texts.append(text)
            last = name[-2:]
            letters.append(last[1] if re.fullmatch(" [A-Z]", last) else _LETTERS[len(letters)])
    outside.append(whole[end:])
    return Trial(tuple(texts), tuple(letters), "\n".join(inside), "\n".join(outside))


def text_hash(text: str) -> str:
    """Return the digest of a text that does not change with its white space."""
    return hashlib.blake2b(" ".join(text.split()).encode(), digest_size=12).hexdigest()


def length_of(text: str, measure: str) -> float:
    """Return a text's length, at least 1."""
    if measure == "characters":
        return max(len(text), 1)
    if measure == "supporter_words":
        # Only here: it brings NumPy along, and the server should start at once.
        from study.judges.baseline import supporter_words

        return max(supporter_words(text), 1)
    return max(len(_WORD.findall(text)), 1)


def perturbation_of(text: str, settings: Settings) -> str:
    """Return the perturbation that a text shows, empty for none."""
    if settings.originals and text_hash(text) in settings.originals:
        return ""
    rewritten = _REWRITTEN.search(text)
    if rewritten:
        return rewritten[1]
    if _LOOKALIKE.search(text):
        return "lookalikes"
    if _LEET.search(text):
        return "leetspeak"
    if _REPEATED.search(text):
        return "repeated_letters"
    return "misspelling" if settings.originals else ""


def ordered_letter(trial: Trial, settings: Settings) -> str:
    """Return the letter that somebody orders to answer, empty for none.

    A prompt's own sentences name every letter alike ("answer A or B"), which is no order.
    """
    return _ordered(_LETTER_ORDER, "letter", trial, settings)


def ordered_number(trial: Trial, settings: Settings) -> str:
    """Return the number that somebody orders to give, empty for none."""
    return _ordered(_NUMBER_ORDER, "number", trial, settings)


def _ordered(pattern: re.Pattern[str], name: str, trial: Trial, settings: Settings) -> str:
    if settings.obedience == "none":
        return ""
    places = [trial.inside, trial.outside] if settings.obedience == "naive" else [trial.outside]
    for place in places:
        named = {found[name] for found in pattern.finditer(place)}
        if len(named) == 1:
            return named.pop()
    return ""
