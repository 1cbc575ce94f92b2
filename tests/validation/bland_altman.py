"""Checks limits of agreement on simulated scores of one judge and people's mean."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd

from analysis.agreement.bland_altman import limits_of_agreement
from tests.validation.check import Check

ITEMS = 50
BIAS, SPREAD, NOISE = 0.4, 0.6, 0.5
FUNCTION = "analysis.agreement.bland_altman.limits_of_agreement"
Z = 1.959963984540054


def checks() -> list[Check]:
    """Return the checks of the intervals, on continuous scores and on a scale of 7 points."""
    normal = f"{ITEMS} items; normal scores, a judge with bias {BIAS} that uses {SPREAD} of a range"
    points = f"{ITEMS} items; the judge's score rounded to 1 to 7, people's the mean of three"
    return [
        Check(
            area="agreement",
            function=FUNCTION,
            what=what,
            design=design,
            kind="coverage",
            promised=0.95,
            once=once,
            runs=runs,
        )
        for what, design, once, runs in (
            ("bias and both limits", normal, _limits, 600),
            ("ratio of spreads", normal, _spread, 600),
            ("bias", points, _bias_on_points, 600),
        )
    ]


def _scores(rng: np.random.Generator) -> pd.DataFrame:
    level = rng.normal(4, 1, ITEMS)
    judge = 4 + BIAS + SPREAD * (level - 4) + rng.normal(0, NOISE, ITEMS)
    return pd.DataFrame({"judge": judge, "reference": level + rng.normal(0, NOISE, ITEMS)})


def _limits(rng: np.random.Generator) -> Iterable[bool]:
    found = limits_of_agreement(_scores(rng))
    sd = float(np.sqrt((1 - SPREAD) ** 2 + 2 * NOISE**2))
    yield found.bias_low <= BIAS <= found.bias_high
    yield found.lower_low <= BIAS - Z * sd <= found.lower_high
    yield found.upper_low <= BIAS + Z * sd <= found.upper_high


def _spread(rng: np.random.Generator) -> Iterable[bool]:
    found = limits_of_agreement(_scores(rng))
    truth = float(np.sqrt((SPREAD**2 + NOISE**2) / (1 + NOISE**2)))
    yield found.spread_low <= truth <= found.spread_high


def _rounded(rng: np.random.Generator, items: int) -> pd.DataFrame:
    level = rng.normal(4, 1.2, items)
    judge = np.clip(np.round(level + BIAS + rng.normal(0, 0.7, items)), 1, 7)
    people = np.clip(np.round(level[:, None] + rng.normal(0, 0.8, (items, 3))), 1, 7).mean(axis=1)
    return pd.DataFrame({"judge": judge, "reference": people})


@cache
def _truth() -> float:
    """Return the bias that remains after rounding and clipping to the scale."""
    many = _rounded(np.random.default_rng(1), 2_000_000)
    return float((many["judge"] - many["reference"]).mean())


def _bias_on_points(rng: np.random.Generator) -> Iterable[bool]:
    found = limits_of_agreement(_rounded(rng, ITEMS))
    yield found.bias_low <= _truth() <= found.bias_high
