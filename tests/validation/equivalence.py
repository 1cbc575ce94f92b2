"""Checks two one-sided tests where the truth lies exactly at the margin: 5% may pass.

The margin is several standard errors wide, so that the other side plays no part; with a narrower
margin fewer than 5% pass.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from analysis.agreement.choices import choice_agreement
from analysis.inference.equivalence import two_one_sided
from analysis.inference.resampling import jackknife_interval
from analysis.regression.contrasts import wald_contrast
from analysis.regression.fit import clustered_ols
from analysis.regression.ordinal import clustered_ordinal
from tests.validation.check import Check
from tests.validation.ordinal import ratings

MARGIN = 0.5
RATERS = 100
PASSES = ("equivalent", "not worse")
Once = Callable[[np.random.Generator], list[bool]]


def _coefficient(rng: np.random.Generator) -> list[bool]:
    """Try a mean difference of two groups of people, three rows each, errors by person."""
    person = np.repeat(np.arange(200), 3)
    data = pd.DataFrame({"person": person, "arm": (person % 2).astype(float)})
    own = 0.6 * rng.normal(size=200)[person] + 0.8 * rng.normal(size=600)
    data["y"] = own + MARGIN * data["arm"]
    fit = clustered_ols(data, "y ~ arm", cluster="person", distribution="t")

    def interval(level: float) -> tuple[float, float, float]:
        found = wald_contrast(fit, "arm", level=level)
        return found.estimate, found.low, found.high

    return [two_one_sided(interval, margin=MARGIN, se=float(fit.bse["arm"])).verdict in PASSES]


def _odds(rng: np.random.Generator) -> list[bool]:
    fit = clustered_ordinal(ratings(rng, 60, 30, 1.0), "rating ~ arm + x", cluster="rater")

    def interval(level: float) -> tuple[float, float, float]:
        found = fit.contrast("arm", level=level)
        return found.estimate, found.low, found.high

    return [two_one_sided(interval, margin=1.0, se=fit.contrast("arm").se).verdict in PASSES]


def _paired(rng: np.random.Generator) -> list[bool]:
    """Try a judge's mean rating minus people's over 60 items, differences whole and skewed."""
    apart = rng.choice([-1.0, 0.0, 1.0, 2.0, 3.0], size=60, p=[0.15, 0.45, 0.25, 0.1, 0.05])
    truth, mean = 0.45, float(apart.mean())
    without = (apart.sum() - apart) / 59

    def interval(level: float) -> tuple[float, float, float]:
        return mean, *jackknife_interval(mean, without, level=level)

    return [two_one_sided(interval, margin=truth).verdict in PASSES]


def _choices(side: str) -> Once:
    """Return a try of a judge's agreement with people, whose truth is .7, against .8 less .1.

    Raters differ in how often they agree with the judge, and every trial has items of its own.
    """

    def once(rng: np.random.Generator) -> list[bool]:
        taste = 0.5 * rng.normal(size=(RATERS, 1))
        chance = expit(_CENTRE + taste)
        agrees = (rng.random((RATERS, 8)) < chance).ravel()
        names = [f"i{n}" for n in range(2 * len(agrees))]
        trials = pd.DataFrame({"left_id": names[::2], "right_id": names[1::2]})
        sides = np.where(rng.random(len(agrees)) < 0.5, "left", "right")
        other = np.where(sides == "left", "right", "left")
        people = trials.assign(rater_id=np.repeat(np.arange(RATERS), 8).astype(str), choice=sides)
        judge = trials.assign(choice=np.where(agrees, sides, other))

        def interval(level: float) -> tuple[float, float, float]:
            found = choice_agreement(people, judge, cluster="rater_id", level=level)
            return found.estimate, found.low, found.high

        found = two_one_sided(
            interval,
            margin=0.1,
            reference=0.8,
            side=side,  # type: ignore[arg-type]
        )
        return [found.verdict in PASSES]

    return once


def _centre() -> float:
    """Return the log-odds at which raters who differ by sd .5 agree in 70% of all trials."""
    at, weight = np.polynomial.hermite_e.hermegauss(40)
    centre = float(logit(0.7))
    for _ in range(50):
        centre += 4 * (0.7 - float(weight @ expit(centre + 0.5 * at) / weight.sum()))
    return centre


_CENTRE = _centre()


def checks() -> list[Check]:
    """Return the checks of equivalence."""
    skewed = "The t test of a mean is liberal away from the long tail: .06 at skewness .7."
    rows: list[tuple[str, str, Once]] = [
        (
            "mean difference of two groups (regression)",
            "200 people x 3, sd 1, t; the truth at the margin, .5",
            _coefficient,
        ),
        (
            "mean difference of a judge and people (paired)",
            "60 items, whole skewed differences, jackknife interval; the truth at the margin, .45",
            _paired,
        ),
        (
            "agreement of choices against a proportion",
            "100 raters x 8, true .7, margin .1 around .8",
            _choices("both"),
        ),
        (
            "agreement of choices, not worse than a proportion",
            "100 raters x 8, true .7, at least .1 below .8",
            _choices("not_worse"),
        ),
        (
            "log-odds of an ordinal regression",
            "60 raters x 10, half treated; the truth at the margin, 1",
            _odds,
        ),
    ]
    return [
        Check(
            area="regression",
            function="analysis.inference.equivalence.two_one_sided",
            what=what,
            design=design,
            kind="size",
            promised=0.05,
            once=once,
            runs=1000,
            note=skewed if "paired" in what else "",
        )
        for what, design, once in rows
    ]
