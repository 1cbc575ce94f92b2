"""Checks of regressions in which few clusters decide a coefficient, however many there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.regression.effective_clusters import by_effective_clusters
from analysis.regression.fit import clustered_logit, clustered_ols
from prereg.errors import RatifyError
from tests.validation.check import Check

AREA = "regression"
FUNCTION = "analysis.regression.effective_clusters.by_effective_clusters"
# Clusters in all, and how many of them are treated.
TREATED = ((60, 4), (40, 5), (60, 8))
TOO_CAREFUL = (
    "With 3 to 5 effective clusters the test of a logit rejects too rarely: its errors are those "
    "of a linear approximation."
)


def treated_clusters(
    rng: np.random.Generator, clusters: int, treated: int, effect: float, *, is_logit: bool
) -> pd.DataFrame:
    """Return 12 rows or so in each cluster; some whole clusters are treated, by chance."""
    of = np.repeat(np.arange(clusters), 6 + np.arange(clusters) % 12)
    on = (rng.permutation(clusters) < treated).astype(float)[of]
    x = rng.normal(size=len(of))
    if is_logit:
        # without an effect, so that differences between clusters do not flatten it
        y = (rng.random(len(of)) < expit(0.3 * x + rng.normal(size=clusters)[of])).astype(float)
    else:
        y = effect * on + 0.3 * x + rng.normal(size=clusters)[of] + rng.normal(size=len(of))
    return pd.DataFrame({"cluster": of, "treated": on, "x": x, "y": y})


def _few(clusters: int, treated: int, *, is_logit: bool, kind: str) -> Check:
    effect = 0.0 if is_logit or kind == "size" else 0.8

    def once(rng: np.random.Generator) -> list[bool]:
        data = treated_clusters(rng, clusters, treated, effect, is_logit=is_logit)
        fit = clustered_logit if is_logit else clustered_ols
        try:
            plain = fit(data, "y ~ treated + x", cluster="cluster")
        except RatifyError:  # a separated logit, which has no estimate and says so
            return []
        found = by_effective_clusters(plain, np.array([0.0, 1.0, 0.0])).found
        if kind == "size":
            return [bool(found.p_value <= 0.05)]
        return [bool(found.low <= effect <= found.high)]

    return Check(
        area=AREA,
        function=FUNCTION,
        what="test of the treatment" if kind == "size" else "interval of the treatment's effect",
        design=f"{treated} of {clusters} clusters treated, {'logit' if is_logit else 'OLS'}",
        kind="size" if kind == "size" else "coverage",
        promised=0.05 if kind == "size" else 0.95,
        once=once,
        runs=2000 if kind == "size" else 1000,
        note=TOO_CAREFUL if is_logit and treated < 8 and kind == "size" else "",
    )


def _scenarios() -> Check:
    """Return the check of scenario terms: raters see one scenario each, 8 raters a scenario."""

    def once(rng: np.random.Generator) -> list[bool]:
        rater = np.repeat(np.arange(40), 10)
        odds = 0.4 + 0.8 * rng.normal(size=40)[rater]
        data = pd.DataFrame(
            {
                "y": (rng.random(400) < expit(odds)).astype(float),
                "scenario": np.array(list("abcde"))[rater % 5],
                "rater": rater,
            }
        )
        fit = clustered_logit(data, "y ~ scenario", cluster="rater")
        every = np.eye(5)[1:]
        return [bool(by_effective_clusters(fit, at).found.p_value <= 0.05) for at in every]

    return Check(
        area=AREA,
        function=FUNCTION,
        what="tests of scenario terms",
        design="40 raters x 10, one scenario each, 8 raters a scenario, logit",
        kind="size",
        promised=0.05,
        once=once,
        runs=1000,
    )


def checks() -> list[Check]:
    """Return the checks of coefficients that few clusters decide."""
    return [
        *(
            _few(clusters, treated, is_logit=is_logit, kind=kind)
            for clusters, treated in TREATED
            for is_logit in (False, True)
            for kind in ("size", "coverage")
            if not (is_logit and kind == "coverage")
        ),
        _scenarios(),
    ]
