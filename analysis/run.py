"""Runs all registered analyses of a plan on its tidy tables; only these can be confirmatory."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.audit.habits import own_items_of, polarity_of
from analysis.evidence.against_lock import refuse_other_plans, refuse_ties
from analysis.evidence.evidence import Evidence, gather
from analysis.evidence.kinds import evidence_of
from analysis.evidence.tables import TABLES, TABLES_FOLDER
from analysis.gate import Verdict, asks_coverage, judge_evidence
from analysis.habits.findings import HabitFindings, habits_results
from analysis.habits.tables import read_habit_tables
from analysis.habits.verdict import of_habits
from analysis.ranking import bradley_terry
from analysis.ranking.table_side import UNBOUNDED, both_ways, is_bounded
from analysis.registered.coverage import coverage_of_judges
from analysis.registered.figures import flow_figure, ranking_figure
from analysis.registered.finding import Finding
from analysis.registered.registry import run_registered
from analysis.registered.sensitivity import sensitivity_findings
from analysis.registered.sentences import flow_notes, limits, methods
from analysis.registered.shared_families import in_shared_families
from analysis.registered.survey import survey_tables
from analysis.registered.verdict import study_verdict
from analysis.results.files import WRITTEN, write_results
from analysis.results.quantities import Quantity, Results, ResultTable
from analysis.results.stale import plan_content
from analysis.results.verdict import Verdict as ReportVerdict
from analysis.results.verdict import joined
from analysis.results.words import counted
from analysis.tables.columns import TIE
from analysis.tables.tidy import table_path
from prereg import files
from prereg.errors import RatifyError
from prereg.lock import utc_now
from prereg.plan.judging import BaselineJudge
from prereg.plan.panel_judge import PanelJudge
from prereg.transport_log import changes_since_lock

RESULTS_FOLDER = "results"
_NO_HABITS = HabitFindings(
    measures=(),
    quantities=[],
    tables=[],
    figures=[],
    sentences=[],
    details=[],
    methods=[],
    limits=[],
)
PACKAGES = ("ratify-eval", "numpy", "pandas", "scipy", "statsmodels", "choix", "matplotlib")


def analyze_study(folder: Path, *, mode: str, notes: Sequence[str] = ()) -> Results:
    """Run the plan of a study folder and write `results/`.

    Parameters
    ----------
    folder : Path
        With plan.yaml and exported tables in `data/`.
    mode : {'live', 'pilot', 'bot'}
        Which people's answers to analyse.
    notes : sequence of str
        What the report's limits have to say about where these data are from.

    Returns
    -------
    Results
        As written to `results/results.json`, `results/tables` and `results/figures`.

    Raises
    ------
    RatifyError
        If a table is missing or wrong, the lock does not match, or an analysis cannot be run; then
        nothing is written.
    """
    evidence = gather(folder, mode=mode)
    evidence.note(notes)
    findings = [run_registered(analysis, evidence) for analysis in evidence.plan.analyses]
    findings = in_shared_families(evidence.plan.analyses, findings, status=evidence.status)
    told = study_verdict(evidence, findings)
    findings += sensitivity_findings(evidence, findings)
    results = _assemble(evidence, findings, folder, told)
    with files.replaced_folder(folder / RESULTS_FOLDER, ours=WRITTEN) as beside:
        write_results(results, beside)
    return results


def _assemble(
    evidence: Evidence, findings: list[Finding], folder: Path, told: ReportVerdict
) -> Results:
    quantities = [q for finding in findings for q in finding.quantities]
    people = _people(evidence)
    habits = _habits(evidence, folder)
    survey = survey_tables(evidence.plan.survey, evidence.participants, evidence.raters)
    quantities += people.quantities + habits.quantities + coverage_of_judges(evidence)
    verdict = judge_evidence(
        evidence.plan,
        [q.to_json() for q in quantities],
        mode=evidence.mode,
        locked=evidence.lock is not None,
        asks_coverage=asks_coverage(evidence.lock),
    )
    gate = _gate_sentence(verdict)
    if told.sentences:  # first what may be used, then whether the gate is passed
        told = joined([told, ReportVerdict(sentences=(gate,))])
    return Results(
        kind="study",
        title=evidence.plan.title,
        question=evidence.plan.design.question,
        verdict=joined([told, of_habits(habits.measures)]),
        headline=[
            *told.sentences,
            *_headline(evidence, findings, "" if told.sentences else gate),
            *habits.sentences,
            *habits.details,
        ],
        simulated=evidence.simulated,
        meta=_meta(evidence, folder),
        hypotheses=[{"id": h.id, "text": h.text} for h in evidence.plan.hypotheses],
        flow=[{str(k): v for k, v in row.items()} for row in evidence.flow.to_dict("records")],
        flow_notes=flow_notes(evidence),
        quantities=quantities,
        tables=[t for f in [*findings, people] for t in f.tables]
        + [_gate_table(verdict, evidence), *habits.tables, *survey],
        figures=[
            *(p for f in [*findings, people] for p in f.figures),
            *habits.figures,
            flow_figure(evidence),
        ],
        methods=[
            *methods(evidence),
            *evidence.panels,
            *(finding.methods for finding in findings if finding.methods),
            *_servers(evidence, folder),
            *habits.methods,
        ],
        limits=limits(evidence) + habits.limits,
    )


def _servers(evidence: Evidence, folder: Path) -> list[str]:
    """Return by which server each LLM judge was reached, and what of that changed after the lock.

    The lock's hash does not cover it.
    """
    plan = evidence.plan
    if not plan.llms:
        return []
    said = [
        f"Judge {judge.id} ({judge.model}) is asked at {judge.base_url}." for judge in plan.llms
    ]
    changes = changes_since_lock(folder, plan, evidence.lock)
    return [" ".join([*said, *(f"Changed after the lock: {one.sentence}." for one in changes)])]


def _habits(evidence: Evidence, folder: Path) -> HabitFindings:
    """Return the chapter on the habits of judges and baselines, for plans with other judges too."""
    plan = evidence.plan
    if all(isinstance(judge, BaselineJudge | PanelJudge) for judge in plan.judges):
        return _NO_HABITS
    tables = read_habit_tables(folder, mode=evidence.mode)
    if evidence.lock is not None:
        for name in ("probes", "requests"):
            path = table_path(folder / TABLES_FOLDER, name)
            refuse_other_plans(getattr(tables, name), evidence.lock, path)
    refuse_ties(tables.probes, plan, table_path(folder / TABLES_FOLDER, "probes"))
    return habits_results(
        tables,
        people=evidence.people,
        own_items=own_items_of(plan),
        polarity=polarity_of(plan),
        seed=plan.seed,
        simulated=evidence.simulated,
    )


def _people(evidence: Evidence) -> Finding:
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


def _gate_table(verdict: Verdict, evidence: Evidence) -> ResultTable:
    rows = [
        {
            "analysis": c.threshold.analysis,
            "quantity": c.threshold.quantity,
            "field": c.threshold.field,
            "at_least": c.threshold.at_least,
            "found": c.value,
            "holds": c.holds,
            "answered": c.answered,
            "asked": c.asked,
            "coverage_at_least": c.coverage_at_least,
        }
        for c in verdict.conditions
    ]
    names = ["analysis", "quantity", "field", "at_least", "found", "holds"]
    if evidence.plan.has_models:  # a baseline answers everything
        names += ["answered", "asked", "coverage_at_least"]
    return ResultTable(
        name="gate",
        title="The gate: passed" if verdict.passed else "The gate: not passed",
        caption="The plan's thresholds. " + " ".join(f"No verdict: {r}." for r in verdict.reasons),
        frame=pd.DataFrame(rows, columns=names),
        status=evidence.status,
    )


def _gate_sentence(verdict: Verdict) -> str:
    held, total = sum(c.holds for c in verdict.conditions), len(verdict.conditions)
    said = f"{held} of {total} thresholds hold"
    if total == 1:
        said = f"its one threshold {'holds' if held else 'does not hold'}"
    gate = "; ".join([*[said] * bool(total), *verdict.reasons])
    return f"The gate is {'passed' if verdict.passed else 'not passed'}: {gate}."


def _headline(evidence: Evidence, findings: list[Finding], gate: str) -> list[str]:
    """Return what every analysis found, and the gate after the first unless it is said before."""
    who = evidence.raters + (", so nothing here is about people" if evidence.simulated else "")
    n, clusters = evidence_of(evidence.plan).counted(evidence.answers), evidence.n_raters
    who = "person" if clusters == 1 and who == "people" else who
    sentences = [finding.sentence for finding in findings if finding.sentence]
    return [
        *sentences[:1],
        *[gate] * bool(gate),
        *sentences[1:],
        f"Based on {n} by {clusters:,} {who}.",
    ]


def _meta(evidence: Evidence, folder: Path) -> dict[str, Any]:
    lock = evidence.lock
    names = (*TABLES, "best_worst", "probes", "perturbed", "requests", *evidence.plan.tables)
    inputs = [table_path(folder / TABLES_FOLDER, name) for name in names]
    return {
        "created_at": utc_now(),
        "mode": evidence.mode,
        "plan": evidence.plan.id,
        "plan_hash": None if lock is None else lock.plan_hash,
        "plan_content": plan_content(evidence.plan),
        "locked_at": None if lock is None else lock.locked_at,
        "locked_parts": {} if lock is None else dict(lock.parts),
        "seed": evidence.plan.seed,
        "notes": list(evidence.notes),
        "inputs": {p.name: files.sha256(p.read_bytes()) for p in inputs if p.exists()},
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in PACKAGES},
        },
    }
