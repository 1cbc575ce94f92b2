"""The part of a study's report on people's ranking of the items, whatever the plan registers."""

from __future__ import annotations

from typing import Any

from analysis.evidence.evidence import Evidence
from analysis.ranking import bradley_terry
from analysis.ranking.table_side import UNBOUNDED, both_ways, is_bounded
from analysis.registered.figures import ranking_figure
from analysis.registered.finding import Finding
from analysis.results.quantities import Quantity, ResultTable
from analysis.results.words import counted
from analysis.tables.columns import TIE
from prereg.errors import RatifyError


def people_finding(evidence: Evidence) -> Finding:
    """Return how people ranked the items, with the reliability and the advantage of a side."""
    if evidence.ranking is None:
        return Finding()
    ranking = evidence.ranking
    common: dict[str, Any] = {
        "analysis": "people",
        "n": ranking.n_judgments,
        "unit_of_n": "judgments",
        "clusters": ranking.n_clusters,
    }
    frame = ranking.frame
    bare = int((frame["score"].notna() & frame["se"].isna()).sum())
    verbs = "has no standard error and is" if bare == 1 else "have no standard error and are"
    left_out = f"{bare} of {counted(len(frame), 'item')} {verbs} left out."
    quantities = [
        Quantity(
            name="reliability",
            label=f"Reliability of {evidence.raters_own.lower()} ranking",
            estimate=ranking.reliability,
            method="1 - mean(se²) / var(score), rater-clustered errors",
            unit="proportion of variance",
            note=left_out if bare else "",
            **common,
        ),
        _left_side(evidence, common),
    ]
    tables = [_ranking_table("people", f"{evidence.raters_own} ranking (Bradley-Terry)", evidence)]
    tables += [
        _ranking_table(judge_id, f"{judge_id}'s ranking", evidence)
        for judge_id, judge in evidence.judges.items()
        if judge.ranking is not None
    ]
    return Finding(quantities=quantities, tables=tables, figures=[ranking_figure(evidence)])


def _left_side(evidence: Evidence, common: dict[str, Any]) -> Quantity:
    """Return the advantage of the left side; it is not finite if a side always wins."""
    people = evidence.people
    by = "scenario" if "scenario" in people else None
    common |= {"name": "left_side", "label": "Advantage of the left side", "unit": "log-odds"}
    leaning, why = None, f"{UNBOUNDED[0].upper()}{UNBOUNDED[1:]}."
    try:
        leaning = bradley_terry(
            people, ridge=evidence.plan.ranking.ridge, side_advantage=True, tie=TIE
        )
    except RatifyError as error:
        why = f"{error}."
    if leaning is None or not is_bounded(people, by=by):
        method = "Bradley-Terry with a side advantage"
        return Quantity(estimate=None, method=method, note=why, **common)
    return Quantity(
        estimate=leaning.side_advantage,
        se=leaning.side_advantage_se,
        low=leaning.side_advantage_low,
        high=leaning.side_advantage_high,
        method=leaning.method,
        note=f"{both_ways(people, by=by)[0]}.",
        **common,
    )


def _ranking_table(who: str, title: str, evidence: Evidence) -> ResultTable:
    ranking = evidence.ranked if who == "people" else evidence.judges[who].ranking
    assert ranking is not None
    return ResultTable(
        name=f"ranking_{who}",
        title=title,
        caption=f"{ranking.method}; score in {ranking.unit}; "
        f"{counted(ranking.n_judgments, 'judgment')}. "
        "Rank 1 is best within its scenario.",
        frame=ranking.to_frame(),
    )
