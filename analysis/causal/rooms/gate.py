"""Puts the three rooms together: whether the judge's scores may be used as they are.

`analysis.gate` compares any study's results with the thresholds of its plan. This gate belongs to
causal estimates: it weighs every unit by its inclusion probability, and it can find that the data
do not decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.rooms.agreement import Score, agreement
from analysis.causal.rooms.asking import Asking, Names, barriers_of
from analysis.causal.rooms.condition import FAIL, OPEN, PASS, Condition, Word
from analysis.causal.rooms.human_floor import ROOM as HUMAN_FLOOR
from analysis.causal.rooms.human_floor import human_floor
from analysis.causal.rooms.quantity import Interval, IntervalMaker, Quantity
from analysis.causal.rooms.sampled import Ratings, sampled
from analysis.causal.rooms.thresholds import Thresholds
from analysis.causal.units import Cuts, Frame, Labels
from prereg.errors import RatifyError

AGREEMENT, ESTIMAND = "agreement", "estimand"
# What only a PASS lets through.
JUDGE_ONLY = (
    "Matching, doubly robust rows and predicted effects (CATE) from the judge's scores alone"
)


@dataclass(frozen=True)
class Room:
    """One room: it passes if all its conditions do, and fails if one does."""

    name: str
    conditions: tuple[Condition, ...]

    @property
    def verdict(self) -> Word:
        """PASS, FAIL or NOT ENOUGH DATA."""
        return _together(one.verdict for one in self.conditions)

    @property
    def more(self) -> int | None:
        """How many more labels would decide its open conditions, a first estimate."""
        hopes = [one.more for one in self.conditions if one.verdict == OPEN]
        known = [hope for hope in hopes if hope is not None]
        return max(known) if known and len(known) == len(hopes) else None


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The gate's verdict.

    Attributes
    ----------
    rooms : tuple of Room
        Human floor, agreement, estimand.
    thresholds : Thresholds
    n, clusters : int
        Units that the gate used, and their users.
    treated : int
        How many of them people call treated.
    """

    rooms: tuple[Room, ...]
    thresholds: Thresholds
    n: int
    clusters: int
    treated: int

    @property
    def verdict(self) -> Word:
        """PASS only where all rooms pass."""
        return _together(room.verdict for room in self.rooms)

    @property
    def passed(self) -> bool:
        """Whether all three rooms pass."""
        return self.verdict == PASS

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Of all rooms."""
        return tuple(one for room in self.rooms for one in room.conditions)

    def room(self, name: str) -> Room:
        """Return the room of this name."""
        return next(room for room in self.rooms if room.name == name)

    @property
    def may_print(self) -> Mapping[str, bool]:
        """What may be printed: the naive number never as the headline, whatever the verdict."""
        return {
            "naive_headline": False,
            "judge_only_figures": self.passed,
            "corrected_estimate": True,
        }

    def lines(self) -> list[str]:
        """Return the verdict and its reasons, one per line."""
        found = ["gate: PASSED" if self.passed else f"gate: NOT PASSED ({self.verdict})"]
        for room in self.rooms:
            found.append(f"  {room.name}: {room.verdict}")
            for one in room.conditions:
                found.append(f"    {one.line()}")
                found += [f"      {words}" for words in one.further()]
        may = "may" if self.passed else "may not"
        return [
            *found,
            "  The naive number is never the headline: a judge that agrees with people as well as "
            "a person can still be wrong about the effect.",
            f"  {JUDGE_ONLY} {may} be printed. The corrected estimate may be printed whatever the "
            "verdict.",
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per condition."""
        return pd.DataFrame(
            [asdict(one) for one in self.conditions], columns=list(Condition.__annotations__)
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON holds it: no NaN and no infinity."""
        return {
            "verdict": self.verdict,
            "rooms": [
                {
                    "name": room.name,
                    "verdict": room.verdict,
                    "more": room.more,
                    "conditions": [
                        {name: _plain(value) for name, value in asdict(one).items()}
                        for one in room.conditions
                    ],
                }
                for room in self.rooms
            ],
            "thresholds": asdict(self.thresholds),
            "n": self.n,
            "clusters": self.clusters,
            "treated": self.treated,
            "may_print": dict(self.may_print),
        }


def three_rooms(
    frame: Frame,
    labels: Labels,
    ratings: Ratings,
    contrast: Estimate,
    *,
    cuts: Cuts | None = None,
    thresholds: Thresholds | None = None,
    names: Names | None = None,
    maker: IntervalMaker = from_influence,
) -> Gate:
    """Return the gate's verdict.

    Parameters
    ----------
    frame : Frame
        With the judge's scores of all units.
    labels : Labels
        People's aggregate scores and the inclusion probabilities.
    ratings : Ratings
        The single ratings that were aggregated.
    contrast : Estimate
        The contrast of the judge's outcome error between the judge's arms, in points, with
        influence values of all units of the frame.
    cuts : Cuts, optional
    thresholds : Thresholds, optional
    names : Names, optional
        Of the two scores.
    maker : callable
        Of intervals from influence values. For looks at growing labels it must be that of
        `quantity.at_looks`.

    Returns
    -------
    Gate

    Raises
    ------
    RatifyError
        On arrays of unequal length, missing scores and impossible inclusion probabilities.

    Notes
    -----
    Every number is a mean over the frame, or a function of such means (Hájek), of units weighted by
    their inverse inclusion probabilities; errors are clustered by user. The intervals are about
    further units and users, with the same people as raters. A room passes only if all conditions
    pass, so the chance that it passes wrongly is at most that of one condition; the correction over
    scores makes each condition's own verdict hold as well. docs/causal.md gives the defaults and
    how often they let judges of known quality pass.
    """
    cuts, thresholds, names = cuts or Cuts(), thresholds or Thresholds(), names or Names()
    if not math.isnan(contrast.value) and len(contrast.influence) != len(frame):
        raise RatifyError(
            "the contrast's influence values are not those of the frame",
            value=len(contrast.influence),
            allowed=f"{len(frame)}",
        )
    sample = sampled(frame, labels, ratings)
    rows = sample.rows
    people = labels.treatment[rows]
    treated = int((people >= cuts.treated).sum())
    asking = Asking(
        sample, thresholds, names, maker, *barriers_of(sample, treated, thresholds, names.treatment)
    )
    if not len(rows):
        rooms = tuple(_empty(asking, name) for name in (HUMAN_FLOOR, AGREEMENT, ESTIMAND))
        return Gate(rooms=rooms, thresholds=thresholds, n=0, clusters=0, treated=0)
    treatment = Score(names.treatment, ratings.treatment[rows], people, frame.treatment[rows])
    outcome = Score(names.outcome, ratings.outcome[rows], labels.outcome[rows], frame.outcome[rows])
    found = {
        HUMAN_FLOOR: human_floor(asking, (treatment.ratings, outcome.ratings)),
        AGREEMENT: agreement(
            asking,
            treatment,
            outcome,
            treated=cuts.treated,
            aggregate=ratings.aggregate,
            same_people=ratings.same_people,
        ),
        ESTIMAND: (_estimand(asking, contrast),),
    }
    return Gate(
        rooms=tuple(Room(name, conditions) for name, conditions in found.items()),
        thresholds=thresholds,
        n=len(sample),
        clusters=sample.users,
        treated=treated,
    )


def _estimand(asking: Asking, contrast: Estimate) -> Condition:
    """Return the condition on the judge's outcome error between its own arms."""
    level, margin = asking.level(), asking.thresholds.margin
    quantity = Quantity(contrast.value, contrast.influence)
    return asking.condition(
        ESTIMAND,
        "error between the arms",
        asking.names.outcome,
        asking.interval(quantity, level),
        f"The judge's error on {asking.names.outcome} among the units that it calls treated, minus "
        "that among its controls, is {} points",
        level=level,
        least=-margin,
        most=margin,
        unit="points",
        method="contrast of the judge's outcome error, from influence values clustered by user",
        beside="This much of an effect estimated from the judge's scores is error, whatever the "
        "true effect is.",
        barriers=asking.few + asking.untreated,
    )


def _empty(asking: Asking, name: str) -> Room:
    """Return a room where no unit has the ratings that anything could be estimated from."""
    both = f"{asking.names.treatment} and {asking.names.outcome}"
    nothing = Interval(math.nan, math.nan, math.nan)
    one = asking.condition(
        name,
        "ratings",
        both,
        nothing,
        "What this room asks is {}",
        level=asking.level(),
        unit="",
        method="",
        barriers=asking.few,
    )
    return Room(name, (one,))


def _together(verdicts: Iterable[Word]) -> Word:
    """Return FAIL if one fails, NOT ENOUGH DATA if one is open, otherwise PASS."""
    found = set(verdicts)
    if FAIL in found:
        return FAIL
    return OPEN if OPEN in found else PASS


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
