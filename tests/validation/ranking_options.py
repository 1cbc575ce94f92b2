"""Checks what is promised about raters of unequal consistency, and about bias-reduced scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.ranking.bias_reduced import bias_reduced
from analysis.ranking.draws import score_errors
from analysis.ranking.elo import elo, elo_errors
from analysis.ranking.misfit import rater_misfit
from analysis.ranking.rank_correlation import rank_correlation
from tests.validation.check import Check
from tests.validation.ranking import (
    ITEMS,
    PER_SCENARIO,
    RATERS,
    SCENARIOS,
    TASTE,
    TRUE_SD,
    simulate,
)

AREA = "ranking"
UNEQUAL = 0.5
PAIRS = 600


def _misfit(rng: np.random.Generator, *, raters: int, each: int, any_rater: bool) -> Iterable[bool]:
    study = simulate(rng, taste=0, scenarios=SCENARIOS, raters=raters, each=each, unequal=UNEQUAL)
    found = rater_misfit(study.judgments, correction="holm" if any_rater else "none")
    return [found.n_flagged > 0] if any_rater else (found.frame["p"] <= 0.05).tolist()


def _profile(rng: np.random.Generator, *, taste: float, raters: int) -> Iterable[bool]:
    study = simulate(rng, taste=taste, raters=raters)
    frame = bias_reduced(study.judgments).frame
    if frame["component"].nunique() > 1:
        return []
    truth = study.truth[frame["item_id"].str[3:].astype(int)]
    truth = truth - truth.mean()
    return ((frame["low"] <= truth) & (truth <= frame["high"])).tolist()


def _beside_elo(rng: np.random.Generator, *, rho: float) -> Iterable[bool]:
    """Correlate people's ranking with the Elo of a judge that compared random pairs."""
    study = simulate(rng, taste=TASTE, scenarios=SCENARIOS)
    people = score_errors(study.judgments).to_frame()
    names = people["item_id"]
    truth = study.truth[names.str[1].astype(int) * ITEMS + names.str[3:].astype(int)]
    clean = rho * truth / TRUE_SD + np.sqrt(1 - rho**2) * rng.normal(size=len(truth))
    clean = pd.Series(clean, index=names)
    asked = pd.concat(
        [_asked(rng, part) for _, part in clean.groupby(names.str[:2].to_numpy())],
        ignore_index=True,
    )
    judge = elo(asked).frame[["item_id", "scenario", "score"]]
    judge = judge.merge(elo_errors(asked, resamples=50, rng=rng), on=["item_id", "scenario"])
    judge["component"] = pd.factorize(judge["scenario"])[0]
    found = rank_correlation(people, judge, bootstrap=0)
    truly = 6 / np.pi * np.arcsin(rho / 2)
    return [found.disattenuated_low <= truly <= found.disattenuated_high]


def _asked(rng: np.random.Generator, score: pd.Series) -> pd.DataFrame:
    left = rng.integers(len(score), size=PAIRS)
    right = (left + rng.integers(1, len(score), size=PAIRS)) % len(score)
    known = score.to_numpy()
    won = rng.random(PAIRS) < expit(known[left] - known[right])
    return pd.DataFrame(
        {
            "left_id": score.index[left],
            "right_id": score.index[right],
            "choice": np.where(won, "left", "right"),
            "scenario": score.index[0][:2],
        }
    )


def checks() -> list[Check]:
    """Return the checks of unequal raters, bias-reduced scores and corrected correlations."""

    def check(
        function: str,
        what: str,
        design: str,
        once: Callable[[np.random.Generator], Iterable[bool]],
        *,
        runs: int,
        size: bool = False,
        note: str = "",
    ) -> Check:
        return Check(
            area=AREA,
            function=f"analysis.ranking.{function}",
            what=what,
            design=design,
            kind="size" if size else "coverage",
            promised=0.05 if size else 0.95,
            once=once,
            runs=runs,
            note=note,
        )

    unequal = f"5 scenarios of {ITEMS} items; raters' consistency varies, log sd {UNEQUAL}"
    found = []
    for raters, each in ((50, 6), (RATERS, PER_SCENARIO)):
        design = f"{raters} raters x {SCENARIOS * each}, {unequal}"
        found += [
            check(
                "misfit.rater_misfit",
                what,
                design,
                partial(_misfit, raters=raters, each=each, any_rater=any_rater),
                runs=1000,
                size=True,
            )
            for what, any_rater in (
                ("each honest rater, p <= .05", False),
                ("any honest rater flagged, Holm at .05", True),
            )
        ]
    for taste, raters, who in (
        (0.0, RATERS, "no tastes"),
        (TASTE, RATERS, "raters lean to 2 features, sd 1 as the scores"),
        (0.0, 60, "no tastes"),
    ):
        found.append(
            check(
                "bias_reduced.bias_reduced",
                "profile interval of a score, Firth's penalty",
                f"{raters} raters x 2 in one scenario of {ITEMS} items; {who}",
                partial(_profile, taste=taste, raters=raters),
                runs=500,
                note="Over all items: of those that never lost or never won the interval holds "
                "the truth less often, for they were lucky.",
            )
        )
    found.append(
        check(
            "elo.elo_errors",
            "corrected Spearman of people's scores and a judge's Elo",
            f"{RATERS} raters x 10, 5 scenarios of {ITEMS} items; the judge compared {PAIRS} "
            "random pairs per scenario; Pearson correlation of true scores 0.85",
            partial(_beside_elo, rho=0.85),
            runs=500,
        )
    )
    return found
