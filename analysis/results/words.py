"""Parts of sentences: a number with its noun, a list of names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from analysis.results.numbers import flat
from prereg.baselines import BASELINE_MEANING


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: '1 person', '3 people', '1,200 people'."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: 'a, b and c'."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def introduced(judge: str) -> str:
    """Return a judge's name, and what it is if it is a baseline: their names are reserved."""
    meaning = BASELINE_MEANING.get(judge)
    return f"{judge} ({meaning})" if meaning else judge


def part_of(hits: int, total: int, one: str) -> str:
    """Return how many of some things, at least one: '2 of 3 pairs'; 'the one pair' of one."""
    return f"the one {one}" if total == 1 else f"{hits} of {counted(total, one)}"


def sentences(parts: Iterable[str]) -> str:
    """Return parts of a note as sentences, each with a capital letter and a full stop."""
    kept = [part.strip() for part in parts]
    return " ".join(one[0].upper() + one[1:] + "." * (one[-1] not in ".!?") for one in kept if one)


def undecided(low: float | None, high: float | None) -> bool:
    """Return whether an interval includes no difference; an end that is missing is without limit.

    Where both ends are missing, or the interval has no width, there is no interval to include it.
    """
    ends = [None if end is None or math.isnan(end) else float(end) for end in (low, high)]
    if ends == [None, None] or flat(*ends):
        return False
    return not ((ends[0] is not None and ends[0] > 0) or (ends[1] is not None and ends[1] < 0))
