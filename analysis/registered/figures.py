"""The figures of a study's report, with their titles and captions."""

from __future__ import annotations

from analysis.evidence.evidence import Evidence
from analysis.evidence.exclusions import RULE_WORDS
from analysis.evidence.figures import plot_flow
from analysis.ranking.figures import plot_ranking
from analysis.registered.finding import drawn
from analysis.results.quantities import ResultFigure


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
    """Draw how many visits there were, how many each rule excluded, and how many were analysed.

    The report shows the figure named `flow` with the exclusions.
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
        name="flow",
        title="Who came, who left and who was analysed",
        caption="Rules apply in the plan's order, each to those who remain after the rule before "
        "it. Boxes on the right show who left. A dashed box says how all visits ended; it excludes "
        "nobody.",
        alt=f"Of {came:,} visits {stayed:,} were analysed. "
        + (f"Excluded by rule: {'; '.join(left)}." if left else "No rule excluded any."),
    )
