"""Two judges that need no key and no network: one counts words, the other looks for markers.

An LLM judge that does not beat them may measure only verbosity or vocabulary. Both look only at the
supporter's turns. Both are functions of the text alone, so their results are cached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from prereg.errors import RatifyError
from study.items import Item
from study.judges import lexicon
from study.tasks.base import Choice, Judge

#: Supporter's words at which the length baseline's rating goes up by one; each step doubles.
LENGTH_CUTS = (25.0, 50.0, 100.0, 200.0)

# The two labels, in any case, with the marks that people put around them ("**Supporter:**").
_LABEL = re.compile(r"^[\s*_>-]*(seeker|supporter)[\s*_]*:[\s*_]*", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SENTENCE = re.compile(r"[^.?!]+[.?!]*")


@dataclass(frozen=True)
class Turn:
    """What the supporter said in one turn, and what it replied to; both in lower case."""

    text: str
    before: str


def supporter_turns(text: str) -> list[Turn]:
    """Return the supporter's turns.

    Parameters
    ----------
    text : str
        One turn per line, `Seeker: ...` or `Supporter: ...` in any case. A line without a label
        continues the turn before it; lines before the first label are left out. A text without
        labels is one turn of the supporter.

    Returns
    -------
    list of Turn
        Without empty turns.
    """
    spoken: list[tuple[str, str]] = []
    plain = text.replace("’", "'").replace("‘", "'").lower()
    for line in plain.splitlines():
        label = _LABEL.match(line)
        if label:
            spoken.append((label.group(1), line[label.end() :].strip()))
        elif spoken and line.strip():
            speaker, said = spoken[-1]
            spoken[-1] = (speaker, f"{said} {line.strip()}".strip())
    if not spoken:
        whole = " ".join(plain.split())
        return [Turn(whole, "")] if whole else []
    turns: list[Turn] = []
    before = ""
    for speaker, said in spoken:
        if speaker == "seeker":
            before = said
        elif said:
            turns.append(Turn(said, before))
    return turns


def supporter_words(text: str) -> int:
    """Return how many words the supporter says."""
    return sum(len(_WORD.findall(turn.text)) for turn in supporter_turns(text))


@lru_cache(maxsize=16_384)
def marker_rates(text: str) -> Mapping[str, float]:
    """Return the weighted count of each dimension's markers per supporter turn.

    Parameters
    ----------
    text : str
        A conversation.

    Returns
    -------
    mapping
        Rate by dimension, in markers per turn; 0 if the supporter says nothing. See `lexicon`.
    """
    turns = supporter_turns(text)
    if not turns:
        return dict.fromkeys(lexicon.DIMENSIONS, 0.0)
    totals = {
        dimension: sum(_count(markers, turn.text) for turn in turns)
        for dimension, markers in lexicon.COMPILED.items()
    }
    totals["encouraging_elaboration"] += sum(_questions(turn.text) for turn in turns)
    totals["demonstrating_understanding"] += sum(_shared(turn) for turn in turns)
    rates = {dimension: totals[dimension] / len(turns) for dimension in lexicon.DIMENSIONS}
    rates["self_oriented"] += _first_person(turns) / lexicon.FIRST_PERSON_FULL
    return rates


def _count(markers: Sequence[tuple[re.Pattern[str], float]], text: str) -> float:
    return sum(weight * len(pattern.findall(text)) for pattern, weight in markers)


def _questions(text: str) -> float:
    """Return the weighted number of questions, without advice in the form of a question."""
    total = 0.0
    for sentence in _SENTENCE.findall(text):
        if "?" not in sentence or lexicon.ADVICE_QUESTION.search(sentence):
            continue
        is_open = lexicon.OPEN_QUESTION.match(sentence.strip())
        total += lexicon.OPEN_QUESTION_WEIGHT if is_open else lexicon.CLOSED_QUESTION_WEIGHT
    return total


def _shared(turn: Turn) -> float:
    """Return the weight of the content words shared with the seeker's last turn."""
    shared = _content(turn.text) & _content(turn.before)
    return lexicon.SHARED_WORD * min(len(shared), lexicon.SHARED_WORDS_MOST)


def _content(text: str) -> set[str]:
    """Return the content words, cut to five letters so that `worry` matches `worries`."""
    return {w[:5] for w in _WORD.findall(text) if len(w) >= 4 and w not in lexicon.STOPWORDS}


def _first_person(turns: Sequence[Turn]) -> float:
    """Return the share of the supporter's words in the first person, without listening phrases."""
    text = " ".join(turn.text for turn in turns)
    words = len(_WORD.findall(text))
    own = len(lexicon.FIRST_PERSON.findall(lexicon.LISTENING.sub(" ", text)))
    return own / words if words else 0.0


class Lexical:
    """The judge that counts markers.

    It rates each dimension by fixed cut points on the markers per supporter turn. It compares by
    overall = validating + elaboration + understanding - advice - self-oriented - dismissing. If
    that is equal, it compares by the same sum of the rates, and if that is equal too, by chance;
    where a plan offers ties, it answers a tie at once.
    """

    rater_id: str = "lexical"
    rater_kind: Literal["llm", "baseline"] = "baseline"

    def compare(self, left: Item, right: Item, *, rng: np.random.Generator) -> Choice:
        """Return the side with the higher overall score; an exact tie is decided by `rng`."""
        return _higher(_lexical_rank(left.text), _lexical_rank(right.text), rng)

    def equal(self, left: Item, right: Item) -> bool:
        """Return whether both have the same overall score, without a look at the rates."""
        return _lexical_rank(left.text)[0] == _lexical_rank(right.text)[0]

    def pick(self, options: Sequence[Item], *, rng: np.random.Generator) -> tuple[int, int]:
        """Return the places with the highest and the lowest overall score; `rng` decides ties."""
        return _ends([_lexical_rank(item.text) for item in options], rng)

    def rate(self, item: Item, dimensions: Sequence[str]) -> Mapping[str, float]:
        """Return 1 to 5, whole numbers, on each of the named dimensions.

        Raises
        ------
        RatifyError
            When a dimension has no markers.
        """
        _check_dimensions(self.rater_id, dimensions)
        rates = marker_rates(item.text)
        return {dimension: lexicon.rating(rates[dimension]) for dimension in dimensions}


class Length:
    """The judge that counts words.

    It has one opinion, that longer is better, and gives it on every dimension. The three that add
    to the overall score get the same rating. The three that subtract get six minus that rating,
    because a longer text must have less of them. So its overall score is six times its rating
    minus 18, never falls when the supporter says more, and uses the whole range of -12 to 12.
    """

    rater_id: str = "length"
    rater_kind: Literal["llm", "baseline"] = "baseline"

    def compare(self, left: Item, right: Item, *, rng: np.random.Generator) -> Choice:
        """Return the side where the supporter says more words; a tie is decided by `rng`."""
        return _higher(_length_rank(left.text), _length_rank(right.text), rng)

    def equal(self, left: Item, right: Item) -> bool:
        """Return whether the supporter says equally many words in both."""
        return _length_rank(left.text) == _length_rank(right.text)

    def pick(self, options: Sequence[Item], *, rng: np.random.Generator) -> tuple[int, int]:
        """Return the places with the most and the fewest words; `rng` decides ties."""
        return _ends([_length_rank(item.text) for item in options], rng)

    def rate(self, item: Item, dimensions: Sequence[str]) -> Mapping[str, float]:
        """Return 1 to 5, whole numbers, on each of the named dimensions.

        Raises
        ------
        RatifyError
            When a dimension is not one of the six, so that it is unknown whether it adds.
        """
        _check_dimensions(self.rater_id, dimensions)
        opinion = lexicon.rating(_length_rank(item.text)[0], LENGTH_CUTS)
        turned = lexicon.SCALE_MIN + lexicon.SCALE_MAX - opinion
        return {d: opinion if lexicon.DIMENSIONS[d] > 0 else turned for d in dimensions}


@lru_cache(maxsize=16_384)
def _lexical_rank(text: str) -> tuple[float, float]:
    """Return the overall scores that the lexical judge compares: from ratings, then from rates."""
    rates = marker_rates(text)
    signs = lexicon.DIMENSIONS
    return (
        sum(sign * lexicon.rating(rates[d]) for d, sign in signs.items()),
        sum(sign * rates[d] for d, sign in signs.items()),
    )


@lru_cache(maxsize=16_384)
def _length_rank(text: str) -> tuple[float, float]:
    """Return the word count that the length judge compares, in the form that `_higher` takes."""
    return (float(supporter_words(text)), 0.0)


def _higher(
    left: tuple[float, float], right: tuple[float, float], rng: np.random.Generator
) -> Choice:
    if left == right:
        return "left" if rng.random() < 0.5 else "right"
    return "left" if left > right else "right"


def _ends(ranks: Sequence[tuple[float, float]], rng: np.random.Generator) -> tuple[int, int]:
    """Return the places of the highest and the lowest rank, two different ones."""
    chance = rng.permutation(len(ranks))
    order = sorted(range(len(ranks)), key=lambda place: (ranks[place], chance[place]))
    return order[-1], order[0]


def _check_dimensions(rater_id: str, dimensions: Sequence[str]) -> None:
    for dimension in dimensions:
        if dimension not in lexicon.DIMENSIONS:
            raise RatifyError(
                f"the {rater_id} baseline has no rating for this dimension",
                value=dimension,
                allowed=", ".join(lexicon.DIMENSIONS),
            )


_BASELINES: Mapping[str, Callable[[], Judge]] = {"length": Length, "lexical": Lexical}


def baseline(name: str) -> Judge:
    """Return an offline judge by its name.

    Parameters
    ----------
    name : {'length', 'lexical'}

    Raises
    ------
    RatifyError
        When there is no such baseline.
    """
    if name not in _BASELINES:
        raise RatifyError("there is no such baseline", value=name, allowed=", ".join(_BASELINES))
    return _BASELINES[name]()
