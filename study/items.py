"""A thing to judge, as raters and judges see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A thing to judge, as a judge may see it: never a source label or an earlier score.

    Attributes
    ----------
    item_id : str
    scenario : str
    text : str
        One turn a line, `Seeker: ...` or `Supporter: ...`; a line without a speaker goes on with
        the turn before it.
    prompt : str
        What the text answers to, empty where the text stands for itself.
    """

    item_id: str
    scenario: str
    text: str
    prompt: str = ""
