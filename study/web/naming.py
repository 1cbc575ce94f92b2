"""What the items of a trial are called: "Conversation A", or what the plan calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from prereg.plan.display import Display

LETTERS = "ABCDEFGHIJKL"


@dataclass(frozen=True)
class Name:
    """The name of an item on a page.

    Attributes
    ----------
    noun : str
        "Conversation"; empty if the label is the whole name.
    label : str
        "A"; what a button shows on a phone.
    """

    noun: str
    label: str

    @property
    def whole(self) -> str:
        """The name in a heading and to a screen reader."""
        return f"{self.noun} {self.label}" if self.noun else self.label


def naming(display: Display) -> Callable[[str, int], tuple[Name, ...]]:
    """Return a function for the templates: the names of a trial's items.

    It takes the noun of the kind of task, in the language of the pages, which the plan may replace,
    and the number of items.
    """

    @lru_cache(maxsize=16)
    def named(noun: str, count: int) -> tuple[Name, ...]:
        called = display.noun or noun
        labels = display.labels or LETTERS[:count]
        return tuple(Name("" if display.is_whole(label) else called, label) for label in labels)

    return named
