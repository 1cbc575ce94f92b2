"""How much of what it was asked a judge has answered: beside every registered number about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis.agreement.choices import ChoiceAgreement as Found
from analysis.agreement.choices import answered_of
from analysis.evidence.evidence import Evidence
from analysis.registered.finding import stamp
from analysis.registered.unanswered import asked_for_ranking, ranking_requests
from analysis.results.coverage import CHOSEN, SCORED, coverage_label, unit_of
from analysis.results.quantities import Quantity
from prereg.analyses.agreement import ALL, Agreement
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.choices import ChoiceAgreement, Logit
from prereg.analyses.facets import ManyFacet
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.kinds.registry import kind_of
from prereg.plan.table_judge import TableJudge

Counted = tuple[int, int]


def coverage_of_analysis(analysis: AnyAnalysis, evidence: Evidence) -> list[Quantity]:
    """Return the coverage of every judge that a registered analysis is about."""
    if isinstance(analysis, ChoiceAgreement):
        counted = {
            f"{judge}: coverage": (judge, _trials(evidence, judge), _choices(evidence))
            for judge in analysis.judges
        }
    elif isinstance(analysis, Agreement | ManyFacet):
        counted = {
            f"{judge}: coverage {dimension}": (judge, found, "ratings")
            for judge in analysis.judges
            for dimension, found in _rated(evidence, analysis, judge).items()
        }
    else:
        judge = analysis.about(evidence.plan)
        if judge is None or judge not in evidence.judges:
            return []
        found, what = _behind(analysis, evidence, judge)
        counted = {"coverage": (judge, found, what)}
    return [_quantity(name, *one, **stamp(analysis, evidence)) for name, one in counted.items()]


def coverage_of_judges(evidence: Evidence) -> list[Quantity]:
    """Return how many of people's trials, of the ratings and of its own pairs each judge answered.

    The quantities are of no registered analysis, and belong to `requests`.
    """
    found = []
    for judge in evidence.judges:
        compares = kind_of(evidence.plan).compares
        parts = {_choices(evidence): _trials(evidence, judge)} if compares else {}
        dimensions = [rated.id for rated in evidence.plan.rated]
        if not evidence.judge_ratings.empty and dimensions:
            parts["ratings"] = _cells(evidence, judge, _items(evidence), dimensions)
        if (
            evidence.plan.judge(judge).pairs is not None
            or evidence.judges[judge].ranking is not None
        ):
            parts["pairs"] = _pairs(evidence, judge)
        found += [
            _quantity(
                f"{judge}: {unit_of(what)} answered", judge, counts, what, analysis="requests"
            )
            for what, counts in parts.items()
            if counts[1]
        ]
    return found


def bounds(found: Found, judge: str, common: dict[str, Any]) -> Iterator[Quantity]:
    """Yield what agreement and kappa would be if all that a judge left out were wrong, or right."""
    if found.n == found.n_asked:
        return
    for what, worst, best, unit in (
        ("agreement", found.worst, found.best, "proportion"),
        ("kappa", found.kappa_worst, found.kappa_best, "kappa"),
    ):
        for word, value in (("wrong", worst), ("right", best)):
            yield Quantity(
                name=f"{judge}: {what}, unanswered {word}",
                label=f"{judge}: {what} if all that it did not answer were {word}",
                estimate=value,
                method="bound: choices without an answer of the judge are filled in",
                unit=unit,
                **{**common, "n": found.n_asked, "note": ""},
            )


def _quantity(name: str, judge: str, counted: Counted, what: str, **stamped: Any) -> Quantity:
    answered, asked = counted
    return Quantity(
        name=name,
        label=coverage_label(what, judge),
        estimate=answered / asked if asked else float("nan"),
        n=asked,
        unit_of_n=unit_of(what),
        method=f"{what} / trials" if what in {CHOSEN, SCORED} else "answered / asked",
        unit="proportion",
        note=_note(answered, asked, what),
        **stamped,
    )


def _note(answered: int, asked: int, what: str) -> str:
    """Return the counts behind a share, if it is not all."""
    if answered == asked:
        return ""
    counts = f"{answered:,} of {asked:,}."
    if what == CHOSEN:
        return f"Chose a side in {counts} Equal scores, or no clear answer, are no choice."
    if what == SCORED:
        tied = "Equal scores count here: they are a gap of 0, with no higher side."
        return f"Scored both items in {counts} {tied}"
    return f"Answered {counts}"


def _choices(evidence: Evidence) -> str:
    """Return what a judge's answers to people's trials are called."""
    # where ties are offered, an answer need not choose a side
    sides = kind_of(evidence.plan).asks_pairs and not evidence.plan.design.offers_ties
    return CHOSEN if sides else "trials"


def _trials(evidence: Evidence, judge: str) -> Counted:
    """Return how many of people's choices are on trials that a judge decided."""
    return answered_of(evidence.people, evidence.judges[judge].trials)


def _rated(evidence: Evidence, analysis: Agreement | ManyFacet, judge: str) -> dict[str, Counted]:
    """Return how many of the items that people rated a judge rated, by dimension and over all."""
    people = evidence.ratings
    dimensions = list(analysis.dimensions or sorted(set(people["dimension"])))
    found = {
        name: _cells(
            evidence, judge, set(people.loc[people["dimension"] == name, "item_id"]), [name]
        )
        for name in dimensions
    }
    answered, asked = (sum(each) for each in zip(*found.values(), strict=True))
    return {ALL: (answered, asked), **found}


def _cells(evidence: Evidence, judge: str, items: set[str], dimensions: list[str]) -> Counted:
    """Return how many items and dimensions a judge scored."""
    ratings = evidence.judge_ratings
    mine = ratings[(ratings["rater_id"] == judge) & ratings["value"].notna()]
    if "overall" in set(mine["dimension"]) and "overall" not in dimensions:
        dimensions = ["overall"]  # one score per item stands for all of them
    mine = mine[mine["item_id"].isin(items) & mine["dimension"].isin(dimensions)]
    return len(mine.drop_duplicates(["item_id", "dimension"])), len(items) * len(dimensions)


def _items(evidence: Evidence) -> set[str]:
    if kind_of(evidence.plan).compares:
        return set(evidence.items["item_id"])
    return set(evidence.answers["item_id"])


def _pairs(evidence: Evidence, judge: str) -> Counted:
    """Return how many of the pairs for a judge's own ranking it answered."""
    ranking = evidence.judges[judge].ranking
    if ranking is None:
        return 0, asked_for_ranking(judge, evidence)
    answered = int(ranking.n_judgments)
    drawn = evidence.judges[judge].drawn
    if drawn is not None:
        return answered, drawn
    lacking = ranking_requests(judge, evidence).count("unanswered")
    return answered, answered + lacking


def _behind(analysis: AnyAnalysis, evidence: Evidence, judge: str) -> tuple[Counted, str]:
    """Return how much of what an analysis uses of a judge the judge has answered."""
    scores = evidence.judges[judge].scores
    if analysis.kind == "ranking":
        return _trials(evidence, judge), _choices(evidence)
    by_pairs = isinstance(analysis, RankCorrelation) and analysis.score != "overall"
    by_pairs |= isinstance(analysis, Logit) and analysis.formula.startswith("select_match")
    if by_pairs and evidence.plan.measures is not None:
        found = [(_pairs(evidence, judge), "pairs")]
        if isinstance(mine := evidence.plan.judge(judge), TableJudge) and mine.judgments:
            # no plan says which pairs such a table must hold, so items without any count too
            found.append(_with_score(analysis, evidence, scores, "elo"))
        return min(found, key=lambda one: one[0][0] / one[0][1] if one[0][1] else 0.0)
    if isinstance(analysis, RankCorrelation):
        return _with_score(analysis, evidence, scores, str(analysis.score))
    if "overall" not in scores:
        return _cells(
            evidence, judge, _items(evidence), [r.id for r in evidence.plan.rated]
        ), "ratings"
    return _with_score(analysis, evidence, scores, "overall")


def _with_score(
    analysis: AnyAnalysis, evidence: Evidence, scores: pd.DataFrame, column: str
) -> tuple[Counted, str]:
    """Return how many of the items, or of the trials, have a score of the judge."""
    known = set(scores.loc[scores[column].notna(), "item_id"]) if column in scores else set()
    if isinstance(analysis, RankCorrelation):
        ranked = evidence.ranked.frame.dropna(subset=["score"])["item_id"]
        return (int(ranked.isin(known).sum()), len(ranked)), "items"
    both = evidence.people["left_id"].isin(known) & evidence.people["right_id"].isin(known)
    return (int(both.sum()), len(both)), SCORED
