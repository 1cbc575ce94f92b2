"""How a simulated supporter writes: what a message does depends on skill, and chance decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from study.bots.phrases import ORDER, SAYINGS, said_again

#: Behaviour: its sign in skill, log-odds of showing in a message on average, log-odds per unit.
BEHAVIOURS = {
    "validate": (+1, -0.5, 1.0),
    "reflect": (+1, -1.0, 1.0),
    "ask": (+1, -0.2, 0.8),
    "advise": (-1, -0.5, 1.0),
    "self": (-1, -1.5, 0.9),
    "dismiss": (-1, -1.2, 0.9),
}
#: Standard deviation of what a behaviour has of its own in a conversation, apart from skill.
OWN = 0.5
#: A message does at most so many things.
MOST_PARTS = 3
#: How often a reflection says again what was just told, if it can.
AGAIN = 0.5


@dataclass(frozen=True)
class Manner:
    """How somebody supports in one conversation: the log-odds of each behaviour in a message."""

    log_odds: Mapping[str, float]

    @classmethod
    def of(cls, skill: float, rng: np.random.Generator) -> Manner:
        """Draw the manner of a conversation with some skill."""
        return cls(
            {
                name: usual + slope * sign * skill + OWN * float(rng.normal())
                for name, (sign, usual, slope) in BEHAVIOURS.items()
            }
        )

    def shown(self, rng: np.random.Generator) -> tuple[str, ...]:
        """Draw what the next message does, in order."""
        chances = rng.random(len(ORDER))
        found = [
            name
            for name, chance in zip(ORDER, chances, strict=True)
            if chance < 1 / (1 + math.exp(-self.log_odds[name]))
        ]
        kept = {found[at] for at in rng.permutation(len(found))[:MOST_PARTS]}
        return tuple(name for name in ORDER if name in kept)


class Voice:
    """What a simulated supporter says in one conversation; no sentence comes twice.

    Parameters
    ----------
    manner : Manner
    rng : numpy Generator
        The only source of chance.
    """

    def __init__(self, manner: Manner, rng: np.random.Generator) -> None:
        self._manner, self._rng = manner, rng
        self._said: set[str] = set()

    def reply(self, told: str) -> str:
        """Return the next message, in answer to what the partner told."""
        shown = self._manner.shown(self._rng) or ("filler",)
        return " ".join(self._saying(behaviour, told) for behaviour in shown)

    def _saying(self, behaviour: str, told: str) -> str:
        chance = float(self._rng.random())
        again = said_again(told) if behaviour == "reflect" and chance < AGAIN else ""
        saying = again if again and again not in self._said else self._fresh(behaviour)
        self._said.add(saying)
        return saying

    def _fresh(self, behaviour: str) -> str:
        """Draw a line that was not said yet; once all were, any."""
        bank = SAYINGS[behaviour]
        fresh = [line for line in bank if line not in self._said] or list(bank)
        return fresh[int(self._rng.integers(len(fresh)))]
