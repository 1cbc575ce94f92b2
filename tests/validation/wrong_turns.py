"""Checks that known wrong turns of the correction fail, in worlds whose effect is known.

They look as good as the right one until they meet such a world. A row counts the data sets in which
the wrong turn fails in the way that its row says. They have a module of their own, so that a row of
the right one does not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from analysis.causal.clustered import Estimate
from analysis.causal.correction.estimates import (
    corrected_estimate,
    judge_side,
    people_alone,
    people_score,
    solved,
)
from analysis.causal.correction.score import score_of
from analysis.causal.worlds import Judge, draw_labels, make_world, person_ratings
from tests.validation.check import Check

EFFECT = 0.75
TYPICAL = Judge(reliability=0.6, error_correlation=0.5)
LENIENT = replace(TYPICAL, leniency=0.5)
A_LENIENT_ONE = (
    f"effect {EFFECT:g}, a judge half a point too lenient, reliability .6, error correlation .5, "
    "400 labels"
)


def _misses(one: Estimate, truth: float) -> bool:
    return not one.low <= truth <= one.high


def nuisances_of_the_judge(rng: np.random.Generator) -> list[bool]:
    """Say whether the interval misses with nuisances that describe the judge's arms."""
    world = make_world(rng, effect=EFFECT, judge=LENIENT)
    labels = draw_labels(rng, world, 400)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    wrong = score_of(world.cuts.arms(labels.treatment), labels.outcome, side.nuisances)
    return [_misses(solved(wrong, side.score, labels, side)[0], EFFECT)]


def treatment_of_the_judge(rng: np.random.Generator) -> list[bool]:
    """Say whether the interval misses if only the outcome is corrected."""
    world = make_world(rng, effect=EFFECT, judge=LENIENT)
    labels = draw_labels(rng, world, 400)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    theirs = np.where(labels.labelled, world.frame.treatment, np.nan)
    return [_misses(corrected_estimate(side, replace(labels, treatment=theirs))[0], EFFECT)]


def judge_at_its_word(rng: np.random.Generator) -> list[bool]:
    """Say whether lambda = 1 is over a tenth wider than people alone."""
    world = make_world(rng, effect=EFFECT, judge=TYPICAL)
    labels = draw_labels(rng, world, 400)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    score = people_score(side, labels, start=side.nuisances)
    whole = np.ones(len(world.frame))
    wrong = solved(score, side.score, labels, side, weight=whole)[0]
    return [bool(wrong.width > 1.1 * people_alone(side, labels).width)]


def same_person(rng: np.random.Generator, *, raters: int) -> list[bool]:
    """Say whether people who each rate both scores make an effect from nothing."""
    world = make_world(rng, effect=0.0, judge=TYPICAL)
    first, second = person_ratings(rng, world, raters, apart=False)
    said = (first.mean(axis=1), second.mean(axis=1))
    labels = draw_labels(rng, world, 1_000, said=said)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    return [corrected_estimate(side, labels)[0].low > 0]


def _check(
    what: str,
    design: str,
    once: Callable[[np.random.Generator], list[bool]],
    promised: float,
    note: str,
) -> Check:
    return Check(
        area="causal",
        function="analysis.causal.correction.estimates.solved",
        what=f"a wrong turn fails: {what}",
        design=design,
        kind="coverage",
        promised=promised,
        once=once,
        runs=500,
        note=f"At least {promised:g} is expected. {note}",
    )


def checks() -> list[Check]:
    """Return the checks of known wrong turns."""
    halo = (
        "People have halo too: errors of one person about both scores go together. Of different "
        "people .025 of the intervals would be above 0."
    )
    return [
        _check(
            "nuisances of the judge as they are, the interval misses",
            A_LENIENT_ONE,
            nuisances_of_the_judge,
            0.75,
            "The judge's chance of treatment and expected outcome describe the judge's arms.",
        ),
        _check(
            "people only for the outcome, the interval misses",
            A_LENIENT_ONE,
            treatment_of_the_judge,
            0.8,
            "The units that the judge calls treated are not those that people call treated.",
        ),
        _check(
            "lambda = 1, the interval is over a tenth wider than that of people alone",
            f"effect {EFFECT:g}, reliability .6, error correlation .5, 400 labels",
            judge_at_its_word,
            0.6,
            "The judge's own score then adds more noise than it explains; with lambda tuned, 11% "
            "of 150 intervals were that wide.",
        ),
        *(
            _check(
                "one person rates both scores, the interval is above 0",
                f"effect 0, {raters} rater{'s' * (raters > 1)} of reliability .65 and halo .35 for "
                "both scores, 1,000 labels",
                partial(same_person, raters=raters),
                promised,
                halo,
            )
            for raters, promised in ((1, 0.7), (3, 0.1))
        ),
    ]
