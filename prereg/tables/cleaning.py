"""Cleans ids, labels, categories, clusters and names of columns: one rule for every table.

Two cells that look the same are the same after cleaning. Removed or replaced are:

- spaces of every kind at both ends, and line ends there;
- inside, every other kind of space (no-break, thin, ideographic, tab) becomes an ordinary space;
- everywhere, characters that nobody sees: zero-width spaces, word joiners, byte-order marks, soft
  hyphens, marks of writing direction, Hangul fillers, and control characters;
- everywhere, letters with separate accents become single letters (Unicode form NFC).

The zero-width joiner and non-joiner mean something inside Persian and Indic words and in emoji.
They stay between two characters of such scripts or of emoji, and are removed elsewhere, where they
change nothing that a reader sees. Letter case and the number of spaces between words stay.

Free text is not cleaned: columns that the caller calls verbatim, and cells that have a line end
inside, which no id or label has. Only their line ends are unified.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

# Zero-width space, word joiner and invisible operators, byte-order mark, soft hyphen, grapheme
# joiner, Mongolian vowel separator, marks and isolates of direction, Hangul fillers, controls.
_UNSEEN = (
    r"\u200b\u2060-\u2064\ufeff\u00ad\u034f\u180e\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
    r"\u115f\u1160\u3164\uffa0\x00-\x08\x0e-\x1b\x7f\x80-\x84\x86-\x9f"
)
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
# Space characters other than the ordinary one, and other than line ends.
_SPACE = re.compile(
    r"[\t\x0b\x0c\x1c-\x1f\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u2800]"
)
# Arabic, Syriac, Indic scripts, Khmer, Mongolian, symbols and emoji, whose parts may be joined.
_JOINS = (
    r"\u0600-\u08ff\u0900-\u109f\u1780-\u18af\u1a00-\u1cff\u2190-\u2bff\ua8e0-\ua9df\uaa60-\uaaff"
    r"\ufb50-\ufdff\ufe0f\ufe70-\ufefe\U00011000-\U00011fff\U0001f000-\U0001faff"
)
_JOINER = re.compile(
    rf"(?<![{_JOINS}\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![{_JOINS}\u200c\u200d])"
)
# What makes cleaning of a cell necessary: anything but printable ASCII, and spaces at its ends.
_ODD = re.compile(r"[^\x20-\x7e]")
# At most this many different labels of a column are compared for letter case and inner spaces.
_MOST_LABELS = 10_000
# At most this many pairs of labels are named in a note.
_MOST_NAMED = 3


def clean(cell: str) -> str:
    """Return a cell as it is compared with others; see the module for what is changed."""
    if not _ODD.search(cell):
        return cell.strip()
    text = _INVISIBLE.sub("", cell).replace("\r\n", "\n").replace("\r", "\n")
    stripped = text.strip()
    if "\n" in stripped:  # a text of several lines, not a label
        return cell.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", _SPACE.sub(" ", stripped))
    return _JOINER.sub("", text).strip()


def clean_name(name: str) -> str:
    """Return the name of a column, which is one line."""
    return " ".join(clean(name).split("\n"))


def unified(cell: str) -> str:
    """Return free text with Unix line ends.

    A text editor or git may change line ends, which does not change what was said.
    """
    return cell.replace("\r\n", "\n").replace("\r", "\n") if "\r" in cell else cell


def may_need_cleaning(text: str, separator: str) -> bool:
    """Say whether a cell of a CSV might need cleaning, without looking at each of them."""
    if not (text.isascii() and text.replace("\n", "").replace("\r", "").isprintable()):
        return True
    at_an_end = (f"{edge} " in text or f" {edge}" in text for edge in (separator, "\n", "\r", '"'))
    return text.startswith(" ") or text.endswith(" ") or any(at_an_end)


def cleaned(cells: Sequence[str]) -> tuple[Sequence[str], int]:
    """Return the cells of a column cleaned, and how many of them changed."""
    changes = {cell: better for cell in set(cells) if (better := clean(cell)) != unified(cell)}
    if not changes:
        return cells, 0
    return [changes.get(cell, cell) for cell in cells], sum(cell in changes for cell in cells)


def look_alikes(labels: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of labels that differ only in letter case, joiners or the spaces inside."""
    first: dict[str, str] = {}
    pairs = []
    for label in sorted(labels):
        key = "".join(label.split()).replace("\u200c", "").replace("\u200d", "").casefold()
        before = first.setdefault(key, label)
        if before != label:
            pairs.append((before, label))
    return pairs


def about_cleaned(file: str, changed: dict[str, int]) -> list[str]:
    """Return the sentence that says how many cells were cleaned; none if there were none."""
    if not changed:
        return []
    one = sum(changed.values()) == 1
    return [
        f"{file}: {counted(changed)} had spaces around {'it' if one else 'them'} or unusual or "
        f"invisible characters: {'it was' if one else 'they were'} cleaned"
    ]


def about_look_alikes(file: str, columns: dict[str, set[str]]) -> list[str]:
    """Return a sentence for each column with labels that differ only in case or inner spaces."""
    said = []
    for column, labels in columns.items():
        if len(labels) > _MOST_LABELS:
            continue
        pairs = [pair for pair in look_alikes(labels) if all(map(_is_label, pair))]
        if not pairs:
            continue
        shown = ", ".join(f"{a!r} and {b!r}" for a, b in pairs[:_MOST_NAMED])
        more = f" and {len(pairs) - _MOST_NAMED} more" if len(pairs) > _MOST_NAMED else ""
        said.append(
            f"{file}: column {column} has values that differ only in letter case or spaces "
            f"({shown}{more}): they are kept apart"
        )
    return said


def _is_label(cell: str) -> bool:
    return "\n" not in cell and len(cell) <= 64


def counted(columns: dict[str, int]) -> str:
    """Return how many cells of which columns, for example '12 cells of column theme'."""
    parts = [
        f"{number:,} {'cell' if number == 1 else 'cells'} of column {column}"
        for column, number in columns.items()
    ]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
