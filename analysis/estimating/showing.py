"""Numbers, tables and figures of an estimate in the form in which results hold them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.causal.clustered import Estimate
from analysis.evidence.evidence import Evidence
from analysis.registered.finding import drawn
from analysis.results.figure_marks import with_mark
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.words import sentences

POINTS = "points"


@dataclass(frozen=True)
class Showing:
    """Makes the parts of one chapter; each of its numbers and figures carries the same reason.

    Attributes
    ----------
    evidence : Evidence
    chapter : str
        The id under which the numbers are listed.
    despite : str
        Why figures from the judge alone are shown without a PASS of the gate; empty if they need
        no reason.
    """

    evidence: Evidence
    chapter: str
    despite: str = ""

    @property
    def reason(self) -> str:
        """The reason as a sentence; empty without one."""
        if not self.despite:
            return ""
        return sentences([f"Shown without a PASS of the gate: {self.despite}"])

    def number(self, name: str, label: str, found: Estimate, method: str, **more: Any) -> Quantity:
        """Return an estimate as a number of the results."""
        return self.plain(
            name,
            label,
            estimate=found.value,
            low=found.low,
            high=found.high,
            se=found.se,
            n=more.pop("n", found.n),
            clusters=more.pop("clusters", found.clusters),
            level=found.level,
            method=method,
            **more,
        )

    def plain(self, name: str, label: str, **more: Any) -> Quantity:
        """Return a number of the results; `unit` is points and `n` counts units by default."""
        note = self._with_reason(str(more.pop("note", "")))
        return Quantity(
            analysis=self.chapter,
            name=name,
            label=label,
            unit=more.pop("unit", POINTS),
            unit_of_n=more.pop("unit_of_n", "units"),
            status=self.evidence.status,
            note=note,
            **more,
        )

    def table(
        self, name: str, title: str, caption: str, frame: pd.DataFrame, level: float | None = 0.95
    ) -> ResultTable:
        """Return a table of the results."""
        return ResultTable(
            name=f"{self.chapter}_{name}",
            title=title,
            caption=self._with_reason(caption),
            frame=frame,
            status=self.evidence.status,
            level=level,
        )

    def figure(self, axes: Axes, *, name: str, title: str, caption: str, alt: str) -> ResultFigure:
        """Return a figure of the results."""
        return self.carrying(
            drawn(
                self.evidence,
                axes,
                name=f"{self.chapter}_{name}",
                title=title,
                caption=caption,
                alt=alt,
            )
        )

    def carrying(self, figure: ResultFigure) -> ResultFigure:
        """Return a figure with the reason in its caption and in the drawing."""
        if not self.despite:
            return figure
        return replace(
            figure,
            caption=self._with_reason(figure.caption),
            svg=with_mark(figure.svg, self.reason, wrapped=True) if figure.svg else "",
        )

    def _with_reason(self, text: str) -> str:
        return " ".join(part for part in (text, self.reason) if part)
