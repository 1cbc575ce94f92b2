"""Cut an item's text into turns, for pages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_SPEAKER = re.compile(r"^(?P<speaker>[^\W\d_][\w .'-]{0,23}?)[^\S\n]*:(?!//)[^\S\n]?(?P<text>.*)$")
# The first line of a block of code; it ends at the next line of as many of the same marks.
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})")

ROLES = frozenset(
    "seeker supporter user assistant human ai person therapist client counselor patient".split()
)


@dataclass(frozen=True)
class Turn:
    """One turn; `speaker` is empty if the text names nobody."""

    speaker: str
    text: str


def turns(text: str, speakers: Collection[str] | None = None) -> list[Turn]:
    """Cut a text into turns.

    A line `Name: words` begins a turn if the name is a known role (Seeker, Supporter, User and so
    on) or begins at least two lines of the text. Other lines continue the turn before them, so a
    single "Note: ..." inside a reply stays in that reply. Spaces and lines stay as they are, except
    empty lines around a turn. A block of code between fences is never cut.

    Parameters
    ----------
    text : str
        Any text; a text without speakers is a single turn without a speaker.
    speakers : collection of str, optional
        The only names that begin a turn, in any case; none if it is empty.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    matches = [None if fenced else _SPEAKER.match(line) for line, fenced in _with_fences(lines)]
    names = [m["speaker"] for m in matches if m]
    if speakers is None:
        known = {name for name in names if name.casefold() in ROLES or names.count(name) > 1}
    else:
        wanted = {name.casefold() for name in speakers}
        known = {name for name in names if name.casefold() in wanted}
    cut: list[tuple[str, list[str]]] = []
    for line, match in zip(lines, matches, strict=True):
        if match and match["speaker"] in known:
            cut.append((match["speaker"], [match["text"]]))
        elif cut:
            cut[-1][1].append(line)
        elif line.strip():
            cut.append(("", [line]))
    return [Turn(speaker, _without_empty_ends(said)) for speaker, said in cut]


def _with_fences(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield every line, and whether it belongs to a block of code."""
    opened = ""
    for line in lines:
        fence = _FENCE.match(line)
        marks = fence["marks"] if fence else ""
        inside = bool(opened or marks)
        if not opened:
            opened = marks
        elif marks.startswith(opened) and not line.strip(marks[:1] + " \t"):
            opened = ""
        yield line, inside


def _without_empty_ends(lines: list[str]) -> str:
    """Return the lines without empty ones before and after them; the others keep their spaces."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return "\n".join(lines[filled[0] : filled[-1] + 1]).rstrip() if filled else ""
