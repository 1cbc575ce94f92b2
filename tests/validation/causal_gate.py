"""Checks the gate of a causal estimate: intervals of its numbers, and which judges it lets pass.

6,000 units of 1,960 users, 8% treated, effect 0.3. 300 units are drawn by strata of the judge's
scores (half where it says 4) and 100 from all. Three people of reliability .65 rate each score,
apart from the other. All numbers of the gate are weighted by inclusion probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Literal

import numpy as np

from analysis.causal.clustered import from_influence
from analysis.causal.rooms.alpha import weighted_alpha
from analysis.causal.rooms.at_cut import against_people, beside_a_person
from analysis.causal.rooms.closeness import bias, distances, excess_error, person_leads
from analysis.causal.rooms.condition import FAIL, PASS
from analysis.causal.rooms.halo import error_correlation
from analysis.causal.rooms.quantity import Quantity
from analysis.causal.rooms.sampled import Sampled, sampled
from analysis.causal.worlds import Judge, make_world, person_ratings
from tests.support.causal_gates import AS_A_PERSON, EXCELLENT, MEDIOCRE, POOR, simulated
from tests.validation.check import Check

AREA = "causal gate"
TREATED = 5.0
DESIGN = "400 units of 6,000, strata and 100 at random, 3 people"
# Frames of which all units are rated, for the truth.
FRAMES = 40
Numbers = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _alpha(at: int, given: Numbers, sample: Sampled) -> Quantity:
    return weighted_alpha(given[at], sample)


def _lead(at: int, given: Numbers, sample: Sampled) -> Quantity:
    [found] = person_leads(distances(given[at], given[at + 2]), sample, same_people=False)
    return found


def _excess(at: int, given: Numbers, sample: Sampled) -> Quantity:
    return excess_error(distances(given[at], given[at + 2]), given[at], sample)


def _bias(at: int, given: Numbers, sample: Sampled) -> Quantity:
    return bias(given[at].mean(axis=1), given[at + 2], sample)


def _cut(number: int, given: Numbers, sample: Sampled) -> Quantity:
    return against_people(given[0].mean(axis=1), given[2], TREATED, sample)[number]


def _person(number: int, given: Numbers, sample: Sampled) -> Quantity:
    return beside_a_person(given[0], given[2], TREATED, "mean", sample).person[number]


def _halo(given: Numbers, sample: Sampled) -> Quantity:
    errors = [given[at + 2] - given[at].mean(axis=1) for at in range(2)]
    return error_correlation(errors[0], errors[1], sample)


STATISTICS: dict[str, tuple[str, Callable[[Numbers, Sampled], Quantity]]] = {
    "alpha of people, treatment": ("alpha.weighted_alpha", partial(_alpha, 0)),
    "alpha of people, outcome": ("alpha.weighted_alpha", partial(_alpha, 1)),
    "lead of a person, treatment": ("closeness.person_leads", partial(_lead, 0)),
    "excess squared error, outcome": ("closeness.excess_error", partial(_excess, 1)),
    "bias, outcome": ("closeness.bias", partial(_bias, 1)),
    "sensitivity": ("at_cut.against_people", partial(_cut, 0)),
    "predictive value": ("at_cut.against_people", partial(_cut, 1)),
    "sensitivity of a person": ("at_cut.beside_a_person", partial(_person, 0)),
    "error correlation": ("halo.error_correlation", _halo),
}


@cache
def _truths(judge: Judge) -> dict[str, float]:
    """Return every number on many frames of which every unit is rated."""
    parts: list[Numbers] = []
    for seed in range(FRAMES):
        rng = np.random.default_rng([20, seed])
        world = make_world(rng, effect=0.3, judge=judge)
        parts.append((*person_ratings(rng, world, 3), world.frame.treatment, world.frame.outcome))
    whole = tuple(np.concatenate(each) for each in zip(*parts, strict=True))
    units = len(whole[2])
    codes, ones = np.arange(units), np.ones(units)
    every = Sampled(codes, ones, np.zeros(units, int), codes, np.zeros(units, int))
    return {name: number(whole, every).value for name, (_, number) in STATISTICS.items()}  # type: ignore[arg-type]


def _held(rng: np.random.Generator, *, judge: Judge, name: str) -> list[bool]:
    study = simulated(rng, judge)
    sample = sampled(study.frame, study.labels, study.ratings)
    rows, frame, ratings = sample.rows, study.frame, study.ratings
    given = (
        ratings.treatment[rows],
        ratings.outcome[rows],
        frame.treatment[rows],
        frame.outcome[rows],
    )
    found = STATISTICS[name][1](given, sample).interval(sample.user, 0.95, from_influence)
    return [] if np.isnan(found.low) else [found.low <= _truths(judge)[name] <= found.high]


def _verdict(
    rng: np.random.Generator, *, judge: Judge, word: str, stratified: int = 300, random: int = 100
) -> list[bool]:
    gate = simulated(rng, judge, stratified=stratified, random=random).gate()
    return [gate.verdict == word]


def _passes(
    what: str,
    judge: Judge,
    *,
    kind: Literal["coverage", "size"],
    promised: float,
    word: str = PASS,
    design: str = DESIGN,
    note: str = "",
    **sizes: int,
) -> Check:
    quality = f"judge: reliability {judge.reliability:g}, error correlation "
    return Check(
        area=AREA,
        function="analysis.causal.rooms.gate.three_rooms",
        what=what,
        design=f"{design}; {quality}{judge.error_correlation:g}",
        kind=kind,
        promised=promised,
        once=partial(_verdict, judge=judge, word=word, **sizes),
        runs=1000,
        note=note,
    )


def checks() -> list[Check]:
    """Return the checks of the gate."""
    intervals = [
        Check(
            area=AREA,
            function=f"analysis.causal.rooms.{function}",
            what=f"interval of {name}",
            design=f"{DESIGN}; judge: reliability {judge.reliability:g}, error correlation "
            f"{judge.error_correlation:g}",
            kind="coverage",
            promised=0.95,
            once=partial(_held, judge=judge, name=name),
            runs=1000,
        )
        for judge in (POOR, EXCELLENT)
        for name, (function, _) in STATISTICS.items()
        if judge is POOR or "people" not in name
    ]
    measured = "Not a promise: the share that was found when the thresholds were set."
    bound = "At least .85 is promised."
    seldom = "At most .05 is promised, and no such judge passed."
    return [
        *intervals,
        _passes("an excellent judge passes", EXCELLENT, kind="coverage", promised=0.85, note=bound),
        _passes(
            "an excellent judge fails",
            EXCELLENT,
            kind="size",
            promised=0.05,
            word=FAIL,
            note=seldom,
        ),
        _passes(
            "a judge as good as a person passes",
            AS_A_PERSON,
            kind="coverage",
            promised=0.3,
            note=measured,
        ),
        _passes("a mediocre judge passes", MEDIOCRE, kind="size", promised=0.05, note=seldom),
        _passes("a poor judge passes", POOR, kind="size", promised=0.05, note=seldom),
    ]
