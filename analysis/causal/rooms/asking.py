"""Makes conditions: gives each number its interval, at a level corrected for the other tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.causal.rooms.condition import OPEN, Condition, asked, decided, more_labels, shown
from analysis.causal.rooms.quantity import Interval, IntervalMaker, Quantity
from analysis.causal.rooms.sampled import Sampled
from analysis.causal.rooms.thresholds import Thresholds
from analysis.results.words import counted


@dataclass(frozen=True)
class Names:
    """What the two scores are called in sentences."""

    treatment: str = "treatment"
    outcome: str = "outcome"


@dataclass(frozen=True, kw_only=True)
class Barrier:
    """Why the data are not enough, whatever an interval says.

    Attributes
    ----------
    why : str
    more : int or None
        How many more labels would take it away; None if that is not a matter of their number.
    """

    why: str
    more: int | None


@dataclass(frozen=True)
class Asking:
    """What all conditions of a gate share.

    Attributes
    ----------
    sample : Sampled
    thresholds : Thresholds
    names : Names
    maker : callable
        Of intervals.
    few : tuple of Barrier
        What stops every room.
    untreated : tuple of Barrier
        What stops the rooms that ask about treated units.
    """

    sample: Sampled
    thresholds: Thresholds
    names: Names
    maker: IntervalMaker
    few: tuple[Barrier, ...]
    untreated: tuple[Barrier, ...]

    def level(self, tests: int = 1, needed: int = 1) -> float:
        """Return the coverage of the intervals of tests that are corrected together.

        Parameters
        ----------
        tests : int
            In the family: over scores, or over scores and people.
        needed : int
            How many of them must succeed.

        Notes
        -----
        Benjamini and Yekutieli (2001) reject the r smallest of m p values if the largest of these
        is at most alpha r / (m (1 + 1/2 + ... + 1/m)), under any dependence. With r the number that
        must succeed this is one level for all of them, at which intervals can be made.
        """
        alpha = (1 - self.thresholds.level) / 2
        harmonic = sum(1 / n for n in range(1, tests + 1))
        return 1 - 2 * alpha * needed / (tests * harmonic)

    def interval(self, quantity: Quantity, level: float) -> Interval:
        """Return an estimate with its interval."""
        return quantity.interval(self.sample.user, level, self.maker)

    def condition(
        self,
        room: str,
        name: str,
        about: str,
        interval: Interval,
        says: str,
        *,
        level: float,
        least: float = -math.inf,
        most: float = math.inf,
        unit: str,
        method: str,
        beside: str = "",
        barriers: tuple[Barrier, ...] = (),
    ) -> Condition:
        """Return a condition with its verdict.

        Parameters
        ----------
        says : str
            A sentence about the number, with `{}` where estimate and interval go; what is asked is
            added.
        barriers : tuple of Barrier
            These leave the condition open.
        """
        n = len(self.sample)
        verdict = OPEN if barriers else decided(interval, least, most)
        hopes = [one.more for one in barriers]
        if verdict == OPEN and decided(interval, least, most) == OPEN:
            hopes.append(more_labels(interval, least, most, n))
        known = [hope for hope in hopes if hope is not None]
        number_said = says.format(shown(interval))
        return Condition(
            room=room,
            name=name,
            about=about,
            estimate=interval.estimate,
            low=interval.low,
            high=interval.high,
            level=level,
            least=least,
            most=most,
            unit=unit,
            method=method,
            n=n,
            clusters=self.sample.users,
            verdict=verdict,
            says=f"{number_said} ({level:.0%} interval); asked: {asked(least, most)}.",
            beside=beside,
            why=" ".join(one.why for one in barriers),
            more=max(known) if known and len(known) == len(hopes) else None,
        )


def barriers_of(
    sample: Sampled, treated: int, thresholds: Thresholds, name: str
) -> tuple[tuple[Barrier, ...], tuple[Barrier, ...]]:
    """Return what stops every room, and what stops those that ask about treated units.

    Parameters
    ----------
    sample : Sampled
    treated : int
        Units that people call treated.
    thresholds : Thresholds
    name : str
        Of the treatment's score.
    """
    n, few = len(sample), []
    if n < thresholds.items:
        why = f"Only {counted(n, 'unit has', 'units have')} two ratings or more of each score"
        few.append(
            Barrier(why=f"{why}, and {thresholds.items} are asked for.", more=thresholds.items - n)
        )
    if sample.uncovered:
        units = counted(sample.uncovered, "unit of the frame is", "units of the frame are")
        few.append(Barrier(why=f"{units} in strata without a rated unit.", more=None))
    untreated = []
    if treated < thresholds.treated:
        untreated.append(
            Barrier(
                why=f"People call {counted(treated, 'unit')} treated by {name}, and "
                f"{thresholds.treated} are asked for.",
                more=int(np.ceil(n * thresholds.treated / treated)) - n if treated else None,
            )
        )
    return tuple(few), tuple(untreated)
