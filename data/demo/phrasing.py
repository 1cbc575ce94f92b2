"""Turns fragments into sentences: fills their slots and chooses one of several wordings.

The notation of the files in `fragments/`:

- `{boss}` is a slot; `{boss_cap}` is the same with a capital first letter.
- `[a|b|c]` is one of several wordings.
- `(cake|party) ...` at the start: used only if the seeker's last turn has one of these words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_CONDITION = re.compile(r"^\(([^)]+)\) ")
_WORDINGS = re.compile(r"\[([^\[\]]*)\]")
_SENTENCE = re.compile(r"[^.?!]+[.?!]+")


def choose(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Return one of the options, each equally likely.

    This package uses only `rng.random`, because numpy keeps that stream stable.
    """
    return options[int(rng.random() * len(options))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return True with the given probability."""
    return bool(rng.random() < probability)


def shuffled(rng: np.random.Generator, options: Sequence[T]) -> list[T]:
    """Return the options in random order."""
    keys = [rng.random() for _ in options]
    return [options[i] for i in sorted(range(len(options)), key=keys.__getitem__)]


def with_capitals(slots: Mapping[str, str]) -> dict[str, str]:
    """Return the slots with a `_cap` form beside each."""
    return {**slots, **{f"{k}_cap": v[:1].upper() + v[1:] for k, v in slots.items()}}


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, in lower case, without the marks that end them."""
    return [s.strip(" .?!").lower() for s in _SENTENCE.findall(text + ".") if s.strip(" .?!")]


def casual(text: str, names: Sequence[str]) -> str:
    """Return a turn as somebody who leaves out capitals and full stops would type it."""

    def lower(match: re.Match[str]) -> str:
        word = match.group(2)
        keep = word == "I" or word.startswith("I'") or word in names
        return match.group(1) + (word if keep else word[:1].lower() + word[1:])

    text = re.sub(r"(^|[.?!] )([\w']+)", lower, text)
    return text[:-1] if text.endswith(".") else text


@dataclass
class Phrasebook:
    """Draws fragments for one scenario, the least used ones first.

    Attributes
    ----------
    rng : numpy.random.Generator
    uses : Counter
        How often each fragment was drawn.
    heard : Counter
        How often each finished sentence was said in the scenario.
    """

    rng: np.random.Generator
    uses: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)

    def render(self, fragment: str, slots: Mapping[str, str]) -> str:
        """Return the fragment with its slots filled and its wordings chosen."""
        text = _CONDITION.sub("", fragment)
        text = _WORDINGS.sub(lambda m: choose(self.rng, m.group(1).split("|")), text)
        return text.format_map(with_capitals(slots))

    def draw(
        self, bank: Sequence[str], slots: Mapping[str, str], said: set[str], *, about: str = ""
    ) -> str | None:
        """Return a sentence from the bank that this conversation has not heard.

        Parameters
        ----------
        bank : sequence of str
            Fragments.
        slots : mapping
            What fills them.
        said : set of str
            The sentences of the conversation so far; the new ones are added.
        about : str
            The turn that it replies to, for fragments with a condition.

        Returns
        -------
        str or None
            None if nothing in the bank fits any more.
        """
        fitting = [f for f in bank if self._fits(f, slots, about)]
        if not fitting:
            return None
        # A fragment that fits the seeker's words may be used once more often than a general one.
        rank = {f: self.uses[f] - bool(_CONDITION.match(f)) + self.rng.random() for f in fitting}
        drafts = [
            (fragment, self.render(fragment, slots))
            for fragment in sorted(fitting, key=rank.__getitem__)
            for _ in range(3)
        ]
        fresh = [draft for draft in drafts if not said.intersection(sentences(draft[1]))]
        if not fresh:
            return None
        # Of the first few, take the one whose sentences were said least often in the scenario.
        fragment, text = min(
            fresh[:9], key=lambda draft: sum(self.heard[s] for s in sentences(draft[1]))
        )
        self.uses[fragment] += 1
        self.heard.update(sentences(text))
        said.update(sentences(text))
        return text

    def _fits(self, fragment: str, slots: Mapping[str, str], about: str) -> bool:
        condition = _CONDITION.match(fragment)
        if not condition:
            return True
        words = condition.group(1).format_map(with_capitals(slots))
        return re.search(words, about) is not None
