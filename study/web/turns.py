"""How an item's text is cut into turns, for pages and for judges."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPEAKER = re.compile(r"^(?P<speaker>[^\W\d_][\w .'-]{0,23}?)\s*:(?!//)\s*(?P<text>.*)$")


ROLES = frozenset(
    "seeker supporter user assistant human ai person therapist client counselor patient".split()
)


@dataclass(frozen=True)
class Turn:
    """One turn; `speaker` is empty where the text names nobody."""

    speaker: str
    text: str


def turns(text: str) -> list[Turn]:
    """Cut a text into turns.

    A line `Name: words` begins a turn of a name that is a known role (Seeker, Supporter, User and
    so on) or begins at least two lines of the text; other lines go on with the turn before. So a
    stray "Note: ..." inside a reply stays where it was said.

    Parameters
    ----------
    text : str
        Any text; one without speakers is a single turn of nobody.
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
