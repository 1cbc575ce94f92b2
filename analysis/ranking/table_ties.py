"""Ranks a table's judgments by one of the things that a tie may be, and says what that does."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from analysis.ranking.bias_reduced import bias_reduced
from analysis.ranking.bradley_terry import bradley_terry
from analysis.ranking.result import Ranking
from analysis.ranking.tie_models import MODELS
from analysis.ranking.ties import TiedRanking, rank_with_ties
from analysis.tables import columns
from analysis.tables.columns import TIE
from prereg.analyses.base import Penalty

Ties = Literal["half", "davidson", "rao_kupper", "drop"]
TIES: tuple[str, ...] = get_args(Ties)


def ranked_with(
    judgments: pd.DataFrame,
    ties: Ties,
    *,
    by: str | None,
    cluster: str | None,
    penalty: Penalty = "ridge",
    side_advantage: bool = False,
) -> tuple[pd.DataFrame, Ranking, list[str]]:
    """Rank judgments of which some are ties.

    Parameters
    ----------
    judgments : DataFrame
        `choice` is left, right or tie.
    ties : {'half', 'davidson', 'rao_kupper', 'drop'}
    by, cluster, side_advantage
        As in `bradley_terry`.
    penalty : {'ridge', 'firth'}
        'firth': scores of `bias_reduced`, without a side advantage or a model of ties.

    Returns
    -------
    judgments : DataFrame
        Those that were ranked.
    ranking : Ranking
    notes : list of str
        How many ties there are, and what they are; empty if there are none.

    Raises
    ------
    RatifyError
        As `bradley_terry` and `rank_with_ties`, and where every judgment is a tie to be dropped.
    """

    def scored(rows: pd.DataFrame, tie: str | None = None) -> Ranking:
        if penalty == "firth":
            return bias_reduced(rows, by=by, cluster=cluster, tie=tie)
        return bradley_terry(rows, by=by, cluster=cluster, tie=tie, side_advantage=side_advantage)

    n = int(columns.is_tie(judgments).sum())
    if not n:
        return judgments, scored(judgments), []
    said = f"{n:,} of {len(judgments):,} judgments are ties"
    if ties == "half":
        return (
            judgments,
            scored(judgments, TIE),
            [f"{said}: half a win for each item (--ties half)"],
        )
    if ties == "drop":
        kept = columns.without_ties(judgments)
        columns.require_rows(kept, "judgments other than ties")
        ranking = scored(kept)
        return kept, ranking, [f"{said} and are dropped{_stretched(judgments, ranking, by)}"]
    tied = rank_with_ties(
        judgments, model=ties, by=by, cluster=cluster, side_advantage=side_advantage
    )
    ends = tied.tie_of_equals_low, tied.tie_of_equals_high
    interval = f" [{ends[0]:.1%}, {ends[1]:.1%}]" if np.isfinite(ends).all() else ""
    return (
        judgments,
        tied,
        [f"{said}: by {MODELS[ties].source}, two equal items tie in {_equals(tied)}{interval}"],
    )


def _equals(tied: TiedRanking) -> str:
    return f"{tied.tie_of_equals:.1%} of comparisons"


def _stretched(judgments: pd.DataFrame, dropped: Ranking, by: str | None) -> str:
    """Return by how much the scores are further apart than with half wins, in words."""
    halves = bradley_terry(judgments, by=by, errors=False, tie=TIE).frame
    key = ["scenario", "item_id"]
    both = halves[[*key, "component", "score"]].merge(dropped.frame[[*key, "score"]], on=key)
    both = both.dropna()
    apart = both[["score_x", "score_y"]] - both.groupby("component")[
        ["score_x", "score_y"]
    ].transform("mean")
    half, whole = (float(np.sqrt((apart[name] ** 2).mean())) for name in ("score_x", "score_y"))
    if not (half > 0 and np.isfinite(whole)):
        return ""
    most = both.sort_values("score_x", ascending=False).iloc[0]
    return (
        f": their spread becomes {whole / half:.2f} times that with half wins "
        f"({most['item_id']} {most['score_x']:.3f} becomes {most['score_y']:.3f})"
    )
