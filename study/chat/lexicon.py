"""Search messages for phrases of distress and harm; the phrases are in `lexicon.yaml`.

It is a list of words and no more. It cannot see what is said in other words, in another language or
between the lines; and it cannot tell a plan from a memory, a quotation or a joke.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from prereg.yaml_file import read_mapping

FILE: Final = Path(__file__).with_name("lexicon.yaml")
UNLESS: Final = "unless"
MEANS: Final = "means"
# Longer texts are searched only so far; a message is never as long.
LONGEST: Final = 20_000
# Arabic vowel signs and the stroke that stretches words; letters that are written in several ways.
_MARKS: Final = re.compile("[\u064b-\u065f\u0670\u0640\u200c-\u200f\u2060\ufeff\u00ad]")
_LETTERS: Final = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "’": "'", "‘": "'", "ʼ": "'", "`": "'"}
)
# Arabic writes "and" and "so" together with the next word.
_AND: Final = "(?:[وف])?"


def found_in(text: str) -> str:
    """Return the first category of which a text has a phrase; empty if it has none."""
    said = plain_words(text[:LONGEST])
    patterns, unless = _patterns()
    said = unless.sub(" … ", said)
    return next((name for name, pattern in patterns.items() if pattern.search(said)), "")


def plain_words(text: str) -> str:
    """Return a text as it is searched: small letters, plain apostrophes, single spaces."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("ß", "ss")
    return " ".join(_MARKS.sub("", text).translate(_LETTERS).split())


def categories() -> Mapping[str, str]:
    """Return what each category means, in its order."""
    content = read_mapping(FILE.read_text(encoding="utf-8"), file=FILE, what="lexicon")
    return {name: str(part[MEANS]) for name, part in content.items() if name != UNLESS}


@lru_cache(maxsize=1)
def _patterns() -> tuple[Mapping[str, re.Pattern[str]], re.Pattern[str]]:
    content = read_mapping(FILE.read_text(encoding="utf-8"), file=FILE, what="lexicon")
    lists = {
        name: [phrase for key, listed in part.items() if key != MEANS for phrase in listed]
        for name, part in content.items()
    }
    unless = _pattern(lists.pop(UNLESS))
    return {name: _pattern(phrases) for name, phrases in lists.items()}, unless


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){_AND}(?:{'|'.join(map(_one, phrases))})(?!\w)")


def _one(phrase: str) -> str:
    """Return the regular expression of a phrase: only `*` and groups are more than letters."""
    words = plain_words(phrase).replace("(", "(?:")
    return words.replace(" *", r" \w+").replace("*", r"\w*")
