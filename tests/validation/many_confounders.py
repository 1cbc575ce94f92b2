"""Checks of effects that dozens or hundreds of confounders move a little each.

Ten components would not hold them. `worlds.make_world` spreads the confounding over 430 covariates
evenly; the composed turn-pairs of the demo hide it in the words of prompts.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.causal.arms import arms_of
from analysis.causal.average import att
from analysis.causal.correction.estimates import corrected_estimate, judge_side
from analysis.causal.covariates import covariates
from analysis.causal.nuisances import ridge
from analysis.causal.overlap import overlap_effect
from analysis.causal.units import Cuts, Frame
from analysis.causal.worlds import Judge, World, draw_labels, make_world
from data.demo.turn_pairs import EFFECT, turn_pairs
from study.encoders.lexical import Lexical
from tests.validation.check import Check

CORRECTED = "analysis.causal.correction.estimates.corrected_estimate"
WEAK = "6,000 pairs, 430 covariates that all confound a little, effect .75"
LEFT = "Of so many weak confounders, a part is left in the effect."


def composed(rng: np.random.Generator, pairs: int = 1_600) -> World:
    """Return composed turn-pairs, with the confounders that the demo's plan names."""
    table = pd.DataFrame(turn_pairs(rng, pairs))
    vectors = pd.DataFrame(np.asarray(Lexical().encode(table["prompt"].tolist()))).add_prefix("c")
    known = covariates(
        table,
        vectors.assign(item_id=table["item_id"]),
        components=0.9,
        columns=["model", "turn"],
        user="user_id",
    )
    _, user = np.unique(table["user_id"].to_numpy(dtype=str), return_inverse=True)

    def numbers(column: str) -> np.ndarray:
        return table[column].astype(float).to_numpy()

    frame = Frame(
        table["item_id"].to_numpy(dtype=str),
        user.astype(np.int64),
        known.values,
        known.names,
        numbers("judge_empathy"),
        numbers("judge_attachment"),
    )
    planted = numbers("planted_empathy"), numbers("planted_attachment")
    return World(frame, *planted, EFFECT, Cuts())


def _weak(rng: np.random.Generator) -> World:
    return make_world(rng, effect=0.75, judge=Judge(0.6, 0.5), components=430)


def corrected_holds(rng: np.random.Generator, *, words: bool, labels: int) -> list[bool]:
    """Say whether the corrected interval holds the truth."""
    world = composed(rng) if words else _weak(rng)
    said = draw_labels(rng, world, labels)
    side = judge_side(world.frame, world.cuts, rng, labels=said)
    found, _ = corrected_estimate(side, said)
    return [found.low <= world.effect <= found.high]


def robust_holds(rng: np.random.Generator, *, treated: bool) -> list[bool]:
    """Say whether an interval on people's scores of all units holds the truth."""
    world = _weak(rng)
    arms = arms_of(
        world.frame, world.cuts, treatment=world.treatment, outcome=world.outcome, folds=5, rng=rng
    )
    expected = ridge(arms, rng)
    row = att(arms, expected, trim=0.05) if treated else overlap_effect(arms, expected)
    found = row.estimate
    return [] if found is None else [found.low <= world.effect <= found.high]


def checks() -> list[Check]:
    """Return the checks with many confounders."""
    found = [
        Check(
            area="causal",
            function=CORRECTED,
            what="interval of the corrected effect",
            design=design,
            kind="coverage",
            promised=0.95,
            once=partial(corrected_holds, words=words, labels=labels),
            runs=500,
            note=note,
        )
        for words, labels, design, note in (
            (
                True,
                425,
                "1,600 composed turn-pairs of the demo, about 95 confounders, most of them lexical "
                "components of the prompt, effect .4, 425 labels",
                "",
            ),
            (False, 1_000, f"{WEAK}, 1,000 labels", LEFT),
        )
    ]
    for treated, name, what in (
        (False, "overlap.overlap_effect", "interval of the overlap-weighted effect"),
        (True, "average.att", "interval of the effect on the treated, AIPW"),
    ):
        found.append(
            Check(
                area="doubly robust effects",
                function=f"analysis.causal.{name}",
                what=what,
                design=WEAK,
                kind="coverage",
                promised=0.95,
                once=partial(robust_holds, treated=treated),
                runs=500,
                note=LEFT,
            )
        )
    return found
