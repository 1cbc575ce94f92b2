"""Whether people agree with each other: one rule for ratings and labels, for pairs and crowds.

People's own agreement is the yardstick where its interval lies above zero. Where it does not, two
things must not be confused: an interval that excludes useful agreement shows that people do not
agree; a wide interval that holds both zero and useful agreement shows nothing yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from analysis.agreement.alternative_annotator import LOW_ALPHA
from analysis.agreement.yardstick import FEWEST
from analysis.results.numbers import with_interval
from analysis.results.verdict import Note
from analysis.results.words import counted, listed

# People's kappa or alpha below this is of little use: the limit that also flags a low alpha.
USEFUL = LOW_ALPHA


class Compared(Protocol):
    """A judge on a dimension, of ratings or of labels, as far as this rule looks at it."""

    @property
    def dimension(self) -> str:
        """Return the dimension."""

    @property
    def n(self) -> int:
        """Return how many items the judge and people answered."""

    @property
    def coefficient(self) -> str:
        """Return what people's own agreement is: 'kappa' or 'alpha'."""

    @property
    def people(self) -> tuple[float, float, float]:
        """Return people's own agreement with both ends of its interval."""

    @property
    def shared(self) -> int:
        """Return how many items are behind it."""

    @property
    def short(self) -> bool:
        """Return whether the judge's agreement is clearly below people's own."""


def lacks_yardstick(part: Compared) -> bool:
    """Say whether people's own agreement is shown to be useless, so that nothing can be compared.

    Its interval holds zero, or lies below it, and ends below `USEFUL`.
    """
    return _not_above_zero(part) and part.people[2] < USEFUL


def shows_too_little(part: Compared) -> bool:
    """Say whether people share enough items, and yet these do not show whether people agree.

    The interval holds zero and useful agreement, or there is none. A judge that is clearly below
    people's own agreement is known to be, whatever that is.
    """
    return _not_above_zero(part) and not lacks_yardstick(part) and not part.short


def shares_too_few(part: Compared) -> bool:
    """Say whether people share too few items to tell whether they agree, though there are some."""
    return bool(np.isfinite(part.people[0]) and part.shared < FEWEST <= part.n)


def also_short(part: Compared) -> bool:
    """Say whether a judge, whatever else it does, falls short of people who agree themselves."""
    return part.short and not lacks_yardstick(part)


def _not_above_zero(part: Compared) -> bool:
    value, low, _ = part.people
    return bool(np.isfinite(value) and part.shared >= FEWEST and not low > 0)


def shared_words(part: Compared) -> str:
    """Return what a cell says where people share too few items to tell whether they agree."""
    return f"people share only {counted(part.shared, 'item')}: {FEWEST} are needed to tell"


def little_words(part: Compared) -> str:
    """Return what a cell says where shared items do not show whether people agree."""
    return f"{_not_shown(part.shared)}: {part.coefficient} {with_interval(*part.people)}"


def undecided_words(parts: Sequence[Compared]) -> str:
    """Return why nothing is decided, if it is for people's sake on all dimensions of a judge."""
    most = max((part.shared for part in parts), default=0)
    at_most = " at most" * (len(parts) > 1)
    if parts and all(map(shares_too_few, parts)):
        return f"people share {counted(most, 'item')}{at_most}, and {FEWEST} are needed"
    if parts and all(map(shows_too_little, parts)):
        return _not_shown(most, at_most)
    return ""


def _not_shown(items: int, at_most: str = "") -> str:
    return f"{items:,} shared items{at_most} do not show whether people agree"


def people_agree_notes(parts: Sequence[Compared], do: str) -> list[Note]:
    """Return the findings on dimensions where people do not agree, or where it is not known.

    Parameters
    ----------
    parts : sequence of Compared
        Those of every judge.
    do : str
        What to do where people do not agree.
    """
    weak = {part.dimension: part for part in parts if lacks_yardstick(part)}
    little = {one.dimension: one for one in parts if shows_too_little(one)}
    little = {name: part for name, part in little.items() if name not in weak}
    found = _shared_notes({one.dimension: one.shared for one in parts if shares_too_few(one)})
    if weak:
        shown = [_shown(part) for part in weak.values()]
        found.append(
            Note(
                severity="critical",
                about="people",
                says=f"People do not agree with each other beyond chance on {listed(shown)}, so no "
                "judge can be compared with them there.",
                do=do,
            )
        )
    if little:
        shown = [_shown(part, counted(part.shared, "item")) for part in little.values()]
        found.append(
            Note(
                severity="warning",
                about="people",
                says=f"The shared items do not show whether people agree on {listed(shown)}: not "
                "enough data.",
                do="Let people answer more items in common before a judge is compared with them.",
            )
        )
    return found


def _shown(part: Compared, items: str = "") -> str:
    number = f"{part.coefficient} {with_interval(*part.people)}"
    return f"{part.dimension.replace('_', ' ')} ({number}{', ' * bool(items)}{items})"


def _shared_notes(items: dict[str, int]) -> list[Note]:
    """Return the finding on dimensions where people share too few items; by dimension, how many."""
    if not items:
        return []
    shown = [f"{counted(n, 'item')} on {name.replace('_', ' ')}" for name, n in items.items()]
    return [
        Note(
            severity="warning",
            about="people",
            says=f"Two people share only {listed(shown)}, too few to tell whether people agree; "
            f"{FEWEST} are needed.",
            do="Let people rate more items in common before a judge is compared with them.",
        )
    ]
