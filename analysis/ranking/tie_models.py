"""The likelihoods of Davidson and of Rao and Kupper, and their derivatives by pair of items.

In both, `lead` is the log-odds by which the left item is ahead of the right one, and one parameter
`room` says how much room there is for ties: log nu (Davidson), log theta (Rao and Kupper).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import expit, log_expit

from analysis.arrays import FloatArray

TieModel = Literal["davidson", "rao_kupper"]


class Said(NamedTuple):
    """How often left won, right won and neither did, for each pair, or in each judgment."""

    left: FloatArray
    right: FloatArray
    tied: FloatArray


@dataclass(frozen=True)
class Slopes:
    """Derivatives of the log likelihood of one answer, or of several that are counted.

    Attributes
    ----------
    lead, room : float array
        First derivatives.
    lead2, room2, both : float array
        Second derivatives, with the sign turned: by the lead twice, by the room twice, by each.
    """

    lead: FloatArray
    room: FloatArray
    lead2: FloatArray
    room2: FloatArray
    both: FloatArray


class Likelihood(ABC):
    """One model of wins and ties; the arrays are counts by pair and the pair's lead."""

    name: str
    source: str
    least: float = -math.inf

    @abstractmethod
    def value(self, said: Said, lead: FloatArray, room: float) -> float:
        """Return the log likelihood of counts of left wins, right wins and ties."""

    @abstractmethod
    def slopes(self, said: Said, lead: FloatArray, room: float) -> Slopes:
        """Return its derivatives for each pair."""

    @abstractmethod
    def chances(self, lead: FloatArray, room: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the probabilities that left wins, that right wins, and of a tie."""

    @abstractmethod
    def of_equals(self, room: float) -> float:
        """Return the probability that two items with equal scores tie."""

    @abstractmethod
    def first_guess(self, share: float) -> float:
        """Return the room at which equal items tie with this probability."""


class Davidson(Likelihood):
    """P(tie) is nu times the geometric mean of the two chances to win (Davidson 1970)."""

    name = "Davidson"
    source = "Davidson 1970"

    def chances(self, lead: FloatArray, room: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return exp(lead / 2), exp(-lead / 2) and nu, divided by their sum."""
        terms = np.stack([lead / 2, -lead / 2, np.full(len(lead), room)])
        terms = np.exp(terms - terms.max(axis=0))
        left, right, tied = terms / terms.sum(axis=0)
        return left, right, tied

    def value(self, said: Said, lead: FloatArray, room: float) -> float:
        """Return the multinomial log likelihood."""
        whole = np.logaddexp(np.logaddexp(lead / 2, -lead / 2), room)
        left, right, tied = said
        worth = (left - right) * lead / 2 + tied * room
        return float((worth - (left + right + tied) * whole).sum())

    def slopes(self, said: Said, lead: FloatArray, room: float) -> Slopes:
        """Return an exponential family's: observed minus expected, and the covariance."""
        (left, right, tied), (first, second, neither) = said, self.chances(lead, room)
        n, ahead = left + right + tied, (first - second) / 2
        return Slopes(
            lead=(left - right) / 2 - n * ahead,
            room=tied - n * neither,
            lead2=n * ((first + second) / 4 - ahead**2),
            room2=n * neither * (1 - neither),
            both=-n * ahead * neither,
        )

    def of_equals(self, room: float) -> float:
        """Return nu / (2 + nu)."""
        return float(expit(room - math.log(2)))

    def first_guess(self, share: float) -> float:
        """Return log nu."""
        return math.log(2 * share / (1 - share))


class RaoKupper(Likelihood):
    """A lead below a threshold is not seen: P(left) = expit(lead - log theta)."""

    name = "Rao-Kupper"
    source = "Rao and Kupper 1967"
    least = 0.0

    def chances(self, lead: FloatArray, room: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return both sides' chances, and (theta^2 - 1) times their product."""
        left, right = expit(lead - room), expit(-lead - room)
        return left, right, np.expm1(2 * room) * left * right

    def value(self, said: Said, lead: FloatArray, room: float) -> float:
        """Return the multinomial log likelihood; minus infinity unless theta is above 1."""
        if room <= self.least:
            return -math.inf
        left, right, tied = said
        worth = (left + tied) * log_expit(lead - room) + (right + tied) * log_expit(-lead - room)
        return float((worth + tied * math.log(np.expm1(2 * room))).sum())

    def slopes(self, said: Said, lead: FloatArray, room: float) -> Slopes:
        """Return the derivatives of two logits that share a threshold, and of the ties' factor."""
        left, right, tied = said
        first, second = expit(lead - room), expit(-lead - room)
        up, down = (left + tied) * (1 - first), (right + tied) * (1 - second)
        bend_up, bend_down = up * first, down * second
        grown = float(np.expm1(2 * room))
        return Slopes(
            lead=up - down,
            room=-up - down + tied * 2 * (grown + 1) / grown,
            lead2=bend_up + bend_down,
            room2=bend_up + bend_down + tied * 4 * (grown + 1) / grown**2,
            both=bend_down - bend_up,
        )

    def of_equals(self, room: float) -> float:
        """Return (theta - 1) / (theta + 1)."""
        return math.tanh(room / 2)

    def first_guess(self, share: float) -> float:
        """Return log theta."""
        return 2 * math.atanh(share)


MODELS: Mapping[str, Likelihood] = {"davidson": Davidson(), "rao_kupper": RaoKupper()}
