"""The registered ranking of items, its reliability, and the raters who disagree."""

from __future__ import annotations

import numpy as np

from analysis.evidence.evidence import Evidence
from analysis.inference.families import SHOWN
from analysis.ranking.disattenuation import Measured, Reliability, scale_reliability
from analysis.ranking.draws import ScoreErrors
from analysis.ranking.figures import plot_rank_intervals, plot_rater_misfit
from analysis.ranking.misfit import RaterMisfit, rater_misfit
from analysis.ranking.rank_intervals import RankIntervals, rank_intervals
from analysis.ranking.win_probability import pairwise_probability
from analysis.registered.finding import Finding, drawn, stamp
from analysis.registered.tied_ranking import (
    about_ties,
    meaning_of_pairs,
    pairs_with_ties,
    scores_of,
)
from analysis.results.numbers import p_value, percent, with_interval
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.words import counted
from analysis.tables.columns import without_ties
from prereg.analyses.ranking import RankingAnalysis
from prereg.errors import RatifyError

# At most this many groups of items get a figure; the tables have all groups.
_MOST_FIGURES = 6

_PROMISE = {
    "average": "{level:.0%} of the items of a group have their true rank inside",
    "each": "each item has its true rank inside with at least {level:.0%} probability",
    "all": "with {level:.0%} probability all items of a group have their true rank inside",
}


def run_ranking(analysis: RankingAnalysis, evidence: Evidence) -> Finding:
    """Run a registered ranking.

    Parameters
    ----------
    analysis : RankingAnalysis
    evidence : Evidence
        `people`, or `judges[of].trials`, is used.

    Raises
    ------
    RatifyError
        As `score_errors`.
    """
    people = analysis.of == "people"
    choices = evidence.people if people else evidence.judges[analysis.of].trials
    if choices.empty:
        raise RatifyError(
            f"{analysis.of} answered 0 of {counted(len(evidence.people), 'trial')}, so it has no "
            "ranking"
        )
    # a judge is one rater: its errors are those of its judgments
    cluster = analysis.cluster if people else None
    ridge = evidence.plan.ranking.ridge
    errors = scores_of(choices, analysis, cluster=cluster, ridge=ridge)
    ranks = rank_intervals(
        errors,
        rng=evidence.rng(analysis.id),
        level=analysis.level,
        coverage=analysis.rank_coverage,
        resamples=analysis.resamples,
    )
    scale = _reliability(errors, analysis.level)
    ties, said = about_ties(analysis, evidence, errors, choices)
    finding = Finding(
        sentence=_sentence(analysis, evidence, ranks, scale) + said,
        quantities=[_reliability_quantity(analysis, evidence, errors, scale), *ties],
        tables=[_rank_table(analysis, evidence, errors, ranks), _pairs(analysis, evidence, errors)],
        figures=_rank_figures(analysis, evidence, ranks),
    )
    if not people:
        return finding
    # a tie chooses neither the item that the others rank higher nor the other one
    misfit = rater_misfit(
        without_ties(choices),
        ridge=ridge,
        alpha=analysis.misfit_alpha,
        correction=analysis.misfit_correction,
    )
    return Finding(
        sentence=f"{finding.sentence} {_about_raters(misfit, evidence)}",
        quantities=[*finding.quantities, _misfit_quantity(analysis, evidence, misfit)],
        tables=[*finding.tables, _misfit_table(analysis, evidence, misfit)],
        figures=[*finding.figures, _misfit_figure(analysis, evidence, misfit)],
    )


def _who(analysis: RankingAnalysis, evidence: Evidence) -> str:
    return evidence.raters_own if analysis.of == "people" else f"{analysis.of}'s"


def _reliability(errors: ScoreErrors, level: float) -> Reliability:
    frame = errors.to_frame()
    known = frame[frame["se"].notna() & frame["score"].notna()]
    score = Measured(
        score=known["score"].to_numpy(dtype=np.float64),
        variance=known["se"].to_numpy(dtype=np.float64) ** 2,
        group=known["component"].to_numpy(dtype=np.int64),
        reliability=None,
    )
    return scale_reliability(score, level=level)


def _sentence(
    analysis: RankingAnalysis, evidence: Evidence, ranks: RankIntervals, scale: Reliability
) -> str:
    frame = ranks.frame.dropna(subset=["rank_low"])
    text = f"{_who(analysis, evidence)} ranking of {counted(ranks.n_items, 'item')}"
    if np.isfinite(scale.estimate):
        text += (
            f" has a reliability of {_two_decimals(scale)}: about {percent(scale.estimate)} of the "
            "variance of the items' scores is difference between items, and the rest is error"
        )
    if frame.empty:
        return f"{text}; no item's rank has an interval."
    widths = frame["rank_high"] - frame["rank_low"] + 1
    if (widths >= frame["of"]).mean() >= 0.5:
        return (
            f"{text}. The ranking is not known: for most items, the interval of the rank covers "
            "every place."
        )
    width = float(widths.median())
    most = int(frame["of"].max())
    return f"{text}. The interval of an item's rank typically covers {width:.0f} of {most} places."


def _two_decimals(scale: Reliability) -> str:
    """Return a reliability as text; with two decimals if it has no interval."""
    places = 2 if np.isnan(scale.low) else None
    return with_interval(scale.estimate, scale.low, scale.high, decimals=places)


def _reliability_quantity(
    analysis: RankingAnalysis, evidence: Evidence, errors: ScoreErrors, scale: Reliability
) -> Quantity:
    frame = errors.ranking.frame
    without = int((frame["score"].isna() | ~errors.known).sum())
    note = ""
    if without:
        verb = "is" if without == 1 else "are"
        note = f"{counted(without, 'item')} without a score or its error {verb} left out."
    if not np.isfinite(scale.estimate):
        note = f"The errors are unknown or as large as the spread of the scores. {note}".strip()
    return Quantity(
        name="reliability",
        label=f"Reliability of {_who(analysis, evidence)[0].lower()}"
        f"{_who(analysis, evidence)[1:]} Bradley-Terry scores",
        estimate=scale.estimate,
        low=scale.low,
        high=scale.high,
        level=analysis.level,
        n=scale.n,
        unit_of_n="items",
        clusters=errors.n_clusters,
        method=f"1 - mean squared error / variance, jackknife over items; {errors.method}",
        unit="proportion",
        note=note,
        **stamp(analysis, evidence),
    )


def _rank_table(
    analysis: RankingAnalysis, evidence: Evidence, errors: ScoreErrors, ranks: RankIntervals
) -> ResultTable:
    frame = ranks.to_frame()
    frame.insert(4, "se", errors.se)
    promise = _PROMISE[analysis.rank_coverage].format(level=analysis.level)
    if analysis.penalty == "firth":
        for place, end in enumerate(("low", "high"), start=5):
            frame.insert(place, f"score_{end}", errors.ranking.frame[end])
        promise += "; score_low to score_high is a profile of the penalised likelihood"
    return ResultTable(
        name=f"{analysis.id}_ranks",
        title=f"{_who(analysis, evidence)} ranking: the ranks that each item may have",
        caption=f"Scores in log-odds; 1 is best, within connected items of a scenario; {promise}. "
        f"{counted(ranks.n_judgments, 'judgment')}, {counted(ranks.n_clusters, 'cluster')}. "
        f"{ranks.method}.",
        frame=frame,
        status=evidence.status,
        level=analysis.level,
    )


def _pairs(analysis: RankingAnalysis, evidence: Evidence, errors: ScoreErrors) -> ResultTable:
    pairs, which = None, "all pairs within a scenario"
    frame = errors.ranking.frame
    if analysis.pairs == "adjacent":
        scored = frame.dropna(subset=["score"])
        nxt = scored.groupby("component")["item_id"].shift(-1)
        pairs = scored[["scenario", "item_id"]].assign(other_id=nxt).dropna(subset=["other_id"])
        pairs = pairs.reset_index(drop=True)
        which = "neighbours in rank"
    found = pairwise_probability(errors, pairs, level=analysis.level)
    return ResultTable(
        name=f"{analysis.id}_pairs",
        title=f"Probability that one item is chosen over another: {which}",
        caption=f"Probability that item_id is chosen over other_id{meaning_of_pairs(errors)}; "
        f"{analysis.level:.0%} interval for each pair alone; p tests no difference and is not "
        f"corrected. {found.method}.",
        frame=pairs_with_ties(found.to_frame(), errors),
        status=evidence.status,
        level=analysis.level,
    )


def _about_raters(misfit: RaterMisfit, evidence: Evidence) -> str:
    who = "rater disagrees" if misfit.n_flagged == 1 else "raters disagree"
    if not misfit.slope > 0:
        return f"The choices of {evidence.raters} do not agree with each other."
    return (
        f"{misfit.n_flagged} of {misfit.n_raters} {who} with the others more than chance allows "
        f"({SHOWN[misfit.correction]}, {p_value(misfit.alpha)})."
    )


def _misfit_quantity(
    analysis: RankingAnalysis, evidence: Evidence, misfit: RaterMisfit
) -> Quantity:
    return Quantity(
        name="misfit",
        label=f"{evidence.raters.capitalize()} who disagree with the others",
        estimate=float(misfit.n_flagged) if misfit.slope > 0 else None,
        level=analysis.level,
        n=misfit.n_raters,
        unit_of_n="raters",
        clusters=misfit.n_raters,
        method=misfit.method,
        unit="raters",
        note="A count of tests, without an interval. Nobody was excluded because of it."
        if misfit.slope > 0
        else str(misfit.frame["note"].iloc[0]),
        **stamp(analysis, evidence),
    )


def _misfit_table(
    analysis: RankingAnalysis, evidence: Evidence, misfit: RaterMisfit
) -> ResultTable:
    return ResultTable(
        name=f"{analysis.id}_misfit",
        title="Who disagrees with everyone",
        caption="Share of a rater's judgments that went to the item the others rank higher, and "
        "the share expected of a typical rater; p is that of an honest rater, who may be less "
        f"consistent; worst first. {misfit.method}.",
        frame=misfit.to_frame(),
        status=evidence.status,
    )


def _rank_figures(
    analysis: RankingAnalysis, evidence: Evidence, ranks: RankIntervals
) -> list[ResultFigure]:
    frame = ranks.frame.dropna(subset=["rank"])
    large = frame[frame.groupby("component")["item_id"].transform("size") > 1]
    groups = list(large.groupby("component", sort=True))
    promise = _PROMISE[analysis.rank_coverage].format(level=analysis.level)
    figures = []
    for place, (_, part) in enumerate(groups[:_MOST_FIGURES], start=1):
        scenario = str(part["scenario"].iloc[0]).replace("_", " ") or "all items"
        best = part.sort_values(["rank", "item_id"])["item_id"].iloc[0]
        figures.append(
            drawn(
                evidence,
                plot_rank_intervals(part),
                name=f"{analysis.id}_ranks_{place}",
                title=f"{_who(analysis, evidence)} ranking with intervals of ranks: {scenario}",
                caption=f"Points are ranks of {counted(len(part), 'item')}, bars their intervals: "
                f"{promise}. A hollow point has no interval."
                + _left_out(len(groups) - _MOST_FIGURES),
                alt=f"Ranks of {counted(len(part), 'item')} of {scenario} with intervals; "
                f"{best} is first.",
            )
        )
    return figures


def _left_out(groups: int) -> str:
    return f" {groups} more groups are in the table." if groups > 0 else ""


def _misfit_figure(
    analysis: RankingAnalysis, evidence: Evidence, misfit: RaterMisfit
) -> ResultFigure:
    shown = misfit.frame.dropna(subset=["agreement", "expected"])
    return drawn(
        evidence,
        plot_rater_misfit(misfit.frame),
        name=f"{analysis.id}_misfit",
        title="Each rater's agreement with the others",
        caption=f"Each point is one of {len(shown)} raters: share of judgments that went to the "
        "item the others rank higher, against the share expected of a typical rater. "
        "Diamonds are raters who disagree more than chance allows. On the line both are equal.",
        alt=f"Observed against expected agreement of {len(shown)} raters; "
        f"{misfit.n_flagged} flagged.",
    )
