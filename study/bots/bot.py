"""A simulated rater of pairs: it knows only what it reads on the page, and values it by a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from prereg.errors import RatifyError
from prereg.tables.contract import TIE
from study.bots.page import fingerprint


@dataclass(frozen=True)
class Population:
    """How simulated raters differ; the difference in valued quality is the log-odds of a choice.

    Attributes
    ----------
    sensitivity : float
        Log-odds per standard deviation of planted quality, for the median rater.
    spread : float
        Standard deviation of the log of that sensitivity between raters.
    taste : float
        Standard deviation of a rater's own liking for an item, in log-odds.
    side : float
        Standard deviation between raters of a preference for the left side, in log-odds.
    tie : float
        Log-odds up to which a rater sees no difference, where a page offers this answer (Rao and
        Kupper 1967).
    """

    sensitivity: float = 1.2
    spread: float = 0.4
    taste: float = 0.5
    side: float = 0.15
    tie: float = 0.4


@dataclass
class Bot:
    """One simulated rater."""

    quality: Mapping[str, float]
    population: Population
    rng: np.random.Generator
    sensitivity: float = field(init=False)
    side: float = field(init=False)

    def __post_init__(self) -> None:
        self.sensitivity = self.population.sensitivity * float(
            np.exp(self.rng.normal(0.0, self.population.spread))
        )
        self.side = float(self.rng.normal(0.0, self.population.side))

    def choose(self, left: str, right: str, *, ties: bool = False) -> str:
        """Return the side chosen between two texts, or the tie if the page offers one.

        Raises
        ------
        RatifyError
            When a page shows a text that is not an item.
        """
        advantage = self.value(left) - self.value(right) + self.side
        drawn, room = self.rng.random(), self.population.tie if ties else 0.0
        if drawn < 1.0 / (1.0 + np.exp(room - advantage)):
            return "left"
        return TIE if drawn < 1.0 / (1.0 + np.exp(-room - advantage)) else "right"

    def value(self, text: str) -> float:
        """Return what this rater sees in a text now, in log-odds.

        Raises
        ------
        RatifyError
            When the text is not an item.
        """
        quality = self.quality.get(fingerprint(text))
        if quality is None:
            raise RatifyError("a page shows a conversation that is not among the items", value=text)
        return self.sensitivity * quality + float(self.rng.normal(0.0, self.population.taste))
