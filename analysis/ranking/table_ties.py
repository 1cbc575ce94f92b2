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
from analysis.results.words import counted
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
        How many ties there are, and what they are; that there are none, if a choice of `ties`
        has nothing to do.

    Raises
    ------
    RatifyError
        As `bradley_terry` and `rank_with_ties`, and where every judgment is a tie to be dropped.
    """

    def scored(rows: pd.DataFrame, tie: str | None = None, *, errors: bool = True) -> Ranking:
        if penalty == "firth":
            return bias_reduced(rows, by=by, cluster=cluster, tie=tie)
        return bradley_terry(
            rows, by=by, cluster=cluster, tie=tie, side_advantage=side_advantage, errors=errors
        )

    n = int(columns.is_tie(judgments).sum())
    if not n:
        return judgments, scored(judgments), _without_ties(ties)
    said = f"{n:,} of {counted(len(judgments), 'judgment')} {'is a tie' if n == 1 else 'are ties'}"
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
        stretched = _stretched(scored(judgments, TIE, errors=False), ranking, penalty)
        return kept, ranking, [f"{said} and {'is' if n == 1 else 'are'} dropped{stretched}"]
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


def _without_ties(ties: Ties) -> list[str]:
    """Return what the ranking is where a tie was to be something and there is none."""
    if ties in MODELS:
        return [
            f"no judgment is a tie, so --ties {ties} fits no parameter for ties: without ties the "
            "model is Bradley-Terry"
        ]
    return ["no judgment is a tie, so --ties drop leaves none out"] if ties == "drop" else []


def _equals(tied: TiedRanking) -> str:
    return f"{tied.tie_of_equals:.1%} of comparisons"


def _stretched(halves: Ranking, dropped: Ranking, penalty: Penalty) -> str:
    """Return by how much the scores are further apart than with half wins, in words.

    Both rankings are of one model, so that only the ties differ.
    """
    if not (halves.strongly_connected and dropped.strongly_connected):
        finite = "Firth's penalty" if penalty == "firth" else "the ridge"
        return (
            f". By how much that stretches the scores is not said, because some are finite only by "
            f"{finite}"
        )
    key = ["scenario", "item_id"]
    both = halves.frame[[*key, "component", "score"]].merge(
        dropped.frame[[*key, "score"]], on=key, suffixes=("_half", "_whole")
    )
    both = both.dropna()
    scores = both[["score_half", "score_whole"]]
    apart = scores - scores.groupby(both["component"]).transform("mean")
    half, whole = np.sqrt((apart**2).mean())
    if not (half > 0 and np.isfinite(whole)):
        return ""
    most = both.sort_values("score_half", ascending=False).iloc[0]
    return (
        f": the scores spread {whole / half:.2f} times as far as with half a win for each item "
        f"(that of {most['item_id']} is {most['score_whole']:z.3f} instead of "
        f"{most['score_half']:z.3f})"
    )
