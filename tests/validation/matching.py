"""Checks of the matched effect: its bootstrap over users, where a few users have many units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.causal.matching.effect import matched_effect
from analysis.causal.matching.match import match
from analysis.causal.matching.result import Method
from analysis.causal.worlds import make_world
from tests.validation.check import Check

EFFECT = 0.75
ALIKE = "1,250 units of 150 users, half of the outcome the user's"
ALWAYS_WIDE = (
    "A user with units in both arms makes the estimate more certain than the interval says, which "
    "is never narrowed for it."
)
# Embeddings, arms, outcome and user of each unit.
Study = tuple[FloatArray, FloatArray, FloatArray, IntArray]


def world(rng: np.random.Generator) -> Study:
    """Return a world in which nothing that moves the outcome drives the treatment."""
    made = make_world(rng, effect=EFFECT, units=2_500, users=800, confounding=0.0)
    return (made.frame.covariates, made.cuts.arms(made.treatment), made.outcome, made.frame.user)


def alike_within_users(rng: np.random.Generator, users: int = 150) -> Study:
    """Return units of few users, half of whose outcome is their user's, in both arms."""
    sizes = 1 + rng.geometric(0.12, size=users)
    user = np.repeat(np.arange(users), sizes)
    leaning = 1 / (1 + np.exp(1.7 - rng.normal(size=users)))
    arms = (rng.random(len(user)) < leaning[user]).astype(float)
    x = 0.7 * rng.normal(size=(users, 8))[user] + 0.7 * rng.normal(size=(len(user), 8))
    outcome = EFFECT * arms + rng.normal(size=users)[user] + rng.normal(size=len(user))
    return x, arms, outcome, user


def few_control_users(rng: np.random.Generator) -> Study:
    """Return treated units of users with one each, and control units of 60 users."""
    sizes = np.concatenate([np.ones(300, dtype=int), 2 + rng.geometric(0.07, size=60)])
    user = np.repeat(np.arange(360), sizes)
    arms = (user < 300).astype(float)
    x = rng.normal(size=(len(user), 8))
    outcome = EFFECT * arms + rng.normal(size=360)[user] + rng.normal(size=len(user))
    return x, arms, outcome, user


DESIGNS: dict[str, Callable[[np.random.Generator], Study]] = {
    "2,500 units of 800 users, 8% treated": world,
    ALIKE: alike_within_users,
    "300 treated units of a user each, 980 control units of 60 users": few_control_users,
}


def _coverage(design: str, method: Method) -> Check:
    def once(rng: np.random.Generator) -> list[bool]:
        embeddings, arms, outcome, user = DESIGNS[design](rng)
        unit = np.array([f"u{n:05d}" for n in range(len(arms))])
        pairs = match(unit, embeddings, arms, method=method, caliper=0.2)
        found = matched_effect(pairs, outcome, user, rng=rng, draws=1_000)
        return [bool(found.low <= EFFECT <= found.high)]

    return Check(
        area="causal",
        function="analysis.causal.matching.effect.matched_effect",
        what=f"{method} matching: interval of the ATT",
        design=design,
        kind="coverage",
        promised=0.95,
        once=once,
        runs=1000,
        note=ALWAYS_WIDE if design == ALIKE else "",
    )


def checks() -> list[Check]:
    """Return the checks of matching."""
    return [_coverage(design, method) for design in DESIGNS for method in ("optimal", "greedy")]
