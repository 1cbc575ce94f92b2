"""The peers that rankings are compared with, as far as they are installed.

FastChat's wheel lacks the last fit of its leaderboard, so it is rebuilt here from its public
description: distinct (pair, outcome) rows with their counts, then L-BFGS.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit


def installed(name: str) -> ModuleType | None:
    """Return a peer's module, or None if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


@dataclass(frozen=True)
class Votes:
    """Simulated judgments as integer codes.

    Attributes
    ----------
    items : int
    left, right : int array of shape (n_judgments,)
    left_won : bool array of shape (n_judgments,)
    rater : int array of shape (n_judgments,)
    """

    items: int
    left: np.ndarray
    right: np.ndarray
    left_won: np.ndarray
    rater: np.ndarray

    @classmethod
    def drawn(
        cls, items: int, count: int, raters: int, seed: int = 1, spread: float = 1.0
    ) -> Votes:
        """Return judgments of random pairs of items with normal strengths."""
        rng = np.random.default_rng(seed)
        strength = rng.normal(size=items) * spread
        left = rng.integers(items, size=count)
        right = (left + rng.integers(1, items, size=count)) % items
        won = rng.random(count) < expit(strength[left] - strength[right])
        return cls(items, left, right, won, rng.integers(raters, size=count))

    @property
    def names(self) -> list[str]:
        """Ids of the items."""
        return [f"item-{i:05d}" for i in range(self.items)]

    def frame(self) -> pd.DataFrame:
        """Return a tidy table of text."""
        names = np.array(self.names)
        return pd.DataFrame(
            {
                "left_id": names[self.left],
                "right_id": names[self.right],
                "choice": np.where(self.left_won, "left", "right"),
                "rater_id": self.rater.astype(str),
            }
        )

    def battles(self) -> pd.DataFrame:
        """Return the same table as leaderboards keep it."""
        names = {"left_id": "model_a", "right_id": "model_b", "choice": "winner"}
        table = self.frame()[list(names)].rename(columns=names)
        table["winner"] = table["winner"].map({"left": "model_a", "right": "model_b"})
        return table

    def pairs(self) -> list[tuple[int, int]]:
        """Return (winner, loser) of every judgment, as choix expects them."""
        winner = np.where(self.left_won, self.left, self.right)
        loser = np.where(self.left_won, self.right, self.left)
        return list(zip(winner.tolist(), loser.tolist(), strict=True))


# FastChat's fit, from its public description.


@dataclass(frozen=True)
class Schedule:
    """Distinct (left, right, outcome) rows and how often each occurs."""

    pairs: np.ndarray
    outcome: np.ndarray
    count: np.ndarray
    items: int

    @classmethod
    def of(cls, battles: pd.DataFrame) -> Schedule:
        """Read a table of battles."""
        codes, names = pd.factorize(pd.concat([battles["model_a"], battles["model_b"]]))
        rows = np.ones((len(battles), 3), dtype=np.int32)
        rows[:, 0], rows[:, 1] = np.split(codes, 2)
        rows[battles["winner"] == "model_a", 2] = 2
        rows[battles["winner"] == "model_b", 2] = 0
        distinct, count = np.unique(rows, axis=0, return_counts=True)
        return cls(distinct[:, :2], distinct[:, 2] / 2, count.astype(float), len(names))


def lbfgs(schedule: Schedule, count: np.ndarray) -> np.ndarray:
    """Fit weighted rows by L-BFGS from 0, at most 100 iterations, to a gradient of 1e-6."""
    unit = math.log(10)

    def loss(ratings: np.ndarray) -> tuple[float, np.ndarray]:
        sides = ratings[schedule.pairs]
        chance = expit(unit * (sides[:, 0] - sides[:, 1]))
        likelihood = schedule.outcome * np.log(chance)
        likelihood += (1 - schedule.outcome) * np.log(1 - chance)
        pull = -unit * (schedule.outcome - chance) * count
        slope = np.zeros_like(ratings)
        np.add.at(slope, schedule.pairs, pull[:, None] * np.array([1.0, -1.0]))
        return -float(likelihood @ count), slope

    start = np.zeros(schedule.items)
    options: Any = {"maxiter": 100, "gtol": 1e-6}
    # Without a penalty the score of an item that never lost grows until the logarithm is infinite.
    with np.errstate(all="ignore"):
        found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x)


def fastchat_fit(battles: pd.DataFrame) -> np.ndarray:
    """Return ratings as FastChat's leaderboard fits them."""
    schedule = Schedule.of(battles)
    return lbfgs(schedule, schedule.count)


def fastchat_bootstrap(battles: pd.DataFrame, resamples: int) -> np.ndarray:
    """Return ratings of resamples of votes: FastChat's loop, in one process."""
    schedule = Schedule.of(battles)
    share = schedule.count / schedule.count.sum()
    drawn = np.random.default_rng(0).multinomial(len(battles), share, size=resamples)
    return np.array([lbfgs(schedule, row / len(battles)) for row in drawn])


def fastchat_elo(battles: pd.DataFrame) -> dict[str, float]:
    """Return ratings by FastChat's published update, with a dictionary, row by row."""
    rating: dict[str, float] = {}
    rows: Any = battles.itertuples()
    for row in rows:
        a, b = rating.setdefault(row.model_a, 1000.0), rating.setdefault(row.model_b, 1000.0)
        expected = 1 / (1 + 10 ** ((b - a) / 400))
        change = 32 * (float(row.winner == "model_a") - expected)
        rating[row.model_a] = a + change
        rating[row.model_b] = b - change
    return rating


# Peers that are called as installed.


def evalica_winners(votes: Votes, evalica: Any) -> list[Any]:
    """Return who won, as evalica expects it."""
    return [evalica.Winner.X if won else evalica.Winner.Y for won in votes.left_won]


def arena_data(battles: pd.DataFrame, arena: Any) -> Any:
    """Return arena-rank's data set of a table of battles."""
    return arena.PairDataset.from_pandas(battles)


def arena_fit(data: Any, arena: Any) -> Any:
    """Return arena-rank's fit, once it is computed."""
    model = arena.BradleyTerry(data.n_competitors)
    model.fit(data)
    return np.asarray(model.params["ratings"])


def arena_intervals(data: Any, arena: Any) -> Any:
    """Return arena-rank's fit with vote-level intervals, once it is computed."""
    found = arena.BradleyTerry(data.n_competitors).compute_ratings_and_cis(data)
    return np.asarray(found["rating_lower"])


def sparse_logistic(votes: Votes, sklearn: Any) -> np.ndarray:
    """Return scikit-learn's ridge logit on the sparse design, with its default solver."""
    count = len(votes.left)
    columns = np.column_stack([votes.left, votes.right]).ravel()
    entries = np.tile([1.0, -1.0], count)
    starts = 2 * np.arange(count + 1)
    design = csr_array((entries, columns, starts), shape=(count, votes.items))
    model = sklearn.LogisticRegression(C=50.0, fit_intercept=False, tol=1e-8)
    return np.asarray(model.fit(design, votes.left_won).coef_)


def clustered_logit(votes: Votes) -> np.ndarray:
    """Return statsmodels' rater-clustered errors of all items but the first."""
    count = len(votes.left)
    design = np.zeros((count, votes.items))
    design[np.arange(count), votes.left] = 1
    design[np.arange(count), votes.right] = -1
    options = {"groups": votes.rater}
    model = sm.Logit(votes.left_won.astype(float), design[:, 1:])
    return np.asarray(model.fit(disp=0, cov_type="cluster", cov_kwds=options).bse)
