"""Tells English, German and Arabic texts apart: by their script, then by their commonest words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

# Commonest words that the languages do not share. French, Spanish, Italian and Dutch are there so
# that they are not taken for English or German.
_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(
        "the of and to is are that you with your this have be for from not what which it they how "
        "would there their when one who do does we my".split()
    ),
    "de": frozenset(
        "der das und ist nicht sie ich ein eine einen mit auf für dem den des sich auch es wir ihr "
        "ihre oder wie wird werden sind dass von zu bei aus wenn".split()
    ),
    "fr": frozenset("le la les des et est vous une dans que qui pour pas sur avec votre".split()),
    "es": frozenset("el los las y es una que para con por usted su como más pero".split()),
    "it": frozenset("il gli che di una per non con sono della questo più come anche".split()),
    "nl": frozenset("het een van en niet dat op te zijn voor met je ook naar wordt".split()),
}
# Letters of Persian and Urdu that Arabic does not have.
_NOT_ARABIC = frozenset("پچژگکیےںٹڈڑ")
_SCRIPTS = {"LATIN": "latin", "ARABIC": "arabic"}
# So many known words decide, if no other language has half as many.
_FEWEST = 3
OTHER = "other"
NAMES = {"en": "English", "de": "German", "ar": "Arabic", "fr": "French", "es": "Spanish"}
NAMES |= {"it": "Italian", "nl": "Dutch", OTHER: "another language"}


def language_of(text: str) -> str | None:
    """Return the language of a text, where it can be told.

    Parameters
    ----------
    text : str

    Returns
    -------
    str or None
        Two letters; 'other' for a script that none of these languages has, and for letters that
        only Persian or Urdu has; None where the text is too short or too mixed to tell.
    """
    script = _script(text)
    if script == "arabic":
        foreign = sum(letter in _NOT_ARABIC for letter in text)
        return OTHER if foreign > 0.02 * len(text) else "ar"
    if script != "latin":
        return script
    words = Counter(re.findall(r"[^\W\d_]+", text.casefold()))
    counts = sorted(
        ((sum(words[word] for word in known), name) for name, known in _WORDS.items()), reverse=True
    )
    (most, name), (second, _) = counts[:2]
    return name if most >= _FEWEST and most > 2 * second else None


def _script(text: str) -> str | None:
    """Return the script of most letters: 'latin', 'arabic', 'other'; None without letters."""
    found: Counter[str] = Counter()
    for letter, count in Counter(text).items():
        if letter.isalpha():
            found[_SCRIPTS.get(unicodedata.name(letter, "?").split()[0], OTHER)] += count
    if not found:
        return None
    script, count = found.most_common(1)[0]
    return script if count > 0.6 * found.total() else None
