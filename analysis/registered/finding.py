"""What a registered analysis gives to the report, and what marks its numbers as registered."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.evidence.evidence import Evidence
from analysis.results import figure_style, numbers
from analysis.results.quantities import Quantity, ResultFigure, ResultTable, Status
from analysis.results.verdict import Verdict
from prereg.analyses.base import AnyAnalysis


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one registered analysis found.

    `methods` is what the chapter on methods says of it, beside the paragraph on its kind.
    """

    sentence: str = ""
    quantities: list[Quantity] = field(default_factory=list)
    tables: list[ResultTable] = field(default_factory=list)
    figures: list[ResultFigure] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    methods: str = ""


def drawn(
    evidence: Evidence, axes: Axes, *, caption: str, status: Status | None = None, **words: str
) -> ResultFigure:
    """Return a drawing as a figure of the report; with simulated raters, both say so.

    Parameters
    ----------
    evidence : Evidence
    axes : Axes
    caption : str
    status : {'confirmatory', 'exploratory'}, optional
        By default the status of a registered analysis.
    **words
        `name`, `title` and `alt` of the figure.
    """
    if evidence.simulated:
        figure_style.stamp(axes)
        caption += " Simulated raters."
    return ResultFigure(
        svg=figure_style.svg(axes), caption=caption, status=status or evidence.status, **words
    )


def result_tables(
    analysis: AnyAnalysis,
    evidence: Evidence,
    shown: Iterable[tuple[str, str, str, pd.DataFrame]],
    *,
    level: float,
    exploratory: Container[str] = (),
) -> list[ResultTable]:
    """Return the tables of an analysis; each name starts with the id of the analysis.

    Parameters
    ----------
    analysis : AnyAnalysis
    evidence : Evidence
    shown : iterable of tuple
        Name, title, caption and rows of each table.
    level : float
        Coverage of their intervals.
    exploratory : container of str
        Names of tables that do not answer a registered question.
    """
    return [
        ResultTable(
            name=f"{analysis.id}_{name}",
            title=title,
            caption=caption.strip(),
            frame=frame,
            status="exploratory" if name in exploratory else evidence.status,
            level=level,
        )
        for name, title, caption, frame in shown
    ]


def stamp(analysis: AnyAnalysis, evidence: Evidence) -> dict[str, Any]:
    """Return what marks a quantity as this analysis's, and for which hypothesis."""
    return {
        "analysis": analysis.id,
        "status": evidence.status,
        "hypothesis": analysis.hypothesis or "",
    }


def interval(low: float, high: float) -> str:
    """Return an interval as sentences show it."""
    return numbers.interval(low, high)
