"""Checks corrected causal estimates against simulated worlds whose effect is known.

A world has 6,000 units of 1,960 users, of which people call 8% treated and put 30% in the middle;
so does the judge. Its reliability is .5, .6 or .8, and its two errors about one unit are correlated
0, .5 or .67. Labels are a stratified sample, half of it where the judge says the middle. Rows pool
the error correlations: each data set has one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from itertools import product
from types import MappingProxyType
from typing import Literal

import numpy as np

from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.correction.decomposition import Decomposition, Tipping, decomposition
from analysis.causal.correction.estimates import corrected_estimate, judge_side, people_alone
from analysis.causal.sequential import at_every_look
from analysis.causal.units import Labels
from analysis.causal.worlds import Judge, World, draw_labels, make_world, person_ratings
from tests.validation.check import Check

AREA = "causal"
EFFECTS = (0.0, 0.3, 0.75)
RELIABILITIES = (0.5, 0.6, 0.8)
CORRELATIONS = (0.0, 0.5, 0.67)
COUNTS = (400, 1_000)
# After how many labels a lab looks.
LOOKS = tuple(range(100, 401, 50))
TYPICAL = Judge(reliability=0.6, error_correlation=0.5)


def _held(one: Estimate | Tipping, truth: float) -> list[bool]:
    return [] if np.isnan(one.low) else [bool(one.low <= truth <= one.high)]


def _corrected(
    rng: np.random.Generator, *, effect: float, judges: tuple[Judge, ...], count: int
) -> list[bool]:
    judge = judges[rng.integers(len(judges))]
    world = make_world(rng, effect=effect, judge=judge)
    labels = draw_labels(rng, world, count)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    return _held(corrected_estimate(side, labels)[0], effect)


def _naive(rng: np.random.Generator, *, correlation: float) -> list[bool]:
    reliability = RELIABILITIES[rng.integers(len(RELIABILITIES))]
    world = make_world(rng, effect=0.0, judge=Judge(reliability, correlation))
    return _held(judge_side(world.frame, world.cuts, rng).naive(), 0.0)


def _people(rng: np.random.Generator, *, stratified: bool, count: int) -> list[bool]:
    world = make_world(rng, effect=0.3, judge=TYPICAL)
    labels = draw_labels(rng, world, count, stratified=stratified)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    return _held(people_alone(side, labels), 0.3)


def _raters(rng: np.random.Generator, *, raters: int, count: int) -> list[bool]:
    """Try labels by people with errors of their own, who rate the two scores apart."""
    world = make_world(rng, effect=0.0, judge=TYPICAL)
    ratings = person_ratings(rng, world, raters)
    said = (ratings[0].mean(axis=1), ratings[1].mean(axis=1))
    labels = draw_labels(rng, world, count, said=said)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    return _held(corrected_estimate(side, labels)[0], 0.0)


def _part(rng: np.random.Generator, *, name: str, count: int) -> list[bool]:
    world = make_world(rng, effect=0.75, judge=TYPICAL)
    labels = draw_labels(rng, world, count)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    return _held(getattr(decomposition(side, labels), name), _truth()[name])


@cache
def _truth() -> Mapping[str, float]:
    """Return what the decomposition is in a world of 200,000 units that people labelled all."""
    rng = np.random.default_rng(20261130)
    world = make_world(rng, effect=0.75, judge=TYPICAL, units=200_000, users=65_000)
    n = len(world.frame)
    everyone = Labels(world.treatment, world.outcome, np.ones(n), np.zeros(n, dtype=np.int64))
    found: Decomposition = decomposition(judge_side(world.frame, world.cuts, rng), everyone)
    names = ("slope", "contrast", "people_part", "error_part", "halo", "tipping")
    return MappingProxyType({name: float(getattr(found, name).value) for name in names})


def _ever_effect(rng: np.random.Generator) -> list[bool]:
    """Say whether any look rejects, at labels that come in batches of 50."""
    world = make_world(rng, effect=0.0, judge=TYPICAL)
    side = judge_side(world.frame, world.cuts, rng)
    seed = int(rng.integers(2**32))
    rejected = False
    for labels in growing(world, seed, LOOKS):
        one = at_every_look(
            corrected_estimate(side, labels)[0],
            labels=int(labels.labelled.sum()),
            planned=LOOKS[-1],
        )
        rejected |= not one.low <= 0.0 <= one.high
    return [rejected]


def growing(world: World, seed: int, counts: Iterable[int]) -> Iterable[Labels]:
    """Return samples of a world, each of which holds the one before: one order of asking."""
    for count in counts:
        yield draw_labels(np.random.default_rng(seed), world, count)


def _ever_mean(rng: np.random.Generator) -> list[bool]:
    """Say whether any look rejects that a skewed mean of users' values is what it is."""
    users = rng.permutation(np.repeat(np.arange(700), rng.integers(1, 4, size=700)))[:1_000]
    own = rng.exponential(size=700) - 1
    values = own[users] + rng.exponential(size=1_000) - 1
    rejected = False
    for count in range(100, 1_001, 50):
        _, user = np.unique(users[:count], return_inverse=True)
        mean = float(values[:count].mean())
        found = from_influence(mean, values[:count] - mean, user.astype(np.int64))
        one = at_every_look(found, labels=count, planned=1_000)
        rejected |= not one.low <= 0.0 <= one.high
    return [rejected]


def _check(
    function: str,
    what: str,
    design: str,
    once: Callable[[np.random.Generator], list[bool]],
    *,
    kind: Literal["coverage", "size"] = "coverage",
    promised: float | None = None,
    note: str = "",
) -> Check:
    size = kind == "size"
    return Check(
        area=AREA,
        function=f"analysis.causal.{function}",
        what=what,
        design=design,
        kind=kind,
        promised=(0.05 if size else 0.95) if promised is None else promised,
        once=once,
        runs=1000 if size else 500,
        note=note,
    )


CORRECTED = "correction.estimates.corrected_estimate"


def _worlds() -> list[Check]:
    found = []
    for count, effect, reliability in product(COUNTS, EFFECTS, RELIABILITIES):
        judges = tuple(Judge(reliability, correlation) for correlation in CORRELATIONS)
        found.append(
            _check(
                CORRECTED,
                "interval of the effect",
                f"effect {effect:g}, judge's reliability {reliability:g}, error correlation 0, .5 "
                f"or .67, {count:,} labels",
                partial(_corrected, effect=effect, judges=judges, count=count),
            )
        )
    for effect in EFFECTS:
        lenient = (Judge(0.6, 0.5, leniency=0.5),)
        found.append(
            _check(
                CORRECTED,
                "interval of the effect",
                f"effect {effect:g}, a judge half a point too lenient, reliability .6, error "
                "correlation .5, 400 labels",
                partial(_corrected, effect=effect, judges=lenient, count=400),
            )
        )
    return found


def checks() -> list[Check]:
    """Return the checks of corrected causal estimates."""
    estimates, parts = "correction.estimates", "correction.decomposition.decomposition"
    looks = "sequential.at_every_look"
    typical = "effect .75, reliability .6, error correlation .5, 400 labels"
    found = _worlds()
    for correlation in CORRELATIONS[1:]:
        found.append(
            _check(
                f"{estimates}.three_estimates",
                "interval of the naive effect, as if the judge could not err",
                f"effect 0, judge's reliability .5, .6 or .8, error correlation {correlation:g}",
                partial(_naive, correlation=correlation),
                promised=0.0,
                note="Errors that go together make an effect from nothing: the interval of the "
                "judge's scores never holds the truth, which is why it is not a headline.",
            )
        )
    for stratified in (True, False):
        found.append(
            _check(
                f"{estimates}.people_alone",
                "interval of the effect",
                f"effect .3, 400 labels, {'stratified' if stratified else 'simple random'} sample",
                partial(_people, stratified=stratified, count=400),
            )
        )
    for raters in (1, 3):
        found.append(
            _check(
                CORRECTED,
                "interval of the effect",
                f"effect 0, {raters} rater{'s' * (raters > 1)} of reliability .65 for each score, "
                "apart, 400 labels",
                partial(_raters, raters=raters, count=400),
            )
        )
    for name, words in (
        ("people_part", "people's part"),
        ("error_part", "the judge's error part"),
        ("halo", "measured halo"),
        ("tipping", "judge-error E-value"),
    ):
        found.append(_check(parts, words, typical, partial(_part, name=name, count=400)))
    found += [
        _check(
            looks,
            "any look rejects: corrected effect",
            "effect 0, reliability .6, error correlation .5, a look at 100, 150, ... 400 labels",
            _ever_effect,
            kind="size",
            note="An interval for every look holds at all numbers of labels, so it is cautious "
            "about a few looks.",
        ),
        _check(
            looks,
            "any look rejects: a mean of influence values",
            "a skewed mean of clustered values, a look at 100, 150, ... 1,000 units",
            _ever_mean,
            kind="size",
            note="An interval for every look holds at all numbers of labels, so it is cautious "
            "about a few looks.",
        ),
    ]
    return found
