"""The registered rank correlation: compares people's ranking of items with another score."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.evidence.evidence import Evidence
from analysis.evidence.judges import JudgeEvidence
from analysis.ranking import RankCorrelation as Found
from analysis.ranking import figures, rank_correlation
from analysis.ranking.bias_reduced import bias_reduced_errors
from analysis.ranking.disattenuation import Side
from analysis.ranking.draws import MOST_ITEMS, score_errors
from analysis.registered.finding import Finding, drawn, interval, stamp
from analysis.registered.judges_errors import with_errors
from analysis.registered.unanswered import require_ranked, require_scored
from analysis.results.numbers import with_interval
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.words import counted
from analysis.tables import columns
from analysis.tables.columns import TIE
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.errors import RatifyError


def run_rank_correlation(analysis: RankCorrelation, evidence: Evidence) -> Finding:
    """Correlate people's ranking with a judge's score, or with a column of the items.

    Parameters
    ----------
    analysis : RankCorrelation
    evidence : Evidence

    Returns
    -------
    Finding
        Spearman over all items, within scenario, and disattenuated; a table by scenario; figures.

    Raises
    ------
    RatifyError
        Where people ranked nothing, or the other score is not a number.
    """
    scores, column, what = _other_scores(analysis, evidence)
    unknown = "it is a column of the items"
    if analysis.judge is not None:
        scores, unknown = with_errors(analysis, evidence, scores)
    rng = evidence.rng(analysis.id)
    people, draws, caution = _peoples_scores(analysis, evidence, rng)
    found = rank_correlation(
        people,
        scores,
        y_score=column,
        y_se=f"{column}_se",
        x_draws=draws,
        bootstrap=analysis.resamples,
        level=analysis.level,
        rng=rng,
    )
    quantities = _quantities(analysis, evidence, found, what, unknown, caution)
    table = ResultTable(
        name=f"{analysis.id}_by_scenario",
        title=f"{evidence.raters_own} ranking and {what}, by scenario",
        caption="Spearman's correlation; interval through Fisher's z with the error of Bonett and "
        "Wright; n counts items.",
        frame=found.to_frame(),
        status=evidence.status,
        level=analysis.level,
    )
    sentence = (
        f"{evidence.raters_own} ranking and {what}, over {found.n} conversations: observed "
        f"Spearman {with_interval(found.estimate, *_ends(found))}, "
        f"{_corrected(evidence, found, what)}."
    )
    seen = people.dropna(subset=["score"])
    pictures = [_rank_figure(analysis, evidence, seen, scores, column, what)]
    if analysis.score == "elo" and analysis.judge is not None:
        pictures.append(_decile_figure(analysis, evidence, evidence.judges[analysis.judge]))
    return Finding(sentence=sentence, quantities=quantities, tables=[table], figures=pictures)


def _peoples_scores(
    analysis: RankCorrelation, evidence: Evidence, rng: np.random.Generator
) -> tuple[pd.DataFrame, FloatArray | None, str]:
    """Return people's scores, draws of the scores from other raters if possible, and a caution."""
    ranking = evidence.ranked
    if analysis.penalty == "firth":
        errors = bias_reduced_errors(evidence.people, tie=TIE)
        bare = int(errors.ranking.frame["note"].str.contains("because of the penalty").sum())
        return errors.to_frame(), errors.draws(analysis.draws, rng), _only_by(bare, "penalty")
    caution = _only_by(ranking.n_by_ridge, "ridge")
    largest = int(ranking.frame.groupby("component").size().max())
    if largest > MOST_ITEMS or ranking.n_clusters < 2:
        return ranking.to_frame(), None, caution
    errors = score_errors(evidence.people, ridge=evidence.plan.ranking.ridge, tie=TIE)
    return errors.to_frame(), errors.draws(analysis.draws, rng), caution


def _only_by(scores: int, what: str) -> str:
    if not scores:
        return ""
    verb = "is" if scores == 1 else "are"
    return f" {counted(scores, 'score')} {verb} finite only because of the {what}."


def _ends(found: Found) -> tuple[float, float]:
    """Return the reported interval, with both rankings' errors where these are known."""
    both = found.both_low, found.both_high
    return (found.low, found.high) if math.isnan(sum(both)) else both


def _quantities(
    analysis: RankCorrelation,
    evidence: Evidence,
    found: Found,
    what: str,
    unknown: str,
    caution: str,
) -> list[Quantity]:
    common: dict[str, Any] = {
        "n": found.n,
        "unit_of_n": "items",
        "unit": "correlation",
        "level": found.level,
        **stamp(analysis, evidence),
    }
    low, high = _ends(found)
    who = f"{evidence.raters_own} Bradley-Terry score and {what}"
    alone = f"With the error of items only {interval(found.low, found.high)}, "
    carried = (low, high) != (found.low, found.high)
    return [
        Quantity(
            name="spearman",
            label=f"{who}, all items, as observed",
            estimate=found.estimate,
            low=low,
            high=high,
            p_value=found.p_value,
            method="Spearman; interval through Fisher's z, carrying the raters' errors"
            if carried
            else "Spearman, Fisher's z with the error of Bonett and Wright",
            note=(alone if carried else "The interval has the error of items, not of raters; ")
            + f"bootstrap over items {interval(found.boot_low, found.boot_high)}."
            + caution
            + _about_scores(evidence, found.n_unmatched),
            **common,
        ),
        Quantity(
            name="spearman_within",
            label=f"{who}, within scenario",
            estimate=found.within,
            low=found.within_low,
            high=found.within_high,
            method="Spearman by scenario, mean through Fisher's z",
            **common,
        ),
        Quantity(
            name="spearman_disattenuated",
            label=f"{who}, {_treatment(evidence, found, what)}",
            estimate=found.disattenuated,
            low=found.disattenuated_low,
            high=found.disattenuated_high,
            method="Spearman divided by the root of the reliabilities, jackknife over items",
            note=_about_error(evidence, found, what, unknown),
            **common,
        ),
    ]


def _sides(evidence: Evidence, found: Found, what: str) -> dict[str, Side]:
    """Return what is known of the error of people's scores and of the other score, by its name."""
    assert found.x_side is not None
    assert found.y_side is not None
    return {f"{evidence.raters_own.lower()} scores": found.x_side, what: found.y_side}


def _treatment(evidence: Evidence, found: Found, what: str) -> str:
    """Return in a few words whose errors are corrected for, or why none are."""
    sides = _sides(evidence, found, what)
    noise = [name for name, side in sides.items() if side.error == "unreliable"]
    if noise:
        whose = " and ".join(noise)
        return f"not corrected: the reliability of {whose} is not shown to be above 0"
    corrected = [name for name, side in sides.items() if side.error == "corrected"]
    if not corrected:
        return "not corrected: the error of neither score is known"
    if len(corrected) == 2:
        return "corrected for both scores' errors"
    return f"corrected for the error of {corrected[0]} only"


def _corrected(evidence: Evidence, found: Found, what: str) -> str:
    """Return the corrected correlation after the words for which it is, or why there is none."""
    said = _treatment(evidence, found, what)
    if math.isnan(found.disattenuated):
        return said
    ends = found.disattenuated, found.disattenuated_low, found.disattenuated_high
    return f"{said} {with_interval(*ends)}"


def _about_error(evidence: Evidence, found: Found, what: str, unknown: str) -> str:
    """Return the reliabilities, whose error counts as none and why, and cautions."""
    said = []
    for name, side in _sides(evidence, found, what).items():
        scale = side.scale
        if side.error == "free":
            why = f": {unknown}" if name == what and unknown else ""
            said.append(f"The error of {name} is unknown and counts as none{why}.")
        elif math.isnan(scale.estimate):
            said.append(f"The errors of {name} are as large as their spread.")
        else:
            value = with_interval(scale.estimate, scale.low, scale.high, decimals=2)
            said.append(f"Reliability of {name}: {value} over {counted(scale.n, 'item')}.")
    treatment = _treatment(evidence, found, what)
    if math.isnan(found.disattenuated):
        said.insert(0, f"{treatment[0].upper()}{treatment[1:]}.")
    elif math.isnan(found.disattenuated_low):
        said.append("No interval: too few items, or a perfect order.")
    if found.disattenuated > 1:
        said.append("Above 1: the scores agree better than their reliability allows.")
    return " ".join(said)


def _about_scores(evidence: Evidence, unmatched: int) -> str:
    """Return cautions about the scores that were correlated; empty if there are none."""
    ranking = evidence.ranked
    said = ""
    if ranking.n_apart:
        said += f" {ranking.n_apart} items are in groups that were never compared with each other."
    if unmatched:
        verb = "lacks" if unmatched == 1 else "lack"
        said += f" {counted(unmatched, 'item')} {verb} one of the two scores."
    return said


def _other_scores(analysis: RankCorrelation, evidence: Evidence) -> tuple[pd.DataFrame, str, str]:
    """Return the scores to compare people's scores with, their column, and their name in words."""
    if analysis.column is not None:
        if analysis.column not in evidence.items:
            shown = ", ".join(evidence.items.columns)
            raise RatifyError(f"items.csv has no column '{analysis.column}'", allowed=shown)
        values = columns.numbers(evidence.items, analysis.column)
        scores = evidence.items.assign(**{analysis.column: values})
        return scores, analysis.column, f"the items' {analysis.column.replace('_', ' ')}"
    assert analysis.judge is not None
    assert analysis.score is not None
    if analysis.score == "overall":
        require_scored(analysis.judge, evidence)
    else:
        require_ranked(analysis.judge, evidence)
    word = {"elo": "Elo", "bradley_terry": "Bradley-Terry score", "overall": "overall score"}[
        analysis.score
    ]
    return evidence.judges[analysis.judge].scores, analysis.score, f"{analysis.judge}'s {word}"


def _rank_figure(
    analysis: RankCorrelation,
    evidence: Evidence,
    people: pd.DataFrame,
    scores: pd.DataFrame,
    column: str,
    what: str,
) -> ResultFigure:
    own = people[["item_id", "scenario", "score"]].rename(columns={"score": "human_score"})
    other = scores[["item_id", column]].rename(columns={column: "judge_score"})
    frame = own.merge(other, on="item_id").dropna()
    axes = figures.plot_rank_against_rank(
        frame, x_label=f"Rank by {evidence.raters}", y_label=f"Rank by {what}"
    )
    points = len(frame)
    return drawn(
        evidence,
        axes,
        name=f"{analysis.id}_ranks",
        title=f"{evidence.raters_own} rank and the rank by {what}",
        caption=f"Each point is one of {counted(points, 'conversation')}, ranked within its "
        f"scenario; 1 is best. On the line both ranks are equal.{_not_drawn(evidence, points)}",
        alt=f"Scatter of ranks by {evidence.raters} and by {what}, one panel per scenario.",
    )


def _not_drawn(evidence: Evidence, points: int) -> str:
    """Return the sentence on the items that a figure of two scores leaves out, if there are any."""
    left = len(evidence.items) - points
    if not left:
        return ""
    verb = "is" if left == 1 else "are"
    return (
        f" {counted(left, 'more conversation')} {verb} not drawn: one of the two scores is missing."
    )


def _decile_figure(
    analysis: RankCorrelation, evidence: Evidence, judge: JudgeEvidence
) -> ResultFigure:
    axes = figures.plot_elo_by_decile(judge.scores)
    return drawn(
        evidence,
        axes,
        status="exploratory",
        name=f"{analysis.id}_deciles",
        title=f"{judge.judge_id}'s Elo by decile of its own overall score",
        caption="Deciles are within scenario. Points are conversations, diamonds their mean with "
        "a 95% t interval. The two ways of asking one judge should agree.",
        alt=f"Elo of each conversation by the decile of {judge.judge_id}'s overall score.",
    )
