"""How an item's text is cut into turns, for whoever shows or reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPEAKER = re.compile(r"^(?P<speaker>[^\W\d_][\w .'-]{0,23}):\s*(?P<text>.*)$")


@dataclass(frozen=True)
class Turn:
    """One turn; `speaker` is empty where the text names nobody."""

    speaker: str
    text: str


def turns(text: str) -> list[Turn]:
    """Cut a text into turns.

    A line `Name: words` begins a turn of a name that begins at least two lines of the text; other
    lines go on with the turn before. So a stray "Note: ..." inside a reply stays where it was said.

    Parameters
    ----------
    text : str
        Any text; one without speakers is a single turn of nobody.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    names = [m["speaker"] for m in map(_SPEAKER.match, lines) if m]
    speakers = {name for name in names if names.count(name) > 1} or set(
        names[:1] * (len(names) > 1)
    )
    cut: list[Turn] = []
    for line in lines:
        match = _SPEAKER.match(line)
        if match and match["speaker"] in speakers:
            cut.append(Turn(match["speaker"], match["text"].strip()))
        elif cut:
            last = cut.pop()
            cut.append(Turn(last.speaker, f"{last.text}\n{line}".strip()))
        elif line.strip():
            cut.append(Turn("", line.strip()))
    return cut
