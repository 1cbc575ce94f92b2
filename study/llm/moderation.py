"""Read the reply of a server's moderation endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from study.llm.bodies import read_json
from study.llm.reply import TroubleError

PATH: Final = "/moderations"
NO_MODERATION: Final = "the reply is not one of a moderation endpoint"
# A category that is flagged without a name.
UNNAMED: Final = "flagged"
_LONGEST: Final = 32


@dataclass(frozen=True)
class Moderated:
    """What a moderation endpoint says of a text.

    Attributes
    ----------
    flagged : bool
    category : str
        The likeliest category in small letters, such as `self_harm_intent`; empty if none is
        flagged.
    """

    flagged: bool
    category: str = ""


def read_moderation(content: bytes, charset: str | None = None) -> Moderated:
    """Read the body of a reply with status 200.

    Raises
    ------
    ErrorInside
        When it is the body of an error.
    TroubleError
        When it is none of a moderation endpoint.
    """
    body = read_json(content, charset, NO_MODERATION)
    try:
        found = body["results"][0]
        flagged = found["flagged"]
        categories = found.get("categories") or {}
        scores = found.get("category_scores") or {}
        named = [str(name) for name, hit in categories.items() if hit]
    except (LookupError, TypeError, AttributeError) as error:
        raise TroubleError("unreadable", detail=NO_MODERATION, lost=True) from error
    if not isinstance(flagged, bool):
        raise TroubleError("unreadable", detail=NO_MODERATION, lost=True)
    if not flagged:
        return Moderated(False)
    name = max(named, key=lambda one: _score(scores, one), default=UNNAMED)
    return Moderated(True, re.sub(r"\W+", "_", name.lower()).strip("_")[:_LONGEST] or UNNAMED)


def _score(scores: Any, name: str) -> float:
    value = scores.get(name) if isinstance(scores, Mapping) else None
    return float(value) if isinstance(value, int | float) else 0.0
