"""What a judge is: somebody, not a person, who answers the same trials and leaves the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

Choice = Literal["left", "right"]


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


class Judge(Protocol):
    """A rater that is not a person.

    Attributes
    ----------
    rater_id : str
        Its name in the tidy tables.
    rater_kind : {'llm', 'baseline'}
        What it is in the tidy tables.
    """

    rater_id: str
    rater_kind: Literal["llm", "baseline"]

    def compare(self, left: Item, right: Item, *, rng: np.random.Generator) -> Choice:
        """Return the side where a person in trouble would feel more heard."""
        ...

    def pick(self, options: Sequence[Item], *, rng: np.random.Generator) -> tuple[int, int]:
        """Return the places, from 0, of the option it picks most and of the one it picks least."""
        ...

    def rate(self, item: Item, dimensions: Sequence[str]) -> Mapping[str, float]:
        """Return a score on each of the named dimensions, on the plan's scale."""
        ...
