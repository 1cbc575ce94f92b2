"""A simulated rater of any kind of task: how it behaves, and how it answers a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Self

import numpy as np

from prereg.errors import RatifyError
from prereg.plan.assumptions import RaterAssumptions
from prereg.plan.collection import Rated
from prereg.tables.contract import TIE
from study.bots.bot import Bot, Population
from study.bots.page import Page, fingerprint

# How often a simulated rater writes something where the field may stay empty.
WRITES = 0.5
WORDS = "Words of a simulated rater."


@dataclass(frozen=True)
class Known:
    """What simulated raters know of a study beside what they read on its pages.

    Attributes
    ----------
    quality : mapping
        The planted quality of an item, in standard deviations, by the `fingerprint` of its text as
        the pages show it.
    scores : mapping
        By the same fingerprint, what people would agree on, in points by scale; of a scale that is
        not there, the quality decides.
    spread : mapping
        The standard deviation of these points over the items, by scale.
    checks : mapping
        What the plan expects of each attention check, by the fingerprints of its texts.
    scales : mapping
        The scales of a rating plan by their ids.
    understood : str
        The value of the right option of the comprehension question.
    """

    quality: Mapping[str, float]
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
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
        care, showing, leaving, place = rng.random(4)
        careless = bool(care < assumed.careless)
        if showing < assumed.no_shows:
            return cls(careless, 0)
        if leaving < assumed.drop_out:
            return cls(careless, int(place * trials))
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
        people = Population(
            **{name: getattr(assumed, name) for name in Population.__dataclass_fields__}
        )
        self._bot = Bot(known.quality, people, rng)

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
        quality = self._known.quality.get(shown[0])
        if quality is None:
            raise RatifyError("a page shows a text that is not among the items", value=texts[0])
        points = self._known.scores.get(shown[0], {})
        return {
            name: self._near(self._known.scales[name], points[name])
            if name in points
            else self._rate(self._known.scales[name], quality)
            for name in page.choices
        }

    def _pick(self, texts: Sequence[str]) -> dict[str, str]:
        """Return the places of the most and the least valued text, each with its own error."""
        values = np.array([self._bot.value(text) for text in texts])
        values[0] += self._bot.side
        # a maximum with Gumbel errors is a logit choice (McFadden 1974)
        most = int(np.argmax(values + self._rng.gumbel(size=len(texts))))
        wanting = -values + self._rng.gumbel(size=len(texts))
        wanting[most] = -math.inf
        return {"most": str(most + 1), "least": str(int(np.argmax(wanting)) + 1)}

    def _rate(self, scale: Rated, quality: float) -> str:
        """Return the point or the label that this rater gives an item of some quality."""
        reliability = self._assumed.reliability
        seen = math.sqrt(reliability) * quality
        return on_scale(seen + math.sqrt(1 - reliability) * float(self._rng.normal()), scale)

    def _near(self, scale: Rated, points: float) -> str:
        """Return this rater's rating of an item about which people would agree on some points."""
        size = error_size(self._known.spread[scale.id], self._assumed.reliability)
        said = math.floor(points + size * float(self._rng.normal()) + 0.5)
        return str(min(max(said, scale.min), scale.max))

    def _as_expected(self, page: Page, expected: Mapping[str, int | str]) -> dict[str, str]:
        """Return the expected answer to an attention check; what it leaves open is anything."""
        # a page may ask for one of several scales
        answer = {name: str(value) for name, value in expected.items() if name in page.choices}
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


def on_scale(score: float, scale: Rated) -> str:
    """Return the point or the label of a scale for a score in standard deviations.

    A standard deviation is a quarter of the scale. Labels are in the order of the plan, all equally
    frequent among standard normal scores.
    """
    if scale.names:
        place = int(NormalDist().cdf(score) * len(scale.names))
        return scale.names[min(place, len(scale.names) - 1)]
    middle, width = (scale.min + scale.max) / 2, scale.max - scale.min
    return str(min(max(math.floor(middle + score * width / 4 + 0.5), scale.min), scale.max))


def error_size(spread: float, reliability: float) -> float:
    """Return the standard deviation of a rater's errors, in points.

    Parameters
    ----------
    spread : float
        The standard deviation, over items, of what people would agree on.
    reliability : float
        Of one rating.
    """
    return spread * math.sqrt((1 - reliability) / reliability)
