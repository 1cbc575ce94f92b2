"""Compares Bradley-Terry scores with those that the package choix fits to the same choices."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from analysis.ranking.pair_counts import read_comparisons
from analysis.ranking.result import Ranking

# Far below any printed digit of a score, but above the differences of optimisers in tied scores.
_DECIMALS = 6


@dataclass(frozen=True)
class FitCheck:
    """How closely a ranking agrees with choix's fit to the same choices.

    Attributes
    ----------
    n : int
        Number of items with a score.
    alpha : float
        choix's penalty: half the ridge.
    rank_agreement : float
        Spearman's correlation of both scores within a connected group, the smallest over groups;
        NaN if no group has two different scores.
    largest : float
        Largest difference of a score, in log-odds.
    """

    n: int
    alpha: float
    rank_agreement: float
    largest: float

    @property
    def sentence(self) -> str:
        """The check in one line."""
        step = 10.0**-_DECIMALS
        far = f"below {step:.6f}" if self.largest < step else f"{self.largest:.1g}"
        undefined = math.isnan(self.rank_agreement)
        ranks = "not defined" if undefined else f"{self.rank_agreement:.3f}"
        return (
            f"Compared with the fit of choix (opt_pairwise, alpha = {self.alpha:g}) to the same "
            f"choices, the rank correlation of the scores of {self.n:,} items is {ranks} "
            f"and the largest difference of a score is {far}."
        )


def check_fit(
    judgments: pd.DataFrame,
    ranking: Ranking,
    *,
    ridge: float = 0.02,
    by: str | None = "scenario",
    tie: str | None = None,
) -> FitCheck:
    """Fit choix to the choices of a Bradley-Terry ranking and compare the scores.

    Parameters
    ----------
    judgments : DataFrame
        The judgments that were ranked.
    ranking : Ranking
        From `bradley_terry`, without a side advantage.
    ridge, by, tie
        The settings of the ranking.

    Returns
    -------
    FitCheck

    Notes
    -----
    Maystre, L. (2015-), choix. `opt_pairwise` penalises alpha * sum(s^2), so alpha is ridge / 2. It
    is fitted to each connected group separately; without a ridge, only to the items that have a
    score. It processes judgments one by one: 10,000 take about two seconds. It knows no ties, so
    where there are some, it is given every judgment twice and every tie once for each side, at
    twice the penalty.
    """
    import choix

    data = read_comparisons(judgments, by=by, cluster=None, tie=tie).in_halves()
    scored = ranking.frame[["scenario", "item_id", "component", "score"]].dropna()
    # a left merge keeps the order of the codes
    items = data.items.merge(scored, on=["scenario", "item_id"], how="left", validate="1:1")
    ours, theirs = items["score"].to_numpy(), np.full(len(items), np.nan)
    agreements = []
    for nodes in items.groupby("component").indices.values():
        place = np.full(len(items), -1)
        place[nodes] = np.arange(len(nodes))
        pairs = np.column_stack([place[data.winner], place[data.loser]])
        within = pairs[(pairs >= 0).all(axis=1)].tolist()
        alpha = ridge / 2 / data.weight
        score = choix.opt_pairwise(len(nodes), within, alpha=alpha, tol=1e-12)
        theirs[nodes] = score - score.mean()
        both = np.round([ours[nodes], theirs[nodes]], _DECIMALS)
        if (np.ptp(both, axis=1) > 0).all():
            agreements.append(float(spearmanr(*both).statistic))
    return FitCheck(
        n=len(scored),
        alpha=ridge / 2,
        rank_agreement=min(agreements, default=math.nan),
        largest=float(np.abs(ours - theirs)[~np.isnan(ours)].max(initial=0.0)),
    )
