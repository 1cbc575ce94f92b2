"""Checks the gate of a causal estimate: intervals of its numbers, and which judges it lets pass.

6,000 units of 1,960 users, 8% treated, effect 0.3. 300 units are drawn by strata of the judge's
scores (half where it says 4) and 100 from all. Three people of reliability .65 rate each score,
apart from the other. All numbers of the gate are weighted by inclusion probabilities. The contrast
of the judge's errors is a difference of weighted means between its arms, without confounders, which
takes a fiftieth of the decomposition's time; a row says what the decomposition makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Literal

import numpy as np

from analysis.causal.clustered import from_influence
from analysis.causal.correction.decomposition import decomposition
from analysis.causal.correction.estimates import judge_side
from analysis.causal.rooms.alpha import weighted_alpha
from analysis.causal.rooms.at_cut import against_people, beside_a_person
from analysis.causal.rooms.closeness import bias, distances, excess_error, person_leads
from analysis.causal.rooms.condition import FAIL, PASS, decided
from analysis.causal.rooms.gate import three_rooms
from analysis.causal.rooms.halo import error_correlation
from analysis.causal.rooms.quantity import Interval, IntervalMaker, Quantity, at_looks
from analysis.causal.rooms.sampled import Sampled, sampled
from analysis.causal.units import Cuts
from analysis.causal.worlds import Judge, make_world, person_ratings
from tests.support.causal_gates import (
    AS_A_PERSON,
    EXCELLENT,
    MEDIOCRE,
    POOR,
    Study,
    difference_of_arms,
    looks,
    simulated,
)
from tests.validation.check import Check

AREA = "causal gate"
TREATED = 5.0
LOOKS = "looks after 100 labels and every 50 more, up to 400"
DESIGN = "400 units of 6,000, strata and 100 at random, 3 people"
# Frames of which all units are rated, for the truth.
FRAMES = 40
# Labels at which intervals that hold at every look are narrowest.
PLANNED = 400
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


def _contrast(given: Numbers, sample: Sampled) -> Quantity:
    """Return the judge's outcome error between its arms, without confounders."""
    error, arm = given[3] - given[1].mean(axis=1), Cuts().arms(given[2])
    value, influence = difference_of_arms(error, arm, sample)
    return Quantity(value, sample.lift(influence))


CONTRAST = "outcome error between the judge's arms"
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
    CONTRAST: ("sampled.sampled", _contrast),
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


def _interval(study: Study, name: str, maker: IntervalMaker, level: float = 0.95) -> Interval:
    sample = sampled(study.frame, study.labels, study.ratings)
    rows, frame, ratings = sample.rows, study.frame, study.ratings
    given = (
        ratings.treatment[rows],
        ratings.outcome[rows],
        frame.treatment[rows],
        frame.outcome[rows],
    )
    return STATISTICS[name][1](given, sample).interval(sample.user, level, maker)


def _held(rng: np.random.Generator, *, judge: Judge, name: str) -> list[bool]:
    found = _interval(simulated(rng, judge), name, from_influence)
    return [] if np.isnan(found.low) else [found.low <= _truths(judge)[name] <= found.high]


def _held_at_all_looks(rng: np.random.Generator, *, judge: Judge, name: str) -> list[bool]:
    """Return whether the interval held the truth after 100 labels and after every 50 more."""
    held = []
    for count, study in looks(rng, simulated(rng, judge)):
        found = _interval(study, name, at_looks(count, PLANNED))
        held.append(found.low <= _truths(judge)[name] <= found.high)
    return [all(held)]


def _ever(rng: np.random.Generator, *, judge: Judge, word: str) -> list[bool]:
    """Return whether the gate said a word at a look after every 100 labels."""
    return [
        any(
            study.gate(maker=at_looks(count, PLANNED)).verdict == word
            for count, study in looks(rng, simulated(rng, judge), step=100)
        )
    ]


def _ever_at_the_margin(rng: np.random.Generator, *, judge: Judge, word: str) -> list[bool]:
    """Return whether an interval of the contrast ever decided, with the truth at the margin."""
    margin, found = _truths(judge)[CONTRAST], []
    for count, study in looks(rng, simulated(rng, judge)):
        interval = _interval(study, CONTRAST, at_looks(count, PLANNED), 0.9)
        found.append(decided(interval, -margin, margin) == word)
    return [any(found)]


def _verdict(
    rng: np.random.Generator, *, judge: Judge, word: str, stratified: int = 300, random: int = 100
) -> list[bool]:
    gate = simulated(rng, judge, stratified=stratified, random=random).gate()
    return [gate.verdict == word]


def _passes_with_error_part(rng: np.random.Generator, *, judge: Judge) -> list[bool]:
    """Return whether the gate passes with the contrast that the decomposition estimates."""
    study = simulated(rng, judge)
    side = judge_side(study.frame, Cuts(), rng, labels=study.labels)
    found = decomposition(side, study.labels).error_part
    return [three_rooms(study.frame, study.labels, study.ratings, found).passed]


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


def _looked() -> list[tuple[Judge, Literal["coverage", "size"], float, str, Any, str]]:
    """Return what is checked of looks: judge, kind, promise, words, trial and note."""
    wide = "Looks are few, so the intervals hold more often than promised."
    found: list[tuple[Judge, Literal["coverage", "size"], float, str, Any, str]] = [
        (
            POOR,
            "coverage",
            0.95,
            f"interval of {name} holds at every look",
            partial(_held_at_all_looks, judge=POOR, name=name),
            wide,
        )
        for name in ("alpha of people, outcome", "sensitivity", "error correlation", CONTRAST)
    ]
    for word, what in ((PASS, "passes"), (FAIL, "fails")):
        found.append(
            (
                MEDIOCRE,
                "size",
                0.05,
                f"the truth at the margin: the estimand ever {what}",
                partial(_ever_at_the_margin, judge=MEDIOCRE, word=word),
                wide,
            )
        )
    never = "At most .05 is promised."
    return [
        *found,
        (
            EXCELLENT,
            "size",
            0.05,
            "an excellent judge ever fails (looks after every 100)",
            partial(_ever, judge=EXCELLENT, word=FAIL),
            never,
        ),
        (
            POOR,
            "size",
            0.05,
            "a poor judge ever passes (looks after every 100)",
            partial(_ever, judge=POOR, word=PASS),
            never,
        ),
    ]


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
    at_every_look = [
        Check(
            area=AREA,
            function="analysis.causal.rooms.quantity.at_looks",
            what=what,
            design=f"{LOOKS}; judge: reliability {judge.reliability:g}, error correlation "
            f"{judge.error_correlation:g}",
            kind=kind,
            promised=promised,
            once=once,
            runs=1000 if kind == "size" else 500,
            note=note,
        )
        for judge, kind, promised, what, once, note in _looked()
    ]
    measured = "Not a promise: the share that was found when the thresholds were set."
    bound = "At least .85 is promised."
    seldom = "At most .05 is promised, and no such judge passed."
    decomposed = Check(
        area=AREA,
        function="analysis.causal.rooms.gate.three_rooms",
        what="an excellent judge passes, contrast by the decomposition",
        design=f"{DESIGN}; judge: reliability {EXCELLENT.reliability:g}, error correlation 0",
        kind="coverage",
        promised=0.85,
        once=partial(_passes_with_error_part, judge=EXCELLENT),
        runs=500,
        note=bound,
    )
    return [
        *intervals,
        *at_every_look,
        decomposed,
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
