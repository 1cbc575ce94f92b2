"""Runs the plan on the tidy tables: every registered analysis, nothing else called confirmatory."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.collected import refuse_other_plans
from analysis.evidence import TABLES, TABLES_FOLDER, Evidence, gather
from analysis.finding import Finding
from analysis.gate import Verdict, judge_evidence
from analysis.habit_tables import read_habit_tables
from analysis.habits import HabitFindings, habits_results, own_items_of, polarity_of
from analysis.kinds import measures_of
from analysis.ranking import bradley_terry
from analysis.registered import run_registered
from analysis.results import WRITTEN, Quantity, Results, ResultTable
from analysis.study_figures import ranking_figure
from analysis.tables import STATUSES, table_path
from prereg import files
from prereg.errors import RatifyError
from prereg.judging import LLMJudge
from prereg.lock import utc_now

RESULTS_FOLDER = "results"
_NO_HABITS = HabitFindings(
    measures=(), quantities=[], tables=[], figures=[], sentences=[], details=[], methods=[],
    limits=[],
)  # fmt: skip
PACKAGES = ("ratify-eval", "numpy", "pandas", "scipy", "statsmodels", "matplotlib")


def analyze_study(folder: Path, *, mode: str) -> Results:
    """Run the plan of a study folder and write `results/`.

    Parameters
    ----------
    folder : Path
        With plan.yaml and exported tables in `data/`.
    mode : {'live', 'pilot', 'bot'}
        Which people's judgments to analyse.

    Returns
    -------
    Results
        As written to `results/results.json`, `results/tables` and `results/figures`.

    Raises
    ------
    RatifyError
        When a table is missing or wrong, the lock does not match, or an analysis cannot be run;
        nothing is written then.
    """
    evidence = gather(folder, mode=mode)
    findings = [run_registered(analysis, evidence) for analysis in evidence.plan.analyses]
    results = _assemble(evidence, findings, folder)
    with files.replaced_folder(folder / RESULTS_FOLDER, ours=WRITTEN) as beside:
        results.write(beside)
    return results


def _assemble(evidence: Evidence, findings: list[Finding], folder: Path) -> Results:
    quantities = [q for finding in findings for q in finding.quantities]
    people = _people(evidence)
    habits = _habits(evidence, folder)
    quantities += people.quantities + habits.quantities
    verdict = judge_evidence(
        evidence.plan,
        [q.to_json() for q in quantities],
        mode=evidence.mode,
        locked=evidence.lock is not None,
    )
    return Results(
        kind="study",
        title=evidence.plan.title,
        question=evidence.plan.design.question,
        headline=[*_headline(evidence, findings, verdict), *habits.sentences, *habits.details],
        simulated=evidence.simulated,
        meta=_meta(evidence, folder),
        hypotheses=[{"id": h.id, "text": h.text} for h in evidence.plan.hypotheses],
        flow=[{str(k): v for k, v in row.items()} for row in evidence.flow.to_dict("records")],
        flow_notes=_flow_notes(evidence),
        quantities=quantities,
        tables=[t for f in [*findings, people] for t in f.tables]
        + [_gate_table(verdict, evidence), *habits.tables],
        figures=[p for f in [*findings, people] for p in f.figures] + habits.figures,
        methods=_methods(evidence) + habits.methods,
        limits=_limits(evidence) + habits.limits,
    )


def _habits(evidence: Evidence, folder: Path) -> HabitFindings:
    """Return the chapter on the judges' habits: of plans that ask an LLM, the baselines beside."""
    plan = evidence.plan
    if not any(isinstance(judge, LLMJudge) for judge in plan.judges):
        return _NO_HABITS
    tables = read_habit_tables(folder, mode=evidence.mode)
    if evidence.lock is not None:
        for name in ("probes", "requests"):
            path = table_path(folder / TABLES_FOLDER, name)
            refuse_other_plans(getattr(tables, name), evidence.lock, path)
    return habits_results(
        tables, people=evidence.people, own_items=own_items_of(plan), polarity=polarity_of(plan),
        seed=plan.seed, simulated=evidence.simulated,
    )  # fmt: skip


def _people(evidence: Evidence) -> Finding:
    """Return how people ranked the items, and what must be known before believing it."""
    ranking = evidence.ranking
    common: dict[str, Any] = {
        "analysis": "people",
        "n": ranking.n_judgments,
        "unit_of_n": "judgments",
        "clusters": ranking.n_clusters,
    }
    frame = ranking.frame
    bare = int((frame["score"].notna() & frame["se"].isna()).sum())
    left_out = f"{bare} of {len(frame)} items have no standard error and are left out."
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
    """Return how much standing left helps; where a side always wins it has no finite estimate."""
    try:
        leaning = bradley_terry(
            evidence.people, ridge=evidence.plan.ranking.ridge, side_advantage=True
        )
    except RatifyError as error:
        return Quantity(
            name="left_side", label="Advantage of standing left", estimate=None, unit="log-odds",
            method="Bradley-Terry with a side advantage", note=f"{error}.", **common,
        )  # fmt: skip
    return Quantity(
        name="left_side",
        label="Advantage of standing left",
        estimate=leaning.side_advantage,
        se=leaning.side_advantage_se,
        low=leaning.side_advantage_low,
        high=leaning.side_advantage_high,
        method=leaning.method,
        unit="log-odds",
        note="" if leaning.side_advantage is not None else "Not estimable from these data.",
        **common,
    )


def _ranking_table(who: str, title: str, evidence: Evidence) -> ResultTable:
    ranking = evidence.ranking if who == "people" else evidence.judges[who].ranking
    assert ranking is not None
    return ResultTable(
        name=f"ranking_{who}",
        title=title,
        caption=f"{ranking.method}; score in {ranking.unit}; {ranking.n_judgments:,} judgments. "
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
        }
        for c in verdict.conditions
    ]
    names = ["analysis", "quantity", "field", "at_least", "found", "holds"]
    return ResultTable(
        name="gate",
        title="The gate: passed" if verdict.passed else "The gate: not passed",
        caption="The plan's thresholds. " + " ".join(f"No verdict: {r}." for r in verdict.reasons),
        frame=pd.DataFrame(rows, columns=names),
        status=evidence.status,
    )


def _headline(evidence: Evidence, findings: list[Finding], verdict: Verdict) -> list[str]:
    who = evidence.raters + (", so nothing here is about people" if evidence.simulated else "")
    n, clusters = evidence.ranking.n_judgments, evidence.ranking.n_clusters
    who = "person" if clusters == 1 and who == "people" else who
    held = sum(c.holds for c in verdict.conditions)
    gate = f"{held} of {len(verdict.conditions)} thresholds hold"
    if verdict.reasons:
        gate += "; " + "; ".join(verdict.reasons)
    passed = "passed" if verdict.passed else "not passed"
    sentences = [finding.sentence for finding in findings if finding.sentence]
    return [
        *sentences[:1],
        f"The gate is {passed}: {gate}.",
        *sentences[1:],
        f"Based on {n:,} choices by {clusters:,} {who}.",
    ]


def _flow_notes(evidence: Evidence) -> list[str]:
    """Return what became of those who came, beside what the plan's rules took."""
    became = [
        f"{evidence.visits[status]:,} {status.replace('_', ' ')}"
        for status in STATUSES
        if evidence.visits.get(status)
    ]
    notes = [f"Visits before any rule: {', '.join(became)}."] if became else []
    gone = evidence.withdrawn
    if gone:
        one, many = "person", "people"
        if evidence.simulated:
            one, many = "simulated rater", "simulated raters"
        who = one if gone == 1 else many
        notes.append(f"{gone:,} {who} withdrew; their answers were deleted.")
    return notes


def _meta(evidence: Evidence, folder: Path) -> dict[str, Any]:
    lock = evidence.lock
    names = (*TABLES, "probes", "perturbed", "requests")
    inputs = [table_path(folder / TABLES_FOLDER, name) for name in names]
    return {
        "created_at": utc_now(),
        "mode": evidence.mode,
        "plan": evidence.plan.id,
        "plan_hash": None if lock is None else lock.plan_hash,
        "locked_at": None if lock is None else lock.locked_at,
        "locked_parts": {} if lock is None else dict(lock.parts),
        "seed": evidence.plan.seed,
        "inputs": {p.name: files.sha256(p.read_bytes()) for p in inputs if p.exists()},
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in PACKAGES},
        },
    }


def _methods(evidence: Evidence) -> list[str]:
    plan = evidence.plan
    design = plan.design
    each = design.raters_per_sequence
    elo = plan.ranking.elo
    measures = measures_of(plan)
    adds, subtracts = ", ".join(measures.adds), ", ".join(measures.subtracts)
    return [
        f"Raters answered one question, “{design.question}”, about {design.trials} pairs each. "
        "Pairs lie within one scenario; sequences were generated from the plan's seed before "
        f"collection, each for {'one rater' if each == 1 else f'{each} raters'}; each item stands "
        "left as often as right.",
        f"People's choices are ranked by a Bradley-Terry model fitted on counts of wins, with a "
        f"ridge of {plan.ranking.ridge:g}, within scenario; errors are clustered by rater. "
        f"Judges' choices are rated by Elo (start {elo.start:g}, K {elo.k:g}) in the order they "
        f"were asked, with {elo.reorderings} seeded reorderings beside it.",
        f"A judge's overall score of an item is the sum of {adds}"
        + (f" minus the sum of {subtracts}." if subtracts else "."),
        "Logits are fitted by maximum likelihood on trials, with a sandwich covariance clustered "
        "as the plan says. The gap is the absolute difference of the judge's overall scores; "
        "trials without a gap have no higher side and drop out.",
    ]


def _limits(evidence: Evidence) -> list[str]:
    limits = [
        "Intervals of rank correlations are about items; they do not carry the uncertainty of "
        "either ranking.",
        "Wilson intervals by gap take judgments as independent; the logit beside them does not.",
        "Agreement with people on which conversation is better says nothing about agreement on "
        "how good it is, nor about texts unlike these.",
    ]
    if evidence.simulated:
        limits.insert(0, "The raters are simulated. These numbers show the tool, not people.")
    if evidence.early:
        limits.insert(
            0,
            "Some answers are older than the lock, so nothing here counts as registered before "
            "the data were seen: every analysis is exploratory.",
        )
    if evidence.lock is None:
        limits.insert(0, "The plan was not locked, so every analysis is exploratory.")
    return limits
