"""The registered sensitivity analysis: every analysis again on all raters who answered anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.status import Standing, changed_key
from analysis.registered.finding import Finding
from analysis.registered.labelled import run_all, standings
from analysis.results.quantities import Quantity, ResultTable, Status
from prereg.analyses.registry import Analysis
from prereg.plan.model import Sensitivity

ENDING = ".everybody"


def sensitivity_findings(evidence: Evidence, found: Sequence[Finding]) -> list[Finding]:
    """Run every registered analysis again without exclusions, if the plan asks for it.

    Parameters
    ----------
    evidence : Evidence
    found : sequence of Finding
        Of the plan's analyses in their order, for the table that compares both.

    Returns
    -------
    list of Finding
        One per analysis, with `.everybody` after its id, and one with the table `everybody`.
        None has figures. Empty if the plan does not ask for it.
    """
    everybody, settings = evidence.everybody, evidence.plan.sensitivity
    if everybody is None or settings is None:
        return []
    analyses = [_named_again(analysis, settings) for analysis in evidence.plan.analyses]
    standing = {f"{name}{ENDING}": one for name, one in _standings(evidence).items()}
    again = run_all(analyses, everybody, standing, name=f"families{ENDING}")
    # one sentence is enough at the top of the report; the table has the rest
    first = next((n for n, one in enumerate(again) if one.sentence), None)
    said = [
        Finding(
            sentence=_on_everybody(one.sentence, everybody) if n == first else "",
            quantities=one.quantities,
            tables=[
                replace(table, title=f"{table.title}: nobody excluded") for table in one.tables
            ],
        )
        for n, one in enumerate(again)
    ]
    return [*said, _beside(evidence, everybody, found, again)]


def _standings(evidence: Evidence) -> dict[str, Standing]:
    """Return what is confirmatory; nothing is, if the plan asked for this after a look."""
    found = standings(evidence)
    why = changed_key(evidence.lock, "sensitivity")
    if not why or evidence.status == "exploratory":
        return found
    return {
        name: one if one.status == "exploratory" else Standing("exploratory", why)
        for name, one in found.items()
    }


def _named_again(analysis: Analysis, settings: Sensitivity) -> Analysis:
    # the hypothesis is tested once, on the raters whom the plan keeps
    again = analysis.model_copy(update={"id": f"{analysis.id}{ENDING}", "hypothesis": None})
    return again if settings.cluster is None else again.clustered_by(settings.cluster)


def _on_everybody(sentence: str, everybody: Evidence) -> str:
    return f"On all {everybody.n_raters:,} who answered anything, nobody excluded: {sentence}"


def _beside(
    evidence: Evidence, everybody: Evidence, found: Sequence[Finding], again: Sequence[Finding]
) -> Finding:
    """Return the table that compares both, matched by analysis and name."""
    other = {
        (quantity.analysis.removesuffix(ENDING), quantity.name): quantity
        for one in again
        for quantity in one.quantities
    }
    rows = [
        {
            "analysis": quantity.analysis,
            "quantity": quantity.name,
            **_cells("kept", quantity),
            **_cells("everybody", other.get((quantity.analysis, quantity.name))),
        }
        for one in found
        for quantity in one.quantities
    ]
    table = ResultTable(
        name="everybody",
        title="With and without the plan's exclusions",
        caption=f"Every registered number on the {evidence.n_raters:,} raters whom the plan's "
        f"rules keep, and on all {everybody.n_raters:,} who answered anything; 95% intervals.",
        frame=pd.DataFrame(rows).astype({"kept_n": "Int64", "everybody_n": "Int64"}),
        status=_of_all(evidence),
    )
    return Finding(tables=[table])


def _of_all(evidence: Evidence) -> Status:
    """Return the status of a table with the numbers of every analysis."""
    statuses = {one.status for one in _standings(evidence).values()}
    return "exploratory" if "exploratory" in statuses else evidence.status


def _cells(who: str, quantity: Quantity | None) -> dict[str, float | None]:
    names = ("estimate", "low", "high", "n")
    return {f"{who}_{name}": getattr(quantity, name, None) for name in names}
