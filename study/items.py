"""An item as raters and judges see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """An item as raters and judges may see it: without source labels or earlier scores.

    Attributes
    ----------
    item_id : str
    scenario : str
    text : str
        One turn per line, `Seeker: ...` or `Supporter: ...`; a line without a speaker continues
        the turn before it.
    prompt : str
        What the text responds to; empty if there is nothing.
    """

    item_id: str
    scenario: str
    text: str
    prompt: str = ""
