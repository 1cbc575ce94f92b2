"""A simulated rater of any kind of task: how it behaves, and how it answers a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from prereg.errors import RatifyError
from prereg.plan.assumptions import RaterAssumptions
from prereg.plan.collection import Rated
from prereg.tables.contract import TIE
from study.bots.bot import Bot, Population
from study.bots.page import Page, fingerprint

# The part of a person's errors of rating that is the same for every text: how severe they are.
SEVERITY = 0.2
# How often a simulated rater writes something where the field may stay empty.
WRITES = 0.5
WORDS = "Words of a simulated rater."


@dataclass(frozen=True)
class Worth:
    """What an item is worth to simulated raters.

    Attributes
    ----------
    overall : float
        Planted quality, in standard deviations.
    dimensions : mapping
        The same for each scale of points, by its id.
    labels : mapping
        The right label on each scale of labels, by its id.
    """

    overall: float
    dimensions: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What simulated raters know of a study beside what they read on its pages.

    Attributes
    ----------
    worth : mapping
        By the `fingerprint` of an item's text as the pages show it.
    checks : mapping
        What the plan expects of each attention check, by the fingerprints of its texts.
    scales : mapping
        The scales of a rating plan by their ids.
    understood : str
        The value of the right option of the comprehension question.
    """

    worth: Mapping[str, Worth]
    checks: Mapping[tuple[str, ...], Mapping[str, int | str]] = field(default_factory=dict)
    scales: Mapping[str, Rated] = field(default_factory=dict)
    understood: str = ""


@dataclass(frozen=True)
class Conduct:
    """How a simulated rater behaves, apart from what it values.

    Attributes
    ----------
    careless : bool
        Whether it answers at random, attention checks too.
    leaves_after : int or None
        The number of answered trials after which it leaves without a word; 0 is a no-show, None a
        rater who stays.
    """

    careless: bool = False
    leaves_after: int | None = None

    @classmethod
    def drawn(cls, assumed: RaterAssumptions, trials: int, rng: np.random.Generator) -> Self:
        """Draw how a rater of a sequence of so many trials behaves.

        Always takes the same numbers from `rng`, so that one share does not change another.
        """
        leaving, place, care = rng.random(3)
        careless = bool(care < assumed.careless)
        if leaving < assumed.no_shows:
            return cls(careless, 0)
        if leaving < assumed.no_shows + assumed.drop_out and trials > 1:
            return cls(careless, 1 + int(place * (trials - 1)))
        return cls(careless)


class SimulatedRater:
    """One simulated rater of a plan.

    Parameters
    ----------
    known : Known
    assumed : RaterAssumptions
        How raters answer; differences between raters are drawn from it.
    conduct : Conduct
    rng : numpy Generator
        For the answers to trials.
    aside : numpy Generator
        For everything else, so that a trial has the same answer with and without a survey.
    """

    def __init__(
        self,
        known: Known,
        assumed: RaterAssumptions,
        conduct: Conduct,
        *,
        rng: np.random.Generator,
        aside: np.random.Generator,
    ) -> None:
        self.conduct = conduct
        self._known = known
        self._assumed = assumed
        self._rng, self._aside = rng, aside
        overall = {text: worth.overall for text, worth in known.worth.items()}
        people = Population(
            **{name: getattr(assumed, name) for name in Population.__dataclass_fields__}
        )
        self._bot = Bot(overall, people, rng)
        self._severity: float | None = None

    def answer(self, page: Page) -> dict[str, str]:
        """Return the fields that answer a trial.

        Raises
        ------
        RatifyError
            When the page is no trial, or shows a text that is not an item.
        """
        if not page.choices or not page.conversations:
            raise RatifyError("a simulated rater cannot answer this page", value=page.title)
        shown = tuple(fingerprint(text) for text in page.conversations.values())
        expected = self._known.checks.get(shown)
        if self.conduct.careless:
            answer = self._anything(page, self._rng)
        elif expected is not None:
            return self._as_expected(page, expected)
        else:
            answer = self._considered(page, shown)
        return answer | self._why(page)

    def understand(self, page: Page) -> dict[str, str]:
        """Return the answer to the comprehension question; the careless do not read it."""
        if self.conduct.careless:
            return self._anything(page, self._aside)
        return {"option": self._known.understood}

    def fill_in(self, page: Page) -> dict[str, str]:
        """Return answers that say nothing: to practice trials and to the end survey."""
        return self._anything(page, self._aside) | self._why(page, always=True)

    def _considered(self, page: Page, shown: Sequence[str]) -> dict[str, str]:
        texts = list(page.conversations.values())
        if {"most", "least"} <= page.choices.keys():
            return self._pick(texts)
        if "choice" in page.choices:
            offered = {"ties": True} if TIE in page.choices["choice"] else {}
            return {"choice": self._bot.choose(texts[0], texts[1], **offered)}
        worth = self._known.worth.get(shown[0])
        if worth is None:
            raise RatifyError("a page shows a text that is not among the items", value=texts[0])
        return {name: self._rate(name, worth) for name in page.choices}

    def _pick(self, texts: Sequence[str]) -> dict[str, str]:
        """Return the places of the most and the least valued text, each with its own error."""
        values = np.array([self._bot.value(text) for text in texts])
        # a maximum with Gumbel errors is a logit choice (McFadden 1974)
        most = int(np.argmax(values + self._rng.gumbel(size=len(texts))))
        wanting = -values + self._rng.gumbel(size=len(texts))
        wanting[most] = -math.inf
        return {"most": str(most + 1), "least": str(int(np.argmax(wanting)) + 1)}

    def _rate(self, name: str, worth: Worth) -> str:
        """Return the point or the label that this rater gives an item on a scale."""
        scale, reliability = self._known.scales[name], self._assumed.reliability
        if scale.names:
            right = self._rng.random() < reliability
            anything = scale.names[int(self._rng.integers(len(scale.names)))]
            return worth.labels[name] if right else anything
        if self._severity is None:
            self._severity = float(self._rng.normal())
        error = math.sqrt(SEVERITY) * self._severity
        error += math.sqrt(1 - SEVERITY) * float(self._rng.normal())
        seen = math.sqrt(reliability) * worth.dimensions[name]
        return str(point_of(seen + math.sqrt(1 - reliability) * error, scale))

    def _as_expected(self, page: Page, expected: Mapping[str, int | str]) -> dict[str, str]:
        """Return the expected answer to an attention check; what it leaves open is anything."""
        answer = {name: str(value) for name, value in expected.items()}
        for name, values in page.choices.items():
            taken = set(answer.values()) if {"most", "least"} <= page.choices.keys() else set()
            answer.setdefault(name, next(value for value in values if value not in taken))
        return answer

    def _anything(self, page: Page, rng: np.random.Generator) -> dict[str, str]:
        """Return an answer at random to every group of options."""
        answer: dict[str, str] = {}
        for name, values in page.choices.items():
            # the same response cannot be picked twice; an empty value is no answer
            taken = {answer["most"]} if name == "least" and "most" in answer else set()
            open_ones = [value for value in values if value and value not in taken]
            answer[name] = open_ones[int(rng.integers(len(open_ones)))]
        return answer

    def _why(self, page: Page, *, always: bool = False) -> dict[str, str]:
        """Return words for the text fields of a page, or leave them empty."""
        writes = always or not page.texts or self._aside.random() < WRITES
        return dict.fromkeys(page.texts, WORDS if writes else "")


def point_of(score: float, scale: Rated) -> int:
    """Return the point of a scale for a score in standard deviations: the scale spans four."""
    middle, width = (scale.min + scale.max) / 2, scale.max - scale.min
    return int(min(max(round(middle + score * width / 4), scale.min), scale.max))
