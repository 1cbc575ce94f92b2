"""Cover what is not part of a reply: thoughts that are marked as such, and marks that end a turn.

Models and servers mark thoughts in many ways. A covered part becomes spaces, so that every
character that is left keeps its place.
"""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = (
    r"think|thinking|thought|thoughts|reasoning|reason|reflection|scratchpad|analysis|seed:think"
)
# <think>, [THINK], ◁think▷, <|begin_of_thought|>, and the same with a slash or "end".
_TAG: Final = re.compile(
    rf"<(?P<a>/?)(?:{_NAMES})>|\[(?P<b>/?)(?:think|thinking|thought|reasoning)\]"
    r"|◁(?P<c>/?)think▷|<\|(?P<d>begin|end)_of_thought\|>",
    re.IGNORECASE,
)
# The channels of gpt-oss: with its marks, and as they are left where a server drops the marks.
_CHANNEL: Final = re.compile(r"<\|channel\|>\s{0,9}(?P<name>\w{1,20})[^<]{0,60}")
_MESSAGE: Final = re.compile(r"(?:<\|constrain\|>\s{0,9}\w{1,20}\s{0,9})?<\|message\|>")
_BARE: Final = re.compile(r"\s*(?:analysis|commentary)(?=\W|[A-Z]).*assistantfinal", re.DOTALL)
# Marks of a chat template that a server should have taken out.
_MARK: Final = (
    r"<\|[\w▁-]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</?s>|<(?:start|end)_of_turn>|<[be]os>|<pad>|\[/?INST\]"
    r"|<\|(?:im_start|start)\|>assistant|<\|start_header_id\|>assistant"
)
_FIRST: Final = re.compile(
    rf"\s*(?:(?:<\|(?:im_start|start)\|>|<\|start_header_id\|>|<start_of_turn>)\s?(?:assistant|model)\b"
    rf"|{_MARK})"
)
_LAST: Final = re.compile(rf"(?:{_MARK})\s*\Z")
# A mark is not longer than this, and a reply has no more of them at either end.
_LONGEST: Final = 64
MOST_MARKS: Final = 10


def covered(text: str) -> str:
    """Return a reply in which thoughts and marks are spaces.

    Raises
    ------
    ValueError
        When thoughts begin and do not end: the reply was cut off before the answer.
    """
    text = _without_thoughts(_without_channels(text))
    return _without_marks(text) if "<" in text or "[" in text else text


def _without_channels(text: str) -> str:
    """Cover everything before the last channel called `final`."""
    if "assistantfinal" in text and (bare := _BARE.match(text)):
        return _cover(text, 0, bare.end())
    channels = list(_CHANNEL.finditer(text)) if "<|channel|>" in text else []
    if not channels:
        return text
    last = channels[-1]
    message = _MESSAGE.search(text, last.end())
    if last["name"] != "final" or message is None:
        raise ValueError("no final channel")
    return _cover(text, 0, message.end())


def _without_thoughts(text: str) -> str:
    """Cover what is between an opening and a closing tag, and all before a lone closing tag."""
    opened: int | None = None
    hidden: list[tuple[int, int]] = []
    for tag in _TAG.finditer(text):
        if not any(tag[name] in {"/", "end"} for name in "abcd"):
            opened = tag.start() if opened is None else opened
            continue
        if opened is None:
            hidden = [(0, tag.end())]
        else:
            hidden.append((opened, tag.end()))
        opened = None
    if opened is not None:
        raise ValueError("thoughts that do not end")
    parts, at = [], 0
    for start, end in hidden:
        parts += [text[at:start], " " * (end - start)]
        at = end
    return "".join((*parts, text[at:]))


def _without_marks(text: str) -> str:
    """Cover the marks at the beginning and at the end."""
    for _ in range(MOST_MARKS):
        first = _FIRST.match(text)
        if first is None:
            break
        text = _cover(text, 0, first.end())
    for _ in range(MOST_MARKS):
        end = len(text.rstrip())
        start = max(0, end - _LONGEST)
        last = _LAST.search(text[start:end])
        if last is None:
            break
        text = _cover(text, start + last.start(), len(text))
    return text


def _cover(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]
