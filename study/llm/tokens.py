"""Estimate how many tokens a text has, by its script; tokenizers need several for one letter.

No tokenizer is asked, because the servers' differ. The factors are rules of thumb for tokenizers
that were trained mostly on English, rounded up: a budget that is estimated too high does no harm.
Published counts over many languages (Petrov et al. 2023, "Language Model Tokenizers Introduce
Unfairness Between Languages"; Ahia et al. 2023, "Do All Languages Cost the Same?") find that the
same content takes up to about 2 times as many tokens in Chinese or Japanese as in English, 2 to 3
times in Russian or Arabic, and 5 and more times in Hindi, Thai or Burmese.
"""

from __future__ import annotations

import re
from typing import Final

#: Tokens per character, by script.
LATIN: Final = 0.25
FACTORS: Final = {
    "other Latin letters and marks": (0.75, "\u00a1-\u036f\u1e00-\u1eff\u2000-\u206f"),
    "Greek, Cyrillic, Armenian, Georgian": (0.6, "\u0370-\u058f\u10a0-\u10ff\u1f00-\u1fff"),
    "Hebrew, Arabic and their like": (0.9, "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff"),
    "Indic, Thai, Lao, Khmer, Burmese, Ethiopic": (2.0, "\u0900-\u109f\u1200-\u139f\u1780-\u17ff"),
    "Chinese, Japanese, Korean": (
        1.5,
        "\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef"
        "\U00020000-\U0003ffff",
    ),
}
# Emoji, symbols and rare scripts: mostly one token per byte.
OTHER: Final = 3.0
# A text of conversations, names and marks has somewhat more tokens than prose.
MARGIN: Final = 1.1
_ASCII: Final = re.compile(r"[\x00-\xa0]")
_SCRIPTS: Final = [(factor, re.compile(f"[{range_}]")) for factor, range_ in FACTORS.values()]


def about_tokens(text: str) -> float:
    """Return about how many tokens a text has: rather too many than too few.

    Parameters
    ----------
    text : str
    """
    if text.isascii():
        return MARGIN * LATIN * len(text)
    plain = len(_ASCII.findall(text))
    tokens, left = LATIN * plain, len(text) - plain
    for factor, script in _SCRIPTS:
        count = len(script.findall(text))
        tokens += factor * count
        left -= count
    return MARGIN * (tokens + OTHER * left)
