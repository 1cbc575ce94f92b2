"""Checks ordinal regressions: raters of whom each knows one condition, or who see both.

The errors of one rater are correlated through a normal copula (.3), so that one odds ratio holds
on average over raters: with a random intercept in the log-odds it would not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import logit
from scipy.stats import norm

from analysis.regression.ordinal import clustered_ordinal
from analysis.regression.ordinal_checks import category_predictions, proportional_odds
from tests.validation.check import Check

FORMULA = "rating ~ arm + x"
SLOPE = 0.5
CUTS = [-2.0, -0.5, 0.8, 2.2]
FIT = "analysis.regression.ordinal.clustered_ordinal"
ODDS = "analysis.regression.ordinal_checks.proportional_odds"


def ratings(
    rng: np.random.Generator, raters: int, treated: int, effect: float, rows: int = 10
) -> pd.DataFrame:
    """Return ratings from 1 to 5 by raters of whom some are treated."""
    rater = np.repeat(np.arange(raters), rows)
    felt = 0.3**0.5 * rng.normal(size=raters)[rater] + 0.7**0.5 * rng.normal(size=len(rater))
    frame = pd.DataFrame({"rater": rater, "arm": (rater < treated) * 1.0})
    frame["x"] = rng.normal(size=len(rater))
    latent = effect * frame["arm"] + SLOPE * frame["x"] + logit(norm.cdf(felt))
    return frame.assign(rating=1 + np.searchsorted(CUTS, latent))


def _size(raters: int, treated: int) -> Callable[[np.random.Generator], list[bool]]:
    def once(rng: np.random.Generator) -> list[bool]:
        found = clustered_ordinal(ratings(rng, raters, treated, 0.0), FORMULA, cluster="rater")
        return [found.contrast("arm").p_value <= 0.05]

    return once


def _coverage(rng: np.random.Generator) -> list[bool]:
    found = clustered_ordinal(ratings(rng, 60, 30, 0.6), FORMULA, cluster="rater")
    effects = [found.contrast(term) for term in ("arm", "x")]
    return [one.low <= truth <= one.high for one, truth in zip(effects, (0.6, SLOPE), strict=True)]


def _predicted(rng: np.random.Generator) -> list[bool]:
    data = ratings(rng, 60, 30, 0.6)
    found = clustered_ordinal(data, FORMULA, cluster="rater")
    table = category_predictions(found, data, {"arm": [1.0], "x": [0.0]})
    below = 1 / (1 + np.exp(-(np.array([-np.inf, *CUTS, np.inf]) - 0.6)))
    return list(table["low"].le(np.diff(below)) & table["high"].ge(np.diff(below)))


def _odds(rng: np.random.Generator) -> list[bool]:
    found = clustered_ordinal(ratings(rng, 100, 50, 0.6), FORMULA, cluster="rater")
    return list(proportional_odds(found)[0]["p"] <= 0.05)


def checks() -> list[Check]:
    """Return the checks of ordinal regressions."""
    common = {"area": "regression", "runs": 1000}
    size = {**common, "function": FIT, "what": "effect between raters", "kind": "size"}
    cover = {**common, "function": FIT, "kind": "coverage", "promised": 0.95, "runs": 500}
    design = "{} raters x 10 ratings from 1 to 5, {} treated"
    found = [
        {
            **size,
            "design": design.format(raters, treated),
            "promised": 0.05,
            "once": _size(raters, treated),
        }
        for raters, treated in ((60, 30), (60, 8), (60, 4), (16, 8))
    ]
    found += [
        {**cover, "what": "effects, between and within raters", "design": design.format(60, 30),
         "once": _coverage},
        {**cover, "what": "predicted share of each category", "design": design.format(60, 30),
         "once": _predicted, "function": ODDS.replace("proportional_odds", "category_predictions")},
        {**common, "function": ODDS, "what": "equal odds ratios, each term", "kind": "size",
         "design": design.format(100, 50), "promised": 0.05, "once": _odds},
    ]  # fmt: skip
    return [Check(**one) for one in found]  # type: ignore[arg-type]
