"""What a registered ranking does with ties, by the plan's `tie_model`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.ranking.bias_reduced import bias_reduced_errors
from analysis.ranking.draws import ScoreErrors, score_errors
from analysis.ranking.tie_models import MODELS
from analysis.ranking.ties import TiedRanking, score_errors_with_ties
from analysis.registered.finding import stamp
from analysis.results.numbers import with_interval
from analysis.results.quantities import Quantity
from analysis.results.words import counted
from analysis.tables.columns import TIE, is_tie
from prereg.analyses.ranking import RankingAnalysis


def scores_of(
    choices: pd.DataFrame, analysis: RankingAnalysis, *, cluster: str | None, ridge: float
) -> ScoreErrors:
    """Return scores with their joint errors; where nothing tied, every model is Bradley-Terry."""
    if analysis.penalty == "firth":
        return bias_reduced_errors(choices, cluster=cluster, level=analysis.level, tie=TIE)
    if analysis.tie_model == "half" or not is_tie(choices).any():
        return score_errors(choices, cluster=cluster, ridge=ridge, level=analysis.level, tie=TIE)
    return score_errors_with_ties(
        choices, model=analysis.tie_model, cluster=cluster, ridge=ridge, level=analysis.level
    )


def about_ties(
    analysis: RankingAnalysis, evidence: Evidence, errors: ScoreErrors, choices: pd.DataFrame
) -> tuple[list[Quantity], str]:
    """Return how often equal items tie, if the plan's model has it, and a sentence on ties.

    The sentence begins with a space; it is empty if nothing tied and ties have no model.
    """
    n, ranking = int(is_tie(choices).sum()), errors.ranking
    are = "is a tie" if n == 1 else "are ties"
    said = f" {n:,} of {counted(len(choices), 'judgment')} {are}"
    if analysis.tie_model == "half":
        return [], f"{said}: half a win for each item." if n else ""
    model = MODELS[analysis.tie_model]
    tied = ranking if isinstance(ranking, TiedRanking) else None
    quantity = Quantity(
        name="ties",
        label="Two items with equal scores tie",
        estimate=None if tied is None else tied.tie_of_equals,
        low=None if tied is None else tied.tie_of_equals_low,
        high=None if tied is None else tied.tie_of_equals_high,
        level=analysis.level,
        n=len(choices),
        unit_of_n="judgments",
        clusters=errors.n_clusters,
        method=f"{model.source}; {errors.method}",
        unit="proportion",
        note=f"{counted(n, 'judgment')} {are}."
        + ("" if tied is not None else " Nothing tied, so the scores are Bradley-Terry's."),
        **stamp(analysis, evidence),
    )
    if tied is None:
        return [quantity], f"{said}."
    ends = (tied.tie_of_equals, tied.tie_of_equals_low, tied.tie_of_equals_high)
    return [quantity], (
        f"{said}; by {model.name}'s model two equal items tie in "
        f"{with_interval(*ends, percent=True)} of comparisons."
    )


def meaning_of_pairs(errors: ScoreErrors) -> str:
    """Return what a probability of a pair is where ties exist, to follow its name."""
    if isinstance(errors.ranking, TiedRanking):
        return " where one of the two is chosen, with the room for ties as estimated"
    return ", a tie counted as half" if "half a win" in errors.method else ""


def pairs_with_ties(pairs: pd.DataFrame, errors: ScoreErrors) -> pd.DataFrame:
    """Return probabilities of pairs among decided comparisons, and of a tie, by the model."""
    ranking = errors.ranking
    if not isinstance(ranking, TiedRanking):
        return pairs
    model = next(one for one in MODELS.values() if ranking.method.startswith(one.name))
    lead = pairs["difference"].to_numpy(dtype=np.float64)
    found = pairs.assign(p_tie=model.chances(lead, ranking.tie)[2])
    for name in ("probability", "low", "high"):
        share = pairs[name].to_numpy(dtype=np.float64)
        with np.errstate(divide="ignore"):
            at = np.log(share) - np.log1p(-share)
        won, lost, _ = model.chances(at, ranking.tie)
        found[name] = won / (won + lost)
    return found
