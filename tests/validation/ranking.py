"""Checks what is promised about rankings with simulated raters.

150 raters have 10 trials each, with 30 items per scenario. Raters with tastes lean towards two
features of the items, each to their own degree; the truth is then what Bradley-Terry finds in the
choices of infinitely many such raters. Scenarios that do not depend on each other are simulated
one at a time: 150 raters with two trials each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import rankdata

from analysis.arrays import FloatArray, IntArray
from analysis.ranking.bradley_terry import bradley_terry
from analysis.ranking.draws import ScoreErrors, score_errors
from analysis.ranking.misfit import rater_misfit
from analysis.ranking.rank_correlation import RankCorrelation, rank_correlation
from analysis.ranking.rank_intervals import Coverage, rank_intervals
from analysis.ranking.win_probability import pairwise_probability
from tests.validation.check import Check

AREA = "ranking"
ITEMS = 30
RATERS = 150
SCENARIOS = 5
PER_SCENARIO = 2
TASTE = 1.0
# Sd of the true scores if raters have tastes; the judge must not depend on the sample's own sd.
TRUE_SD = 0.757
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


@dataclass(frozen=True)
class Study:
    """Simulated judgments and the true scores of their items, in the order of the ids."""

    judgments: pd.DataFrame
    truth: FloatArray


def simulate(
    rng: np.random.Generator,
    *,
    taste: float,
    spread: float = 1.0,
    scenarios: int = 1,
    raters: int = RATERS,
    each: int = PER_SCENARIO,
    unequal: float = 0.0,
) -> Study:
    """Return the judgments of 150 raters, two trials in each scenario.

    `unequal` is the standard deviation of the log of raters' consistency.
    """
    score = spread * rng.normal(size=(scenarios, ITEMS))
    score -= score.mean(axis=1, keepdims=True)
    feature = rng.normal(size=(scenarios, ITEMS, 2)) / np.sqrt(2)
    leaning = taste * rng.normal(size=(raters, 2))
    n = raters * scenarios * each
    rater = np.repeat(np.arange(raters), scenarios * each)
    scenario = np.tile(np.repeat(np.arange(scenarios), each), raters)
    sharp = np.exp(unequal * rng.normal(size=raters)) if unequal else np.ones(raters)
    left, right = np.empty((2, n), dtype=np.int64)
    for s in range(scenarios):
        left[scenario == s], right[scenario == s] = _dealt(rng, int((scenario == s).sum()))
    lead = score[scenario, left] - score[scenario, right]
    apart = feature[scenario, left] - feature[scenario, right]
    lead = sharp[rater] * (lead + (apart * leaning[rater]).sum(axis=1))
    won = rng.random(n) < expit(lead)
    names = np.array([[f"s{s}i{i:02d}" for i in range(ITEMS)] for s in range(scenarios)])
    judgments = pd.DataFrame(
        {
            "left_id": names[scenario, left],
            "right_id": names[scenario, right],
            "choice": np.where(won, "left", "right"),
            "scenario": np.array([f"s{s}" for s in range(scenarios)])[scenario],
            "rater_id": np.array([f"r{r:03d}" for r in range(raters)])[rater],
        }
    )
    parts = [_endless(score[s], feature[s], taste) for s in range(scenarios)]
    return Study(judgments, np.concatenate(parts))


def _dealt(rng: np.random.Generator, n: int) -> IntArray:
    """Return pairs in which every item is shown equally often, as in a study."""
    rounds = -(-2 * n // ITEMS)
    order = np.concatenate([rng.permutation(ITEMS) for _ in range(rounds)])
    return order[: 2 * n].reshape(-1, 2).T


def _endless(score: FloatArray, feature: FloatArray, taste: float) -> FloatArray:
    """Return Bradley-Terry scores of infinitely many raters, with every pair equally often."""
    if taste == 0:
        return score
    i, j = np.triu_indices(len(score), 1)
    sd = taste * np.sqrt(((feature[i] - feature[j]) ** 2).sum(axis=1))
    lead = (score[i] - score[j])[:, None] + sd[:, None] * _NODES
    share = expit(lead) @ (_WEIGHTS / _WEIGHTS.sum())
    found = score.copy()
    for _ in range(25):
        p = expit(found[i] - found[j])
        gradient = np.bincount(i, share - p, len(score)) - np.bincount(j, share - p, len(score))
        off = np.zeros((len(score), len(score)))
        off[i, j] = p * (1 - p)
        off += off.T
        curvature = np.diag(off.sum(axis=1)) - off + 1 / len(score)
        found = found + np.linalg.solve(curvature, gradient)
    return found - found.mean()


def _truth(study: Study, frame: pd.DataFrame) -> FloatArray:
    """Return the true scores in the order of a frame with item_id."""
    scenario = frame["item_id"].str[1].astype(int).to_numpy()
    item = frame["item_id"].str[3:].astype(int).to_numpy()
    return study.truth[scenario * ITEMS + item]


def _held(low: FloatArray, truth: FloatArray, high: FloatArray) -> list[bool]:
    known = np.isfinite(low) & np.isfinite(high)
    return ((low <= truth) & (truth <= high))[known].tolist()


def _scores(rng: np.random.Generator, *, taste: float, bootstrap: int = 0) -> Iterable[bool]:
    study = simulate(rng, taste=taste)
    frame = bradley_terry(study.judgments, bootstrap=bootstrap, rng=rng).frame
    return _held(frame["low"].to_numpy(), _truth(study, frame), frame["high"].to_numpy())


def _fitted(rng: np.random.Generator, taste: float, spread: float) -> tuple[Study, ScoreErrors]:
    study = simulate(rng, taste=taste, spread=spread)
    return study, score_errors(study.judgments)


def _pairs(rng: np.random.Generator, *, taste: float) -> Iterable[bool]:
    study, errors = _fitted(rng, taste, 1.0)
    frame = pairwise_probability(errors).frame
    lead = _truth(study, frame) - _truth(study, frame.assign(item_id=frame["other_id"]))
    return _held(frame["low"].to_numpy(), expit(lead), frame["high"].to_numpy())


def _ranks(
    rng: np.random.Generator, *, taste: float, spread: float, coverage: Coverage
) -> Iterable[bool]:
    study, errors = _fitted(rng, taste, spread)
    frame = rank_intervals(errors, rng=rng, coverage=coverage, resamples=300).frame
    truth = _truth(study, frame)
    # equal items have all the ranks that they share
    best = rankdata(-truth, method="min")
    worst = rankdata(-truth, method="max")
    low = frame["rank_low"].to_numpy(dtype=float, na_value=np.nan)
    high = frame["rank_high"].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(low)
    held = (low <= best) & (worst <= high)
    return [bool(held[known].all())] if coverage == "all" else held[known].tolist()


def _misfit(rng: np.random.Generator, *, taste: float, any_rater: bool) -> Iterable[bool]:
    study = simulate(rng, taste=taste, scenarios=SCENARIOS)
    if any_rater:
        return [rater_misfit(study.judgments, correction="holm").n_flagged > 0]
    p = rater_misfit(study.judgments, correction="none").frame["p"]
    return (p <= 0.05).tolist()


def _correlated(rng: np.random.Generator, *, rho: float, taste: float) -> RankCorrelation:
    """Return people's ranking and that of a judge whose scores are one tenth error variance."""
    study = simulate(rng, taste=taste, scenarios=SCENARIOS)
    errors = score_errors(study.judgments)
    people = errors.to_frame()
    truth = _truth(study, people)
    clean = rho * truth / TRUE_SD + np.sqrt(1 - rho**2) * rng.normal(size=len(truth))
    judge = people[["item_id", "scenario"]].assign(
        score=clean + np.sqrt(1 / 9) * rng.normal(size=len(truth)), se=np.sqrt(1 / 9)
    )
    draws = errors.draws(100, rng)
    return rank_correlation(people, judge, bootstrap=0, x_draws=draws, rng=rng)


def _disattenuated(rng: np.random.Generator, *, rho: float, taste: float) -> Iterable[bool]:
    found = _correlated(rng, rho=rho, taste=taste)
    truth = 6 / np.pi * np.arcsin(rho / 2)
    return [found.disattenuated_low <= truth <= found.disattenuated_high]


class _Raw:
    """Checks intervals of the raw correlation against the middle of what such studies find."""

    def __init__(self, *, rho: float, taste: float) -> None:
        self.settings = {"rho": rho, "taste": taste}
        self.middle: float | None = None

    def __call__(self, rng: np.random.Generator) -> Iterable[bool]:
        if self.middle is None:
            streams = np.random.SeedSequence(5).spawn(120)
            found = [self._estimate(np.random.default_rng(one)) for one in streams]
            self.middle = float(np.tanh(np.mean(np.arctanh(found))))
        got = _correlated(rng, **self.settings)
        return [got.both_low <= self.middle <= got.both_high]

    def _estimate(self, rng: np.random.Generator) -> float:
        return _correlated(rng, **self.settings).estimate


_ONE = "150 raters x 2 in one scenario of 30 items"
_ALL = "150 raters x 10, 5 scenarios of 30 items"
_TASTES = "raters lean to 2 features, sd 1 as the scores"
_EQUAL = "no tastes"


def checks() -> list[Check]:
    """Return the checks of rankings."""

    def check(
        function: str,
        what: str,
        design: str,
        once: Callable[[np.random.Generator], Iterable[bool]],
        *,
        runs: int = 1000,
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

    found = []
    for taste, who in ((0.0, _EQUAL), (TASTE, _TASTES)):
        one, whole = f"{_ONE}; {who}", f"{_ALL}; {who}"
        found += [
            check(
                "bradley_terry.bradley_terry",
                "sandwich interval of a score",
                one,
                partial(_scores, taste=taste),
            ),
            check(
                "bradley_terry.bradley_terry",
                "bootstrap interval of a score (100 resamples)",
                one,
                partial(_scores, taste=taste, bootstrap=100),
                runs=500,
            ),
            check(
                "win_probability.pairwise_probability",
                "interval of P(i beats j), all pairs",
                one,
                partial(_pairs, taste=taste),
                note="Each data set has 435 intervals, so a shortfall of .004 shows.",
            ),
            check(
                "rank_intervals.rank_intervals",
                "ranks, coverage 'average'",
                one,
                partial(_ranks, taste=taste, spread=1.0, coverage="average"),
            ),
            check(
                "misfit.rater_misfit",
                "each honest rater, p <= .05",
                whole,
                partial(_misfit, taste=taste, any_rater=False),
                size=True,
                note="It allows for raters of unequal consistency, who are not there.",
            ),
            check(
                "misfit.rater_misfit",
                "any honest rater flagged, Holm at .05",
                whole,
                partial(_misfit, taste=taste, any_rater=True),
                size=True,
                runs=2000,
                note="It allows for raters of unequal consistency, who are not there.",
            ),
        ]
    found += [
        check(
            "rank_intervals.rank_intervals",
            "ranks, coverage 'each', all items equal",
            f"{_ONE}; {_EQUAL}, equal items",
            partial(_ranks, taste=0.0, spread=0.0, coverage="each"),
            runs=1000,
        ),
        check(
            "rank_intervals.rank_intervals",
            "ranks, coverage 'all', all items equal",
            f"{_ONE}; {_EQUAL}, equal items",
            partial(_ranks, taste=0.0, spread=0.0, coverage="all"),
        ),
        check(
            "rank_intervals.rank_intervals",
            "ranks, coverage 'each', items that differ",
            f"{_ONE}; {_TASTES}",
            partial(_ranks, taste=TASTE, spread=1.0, coverage="each"),
            runs=500,
            note="At least .95 for any truth; near 1 if items differ.",
        ),
        check(
            "rank_correlation.rank_correlation",
            "raw Spearman, errors of both rankings",
            f"{_ALL}; {_TASTES}; true Spearman .84; target: the middle of such studies' estimates",
            _Raw(rho=0.85, taste=TASTE),
            runs=500,
        ),
    ]
    found += [
        check(
            "rank_correlation.rank_correlation",
            "disattenuated Spearman",
            f"{_ALL}; {_TASTES}; Pearson correlation of true scores {rho}",
            partial(_disattenuated, rho=rho, taste=TASTE),
            runs=500,
        )
        for rho in (0.5, 0.85)
    ]
    return found
