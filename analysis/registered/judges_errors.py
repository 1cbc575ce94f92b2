"""The errors of a judge's own scores, as far as its answers show them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.ranking.draws import MOST_ITEMS, score_errors
from analysis.ranking.elo import elo_errors
from prereg.analyses.rank_correlation import RankCorrelation

# Where earlier answers choose the next pair, errors are right only with so many answers an item.
FEWEST_IF_CHOSEN = 60
# Resamples of a judge's pairs, and the most answers that they hold together.
_RESAMPLES = 100
_MOST_ANSWERS = 20_000_000


def with_errors(
    analysis: RankCorrelation, evidence: Evidence, scores: pd.DataFrame
) -> tuple[pd.DataFrame, str]:
    """Add the standard errors of a judge's scores, and say why there are none.

    Parameters
    ----------
    analysis : RankCorrelation
        With a judge and a score.
    evidence : Evidence
    scores : DataFrame
        The judge's: `item_id` and the score.

    Returns
    -------
    scores : DataFrame
        With `elo_se` or `bradley_terry_se`, missing where unknown.
    why : str
        Why the error of all scores is unknown; empty where it is known.

    Notes
    -----
    Elo's errors are from resampled pairs, Bradley-Terry's from the sandwich over pairs: a judge
    that is asked a pair twice may repeat itself. An overall score is given once an item, so its
    answers show no error.
    """
    column = f"{analysis.score}_se"
    scores = scores.assign(**{column: np.nan})
    if analysis.score == "overall":
        return scores, "it was given once an item"
    assert analysis.judge is not None
    pairs = evidence.judges[analysis.judge].pairs
    if pairs.empty:
        return scores, "the choices behind it are not known"
    each = 2 * len(pairs) / len(set(pairs["left_id"]) | set(pairs["right_id"]))
    if each < FEWEST_IF_CHOSEN and not _at_random(analysis.judge, evidence):
        return scores, (
            f"earlier answers chose its pairs, and {each:.0f} answers an item are fewer than "
            f"{FEWEST_IF_CHOSEN}"
        )
    found = _of_elo if analysis.score == "elo" else _of_bradley_terry
    errors = found(analysis, evidence, pairs)
    if errors is None:
        return scores, f"more than {MOST_ITEMS:,} items are connected"
    column_of = errors.rename(columns={"se": column})[["item_id", column]]
    return scores.drop(columns=column).merge(column_of, on="item_id", how="left"), ""


def _at_random(judge_id: str, evidence: Evidence) -> bool:
    """Return whether no earlier answer chose a pair, as far as the plan says."""
    if evidence.plan.measures is None:
        return True  # the judge picked in people's own sets
    sampling = evidence.plan.judge(judge_id).pairs
    return sampling is not None and sampling.scheme == "random"


def _of_elo(analysis: RankCorrelation, evidence: Evidence, pairs: pd.DataFrame) -> pd.DataFrame:
    settings = evidence.plan.ranking.elo
    return elo_errors(
        pairs,
        start=settings.start,
        k=settings.k,
        resamples=max(20, min(_RESAMPLES, _MOST_ANSWERS // len(pairs))),
        rng=evidence.rng(f"{analysis.id}: errors of the judge"),
    )


def _of_bradley_terry(
    analysis: RankCorrelation, evidence: Evidence, pairs: pd.DataFrame
) -> pd.DataFrame | None:
    ranked = evidence.judges[str(analysis.judge)].scores.dropna(subset=["bradley_terry"])
    if ranked.groupby("scenario").size().max() > MOST_ITEMS:
        return None
    if "trial_id" in pairs:
        cluster = pairs["trial_id"]
    else:
        both = pairs[["left_id", "right_id"]].astype(str)
        cluster = both.min(axis=1) + "\n" + both.max(axis=1)
    asked = pairs.assign(asked_pair=cluster)
    errors = score_errors(asked, cluster="asked_pair", ridge=evidence.plan.ranking.ridge)
    return errors.to_frame()
