"""Runs the analyses of a study, and labels those that are exploratory wherever they appear."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.evidence.evidence import Evidence
from analysis.evidence.status import NOT_IN_PLAN, Standing, status_of
from analysis.registered.finding import Finding
from analysis.registered.registry import run_registered
from analysis.registered.shared_families import in_shared_families
from analysis.results.figure_marks import with_mark
from analysis.results.quantities import ResultFigure, ResultTable, Status
from analysis.results.verdict import Cell
from prereg.analyses.registry import Analysis
from prereg.exploratory import with_exploratory

LABEL = "Exploratory"
STATUSES: tuple[Status, ...] = ("confirmatory", "exploratory")


@dataclass(frozen=True)
class Labelled:
    """What the analyses of a study found.

    Attributes
    ----------
    registered : list of Finding
        Of the plan's analyses, in their order; then, if tests are corrected together, their table.
    exploratory : list of Finding
        Of the analyses that the lock does not hold.
    evidence : Evidence
        The evidence whose plan has these analyses too; the same evidence if there are none.
    why : mapping
        Why an analysis is exploratory although others are not, by its id.
    """

    registered: list[Finding]
    exploratory: list[Finding]
    evidence: Evidence
    why: dict[str, str]

    @property
    def findings(self) -> list[Finding]:
        """All of them, the registered ones first."""
        return [*self.registered, *self.exploratory]


def run_labelled(
    evidence: Evidence, more: Sequence[Analysis], began: Callable[[str], None] | None = None
) -> Labelled:
    """Run the plan's analyses, and then those that the lock does not hold.

    Parameters
    ----------
    evidence : Evidence
    more : sequence of analyses
        From `prereg.exploratory.load_exploratory`.
    began : callable, optional
        Is told each analysis when it begins, as "analysis 2 of 5: ID".
    """
    count, total = itertools.count(1), len(evidence.plan.analyses) + len(more)

    def begins(name: str) -> None:
        if began is not None:
            began(f"analysis {next(count)} of {total}: {name}")

    plan = evidence.plan
    standing = standings(evidence)
    whole = evidence
    if more:
        # nothing that was read or shuffled for the plan alone is kept
        whole = replace(evidence, plan=with_exploratory(plan, tuple(more)), _own={})
    beside = {one.id: Standing("exploratory", NOT_IN_PLAN) for one in more}
    registered = run_all(plan.analyses, evidence, standing, begins=begins)
    exploratory = run_all(
        more,
        replace(whole, status="exploratory"),
        beside,
        name="families.exploratory",
        begins=begins,
    )
    why = {name: one.why for name, one in (standing | beside).items() if one.why}
    return Labelled(registered, exploratory, whole, why)


def standings(evidence: Evidence) -> dict[str, Standing]:
    """Return for each analysis of the plan, by its id, whether it is confirmatory."""
    return {one.id: status_of(one, evidence.lock, evidence) for one in evidence.plan.analyses}


def run_all(
    analyses: Sequence[Analysis],
    evidence: Evidence,
    standing: Mapping[str, Standing],
    *,
    name: str = "families",
    begins: Callable[[str], None] | None = None,
) -> list[Finding]:
    """Run analyses and label them; tests of one family are corrected with those of their status.

    Parameters
    ----------
    analyses : sequence of analyses
    evidence : Evidence
    standing : mapping
        Of each analysis, by its id.
    name : str
        Of the table of tests that are corrected together.
    begins : callable, optional
        Is told the id of each analysis when it begins.

    Returns
    -------
    list of Finding
        One per analysis, in their order, and one per table of families.
    """
    found = []
    for analysis in analyses:
        if begins is not None:
            begins(analysis.id)
        status = standing[analysis.id].status
        found.append(run_registered(analysis, replace(evidence, status=status)))
    tables: list[Finding] = []
    for status in STATUSES:
        places = [n for n, one in enumerate(analyses) if standing[one.id].status == status]
        together = in_shared_families(
            [analyses[n] for n in places],
            [found[n] for n in places],
            status=status,
            name=name if status == evidence.status else f"{name}.amended",
        )
        for n, one in zip(places, together, strict=False):
            found[n] = one
        tables += together[len(places) :]
    labelled = [
        label(one, standing[analysis.id]) for analysis, one in zip(analyses, found, strict=True)
    ]
    return [*labelled, *tables]


def label(finding: Finding, standing: Standing) -> Finding:
    """Return a finding that says that it is exploratory, wherever a part of it is copied to.

    In a study of which everything is exploratory the limits and every status say so, and single
    findings are not labelled.
    """
    if not standing.why:
        return finding
    note = f"{LABEL}: {standing.why}."
    verdict = replace(
        finding.verdict,
        sentences=tuple(f"{LABEL}: {sentence}" for sentence in finding.verdict.sentences),
        cells=tuple(_cell(cell) for cell in finding.verdict.cells),
    )
    return replace(
        finding,
        sentence=f"{LABEL}: {finding.sentence}" if finding.sentence else "",
        tables=[_table(table, note) for table in finding.tables],
        figures=[_figure(figure, note) for figure in finding.figures],
        verdict=verdict,
    )


def _cell(cell: Cell) -> Cell:
    return replace(cell, why="; ".join(part for part in (cell.why, LABEL.lower()) if part))


def _table(table: ResultTable, note: str) -> ResultTable:
    return replace(
        table,
        title=f"{LABEL}: {table.title}",
        caption=f"{table.caption} {note}".strip(),
        status="exploratory",
    )


def _figure(figure: ResultFigure, note: str) -> ResultFigure:
    return replace(
        figure,
        title=f"{LABEL}: {figure.title}",
        caption=f"{figure.caption} {note}".strip(),
        svg=with_mark(figure.svg, LABEL),
        status="exploratory",
    )
