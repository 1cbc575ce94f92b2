"""The kinds of analysis that a plan may register, each with its runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.evidence.evidence import Evidence
from analysis.registered.change import run_change
from analysis.registered.choices import run_choice_agreement, run_logit, run_selection_by_gap
from analysis.registered.coverage import coverage_of_analysis
from analysis.registered.equivalence import run_equivalence
from analysis.registered.explained import run_explained
from analysis.registered.facets import run_generalizability, run_many_facet
from analysis.registered.finding import Finding
from analysis.registered.label_agreement import run_any_agreement
from analysis.registered.rank_correlation import run_rank_correlation
from analysis.registered.ranking import run_ranking
from analysis.registered.regression import run_regression
from analysis.registered.shares import run_best_worst_shares
from analysis.registered.sources import run_source_ratings
from analysis.registered.themes import run_themes
from analysis.registered.trajectory import run_trajectory
from analysis.registered.unanswered import about_silent, not_computed, of_others
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.equivalence import Equivalence
from prereg.analyses.registry import Analysis
from prereg.errors import RatifyError


def _run(analysis: AnyAnalysis, evidence: Evidence) -> Finding:
    """Run one analysis without what is added to every finding."""
    if evidence.nobody and not _of_tables(analysis, evidence):
        raise RatifyError("nobody has answered yet", allowed="answers of people")
    return RUNNERS[analysis.kind](of_others(analysis, evidence), evidence)


def _of_tables(analysis: AnyAnalysis, evidence: Evidence) -> bool:
    """Say whether an analysis reads nothing but the researcher's own tables."""
    if isinstance(analysis, Equivalence):
        base = [one for one in evidence.plan.analyses if one.id == analysis.of.analysis]
        return all(one.tables() for one in base)
    return bool(analysis.tables())


def _equivalence(analysis: Equivalence, evidence: Evidence) -> Finding:
    return run_equivalence(analysis, evidence, run=_run)


RUNNERS: dict[str, Callable[[Any, Evidence], Finding]] = {
    "ranking": run_ranking,
    "rank_correlation": run_rank_correlation,
    "choice_agreement": run_choice_agreement,
    "logit": run_logit,
    "selection_by_gap": run_selection_by_gap,
    "agreement": run_any_agreement,
    "generalizability": run_generalizability,
    "many_facet": run_many_facet,
    "source_ratings": run_source_ratings,
    "best_worst_shares": run_best_worst_shares,
    "change": run_change,
    "regression": run_regression,
    "equivalence": _equivalence,
    "themes": run_themes,
    "trajectory": run_trajectory,
    "explained": run_explained,
}


def run_registered(analysis: Analysis, evidence: Evidence) -> Finding:
    """Run one analysis of the plan.

    Where the data cannot answer it (one rater, an outcome that never varies, separation), the
    finding says so: every registered analysis is reported, with or without an estimate. So is one
    about a judge that has not answered; of several judges the others are analysed.
    """
    try:
        found = _run(analysis, evidence)
        found.quantities.extend(about_silent(analysis, evidence))
    except RatifyError as error:
        found = _no_estimate(analysis, evidence, _within_the_study(error, evidence))
    found.quantities.extend(coverage_of_analysis(analysis, evidence))
    return found


def _within_the_study(error: RatifyError, evidence: Evidence) -> str:
    """Return what an error says, its file named as from the study folder.

    Results must not depend on where the folder is, or on how a command named it.
    """
    file = Path(error.file or "")
    if len(file.parts) < 2 or not file.is_relative_to(evidence.place.parent):
        return str(error)
    return RatifyError(
        error.problem,
        file=file.relative_to(evidence.place.parent).as_posix(),
        row=error.row,
        column=error.column,
        value=error.value,
        allowed=error.allowed,
        part=error.part,
    ).one_line()


def _no_estimate(analysis: Analysis, evidence: Evidence, why: str) -> Finding:
    """Return the finding of an analysis that these data cannot answer, without estimates."""
    names = analysis.quantity_names(evidence.plan) or [analysis.kind]
    return Finding(
        sentence=f"The analysis {analysis.id} could not be computed: {why}.",
        quantities=not_computed(analysis, evidence, names, why),
    )
