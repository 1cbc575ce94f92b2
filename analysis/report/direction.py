"""Texts of a study that are written from right to left, within the English sentences of a page."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

# Letters and marks of Hebrew, Arabic and the scripts between them.
_LETTERS = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
# What stands in quotation marks, with all that is in it; else words with only spaces between them.
_PASSAGE = re.compile(
    f"(?<=“)[^“”<>]*[{_LETTERS}][^“”<>]*(?=”)|[{_LETTERS}](?:[{_LETTERS}\\s-]*[{_LETTERS}])?"
)


def isolated(text: str) -> Markup:
    """Return a sentence in which what is written from right to left stands by itself.

    Without that, numbers and Latin words that follow Arabic would change places with it.

    Parameters
    ----------
    text : str or Markup
        A text, which is escaped, or markup without such letters in its tags.
    """
    escaped = str(escape(text))
    return Markup(_PASSAGE.sub(r"<bdi>\g<0></bdi>", escaped))  # noqa: S704
