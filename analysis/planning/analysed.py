"""Runs a plan's registered analyses on a simulated study, as on a real one, without its figures."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence, evidence_from
from analysis.evidence.tables import TABLES, TABLES_FOLDER, StudyTables, people_of
from analysis.gate import NO_ESTIMATE, Verdict, judge_evidence
from analysis.planning.simulated import MODE, SimulatedStudy
from analysis.registered.finding import Finding
from analysis.registered.hypotheses import decided
from analysis.registered.registry import run_registered
from analysis.registered.shared_families import in_shared_families
from analysis.registered.wanted import numbers_alone
from analysis.results.figure_style import nothing_drawn
from analysis.results.quantities import Quantity
from prereg.analyses.registry import Analysis
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan

# There is no folder: the tables are never files.
_PLACE = Path(TABLES_FOLDER)


@dataclass(frozen=True)
class Analysed:
    """What the analyses of a plan found in one simulated study.

    Attributes
    ----------
    verdicts : dict of str to str
        By hypothesis: supported, not supported, not decided.
    widths : dict of (analysis, quantity) to float or None
        Width of each interval; None without an interval.
    estimates : dict of (analysis, quantity) to float or None
    gate : Verdict
    failed : dict of str to str
        The analyses that could not be computed, and why.
    """

    verdicts: dict[str, str]
    widths: dict[tuple[str, str], float | None]
    estimates: dict[tuple[str, str], float | None]
    gate: Verdict
    failed: dict[str, str]


def evidence_of_study(plan: Plan, items: pd.DataFrame, study: SimulatedStudy) -> Evidence:
    """Return a simulated study as evidence, with the plan's exclusions applied.

    Parameters
    ----------
    plan : Plan
    items : DataFrame
        The items table, all columns as text.
    study : SimulatedStudy

    Raises
    ------
    RatifyError
        If nothing is left after the exclusions.
    """
    # the sensitivity analysis repeats every analysis, and decides nothing
    plan = plan.model_copy(update={"sensitivity": None})
    names = (*TABLES, kind_of(plan).table)
    paths = {name: _PLACE / f"{name}.csv" for name in names}
    ratings = study.ratings
    if plan.labels and not ratings.empty:
        ratings = _with_labels(plan, ratings)
    rated = kind_of(plan).table == "ratings"
    read = StudyTables(
        items=items,
        participants=study.participants,
        withdrawals=pd.DataFrame({"mode": []}),
        answers=ratings if rated else study.answers,
        ratings=ratings if rated or kind_of(plan).asks_pairs else pd.DataFrame(),
        path=paths | {"answers": paths[kind_of(plan).table]},
    )
    people, visits = people_of(read, plan, mode=MODE, lock=None, place=_PLACE)
    found = evidence_from(
        plan, read, people, visits, mode=MODE, lock=None, place=_PLACE, own=study.own
    )
    return replace(found, status="confirmatory")  # as it would be with a lock


def analysed(
    plan: Plan, evidence: Evidence, *, only: Mapping[str, Collection[str]] | None = None
) -> Analysed:
    """Run the registered analyses on simulated evidence.

    Parameters
    ----------
    plan : Plan
    evidence : Evidence
    only : mapping, optional
        Ids of the analyses to run, each with the names of the numbers that are needed; an analysis
        may report others too. By default all numbers of all analyses.
    """
    wanted = [a for a in plan.analyses if only is None or a.id in only]
    with nothing_drawn(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        findings = [_run(a, evidence, None if only is None else only[a.id]) for a in wanted]
    failed = {
        analysis.id: why
        for analysis, found in zip(wanted, findings, strict=True)
        if (why := _failure(found)) is not None
    }
    findings = in_shared_families(wanted, findings, status=evidence.status)
    quantities = [q for finding in findings for q in finding.quantities]
    numbers: list[dict[str, Any]] = [q.to_json() for q in quantities]
    return Analysed(
        verdicts={h.id: decided(h, quantities).verdict for h in plan.hypotheses},
        widths={(q.analysis, q.name): _width(q) for q in quantities},
        estimates={(q.analysis, q.name): q.estimate for q in quantities},
        gate=judge_evidence(plan, numbers, mode=MODE, locked=True),
        failed=failed,
    )


def behind_the_gate(plan: Plan) -> dict[str, set[str]]:
    """Return the analyses that the gate's thresholds name, each with the numbers that they name."""
    named: dict[str, set[str]] = {}
    for threshold in plan.gate:
        named.setdefault(threshold.analysis, set()).add(threshold.quantity)
    return named


def _run(analysis: Analysis, evidence: Evidence, names: Collection[str] | None) -> Finding:
    """Run one analysis; a fault of ours is a failure of this study, which is counted and named."""
    try:
        with numbers_alone(names):
            return run_registered(analysis, evidence)
    except Exception as error:
        return Finding(sentence=f"{type(error).__name__}: {error}")


def _failure(found: Finding) -> str | None:
    """Return why an analysis has no estimate at all; None if it has one."""
    if any(q.estimate is not None for q in found.quantities if "coverage" not in q.name):
        return None
    notes = [q.note for q in found.quantities if q.note.startswith(NO_ESTIMATE)]
    if notes:
        return notes[0].removeprefix(NO_ESTIMATE).rstrip(".")
    return found.sentence.rstrip(".") or "it found no number"


def _width(quantity: Quantity) -> float | None:
    if quantity.low is None or quantity.high is None:
        return None
    return quantity.high - quantity.low


def _with_labels(plan: Plan, ratings: pd.DataFrame) -> pd.DataFrame:
    """Return ratings with the name of each label beside its place, as they are read."""
    name = np.full(len(ratings), "", dtype=object)
    for dimension, names in plan.labels.items():
        mine = (ratings["dimension"] == dimension).to_numpy()
        name[mine] = np.array(names, dtype=object)[ratings["value"].to_numpy()[mine].astype(int)]
    return ratings.assign(given_label=pd.Series(name, index=ratings.index, dtype=str))
