"""Cut an item's text into turns, for pages and for judges."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPEAKER = re.compile(r"^(?P<speaker>[^\W\d_][\w .'-]{0,23}?)\s*:(?!//)\s*(?P<text>.*)$")


ROLES = frozenset(
    "seeker supporter user assistant human ai person therapist client counselor patient".split()
)


@dataclass(frozen=True)
class Turn:
    """One turn; `speaker` is empty if the text names nobody."""

    speaker: str
    text: str


def turns(text: str) -> list[Turn]:
    """Cut a text into turns.

    A line `Name: words` begins a turn if the name is a known role (Seeker, Supporter, User and so
    on) or begins at least two lines of the text. Other lines continue the turn before them, so a
    single "Note: ..." inside a reply stays in that reply.

    Parameters
    ----------
    text : str
        Any text; a text without speakers is a single turn without a speaker.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    names = [m["speaker"] for m in map(_SPEAKER.match, lines) if m]
    speakers = {name for name in names if name.casefold() in ROLES or names.count(name) > 1}
    cut: list[tuple[str, list[str]]] = []
    for line in lines:
        match = _SPEAKER.match(line)
        if match and match["speaker"] in speakers:
            cut.append((match["speaker"], [match["text"]]))
        elif cut:
            cut[-1][1].append(line)
        elif line.strip():
            cut.append(("", [line]))
    return [Turn(speaker, "\n".join(said).strip()) for speaker, said in cut]
