"""Simulates one study and keeps what power needs of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.planning.analysed import Analysed, analysed, behind_the_gate, evidence_of_study
from analysis.planning.points import Setup
from analysis.planning.simulated import simulated_people, with_judges
from prereg.errors import RatifyError
from prereg.plan.model import Plan
from prereg.streams import Stream, stream

Record = dict[str, Any]
# In `failed`: the study as a whole could not be analysed.
STUDY = "the study"


def study_rng(plan: Plan, point: str, number: int) -> np.random.Generator:
    """Return the random numbers of one simulated study, which are its own."""
    return stream(plan.seed, Stream.POWER, point, number)


def simulate_once(setup: Setup, rng: np.random.Generator) -> Record:
    """Simulate a study, analyse it, and analyse it again with bad judges if the plan has a gate.

    Returns
    -------
    dict
        As JSON holds it: `verdicts` by hypothesis; `widths` of intervals by analysis and quantity;
        `raters` who count; `gate` and `gate_bad`, whether the gate passed with the expected and
        with bad judges (absent without a gate, or without judges); `holds` and `holds_bad`, which
        of its thresholds held; `failed`, the analyses that could not be computed, and why.
    """
    plan = setup.plan
    people_rng, judge_rng, bad_rng = rng.spawn(3)
    try:
        people = simulated_people(plan, setup.items, setup.layout, people_rng, plan_hash="")
        study = with_judges(plan, setup.layout, people, judge_rng, None, plan_hash="")
        evidence = evidence_of_study(plan, setup.items, study)
    except RatifyError as error:
        return {"failed": {STUDY: str(error)}}
    found = analysed(plan, evidence)
    record: Record = {
        "verdicts": found.verdicts,
        "widths": {f"{a}: {q}": _rounded(w) for (a, q), w in found.widths.items()},
        "raters": evidence.n_raters,
        "failed": found.failed,
    }
    if not plan.gate:
        return record
    record |= _of_gate(found, "")
    if not plan.judges:
        return record
    bad = plan.assumptions.judges.bad
    study = with_judges(plan, setup.layout, people, bad_rng, bad, plan_hash="")
    again = analysed(plan, evidence_of_study(plan, setup.items, study), only=behind_the_gate(plan))
    return record | _of_gate(again, "_bad")


def _of_gate(found: Analysed, ending: str) -> Record:
    holds = [bool(condition.holds) for condition in found.gate.conditions]
    return {f"gate{ending}": bool(found.gate.passed), f"holds{ending}": holds}


def _rounded(width: float | None) -> float | None:
    """Return six digits, which are the same on every machine."""
    return None if width is None else float(f"{width:.6g}")
