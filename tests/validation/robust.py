"""Checks of doubly robust effects on people's scores of all units, where confounders move both.

6,000 turn-pairs of 1,960 users of unequal size, 8% treated, ten confounders: `worlds.make_world`.
The effect is the same for every unit, so that all estimands have one truth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.causal.arms import Arms, arms_of
from analysis.causal.average import ate, att
from analysis.causal.cate import dr_learner, heterogeneity, projection
from analysis.causal.nuisances import Predictions, ridge
from analysis.causal.overlap import overlap_effect
from analysis.causal.rows import Row
from analysis.causal.targeted import tmle_att
from analysis.causal.worlds import World, make_world
from tests.validation.check import Check

AREA = "doubly robust effects"
OVERLAP = "analysis.causal.overlap.overlap_effect"
PAIRS = "6,000 pairs, 1,960 users, 8% treated"
ATE_MISSES = (
    "Where treated units are rare, inverse chances of a few units decide the average effect on all "
    "units: here its interval is forced without trimming. The table of effects gives it only where "
    "less than 5% of the units are trimmed, and never as the headline."
)


@dataclass(frozen=True)
class Found:
    """A world, its arms, and what is expected of them."""

    world: World
    arms: Arms
    expected: Predictions


def drawn(rng: np.random.Generator, *, heavy: bool = False, **settings: Any) -> Found:
    """Return a world with nuisances; `heavy` gives half of the units to ten users."""
    world = make_world(rng, **settings)
    frame = world.frame
    if heavy:
        taken = rng.random(len(frame)) < 0.5
        user = np.where(taken, rng.integers(10, size=len(frame)), frame.user)
        own = 0.35 * rng.normal(size=10)
        outcome = world.outcome + np.where(taken, own[user % 10], 0.0)
        frame = replace(frame, user=user)
        world = replace(world, frame=frame, outcome=outcome)
    arms = arms_of(
        frame, world.cuts, treatment=world.treatment, outcome=world.outcome, folds=5, rng=rng
    )
    return Found(world, arms, ridge(arms, rng))


def _holds(row: Row, truth: float) -> list[bool]:
    found = row.estimate
    return [] if found is None else [found.low <= truth <= found.high]


def _overlap(design: str, **settings: Any) -> Check:
    def once(rng: np.random.Generator) -> list[bool]:
        found = drawn(rng, **settings)
        return _holds(overlap_effect(found.arms, found.expected), found.world.effect)

    return Check(
        area=AREA,
        function=OVERLAP,
        what="interval of the overlap-weighted effect",
        design=design,
        kind="coverage",
        promised=0.95,
        once=once,
        runs=500,
    )


def _average(what: str, function: str, *, note: str = "") -> Check:
    estimators = {
        "ATT": lambda found: att(found.arms, found.expected, trim=0.05),
        "TMLE": lambda found: tmle_att(found.arms, found.expected, trim=0.05),
        "ATE": lambda found: ate(found.arms, found.expected, trim=0.0),
    }

    def once(rng: np.random.Generator) -> list[bool]:
        found = drawn(rng, effect=0.75)
        return _holds(estimators[what](found), found.world.effect)

    words = {
        "ATT": "interval of the effect on the treated, AIPW",
        "TMLE": "interval of the effect on the treated, TMLE",
        "ATE": "interval of the effect on all units, AIPW, untrimmed",
    }
    return Check(
        area=AREA,
        function=function,
        what=words[what],
        design=PAIRS,
        kind="coverage",
        promised=0.95,
        once=once,
        runs=500,
        note=note,
    )


def _heterogeneity() -> list[Check]:
    def small(rng: np.random.Generator) -> Found:
        return drawn(rng, effect=0.75, units=3_000, users=1_000)

    def learned(rng: np.random.Generator) -> list[bool]:
        found = small(rng)
        effects = dr_learner(found.arms, found.expected)
        return [heterogeneity(found.arms, found.expected, effects).p_value <= 0.05]

    def named(rng: np.random.Generator) -> list[bool]:
        found = small(rng)
        values = found.world.frame.covariates[found.arms.rows][:, :3]
        names = found.world.frame.names[:3]
        return [projection(found.arms, found.expected, values, names).p_value <= 0.05]

    return [
        Check(
            area=AREA,
            function=f"analysis.causal.cate.{function}",
            what=what,
            design="3,000 pairs, 1,000 users, one effect for all",
            kind="size",
            promised=0.05,
            once=once,
            runs=1000,
        )
        for function, what, once in (
            ("heterogeneity", "test of the DR-learner's predictions", learned),
            ("projection", "joint test of three covariates", named),
        )
    ]


def checks() -> list[Check]:
    """Return the checks of doubly robust effects."""
    return [
        _overlap(PAIRS, effect=0.75),
        _overlap(f"{PAIRS}, no effect, stronger confounding", effect=0.0, confounding=0.8),
        _overlap("6,000 pairs, 10 of 1,970 users have half of them", effect=0.75, heavy=True),
        _average("ATT", "analysis.causal.average.att"),
        _average("TMLE", "analysis.causal.targeted.tmle_att"),
        _average("ATE", "analysis.causal.average.ate", note=ATE_MISSES),
        *_heterogeneity(),
    ]
