"""What may not be meant in judges, analyses, hypotheses and the gate of a plan."""

from __future__ import annotations

from collections.abc import Iterator

from prereg.analyses.agreement import Agreement
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.choices import ChoiceAgreement, Logit
from prereg.analyses.equivalence import Equivalence
from prereg.analyses.facets import Generalizability, ManyFacet
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.ranking import RankingAnalysis
from prereg.analyses.regression import JUDGE_RATINGS, RATINGS, TRIALS, Regression
from prereg.analyses.sources import Themes
from prereg.checking.numbers import of_numbers
from prereg.checking.remark import NOTE, WARNING, Remark, note, warning
from prereg.plan.judging import BaselineJudge, LLMJudge
from prereg.plan.model import Plan

# Analyses that describe; without a hypothesis nothing is missing.
_DESCRIBES = (RankingAnalysis, ChoiceAgreement, Generalizability, ManyFacet, Themes)


def of_analyses(plan: Plan) -> list[Remark]:
    """Return remarks about the judges, the analyses, the hypotheses and the gate of a plan."""
    return [
        *_of_judges(plan),
        *_of_two_points(plan),
        *_of_elo(plan),
        *_of_regressions(plan),
        *_of_checks(plan),
        *_of_hypotheses(plan),
        *_of_scales_apart(plan),
        *of_numbers(plan),
    ]


def _of_hypotheses(plan: Plan) -> Iterator[Remark]:
    """Warn of a hypothesis that nothing tests, and of a test that no hypothesis asked for."""
    served = {analysis.hypothesis for analysis in plan.analyses}
    asked_about = {one.of.analysis for one in plan.analyses if isinstance(one, Equivalence)}
    for number, one in enumerate(plan.hypotheses):
        if one.id not in served:
            yield warning(
                f"no analysis serves hypothesis {one.id}, so nothing will be said about it.",
                f"Add 'hypothesis: {one.id}' to an analysis, or take it out.",
                f"hypotheses.{number}.id",
                value=one.id,
            )
    for number, analysis in enumerate(plan.analyses):
        if analysis.hypothesis is None and analysis.id not in asked_about:
            yield _unasked(analysis, number, plan)


def _of_scales_apart(plan: Plan) -> Iterator[Remark]:
    """Say what halo is compared with where no rater answers two scales."""
    if not plan.design.apart:
        return
    for number, one in enumerate(plan.analyses):
        several = isinstance(one, Agreement) and len(one.dimensions or plan.scales) > 1
        if several and not plan.labels:
            yield note(
                f"analysis '{one.id}' measures a judge's halo against the means of different "
                "people on the two scales: they are asked apart, so people's own halo is 0 by "
                "design, and the judge's is compared with 0.",
                key=f"analyses.{number}.id",
            )


def _unasked(analysis: AnyAnalysis, number: int, plan: Plan) -> Remark:
    """Return the remark about an analysis without a hypothesis: a note if it only describes."""
    in_gate = any(threshold.analysis == analysis.id for threshold in plan.gate)
    describes = isinstance(analysis, _DESCRIBES) or in_gate
    why = ": no prediction says what it should find."
    if describes:
        why = "; the gate uses it." if in_gate else ": it describes, and tests nothing expected."
    return Remark(
        NOTE if describes or not plan.hypotheses else WARNING,
        f"analysis '{analysis.id}' ({analysis.kind}) serves no hypothesis{why}",
        "" if describes else "Name the hypothesis that it tests, or take it out.",
        key=f"analyses.{number}.id",
    )


def _of_two_points(plan: Plan) -> list[Remark]:
    """Warn of a scale with two points, which is a pair of names written as numbers."""
    return [
        warning(
            f"scale {scale.id} has two points.",
            "If they stand for names, such as pass and fail, write labels: [pass, fail] without "
            "min and max; kappa and predictive values of labels fit them, distances and medians do "
            "not.",
            f"scales.{number}.min",
        )
        for number, scale in enumerate(plan.scales)
        if not scale.names and scale.max - scale.min == 1
    ]


def _of_judges(plan: Plan) -> list[Remark]:
    """Warn of a judge that is paid for and then not looked at."""
    named: set[str] = set()
    for analysis in plan.analyses:
        named |= {*getattr(analysis, "judges", ())}
        named |= {getattr(analysis, key, None) or "" for key in ("judge", "of")}
        if getattr(analysis, "data", None) == JUDGE_RATINGS and not getattr(analysis, "judge"):  # noqa: B009
            named |= {judge.id for judge in plan.judges}  # it reads every judge's ratings
    named |= {name for panel in plan.panels if panel.id in named for name in panel.of}
    in_gate = {threshold.analysis for threshold in plan.gate}
    gated = {
        name
        for analysis in plan.analyses
        if analysis.id in in_gate
        for name in (*getattr(analysis, "judges", ()), getattr(analysis, "judge", None) or "")
    }
    gated |= {name for panel in plan.panels if panel.id in gated for name in panel.of}
    found = []
    for number, judge in enumerate(plan.judges):
        if judge.id not in named and isinstance(judge, BaselineJudge):
            found.append(
                note(
                    f"no analysis names the baseline '{judge.id}', so nothing is tested about it.",
                    key=f"judges.{number}.id",
                    value=judge.id,
                )
            )
        elif judge.id not in named:
            costs = ", and perhaps paid for," if isinstance(judge, LLMJudge) else ""
            found.append(
                warning(
                    f"judge '{judge.id}' is asked{costs} but no analysis names it, so nothing is "
                    "tested about it.",
                    "Name it in an analysis, or leave it out.",
                    f"judges.{number}.id",
                    value=judge.id,
                )
            )
        elif plan.gate and judge.id not in gated and isinstance(judge, LLMJudge):
            found.append(
                warning(
                    f"the gate has no threshold about judge '{judge.id}', so a passed gate says "
                    "nothing about it.",
                    "Add a threshold about it, or leave it out.",
                    "gate",
                    value=judge.id,
                )
            )
    return found


def _of_elo(plan: Plan) -> list[Remark]:
    """Warn of an analysis of Elo where pairs are chosen by information: Elo wastes them."""
    informed = {
        judge.id
        for judge in plan.judges
        if judge.pairs is not None and judge.pairs.scheme == "information"
    }
    found = []
    for number, analysis in enumerate(plan.analyses):
        judge = getattr(analysis, "judge", None)
        if judge not in informed:
            continue
        where = (
            f"analysis '{analysis.id}' uses the Elo of judge '{judge}', whose pairs are chosen for "
            "a Bradley-Terry ranking (pairs.scheme: information), so that Elo is less reliable."
        )
        if isinstance(analysis, RankCorrelation) and analysis.score == "elo":
            do = "Write score: bradley_terry, or scheme: elo_neighbours."
            found.append(warning(where, do, f"analyses.{number}.score"))
        elif "select_match" in _outcomes(analysis):
            do = "Write select_higher, which compares scores, or scheme: elo_neighbours."
            found.append(warning(where, do, f"analyses.{number}.id"))
    return found


def _outcomes(analysis: object) -> tuple[str, ...]:
    """Return what an analysis of people's trials explains."""
    if isinstance(analysis, Logit):
        return (analysis.outcome,)
    if isinstance(analysis, Regression) and analysis.data == TRIALS:
        return analysis.outcomes
    return ()


def _of_regressions(plan: Plan) -> list[Remark]:
    """Return warnings about regressions of trials or ratings that are likely to be misread."""
    said = []
    for number, one in enumerate(plan.analyses):
        if not isinstance(one, Regression):
            continue
        agrees = [name for name in one.outcomes if name in {"select_higher", "select_match"}]
        if one.differences == "left_minus_right" and agrees:
            said.append(
                warning(
                    f"{one.id} explains {agrees[0]} by differences of left minus right: sides are "
                    "random, so its coefficients say nothing about agreement.",
                    "Use differences: higher_minus_lower, or the outcome chose_left.",
                    f"analyses.{number}.differences",
                )
            )
        if one.errors == "HC3" and one.data in {TRIALS, RATINGS}:
            said.append(
                warning(
                    f"{one.id} has errors: HC3, which take the answers of one rater as "
                    "independent.",
                    "Use errors: cluster.",
                    f"analyses.{number}.errors",
                )
            )
    return said


def _of_checks(plan: Plan) -> list[Remark]:
    """Warn of attention checks that exclude nobody."""
    if not plan.attention_checks or any(x.rule == "failed_attention" for x in plan.exclusions):
        return []
    one = len(plan.attention_checks) == 1
    return [
        warning(
            f"The plan has {'an attention check' if one else 'attention checks'}, but no exclusion "
            "of rule failed_attention: nobody is left out for a wrong answer.",
            "Add one, for example {rule: failed_attention, max_failed: 0}, or take the checks out.",
            "attention_checks",
        )
    ]
