"""How long a text of a model may be, and how a longer one is cut."""

from __future__ import annotations

import re
import unicodedata

from prereg.chat.model import ChatPlan

# Characters of a token at most, in text that somebody reads.
CHARACTERS_PER_TOKEN = 4
# A cut may leave out at most this share of what fits, to end with a sentence.
_LEAST = 0.3
_SENTENCE_END = re.compile(r"[.!?…。！？؟।]+[\"'”’»)\]]*(?=\s|$)|[。！？]")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*\n\s*")
# Letters and signs by their kind, of which nothing is seen.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def longest_reply(plan: ChatPlan) -> int:
    """Return how many characters of a partner's reply are kept."""
    return CHARACTERS_PER_TOKEN * plan.partner.max_tokens


def longest_answer(plan: ChatPlan) -> int:
    """Return how many characters of a coach's text are kept."""
    coach = plan.feedback.coach
    return CHARACTERS_PER_TOKEN * coach.max_tokens if coach else 0


def plain(text: str) -> str:
    """Return a text without control characters, and without spaces and lines that show nothing."""
    text = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Co"})
    kept = _SPACES.sub(" ", kept)
    return _LINES.sub("\n\n", kept).strip()


def says_nothing(text: str) -> bool:
    """Say whether nothing of a text can be seen: only spaces, marks without width, fillers."""
    return not any(unicodedata.category(c)[0] in "LNPS" and c not in _FILLERS for c in text)


def shortened(text: str, most: int, *, whole: bool = True) -> str:
    """Return a text of at most so many characters that ends with a sentence, if it can.

    Parameters
    ----------
    text : str
    most : int
    whole : bool
        Whether the text itself is whole; if not, its last sentence is cut off as well.
    """
    if whole and len(text) <= most:
        return text
    text = text[:most]
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    if ends and ends[-1] >= _LEAST * len(text):
        return text[: ends[-1]].strip()
    word = text.rsplit(None, 1)[0] if len(text.split()) > 1 else text
    return word.strip()


def first_sentences(text: str, most: int) -> str:
    """Return the first sentences of a text, as many as allowed."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    return text if len(ends) <= most else text[: ends[most - 1]].strip()
