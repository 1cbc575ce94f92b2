"""Runs all analyses of a study on its tidy tables and writes its results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.evidence.evidence import Evidence, gather
from analysis.evidence.kinds import evidence_of
from analysis.evidence.looked import write_looked
from analysis.evidence.provenance import is_a_look, study_meta
from analysis.evidence.versions import amendments_of, versions_table
from analysis.gate import asks_coverage, judge_evidence
from analysis.habits.verdict import of_habits
from analysis.registered.coverage import coverage_of_judges
from analysis.registered.figures import flow_figure
from analysis.registered.finding import Finding
from analysis.registered.gate_words import gate_sentence, gate_table
from analysis.registered.judges_habits import habits_of, servers
from analysis.registered.labelled import Labelled, run_labelled
from analysis.registered.people import people_finding
from analysis.registered.sensitivity import sensitivity_findings
from analysis.registered.sentences import flow_notes, limits, methods
from analysis.registered.survey import survey_tables
from analysis.registered.trial_flow import trial_flow
from analysis.registered.verdict import study_verdict, verdict_of_tables
from analysis.results.blind import marked_blind
from analysis.results.files import results_folder
from analysis.results.quantities import Results
from analysis.results.verdict import Verdict, joined
from prereg.exploratory import load_exploratory
from prereg.lock import utc_now
from prereg.looks import read_looks


def analyze_study(
    folder: Path,
    *,
    mode: str,
    blind: bool = False,
    at: str | None = None,
    began: Callable[[str], None] | None = None,
) -> Results:
    """Run the plan of a study folder and write its results.

    Parameters
    ----------
    folder : Path
        With plan.yaml and exported tables in `data/`.
    mode : {'live', 'pilot', 'bot'}
        Which people's answers to analyse.
    blind : bool
        Whether people's answers are shuffled; the results then go to `results-blind/`.
    at : str, optional
        The time that the results give, to produce earlier ones again; by default now.
    began : callable, optional
        Is told what begins, in words: each analysis takes seconds to minutes.

    Returns
    -------
    Results
        As written to `results/results.json`, `results/tables` and `results/figures`. The same
        tables, plan, log of looks, time and code give the same bytes of every file.

    Raises
    ------
    RatifyError
        If a table is missing or wrong, the lock does not match, or an analysis cannot be run; then
        nothing is written.
    """
    now = at or utc_now()
    evidence = gather(folder, mode=mode, blind=blind)
    if is_a_look(evidence):
        read_looks(folder)  # a log that was edited is said before the work, not after it
    found = run_labelled(evidence, load_exploratory(folder, evidence.plan), began)
    if began is not None:
        began("the judges' habits, and the tables and figures")
    results = _assemble(evidence, found, folder, now)
    if blind:
        results = marked_blind(results)
    return write_looked(results, evidence, folder, place=results_folder(blind=blind), now=now)


def _assemble(evidence: Evidence, found: Labelled, folder: Path, now: str) -> Results:
    told = verdict_of_tables(evidence, found.registered)
    if not evidence.nobody:
        told = study_verdict(evidence, found.registered)
    findings = [
        *found.registered,
        *sensitivity_findings(evidence, found.registered),
        *found.exploratory,
    ]
    people = people_finding(evidence)
    habits = habits_of(evidence, folder)
    quantities = [q for finding in findings for q in finding.quantities]
    quantities += people.quantities + habits.quantities + coverage_of_judges(evidence)
    meta = study_meta(evidence, folder, at=now, why=found.why, tables=found.evidence.plan.tables)
    verdict = judge_evidence(
        evidence.plan,
        [q.to_json() for q in quantities],
        mode=evidence.mode,
        locked=evidence.lock is not None,
        asks_coverage=asks_coverage(evidence.lock),
        blind=evidence.blind,
        early=evidence.early,
        exploratory=found.why,
        late={int(place): why for place, why in meta["late_thresholds"].items()},
        dropped=meta["dropped_thresholds"],
    )
    gate = gate_sentence(verdict)
    if told.sentences:  # first what may be used, then whether the gate is passed
        told = joined([told, Verdict(sentences=(gate,))])
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
        meta=meta,
        amendments=amendments_of(evidence.lock),
        hypotheses=[{"id": h.id, "text": h.text} for h in evidence.plan.hypotheses],
        flow=[{str(k): v for k, v in row.items()} for row in evidence.flow.to_dict("records")],
        flow_notes=flow_notes(evidence),
        quantities=quantities,
        tables=[
            *(table for finding in [*findings, people] for table in finding.tables),
            gate_table(verdict, evidence),
            *habits.tables,
            *trial_flow(folder),
            *survey_tables(evidence.plan.survey, evidence.participants, evidence.raters),
            *versions_table(evidence),
        ],
        figures=[
            *(figure for finding in [*findings, people] for figure in finding.figures),
            *habits.figures,
            *([] if evidence.nobody else [flow_figure(evidence)]),
        ],
        methods=[
            *methods(found.evidence),
            *evidence.panels,
            *(finding.methods for finding in findings if finding.methods),
            *servers(evidence, folder),
            *habits.methods,
        ],
        limits=limits(evidence) + habits.limits,
    )


def _headline(evidence: Evidence, findings: Sequence[Finding], gate: str) -> list[str]:
    """Return what every analysis found, and the gate after the first unless it is said before."""
    if evidence.nobody:
        last = "Nobody has compared anything yet: this is about the first stage alone."
        return [finding.sentence for finding in findings if finding.sentence] + [gate, last]
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
