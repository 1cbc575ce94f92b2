"""The gate in a study's report: a table of its conditions, and a sentence."""

from __future__ import annotations

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.gate import Verdict
from analysis.results.quantities import ResultTable


def gate_table(verdict: Verdict, evidence: Evidence) -> ResultTable:
    """Return the table of the conditions, with what was found."""
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
    barred = [
        f" {c.threshold.analysis} / {c.threshold.quantity} cannot be used: {c.barred}."
        for c in verdict.conditions
        if c.barred
    ]
    if evidence.plan.has_models:  # a baseline answers everything
        names += ["answered", "asked", "coverage_at_least"]
    return ResultTable(
        name="gate",
        title="The gate: passed" if verdict.passed else "The gate: not passed",
        caption="The plan's thresholds. "
        + " ".join(f"No verdict: {r}." for r in verdict.reasons)
        + "".join(barred),
        frame=pd.DataFrame(rows, columns=names),
        status=evidence.status,
    )


def gate_sentence(verdict: Verdict) -> str:
    """Return in one sentence whether the gate is passed."""
    held, total = sum(c.holds for c in verdict.conditions), len(verdict.conditions)
    if not total:
        return "The plan sets no thresholds, so there is no gate to pass."
    said = f"{held} of {total} thresholds hold"
    if total == 1:
        said = f"its one threshold {'holds' if held else 'does not hold'}"
    gate = "; ".join([*[said] * bool(total), *verdict.reasons])
    return f"The gate is {'passed' if verdict.passed else 'not passed'}: {gate}."
