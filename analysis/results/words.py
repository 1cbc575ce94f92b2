"""Parts of sentences: a number with its noun, a list of names."""

from __future__ import annotations

from collections.abc import Sequence

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
