"""The figures of a study's report: what is drawn, under which title, with which words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.exclusions import RULE_WORDS
from analysis.evidence.figures import plot_flow
from analysis.evidence.judges import JudgeEvidence
from analysis.ranking.figures import plot_elo_by_decile, plot_rank_against_rank, plot_ranking
from analysis.registered.finding import drawn
from analysis.regression.figures import plot_selection_by_gap
from analysis.regression.fit import Regression, predicted_probability
from analysis.results.quantities import ResultFigure
from prereg.analyses.choices import RankCorrelation, SelectionByGap


def rank_figure(
    analysis: RankCorrelation,
    evidence: Evidence,
    people: pd.DataFrame,
    scores: pd.DataFrame,
    column: str,
    what: str,
) -> ResultFigure:
    """Draw the rank people gave against the rank by another score."""
    frame = people[["item_id", "scenario", "score"]].merge(
        scores[["item_id", column]], on="item_id", suffixes=("", "_other")
    )
    axes = plot_rank_against_rank(
        frame.rename(columns={"score": "human_score", column: "judge_score"}),
        x_label=f"Rank by {evidence.raters}",
        y_label=f"Rank by {what}",
    )
    return drawn(
        evidence,
        axes,
        status=evidence.status,
        name=f"{analysis.id}_ranks",
        title=f"{evidence.raters_own} rank against the rank by {what}",
        caption=f"Each point is a conversation ({len(frame)} in all), ranked within its scenario; "
        "1 is best. The line is equality.",
        alt=f"Scatter of ranks by {evidence.raters} and by {what}, a panel for each scenario.",
    )


def decile_figure(
    analysis: RankCorrelation, evidence: Evidence, judge: JudgeEvidence
) -> ResultFigure:
    """Draw a judge's Elo by decile of its own score."""
    axes = plot_elo_by_decile(judge.scores)
    return drawn(
        evidence,
        axes,
        status="exploratory",
        name=f"{analysis.id}_deciles",
        title=f"{judge.judge_id}'s Elo by decile of its own overall score",
        caption="Deciles are taken within scenario. Points are conversations, diamonds their mean "
        "with a 95% t interval. Two ways of asking one judge should tell one story.",
        alt=f"Elo of each conversation by the decile of {judge.judge_id}'s overall score.",
    )


def gap_figure(
    analysis: SelectionByGap,
    evidence: Evidence,
    trials: pd.DataFrame,
    rates: pd.DataFrame,
    fit: Regression | None,
) -> ResultFigure:
    """Draw how often the higher-scored side was chosen, with the registered logit where it fits.

    Parameters
    ----------
    trials : DataFrame
        The rows the logit was fitted on.
    rates : DataFrame
        From `selection_by_gap`.
    """
    curve = None
    if fit is not None and trials["gap"].min() < trials["gap"].max():
        grid = np.linspace(trials["gap"].min(), trials["gap"].max(), 60)
        curve = predicted_probability(fit, trials, "gap", grid)
    axes = plot_selection_by_gap(rates, curve)
    fitted_curve = (
        ""
        if curve is None or fit is None
        else (f" The curve is the registered logit ({fit.formula}).")
    )
    shares = [f"gap {r['bin']}: {r['rate']:.0%}" for r in rates.to_dict("records") if r["n"]]
    return drawn(
        evidence,
        axes,
        status=evidence.status,
        name=analysis.id,
        title=f"How often {evidence.raters} chose the judge's side, by the judge's gap",
        caption=f"Share of {int(rates['n'].sum()):,} judgments that chose the conversation "
        f"{analysis.judge} scored higher, with Wilson intervals.{fitted_curve}",
        alt=f"Share choosing the higher-scored side, by size of the gap: {'; '.join(shares)}.",
    )


def ranking_figure(evidence: Evidence) -> ResultFigure:
    """Draw people's ranking of the first scenario."""
    frame = evidence.ranked.frame
    shown = sorted(frame["scenario"].unique())[0]
    few = frame[frame["scenario"] == shown]
    axes = plot_ranking(few, unit=f"Score ({evidence.ranked.unit})")
    return drawn(
        evidence,
        axes,
        status="exploratory",
        name="ranking_people",
        title=f"How {evidence.raters} ranked the conversations: {shown.replace('_', ' ')}",
        caption=f"Bradley-Terry scores of {len(few)} conversations with 95% intervals, errors "
        "clustered by rater. A hollow point has no interval: the item never lost or never won. "
        + ("The other scenarios are in the table." if len(few) < len(frame) else ""),
        alt=f"Conversations of scenario {shown} from best to worst with intervals.",
    )


def flow_figure(evidence: Evidence) -> ResultFigure:
    """Draw how many came, how many left at each rule, and how many were analysed.

    The report shows the figure of this name with the exclusions.
    """
    axes = plot_flow(evidence.flow, visits=evidence.visits, withdrawn=evidence.withdrawn)
    rows = evidence.flow.to_dict("records")
    visits = [row for row in rows if row["unit"] == "sessions"]
    left = [
        f"{RULE_WORDS.get(row['rule'], row['rule']).lower()}: {row['excluded']:,}" for row in visits
    ]
    came = visits[0]["before"] if visits else sum(evidence.visits.values())
    stayed = visits[-1]["after"] if visits else came
    return drawn(
        evidence,
        axes,
        status=evidence.status,
        name="flow",
        title="Who came, who left and who was analysed",
        caption="Rules apply in the plan's order, each to what the one before it left. Boxes on "
        "the right show who left; a dashed box says what became of all visits, and excludes "
        "nobody.",
        alt=f"Of {came:,} visits {stayed:,} were analysed. "
        + (f"Left by rule: {'; '.join(left)}." if left else "No rule took any."),
    )
