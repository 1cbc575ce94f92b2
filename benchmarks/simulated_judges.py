"""Simulates judges of items with known strengths, asked by any scheme with many calls under way.

The log-odds of a choice are the difference in strength. Strengths are the published ratings as
log-odds; without that file they are normal with the same spread.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prereg.plan.pairs import PairSampling
from study.judges.adaptive.asking import Scheme, scheme_of

RATINGS = Path(__file__).parents[2] / "shared" / "data" / "lend_an_ear_elo" / "elo_rankings.csv"
LOG_ODDS_PER_POINT = math.log(10) / 400
# At this sharpness the published scheme, read as Bradley-Terry, has 0.95 after 4,100 judgments of
# 385 items and 0.981 after 10,000, which is what an earlier simulation found.
KNOWN = 1.3


@dataclass(frozen=True)
class Judge:
    """How a simulated judge chooses.

    Attributes
    ----------
    sharpness : float
        Multiplies the published log-odds: below 1 it is noisier.
    side : float
        Advantage of the item on the left, in log-odds.
    drawn : float
        Share of its noise that changes when the same question is asked again, 0 or at least one
        half; the rest belongs to the pair.
    confidence : float
        Multiplies the log-odds that the judge states.
    """

    sharpness: float = KNOWN
    side: float = 0.0
    drawn: float = 0.0
    confidence: float = 1.0

    def answer(self, ahead: float, rng: np.random.Generator) -> tuple[bool, float]:
        """Return whether the left item is chosen, and the stated P(left)."""
        ahead += self.side
        if self.drawn:
            # normal noise of the pair and a logistic draw are together nearly a standard logistic
            in_pair = (1 - self.drawn) * math.pi**2 / 3
            sees = (ahead + rng.normal(0, math.sqrt(in_pair))) / math.sqrt(
                1 - math.pi / 8 * in_pair
            )
            return bool(sees + rng.logistic() > 0), _logistic(self.confidence * sees)
        sees = ahead + rng.logistic()
        return bool(sees > 0), _logistic(self.confidence * sees)


@dataclass(frozen=True)
class Run:
    """A judge's judgments in the order of its replies, and the seconds spent on choosing pairs."""

    judgments: pd.DataFrame
    scheme: Scheme
    seconds: float


def strengths(replication: int, sharpness: float) -> np.ndarray:
    """Return true strengths in log-odds, in random order.

    Replications use the scenarios in turn.
    """
    rng = np.random.default_rng([replication, 1])
    if RATINGS.exists():
        table = pd.read_csv(RATINGS, dtype={"conversation_id": str})
        scenarios = sorted(table["starter"].unique())
        scenario = scenarios[replication % len(scenarios)]
        rating = table.loc[table["starter"] == scenario, "elo_rating"].to_numpy()
    else:
        rating = rng.normal(1500, 208, size=385)
    rating = rng.permutation(rating)
    return sharpness * LOG_ODDS_PER_POINT * (rating - rating.mean())


def ask(
    sampling: PairSampling, judge: Judge, strength: np.ndarray, *, seed: int, in_flight: int
) -> Run:
    """Ask a judge with many calls under way; its replies come in any order."""
    rng = np.random.default_rng([seed, 2])
    scheme = scheme_of(len(strength), sampling, rng=np.random.default_rng([seed, 3]))
    rows: list[tuple[int, int, bool, float]] = []
    out: list[tuple[int, int]] = []
    seconds = 0.0
    while out or not scheme.finished:
        begun = time.process_time()
        pair = scheme.next()
        seconds += time.process_time() - begun
        if pair is not None:
            out.append(pair)
        if pair is None or len(out) >= in_flight:
            left, right = out.pop(int(rng.integers(len(out))))
            won, stated = judge.answer(float(strength[left] - strength[right]), rng)
            scheme.record(left, right, won)
            rows.append((left, right, won, stated))
    table = pd.DataFrame(rows, columns=["left", "right", "won", "p_left"])
    names = np.array([f"{item:05d}" for item in range(len(strength))])
    table["left_id"], table["right_id"] = names[table["left"]], names[table["right"]]
    table["choice"] = np.where(table["won"], "left", "right")
    return Run(table, scheme, seconds)


def _logistic(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))
