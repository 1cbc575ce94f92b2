"""Write a conversation as the text of an item: one turn a message, which nobody can forge.

Pages and judges cut the text into turns again where a line begins with a name and a colon. So a
line inside a message that looks like the beginning of a turn, or of a block of code, which is never
cut, is joined to the line before it. The same messages always give the same bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Protocol

# What the speakers of the store are called in an item.
LABELS = {"partner": "Seeker", "supporter": "Supporter"}
# Names that a reader may take for those of a speaker, whatever is around them.
_ROLES = (
    "seeker|supporter|partner|participant|user|assistant|human|ai|bot|system|coach|person|"
    "therapist|client|counselor|patient"
)
# What `study.web.turns` may take for the beginning of a turn.
_LIKE_A_TURN = re.compile(r"[^\W\d_][\w .'-]{0,23}?\s*:(?!//)")
_ROLE_FIRST = re.compile(rf"(?:{_ROLES})\W{{0,3}}[:\uff1a]|(?:{_ROLES})\W{{0,2}}$", re.IGNORECASE)
_FENCE = re.compile(r"`{3,}|~{3,}")
_MARKS = re.compile(r"^[\W_]+")


class Spoken(Protocol):
    """A message, or a row with these columns."""

    @property
    def speaker(self) -> str:
        """`partner` or `supporter`."""

    @property
    def text(self) -> str:
        """What was said."""


def transcript(messages: Iterable[Spoken]) -> str:
    """Return a conversation as the text of an item.

    Parameters
    ----------
    messages : iterable of Spoken
        In their order.

    Returns
    -------
    str
        Each message begins a line `Seeker: ...` or `Supporter: ...`; its further lines follow.
    """
    return "\n".join(
        f"{LABELS[message.speaker]}: {said(message.text)}".rstrip() for message in messages
    )


def said(text: str) -> str:
    """Return the words of a message so that none of its lines begins a turn.

    Every kind of line break is one, empty lines at its ends go, and several become one.
    """
    lines: list[str] = []
    for line in text.splitlines():  # also at breaks that only some programs show
        words = line.rstrip() if lines else line.strip()
        if words.strip():
            lines.append(words)
        elif lines and lines[-1]:
            lines.append("")
        # two lines that are harmless may make one that is not
        while len(lines) > 1 and lines[-1] and _would_mislead(lines[-1]):
            last = lines.pop().strip()
            while not lines[-1]:
                lines.pop()
            lines[-1] += f" {last}"
    return "\n".join(lines).rstrip()


def _would_mislead(line: str) -> bool:
    """Say whether a line looks like the beginning of a turn or of a block of code."""
    seen = "".join(
        c for c in unicodedata.normalize("NFKC", line) if unicodedata.category(c) != "Cf"
    )
    seen = seen.strip()
    if _LIKE_A_TURN.match(line.strip()) or _LIKE_A_TURN.match(seen) or _FENCE.match(seen):
        return True
    return _ROLE_FIRST.match(_MARKS.sub("", seen)) is not None
