"""Counts style features of texts: emoji, marks, questions, first person, words.

They describe how something is said. If a source's style is one reason for its ratings (style
mediates), adjusting for style removes part of the source's effect.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.tables import columns

FEATURES = (
    "words",
    "emoji",
    "exclamation_marks",
    "question_marks",
    "questions",
    "first_person_singular",
    "first_person_plural",
)
# Features that need a list of words, which exists only for English.
_ENGLISH_ONLY = ("first_person_singular", "first_person_plural")

# Characters shown as emoji without a selector (Unicode's Emoji_Presentation; outside the first
# plane also those of the emoji blocks that need a selector, since nobody uses them as letters).
_PICTURE = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1"
    "\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705"
    "\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50"
    "\u2b55\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f201\U0001f21a\U0001f22f"
    "\U0001f232-\U0001f236\U0001f238-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001f9ff"
    "\U0001fa70-\U0001faff"
)
# Characters that are emoji only with the selector U+FE0F or a skin tone.
_SYMBOL = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u2300-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf"
    "\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f170\U0001f171\U0001f17e\U0001f17f"
    "\U0001f202\U0001f237"
)
# Frowning and smiling face, heart suit, heavy hearts: emoji even when typed without the selector.
_BARE = "\u2639\u263a\u2665\u2763\u2764"
_TONE = "\U0001f3fb-\U0001f3ff"
_ELEMENT = (
    f"(?:[{_PICTURE}](?!\ufe0e)\ufe0f?|[{_SYMBOL}](?:\ufe0f|(?=[{_TONE}]))|[{_BARE}](?!\ufe0e))"
    f"[{_TONE}]?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
)
_JOINED = f"[{_PICTURE}{_SYMBOL}]\ufe0f?[{_TONE}]?"
# A flag is two special letters; a keycap is a digit in a box; U+200D joins a family.
EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ELEMENT}(?:\u200d{_JOINED})*"
)

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\uff07": "'"})
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
# Han, kana, Thai, Lao, Burmese, Khmer: scripts without spaces between words.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_EXCLAMATIONS = {"!": 1, "\uff01": 1, "\u203c": 2, "\u2048": 1, "\u2049": 1, "\u203d": 1}
# Full width, Arabic, Greek and double marks. Not the Spanish opening mark: each has a closing one.
_QUESTIONS = {
    "?": 1,
    "\uff1f": 1,
    "\u061f": 1,
    "\u037e": 1,
    "\u2047": 2,
    "\u2048": 1,
    "\u2049": 1,
    "\u203d": 1,
}
_ASKED = re.compile(
    f"[!\uff01]*[{''.join(map(re.escape, _QUESTIONS))}]"
    f"[!\uff01{''.join(map(re.escape, _QUESTIONS))}]*"
)
_SINGULAR = re.compile(
    r"(?<![\w'])(?:i(?!\.e\b)(?:'(?:m|ve|d|ll))?|im|ive|me|my|mine|myself)(?![\w'-])", re.IGNORECASE
)
_PLURAL = re.compile(
    r"(?<![\w'-])(?:we(?:'(?:re|ve|d|ll))?|us|our|ours|ourselves|ourself|let's)(?![\w'-])",
    re.IGNORECASE,
)
_COUNTRY = re.compile(r"(?<![\w'])US(?![\w'])")


def count_emoji(text: str) -> int:
    """Return the number of emoji in a text; a flag, keycap, skin tone or joined family is one.

    Notes
    -----
    Follows the emoji sequences of Unicode Technical Standard 51. A symbol that fonts show as text
    unless a selector follows (a trade mark, an arrow) counts only with the selector; hearts and
    the two old faces always count. Emoticons such as a colon and a bracket do not count.
    """
    return len(EMOJI.findall(text))


def style_features(texts: pd.Series[Any], *, language: str = "en") -> pd.DataFrame:
    """Count the style features of texts.

    Parameters
    ----------
    texts : Series
        One text per row; the index is kept.
    language : str
        Language of the texts, as a plan writes it ('en', 'en-GB', 'de').

    Returns
    -------
    DataFrame
        One column per feature, with counts in each text without its web addresses:

        - `words`: runs of letters and digits; a contraction or a hyphenated word is one. NaN if
          more than half of the letters are in a script without spaces between words.
        - `emoji`: see `count_emoji`.
        - `exclamation_marks`, `question_marks`: marks of any width; Arabic and Greek ones too.
        - `questions`: runs of marks that include a question mark: "Really??" is one.
        - `first_person_singular`, `first_person_plural`: pronouns and their contractions in
          English; NaN for other languages, for which there is no list. 'US' in capitals is not a
          pronoun unless the whole text is in capitals; 'mine' always is one.

    Notes
    -----
    The lists are our own; English personal pronouns are a closed class.
    """
    plain = ["" if pd.isna(text) else str(text) for text in texts]
    rows = [_features(_ADDRESS.sub(" ", text)) for text in plain]
    frame = pd.DataFrame(rows, index=texts.index, columns=list(FEATURES), dtype=float)
    if language.replace("_", "-").split("-")[0].lower() != "en":
        frame[list(_ENGLISH_ONLY)] = np.nan
    return frame


def per_hundred_words(features: pd.DataFrame, names: Sequence[str] = FEATURES) -> pd.DataFrame:
    """Return counts per 100 words of the text; `words` remains a count.

    Parameters
    ----------
    features : DataFrame
        From `style_features`.
    names : sequence of str
        Which of them to return.

    Returns
    -------
    DataFrame
        NaN if a text has no words or they cannot be counted.
    """
    columns.require_columns(features, "words", *names)
    words = features["words"].where(features["words"] > 0)
    rates = {
        name: features[name] if name == "words" else 100 * features[name] / words for name in names
    }
    return pd.DataFrame(rates, index=features.index)


def _features(text: str) -> tuple[float, ...]:
    text = text.translate(_APOSTROPHES)
    plain = EMOJI.sub(" ", text)
    country = 0 if plain.isupper() else len(_COUNTRY.findall(plain))
    return (
        _words(plain),
        count_emoji(text),
        sum(times * plain.count(mark) for mark, times in _EXCLAMATIONS.items()),
        sum(times * plain.count(mark) for mark, times in _QUESTIONS.items()),
        len(_ASKED.findall(plain)),
        len(_SINGULAR.findall(plain)),
        len(_PLURAL.findall(plain)) - country,
    )


def _words(text: str) -> float:
    """Return the number of words; NaN if the script does not separate them."""
    found = _WORD.findall(text)
    letters = sum(map(len, found))
    if letters and len(_UNSPACED.findall(text)) > letters / 2:
        return float("nan")
    return float(len(found))
